// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the steps of a partition one by one.
#ifndef SNUG_LIB_NETWORK_EXPANDER_H
#define SNUG_LIB_NETWORK_EXPANDER_H

#include "GroupNeeds.h"
#include "snug/Network/Program.h"

#include <vector>

namespace snug::network {

/// A part of a tensor: all of its batch and channels.
struct Part {
  Interval rows, columns;
};

/// Expands one partition. Network and partition must have passed their checks.
class Expander {
public:
  Expander(const Network &network, const Sharing &sharing);

  Program run(const Partition &partition);

private:
  /// Where a tensor lies channels-last: a buffer, and its first channel there.
  struct Place {
    int buffer = -1;
    int64_t channel = 0;
  };
  /// A grid group while it runs, and the tile that runs.
  struct Tile {
    const GroupTensors *tensors;
    const AxisNeeds *rows, *columns;
    size_t operand = 0; ///< first of the op at hand in GroupTensors::operands
  };
  /// Channels of a buffer that hold a copy of an operand's.
  struct Copy {
    int buffer, tensor;
    int64_t channel;
    Interval from;
    Part part;
  };

  void runWhole(int64_t opBegin, int64_t opEnd);
  void runGrid(const Group &group);
  void runTile(const Group &group, const GroupTensors &tensors,
               const AxisNeeds &rows, const AxisNeeds &columns);
  void runOp(int64_t op);
  void runKernel(int64_t op);
  void runReshape(int64_t op);
  void runCopies(int64_t op);
  bool isCopied(const Copy &copy) const;
  void addOp(int64_t op, std::vector<View> inputs, const Needed &rows,
             const Needed &columns, View output);
  void addMove(const View &from, const View &to);
  void addCopy(int64_t op, size_t operand, const View &from, const View &to);
  void addStep(Step step);
  void moveOutputs(int64_t opBegin, int64_t opEnd);
  void findReuses();

  int addBuffer(Buffer::Role role, int tensor, Layout layout, const Part &part);
  /// The buffer that a tensor and all that is tied to it lie in, made on first
  /// use.
  Place makePlace(int tensor);
  /// Where the tensor is channels-last already; no buffer if it is not.
  Place findPlace(int tensor) const;
  /// The same, after a move where it only lies in planar order.
  Place readPlace(int tensor);
  /// The buffer of all that share the tensor's planar bytes, made on first use.
  int makePlanar(int tensor);
  /// Buffer in which it lies densely in planar order already, or -1.
  int findPlanar(int tensor);
  int readPlanar(int tensor);
  bool isLocal(int tensor) const;

  Needed needed(const Op &op, size_t operand, Axis axis) const;
  Part partOf(int tensor) const;
  Part full(int tensor) const;
  View view(int tensor, const Place &place, const Part &part) const;
  View planarView(int tensor, int buffer, const Part &part) const;

  const Network &network;
  const Sharing &sharing;
  Placement placement;
  Program program;
  /// By root of Placement: the tensors that lie together, if several, the
  /// channels that they span, the buffer.
  std::vector<std::vector<int>> members;
  std::vector<Interval> span;
  std::vector<int> buffers;
  /// By tensor that lies alone: its channels-last copy of full extents, where
  /// it lies in planar order at first, and the one of the tile at hand.
  std::vector<int> moved, movedInTile;
  /// By planar root.
  std::vector<int> planar;
  std::vector<Copy> copies;
  /// What to forget behind a tile.
  std::vector<int> rootsOfTile, movesOfTile;
  const Tile *current = nullptr;
  int group = -1, tile = -1;
};

} // namespace snug::network

#endif // SNUG_LIB_NETWORK_EXPANDER_H
