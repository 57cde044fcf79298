// RUN: snug-opt %s --split-input-file --canonicalize | FileCheck %s
// RUN: snug-opt %s --split-input-file --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @reshape_to_same
// CHECK-SAME: (%[[X:.*]]: tensor<1x4xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_to_same(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %0 = snug.reshape %x : tensor<1x4xf32> -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}

// -----

// CHECK-LABEL: func.func @reshape_of_reshape
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x3x4xf32>)
// CHECK-NEXT: %[[FLAT:.*]] = snug.reshape %[[X]] : tensor<1x2x3x4xf32> -> tensor<1x24xf32>
// CHECK-NEXT: return %[[FLAT]]
func.func @reshape_of_reshape(%x: tensor<1x2x3x4xf32>) -> tensor<1x24xf32> {
  %0 = snug.reshape %x : tensor<1x2x3x4xf32> -> tensor<1x6x4xf32>
  %1 = snug.reshape %0 : tensor<1x6x4xf32> -> tensor<1x24xf32>
  return %1 : tensor<1x24xf32>
}

// -----

// There and back again is nothing at all.
// CHECK-LABEL: func.func @reshape_back
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_back(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = snug.reshape %x : tensor<2x3xf32> -> tensor<6xf32>
  %1 = snug.reshape %0 : tensor<6xf32> -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// Constants stay in the group that they stand in, and unused ops go.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  // CHECK-NEXT: snug.fused_group(%[[IN:.*]] = %{{.*}}) schedule(#snug.whole)
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
    // CHECK-NEXT: %[[FILTER:.*]] = snug.constant dense_resource<w> : tensor<1x1x1x1xf32>
    // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %[[IN]] filter %[[FILTER]]
    // CHECK-NEXT: snug.yield %[[CONV]]
    %1 = snug.unary relu %in : tensor<1x1x4x4xf32>
    %2 = snug.constant dense_resource<w> : tensor<1x1x1x1xf32>
    %3 = snug.conv2d %in filter %2 : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
    snug.yield %3 : tensor<1x1x4x4xf32>
  }
  // A group that nobody reads goes as a whole.
  // CHECK-NOT: snug.fused_group
  %4 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
    %5 = snug.unary relu %in : tensor<1x1x4x4xf32>
    snug.yield %5 : tensor<1x1x4x4xf32>
  }
  // CHECK: return
  return %0 : tensor<1x1x4x4xf32>
}

// -----

// Two constants of one resource become one; no weight is computed with.
// CHECK-LABEL: func.func @constants
func.func @constants(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  // CHECK: snug.constant
  // CHECK-NOT: snug.constant
  %0 = snug.constant dense_resource<w> : tensor<1x1x1x1xf32>
  %1 = snug.constant dense_resource<w> : tensor<1x1x1x1xf32>
  // CHECK-COUNT-2: snug.conv2d
  %2 = snug.conv2d %x filter %0 : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %3 = snug.conv2d %2 filter %1 : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %3 : tensor<1x1x4x4xf32>
}
