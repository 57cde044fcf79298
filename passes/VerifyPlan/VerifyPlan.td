// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-verify-plan.
#ifndef SNUG_PASSES_VERIFYPLAN
#define SNUG_PASSES_VERIFYPLAN

include "mlir/Pass/PassBase.td"

def VerifyPlanPass : Pass<"snug-verify-plan", "::snug::plan::ProgramOp"> {
  let summary = "checks the addresses of all buffers";
  let description = [{
    Requires: a `snug_plan.program` whose memory is planned.

    Guarantees: if it succeeds, the program may be written as a plan file: every
    buffer has an offset, aligned to 64 bytes and inside the arena, and no two
    buffers that are live together overlap, unless a kernel runs in place.
    Lifetimes are read off the program again, so edits by hand are seen. Changes
    nothing.

    Fails when: one of these does not hold; the error names the buffers.

    Example:

    ```mlir
    // snug-opt --snug-verify-plan
    %1 = snug_plan.buffer activation offset 65536 : !snug_plan.buffer<1x8x8x16, channels_last> // error: ends beyond the arena
    ```
  }];
  let dependentDialects = ["::snug::plan::PlanDialect"];
}

#endif // SNUG_PASSES_VERIFYPLAN
