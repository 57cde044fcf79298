// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-reshape.
#ifndef SNUG_PASSES_FOLDRESHAPE
#define SNUG_PASSES_FOLDRESHAPE

include "mlir/Pass/PassBase.td"

def FoldReshapePass : Pass<"snug-fold-reshape", "::mlir::func::FuncOp"> {
  let summary = "removes movements of elements that undo each other or move nothing";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: no `snug.reshape` reads another one, no `snug.transpose` another
    one; none of them returns its input; a transpose that only moves axes of one
    element is a reshape. No slice takes all, no pad adds nothing, no concat joins
    one tensor. Operations whose results nobody reads are gone.

    Fails when: never.

    Example: only the pooling is left, and reads `%x`.

    ```mlir
    // snug-opt --snug-fold-reshape
    %0 = snug.transpose %x permutation [0, 2, 3, 1] : (tensor<1x2x4x4xf32>) -> tensor<1x4x4x2xf32>
    %1 = snug.transpose %0 permutation [0, 3, 1, 2] : (tensor<1x4x4x2xf32>) -> tensor<1x2x4x4xf32>
    %2 = snug.max_pool2d %1 kernel [2, 2] strides [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDRESHAPE
