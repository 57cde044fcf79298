// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-activation.
#ifndef SNUG_PASSES_FOLDACTIVATION
#define SNUG_PASSES_FOLDACTIVATION

include "mlir/Pass/PassBase.td"

def FoldActivationPass : Pass<"snug-fold-activation", "::mlir::func::FuncOp"> {
  let summary = "folds activations into the layer before them";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.
    What may stand between a layer and its activation is folded before:
    `snug-fold-batch-norm`, `snug-fold-residual`.

    Guarantees: no `snug.unary` is left behind a `snug.conv2d`,
    `snug.conv_transpose2d`, `snug.gemm` or `snug.binary` that has no other user
    and no activation; that op computes it. Other activations stay.

    Fails when: never.

    Example: the convolution has `activation leaky_relu(0.1)` afterwards.

    ```mlir
    // snug-opt --snug-fold-activation
    %0 = snug.conv2d %x filter %filter : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
    %1 = snug.unary leaky_relu(0.1) %0 : tensor<1x2x4x4xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDACTIVATION
