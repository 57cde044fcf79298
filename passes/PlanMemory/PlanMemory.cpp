// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every buffer its offset in one arena.
#include "passes/PlanMemory/PlanMemory.h"

#include "snug/Analysis/MemoryReport.h"
#include "snug/Analysis/PlanAnalysis.h"
#include "snug/Dialect/Plan/WeightLayout.h"
#include "snug/Planner/Allocation.h"
#include "snug/runtime/Catalogue.h"

#include "mlir/IR/Builders.h"

#define DEBUG_TYPE "snug-plan-memory"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/PlanMemory/PlanMemory.h.inc"

namespace {

struct PlanMemoryPass : public impl::PlanMemoryPassBase<PlanMemoryPass> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    auto programs = getOperation().getOps<plan::ProgramOp>();
    if (programs.empty()) {
      getOperation().emitError("the module has no program whose memory could "
                               "be planned; run snug-convert-to-plan before");
      return signalPassFailure();
    }
    for (plan::ProgramOp program : programs)
      if (failed(planMemory(program)))
        return signalPassFailure();
  }

  LogicalResult planMemory(plan::ProgramOp program);
};

} // namespace

/// Adds to every listed group the largest live bytes of its kernels.
static ArrayAttr describeGroups(Builder &builder, plan::ProgramOp program,
                                PlanBuffers &buffers) {
  std::vector<int64_t> live =
      buffers.program.liveBytes(runtime::kBufferAlignment);
  std::vector<int64_t> largest(program.getGroupsAttr().size(), 0);
  for (auto [kernel, bytes] : llvm::zip_equal(buffers.kernels, live))
    if (int64_t group = kernel.getGroupIndex();
        group >= 0 && group < static_cast<int64_t>(largest.size()))
      largest[group] = std::max(largest[group], bytes);
  SmallVector<Attribute> groups;
  for (auto [attribute, bytes] :
       llvm::zip_equal(program.getGroupsAttr(), largest)) {
    NamedAttrList entries(cast<DictionaryAttr>(attribute));
    entries.set("arena", builder.getI64IntegerAttr(bytes));
    groups.push_back(entries.getDictionary(builder.getContext()));
  }
  return builder.getArrayAttr(groups);
}

static std::vector<std::string> opNames(plan::ProgramOp program) {
  std::vector<std::string> names;
  for (Attribute group : program.getGroupsAttr())
    for (Attribute name : cast<DictionaryAttr>(group).getAs<ArrayAttr>("ops"))
      names.push_back(cast<StringAttr>(name).str());
  return names;
}

LogicalResult PlanMemoryPass::planMemory(plan::ProgramOp program) {
  Result<predict::DeviceProfile> profile = predict::loadDeviceProfile(device);
  if (!profile)
    return program.emitError(profile.error().message);
  Result<planner::Weights> mode = parseWeights(weights);
  if (!mode)
    return program.emitError(mode.error().message);
  if (!program.getGroupsAttr() || !program.getPredictedAttr() ||
      !program.getPredictedAttr().getAs<IntegerAttr>("network_macs"))
    return program.emitError("program lists no groups or work; "
                             "snug-convert-to-plan should have written them");
  PlanBuffers buffers = collectBuffers(program);
  planner::AllocationProblem problem =
      planner::allocationProblem(buffers.program, runtime::kBufferAlignment);
  for (auto [buffer, name] : llvm::zip_equal(problem.buffers, buffers.names))
    buffer.name = name;
  program.setStreamWeights(*mode == planner::Weights::Streamed);
  const plan::WeightLayout layout = plan::layOutWeights(program);
  planner::SearchOptions options = planningOptions(
      opNames(program), static_cast<int64_t>(layout.segments.size()),
      static_cast<int>(program.getThreads()), *profile);
  Result<planner::Placement> placement =
      planner::place(buffers.program, problem, layout.peakBytes, options);
  if (!placement)
    return program.emitError(placement.error().message);

  Builder builder(&getContext());
  for (auto [buffer, offset] :
       llvm::zip_equal(buffers.buffers, placement->allocation.offsets))
    plan::BufferOp(buffer).setOffset(offset);
  const planner::MemoryFigures &memory = placement->memory;
  NamedAttrList predicted(program.getPredictedAttr());
  auto set = [&](StringRef name, int64_t value) {
    predicted.set(name, builder.getI64IntegerAttr(value));
  };
  set("weights", memory.weights);
  set("activations", memory.activations);
  set("workspace", memory.workspace);
  set("runtime_overhead", memory.runtimeOverhead);
  set("arena", memory.arena);
  set("peak", memory.peak);
  int64_t executedMacs = 0;
  for (plan::KernelOpInterface kernel : buffers.kernels)
    executedMacs += kernel.getMacs();
  set("executed_macs", executedMacs);
  program.setPredictedAttr(predicted.getDictionary(builder.getContext()));
  const planner::AllocationSolution &allocation = placement->allocation;
  program.setAddressesAttr(builder.getDictionaryAttr(
      {builder.getNamedAttr("peak", builder.getI64IntegerAttr(allocation.peak)),
       builder.getNamedAttr("lower_bound",
                            builder.getI64IntegerAttr(allocation.lowerBound)),
       builder.getNamedAttr("nodes",
                            builder.getI64IntegerAttr(allocation.nodes))}));
  program.setArena(memory.arena);
  program.setGroupsAttr(describeGroups(builder, program, buffers));
  return success();
}

} // namespace snug
