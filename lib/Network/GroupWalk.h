// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walk back from one end of groups, which takes their figures.
#ifndef SNUG_LIB_NETWORK_GROUPWALK_H
#define SNUG_LIB_NETWORK_GROUPWALK_H

#include "snug/Network/GroupFigures.h"

#include "GroupNeeds.h"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace snug::network {

namespace walk {

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
  int64_t barrier = -1; ///< the last op whose result is needed whole
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
  int64_t mostBytes = 0, mostOp = 0; ///< of `bytes`, and where
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

/// Tensors of one family that lie in one buffer of a tile.
struct Component {
  std::vector<int> members;
  int64_t first = 0, last = 0; ///< ops that make and read it
  int64_t channelBegin = 0, channels = 0;

  bool operator==(const Component &other) const {
    return members == other.members;
  }
};

/// A family of tensors that may share bytes, and where it lies for the group at
/// hand.
struct Family {
  std::vector<int> members;             ///< by their first channel
  int64_t first = 0, last = 0;          ///< of their makers and readers
  std::vector<int64_t> copies, inPlace; ///< ops that touch it
  std::vector<Component> local;
  std::vector<Component> added, dropped; ///< by the op added last
};

} // namespace walk

/// Carries what all tiles need while ops are put in front of the group.
class GroupFigures::Walk {
  using Band = walk::Band;
  using Cut = walk::Cut;
  using Tile = walk::Tile;
  using Grid = walk::Grid;
  using Component = walk::Component;
  using Family = walk::Family;
  static constexpr int64_t kNever = walk::kNever;

public:
  Walk(const Network &network, const Sharing &sharing,
       const GroupFiguresOptions &options);
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
  /// Lies in planar order at first, so that it has to be moved.
  bool isPlanarInput(int tensor) const {
    return (maker[tensor] < 0 || planarResult[maker[tensor]]) &&
           !network.tensors[tensor].ordersAgree();
  }
  bool isInside(int tensor) const {
    return maker[tensor] >= opBegin && maker[tensor] < opEnd;
  }
  int64_t channelBytes(int tensor, int64_t channels) const {
    const Tensor &of = network.tensors[tensor];
    return rounded(of.batch * channels * of.height * of.width * kElementBytes);
  }

  // Of one end.
  void begin(int64_t end);
  bool isBlocked(int64_t op) const;
  void collectFamilies();
  void placeFamily(Family &family);
  template <typename Counts>
  int64_t unionBytes(const Family &family, const Counts &counts) const;
  void sumUpFamilies();
  void applyFamilies(int sign);
  void walkBack(Cut &cut);
  bool walkBack(Cut &cut, int64_t op);
  void compareBands(Cut &cut) const;
  void chooseTiles(Grid &grid) const;
  bool addOp(int64_t op);
  void addOp(Grid &grid, int64_t op) const;
  void addOp(Tile &tile, int64_t op) const;
  void addComponent(Tile &tile, const Component &component, int sign) const;
  /// A buffer of a tile's own, as far as the group at hand has it.
  struct Local {
    bool isWhole = false; ///< the tensor takes all of it
    Interval rows, columns;
    int64_t first = 0, last = 0;
  };
  Local localOf(const Tile &tile, int tensor) const;
  void updateReuse(Tile &tile, int64_t op) const;
  int64_t tileBytes(const Tile &tile, int64_t op) const;
  int64_t workspace(const Tile &tile, int64_t op) const;
  bool reusesOutside(const Tile &tile, int64_t op) const;
  int64_t edgePeak(const Tile &tile) const;
  Figures figures(const Grid &grid) const;

  const Network &network;
  const Sharing &sharing;
  const GroupFiguresOptions &options;
  int64_t opCount;
  std::vector<int64_t> maker;   ///< by tensor: op, -1 for inputs
  std::vector<int64_t> lastUse; ///< by tensor: op, kNever for outputs
  std::vector<std::vector<int64_t>> readers; ///< by tensor, ascending
  std::vector<size_t> firstOperand;          ///< by op
  /// By op: tensors of no family that it reads last, and those whose bytes are
  /// another's (a reshape's) until it has run; by tensor, that op or the maker.
  std::vector<std::vector<int>> diesAt, bornAt;
  std::vector<int64_t> birth;
  /// By tensor in planar order: the first op that has it moved. Ops that copy
  /// read it as it lies.
  std::vector<int64_t> firstMove;
  std::vector<std::vector<int>> movedAt; ///< by op, in each tile
  std::vector<Family> families;
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
  int64_t firstDead = 0; ///< the first op at which any of that is dead
  /// The same for families: of the group at hand, set for a while.
  int64_t familyBytes = 0, familyBehind = 0, likelyBytes = 0;
  std::vector<std::pair<int64_t, int64_t>> familyResults, familyDead;
  std::vector<int> componentOf; ///< by tensor: in its family, or -1
  std::vector<bool> isLocal;    ///< by tensor of a family
  std::vector<int64_t> stepsOf; ///< by op, in each tile
  int64_t stepsPerTile = 0;
  std::vector<int64_t> lastInput;  ///< by op: bytes of the input it moves last
  std::vector<bool> movedTilewise; ///< by op: the result is a planar output
  int64_t tileMoves = 0, endMoves = 0, largestEndMove = 0;
};

} // namespace snug::network

#endif // SNUG_LIB_NETWORK_GROUPWALK_H
