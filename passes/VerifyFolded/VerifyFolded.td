// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-verify-folded.
#ifndef SNUG_PASSES_VERIFYFOLDED
#define SNUG_PASSES_VERIFYFOLDED

include "mlir/Pass/PassBase.td"

def VerifyFoldedPass : Pass<"snug-verify-folded", "::mlir::func::FuncOp"> {
  let summary = "checks that every operation has a kernel";
  let description = [{
    Requires: a function of the `snug` dialect.

    Guarantees: if it succeeds, `snug-convert-to-plan` finds a kernel for every
    operation: no identity, dropout or foreign operator is left; weights,
    biases and statistics are constants whose values are present; broadcasts,
    reductions, batches of matrices and pads come down to four extents. Changes
    nothing.

    Fails when: one of these does not hold; the error names the node, and the
    pass that should have provided it or what to change in the model.

    Example:

    ```mlir
    // snug-opt --snug-verify-folded
    %0 = snug.identity %x : tensor<1x4x8x8xf32> // error: run snug-fold-identity
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_VERIFYFOLDED
