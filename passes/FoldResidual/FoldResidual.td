// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-residual.
#ifndef SNUG_PASSES_FOLDRESIDUAL
#define SNUG_PASSES_FOLDRESIDUAL

include "mlir/Pass/PassBase.td"

def FoldResidualPass : Pass<"snug-fold-residual", "::mlir::func::FuncOp"> {
  let summary = "folds additions into the convolution before them";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.
    Batch norms between convolution and addition are folded before
    (`snug-fold-batch-norm`).

    Guarantees: no `snug.binary add` is left of which one operand is the result
    of a `snug.conv2d` with no other user, no activation and no residual, and
    the other one has the same type and is computed before that convolution: it
    becomes the convolution's residual. Nothing changes its place; other
    additions, and those with an activation, stay.

    Fails when: never.

    Example: the convolution has `residual %x` afterwards.

    ```mlir
    // snug-opt --snug-fold-residual
    %0 = snug.conv2d %x filter %filter : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
    %1 = snug.binary add %0, %x : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDRESIDUAL
