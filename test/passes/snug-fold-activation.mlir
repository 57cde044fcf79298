// RUN: snug-opt %s --snug-fold-activation | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
func.func @example(%x: tensor<1x1x4x4xf32>, %filter: tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %{{.*}} activation leaky_relu(0.1) :
  // CHECK-NEXT: return %[[CONV]]
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.unary leaky_relu(0.1) %0 : tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// The activation comes after bias and residual. A second one stays.
// CHECK-LABEL: func.func @group
func.func @group(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 2]>) : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
    // CHECK: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %{{.*}} residual %{{.*}} activation relu6 :
    // CHECK-NEXT: %[[SECOND:.*]] = snug.unary relu %[[CONV]]
    // CHECK-NEXT: snug.yield %[[SECOND]]
    %filter = snug.constant dense<1.0> : tensor<2x2x1x1xf32>
    %1 = snug.conv2d %in filter %filter residual %in
        : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
    %2 = snug.unary relu6 %1 : tensor<1x2x4x4xf32>
    %3 = snug.unary relu %2 : tensor<1x2x4x4xf32>
    snug.yield %3 : tensor<1x2x4x4xf32>
  }
  return %0 : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: func.func @gemm
func.func @gemm(%x: tensor<1x4xf32>, %weight: tensor<4x2xf32>) -> tensor<1x2xf32> {
  // CHECK-NEXT: %[[GEMM:.*]] = snug.gemm %{{.*}} weight %{{.*}} activation relu :
  // CHECK-NEXT: return %[[GEMM]]
  %0 = snug.gemm %x weight %weight : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %1 = snug.unary relu %0 : tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// Somebody else reads the convolution as it is.
// CHECK-LABEL: func.func @other_user
func.func @other_user(%x: tensor<1x1x4x4xf32>, %filter: tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} : (
  // CHECK-NEXT: snug.unary relu
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = snug.unary relu %0 : tensor<1x2x4x4xf32>
  %2 = snug.binary add %0, %1 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %2 : tensor<1x2x4x4xf32>
}

// Behind a pooling, and behind an input.
// CHECK-LABEL: func.func @other_layers
func.func @other_layers(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK: snug.unary relu
  // CHECK: snug.max_pool2d
  // CHECK: snug.unary relu6
  %0 = snug.unary relu %x : tensor<1x1x4x4xf32>
  %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2] : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  %2 = snug.unary relu6 %1 : tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}

// Both parameters; transposed convolutions and binaries.
// CHECK-LABEL: func.func @more_layers
// CHECK: snug.conv_transpose2d {{.*}} activation clip(-1.0, inf)
// CHECK-NEXT: snug.binary mul {{.*}} activation hard_sigmoid(0.2, 0.5)
// CHECK-NEXT: return
func.func @more_layers(%x: tensor<1x1x4x4xf32>, %f: tensor<1x1x2x2xf32>, %g: tensor<1x1x1x1xf32>) -> tensor<1x1x5x5xf32> {
  %0 = snug.conv_transpose2d %x filter %f : (tensor<1x1x4x4xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x5x5xf32>
  %1 = snug.unary clip(-1.0, inf) %0 : tensor<1x1x5x5xf32>
  %2 = snug.binary mul %1, %g : (tensor<1x1x5x5xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x5x5xf32>
  %3 = snug.unary hard_sigmoid(0.2, 0.5) %2 : tensor<1x1x5x5xf32>
  return %3 : tensor<1x1x5x5xf32>
}
