// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks the addresses of all buffers.
#include "passes/VerifyPlan/VerifyPlan.h"

#include "snug/Analysis/PlanAnalysis.h"
#include "snug/Planner/Allocation.h"
#include "snug/runtime/Catalogue.h"

#define DEBUG_TYPE "snug-verify-plan"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_VERIFYPLANPASS
#include "passes/VerifyPlan/VerifyPlan.h.inc"

LogicalResult verifyPlan(plan::ProgramOp program) {
  PlanBuffers buffers = collectBuffers(program);
  planner::AllocationProblem problem =
      planner::allocationProblem(buffers.program, runtime::kBufferAlignment);
  planner::AllocationSolution solution;
  for (auto [index, buffer] : llvm::enumerate(buffers.buffers)) {
    if (!program.getArena() || !buffer.getOffset())
      return buffer.emitError(
          "memory is not planned; run snug-plan-memory before the plan is "
          "written");
    problem.buffers[index].name = buffers.names[index];
    solution.offsets.push_back(*buffer.getOffset());
  }
  // Nothing is asked of the peak but that the arena holds it.
  solution.peak = program.getArena().value_or(0);
  if (std::string why = planner::verify(problem, solution); !why.empty())
    return program.emitError(why);
  return success();
}

namespace {

struct VerifyPlanPass : public impl::VerifyPlanPassBase<VerifyPlanPass> {
  void runOnOperation() override {
    auto programs = getOperation().getOps<plan::ProgramOp>();
    if (programs.empty()) {
      getOperation().emitError(
          "the module has no program whose addresses could "
          "be checked; run snug-convert-to-plan before");
      return signalPassFailure();
    }
    for (plan::ProgramOp program : programs)
      if (failed(verifyPlan(program)))
        return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace snug
