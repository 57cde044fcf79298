// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cuts, tiles to follow, and what ops in front of a group add on every grid.
#include "GroupWalk.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace snug::network {

namespace {

bool alike(const AxisMap &a, const AxisMap &b) {
  return a.form == b.form && a.taps == b.taps && a.stride == b.stride &&
         a.dilation == b.dilation && a.padLow == b.padLow &&
         a.padHigh == b.padHigh && a.mode == b.mode &&
         a.rounding == b.rounding && a.scale == b.scale && a.shift == b.shift;
}

/// Whether rows and columns are the same to all tensors and ops.
bool isSquare(const Network &network) {
  for (const Tensor &tensor : network.tensors)
    if (tensor.height != tensor.width)
      return false;
  for (const Op &op : network.ops)
    for (const Operand &operand : op.operands)
      if (!alike(operand.height, operand.width))
        return false;
  return true;
}

} // namespace

GroupFigures::Walk::Walk(const Network &network, const Sharing &sharing,
                         const GroupFiguresOptions &options)
    : network(network), sharing(sharing), options(options),
      opCount(static_cast<int64_t>(network.ops.size())), maker(sharing.maker),
      lastUse(sharing.lastUse), readers(network.tensors.size()),
      diesAt(network.ops.size()), bornAt(network.ops.size()),
      birth(sharing.maker), firstMove(network.tensors.size(), kNever),
      movedAt(network.ops.size()) {
  size_t operands = 0;
  for (int64_t i = 0; i < opCount; ++i) {
    const Op &op = network.ops[i];
    firstOperand.push_back(operands);
    operands += op.operands.size();
    for (const Operand &operand : op.operands) {
      if (readers[operand.tensor].empty() || readers[operand.tensor].back() < i)
        readers[operand.tensor].push_back(i);
      if (!op.copies)
        firstMove[operand.tensor] = std::min(firstMove[operand.tensor], i);
    }
    planarResult.push_back(writesPlanar(op));
  }
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    if (network.tensors[t].isOutput)
      lastUse[t] = kNever;
    else if (lastUse[t] >= 0 && sharing.family[t] < 0)
      diesAt[lastUse[t]].push_back(static_cast<int>(t));
  }
  for (int64_t i = 0; i < opCount; ++i) {
    const Op &op = network.ops[i];
    if (sharing.planarRoot[op.result] == op.result || !isReshape(op))
      continue;
    birth[op.result] = lastUse[op.operands[0].tensor];
    if (birth[op.result] < opCount)
      bornAt[birth[op.result]].push_back(op.result);
  }
  for (int64_t i = 0; i < opCount; ++i) {
    const std::vector<Operand> &operandsOf = network.ops[i].operands;
    hasInPlace.push_back(
        std::any_of(operandsOf.begin(), operandsOf.end(),
                    [](const Operand &operand) { return operand.inPlace; }));
    mayReuseOutside.push_back(std::any_of(
        operandsOf.begin(), operandsOf.end(), [&](const Operand &operand) {
          return operand.inPlace && lastUse[operand.tensor] == i;
        }));
  }
  for (const Op &op : network.ops)
    viewsMatter.push_back(op.workspaceBytes != nullptr ||
                          std::any_of(op.operands.begin(), op.operands.end(),
                                      [&](const Operand &operand) {
                                        return isPlanarInput(operand.tensor);
                                      }));
  square = isSquare(network);
  auto addCuts = [&](std::vector<Cut> &cuts, Axis axis) {
    std::vector<int64_t> counts;
    for (const Schedule &grid : options.grids) {
      if (square || axis == Axis::Rows)
        counts.push_back(grid.rows);
      if (square || axis == Axis::Columns)
        counts.push_back(grid.columns);
    }
    std::sort(counts.begin(), counts.end());
    counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
    for (int64_t parts : counts) {
      Cut cut;
      cut.axis = axis;
      cut.parts = parts;
      cut.extents.resize(network.ops.size());
      cut.bands.resize(static_cast<size_t>(parts));
      for (Band &band : cut.bands) {
        band.results.resize(network.ops.size());
        band.operands.resize(operands);
      }
      cuts.push_back(std::move(cut));
    }
  };
  addCuts(rowCuts, Axis::Rows);
  if (!square)
    addCuts(columnCuts, Axis::Columns);
  lastInside.resize(network.ops.size());
  lastInput.resize(network.ops.size());
  resultBytes.resize(network.ops.size());
  deadBytes.resize(network.ops.size() + 1);
  movedTilewise.resize(network.ops.size());
  stepsOf.resize(network.ops.size());
  collectFamilies();
}

/// Whether no grid takes in the op.
bool GroupFigures::Walk::isBlocked(int64_t op) const {
  return planarResult[op] || !network.ops[op].costKnown;
}

/// Needs of an op under a cut; false where no group that begins here or before
/// may be cut so.
bool GroupFigures::Walk::walkBack(Cut &cut, int64_t index) {
  const Op &op = network.ops[index];
  const int64_t extent = extentOf(network.tensors[op.result], cut.axis);
  const bool isResult = lastUse[op.result] >= opEnd;
  if (index <= cut.barrier || (isResult && cut.parts > extent))
    return false;
  cut.extents[index] = 0;
  for (size_t b = 0; b < cut.bands.size(); ++b) {
    Band &band = cut.bands[b];
    Interval &result = band.results[index];
    // Readers are behind, so theirs is known.
    result = isResult ? splitPart(extent, cut.parts, static_cast<int64_t>(b))
                      : Interval{};
    if (lastInside[index] >= 0)
      for (int64_t reader : readers[op.result]) {
        if (reader >= opEnd)
          break;
        const std::vector<Operand> &operands = network.ops[reader].operands;
        for (size_t k = 0; k < operands.size(); ++k)
          if (operands[k].tensor == op.result)
            result = result.hull(band.operands[firstOperand[reader] + k]);
      }
    if (result.empty())
      return false;
    cut.extents[index] += result.size();
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const Operand &operand = op.operands[k];
      if (needsWhole(operand, cut.axis, cut.parts))
        cut.barrier = std::max(cut.barrier, maker[operand.tensor]);
      const Interval needed =
          neededOf(network, op, k, cut.axis, result).interval;
      if (needed.empty())
        return false;
      band.operands[firstOperand[index] + k] = needed;
    }
  }
  return cut.extents[index] <= options.maxRecompute * extent;
}

void GroupFigures::Walk::walkBack(Cut &cut) {
  cut.opBegin = opEnd;
  cut.barrier = -1;
  while (cut.opBegin > 0 && !isBlocked(cut.opBegin - 1) &&
         walkBack(cut, cut.opBegin - 1))
    --cut.opBegin;
  compareBands(cut);
}

void GroupFigures::Walk::compareBands(Cut &cut) const {
  const size_t count = cut.bands.size();
  cut.sameAs.assign(count, 0);
  cut.dominated.assign(count, false);
  auto covers = [&](const Band &a, const Band &b) {
    for (int64_t i = cut.opBegin; i < opEnd; ++i) {
      if (a.results[i].size() < b.results[i].size())
        return false;
      // Scratch need not grow with extents: another kernel may be chosen.
      if (network.ops[i].workspaceBytes &&
          a.results[i].size() != b.results[i].size())
        return false;
      if (!viewsMatter[i])
        continue;
      for (size_t k = 0; k < network.ops[i].operands.size(); ++k)
        if (a.operands[firstOperand[i] + k].size() <
            b.operands[firstOperand[i] + k].size())
          return false;
    }
    return true;
  };
  for (size_t a = 0; a < count; ++a) {
    cut.sameAs[a] = a;
    for (size_t b = 0; b < a; ++b) {
      if (cut.sameAs[b] != b)
        continue;
      const bool above = covers(cut.bands[a], cut.bands[b]);
      const bool below = covers(cut.bands[b], cut.bands[a]);
      if (above && below) {
        cut.sameAs[a] = b;
        break;
      }
      if (above)
        cut.dominated[b] = true;
      if (below)
        cut.dominated[a] = true;
    }
  }
}

/// In the first tile results are not yet there, in the last one operands are no
/// more, so another one of the largest is taken; where there is none, all kinds
/// of tiles are followed.
void GroupFigures::Walk::chooseTiles(Grid &grid) const {
  const size_t rows = grid.rows->bands.size(),
               columns = grid.columns->bands.size();
  const size_t count = rows * columns;
  auto choose = [&](bool all) {
    // By kind of row, of column and, if need be, of place.
    std::map<std::tuple<size_t, size_t, int>, size_t> chosen;
    for (size_t i = 0; i < count; ++i) {
      const size_t row = grid.rows->sameAs[i / columns],
                   column = grid.columns->sameAs[i % columns];
      if (!all &&
          (grid.rows->dominated[row] || grid.columns->dominated[column]))
        continue;
      const int place = i == 0 ? 1 : i + 1 == count ? 2 : 0;
      auto [at, isNew] = chosen.insert({{row, column, all ? place : 0}, i});
      if (!isNew && place == 0)
        at->second = i;
    }
    grid.tiles.clear();
    bool allInner = true;
    for (auto [kind, i] : chosen) {
      Tile tile;
      tile.rows = &grid.rows->bands[i / columns];
      tile.columns = &grid.columns->bands[i % columns];
      tile.isFirst = i == 0;
      tile.isLast = i + 1 == count;
      allInner &= !tile.isFirst && !tile.isLast;
      tile.bytes.resize(network.ops.size());
      tile.reuses.resize(network.ops.size());
      grid.tiles.push_back(std::move(tile));
    }
    return allInner;
  };
  if (!choose(false))
    choose(true);
}

void GroupFigures::Walk::begin(int64_t end) {
  opBegin = opEnd = end;
  fullBytes = 0;
  for (size_t t = 0; t < network.tensors.size(); ++t)
    if (sharing.family[t] < 0 && birth[t] < end && lastUse[t] >= end)
      fullBytes += rounded(network.tensors[t].bytes());
  behindBytes = fullBytes;
  tileMoves = endMoves = largestEndMove = stepsPerTile = 0;
  for (Family &family : families)
    family.local.clear();
  std::fill(deadBytes.begin(), deadBytes.end(), 0);
  for (int64_t i = 0; i < end; ++i) {
    const std::vector<int64_t> &of = readers[network.ops[i].result];
    auto behind = std::lower_bound(of.begin(), of.end(), end);
    lastInside[i] = behind == of.begin() ? -1 : *std::prev(behind);
  }

  for (Cut &cut : rowCuts)
    walkBack(cut);
  for (Cut &cut : columnCuts)
    walkBack(cut);
  auto find = [](const std::vector<Cut> &cuts, int64_t parts) {
    return &*std::find_if(cuts.begin(), cuts.end(),
                          [&](const Cut &cut) { return cut.parts == parts; });
  };
  grids.clear();
  for (size_t g = 0; g < options.grids.size(); ++g) {
    const Schedule &schedule = options.grids[g];
    if (square && schedule.rows < schedule.columns &&
        std::find(options.grids.begin(), options.grids.end(),
                  Schedule::grid(schedule.columns, schedule.rows)) !=
            options.grids.end())
      continue;
    Grid grid;
    grid.index = g;
    grid.rows = find(rowCuts, schedule.rows);
    grid.columns = find(square ? rowCuts : columnCuts, schedule.columns);
    grid.opBegin = std::max(grid.rows->opBegin, grid.columns->opBegin);
    grid.tileCount = grid.rows->parts * grid.columns->parts;
    if (grid.opBegin == end)
      continue;
    chooseTiles(grid);
    grids.push_back(std::move(grid));
  }
}

