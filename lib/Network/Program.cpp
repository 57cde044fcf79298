// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expansion of a partition into steps on buffers.
#include "snug/Network/Program.h"

#include "GroupNeeds.h"

#include <algorithm>

namespace snug::network {

namespace {

/// A part of a tensor: all of its batch and channels.
struct Part {
  Interval rows, columns;
};

class Expander {
public:
  explicit Expander(const Network &network)
      : network(network), planar(network.tensors.size(), -1),
        channelsLast(network.tensors.size(), -1),
        lastUse(network.tensors.size(), -1) {
    for (size_t i = 0; i < network.ops.size(); ++i) {
      lastUse[network.ops[i].result] = static_cast<int64_t>(i);
      for (const Operand &operand : network.ops[i].operands)
        lastUse[operand.tensor] = static_cast<int64_t>(i);
    }
    usedInside.resize(network.tensors.size());
    for (const Op &op : network.ops)
      for (const Operand &operand : op.operands)
        usedInside[operand.tensor] = true;
  }

  Program run(const Partition &partition);

private:
  int addBuffer(Buffer::Role role, int tensor, Layout layout, const Part &part);
  int addFullBuffer(Buffer::Role role, int tensor, Layout layout);
  void addStep(Step step);
  void addOp(int64_t op, const std::vector<Needed> &rows,
             const std::vector<Needed> &columns, size_t firstOperand,
             std::vector<View> inputs, View output);
  void addMove(int from, int to, const Part &part);

  void runWholeOp(int64_t op);
  void runGrid(const Group &group);
  void runTile(const Group &group, const AxisNeeds &rows,
               const AxisNeeds &columns);
  void beginGridResult(const Op &last);
  void moveOutputs(int64_t opBegin, int64_t opEnd);
  void findReuses();

  View viewOf(int buffer, const Part &part) const {
    const Buffer &of = program.buffers[buffer];
    return {buffer, of.tensor, part.rows, part.columns, {0, of.channels}};
  }
  Part full(int tensor) const {
    return {{0, network.tensors[tensor].height},
            {0, network.tensors[tensor].width}};
  }

