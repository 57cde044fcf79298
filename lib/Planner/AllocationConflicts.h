// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which buffers keep each other from which offsets; shared by the solvers.
#ifndef SNUG_LIB_PLANNER_ALLOCATIONCONFLICTS_H
#define SNUG_LIB_PLANNER_ALLOCATIONCONFLICTS_H

#include "snug/Planner/Allocation.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace snug::planner {

using Offsets = std::vector<int64_t>;

/// Offsets strictly between the two are forbidden.
using OffsetInterval = std::pair<int64_t, int64_t>;

/// Conflicts between the buffers of a problem: lifetimes that meet, less the
/// leave that overlaps give, and separations. Empty buffers have none.
class Conflicts {
public:
  explicit Conflicts(const AllocationProblem &problem);

  /// Adds what `other` at `offset` forbids `buffer`. Where conflicts are
  /// listed, `other` must be one of the buffer's neighbours.
  void forbid(int buffer, int other, int64_t offset,
              std::vector<OffsetInterval> &taken) const;

  /// Whether all of both clusters may lie at one offset.
  bool mayShareOffset(const std::vector<int> &a,
                      const std::vector<int> &b) const;

  /// Whether no overlap or separation speaks of the buffer.
  bool isPlain(int buffer) const { return !special[buffer]; }

  /// False where there are too many conflicts to list by buffer.
  bool listed() const { return isListed; }

  struct Range {
    const int *first, *last;
    const int *begin() const { return first; }
    const int *end() const { return last; }
  };
  /// Those that `buffer` conflicts with; only if listed.
  Range neighbours(int buffer) const {
    return {all.data() + starts[buffer], all.data() + starts[buffer + 1]};
  }

private:
  void list();
  void forbidOverlap(const AllocationOverlap &overlap, bool isOutput,
                     int64_t offset, std::vector<OffsetInterval> &taken) const;

  const AllocationProblem &problem;
  std::map<std::pair<int, int>, int> overlapOf; ///< by ascending buffers
  std::set<std::pair<int, int>> separated;      ///< ascending buffers
  std::vector<bool> special;
  bool isListed = true;
  std::vector<size_t> starts;
  std::vector<int> all;
};

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_ALLOCATIONCONFLICTS_H
