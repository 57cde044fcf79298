// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fold-pad.
#ifndef SNUG_PASSES_FOLDPAD
#define SNUG_PASSES_FOLDPAD

include "mlir/Pass/PassBase.td"

def FoldPadPass : Pass<"snug-fold-pad", "::mlir::func::FuncOp"> {
  let summary = "folds padding into the window behind it";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups.

    Guarantees: a `snug.conv2d`, `snug.avg_pool2d` or `snug.max_pool2d` reads no
    `snug.pad` that adds constants around height and width only, if those are what
    the window itself would pad with: zeros for a convolution, zeros for an
    average that counts its padding or has none of its own, minus infinity for a
    maximum; for a pooling also only where the sum of both pads is less than its
    kernel on each side. The window's pads grow instead. Pads that nobody reads go.

    Fails when: never.

    Example: the convolution has `pads [1, 1, 1, 1]` and reads `%x` afterwards.

    ```mlir
    // snug-opt --snug-fold-pad
    %0 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
    %1 = snug.conv2d %0 filter %filter : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
    ```
  }];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FOLDPAD
