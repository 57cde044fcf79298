// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures of a program, and the way to it.
#include "snug/Network/Program.h"

#include "Expander.h"

#include <algorithm>

namespace snug::network {

StepShape shapeOf(const Network &network, const Step &step) {
  StepShape shape;
  shape.batch = network.tensors[network.ops[step.op].operands[0].tensor].batch;
  shape.inputHeight = step.inputs[0].rows.size();
  shape.inputWidth = step.inputs[0].columns.size();
  shape.outputHeight = step.output.rows.size();
  shape.outputWidth = step.output.columns.size();
  shape.padTop = step.padTop;
  shape.padLeft = step.padLeft;
  shape.padBottom = step.padBottom;
  shape.padRight = step.padRight;
  return shape;
}

void Program::addReuse(int64_t step, int input, int output) {
  const Buffer &from = buffers[input], &to = buffers[output];
  for (size_t i = reuses.size(); i > 0 && reuses[i - 1].step == step; --i)
    if (reuses[i - 1].input == input)
      return;
  if (from.role != Buffer::Role::Output && from.liveEnd == step + 1 &&
      to.liveBegin == step && from.bytes == to.bytes)
    reuses.push_back({step, input, output});
}

int64_t Program::macs() const {
  int64_t sum = 0;
  for (const Step &step : steps)
    sum += step.macs;
  return sum;
}

int64_t Program::kernels() const {
  int64_t sum = 0;
  for (const Step &step : steps)
    sum += step.kernels;
  return sum;
}

std::vector<int> Program::liveBuffers(int64_t step) const {
  std::vector<int> live;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].liveBegin <= step && step < buffers[i].liveEnd)
      live.push_back(static_cast<int>(i));
  return live;
}

std::vector<int64_t> Program::liveBytes(int64_t alignment) const {
  auto roundedBytes = [&](const Buffer &buffer) {
    return (buffer.bytes + alignment - 1) / alignment * alignment;
  };
  std::vector<int64_t> live(steps.size() + 1);
  for (const Buffer &buffer : buffers) {
    live[buffer.liveBegin] += roundedBytes(buffer);
    live[buffer.liveEnd] -= roundedBytes(buffer);
  }
  for (size_t i = 1; i < live.size(); ++i)
    live[i] += live[i - 1];
  live.pop_back();
  // A result lies on one input at most, and all that it may lie on are as long
  // as it is.
  for (size_t i = 0; i < reuses.size(); ++i)
    if (i == 0 || reuses[i].step != reuses[i - 1].step)
      live[reuses[i].step] -= roundedBytes(buffers[reuses[i].output]);
  return live;
}

int64_t Program::peakLiveBytes(int64_t alignment) const {
  const std::vector<int64_t> live = liveBytes(alignment);
  return live.empty() ? 0 : *std::max_element(live.begin(), live.end());
}

int64_t Program::peakStep(int64_t alignment) const {
  const std::vector<int64_t> live = liveBytes(alignment);
  return std::max_element(live.begin(), live.end()) - live.begin();
}

bool isReshaped(const Network &network, const Program &program,
                const View &view) {
  const Tensor &tensor = network.tensors[view.tensor];
  const Tensor &held = network.tensors[program.buffers[view.buffer].tensor];
  return tensor.batch != held.batch || tensor.height != held.height ||
         tensor.width != held.width;
}

Result<Program> expand(const Network &network, const Partition &partition) {
  if (std::string why = check(network); !why.empty())
    return Error{why};
  return expand(network, findSharing(network), partition);
}

Result<Program> expand(const Network &network, const Sharing &sharing,
                       const Partition &partition) {
  int64_t done = 0;
  for (const Group &group : partition.groups) {
    if (std::string why = checkGroup(network, sharing, group); !why.empty())
      return Error{why};
    if (group.opBegin < done)
      return Error{"groups overlap at op '" + network.ops[group.opBegin].name +
                   "'; list them in ascending order, each op in one at most"};
    done = group.opEnd;
  }
  return Expander(network, sharing).run(partition);
}

} // namespace snug::network
