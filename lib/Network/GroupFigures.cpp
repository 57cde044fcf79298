// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks back from the end of groups and adds up what every op in front costs.
#include "GroupFigures.h"

#include "GroupNeeds.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace snug::network {

namespace {

/// What one row (or column) of tiles needs, of all ops before the end.
struct Band {
  std::vector<Interval> results;  ///< by op
  std::vector<Interval> operands; ///< by operand, numbered over all ops
};

/// All bands that a number of tiles along an axis makes.
struct Cut {
  Axis axis = Axis::Rows;
  int64_t parts = 1;
  int64_t opBegin = 0;  ///< of the longest group that may be cut so
  int64_t barrier = -1; ///< last op that such a group must not take in
  std::vector<Band> bands;
  std::vector<int64_t> extents; ///< by op: of its result, summed over bands
  /// By band: the first that is as large in every op, and whether another one
  /// is larger and nowhere smaller.
  std::vector<size_t> sameAs;
  std::vector<bool> dominated;
};

/// A tile that is followed.
struct Tile {
  const Band *rows = nullptr, *columns = nullptr;
  bool isFirst = false, isLast = false;
  int64_t mostBytes = 0;      ///< of `bytes`
  std::vector<int64_t> bytes; ///< by op: of its own buffers, live in its step
  std::vector<bool> reuses;   ///< by op: its result lies on an operand
};

struct Grid {
  size_t index = 0; ///< among the options'
  const Cut *rows = nullptr, *columns = nullptr;
  int64_t opBegin = 0;
  int64_t tileCount = 1;
  int64_t macs = 0;
  std::vector<Tile> tiles;
};

constexpr int64_t kNever = INT64_MAX;

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

class GroupFigures::Walk {
public:
  Walk(const Network &network, const GroupFiguresOptions &options);
  void visit(int64_t opEnd, const Visitor &visitor);

private:
  // Of the network.
  int64_t rounded(int64_t bytes) const {
    return (bytes + options.alignment - 1) / options.alignment *
           options.alignment;
  }
  const Tensor &resultOf(int64_t op) const {
    return network.tensors[network.ops[op].result];
  }
  bool isPlanarInput(int tensor) const {
    return maker[tensor] < 0 && !network.tensors[tensor].ordersAgree();
  }

  // Of one end.
  void begin(int64_t end);
  void walkBack(Cut &cut);
  bool walkBack(Cut &cut, int64_t op);
  void compareBands(Cut &cut) const;
  void chooseTiles(Grid &grid) const;
  void addOp(int64_t op);
  void addOp(Grid &grid, int64_t op) const;
  void addOp(Tile &tile, int64_t op) const;
  void addInput(Tile &tile, int tensor, int64_t op) const;
  void addReuse(Tile &tile, int64_t reader, int tensor) const;
  int64_t tileBytes(const Tile &tile, int64_t op) const;
  int64_t workspace(const Tile &tile, int64_t op) const;
  bool reusesOutside(const Tile &tile, int64_t op) const;
  int64_t edgePeak(const Tile &tile) const;
  Figures figures(const Grid &grid) const;

  const Network &network;
  const GroupFiguresOptions &options;
  int64_t opCount;
  std::vector<int64_t> maker;   ///< by tensor: op, -1 for inputs
  std::vector<int64_t> lastUse; ///< by tensor: op, kNever for outputs
  std::vector<std::vector<int64_t>> readers; ///< by tensor, ascending
  std::vector<size_t> firstOperand;          ///< by op
  std::vector<std::vector<int>> diesAt;      ///< by op: tensors
  /// By op: bytes depend on what a tile reads, not only on what it makes.
  std::vector<bool> viewsMatter;
  std::vector<bool> planarResult;    ///< by op
  std::vector<bool> hasInPlace;      ///< by op: some operand
  std::vector<bool> mayReuseOutside; ///< by op: an operand dies in place
  /// Where the network is square, column cuts are row cuts, and a grid is as
  /// good as the one turned by a right angle.
  bool square = false;
  std::vector<Cut> rowCuts, columnCuts;

  int64_t opBegin = 0, opEnd = 0;  ///< the group
  std::vector<int64_t> lastInside; ///< by op: last reader before the end, or -1
  std::vector<Grid> grids;
  /// Full buffers live through the group; by op, of the group's results, and of
  /// what lies outside and is dead from this op on, at the last tile.
  int64_t fullBytes = 0, behindBytes = 0;
  std::vector<int64_t> resultBytes, deadBytes;
  std::vector<int64_t> lastInput;  ///< by op: bytes of the input it moves last
  std::vector<bool> movedTilewise; ///< by op: the result is a planar output
  int64_t tileMoves = 0, endMoves = 0, largestEndMove = 0;
};

GroupFigures::Walk::Walk(const Network &network,
                         const GroupFiguresOptions &options)
    : network(network), options(options),
      opCount(static_cast<int64_t>(network.ops.size())),
      maker(network.tensors.size(), -1), lastUse(network.tensors.size(), -1),
      readers(network.tensors.size()), diesAt(network.ops.size()) {
  size_t operands = 0;
  for (int64_t i = 0; i < opCount; ++i) {
    const Op &op = network.ops[i];
    firstOperand.push_back(operands);
    operands += op.operands.size();
    maker[op.result] = lastUse[op.result] = i;
    for (const Operand &operand : op.operands) {
      lastUse[operand.tensor] = i;
      if (readers[operand.tensor].empty() || readers[operand.tensor].back() < i)
        readers[operand.tensor].push_back(i);
    }
  }
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    if (network.tensors[t].isOutput)
      lastUse[t] = kNever;
    else if (lastUse[t] >= 0)
      diesAt[lastUse[t]].push_back(static_cast<int>(t));
  }
  for (int64_t i = 0; i < opCount; ++i) {
    const std::vector<Operand> &operandsOf = network.ops[i].operands;
    planarResult.push_back(writesPlanar(network.ops[i]));
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
}

/// Needs of an op under a cut; false where no group that begins here or before
/// may be cut so.
bool GroupFigures::Walk::walkBack(Cut &cut, int64_t index) {
  const Op &op = network.ops[index];
  if (planarResult[index] || !op.costKnown || index <= cut.barrier)
    return false;
  const int64_t extent = extentOf(network.tensors[op.result], cut.axis);
  std::vector<Interval> shares;
  if (lastUse[op.result] >= opEnd) {
    if (cut.parts > extent)
      return false;
    shares = split(extent, cut.parts);
  }
  cut.extents[index] = 0;
  for (size_t b = 0; b < cut.bands.size(); ++b) {
    Band &band = cut.bands[b];
    Interval &result = band.results[index];
    // Readers are behind, so theirs is known.
    result = shares.empty() ? Interval{} : shares[b];
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
      if (needsWhole(op.operands[k], cut.axis, cut.parts))
        cut.barrier = std::max(cut.barrier, maker[op.operands[k].tensor]);
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
  while (cut.opBegin > 0 && walkBack(cut, cut.opBegin - 1))
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
    if (maker[t] < end && lastUse[t] >= end)
      fullBytes += rounded(network.tensors[t].bytes());
  behindBytes = fullBytes;
  tileMoves = endMoves = largestEndMove = 0;
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

/// The reader's result lies on a buffer of the tile's own, which must be used
/// whole and for the last time.
void GroupFigures::Walk::addReuse(Tile &tile, int64_t reader,
                                  int tensor) const {
  if (tile.reuses[reader] || !hasInPlace[reader])
    return;
  const Op &op = network.ops[reader];
  const Tensor &result = resultOf(reader), &from = network.tensors[tensor];
  Interval rows, columns;
  bool inPlace = false;
  for (int64_t other : readers[tensor]) {
    if (other < opBegin || other > reader)
      continue;
    const std::vector<Operand> &operands = network.ops[other].operands;
    for (size_t k = 0; k < operands.size(); ++k)
      if (operands[k].tensor == tensor) {
        rows = rows.hull(tile.rows->operands[firstOperand[other] + k]);
        columns = columns.hull(tile.columns->operands[firstOperand[other] + k]);
      }
  }
  for (size_t k = 0; k < op.operands.size(); ++k)
    if (op.operands[k].tensor == tensor) {
      if (!op.operands[k].inPlace)
        return;
      inPlace |= tile.rows->operands[firstOperand[reader] + k] == rows &&
                 tile.columns->operands[firstOperand[reader] + k] == columns;
    }
  const bool isFull = lastUse[op.result] >= opEnd && !movedTilewise[reader];
  if (!inPlace || planarResult[reader] ||
      (isFull &&
       (!tile.isFirst || tile.rows->results[reader].size() != result.height ||
        tile.columns->results[reader].size() != result.width)))
    return;
  if (from.batch * from.channels * rows.size() * columns.size() !=
      result.batch * result.channels * tile.rows->results[reader].size() *
          tile.columns->results[reader].size())
    return;
  tile.reuses[reader] = true;
  tile.bytes[reader] -= tileBytes(tile, reader);
}

/// A network input of which every tile moves a part into channels-last order.
void GroupFigures::Walk::addInput(Tile &tile, int tensor, int64_t op) const {
  Interval rows, columns;
  int64_t last = op;
  for (int64_t reader : readers[tensor]) {
    if (reader < opBegin || reader >= opEnd)
      continue;
    last = reader;
    const std::vector<Operand> &operands = network.ops[reader].operands;
    for (size_t k = 0; k < operands.size(); ++k)
      if (operands[k].tensor == tensor) {
        rows = rows.hull(tile.rows->operands[firstOperand[reader] + k]);
        columns =
            columns.hull(tile.columns->operands[firstOperand[reader] + k]);
      }
  }
  const Tensor &of = network.tensors[tensor];
  const int64_t bytes = rounded(of.batch * of.channels * kElementBytes *
                                rows.size() * columns.size());
  for (int64_t i = op; i <= last; ++i)
    tile.bytes[i] += bytes;
}

void GroupFigures::Walk::addOp(Tile &tile, int64_t index) const {
  const Op &op = network.ops[index];
  const bool isResult = lastUse[op.result] >= opEnd;
  const int64_t last = isResult ? index : std::max(lastInside[index], index);
  int64_t bytes = 0;
  if (!isResult || movedTilewise[index])
    bytes = tileBytes(tile, index);
  tile.bytes[index] = workspace(tile, index);
  tile.reuses[index] = false;
  for (int64_t i = index; i <= last; ++i)
    tile.bytes[i] += bytes;
  if (!isResult)
    addReuse(tile, last, op.result);
  int64_t lastChanged = last;
  for (const Operand &operand : op.operands)
    if (isPlanarInput(operand.tensor) &&
        readers[operand.tensor].front() == index) {
      if (&operand != &*std::find_if(op.operands.begin(), op.operands.end(),
                                     [&](const Operand &other) {
                                       return other.tensor == operand.tensor;
                                     }))
        continue; // counted before
      addInput(tile, operand.tensor, index);
      const std::vector<int64_t> &of = readers[operand.tensor];
      const int64_t lastReader =
          *std::prev(std::lower_bound(of.begin(), of.end(), opEnd));
      addReuse(tile, lastReader, operand.tensor);
      lastChanged = std::max(lastChanged, lastReader);
    }
  for (int64_t i = index; i <= lastChanged; ++i)
    tile.mostBytes = std::max(tile.mostBytes, tile.bytes[i]);
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
    bool inPlace =
        lastUse[tensor] == index && maker[tensor] < opBegin &&
        (!isPlanarInput(tensor) || readers[tensor].front() < opBegin) &&
        tile.rows->operands[at].size() == from.height &&
        tile.columns->operands[at].size() == from.width &&
        from.batch * from.channels * from.height * from.width ==
            result.batch * result.channels * tile.rows->results[index].size() *
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
        peak = std::max(peak, fullBytes - unwritten - dead + lastInput[i] +
                                  tile.bytes[i] - made);
      }
    }
    int64_t live = fullBytes - unwritten - dead + tile.bytes[i];
    if (tile.isLast && mayReuseOutside[i] && reusesOutside(tile, i))
      live -= tileBytes(tile, i);
    peak = std::max(peak, live);
    if (tile.isFirst && movedTilewise[i]) {
      unwritten -= resultBytes[i];
      peak = std::max(peak, fullBytes - unwritten - dead -
                                (tile.isLast ? deadBytes[i + 1] : 0) +
                                tileBytes(tile, i));
    }
  }
  return peak;
}

