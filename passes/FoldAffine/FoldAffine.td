// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-affine.
#ifndef SNUG_PASSES_FOLDAFFINE
#define SNUG_PASSES_FOLDAFFINE

include "mlir/Pass/PassBase.td"

def FoldAffinePass : Pass<"snug-fold-affine", "::mlir::func::FuncOp"> {
  let summary = "folds sums and products with constants into the layer before them";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: no `snug.binary` without activation is left that adds to,
    subtracts from, multiplies or divides by a constant the result of a
    `snug.conv2d`, `snug.conv_transpose2d` or `snug.gemm` which has no other user,
    no activation, no residual, and constant weights and bias, where the constant
    has one number in all or one an output channel (nor one that subtracts such a
    result from a constant). The layer's weights and bias compute it, in double
    precision, rounded once. Other operations stay, a division by zero among them.

    Fails when: the layer's weights or bias have no values (they were left out
    when the module was printed); each such node is named.

    Example: the convolution has the filter 3 and the bias 0.5 afterwards.

    ```mlir
    // snug-opt --snug-fold-affine
    %filter = snug.constant dense<1.5> : tensor<1x1x1x1xf32>
    %factor = snug.constant dense<2.0> : tensor<f32>
    %summand = snug.constant dense<0.5> : tensor<1x1x1xf32>
    %0 = snug.conv2d %x filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
    %1 = snug.binary mul %0, %factor : (tensor<1x1x2x2xf32>, tensor<f32>) -> tensor<1x1x2x2xf32>
    %2 = snug.binary add %summand, %1 : (tensor<1x1x1xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
    ```
  }];
  let options = [
    Option<"freeWeights", "free-weights", "bool", "false",
           "free the weights that are replaced, which a copy of the module may "
           "still name">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDAFFINE
