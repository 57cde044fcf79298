// RUN: snug-opt %s --snug-fold-identity | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x4x4xf32>)
// CHECK-NEXT: %[[POOLED:.*]] = snug.max_pool2d %[[X]] kernel [2, 2]
// CHECK-NEXT: return %[[POOLED]]
func.func @example(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %0 = snug.identity %x : tensor<1x2x4x4xf32>
  %1 = snug.dropout %0 : tensor<1x2x4x4xf32>
  %2 = snug.max_pool2d %1 kernel [2, 2] strides [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  return %2 : tensor<1x2x2x2xf32>
}

// Also in groups, with several users, and where nobody reads the result.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK-NEXT: snug.fused_group(%[[IN:.*]] = %{{.*}})
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
    // CHECK-NEXT: %[[SUM:.*]] = snug.binary add %[[IN]], %[[IN]]
    // CHECK-NEXT: snug.yield %[[SUM]]
    %1 = snug.identity %in : tensor<1x2x4x4xf32>
    %2 = snug.binary add %1, %1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
    %3 = snug.dropout %2 : tensor<1x2x4x4xf32>
    %4 = snug.identity %3 : tensor<1x2x4x4xf32>
    snug.yield %3 : tensor<1x2x4x4xf32>
  }
  return %0 : tensor<1x2x4x4xf32>
}

// An input may become an output.
// CHECK-LABEL: func.func @nothing_left
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK-NEXT: return %[[X]]
func.func @nothing_left(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = snug.identity %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
