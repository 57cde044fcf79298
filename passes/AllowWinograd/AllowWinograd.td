// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-allow-winograd.
#ifndef SNUG_PASSES_ALLOWWINOGRAD
#define SNUG_PASSES_ALLOWWINOGRAD

include "mlir/Pass/PassBase.td"

def AllowWinogradPass : Pass<"snug-allow-winograd", "::mlir::func::FuncOp"> {
  let summary = "permits Winograd's algorithm for convolutions";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.
    Where a budget is to be kept, it runs before `snug-fuse-and-tile`, which
    makes room for the scratch.

    Guarantees: every `snug.conv2d` has `allow_winograd`. Passes that choose
    kernels may then take Winograd's, which needs scratch in the arena and whose
    outputs differ by rounding, where it is expected to be faster; a convolution
    that it cannot compute, or for whose scratch there is no room, runs as
    before.

    Fails when: never.

    Example: the convolution has `allow_winograd` afterwards.

    ```mlir
    // snug-opt --snug-allow-winograd
    %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] activation relu
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_ALLOWWINOGRAD
