// RUN: snug-opt %s --snug-fuse-and-tile="target=portable" | FileCheck %s --check-prefixes=CHECK,FREE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=300KiB budget-scope=arena target=portable" | FileCheck %s --check-prefixes=CHECK,FREE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=100KiB budget-scope=arena target=portable" | FileCheck %s --check-prefixes=CHECK,NONE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=100KiB budget-scope=arena max-groups=0 target=portable" | FileCheck %s --check-prefixes=CHECK,NONE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=100KiB budget-scope=arena groups=2:whole target=portable" | FileCheck %s --check-prefixes=CHECK,NONE
// RUN: not snug-opt %s --snug-fuse-and-tile="memory-budget=60KiB budget-scope=arena max-groups=0 target=portable" 2>&1 | FileCheck %s --check-prefix=LITTLE

// Each tensor takes 32 KiB, so the network two of them, and the scratch of
// Winograd's kernel for the first convolution 160 KiB: it is done without.
// CHECK-LABEL: func.func @example
// FREE-NOT: snug.fused_group
// FREE: snug.conv2d {{.*}} pads [1, 1, 1, 1] allow_winograd :
// FREE: snug.conv2d {{.*}} allow_winograd :
// NONE-NOT: snug.fused_group
// NONE: snug.conv2d {{.*}} pads [1, 1, 1, 1] :
// NONE: snug.conv2d {{.*}} allow_winograd :
// LITTLE: memory budget cannot be met: limit 60.00 KiB for the arena, needed at least 64.00 KiB
func.func @example(%x: tensor<1x8x32x32xf32>) -> tensor<1x8x32x32xf32> {
  %f = snug.constant dense<0.5> : tensor<8x8x3x3xf32>
  %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] allow_winograd
    : (tensor<1x8x32x32xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x32x32xf32>
  %g = snug.constant dense<0.5> : tensor<8x8x1x1xf32>
  %1 = snug.conv2d %0 filter %g allow_winograd
    : (tensor<1x8x32x32xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x32x32xf32>
  return %1 : tensor<1x8x32x32xf32>
}