/// Puts an op in front of the group; what does not depend on a grid.
bool GroupFigures::Walk::addOp(int64_t op) {
  if (isBlocked(op))
    return false;
  applyFamilies(-1);
  opBegin = op;
  const Op &of = network.ops[op];
  const int result = of.result;
  const Tensor &made = network.tensors[result];
  const int family = sharing.family[result];
  const bool isResult = lastUse[result] >= opEnd;
  // It may lie where its operands do, and be moved as a whole behind the group.
  bool isAlias = of.copies;
  for (size_t k = 0; isAlias && k < of.operands.size(); ++k)
    isAlias = isTied(sharing, network, of, k);
  movedTilewise[op] = isResult && made.isOutput && !made.ordersAgree() &&
                      readers[result].empty() && !isAlias;
  tileMoves += movedTilewise[op] ? 1 : 0;
  resultBytes[op] = 0;
  if (family < 0 || movedTilewise[op]) {
    const int64_t bytes = rounded(made.bytes());
    resultBytes[op] = isResult ? bytes : 0;
    if (!isResult && lastUse[result] > op) {
      fullBytes -= bytes;
      deadBytes[lastUse[result] + 1] -= bytes;
    }
  }
  stepsOf[op] = of.copies ? static_cast<int64_t>(of.operands.size())
                          : int64_t{of.tileKernels};
  stepsPerTile += stepsOf[op];
  for (int tensor : bornAt[op])
    if (lastUse[tensor] > op) {
      fullBytes -= rounded(network.tensors[tensor].bytes());
      if (lastUse[tensor] < opEnd)
        deadBytes[lastUse[tensor] + 1] -=
            rounded(network.tensors[tensor].bytes());
    }
  for (int tensor : diesAt[op]) {
    if (birth[tensor] >= op)
      continue;
    const int64_t dying = rounded(network.tensors[tensor].bytes());
    fullBytes += dying;
    deadBytes[op + 1] += dying;
  }
  auto moveAtEnd = [&](int tensor) {
    const Tensor &moved = network.tensors[tensor];
    const bool isLastReader = readers[tensor].empty()
                                  ? maker[tensor] == op
                                  : readers[tensor].back() == op;
    if (!moved.isOutput || moved.ordersAgree() || !isLastReader ||
        planarResult[maker[tensor]] ||
        (maker[tensor] == op && (movedTilewise[op] || isAlias)))
      return;
    ++endMoves;
    largestEndMove = std::max(largestEndMove, rounded(moved.bytes()));
  };
  moveAtEnd(result);
  lastInput[op] = 0;
  movedAt[op].clear();
  std::vector<int> seen;
  for (const Operand &operand : of.operands) {
    const int tensor = operand.tensor;
    if (std::find(seen.begin(), seen.end(), tensor) != seen.end())
      continue;
    seen.push_back(tensor);
    moveAtEnd(tensor);
    if (!isPlanarInput(tensor) || firstMove[tensor] != op)
      continue;
    movedAt[op].push_back(tensor);
    ++tileMoves;
    if (lastUse[tensor] >= opEnd)
      continue;
    // The last tile's move is its last use.
    const int64_t inputBytes = rounded(network.tensors[tensor].bytes());
    deadBytes[lastUse[tensor] + 1] -= inputBytes;
    deadBytes[op] += inputBytes;
    lastInput[op] = inputBytes;
  }
  if (family >= 0)
    placeFamily(families[family]);
  sumUpFamilies();
  applyFamilies(1);
  firstDead = opBegin;
  while (firstDead < opEnd && deadBytes[firstDead] == 0)
    ++firstDead;
  return true;
}

void GroupFigures::Walk::addOp(Grid &grid, int64_t op) const {
  const Tensor &result = resultOf(op);
  grid.macs += network.ops[op].macsPerOutputElement * result.batch *
               result.channels * grid.rows->extents[op] *
               grid.columns->extents[op];
  for (Tile &tile : grid.tiles)
    addOp(tile, op);
}

void GroupFigures::Walk::visit(int64_t end, const Visitor &visitor) {
  applyFamilies(-1);
  familyResults.clear();
  familyDead.clear();
  begin(end);
  for (int64_t op = end - 1; op >= 0 && !grids.empty(); --op) {
    if (!addOp(op))
      return;
    const int64_t area = resultOf(op).height * resultOf(op).width;
    auto isOver = [&](const Grid &grid) {
      return op < grid.opBegin ||
             grid.rows->extents[op] * grid.columns->extents[op] >
                 options.maxRecompute * area;
    };
    grids.erase(std::remove_if(grids.begin(), grids.end(), isOver),
                grids.end());
    for (Grid &grid : grids) {
      addOp(grid, op);
      visitor(op, grid.index, figures(grid));
    }
  }
}

} // namespace snug::network
