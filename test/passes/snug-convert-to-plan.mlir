// RUN: snug-opt %s --split-input-file --snug-convert-to-plan="target=portable threads=2" | FileCheck %s

// The example of the description: the planar input is moved into channels-last
// order, the pooling runs, its result is moved into the planar output.
// CHECK-LABEL: snug_plan.program @example target "portable" threads 2
// CHECK-SAME: groups = [{ops = ["max_pool2d_0"], schedule = "whole"}]
// CHECK-SAME: predicted = {network_macs = 0 : i64}
// CHECK-DAG: %[[IN:.*]] = snug_plan.buffer input "x" shape [1, 4, 8, 8] : !snug_plan.buffer<1x8x8x4, planar>
// CHECK-DAG: %[[OUT:.*]] = snug_plan.buffer output "y" shape [1, 4, 4, 4] : !snug_plan.buffer<1x4x4x4, planar>
// CHECK: snug_plan.view %[[IN]][0, 0]
// CHECK: snug_plan.move
// CHECK: snug_plan.pool max
// CHECK-SAME: kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0]
// CHECK: snug_plan.view %[[OUT]][0, 0]
// CHECK: snug_plan.move
func.func @example(%x: tensor<1x4x8x8xf32> {snug.name = "x"}) -> (tensor<1x4x4x4xf32> {snug.name = "y"}) {
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2]
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// -----

// Two tiles side by side: the left one needs columns 0 to 4 with one column of
// padding on the left, the right one columns 3 to 7 with one on the right.
// CHECK-LABEL: snug_plan.program @tiles
// CHECK: snug_plan.segment @conv2d_0.weights packing convolution bytes {{[0-9]+}}
// CHECK: snug_plan.view %{{.*}}[0, 0] : <1x8x8x4, planar> -> <1x8x5x4, planar>
// CHECK: snug_plan.convolution {{.*}} pads [1, 1, 1, 0] {group = 0 : i64, tile = 0 : i64}
// CHECK: snug_plan.view %{{.*}}[0, 3] : <1x8x8x4, planar> -> <1x8x5x4, planar>
// CHECK: snug_plan.convolution {{.*}} pads [1, 0, 1, 1] {group = 0 : i64, tile = 1 : i64}
func.func @tiles(%x: tensor<1x4x8x8xf32>) -> tensor<1x2x8x8xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [1, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x2x8x8xf32> {
    %filter = snug.constant dense<0.5> : tensor<2x4x3x3xf32>
    %1 = snug.conv2d %in filter %filter pads [1, 1, 1, 1]
      : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x8x8xf32>
    snug.yield %1 : tensor<1x2x8x8xf32>
  }
  return %0 : tensor<1x2x8x8xf32>
}

// -----

// Winograd's kernel is taken where it is allowed and pays: not for the strided
// convolution, not for the single row of the last one. 36 planes of 16 tiles,
// 8 inputs each, and for each of two threads 36 filters of 8 x 8 and 36 planes
// of 14 tiles with 8 sums; each plane is 16 floats longer.
// CHECK-LABEL: snug_plan.program @winograd
// CHECK: %[[SCRATCH:.*]] = snug_plan.buffer workspace : !snug_plan.workspace<80640>
// CHECK-NEXT: snug_plan.convolution {{.*}} workspace %[[SCRATCH]] : !snug_plan.workspace<80640> weights @conv2d_0.weights {{.*}} activation relu winograd {
// CHECK-NOT: workspace
// CHECK-NOT: winograd
// CHECK: snug_plan.convolution {{.*}} strides [6, 3]
// CHECK-NOT: winograd
// CHECK: snug_plan.convolution {{.*}} pads [0, 1, 0, 0] {
// CHECK-NOT: winograd
func.func @winograd(%x: tensor<1x8x16x16xf32>) -> tensor<1x8x1x4xf32> {
  %f = snug.constant dense<0.5> : tensor<8x8x3x3xf32>
  %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] activation relu allow_winograd
    : (tensor<1x8x16x16xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x16x16xf32>
  %1 = snug.conv2d %0 filter %f strides [6, 3] allow_winograd
    : (tensor<1x8x16x16xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x3x5xf32>
  %2 = snug.conv2d %1 filter %f pads [0, 1, 0, 0] allow_winograd
    : (tensor<1x8x3x5xf32>, tensor<8x8x3x3xf32>) -> tensor<1x8x1x4xf32>
  return %2 : tensor<1x8x1x4xf32>
}

// -----

// Flattening moves into planar order; a batch norm on its own is a depthwise
// 1x1 convolution.
// CHECK-LABEL: snug_plan.program @tail
// CHECK: snug_plan.convolution {{.*}} weights @batch_norm_0.weights bias @batch_norm_0.bias kernel [1, 1] {{.*}} groups 4
// CHECK: snug_plan.move {{.*}} : <1x2x2x4, channels_last> to <1x2x2x4, planar>
// CHECK: snug_plan.reinterpret {{.*}} : <1x2x2x4, planar> -> <1x1x1x16, planar>
// CHECK: snug_plan.gemm {{.*}} weights @gemm_2.weights bias @gemm_2.bias activation relu
// CHECK: snug_plan.softmax
func.func @tail(%x: tensor<1x4x2x2xf32>) -> tensor<1x3xf32> {
  %s = snug.constant dense<2.0> : tensor<4xf32>
  %w = snug.constant dense<0.5> : tensor<16x3xf32>
  %b = snug.constant dense<0.1> : tensor<3xf32>
  %0 = snug.batch_norm %x scale %s shift %s mean %s variance %s
    : (tensor<1x4x2x2xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x2x2xf32>
  %1 = snug.reshape %0 : tensor<1x4x2x2xf32> -> tensor<1x16xf32>
  %2 = snug.gemm %1 weight %w bias %b activation relu
    : (tensor<1x16xf32>, tensor<16x3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %3 = snug.softmax %2 axis 1 : tensor<1x3xf32>
  return %3 : tensor<1x3xf32>
}

// -----

// A tile of an average counts what of the op's own pads lies behind its part
// of the input: one row below the second tile, not the row that ceil_pads adds.
// CHECK-LABEL: snug_plan.program @counted
// CHECK: snug_plan.pool average {{.*}} pads [1, 1, 0, 1] counted [0, 1] {count_include_pad = true, group = 0 : i64, tile = 0 : i64}
// CHECK: snug_plan.pool average {{.*}} pads [0, 1, 2, 1] counted [1, 1] {count_include_pad = true, group = 0 : i64, tile = 1 : i64}
func.func @counted(%x: tensor<1x3x10x9xf32>) -> tensor<1x3x6x5xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 1]>) : (tensor<1x3x10x9xf32>) -> tensor<1x3x6x5xf32> {
    %1 = snug.avg_pool2d %in kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 0] count_include_pad
      : (tensor<1x3x10x9xf32>) -> tensor<1x3x6x5xf32>
    snug.yield %1 : tensor<1x3x6x5xf32>
  }
  return %0 : tensor<1x3x6x5xf32>
}

