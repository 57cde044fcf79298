// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-plan-memory.
#ifndef SNUG_PASSES_PLANMEMORY
#define SNUG_PASSES_PLANMEMORY

include "mlir/Pass/PassBase.td"

def PlanMemoryPass : Pass<"snug-plan-memory", "::mlir::ModuleOp"> {
  let summary = "gives every buffer its offset in one arena";
  let description = [{
    Requires: a module with a `snug_plan.program`, as `snug-convert-to-plan` makes
    it.

    Guarantees: every buffer has an offset, a multiple of 64; no two buffers
    that are live together overlap (checked by a validator that shares no code
    with the solver), unless a kernel runs in place. `addresses` says how good
    that is: the peak of the offsets, a proved lower bound of it, and the nodes
    that the exact solver visited. The program has its arena, a multiple of 4096 bytes, and
    `predicted`: bytes by category, and multiply-accumulates that its kernels
    execute. Every listed group has the largest live bytes of its kernels. With
    `weights=streamed` the program has `stream_weights`, and its predicted
    weights are the most that are in memory at once.

    Fails when: the module has no program, the bytes overflow, or an option
    cannot be read.

    Example: the buffer has an offset afterwards, as in `activation offset 256`.

    ```mlir
    // snug-opt --snug-plan-memory
    %1 = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
    ```
  }];
  let options = [
    Option<"weights", "weights", "std::string", "\"resident\"",
           "which weights are in memory: resident, all of them; streamed, those of the kernel or grid group that runs">,
    Option<"device", "device", "std::string", "\"generic-cpu\"",
           "device profile by name, or a .json file">
  ];
  let dependentDialects = ["::snug::plan::PlanDialect"];
}

#endif // SNUG_PASSES_PLANMEMORY
