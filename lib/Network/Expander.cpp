// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the steps of a partition one by one.
#include "Expander.h"

#include <algorithm>

namespace snug::network {

Expander::Expander(const Network &network, const Sharing &sharing)
    : network(network), sharing(sharing) {
  const size_t count = network.tensors.size();
  members.resize(count);
  span.resize(count);
  for (std::vector<int> *unset : {&buffers, &moved, &movedInTile, &planar})
    unset->assign(count, -1);
}

//===----------------------------------------------------------------------===//
// Buffers and views
//===----------------------------------------------------------------------===//

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

bool Expander::isLocal(int tensor) const {
  return current && placement.home[tensor] == group;
}

Part Expander::full(int tensor) const {
  return {{0, network.tensors[tensor].height},
          {0, network.tensors[tensor].width}};
}

Part Expander::partOf(int tensor) const {
  if (!current)
    return full(tensor);
  const int number = current->tensors->numbers[tensor];
  return {current->rows->tensors[number], current->columns->tensors[number]};
}

Expander::Place Expander::makePlace(int tensor) {
  const int root = placement.root[tensor];
  const int64_t channel = sharing.channel[tensor] - span[root].begin;
  if (buffers[root] >= 0)
    return {buffers[root], channel};

  int largest = tensor;
  for (int member : members[root])
    if (network.tensors[member].channels > network.tensors[largest].channels)
      largest = member;
  const Tensor &of = network.tensors[largest];
  const int output = sharing.rootOutput[sharing.planarRoot[largest]];
  const bool isAll = of.channels == span[root].size();
  if (!isLocal(tensor) && of.ordersAgree() && isAll &&
      (members[root].empty() || output < 0 || output == largest)) {
    buffers[root] = makePlanar(largest);
    return {buffers[root], channel};
  }
  Part part = isLocal(tensor) ? partOf(tensor) : full(tensor);
  if (isLocal(tensor)) {
    for (int member : members[root]) {
      const Part other = partOf(member);
      part = {part.rows.hull(other.rows), part.columns.hull(other.columns)};
    }
    rootsOfTile.push_back(root);
  }
  const int index =
      addBuffer(Buffer::Role::Activation, largest, Layout::ChannelsLast, part);
  Buffer &buffer = program.buffers[index];
  buffer.bytes = buffer.bytes / buffer.channels * span[root].size();
  buffer.channels = span[root].size();
  buffers[root] = index;
  return {index, channel};
}

Expander::Place Expander::findPlace(int tensor) const {
  const int root = placement.root[tensor];
  if (current && movedInTile[tensor] >= 0)
    return {movedInTile[tensor], 0};
  if (moved[tensor] >= 0)
    return {moved[tensor], 0};
  if (buffers[root] >= 0)
    return {buffers[root], sharing.channel[tensor] - span[root].begin};
  if (network.tensors[tensor].ordersAgree())
    return {planar[sharing.planarRoot[tensor]], 0};
  return {};
}

Expander::Place Expander::readPlace(int tensor) {
  const Place place = findPlace(tensor);
  if (place.buffer >= 0)
    return place;
  const Part part = partOf(tensor);
  const int buffer =
      addBuffer(Buffer::Role::Activation, tensor, Layout::ChannelsLast, part);
  addMove(planarView(tensor, planar[sharing.planarRoot[tensor]], part),
          view(tensor, {buffer, 0}, part));
  (current ? movedInTile : moved)[tensor] = buffer;
  if (current)
    movesOfTile.push_back(tensor);
  return {buffer, 0};
}

int Expander::makePlanar(int tensor) {
  const int root = sharing.planarRoot[tensor];
  if (planar[root] < 0) {
    const int output = sharing.rootOutput[root];
    const int of = output >= 0 ? output : tensor;
    planar[root] =
        addBuffer(output >= 0 ? Buffer::Role::Output : Buffer::Role::Activation,
                  of, Layout::Planar, full(of));
  }
  return planar[root];
}

int Expander::findPlanar(int tensor) {
  const int root = sharing.planarRoot[tensor];
  const Tensor &of = network.tensors[tensor];
  if (planar[root] >= 0 || !of.ordersAgree() || sharing.rootOutput[root] >= 0)
    return planar[root];
  const Place place = findPlace(tensor);
  if (place.buffer >= 0 && program.buffers[place.buffer].bytes == of.bytes())
    planar[root] = place.buffer;
  return planar[root];
}

int Expander::readPlanar(int tensor) {
  int buffer = findPlanar(tensor);
  if (buffer < 0) {
    const Place from = findPlace(tensor);
    buffer = makePlanar(tensor);
    addMove(view(tensor, from, full(tensor)),
            planarView(tensor, buffer, full(tensor)));
  }
  return buffer;
}

View Expander::view(int tensor, const Place &place, const Part &part) const {
  return {place.buffer,
          tensor,
          part.rows,
          part.columns,
          {place.channel, place.channel + network.tensors[tensor].channels}};
}

View Expander::planarView(int tensor, int buffer, const Part &part) const {
  return view(tensor, {buffer, 0}, part);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

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

void Expander::addMove(const View &from, const View &to) {
  Step step;
  step.inputs = {from};
  step.output = to;
  addStep(std::move(step));
}

void Expander::addCopy(int64_t op, size_t operand, const View &from,
                       const View &to) {
  Step step;
  step.op = static_cast<int>(op);
  step.operand = static_cast<int>(operand);
  step.inputs = {from};
  step.output = to;
  addStep(std::move(step));
}

void Expander::addOp(int64_t op, std::vector<View> inputs, const Needed &rows,
                     const Needed &columns, View output) {
  const Op &of = network.ops[op];
  const Tensor &result = network.tensors[of.result];
  Step step;
  step.op = static_cast<int>(op);
  step.inputs = std::move(inputs);
  step.output = output;
  step.padTop = rows.padLow;
  step.padBottom = rows.padHigh;
  step.padLeft = columns.padLow;
  step.padRight = columns.padHigh;
  step.macs = of.macsPerOutputElement * result.batch * result.channels *
              output.rows.size() * output.columns.size();
  step.kernels = tile >= 0 ? of.tileKernels : of.kernels;
  if (of.workspaceBytes) {
    const int64_t bytes = of.workspaceBytes(shapeOf(network, step));
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

Needed Expander::needed(const Op &op, size_t operand, Axis axis) const {
  if (!current)
    return neededOf(network, op, operand, axis,
                    {0, extentOf(network.tensors[op.result], axis)});
  const AxisNeeds &needs =
      axis == Axis::Rows ? *current->rows : *current->columns;
  return needs.operands[current->operand + operand];
}

void Expander::runOp(int64_t index) {
  const Op &op = network.ops[index];
  if (isReshape(op))
    runReshape(index);
  else if (op.copies)
    runCopies(index);
  else
    runKernel(index);
  // A local output: the tile's part of it goes where it is wanted.
  if (network.tensors[op.result].isOutput && isLocal(op.result)) {
    const Part part = partOf(op.result);
    addMove(view(op.result, findPlace(op.result), part),
            planarView(op.result, makePlanar(op.result), part));
  }
}

void Expander::runKernel(int64_t index) {
  const Op &op = network.ops[index];
  std::vector<View> inputs;
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const int tensor = op.operands[k].tensor;
    const Part part{needed(op, k, Axis::Rows).interval,
                    needed(op, k, Axis::Columns).interval};
    inputs.push_back(op.operands[k].layout == Layout::Planar
                         ? planarView(tensor, readPlanar(tensor), part)
                         : view(tensor, readPlace(tensor), part));
  }
  const View output =
      writesPlanar(op)
          ? planarView(op.result, makePlanar(op.result), full(op.result))
          : view(op.result, makePlace(op.result), partOf(op.result));
  addOp(index, std::move(inputs), needed(op, 0, Axis::Rows),
        needed(op, 0, Axis::Columns), output);
}

/// The result is the operand's bytes in planar order, or a copy of them.
void Expander::runReshape(int64_t index) {
  const Op &op = network.ops[index];
  const int tensor = op.operands[0].tensor;
  if (sharing.planarRoot[tensor] == sharing.planarRoot[op.result]) {
    readPlanar(tensor);
    return;
  }
  const int from = findPlanar(tensor);
  addCopy(index, 0,
          from >= 0 ? planarView(tensor, from, full(tensor))
                    : view(tensor, findPlace(tensor), full(tensor)),
          planarView(tensor, makePlanar(op.result), full(tensor)));
}

/// Copies what does not lie in place already, in whatever order it lies.
void Expander::runCopies(int64_t index) {
  const Op &op = network.ops[index];
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const Operand &operand = op.operands[k];
    const int tensor = operand.tensor;
    if (placement.root[tensor] == placement.root[op.result] &&
        isTied(sharing, network, op, k))
      continue;
    const Interval copied = copiedChannels(network, op, k);
    const Place to = writesPlanar(op) ? Place{makePlanar(op.result), 0}
                                      : makePlace(op.result);
    const Part source{needed(op, k, Axis::Rows).interval,
                      needed(op, k, Axis::Columns).interval};
    View target = view(op.result, to, partOf(op.result));
    target.channels = {to.channel + operand.resultChannel,
                       to.channel + operand.resultChannel + copied.size()};
    const Copy copy{to.buffer, tensor, target.channels.begin, copied, source};
    if (source.rows == target.rows && source.columns == target.columns) {
      if (isCopied(copy))
        continue;
      copies.push_back(copy);
    }
    Place from = findPlace(tensor);
    if (from.buffer < 0)
      from = {planar[sharing.planarRoot[tensor]], 0};
    View input = view(tensor, from, source);
    input.channels = {from.channel + copied.begin, from.channel + copied.end};
    addCopy(index, k, input, target);
  }
}

/// True where an op before has left the same copy in the same place.
bool Expander::isCopied(const Copy &copy) const {
  return std::any_of(copies.begin(), copies.end(), [&](const Copy &known) {
    return known.buffer == copy.buffer && known.channel == copy.channel &&
           known.tensor == copy.tensor && known.from == copy.from &&
           known.part.rows.contains(copy.part.rows) &&
           known.part.columns.contains(copy.part.columns);
  });
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

void Expander::runWhole(int64_t opBegin, int64_t opEnd) {
  for (int64_t i = opBegin; i < opEnd; ++i) {
    runOp(i);
    moveOutputs(i, i + 1);
  }
}

void Expander::runGrid(const Group &of) {
  const GroupTensors tensors(network, sharing, of);
  const Schedule &grid = of.schedule;
  std::vector<AxisNeeds> columns;
  for (int64_t i = 0; i < grid.columns; ++i)
    columns.push_back(
        computeNeeds(network, of, tensors, Axis::Columns, grid.columns, i));
  tile = 0;
  for (int64_t row = 0; row < grid.rows; ++row) {
    const AxisNeeds rows =
        computeNeeds(network, of, tensors, Axis::Rows, grid.rows, row);
    for (const AxisNeeds &column : columns) {
      runTile(of, tensors, rows, column);
      ++tile;
    }
  }
  tile = -1;
  moveOutputs(of.opBegin, of.opEnd);
}

void Expander::runTile(const Group &of, const GroupTensors &tensors,
                       const AxisNeeds &rows, const AxisNeeds &columns) {
  Tile running{&tensors, &rows, &columns};
  current = &running;
  const size_t copiesBefore = copies.size();
  for (int64_t i = of.opBegin; i < of.opEnd; ++i) {
    runOp(i);
    running.operand += network.ops[i].operands.size();
  }
  current = nullptr;
  for (int root : rootsOfTile)
    buffers[root] = -1;
  for (int tensor : movesOfTile)
    movedInTile[tensor] = -1;
  rootsOfTile.clear();
  movesOfTile.clear();
  copies.resize(copiesBefore);
}

/// Moves outputs that only exist channels-last into their planar buffer, once
/// nobody reads them any more: the two then never lie side by side for longer
/// than the move.
void Expander::moveOutputs(int64_t opBegin, int64_t opEnd) {
  auto moveOne = [&](int tensor) {
    if (network.tensors[tensor].isOutput && sharing.lastUse[tensor] < opEnd)
      readPlanar(tensor);
  };
  for (int64_t i = opBegin; i < opEnd; ++i) {
    for (const Operand &operand : network.ops[i].operands)
      moveOne(operand.tensor);
    moveOne(network.ops[i].result);
  }
}

Program Expander::run(const Partition &partition) {
  placement = placeTensors(network, sharing, partition);
  std::vector<int> count(network.tensors.size());
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    const int root = placement.root[t];
    const int64_t channel = sharing.channel[t];
    span[root] =
        span[root].hull({channel, channel + network.tensors[t].channels});
    ++count[root];
    if (network.tensors[t].isInput)
      planar[sharing.planarRoot[t]] =
          addBuffer(Buffer::Role::Input, static_cast<int>(t), Layout::Planar,
                    full(static_cast<int>(t)));
  }
  for (size_t t = 0; t < network.tensors.size(); ++t)
    if (const int root = placement.root[t]; count[root] > 1)
      members[root].push_back(static_cast<int>(t));

  int64_t done = 0;
  for (size_t g = 0; g < partition.groups.size(); ++g) {
    const Group &of = partition.groups[g];
    runWhole(done, of.opBegin);
    group = static_cast<int>(g);
    if (of.schedule.isWhole())
      runWhole(of.opBegin, of.opEnd);
    else
      runGrid(of);
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
    const Tensor &tensor = network.tensors[view.tensor];
    return view.rows.size() == tensor.height &&
                   view.columns.size() == tensor.width &&
                   view.channels.size() == tensor.channels
               ? program.buffers[view.buffer].bytes == tensor.bytes()
               : view.rows == program.buffers[view.buffer].rows &&
                     view.columns == program.buffers[view.buffer].columns &&
                     view.channels.size() ==
                         program.buffers[view.buffer].channels;
  };
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const Step &step = program.steps[i];
    if (step.op < 0 || step.operand >= 0)
      continue;
    const Op &op = network.ops[step.op];
    const Tensor &result = network.tensors[op.result];
    auto mayTakeOver = [&](size_t k) {
      const View &view = step.inputs[k];
      return op.operands[k].inPlace && usesAllOf(view) &&
             view.rows == step.output.rows &&
             view.columns == step.output.columns &&
             view.channels.size() == step.output.channels.size() &&
             (op.operands[k].layout == op.resultLayout || result.ordersAgree());
    };
    auto isReadElsewhere = [&](int buffer) {
      for (size_t k = 0; k < op.operands.size(); ++k)
        if (step.inputs[k].buffer == buffer && !mayTakeOver(k))
          return true;
      return false;
    };
    for (size_t k = 0; k < op.operands.size(); ++k)
      if (mayTakeOver(k) && usesAllOf(step.output) &&
          !isReadElsewhere(step.inputs[k].buffer))
        program.addReuse(static_cast<int64_t>(i), step.inputs[k].buffer,
                         step.output.buffer);
  }
}

} // namespace snug::network
