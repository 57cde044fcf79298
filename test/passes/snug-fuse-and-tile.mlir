// RUN: snug-opt %s --snug-fuse-and-tile="groups=1:2x2 target=portable" | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: snug-opt %s --snug-fuse-and-tile="groups=1:2x2,2:1x4 target=portable" | FileCheck %s --check-prefixes=CHECK,TWO
// RUN: snug-opt %s --snug-fuse-and-tile="groups=2:whole target=portable" | FileCheck %s --check-prefixes=CHECK,WHOLE
// RUN: snug-opt %s --snug-fuse-and-tile="target=portable" | FileCheck %s --check-prefixes=CHECK,WHOLE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=64KiB budget-scope=arena max-groups=0 target=portable" | FileCheck %s --check-prefixes=CHECK,WHOLE
// RUN: snug-opt %s --snug-fuse-and-tile="memory-budget=20KiB budget-scope=arena target=portable" | FileCheck %s --check-prefixes=CHECK,BUDGET

// Layer 0 is the convolution with the batch norm and the activation behind it,
// layer 1 the pooling; weights move inside. Untiled, the convolution's input
// (16x16x4 floats, after a move) and output (16x16x16) need 20 KiB beside the
// planar input, which is dead by then, and the parameters are not counted.
// CHECK-LABEL: func.func @example
func.func @example(%x: tensor<1x4x16x16xf32>) -> tensor<1x16x8x8xf32> {
  %filter = snug.constant dense<0.1> : tensor<16x4x3x3xf32>
  %ones = snug.constant dense<1.0> : tensor<16xf32>
  %0 = snug.conv2d %x filter %filter pads [1, 1, 1, 1]
    : (tensor<1x4x16x16xf32>, tensor<16x4x3x3xf32>) -> tensor<1x16x16x16xf32>
  %1 = snug.batch_norm %0 scale %ones shift %ones mean %ones variance %ones
    : (tensor<1x16x16x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x16x16x16xf32>
  %2 = snug.unary leaky_relu(0.1) %1 : tensor<1x16x16x16xf32>
  %3 = snug.max_pool2d %2 kernel [2, 2] strides [2, 2]
    : (tensor<1x16x16x16xf32>) -> tensor<1x16x8x8xf32>
  return %3 : tensor<1x16x8x8xf32>
}

// ONE: %[[GROUP:.*]] = snug.fused_group(%[[IN:.*]] = %{{.*}}) schedule(#snug.grid<tiles = [2, 2]>)
// ONE-DAG: snug.constant dense<1.000000e-01>
// ONE: snug.conv2d %[[IN]]
// ONE-NEXT: snug.batch_norm
// ONE-NEXT: %[[LAST:.*]] = snug.unary
// ONE-NEXT: snug.yield %[[LAST]]
// ONE: snug.max_pool2d %[[GROUP]]
// ONE-NOT: snug.fused_group

// TWO: %[[FIRST:.*]] = snug.fused_group({{.*}}) schedule(#snug.grid<tiles = [2, 2]>)
// TWO: snug.fused_group(%{{.*}} = %[[FIRST]]) schedule(#snug.grid<tiles = [1, 4]>)
// TWO: snug.max_pool2d

// WHOLE-NOT: snug.fused_group

// BUDGET: snug.fused_group
