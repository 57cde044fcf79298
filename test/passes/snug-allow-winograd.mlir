// RUN: snug-opt %s --snug-allow-winograd | FileCheck %s

// All convolutions, in fused groups as well; which of them a kernel takes is
// decided where kernels are chosen.
// CHECK-LABEL: func.func @all
func.func @all(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %f = snug.constant dense<0.5> : tensor<4x4x3x3xf32>
  // CHECK: snug.conv2d {{.*}} pads [1, 1, 1, 1] activation relu allow_winograd :
  %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] activation relu
    : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x8xf32>
  // CHECK: snug.fused_group
  %1 = snug.fused_group(%in = %0) schedule(#snug.grid<tiles = [1, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %g = snug.constant dense<0.5> : tensor<4x4x3x3xf32>
    // CHECK: snug.conv2d {{.*}} strides [2, 2] pads [1, 1, 1, 1] allow_winograd :
    %2 = snug.conv2d %in filter %g strides [2, 2] pads [1, 1, 1, 1]
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x4x4xf32>
    snug.yield %2 : tensor<1x4x4x4xf32>
  }
  return %1 : tensor<1x4x4x4xf32>
}
