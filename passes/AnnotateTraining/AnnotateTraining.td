// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-annotate-training.
#ifndef SNUG_PASSES_ANNOTATETRAINING
#define SNUG_PASSES_ANNOTATETRAINING

include "mlir/Pass/PassBase.td"

def AnnotateTrainingPass : Pass<"snug-annotate-training", "::mlir::func::FuncOp"> {
  let summary = "writes down the time and memory that a training step needs";
  let description = [{
    Requires: a function of the `snug` dialect as it was imported: batch norms
    and activations are operations of their own.

    Guarantees: every operation but constants and identities carries
    `snug.training` with the bytes that it keeps for the backward pass, what they
    are, and its time in all passes (microseconds). The function carries
    `snug.training` too: the batch size, bytes by category and in all, and the
    time of a step (forward, loss, backward, update). Nothing is rewritten.

    Fails when: an operation is unknown, was folded or fused, or the batch axis
    does not last from inputs to outputs; the device is unknown or has no model
    of training; the batch size is not positive.

    Example: a convolution keeps its input, of 2 images here: it has
    `snug.training = {keeps = "input", kept = 2048 : i64, ...}` afterwards.

    ```mlir
    // snug-opt --snug-annotate-training="batch=2"
    %0 = snug.conv2d %x filter %filter
      : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let options = [
    Option<"device", "device", "std::string", "\"jetson-tx2\"",
           "device profile by name, or a .json file">,
    Option<"batch", "batch", "int64_t", "32", "images of a training step">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_ANNOTATETRAINING
