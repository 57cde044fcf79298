// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Live bytes, work and steps of very many groups and grids, without expansion.
#ifndef SNUG_NETWORK_GROUPFIGURES_H
#define SNUG_NETWORK_GROUPFIGURES_H

#include "snug/Network/Program.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace snug::network {

/// What a run of steps does.
struct Figures {
  /// No fewer are live at one of its steps, buffers rounded up.
  int64_t peakBytes = 0;
  /// Those that are live there with all other ops whole, or nearly so.
  int64_t likelyBytes = 0;
  int64_t macs = 0;
  int64_t steps = 0; ///< each counted with the kernels that it takes
};

struct GroupFiguresOptions {
  std::vector<Schedule> grids; ///< to weigh; of two tiles at least
  int64_t alignment = 64;      ///< of every buffer
  /// No op of a group may compute more than this times its result.
  int64_t maxRecompute = 16;
};

/// Figures of grid groups and of ops that run whole, as they come out of an
/// expansion of a partition that has them: live bytes count everything that is
/// live, also what only passes by.
///
/// Work is exact. Peaks and steps do not exceed those of an expansion (but for
/// steps of operands that several concats copy to one place), and are equal to
/// them unless those depend on how other ops run: where several ops read a
/// network input or another tensor in planar order, and where tensors share
/// bytes (Storage.h), of which those count that hold what is needed.
///
/// For one end, groups are weighed from the shortest to the longest: what a
/// tile needs of an op does not depend on where its group begins, so an op in
/// front adds its own extents and the bytes of its result to what is known. Of
/// the tiles of a grid, only those are followed of which no other is as large
/// in every tensor, and of the same extents where an op may have scratch.
/// O(lifetime of a result) for each group, grid and tile followed.
class GroupFigures {
public:
  /// `untiled` is the expansion of `network` without groups.
  GroupFigures(const Network &network, const Sharing &sharing,
               const Program &untiled, GroupFiguresOptions options);
  ~GroupFigures();

  /// Of an op outside grid groups, with the moves that it needs.
  const Figures &whole(int64_t op) const { return wholeOps[op]; }

  using Visitor =
      std::function<void(int64_t opBegin, size_t grid, const Figures &figures)>;
  /// Calls `visit` for every group [opBegin, opEnd) and grid, by its index,
  /// that checkGroup() allows and that keeps to maxRecompute, longer groups
  /// later. Where rows and columns are alike throughout the network, a grid of
  /// more columns than rows is left out beside the one turned by a right angle:
  /// their figures are the same.
  void visitGroups(int64_t opEnd, const Visitor &visit);

private:
  class Walk;
  void sumUpWholeOps(const Program &untiled);
  int64_t unneededBytes(const Program &untiled, int64_t step, int64_t op) const;

  const Network &network;
  const Sharing &sharing;
  GroupFiguresOptions options;
  std::vector<Figures> wholeOps;
  std::unique_ptr<Walk> walk;
};

} // namespace snug::network

#endif // SNUG_NETWORK_GROUPFIGURES_H
