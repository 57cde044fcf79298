// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-convert-to-plan.
#ifndef SNUG_PASSES_CONVERTTOPLAN
#define SNUG_PASSES_CONVERTTOPLAN

include "mlir/Pass/PassBase.td"

def ConvertToPlanPass : Pass<"snug-convert-to-plan", "::mlir::ModuleOp"> {
  let summary = "turns a network into a straight-line program of kernels";
  let description = [{
    Requires: a module with one function of the `snug` dialect that
    `snug-verify-folded` accepts; groups are decided.

    Guarantees: a `snug_plan.program` stands in the function's place: the steps
    of `network::expand()` in order, one kernel each, tiles of a group unrolled.
    Buffers have no offsets yet.

    Fails when: an operation has no place in a network or no kernel, or the
    target is unknown.

    Example:

    ```mlir
    // snug-opt --snug-convert-to-plan="target=portable threads=2"
    snug_plan.program @example target "portable" threads 2 ...
      %0 = snug_plan.buffer input "x" shape [1, 4, 8, 8] : !snug_plan.buffer<1x8x8x4, planar>
      ...
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"host\"",
           "instruction set: host, portable, avx2, avx512">,
    Option<"threads", "threads", "int64_t", "1", "threads of the plan">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect", "::snug::plan::PlanDialect"];
}

#endif // SNUG_PASSES_CONVERTTOPLAN
