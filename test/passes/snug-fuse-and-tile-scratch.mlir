// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=230KiB budget-scope=arena target=portable" | FileCheck %s

// Input and convolution take 128 KiB each, so that even direct kernels need
// tiles; in small ones there is room for the scratch of Winograd's. That no
// convolution is left to take the permission from does not end the search.
// CHECK-LABEL: func.func @only
// CHECK: snug.fused_group
// CHECK: snug.conv2d {{.*}} pads [1, 1, 1, 1] allow_winograd :
func.func @only(%x: tensor<1x8x64x64xf32>) -> tensor<1x8x32x32xf32> {
  %f = snug.constant dense<0.5> : tensor<8x8x3x3xf32>
  %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] allow_winograd
    : (tensor<1x8x64x64xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x64x64xf32>
  %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2]
    : (tensor<1x8x64x64xf32>) -> tensor<1x8x32x32xf32>
  return %1 : tensor<1x8x32x32xf32>
}
