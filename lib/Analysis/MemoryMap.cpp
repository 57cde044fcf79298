// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the bytes of a plan lie, step by step.
#include "snug/Analysis/MemoryMap.h"

#include "snug/Analysis/PlanAnalysis.h"
#include "snug/Dialect/Plan/WeightLayout.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Planner/Allocation.h"
#include "snug/runtime/Catalogue.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace snug {

static std::string kindOf(network::Buffer::Role role) {
  switch (role) {
  case network::Buffer::Role::Input:
    return "input";
  case network::Buffer::Role::Output:
    return "output";
  case network::Buffer::Role::Activation:
    return "activation";
  case network::Buffer::Role::Workspace:
    return "workspace";
  }
  llvm_unreachable("unknown role");
}

static std::string withTile(std::string name, int64_t tile) {
  return tile < 0 ? name : name + ", tile " + std::to_string(tile);
}

/// What a map shows of a program's buffers; names and offsets are by buffer.
static void mapArena(const network::Program &program,
                     ArrayRef<std::string> names, ArrayRef<int64_t> offsets,
                     MemoryMap &map) {
  map.liveBytes = program.liveBytes(runtime::kBufferAlignment);
  map.peakStep = program.peakStep(runtime::kBufferAlignment);
  for (auto [buffer, name, offset] :
       llvm::zip_equal(program.buffers, names, offsets))
    map.arena.push_back({name, kindOf(buffer.role), offset, buffer.bytes,
                         buffer.liveBegin, buffer.liveEnd});
}

static void extend(MemoryBlock &block, int64_t step) {
  if (block.end == 0)
    block.begin = step;
  block.end = step + 1;
}

static planner::MemoryFigures predictedMemory(plan::ProgramOp program) {
  DictionaryAttr predicted = program.getPredictedAttr();
  auto integer = [&](StringRef name) {
    return predicted.getAs<IntegerAttr>(name).getInt();
  };
  planner::MemoryFigures memory;
  memory.weights = integer("weights");
  memory.activations = integer("activations");
  memory.workspace = integer("workspace");
  memory.runtimeOverhead = integer("runtime_overhead");
  memory.arena = integer("arena");
  memory.peak = integer("peak");
  return memory;
}

MemoryMap mapMemory(plan::ProgramOp program) {
  MemoryMap map;
  map.model = program.getSymName().str();
  if (auto model = program->getParentOp()->getAttrOfType<StringAttr>(
          cnn::kModelAttrName))
    map.model = model.str();
  map.memory = predictedMemory(program);
  if (DictionaryAttr addresses = program.getAddressesAttr()) {
    map.peak = addresses.getAs<IntegerAttr>("peak").getInt();
    map.lowerBound = addresses.getAs<IntegerAttr>("lower_bound").getInt();
    map.nodes = addresses.getAs<IntegerAttr>("nodes").getInt();
  }
  PlanBuffers buffers = collectBuffers(program);
  SmallVector<int64_t> offsets;
  for (plan::BufferOp buffer : buffers.buffers)
    offsets.push_back(buffer.getOffset().value_or(0));
  mapArena(buffers.program, buffers.names, offsets, map);

  const plan::WeightLayout layout = plan::layOutWeights(program);
  llvm::StringMap<size_t> segments;
  for (auto [segment, offset] :
       llvm::zip_equal(layout.segments, layout.offsets)) {
    plan::SegmentOp op = segment;
    segments[op.getSymName()] = map.weights.size();
    map.weights.push_back(
        {op.getSymName().str(), "weights", offset, op.getFileBytes(), 0, 0});
  }
  map.streamsWeights = program.getStreamWeights();
  const SmallVector<int64_t> resident =
      layout.residentBytes(static_cast<int64_t>(buffers.kernels.size()));
  map.residentWeights.assign(resident.begin(), resident.end());
  for (auto [step, kernel] : llvm::enumerate(buffers.kernels)) {
    StringRef kind = kernel->getName().stripDialect();
    map.steps.push_back(
        withTile((kind + " '" + cnn::getNodeName(kernel) + "'").str(),
                 kernel.getTileIndex()));
    for (FlatSymbolRefAttr symbol : plan::findSegments(kernel))
      if (auto found = segments.find(symbol.getValue());
          found != segments.end())
        extend(map.weights[found->second], static_cast<int64_t>(step));
  }
  return map;
}

/// Weights in memory by step. A move that no tile makes needs none of them.
static std::vector<int64_t>
residentWeights(const network::Network &network, const planner::Plan &plan,
                const planner::SearchOptions &options) {
  const std::vector<int64_t> byOp =
      planner::weightBytes(network, plan.partition, options);
  std::vector<int64_t> bytes;
  for (const network::Step &step : plan.program.steps) {
    if (step.op >= 0)
      bytes.push_back(byOp[step.op]);
    else if (step.tile >= 0)
      bytes.push_back(byOp[plan.partition.groups[step.group].opBegin]);
    else
      bytes.push_back(options.weights == planner::Weights::Resident
                          ? plan.memory.weights
                          : 0);
  }
  return bytes;
}

MemoryMap mapMemory(const network::Network &network, const planner::Plan &plan,
                    const planner::SearchOptions &options) {
  MemoryMap map;
  map.model = network.name;
  map.memory = plan.memory;
  map.peak = plan.allocation.peak;
  map.lowerBound = plan.allocation.lowerBound;
  map.nodes = plan.allocation.nodes;
  const planner::AllocationProblem problem = planner::allocationProblem(
      network, plan.program, runtime::kBufferAlignment);
  SmallVector<std::string> names;
  for (const planner::AllocationBuffer &buffer : problem.buffers)
    names.push_back(buffer.name);
  mapArena(plan.program, names, plan.allocation.offsets, map);

  map.streamsWeights = options.weights == planner::Weights::Streamed;
  map.residentWeights = residentWeights(network, plan, options);
  std::vector<MemoryBlock> weights;
  int64_t offset = 0;
  for (const network::Op &op : network.ops) {
    const int64_t bytes = op.packedWeightBytes - op.sharedWeightBytes;
    weights.push_back({op.name, "weights", offset, bytes, 0, 0});
    offset += bytes;
  }
  for (auto [index, step] : llvm::enumerate(plan.program.steps)) {
    const int tensor = plan.program.buffers[step.output.buffer].tensor;
    map.steps.push_back(
        withTile(step.op < 0 ? "move '" + network.tensors[tensor].name + "'"
                             : network.ops[step.op].kind + " '" +
                                   network.ops[step.op].name + "'",
                 step.tile));
    if (step.op >= 0)
      extend(weights[step.op], static_cast<int64_t>(index));
  }
  for (MemoryBlock &block : weights)
    if (block.bytes > 0)
      map.weights.push_back(std::move(block));
  return map;
}

} // namespace snug
