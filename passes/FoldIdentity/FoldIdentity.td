// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-identity.
#ifndef SNUG_PASSES_FOLDIDENTITY
#define SNUG_PASSES_FOLDIDENTITY

include "mlir/Pass/PassBase.td"

def FoldIdentityPass : Pass<"snug-fold-identity", "::mlir::func::FuncOp"> {
  let summary = "removes operations that return their input";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: no `snug.identity` and no `snug.dropout` is left; their users
    read what they read. Nothing else changes.

    Fails when: never.

    Example: the pooling reads `%x` afterwards.

    ```mlir
    // snug-opt --snug-fold-identity
    %0 = snug.identity %x : tensor<1x2x4x4xf32>
    %1 = snug.dropout %0 : tensor<1x2x4x4xf32>
    %2 = snug.max_pool2d %1 kernel [2, 2] strides [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDIDENTITY
