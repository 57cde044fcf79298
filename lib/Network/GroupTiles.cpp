// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Live bytes of the tiles that the walk follows.
#include "GroupWalk.h"

#include <algorithm>

namespace snug::network {

int64_t GroupFigures::Walk::tileBytes(const Tile &tile, int64_t op) const {
  const Tensor &result = resultOf(op);
  return rounded(result.batch * result.channels * kElementBytes *
                 tile.rows->results[op].size() *
                 tile.columns->results[op].size());
}

int64_t GroupFigures::Walk::workspace(const Tile &tile, int64_t index) const {
  const Op &op = network.ops[index];
  if (!op.workspaceBytes)
    return 0;
  const Operand &operand = op.operands[0];
  const Tensor &input = network.tensors[operand.tensor];
  const Needed rows =
      operand.height.needed(tile.rows->results[index], input.height);
  const Needed columns =
      operand.width.needed(tile.columns->results[index], input.width);
  StepShape shape;
  shape.batch = input.batch;
  shape.inputHeight = rows.interval.size();
  shape.inputWidth = columns.interval.size();
  shape.outputHeight = tile.rows->results[index].size();
  shape.outputWidth = tile.columns->results[index].size();
  shape.padTop = rows.padLow;
  shape.padLeft = columns.padLow;
  shape.padBottom = rows.padHigh;
  shape.padRight = columns.padHigh;
  return rounded(std::max<int64_t>(op.workspaceBytes(shape), 0));
}

GroupFigures::Walk::Local GroupFigures::Walk::localOf(const Tile &tile,
                                                      int tensor) const {
  Local local;
  if (!isInside(tensor)) {
    // Moved into a buffer of the tile's own, or read in place.
    if (!isPlanarInput(tensor) || firstMove[tensor] < opBegin)
      return local;
    local.isWhole = true;
    local.first = firstMove[tensor];
    for (int64_t reader : readers[tensor]) {
      if (reader < opBegin)
        continue;
      const std::vector<Operand> &operands = network.ops[reader].operands;
      for (size_t k = 0; reader < opEnd && k < operands.size(); ++k)
        if (operands[k].tensor == tensor) {
          const size_t at = firstOperand[reader] + k;
          local.rows = local.rows.hull(tile.rows->operands[at]);
          local.columns = local.columns.hull(tile.columns->operands[at]);
          local.last = reader;
        }
    }
    return local;
  }
  const int64_t op = maker[tensor];
  if (sharing.family[tensor] >= 0) {
    if (!isLocal[tensor])
      return local;
    const Component &component =
        families[sharing.family[tensor]].local[componentOf[tensor]];
    local.first = component.first;
    local.last = component.last;
    local.isWhole = network.tensors[tensor].channels == component.channels;
    if (!local.isWhole)
      return local;
    for (int member : component.members) {
      local.rows = local.rows.hull(tile.rows->results[maker[member]]);
      local.columns = local.columns.hull(tile.columns->results[maker[member]]);
    }
    return local;
  }
  local.isWhole = lastUse[tensor] < opEnd || movedTilewise[op];
  local.rows = tile.rows->results[op];
  local.columns = tile.columns->results[op];
  local.first = op;
  local.last = std::max(lastInside[op], op);
  return local;
}

/// Whether the op's result lies on an operand: both take all of buffers of the
/// tile's own, which end and begin there.
void GroupFigures::Walk::updateReuse(Tile &tile, int64_t index) const {
  if (!hasInPlace[index])
    return;
  const Op &op = network.ops[index];
  if (tile.reuses[index])
    tile.bytes[index] += tileBytes(tile, index);
  tile.reuses[index] = false;
  // Most need no closer look.
  auto mayBegin = [&](int tensor) {
    return sharing.family[tensor] < 0 ||
           (isLocal[tensor] &&
            families[sharing.family[tensor]].local[componentOf[tensor]].first ==
                index);
  };
  auto mayEnd = [&](const Operand &operand) {
    const int tensor = operand.tensor;
    if (!operand.inPlace)
      return false;
    if (!isInside(tensor))
      return isPlanarInput(tensor);
    if (sharing.family[tensor] < 0)
      return lastInside[maker[tensor]] == index;
    return isLocal[tensor] &&
           families[sharing.family[tensor]].local[componentOf[tensor]].last ==
               index;
  };
  if (!mayBegin(op.result) ||
      std::none_of(op.operands.begin(), op.operands.end(), mayEnd))
    return;
  const Local to = localOf(tile, op.result);
  if (!to.isWhole || to.first != index ||
      !(to.rows == tile.rows->results[index]) ||
      !(to.columns == tile.columns->results[index]))
    return;
  const int64_t elements = network.tensors[op.result].batch *
                           network.tensors[op.result].channels *
                           to.rows.size() * to.columns.size();
  for (size_t k = 0; k < op.operands.size() && !tile.reuses[index]; ++k) {
    const Operand &operand = op.operands[k];
    const Tensor &tensor = network.tensors[operand.tensor];
    const size_t at = firstOperand[index] + k;
    if (!mayEnd(operand))
      continue;
    const Local from = localOf(tile, operand.tensor);
    bool fits = from.isWhole && from.last == index &&
                from.rows == tile.rows->operands[at] &&
                from.columns == tile.columns->operands[at] &&
                tensor.batch * tensor.channels * from.rows.size() *
                        from.columns.size() ==
                    elements;
    for (const Operand &other : op.operands)
      fits &= other.inPlace || other.tensor != operand.tensor;
    tile.reuses[index] = fits;
  }
  if (tile.reuses[index])
    tile.bytes[index] -= tileBytes(tile, index);
}

void GroupFigures::Walk::addComponent(Tile &tile, const Component &component,
                                      int sign) const {
  Interval rows, columns;
  for (int member : component.members) {
    rows = rows.hull(tile.rows->results[maker[member]]);
    columns = columns.hull(tile.columns->results[maker[member]]);
  }
  const int64_t bytes =
      sign *
      rounded(network.tensors[component.members[0]].batch * component.channels *
              rows.size() * columns.size() * kElementBytes);
  for (int64_t i = component.first; i <= component.last; ++i)
    tile.bytes[i] += bytes;
}

void GroupFigures::Walk::addOp(Tile &tile, int64_t index) const {
  const Op &op = network.ops[index];
  const bool isResult = lastUse[op.result] >= opEnd;
  const int familyIndex = sharing.family[op.result];
  tile.bytes[index] = workspace(tile, index);
  tile.reuses[index] = false;
  int64_t lastChanged = index;
  if (familyIndex >= 0) {
    const Family &family = families[familyIndex];
    for (int64_t reader : family.inPlace)
      if (reader > index && reader < opEnd && tile.reuses[reader]) {
        tile.reuses[reader] = false;
        tile.bytes[reader] += tileBytes(tile, reader);
      }
    for (const Component &component : family.dropped)
      addComponent(tile, component, -1);
    for (const Component &component : family.added) {
      addComponent(tile, component, 1);
      lastChanged = std::max(lastChanged, component.last);
    }
    for (int64_t reader : family.inPlace)
      if (reader >= index && reader < opEnd)
        updateReuse(tile, reader);
  } else if (!isResult || movedTilewise[index]) {
    const int64_t last = isResult ? index : std::max(lastInside[index], index);
    const int64_t bytes = tileBytes(tile, index);
    for (int64_t i = index; i <= last; ++i)
      tile.bytes[i] += bytes;
    lastChanged = std::max(lastChanged, last);
    updateReuse(tile, last);
  }
  for (int tensor : movedAt[index]) {
    const Local moved = localOf(tile, tensor);
    const Tensor &of = network.tensors[tensor];
    const int64_t bytes = rounded(of.batch * of.channels * kElementBytes *
                                  moved.rows.size() * moved.columns.size());
    for (int64_t i = moved.first; i <= moved.last; ++i)
      tile.bytes[i] += bytes;
    lastChanged = std::max(lastChanged, moved.last);
    updateReuse(tile, moved.last);
  }
  for (int64_t i = index; i <= lastChanged; ++i)
    if (tile.bytes[i] >= tile.mostBytes) {
      tile.mostBytes = tile.bytes[i];
      tile.mostOp = i;
    }
}

/// Whether the op's result lies on a full buffer that it uses all of and that
/// nobody reads any more.
bool GroupFigures::Walk::reusesOutside(const Tile &tile, int64_t index) const {
  const Op &op = network.ops[index];
  if (tile.reuses[index] || planarResult[index])
    return false;
  const Tensor &result = network.tensors[op.result];
  const bool isFull = lastUse[op.result] >= opEnd && !movedTilewise[index];
  if (isFull &&
      (!tile.isFirst || tile.rows->results[index].size() != result.height ||
       tile.columns->results[index].size() != result.width))
    return false;
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const int tensor = op.operands[k].tensor;
    const Tensor &from = network.tensors[tensor];
    const size_t at = firstOperand[index] + k;
    bool inPlace = lastUse[tensor] == index && maker[tensor] < opBegin &&
                   (!isPlanarInput(tensor) || firstMove[tensor] < opBegin) &&
                   tile.rows->operands[at].size() == from.height &&
                   tile.columns->operands[at].size() == from.width &&
                   from.batch * from.channels * from.height * from.width ==
                       result.batch * result.channels *
                           tile.rows->results[index].size() *
                           tile.columns->results[index].size();
    for (const Operand &other : op.operands)
      if (other.tensor == tensor && !other.inPlace)
        inPlace = false;
    if (inPlace)
      return true;
  }
  return false;
}

/// Peak of a tile that is the first or the last of its grid.
int64_t GroupFigures::Walk::edgePeak(const Tile &tile) const {
  const int64_t full = fullBytes + familyBytes;
  int64_t unwritten = 0, dead = 0, peak = 0;
  if (tile.isFirst)
    for (int64_t i = opBegin; i < opEnd; ++i)
      unwritten += resultBytes[i];
  for (int64_t i = opBegin; i < opEnd; ++i) {
    if (tile.isFirst && !movedTilewise[i])
      unwritten -= resultBytes[i];
    if (tile.isLast) {
      dead += deadBytes[i];
      if (lastInput[i] > 0) {
        // The move reads the input for the last time; the op has yet to run.
        int64_t made = workspace(tile, i);
        if (resultBytes[i] == 0 || movedTilewise[i])
          made += tileBytes(tile, i);
        else
          made += tile.isFirst ? resultBytes[i] : 0;
        if (tile.reuses[i])
          made -= tileBytes(tile, i);
        peak = std::max(peak, full - unwritten - dead + lastInput[i] +
                                  tile.bytes[i] - made);
      }
    }
    int64_t live = full - unwritten - dead + tile.bytes[i];
    if (tile.isLast && mayReuseOutside[i] && reusesOutside(tile, i))
      live -= tileBytes(tile, i);
    peak = std::max(peak, live);
    if (tile.isFirst && movedTilewise[i]) {
      unwritten -= resultBytes[i];
      peak = std::max(peak, full - unwritten - dead -
                                (tile.isLast ? deadBytes[i + 1] : 0) +
                                tileBytes(tile, i));
    }
  }
  return peak;
}

Figures GroupFigures::Walk::figures(const Grid &grid) const {
  Figures figures;
  figures.macs = grid.macs;
  figures.steps = grid.tileCount * (stepsPerTile + tileMoves) + endMoves;
  const int64_t full = fullBytes + familyBytes;
  auto add = [&](const Tile &tile, bool isEdge) {
    // No tile takes more than everything beside its own most.
    if (full + tile.mostBytes <= figures.peakBytes)
      return;
    const bool allThere =
        !isEdge || (!tile.isFirst && tile.mostOp < firstDead &&
                    !mayReuseOutside[tile.mostOp]);
    figures.peakBytes = std::max(
        figures.peakBytes, allThere ? full + tile.mostBytes : edgePeak(tile));
  };
  for (const Tile &tile : grid.tiles)
    if (!tile.isFirst)
      add(tile, tile.isLast);
  for (const Tile &tile : grid.tiles)
    if (tile.isFirst)
      add(tile, true);
  if (endMoves > 0)
    figures.peakBytes = std::max(figures.peakBytes,
                                 behindBytes + familyBehind + largestEndMove);
  figures.likelyBytes = figures.peakBytes + likelyBytes;
  return figures;
}

} // namespace snug::network
