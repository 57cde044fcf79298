// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks an address assignment. Shares no code with any solver.
#include "snug/Planner/Allocation.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace snug::planner {

namespace {

class Validator {
public:
  Validator(const AllocationProblem &problem,
            const AllocationSolution &solution)
      : problem(problem), buffers(problem.buffers), solution(solution) {}
  std::string run();

private:
  std::string checkFigures() const;
  std::string checkBuffer(size_t index) const;
  std::string checkSweep();
  std::string insert(size_t index);
  std::string clash(size_t earlier, size_t later) const;
  bool mayOverlap(size_t a, size_t b) const;
  std::string checkPages() const;

  int64_t offset(size_t index) const { return solution.offsets[index]; }
  bool touch(size_t a, size_t b) const;
  std::string placed(size_t index) const;

  const AllocationProblem &problem;
  const std::vector<AllocationBuffer> &buffers;
  const AllocationSolution &solution;
  std::multimap<size_t, size_t> overlapsOf; ///< by either of the two buffers
  /// Live at one moment: those that overlap nothing by offset, so that the
  /// neighbours of a newcomer are all that it can touch; and the others.
  std::map<int64_t, size_t> byOffset;
  std::vector<size_t> mayBeShared;
};

/// "'a' at [0, 64)", bytes in the arena.
std::string Validator::placed(size_t index) const {
  return "'" + buffers[index].name + "' at [" + std::to_string(offset(index)) +
         ", " + std::to_string(offset(index) + buffers[index].bytes) + ")";
}

std::string Validator::checkFigures() const {
  if (solution.offsets.size() != buffers.size())
    return "there are " + std::to_string(buffers.size()) + " buffers, but " +
           std::to_string(solution.offsets.size()) + " offsets";
  const std::string peak =
      "the peak of " + std::to_string(solution.peak) + " bytes is ";
  const std::string bound = std::to_string(solution.lowerBound);
  if (solution.peak < solution.lowerBound)
    return peak + "below the stated lower bound of " + bound;
  if (solution.proved && solution.peak != solution.lowerBound)
    return peak + "said to be proved, but the lower bound is " + bound;
  if (solution.status == AllocationStatus::Optimal && !solution.proved)
    return peak + "said to be the least, but is not proved";
  if (solution.status == AllocationStatus::Infeasible &&
      solution.conflict.empty())
    return "the capacity is said to be too small, but no buffers are to blame";
  for (int index : solution.conflict)
    if (index < 0 || static_cast<size_t>(index) >= buffers.size())
      return "buffer " + std::to_string(index) +
             " is to blame, but there are " + std::to_string(buffers.size());
  return "";
}

std::string Validator::checkBuffer(size_t index) const {
  const AllocationBuffer &buffer = buffers[index];
  const std::string name = "buffer '" + buffer.name + "'";
  if (buffer.bytes < 0 || buffer.begin >= buffer.end)
    return name + " has a negative size or an empty lifetime";
  if (offset(index) < 0)
    return name + " has no offset";
  const std::string where =
      name + " at offset " + std::to_string(offset(index));
  if (buffer.fixedOffset && *buffer.fixedOffset != offset(index))
    return where + " is fixed at offset " + std::to_string(*buffer.fixedOffset);
  if (buffer.alignment < 1 || offset(index) % buffer.alignment != 0)
    return where + " is not aligned to " + std::to_string(buffer.alignment) +
           " bytes";
  // Subtracting, since the sum may overflow.
  if (offset(index) > solution.peak ||
      buffer.bytes > solution.peak - offset(index))
    return name + " of " + std::to_string(buffer.bytes) + " bytes at offset " +
           std::to_string(offset(index)) + " ends beyond the peak of " +
           std::to_string(solution.peak);
  return "";
}

bool Validator::touch(size_t a, size_t b) const {
  return offset(a) < offset(b) + buffers[b].bytes &&
         offset(b) < offset(a) + buffers[a].bytes;
}

/// Whether the problem gives them leave to overlap as they do.
bool Validator::mayOverlap(size_t a, size_t b) const {
  auto [first, last] = overlapsOf.equal_range(a);
  for (auto it = first; it != last; ++it) {
    const AllocationOverlap &overlap = problem.overlaps[it->second];
    const size_t input = overlap.input, output = overlap.output;
    if (!(input == a && output == b) && !(input == b && output == a))
      continue;
    // Reads end with the step in which writes begin, or the kernel's word does
    // not hold.
    if (buffers[input].end != buffers[output].begin + 1)
      continue;
    // Offsets are not negative: their difference does not overflow.
    const int64_t ahead = offset(input) - offset(output);
    if (overlap.exact ? ahead == 0 : overlap.distance <= ahead)
      return true;
  }
  return false;
}

std::string Validator::clash(size_t earlier, size_t later) const {
  if (!touch(earlier, later) || mayOverlap(earlier, later))
    return "";
  return "buffers " + placed(earlier) + " and " + placed(later) +
         " overlap and both live at " + std::to_string(buffers[later].begin);
}

/// A buffer comes to life: it must not clash with any that lives.
std::string Validator::insert(size_t index) {
  for (size_t other : mayBeShared)
    if (std::string why = clash(other, index); !why.empty())
      return why;
  const bool shares = overlapsOf.count(index) > 0;
  const int64_t end = offset(index) + buffers[index].bytes;
  auto next = byOffset.lower_bound(offset(index));
  if (next != byOffset.begin())
    if (std::string why = clash(std::prev(next)->second, index); !why.empty())
      return why;
  for (; next != byOffset.end() && next->first < end; ++next)
    if (std::string why = clash(next->second, index); !why.empty())
      return why;
  if (shares)
    mayBeShared.push_back(index);
  else
    byOffset[offset(index)] = index;
  return "";
}

/// Walks through time, with those that live in between.
std::string Validator::checkSweep() {
  std::vector<size_t> byBegin, byEnd;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].bytes > 0)
      byBegin.push_back(i);
  byEnd = byBegin;
  std::stable_sort(byBegin.begin(), byBegin.end(), [&](size_t a, size_t b) {
    return buffers[a].begin < buffers[b].begin;
  });
  std::stable_sort(byEnd.begin(), byEnd.end(), [&](size_t a, size_t b) {
    return buffers[a].end < buffers[b].end;
  });
  size_t ended = 0;
  for (size_t index : byBegin) {
    for (; buffers[byEnd[ended]].end <= buffers[index].begin; ++ended) {
      const size_t dead = byEnd[ended];
      if (overlapsOf.count(dead) > 0)
        mayBeShared.erase(
            std::find(mayBeShared.begin(), mayBeShared.end(), dead));
      else
        byOffset.erase(offset(dead));
    }
    if (std::string why = insert(index); !why.empty())
      return why;
  }
  return "";
}

