// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conflicts between buffers, found in one sweep over their lifetimes.
#include "AllocationConflicts.h"
#include "AllocationBound.h"

#include <algorithm>
#include <numeric>

namespace snug::planner {

namespace {

/// Pairs that fit into some tens of megabytes; beyond, walking over all buffers
/// that are placed already costs little more than their lists would.
constexpr int64_t kMostListedPairs = 4'000'000;

int64_t countPairs(const AllocationProblem &problem) {
  std::vector<int64_t> begins, ends;
  for (const AllocationBuffer &buffer : problem.buffers) {
    begins.push_back(buffer.begin);
    ends.push_back(buffer.end);
  }
  std::sort(begins.begin(), begins.end());
  std::sort(ends.begin(), ends.end());
  int64_t pairs = 0;
  size_t ended = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    while (ends[ended] <= begins[i])
      ++ended;
    pairs += static_cast<int64_t>(i - ended);
  }
  return pairs;
}

} // namespace

Conflicts::Conflicts(const AllocationProblem &problem)
    : problem(problem), special(problem.buffers.size()) {
  auto isEmpty = [&](int b) { return problem.buffers[b].bytes == 0; };
  for (size_t i = 0; i < problem.overlaps.size(); ++i) {
    const AllocationOverlap &overlap = problem.overlaps[i];
    if (isEmpty(overlap.input) || isEmpty(overlap.output))
      continue;
    overlapOf[std::minmax(overlap.input, overlap.output)] = static_cast<int>(i);
    special[overlap.input] = special[overlap.output] = true;
  }
  for (const AllocationSeparation &separation : problem.separations) {
    if (isEmpty(separation.first) || isEmpty(separation.second))
      continue;
    separated.insert(std::minmax(separation.first, separation.second));
    special[separation.first] = special[separation.second] = true;
  }
  isListed = countPairs(problem) <= kMostListedPairs;
  if (isListed)
    list();
}

void Conflicts::list() {
  const std::vector<AllocationBuffer> &buffers = problem.buffers;
  const size_t count = buffers.size();
  std::vector<int> order = indices(count);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return std::make_pair(buffers[a].begin, a) <
           std::make_pair(buffers[b].begin, b);
  });
  std::vector<std::pair<int, int>> pairs;
  std::vector<int> live;
  for (int index : order) {
    if (buffers[index].bytes == 0)
      continue;
    const int64_t now = buffers[index].begin;
    live.erase(std::remove_if(live.begin(), live.end(),
                              [&](int b) { return buffers[b].end <= now; }),
               live.end());
    for (int other : live)
      pairs.push_back({other, index});
    live.push_back(index);
  }
  for (auto pair : separated)
    if (!liveTogether(buffers[pair.first], buffers[pair.second]))
      pairs.push_back(pair);

  starts.assign(count + 1, 0);
  for (auto [a, b] : pairs) {
    ++starts[a + 1];
    ++starts[b + 1];
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  all.resize(2 * pairs.size());
  std::vector<size_t> next(starts.begin(), starts.end() - 1);
  for (auto [a, b] : pairs) {
    all[next[a]++] = b;
    all[next[b]++] = a;
  }
}

void Conflicts::forbidOverlap(const AllocationOverlap &overlap, bool isOutput,
                              int64_t offset,
                              std::vector<OffsetInterval> &taken) const {
  const int64_t input = problem.buffers[overlap.input].bytes;
  const int64_t output = problem.buffers[overlap.output].bytes;
  if (overlap.exact) {
    const int64_t own = isOutput ? output : input;
    const int64_t others = isOutput ? input : output;
    taken.push_back({offset - own, offset});
    taken.push_back({offset, offset + others});
    return;
  }
  const int64_t distance = clampedDistance(problem, overlap);
  // The output lies at most at offset(input) - distance, or behind the input.
  const OffsetInterval interval =
      isOutput ? OffsetInterval{offset - distance, offset + input}
               : OffsetInterval{offset - input, offset + distance};
  if (interval.first < interval.second)
    taken.push_back(interval);
}

void Conflicts::forbid(int buffer, int other, int64_t offset,
                       std::vector<OffsetInterval> &taken) const {
  const AllocationBuffer &own = problem.buffers[buffer];
  const AllocationBuffer &placed = problem.buffers[other];
  const bool mayBeSpecial = special[buffer] && special[other];
  if (isListed && !mayBeSpecial) {
    taken.push_back({offset - own.bytes, offset + placed.bytes});
    return;
  }
  if (own.bytes == 0 || placed.bytes == 0)
    return;
  const int64_t end = offset + placed.bytes;
  const std::pair<int, int> pair = std::minmax(buffer, other);
  if (mayBeSpecial && separated.count(pair)) {
    const int64_t page = problem.pageBytes;
    taken.push_back({offset / page * page - own.bytes, roundUp(end, page)});
  } else if (!liveTogether(own, placed)) {
    return;
  } else if (auto found = mayBeSpecial ? overlapOf.find(pair) : overlapOf.end();
             found != overlapOf.end()) {
    const AllocationOverlap &overlap = problem.overlaps[found->second];
    forbidOverlap(overlap, overlap.output == buffer, offset, taken);
  } else {
    taken.push_back({offset - own.bytes, end});
  }
}

bool Conflicts::mayShareOffset(const std::vector<int> &a,
                               const std::vector<int> &b) const {
  std::vector<OffsetInterval> taken;
  for (int first : a)
    for (int second : b) {
      taken.clear();
      if (liveTogether(problem.buffers[first], problem.buffers[second]) ||
          separated.count(std::minmax(first, second)))
        forbid(first, second, 0, taken);
      for (auto [begin, end] : taken)
        if (begin < 0 && 0 < end)
          return false;
    }
  return true;
}

} // namespace snug::planner
