// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-combine-activations.
#ifndef SNUG_PASSES_COMBINEACTIVATIONS
#define SNUG_PASSES_COMBINEACTIVATIONS

include "mlir/Pass/PassBase.td"

def CombineActivationsPass : Pass<"snug-combine-activations", "::mlir::func::FuncOp"> {
  let summary = "elementwise operations that are one activation become it";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: these are one `snug.unary`, where nobody else reads what is
    between them:

    - `x * sigmoid(x)`: `silu`; `x * tanh(softplus(x))`: `mish`;
    - `relu6(x + 3) / 6`: `hard_sigmoid(1/6, 0.5)`; `x` times that: `hard_swish`;
    - `0.5 * x * (1 + erf(x / sqrt(2)))`, in any order of its factors: `gelu`;
    - `max` and `min` with one number, `relu`, `relu6` and `clip` behind one
      another: one `clip`, which is a `relu` or `relu6` where it can be, and
      nothing where it has no bounds.

    Numbers are taken as equal within 1e-6 of their size, since files hold them
    rounded. Other operations stay.

    Fails when: never.

    Example: one `snug.unary silu` is left.

    ```mlir
    // snug-opt --snug-combine-activations
    %0 = snug.unary sigmoid %x : tensor<1x2x4x4xf32>
    %1 = snug.binary mul %x, %0 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_COMBINEACTIVATIONS