  const Network &network;
  Program program;
  /// By tensor: its full buffer in planar order, and the one that kernels can
  /// read; the same buffer is only ever the latter if both orders agree.
  std::vector<int> planar, channelsLast;
  /// By tensor: the last op that reads it, or else makes it.
  std::vector<int64_t> lastUse;
  std::vector<bool> usedInside;
  int group = -1, tile = -1;
};

int Expander::addBuffer(Buffer::Role role, int tensor, Layout layout,
                        const Part &part) {
  const Tensor &of = network.tensors[tensor];
  Buffer buffer;
  buffer.role = role;
  buffer.tensor = tensor;
  buffer.layout = of.ordersAgree() ? Layout::ChannelsLast : layout;
  buffer.rows = part.rows;
  buffer.columns = part.columns;
  buffer.channels = of.channels;
  buffer.bytes = of.batch * of.channels * part.rows.size() *
                 part.columns.size() * kElementBytes;
  buffer.liveBegin = role == Buffer::Role::Input ? 0 : -1;
  program.buffers.push_back(buffer);
  return static_cast<int>(program.buffers.size()) - 1;
}

int Expander::addFullBuffer(Buffer::Role role, int tensor, Layout layout) {
  const int buffer = addBuffer(role, tensor, layout, full(tensor));
  if (program.buffers[buffer].layout == Layout::Planar)
    planar[tensor] = buffer;
  else
    channelsLast[tensor] = buffer;
  return buffer;
}

/// Appends a step and keeps the bytes it touches alive until it has ended.
void Expander::addStep(Step step) {
  const int64_t index = static_cast<int64_t>(program.steps.size());
  auto touch = [&](int buffer) {
    Buffer &touched = program.buffers[buffer];
    if (touched.liveBegin < 0)
      touched.liveBegin = index;
    touched.liveEnd = index + 1;
  };
  for (const View &view : step.inputs)
    touch(view.buffer);
  touch(step.output.buffer);
  if (step.workspace >= 0)
    touch(step.workspace);
  step.group = group;
  step.tile = tile;
  program.steps.push_back(std::move(step));
}

/// `rows` and `columns` hold the needs of the op from `firstOperand` on.
void Expander::addOp(int64_t op, const std::vector<Needed> &rows,
                     const std::vector<Needed> &columns, size_t firstOperand,
                     std::vector<View> inputs, View output) {
  const Op &of = network.ops[op];
  const Tensor &result = network.tensors[of.result];
  Step step;
  step.op = static_cast<int>(op);
  step.inputs = std::move(inputs);
  step.output = output;
  step.padTop = rows[firstOperand].padLow;
  step.padBottom = rows[firstOperand].padHigh;
  step.padLeft = columns[firstOperand].padLow;
  step.padRight = columns[firstOperand].padHigh;
  step.macs = of.macsPerOutputElement * result.batch * result.channels *
              output.rows.size() * output.columns.size();
  if (of.workspaceBytes) {
    StepShape shape;
    shape.batch = network.tensors[of.operands[0].tensor].batch;
    shape.inputHeight = step.inputs[0].rows.size();
    shape.inputWidth = step.inputs[0].columns.size();
    shape.outputHeight = output.rows.size();
    shape.outputWidth = output.columns.size();
    shape.padTop = step.padTop;
    shape.padLeft = step.padLeft;
    shape.padBottom = step.padBottom;
    shape.padRight = step.padRight;
    const int64_t bytes = of.workspaceBytes(shape);
    if (bytes > 0) {
      Buffer buffer;
      buffer.role = Buffer::Role::Workspace;
      buffer.bytes = bytes;
      buffer.liveBegin = -1;
      step.workspace = static_cast<int>(program.buffers.size());
      program.buffers.push_back(buffer);
    }
  }
  addStep(std::move(step));
}

void Expander::addMove(int from, int to, const Part &part) {
  Step step;
  step.inputs = {viewOf(from, part)};
  step.output = viewOf(to, part);
  addStep(std::move(step));
}

void Expander::runWholeOp(int64_t index) {
  const Op &op = network.ops[index];
  const Tensor &result = network.tensors[op.result];
  const Part output = full(op.result);
  std::vector<Needed> rows, columns;
  std::vector<View> inputs;
  for (const Operand &operand : op.operands) {
    const int tensor = operand.tensor;
    if (channelsLast[tensor] < 0) {
      const int from = planar[tensor];
      const int to =
          addFullBuffer(Buffer::Role::Activation, tensor, Layout::ChannelsLast);
      addMove(from, to, full(tensor));
    }
    const Tensor &of = network.tensors[tensor];
    rows.push_back(operand.height.needed(output.rows, of.height));
    columns.push_back(operand.width.needed(output.columns, of.width));
    inputs.push_back(viewOf(channelsLast[tensor],
                            {rows.back().interval, columns.back().interval}));
  }
  const Layout layout =
      writesPlanar(op) ? Layout::Planar : Layout::ChannelsLast;
  // The result is the network's output itself where its order is the right one.
  const bool direct =
      result.isOutput && (result.ordersAgree() || writesPlanar(op));
  const int to =
      addFullBuffer(direct ? Buffer::Role::Output : Buffer::Role::Activation,
                    op.result, layout);
  addOp(index, rows, columns, 0, std::move(inputs), viewOf(to, output));
}

/// Chooses where the tiles of a grid leave their part of the result: a full
/// channels-last buffer, or, by moves, the planar network output.
void Expander::beginGridResult(const Op &last) {
  const Tensor &result = network.tensors[last.result];
  if (result.isOutput &&
      (result.ordersAgree() || writesPlanar(last) || !usedInside[last.result]))
    addFullBuffer(Buffer::Role::Output, last.result, Layout::Planar);
  else
    addFullBuffer(Buffer::Role::Activation, last.result,
                  writesPlanar(last) ? Layout::Planar : Layout::ChannelsLast);
}

void Expander::runGrid(const Group &of) {
  const Op &last = network.ops[of.opEnd - 1];
  const Tensor &result = network.tensors[last.result];
  beginGridResult(last);
  std::vector<AxisNeeds> columns;
  for (const Interval &part : split(result.width, of.schedule.columns))
    columns.push_back(computeNeeds(network, of, Axis::Columns, part));
  tile = 0;
  for (const Interval &part : split(result.height, of.schedule.rows)) {
    const AxisNeeds rows = computeNeeds(network, of, Axis::Rows, part);
    for (const AxisNeeds &column : columns) {
      runTile(of, rows, column);
      ++tile;
    }
  }
  tile = -1;
}

void Expander::runTile(const Group &of, const AxisNeeds &rows,
                       const AxisNeeds &columns) {
  // By tensor: the tile's own buffer.
  std::vector<int> local(network.tensors.size(), -1);
  auto partOf = [&](int tensor) {
    return Part{rows.tensors[tensor], columns.tensors[tensor]};
  };
  size_t firstOperand = 0;
  for (int64_t i = of.opBegin; i < of.opEnd; ++i) {
    const Op &op = network.ops[i];
    std::vector<View> inputs;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const int tensor = op.operands[k].tensor;
      int buffer = local[tensor] >= 0 ? local[tensor] : channelsLast[tensor];
      if (buffer < 0)
        buffer = planar[tensor];
      if (program.buffers[buffer].layout == Layout::Planar) {
        const int from = buffer;
        buffer = local[tensor] =
            addBuffer(Buffer::Role::Activation, tensor, Layout::ChannelsLast,
                      partOf(tensor));
        addMove(from, buffer, partOf(tensor));
      }
      inputs.push_back(
          viewOf(buffer, {rows.operands[firstOperand + k].interval,
                          columns.operands[firstOperand + k].interval}));
    }
    const Part part = partOf(op.result);
    const bool isLast = i + 1 == of.opEnd;
    int to = -1;
    if (isLast && (writesPlanar(op) || channelsLast[op.result] >= 0))
      to = channelsLast[op.result] >= 0 ? channelsLast[op.result]
                                        : planar[op.result];
    else
      to = local[op.result] = addBuffer(
          Buffer::Role::Activation, op.result,
          writesPlanar(op) ? Layout::Planar : Layout::ChannelsLast, part);
    addOp(i, rows.operands, columns.operands, firstOperand, std::move(inputs),
          viewOf(to, part));
    if (isLast && to == local[op.result])
      addMove(to, planar[op.result], part);
    firstOperand += op.operands.size();
  }
}

/// Moves outputs that only exist channels-last into their planar buffer, once
/// nobody reads them any more: the two then never lie side by side for longer
/// than the move.
void Expander::moveOutputs(int64_t opBegin, int64_t opEnd) {
  auto moveOne = [&](int tensor) {
    const Tensor &of = network.tensors[tensor];
    if (!of.isOutput || of.ordersAgree() || planar[tensor] >= 0 ||
        lastUse[tensor] >= opEnd)
      return;
    addMove(channelsLast[tensor],
            addFullBuffer(Buffer::Role::Output, tensor, Layout::Planar),
            full(tensor));
  };
  for (int64_t i = opBegin; i < opEnd; ++i) {
    for (const Operand &operand : network.ops[i].operands)
      moveOne(operand.tensor);
    moveOne(network.ops[i].result);
  }
}

Program Expander::run(const Partition &partition) {
  for (size_t i = 0; i < network.tensors.size(); ++i)
    if (network.tensors[i].isInput)
      addFullBuffer(Buffer::Role::Input, static_cast<int>(i), Layout::Planar);

  auto runWhole = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      runWholeOp(i);
      moveOutputs(i, i + 1);
    }
  };
  int64_t done = 0;
  for (size_t g = 0; g < partition.groups.size(); ++g) {
    const Group &of = partition.groups[g];
    runWhole(done, of.opBegin);
    group = static_cast<int>(g);
    if (of.schedule.isWhole()) {
      runWhole(of.opBegin, of.opEnd);
    } else {
      runGrid(of);
      moveOutputs(of.opBegin, of.opEnd);
    }
    group = -1;
    done = of.opEnd;
  }
  runWhole(done, static_cast<int64_t>(network.ops.size()));

  const int64_t end = static_cast<int64_t>(program.steps.size());
  for (Buffer &buffer : program.buffers) {
    if (buffer.role == Buffer::Role::Output)
      buffer.liveEnd = end;
    buffer.liveEnd = std::max(buffer.liveEnd, buffer.liveBegin + 1);
  }
  findReuses();
  return std::move(program);
}

