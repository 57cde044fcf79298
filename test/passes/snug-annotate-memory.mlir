// RUN: snug-opt %s --snug-annotate-memory="target=portable" | FileCheck %s

// The example of the description. The input is planar, so a move brings it into
// channels-last order first, and both (4*8*8*4 bytes each) are live while it does.
// CHECK-LABEL: func.func @example
// CHECK-SAME: snug.peak = {arena = 4096 : i64, live = 2048 : i64, op = "max_pool2d_0", process = {{[0-9]+}} : i64}
func.func @example(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK: snug.max_pool2d
  // CHECK-SAME: snug.memory = {input = 1024 : i64, live = 2048 : i64, output = 256 : i64, weights = 0 : i64, workspace = 0 : i64}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2]
    : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return %0 : tensor<1x4x4x4xf32>
}

// In a group the figures are those of the largest tile: a 2x2 tile of the
// output needs 4x4 of the input.
// CHECK-LABEL: func.func @group
func.func @group(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    // CHECK: snug.max_pool2d
    // CHECK-SAME: input = 256 : i64
    // CHECK-SAME: output = 64 : i64
    %1 = snug.max_pool2d %in kernel [2, 2] strides [2, 2]
      : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    snug.yield %1 : tensor<1x4x4x4xf32>
  }
  return %0 : tensor<1x4x4x4xf32>
}