std::string Validator::checkPages() const {
  const int64_t page = problem.pageBytes;
  for (const AllocationSeparation &separation : problem.separations) {
    const size_t a = separation.first, b = separation.second;
    if (buffers[a].bytes == 0 || buffers[b].bytes == 0)
      continue;
    const int64_t lastOfA = (offset(a) + buffers[a].bytes - 1) / page;
    const int64_t lastOfB = (offset(b) + buffers[b].bytes - 1) / page;
    if (offset(a) / page <= lastOfB && offset(b) / page <= lastOfA)
      return "buffers " + placed(a) + " and " + placed(b) +
             " share a page of " + std::to_string(page) + " bytes and must not";
  }
  return "";
}

std::string Validator::run() {
  if (std::string why = checkFigures(); !why.empty())
    return why;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (std::string why = checkBuffer(i); !why.empty())
      return why;
  for (size_t i = 0; i < problem.overlaps.size(); ++i) {
    overlapsOf.insert({problem.overlaps[i].input, i});
    overlapsOf.insert({problem.overlaps[i].output, i});
  }
  if (std::string why = checkSweep(); !why.empty())
    return why;
  return checkPages();
}

} // namespace

std::string verify(const AllocationProblem &problem,
                   const AllocationSolution &solution) {
  return Validator(problem, solution).run();
}

} // namespace snug::planner
