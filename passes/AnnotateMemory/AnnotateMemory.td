// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-annotate-memory.
#ifndef SNUG_PASSES_ANNOTATEMEMORY
#define SNUG_PASSES_ANNOTATEMEMORY

include "mlir/Pass/PassBase.td"

def AnnotateMemoryPass : Pass<"snug-annotate-memory", "::mlir::func::FuncOp"> {
  let summary = "writes down the bytes that each operation needs and the peak";
  let description = [{
    Requires: a function of the `snug` dialect, with or without fused groups,
    folded or not.

    Guarantees: every operation with a cost carries `snug.memory` with the bytes
    of its inputs, output, packed weights and workspace, and of all buffers that
    are live while it runs (of its largest tile where it runs in tiles). The
    function carries `snug.peak`: the largest live set, the operation that
    reaches it, and the predicted arena and process memory. Nothing is
    rewritten.

    Fails when: an operation has no place in a network, or the target or device
    is unknown.

    Example: the pooling has `snug.memory = {input = 1024 : i64, live = 2048 : i64,
    output = 256 : i64, weights = 0 : i64, workspace = 0 : i64}` afterwards.

    ```mlir
    // snug-opt --snug-annotate-memory
    %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2]
      : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"",
           "instruction set: host, portable, avx2, avx512">,
    Option<"threads", "threads", "int64_t", "1", "threads of the plan">,
    Option<"device", "device", "std::string", "\"generic-cpu\"",
           "device profile by name, or a .json file">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_ANNOTATEMEMORY
