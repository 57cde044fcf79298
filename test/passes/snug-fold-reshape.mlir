// RUN: snug-opt %s --split-input-file --snug-fold-reshape | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x4x4xf32>)
// CHECK-NEXT: %[[POOLED:.*]] = snug.max_pool2d %[[X]] kernel [2, 2]
// CHECK-NEXT: return %[[POOLED]]
func.func @example(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %0 = snug.transpose %x permutation [0, 2, 3, 1] : (tensor<1x2x4x4xf32>) -> tensor<1x4x4x2xf32>
  %1 = snug.transpose %0 permutation [0, 3, 1, 2] : (tensor<1x4x4x2xf32>) -> tensor<1x2x4x4xf32>
  %2 = snug.max_pool2d %1 kernel [2, 2] strides [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  return %2 : tensor<1x2x2x2xf32>
}

// -----

// Axes of one element may move as they like; reshapes are one.
// CHECK-LABEL: func.func @ones
// CHECK-NEXT: %[[FLAT:.*]] = snug.reshape %{{.*}} : tensor<1x2x1x4xf32> -> tensor<8xf32>
// CHECK-NEXT: return %[[FLAT]]
func.func @ones(%x: tensor<1x2x1x4xf32>) -> tensor<8xf32> {
  %0 = snug.transpose %x permutation [2, 1, 3, 0] : (tensor<1x2x1x4xf32>) -> tensor<1x2x4x1xf32>
  %1 = snug.reshape %0 : tensor<1x2x4x1xf32> -> tensor<2x4xf32>
  %2 = snug.reshape %1 : tensor<2x4xf32> -> tensor<8xf32>
  return %2 : tensor<8xf32>
}

// -----

// Two transpositions are one; a reader between them keeps what it reads.
// CHECK-LABEL: func.func @both
// CHECK-NEXT: %[[ONE:.*]] = snug.transpose %[[X:.*]] permutation [1, 2, 0]
// CHECK-NEXT: %[[TWO:.*]] = snug.transpose %[[X]] permutation [2, 0, 1]
// CHECK-NEXT: return %[[ONE]], %[[TWO]]
func.func @both(%x: tensor<2x3x4xf32>) -> (tensor<3x4x2xf32>, tensor<4x2x3xf32>) {
  %0 = snug.transpose %x permutation [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = snug.transpose %0 permutation [1, 2, 0] : (tensor<3x4x2xf32>) -> tensor<4x2x3xf32>
  return %0, %1 : tensor<3x4x2xf32>, tensor<4x2x3xf32>
}

// -----

// Movements that move nothing, also in a group; a slice may turn an axis around.
// CHECK-LABEL: func.func @nothing
func.func @nothing(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: %[[GROUP:.*]] = snug.fused_group(%[[IN:.*]] = %{{.*}})
  // CHECK-NEXT: %[[TURNED:.*]] = snug.slice %[[IN]]
  // CHECK-NEXT: snug.yield %[[TURNED]]
  // CHECK: return %[[GROUP]]
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    %1 = snug.slice %in starts [0, 0] ends [2, 3] steps [1, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = snug.pad %1 low [0, 0] high [0, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %3 = snug.concat %2 axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %4 = snug.slice %3 starts [0, 2] ends [2, -1] steps [1, -1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
    snug.yield %4 : tensor<2x3xf32>
  }
  %dead = snug.unary relu %x : tensor<2x3xf32>
  %deader = snug.reshape %dead : tensor<2x3xf32> -> tensor<6xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func.func @stays
// CHECK-NEXT: snug.transpose
// CHECK-NEXT: snug.reshape
// CHECK-NEXT: snug.transpose
func.func @stays(%x: tensor<2x3x4xf32>) -> tensor<6x4xf32> {
  %0 = snug.transpose %x permutation [2, 1, 0] : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
  %1 = snug.reshape %0 : tensor<4x3x2xf32> -> tensor<4x6xf32>
  %2 = snug.transpose %1 permutation [1, 0] : (tensor<4x6xf32>) -> tensor<6x4xf32>
  return %2 : tensor<6x4xf32>
}
