// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-verify-plan.
#ifndef SNUG_PASSES_VERIFYPLAN
#define SNUG_PASSES_VERIFYPLAN

include "mlir/Pass/PassBase.td"

def VerifyPlanPass : Pass<"snug-verify-plan", "::mlir::ModuleOp"> {
  let summary = "checks the addresses of all buffers";
  let description = [{
    Requires: a module with a `snug_plan.program` whose memory is planned.

    Guarantees: if it succeeds, the program may be written as a plan file: every
    buffer has an offset, aligned to 64 bytes and inside the arena, and no two
    buffers that are live together overlap, unless a kernel runs in place.
    Lifetimes are read off the program again, so edits by hand are seen. Changes
    nothing.

    Fails when: one of these does not hold, where the error names the buffers, or
    the module has no program.

    Example:

    ```mlir
    // snug-opt --snug-verify-plan
    snug_plan.program @outside target "portable" threads 1 arena 4096 { // error: ends beyond the peak of 4096
      %x = snug_plan.buffer input "x" shape [1, 4] offset 4096 : !snug_plan.buffer<1x1x1x4, channels_last>
    }
    ```
  }];
  let dependentDialects = ["::snug::plan::PlanDialect"];
}

#endif // SNUG_PASSES_VERIFYPLAN
