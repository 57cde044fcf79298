// RUN: snug-opt %s --snug-fold-residual | FileCheck %s
// RUN: snug-opt %s --snug-fold-residual --snug-fold-activation | FileCheck %s --check-prefix=ACTIVATED

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x4x4xf32>, %{{.*}})
func.func @example(%x: tensor<1x2x4x4xf32>, %filter: tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %[[X]] filter %{{.*}} residual %[[X]] :
  // CHECK-NEXT: return %[[CONV]]
  %0 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.binary add %0, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// Of two convolutions, the later one takes the earlier one; the bias stays. The
// activation behind the addition then follows the convolution.
// CHECK-LABEL: func.func @two_convolutions
// ACTIVATED-LABEL: func.func @two_convolutions
func.func @two_convolutions(%x: tensor<1x2x4x4xf32>, %filter: tensor<2x2x1x1xf32>, %bias: tensor<2xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK-NEXT: %[[FIRST:.*]] = snug.conv2d %{{.*}} filter %{{.*}} : (
  // CHECK-NEXT: %[[SECOND:.*]] = snug.conv2d %{{.*}} filter %{{.*}} bias %{{.*}} residual %[[FIRST]] : (
  // CHECK-NEXT: snug.unary relu %[[SECOND]]
  // ACTIVATED: snug.conv2d {{.*}} residual %{{.*}} activation relu :
  // ACTIVATED-NEXT: return
  %0 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.conv2d %x filter %filter bias %bias : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %2 = snug.binary add %0, %1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %3 = snug.unary relu %2 : tensor<1x2x4x4xf32>
  return %3 : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: func.func @group
func.func @group(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
    // CHECK: %[[CONV:.*]] = snug.conv2d %[[IN:.*]] filter %{{.*}} residual %[[IN]] :
    // CHECK-NEXT: snug.yield %[[CONV]]
    %filter = snug.constant dense<1.0> : tensor<2x2x1x1xf32>
    %1 = snug.conv2d %in filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
    %2 = snug.binary add %in, %1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
    snug.yield %2 : tensor<1x2x4x4xf32>
  }
  return %0 : tensor<1x2x4x4xf32>
}

// The other operand comes after the convolution, which does not move.
// CHECK-LABEL: func.func @computed_later
func.func @computed_later(%x: tensor<1x2x4x4xf32>, %filter: tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK: snug.conv2d
  // CHECK-NOT: residual
  // CHECK: snug.binary add
  %0 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.unary relu %x : tensor<1x2x4x4xf32>
  %2 = snug.binary add %0, %1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %2 : tensor<1x2x4x4xf32>
}

// Convolutions that are read elsewhere or twice, or are complete already.
// CHECK-LABEL: func.func @not_free
func.func @not_free(%x: tensor<1x2x4x4xf32>, %filter: tensor<2x2x1x1xf32>)
    -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  // CHECK-COUNT-4: snug.binary add
  %0 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.binary add %0, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %2 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %3 = snug.binary add %2, %2 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %4 = snug.conv2d %x filter %filter activation relu : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %5 = snug.binary add %4, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %6 = snug.conv2d %x filter %filter residual %x : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %7 = snug.binary add %6, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %0, %1, %3, %5, %7 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}