/// All lifetimes are known.
void Expander::findReuses() {
  auto usesAllOf = [&](const View &view) {
    const Buffer &buffer = program.buffers[view.buffer];
    return view.rows == buffer.rows && view.columns == buffer.columns;
  };
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step &step = program.steps[i];
    if (step.op < 0)
      continue;
    const std::vector<Operand> &operands = network.ops[step.op].operands;
    auto isReadElsewhere = [&](int buffer) {
      for (size_t k = 0; k < operands.size(); ++k)
        if (step.inputs[k].buffer == buffer && !operands[k].inPlace)
          return true;
      return false;
    };
    for (size_t k = 0; k < operands.size(); ++k)
      if (operands[k].inPlace && usesAllOf(step.inputs[k]) &&
          usesAllOf(step.output) && !isReadElsewhere(step.inputs[k].buffer))
        program.addReuse(static_cast<int64_t>(i), step.inputs[k].buffer,
                         step.output.buffer);
  }
}

} // namespace

void Program::addReuse(int64_t step, int input, int output) {
  const Buffer &from = buffers[input], &to = buffers[output];
  for (size_t i = reuses.size(); i > 0 && reuses[i - 1].step == step; --i)
    if (reuses[i - 1].input == input)
      return;
  if (from.liveEnd == step + 1 && to.liveBegin == step &&
      from.layout == to.layout && from.bytes == to.bytes)
    reuses.push_back({step, input, output});
}

int64_t Program::macs() const {
  int64_t sum = 0;
  for (const Step &step : steps)
    sum += step.macs;
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

Result<Program> expand(const Network &network, const Partition &partition) {
  if (std::string why = check(network); !why.empty())
    return Error{why};
  int64_t done = 0;
  for (const Group &group : partition.groups) {
    if (std::string why = checkGroup(network, group); !why.empty())
      return Error{why};
    if (group.opBegin < done)
      return Error{"groups overlap at op '" + network.ops[group.opBegin].name +
                   "'; list them in ascending order, each op in one at most"};
    done = group.opEnd;
  }
  return Expander(network).run(partition);
}

} // namespace snug::network
