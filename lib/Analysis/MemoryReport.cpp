// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a network per op.
#include "snug/Analysis/MemoryReport.h"

#include <algorithm>

namespace snug {

using network::Buffer;
using network::Network;
using network::Program;
using network::Step;

Result<planner::Weights> parseWeights(const std::string &text) {
  if (text == "resident")
    return planner::Weights::Resident;
  if (text == "streamed")
    return planner::Weights::Streamed;
  return Error{"unknown weights '" + text + "'; known are resident, streamed"};
}

planner::SearchOptions planningOptions(const std::vector<std::string> &opNames,
                                       int64_t segments, int threads,
                                       const predict::DeviceProfile &device) {
  planner::SearchOptions options;
  options.alignment = runtime::kBufferAlignment;
  options.arenaUnit = runtime::kPageBytes;
  // A name stands in the list of groups, once for all instructions of the op,
  // and in its two segments; each has a length, a terminator and padding.
  constexpr int64_t copies = 4, perString = 24;
  // The weights section of the file ends at a whole page.
  int64_t process = device.runtimeOverheadBytes(threads) + runtime::kPageBytes;
  for (const std::string &name : opNames)
    process += copies * (static_cast<int64_t>(name.size()) + perString);
  options.runtimeOverhead = [=](int64_t steps) {
    return process + runtime::programBytesBound(steps, segments);
  };
  return options;
}

planner::SearchOptions planningOptions(const Network &network,
                                       const TargetOptions &target,
                                       const predict::DeviceProfile &device) {
  std::vector<std::string> names;
  for (const network::Op &op : network.ops)
    names.push_back(op.name);
  return planningOptions(names, network.weightSegments(), target.threads,
                         device);
}

/// Bytes of the part of a buffer that a step's view covers.
static int64_t viewBytes(const Network &network, const network::View &view) {
  return network.tensors[view.tensor].batch * view.channels.size() *
         view.rows.size() * view.columns.size() * network::kElementBytes;
}

/// The op that a step executes, or that the move before it serves.
static int servedOp(const Program &program, int64_t step) {
  for (int64_t i = step; i < static_cast<int64_t>(program.steps.size()); ++i)
    if (program.steps[i].op >= 0)
      return program.steps[i].op;
  for (int64_t i = step; i >= 0; --i)
    if (program.steps[i].op >= 0)
      return program.steps[i].op;
  return -1;
}

/// What is known of an op apart from any step: its bytes where it runs whole.
static OpMemory describeOp(const NetworkFromIR &from, const network::Op &op) {
  OpMemory memory;
  memory.name = op.name;
  memory.kind = op.kind;
  const auto shape =
      mlir::cast<mlir::ShapedType>(from.tensors[op.result].getType())
          .getShape();
  memory.shape.assign(shape.begin(), shape.end());
  memory.weightBytes = op.packedWeightBytes;
  memory.costKnown = op.costKnown;
  return memory;
}

/// Ops that share the storage of what they would copy may have no step at all:
/// they take their tensors whole, and what is live is what is live when the
/// next one runs.
static void describeCopy(const Network &network, const Program &program,
                         int index, const std::vector<int64_t> &live,
                         OpMemory &memory) {
  const network::Op &op = network.ops[index];
  memory.inputBytes = 0;
  for (const network::Operand &operand : op.operands)
    memory.inputBytes += network.tensors[operand.tensor].bytes();
  memory.outputBytes = network.tensors[op.result].bytes();
  auto runs = [&](const Step &step) { return step.op >= index; };
  auto next = llvm::find_if(program.steps, runs);
  if (memory.liveBytes == 0 && !live.empty())
    memory.liveBytes = next == program.steps.end()
                           ? live.back()
                           : live[next - program.steps.begin()];
}

MemoryReport reportMemory(const NetworkFromIR &from,
                          const planner::Plan &plan) {
  const Network &network = from.network;
  const Program &program = plan.program;
  MemoryReport report;
  report.figures = plan.memory;
  report.networkMacs = network.macs();
  report.executedMacs = program.macs();
  for (const network::Op &op : network.ops)
    report.ops.push_back(describeOp(from, op));
  std::vector<int64_t> live = program.liveBytes(runtime::kBufferAlignment);
  for (auto [index, step] : llvm::enumerate(program.steps)) {
    // A move counts as part of the op that it serves.
    if (int served = servedOp(program, static_cast<int64_t>(index));
        served >= 0)
      report.ops[served].liveBytes =
          std::max(report.ops[served].liveBytes, live[index]);
    if (step.op < 0)
      continue;
    OpMemory &op = report.ops[step.op];
    int64_t inputs = 0;
    for (const network::View &view : step.inputs)
      inputs += viewBytes(network, view);
    op.inputBytes = std::max(op.inputBytes, inputs);
    op.outputBytes = std::max(op.outputBytes, viewBytes(network, step.output));
    if (step.workspace >= 0)
      op.workspaceBytes =
          std::max(op.workspaceBytes, program.buffers[step.workspace].bytes);
    op.macs += step.macs;
  }
  for (auto [index, op] : llvm::enumerate(network.ops))
    if (op.copies)
      describeCopy(network, program, static_cast<int>(index), live,
                   report.ops[index]);
  int64_t peakStep = program.peakStep(runtime::kBufferAlignment);
  report.peakLiveBytes = program.peakLiveBytes(runtime::kBufferAlignment);
  if (int op = servedOp(program, peakStep); op >= 0)
    report.peakOp = network.ops[op].name;
  for (int index : program.liveBuffers(peakStep)) {
    const Buffer &buffer = program.buffers[index];
    report.peakBuffers.push_back({buffer.tensor < 0
                                      ? "workspace of " + report.peakOp
                                      : network.tensors[buffer.tensor].name,
                                  buffer.bytes});
  }
  std::stable_sort(
      report.peakBuffers.begin(), report.peakBuffers.end(),
      [](const auto &a, const auto &b) { return a.bytes > b.bytes; });
  return report;
}

} // namespace snug
