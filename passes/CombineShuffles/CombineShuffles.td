// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-combine-shuffles.
#ifndef SNUG_PASSES_COMBINESHUFFLES
#define SNUG_PASSES_COMBINESHUFFLES

include "mlir/Pass/PassBase.td"

def CombineShufflesPass : Pass<"snug-combine-shuffles", "::mlir::func::FuncOp"> {
  let summary = "reshapes around a transposition become the shuffle that they are";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: a reshape of an image, a transposition that nobody else reads, and
    a reshape to an image that together are a `snug.channel_shuffle`,
    `snug.depth_to_space` or `snug.space_to_depth` are that operation. What moves
    otherwise stays.

    Fails when: never.

    Example: one `snug.channel_shuffle` of two groups is left.

    ```mlir
    // snug-opt --snug-combine-shuffles
    %0 = snug.reshape %x : tensor<1x6x4x4xf32> -> tensor<1x2x3x4x4xf32>
    %1 = snug.transpose %0 permutation [0, 2, 1, 3, 4] : (tensor<1x2x3x4x4xf32>) -> tensor<1x3x2x4x4xf32>
    %2 = snug.reshape %1 : tensor<1x3x2x4x4xf32> -> tensor<1x6x4x4xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_COMBINESHUFFLES
