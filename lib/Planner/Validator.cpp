// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks an address assignment. Shares no code with any solver.
#include "snug/Planner/Allocation.h"

#include <algorithm>

namespace snug::planner {

namespace {

/// "'a' at [0, 64)", bytes in the arena.
std::string placed(const AllocationBuffer &buffer, int64_t offset) {
  return "'" + buffer.name + "' at [" + std::to_string(offset) + ", " +
         std::to_string(offset + buffer.bytes) + ")";
}

} // namespace

std::string verify(const AllocationProblem &problem,
                   const AllocationSolution &solution) {
  const std::vector<AllocationBuffer> &buffers = problem.buffers;
  if (solution.offsets.size() != buffers.size())
    return "there are " + std::to_string(buffers.size()) + " buffers, but " +
           std::to_string(solution.offsets.size()) + " offsets";
  if (solution.peak < solution.lowerBound)
    return "the peak of " + std::to_string(solution.peak) +
           " bytes is below the stated lower bound of " +
           std::to_string(solution.lowerBound);
  if (solution.proved && solution.peak != solution.lowerBound)
    return "the peak of " + std::to_string(solution.peak) +
           " bytes is said to be proved, but the lower bound is " +
           std::to_string(solution.lowerBound);

  std::vector<size_t> byBegin;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const AllocationBuffer &buffer = buffers[i];
    const int64_t offset = solution.offsets[i];
    if (buffer.bytes < 0 || buffer.begin >= buffer.end)
      return "buffer '" + buffer.name +
             "' has a negative size or an empty lifetime";
    if (offset < 0)
      return "buffer '" + buffer.name + "' has no offset";
    if (buffer.alignment < 1 || offset % buffer.alignment != 0)
      return "buffer '" + buffer.name + "' at offset " +
             std::to_string(offset) + " is not aligned to " +
             std::to_string(buffer.alignment) + " bytes";
    // Subtracting, since the sum may overflow.
    if (offset > solution.peak || buffer.bytes > solution.peak - offset)
      return "buffer '" + buffer.name + "' of " + std::to_string(buffer.bytes) +
             " bytes at offset " + std::to_string(offset) +
             " ends beyond the peak of " + std::to_string(solution.peak);
    byBegin.push_back(i);
  }

  // Every pair that lives at the same time is live together when the later of
  // the two begins.
  std::sort(byBegin.begin(), byBegin.end(), [&](size_t a, size_t b) {
    return buffers[a].begin != buffers[b].begin
               ? buffers[a].begin < buffers[b].begin
               : a < b;
  });
  std::vector<size_t> alive;
  for (size_t later : byBegin) {
    std::vector<size_t> still;
    for (size_t earlier : alive) {
      if (buffers[earlier].end <= buffers[later].begin)
        continue;
      still.push_back(earlier);
      const int64_t a = solution.offsets[earlier], b = solution.offsets[later];
      if (buffers[earlier].bytes > 0 && buffers[later].bytes > 0 &&
          a < b + buffers[later].bytes && b < a + buffers[earlier].bytes)
        return "buffers " + placed(buffers[earlier], a) + " and " +
               placed(buffers[later], b) + " overlap and both live at " +
               std::to_string(buffers[later].begin);
    }
    alive = std::move(still);
    alive.push_back(later);
  }
  return "";
}

} // namespace snug::planner