Figures GroupFigures::Walk::figures(const Grid &grid) const {
  Figures figures;
  figures.macs = grid.macs;
  figures.steps = grid.tileCount * (opEnd - opBegin + tileMoves) + endMoves;
  for (const Tile &tile : grid.tiles)
    figures.peakBytes =
        std::max(figures.peakBytes, tile.isFirst || tile.isLast
                                        ? edgePeak(tile)
                                        : fullBytes + tile.mostBytes);
  if (endMoves > 0)
    figures.peakBytes =
        std::max(figures.peakBytes, behindBytes + largestEndMove);
  return figures;
}

/// Puts an op in front of the group; what does not depend on a grid.
void GroupFigures::Walk::addOp(int64_t op) {
  opBegin = op;
  const int result = network.ops[op].result;
  const Tensor &of = network.tensors[result];
  const int64_t bytes = rounded(of.bytes());
  const bool isResult = lastUse[result] >= opEnd;
  resultBytes[op] = isResult ? bytes : 0;
  movedTilewise[op] = isResult && of.isOutput && !of.ordersAgree() &&
                      readers[result].empty() && !writesPlanar(network.ops[op]);
  tileMoves += movedTilewise[op] ? 1 : 0;
  if (!isResult && lastUse[result] > op) {
    fullBytes -= bytes;
    deadBytes[lastUse[result] + 1] -= bytes;
  }
  for (int tensor : diesAt[op]) {
    if (maker[tensor] == op)
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
        writesPlanar(network.ops[maker[tensor]]) ||
        (maker[tensor] == op && movedTilewise[op]))
      return;
    ++endMoves;
    largestEndMove = std::max(largestEndMove, rounded(moved.bytes()));
  };
  moveAtEnd(result);
  lastInput[op] = 0;
  const std::vector<Operand> &operands = network.ops[op].operands;
  for (size_t k = 0; k < operands.size(); ++k) {
    const int tensor = operands[k].tensor;
    bool seen = false;
    for (size_t l = 0; l < k; ++l)
      seen |= operands[l].tensor == tensor;
    if (seen)
      continue;
    moveAtEnd(tensor);
    if (isPlanarInput(tensor) && readers[tensor].front() == op) {
      ++tileMoves;
      const int64_t inputBytes = rounded(network.tensors[tensor].bytes());
      if (lastUse[tensor] < opEnd) { // the last tile's move is its last use
        deadBytes[lastUse[tensor] + 1] -= inputBytes;
        deadBytes[op] += inputBytes;
        lastInput[op] = inputBytes;
      }
    }
  }
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
  begin(end);
  for (int64_t op = end - 1; op >= 0 && !grids.empty(); --op) {
    addOp(op);
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

GroupFigures::GroupFigures(const Network &network, const Program &untiled,
                           GroupFiguresOptions options)
    : network(network), options(std::move(options)),
      walk(std::make_unique<Walk>(network, this->options)) {
  sumUpWholeOps(untiled);
}

GroupFigures::~GroupFigures() = default;

/// A move into another order serves the op behind it; one into an output of the
/// network, the op before it.
void GroupFigures::sumUpWholeOps(const Program &untiled) {
  wholeOps.resize(network.ops.size());
  const std::vector<int64_t> live = untiled.liveBytes(options.alignment);
  const int64_t steps = static_cast<int64_t>(untiled.steps.size());
  std::vector<int> serves(untiled.steps.size(), -1);
  int op = -1;
  for (int64_t i = steps; i-- > 0;) {
    if (untiled.steps[i].op >= 0)
      op = untiled.steps[i].op;
    serves[i] = op;
  }
  op = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const Step &step = untiled.steps[i];
    if (step.op >= 0)
      op = step.op;
    if (step.op < 0 &&
        untiled.buffers[step.output.buffer].role == Buffer::Role::Output)
      serves[i] = op;
    Figures &figures = wholeOps[serves[i]];
    figures.peakBytes = std::max(figures.peakBytes, live[i]);
    figures.macs += step.macs;
    ++figures.steps;
  }
}

void GroupFigures::visitGroups(int64_t opEnd, const Visitor &visit) {
  walk->visit(opEnd, visit);
}

} // namespace snug::network
