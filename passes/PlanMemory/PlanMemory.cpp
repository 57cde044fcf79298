// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every buffer its offset in one arena.
#include "passes/PlanMemory/PlanMemory.h"

#include "snug/Analysis/MemoryReport.h"
#include "snug/Network/Program.h"
#include "snug/Planner/Allocation.h"
#include "snug/runtime/Catalogue.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

#define DEBUG_TYPE "snug-plan-memory"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/PlanMemory/PlanMemory.h.inc"

namespace {

/// What a program's text says of its buffers: bytes and lifetimes.
struct BufferUse {
  SmallVector<plan::BufferOp> buffers;
  network::Program program; ///< buffers with lifetimes, one step per kernel
  planner::AllocationProblem problem;
  std::vector<int64_t> kernelGroups; ///< listed group of each step, or -1
  int64_t executedMacs = 0;
};

struct PlanMemoryPass : public impl::PlanMemoryPassBase<PlanMemoryPass> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    if (failed(planMemory(getOperation())))
      signalPassFailure();
  }

  LogicalResult planMemory(plan::ProgramOp program);
};

} // namespace

static network::Buffer::Role convertRole(plan::Role role) {
  switch (role) {
  case plan::Role::Input:
    return network::Buffer::Role::Input;
  case plan::Role::Output:
    return network::Buffer::Role::Output;
  case plan::Role::Activation:
    return network::Buffer::Role::Activation;
  case plan::Role::Workspace:
    return network::Buffer::Role::Workspace;
  }
  llvm_unreachable("unknown role");
}

/// The buffer that a view covers from its first to its last element, or null.
static plan::BufferOp findCoveredBuffer(Value value) {
  auto view = value.getDefiningOp<plan::ViewOp>();
  auto buffer = view.getBuffer().getDefiningOp<plan::BufferOp>();
  if (!buffer || view.getRow() != 0 || view.getColumn() != 0)
    return nullptr;
  auto covered = cast<plan::ViewType>(value.getType());
  auto all = cast<plan::BufferType>(buffer.getType());
  return covered.getHeight() == all.getHeight() &&
                 covered.getWidth() == all.getWidth()
             ? buffer
             : nullptr;
}

/// Lists where kernels may write over an input; lifetimes are known.
static void collectReuses(plan::ProgramOp program, BufferUse &use) {
  llvm::DenseMap<Operation *, int> indexOf;
  for (auto [index, buffer] : llvm::enumerate(use.buffers))
    indexOf[buffer] = static_cast<int>(index);
  int64_t step = 0;
  for (auto kernel : program.getBlock().getOps<plan::KernelOpInterface>()) {
    for (Value value : kernel.getInPlaceInputs()) {
      plan::BufferOp input = findCoveredBuffer(value);
      plan::BufferOp output = findCoveredBuffer(kernel.getOutputView());
      if (input && output)
        use.program.addReuse(step, indexOf[input], indexOf[output]);
    }
    ++step;
  }
}

/// Reads lifetimes off the program: a buffer lives from the first kernel that
/// touches it to the last; inputs from the start, outputs to the end.
static BufferUse collectBuffers(plan::ProgramOp program) {
  BufferUse use;
  llvm::MapVector<Operation *, network::Interval> live;
  for (auto buffer : program.getBlock().getOps<plan::BufferOp>())
    live[buffer] = {-1, -1};
  int64_t step = 0;
  for (auto kernel : program.getBlock().getOps<plan::KernelOpInterface>()) {
    for (Value operand : kernel->getOperands()) {
      network::Interval &interval = live[plan::findBuffer(operand)];
      if (interval.begin < 0)
        interval.begin = step;
      interval.end = step + 1;
    }
    use.kernelGroups.push_back(kernel.getGroupIndex());
    use.executedMacs += kernel.getMacs();
    ++step;
  }
  use.program.steps.resize(step);
  for (auto &[op, interval] : live) {
    auto buffer = cast<plan::BufferOp>(op);
    if (buffer.getRole() == plan::Role::Input)
      interval.begin = 0;
    if (buffer.getRole() == plan::Role::Output)
      interval.end = step;
    // Nothing touches it: it still has an address, for a moment.
    interval.begin = std::max<int64_t>(interval.begin, 0);
    interval.end = std::max(interval.end, interval.begin + 1);

    network::Buffer described;
    described.role = convertRole(buffer.getRole());
    if (auto type = dyn_cast<plan::BufferType>(buffer.getType());
        type && type.getLayout() == plan::Layout::Planar)
      described.layout = network::Layout::Planar;
    described.bytes = buffer.getBytes();
    described.liveBegin = interval.begin;
    described.liveEnd = interval.end;
    use.program.buffers.push_back(described);
    use.buffers.push_back(buffer);
  }
  collectReuses(program, use);
  use.problem =
      planner::allocationProblem(use.program, runtime::kBufferAlignment);
  for (auto [index, buffer] : llvm::enumerate(use.buffers))
    use.problem.buffers[index].name = buffer.getName()
                                          ? buffer.getName()->str()
                                          : "buffer " + std::to_string(index);
  return use;
}

/// Adds to every listed group the largest live bytes of its kernels.
static ArrayAttr describeGroups(Builder &builder, plan::ProgramOp program,
                                const BufferUse &use) {
  std::vector<int64_t> live = use.program.liveBytes(runtime::kBufferAlignment);
  std::vector<int64_t> largest(program.getGroupsAttr().size(), 0);
  for (auto [group, bytes] : llvm::zip_equal(use.kernelGroups, live))
    if (group >= 0 && group < static_cast<int64_t>(largest.size()))
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

/// Bytes of all segments as they stand in the plan file.
static std::pair<int64_t, int64_t> weightBytes(plan::ProgramOp program) {
  int64_t bytes = 0, count = 0;
  for (auto segment : program.getBlock().getOps<plan::SegmentOp>()) {
    bytes += llvm::alignTo(segment.getBytes(), runtime::kBufferAlignment);
    ++count;
  }
  return {bytes, count};
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
  if (!program.getGroupsAttr() || !program.getPredictedAttr() ||
      !program.getPredictedAttr().getAs<IntegerAttr>("network_macs"))
    return program.emitError("program lists no groups or work; "
                             "snug-convert-to-plan should have written them");
  BufferUse use = collectBuffers(program);
  auto [weights, segments] = weightBytes(program);
  planner::SearchOptions options =
      planningOptions(opNames(program), segments,
                      static_cast<int>(program.getThreads()), *profile);
  Result<planner::Placement> placement =
      planner::place(use.program, use.problem, weights, options);
  if (!placement)
    return program.emitError(placement.error().message);

  Builder builder(&getContext());
  for (auto [buffer, offset] :
       llvm::zip_equal(use.buffers, placement->allocation.offsets))
    buffer.setOffset(offset);
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
  set("executed_macs", use.executedMacs);
  program.setPredictedAttr(predicted.getDictionary(builder.getContext()));
  program.setArena(memory.arena);
  program.setGroupsAttr(describeGroups(builder, program, use));
  return success();
}

} // namespace snug
