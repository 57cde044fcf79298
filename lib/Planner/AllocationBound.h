// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lower bound of the peak of an address assignment; small helpers of solvers.
#ifndef SNUG_LIB_PLANNER_ALLOCATIONBOUND_H
#define SNUG_LIB_PLANNER_ALLOCATIONBOUND_H

#include "snug/Planner/Allocation.h"

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace snug::planner {

inline int64_t roundUp(int64_t bytes, int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Indices 0 .. count - 1.
inline std::vector<int> indices(size_t count) {
  std::vector<int> result(count);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

inline bool liveTogether(const AllocationBuffer &a, const AllocationBuffer &b) {
  return a.begin < b.end && b.begin < a.end;
}

/// By how much the output must lie below the input if the two are to share
/// bytes, clamped to what makes a difference: [-input, output] bytes.
int64_t clampedDistance(const AllocationProblem &problem,
                        const AllocationOverlap &overlap);

/// What an overlap can save at most in its step, with sizes rounded up to
/// `unit`, of which all offsets are multiples.
int64_t largestSaving(const AllocationProblem &problem,
                      const AllocationOverlap &overlap, int64_t unit);

struct PeakBound {
  int64_t bytes = 0; ///< no assignment has a smaller peak
  int64_t time = 0;  ///< where that is reached first
};

/// The largest, over all times, of what the buffers live then must take. Sizes
/// count rounded up to the smallest alignment among them, but for the topmost;
/// what overlaps can save at most is deducted; what does not fit between fixed
/// buffers goes above them. O(n log n) for the sums, and the live buffers of
/// the times whose sum comes close to the largest.
PeakBound boundPeak(const AllocationProblem &problem);

/// Indices of the buffers that are live at `time`, ascending.
std::vector<int> liveAt(const AllocationProblem &problem, int64_t time);

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_ALLOCATIONBOUND_H