// -----

// Constants are segments: one number a channel as it is, an image in the order
// of the kernel, of which a tile reads its rows.
// CHECK-LABEL: snug_plan.program @constants
// CHECK-DAG: snug_plan.segment @[[CHANNELS:[a-z0-9_.]+]] packing constant bytes 12 = {{.*}} : tensor<3x1x1xf32>
// CHECK-DAG: snug_plan.segment @[[IMAGE:[a-z0-9_.]+]] packing channels_last_constant bytes 192 = {{.*}} : tensor<1x3x4x4xf32>
// CHECK: snug_plan.binary mul left {{.*}} constant @[[CHANNELS]] begin 0 extents [1, 1, 1, 3] strides [3, 3, 3, 1] to {{.*}} activation silu
// CHECK: snug_plan.binary sub right {{.*}} constant @[[IMAGE]] begin 0 extents [1, 2, 4, 3] strides [48, 12, 3, 1] to
// CHECK: snug_plan.binary sub right {{.*}} constant @[[IMAGE]] begin 24 extents [1, 2, 4, 3] strides [48, 12, 3, 1] to
func.func @constants(%x: tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 1]>) : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32> {
    %scale = snug.constant dense<2.0> : tensor<3x1x1xf32>
    %image = snug.constant dense<0.5> : tensor<3x4x4xf32>
    %1 = snug.binary mul %in, %scale activation silu : (tensor<1x3x4x4xf32>, tensor<3x1x1xf32>) -> tensor<1x3x4x4xf32>
    %2 = snug.binary sub %image, %1 : (tensor<3x4x4xf32>, tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
    snug.yield %2 : tensor<1x3x4x4xf32>
  }
  return %0 : tensor<1x3x4x4xf32>
}

// -----

// Tensors of other ranks come down to four extents: a softmax over an axis in
// the middle is one over channels, a transpose a copy of a regular pattern.
// CHECK-LABEL: snug_plan.program @ranks
// CHECK: snug_plan.softmax {{.*}} : <2x5x1x12, planar> to <2x5x1x12, planar>
// CHECK: snug_plan.rearrange {{.*}} extents [5, 24] input 0 [1, 5] output 0 [24, 1]
// CHECK: snug_plan.reduce max {{.*}} : <5x2x1x12, channels_last> to <5x1x1x12, channels_last>
func.func @ranks(%x: tensor<2x3x4x5xf32>) -> tensor<5x12xf32> {
  %0 = snug.reshape %x : tensor<2x3x4x5xf32> -> tensor<2x12x5xf32>
  %1 = snug.softmax %0 axis 1 : tensor<2x12x5xf32>
  %2 = snug.transpose %1 permutation [2, 0, 1] : (tensor<2x12x5xf32>) -> tensor<5x2x12xf32>
  %3 = snug.reduce max %2 axes [1] : (tensor<5x2x12xf32>) -> tensor<5x12xf32>
  return %3 : tensor<5x12xf32>
}
