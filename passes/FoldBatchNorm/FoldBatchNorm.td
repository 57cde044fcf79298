// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-batch-norm.
#ifndef SNUG_PASSES_FOLDBATCHNORM
#define SNUG_PASSES_FOLDBATCHNORM

include "mlir/Pass/PassBase.td"

def FoldBatchNormPass : Pass<"snug-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "folds batch normalisation into the layer before it";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: no `snug.batch_norm` is left behind a `snug.conv2d`,
    `snug.conv_transpose2d` or `snug.gemm` that has no other user, no activation,
    no residual, and constant weights and bias. With `factor = scale /
    sqrt(variance + epsilon)` of an output channel, its weights become `factor *
    weight` and its bias `factor * (bias - mean) + shift`, computed in double
    precision and rounded once. The new constants are resources where the weights
    were one. Other batch norms stay.

    Fails when: a parameter of a batch norm is not constant, `variance + epsilon`
    is not positive, or a constant that is needed has no values (it was left out
    when the module was printed); each such node is named.

    Example: the convolution has the filter 1.5 and the bias 4 afterwards.

    ```mlir
    // snug-opt --snug-fold-batch-norm
    %filter = snug.constant dense<1.0> : tensor<1x1x1x1xf32>
    %bias = snug.constant dense<2.0> : tensor<1xf32>
    %scale = snug.constant dense<3.0> : tensor<1xf32>
    %shift = snug.constant dense<-0.5> : tensor<1xf32>
    %mean = snug.constant dense<-1.0> : tensor<1xf32>
    %variance = snug.constant dense<4.0> : tensor<1xf32>
    %0 = snug.conv2d %x filter %filter bias %bias
        : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
    %1 = snug.batch_norm %0 scale %scale shift %shift mean %mean variance %variance epsilon 0.0
        : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
    ```
  }];
  let options = [
    Option<"freeWeights", "free-weights", "bool", "false",
           "free the weights that are replaced, which a copy of the module may "
           "still name">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDBATCHNORM
