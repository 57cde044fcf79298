// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lower bound of the peak: what must be live at one time, exactly counted.
#include "AllocationBound.h"

#include <algorithm>
#include <map>

namespace snug::planner {

namespace {

/// Bounds the peak at one time from the buffers live then.
class TimeBound {
public:
  TimeBound(const AllocationProblem &problem, const std::vector<int> &live,
            const std::vector<int> &overlapsHere);
  int64_t bytes() const;

private:
  int64_t saving(const std::vector<int> &overlaps) const;
  int64_t aboveFixed() const;

  const AllocationProblem &problem;
  const std::vector<int> &live;
  int64_t unit = 1, sum = 0, topSlack = 0, saved = 0;
};

TimeBound::TimeBound(const AllocationProblem &problem,
                     const std::vector<int> &live,
                     const std::vector<int> &overlapsHere)
    : problem(problem), live(live) {
  unit = problem.buffers[live[0]].alignment;
  for (int b : live)
    unit = std::min(unit, problem.buffers[b].alignment);
  for (int b : live) {
    const int64_t rounded = roundUp(problem.buffers[b].bytes, unit);
    sum += rounded;
    topSlack = std::max(topSlack, rounded - problem.buffers[b].bytes);
  }
  saved = saving(overlapsHere);
}

/// Outputs are disjoint from each other, and inputs are: what they share is a
/// flow between the two sides, at most what each side alone would let through.
int64_t TimeBound::saving(const std::vector<int> &overlaps) const {
  std::map<int, int64_t> outputs, inputs;
  for (int index : overlaps) {
    const AllocationOverlap &overlap = problem.overlaps[index];
    const int64_t most = largestSaving(problem, overlap, unit);
    outputs[overlap.output] += most;
    inputs[overlap.input] += most;
  }
  auto through = [&](const std::map<int, int64_t> &side) {
    int64_t total = 0;
    for (auto [buffer, most] : side)
      total += std::min(most, roundUp(problem.buffers[buffer].bytes, unit));
    return total;
  };
  return std::min(through(outputs), through(inputs));
}

/// Buffers that no gap between the fixed ones can hold lie above the highest of
/// those, and so does what the gaps together cannot hold. A buffer that shares
/// bytes with a fixed one may reach into a gap too small for it.
int64_t TimeBound::aboveFixed() const {
  std::vector<std::pair<int64_t, int64_t>> fixed;
  int64_t free = 0, smallest = INT64_MAX;
  for (int b : live) {
    const AllocationBuffer &buffer = problem.buffers[b];
    if (buffer.bytes == 0)
      continue;
    if (buffer.fixedOffset) {
      fixed.push_back(
          {*buffer.fixedOffset, *buffer.fixedOffset + buffer.bytes});
    } else {
      free += buffer.bytes;
      smallest = std::min(smallest, buffer.bytes);
    }
  }
  if (fixed.empty())
    return 0;
  std::sort(fixed.begin(), fixed.end());
  int64_t top = 0, gaps = 0, largestGap = 0;
  for (auto [begin, end] : fixed) {
    const int64_t gap = begin - top;
    if (gap > 0 && (gap >= smallest || saved > 0)) {
      gaps += gap;
      largestGap = std::max(largestGap, gap);
    }
    top = std::max(top, end);
  }
  if (saved > 0)
    return top + std::max<int64_t>(0, free - gaps - saved);
  int64_t tooLarge = 0;
  for (int b : live)
    if (const AllocationBuffer &buffer = problem.buffers[b];
        !buffer.fixedOffset && buffer.bytes > largestGap)
      tooLarge += buffer.bytes;
  return top + std::max({int64_t{0}, free - gaps, tooLarge});
}

int64_t TimeBound::bytes() const {
  return std::max(sum - topSlack - saved, aboveFixed());
}

} // namespace

int64_t clampedDistance(const AllocationProblem &problem,
                        const AllocationOverlap &overlap) {
  return std::clamp(overlap.distance, -problem.buffers[overlap.input].bytes,
                    problem.buffers[overlap.output].bytes);
}

int64_t largestSaving(const AllocationProblem &problem,
                      const AllocationOverlap &overlap, int64_t unit) {
  const int64_t input = roundUp(problem.buffers[overlap.input].bytes, unit);
  const int64_t output = roundUp(problem.buffers[overlap.output].bytes, unit);
  if (overlap.exact)
    return std::min(input, output);
  const int64_t ahead =
      roundUp(std::max<int64_t>(clampedDistance(problem, overlap), 0), unit);
  return std::max<int64_t>(std::min(input, output - ahead), 0);
}

PeakBound boundPeak(const AllocationProblem &problem) {
  const std::vector<AllocationBuffer> &buffers = problem.buffers;
  PeakBound bound;
  if (buffers.empty())
    return bound;
  bool anyFixed = false;
  std::vector<std::pair<int64_t, int>> begins, ends;
  for (size_t i = 0; i < buffers.size(); ++i) {
    begins.push_back({buffers[i].begin, static_cast<int>(i)});
    ends.push_back({buffers[i].end, static_cast<int>(i)});
    anyFixed |= buffers[i].fixedOffset.has_value();
  }
  std::sort(begins.begin(), begins.end());
  std::sort(ends.begin(), ends.end());

  // Nothing is live that was not live at some beginning, so those do. Sums of
  // sizes rounded up to their own alignments are at least the bound.
  struct Moment {
    int64_t most, time, count;
  };
  std::vector<Moment> moments;
  int64_t sum = 0, count = 0;
  size_t ended = 0;
  auto rounded = [&](int b) {
    return roundUp(buffers[b].bytes, buffers[b].alignment);
  };
  for (size_t i = 0; i < begins.size(); ++i) {
    const int64_t now = begins[i].first;
    for (; ends[ended].first <= now; ++ended, --count)
      sum -= rounded(ends[ended].second);
    sum += rounded(begins[i].second);
    ++count;
    if (i + 1 == begins.size() || begins[i + 1].first != now)
      moments.push_back({sum, now, count});
  }
  std::stable_sort(
      moments.begin(), moments.end(),
      [](const Moment &a, const Moment &b) { return a.most > b.most; });

  std::multimap<int64_t, int> overlapsAt;
  for (size_t i = 0; i < problem.overlaps.size(); ++i)
    overlapsAt.insert(
        {buffers[problem.overlaps[i].output].begin, static_cast<int>(i)});
  // Enough for every problem but those of very many buffers that are all live
  // for long; there the bound of the largest sums stands.
  int64_t work = 20'000'000;
  bool found = false;
  std::vector<int> live, here;
  for (const Moment &moment : moments) {
    if (found && ((!anyFixed && moment.most <= bound.bytes) || work < 0))
      break;
    live.clear();
    here.clear();
    for (const auto &[begin, b] : begins) {
      if (begin > moment.time)
        break;
      if (buffers[b].end > moment.time)
        live.push_back(b);
      --work;
    }
    auto [first, last] = overlapsAt.equal_range(moment.time);
    for (auto it = first; it != last; ++it)
      here.push_back(it->second);
    const int64_t bytes = TimeBound(problem, live, here).bytes();
    if (!found || bytes > bound.bytes ||
        (bytes == bound.bytes && moment.time < bound.time))
      bound = {bytes, moment.time};
    found = true;
  }
  for (const AllocationBuffer &buffer : buffers)
    if (buffer.fixedOffset && *buffer.fixedOffset + buffer.bytes > bound.bytes)
      bound = {*buffer.fixedOffset + buffer.bytes, buffer.begin};
  return bound;
}

std::vector<int> liveAt(const AllocationProblem &problem, int64_t time) {
  std::vector<int> live;
  for (size_t i = 0; i < problem.buffers.size(); ++i)
    if (problem.buffers[i].begin <= time && time < problem.buffers[i].end)
      live.push_back(static_cast<int>(i));
  return live;
}

} // namespace snug::planner
