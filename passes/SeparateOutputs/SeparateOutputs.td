// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-separate-outputs.
#ifndef SNUG_PASSES_SEPARATEOUTPUTS
#define SNUG_PASSES_SEPARATEOUTPUTS

include "mlir/Pass/PassBase.td"

def SeparateOutputsPass : Pass<"snug-separate-outputs", "::mlir::func::FuncOp"> {
  let summary = "copies outputs that are an input or another output";
  let description = [{
    Requires: a function of the `snug` dialect. It runs behind the folding
    passes, which remove what does nothing and would remove the copy, too.

    Guarantees: no two results of the function are one value, and none is an
    argument. In place of an argument, or of what is returned before, stands a
    copy: a leaky ReLU of slope one, which is exact and has a kernel.

    Fails when: never. A result that is a constant stays one.

    Example: the second result is a copy of the first afterwards.

    ```mlir
    // snug-opt --snug-separate-outputs
    func.func @twice(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
      %0 = snug.unary relu %x : tensor<1x2x4x4xf32>
      return %0, %0 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_SEPARATEOUTPUTS
