// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy address assignment and its lower bound.
#include "snug/Planner/Allocation.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

namespace snug::planner {

namespace {

int64_t roundUp(int64_t bytes, int64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::vector<int> indices(size_t count) {
  std::vector<int> result(count);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

/// What the solver knows of a problem before it places anything.
struct Conflicts {
  /// By buffer: those that are live together with it, in one array.
  std::vector<int> neighbours;
  std::vector<size_t> begin; ///< one more than there are buffers
  int64_t lowerBound = 0;
  int64_t peakTime = 0; ///< where that bound is reached first
};

/// Sweeps over the beginnings of lifetimes. The bound: all offsets are
/// multiples of the smallest alignment, so of the buffers live at one time each
/// but the topmost takes its bytes rounded up to that.
Conflicts findConflicts(const AllocationProblem &problem) {
  const std::vector<AllocationBuffer> &buffers = problem.buffers;
  const size_t count = buffers.size();
  int64_t unit = buffers.empty() ? 1 : buffers[0].alignment;
  for (const AllocationBuffer &buffer : buffers)
    unit = std::min(unit, buffer.alignment);

  std::vector<int> order = indices(count);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return std::make_pair(buffers[a].begin, a) <
           std::make_pair(buffers[b].begin, b);
  });
  Conflicts result;
  std::vector<std::pair<int, int>> pairs;
  std::vector<int> live;
  for (size_t i = 0; i < count; ++i) {
    const int64_t now = buffers[order[i]].begin;
    live.erase(std::remove_if(live.begin(), live.end(),
                              [&](int b) { return buffers[b].end <= now; }),
               live.end());
    for (int other : live)
      pairs.push_back({other, order[i]});
    live.push_back(order[i]);
    if (i + 1 < count && buffers[order[i + 1]].begin == now)
      continue; // more begin at the same time
    int64_t sum = 0, slack = 0;
    for (int b : live) {
      const int64_t rounded = roundUp(buffers[b].bytes, unit);
      sum += rounded;
      slack = std::max(slack, rounded - buffers[b].bytes);
    }
    if (sum - slack > result.lowerBound) {
      result.lowerBound = sum - slack;
      result.peakTime = now;
    }
  }

  result.begin.assign(count + 1, 0);
  for (auto [a, b] : pairs) {
    ++result.begin[a + 1];
    ++result.begin[b + 1];
  }
  std::partial_sum(result.begin.begin(), result.begin.end(),
                   result.begin.begin());
  result.neighbours.resize(2 * pairs.size());
  std::vector<size_t> next(result.begin.begin(), result.begin.end() - 1);
  for (auto [a, b] : pairs) {
    result.neighbours[next[a]++] = b;
    result.neighbours[next[b]++] = a;
  }
  return result;
}

/// Places buffers in `order`, each at the lowest offset that is free for all of
/// its lifetime. Gives up, and returns nothing, where the peak reaches `limit`.
std::optional<AllocationSolution> place(const AllocationProblem &problem,
                                        const Conflicts &conflicts,
                                        const std::vector<int> &order,
                                        int64_t limit) {
  AllocationSolution solution;
  solution.offsets.assign(problem.buffers.size(), -1);
  solution.lowerBound = conflicts.lowerBound;
  std::vector<std::pair<int64_t, int64_t>> taken; // [begin, end) in bytes
  for (int index : order) {
    const AllocationBuffer &buffer = problem.buffers[index];
    taken.clear();
    for (size_t i = conflicts.begin[index]; i < conflicts.begin[index + 1];
         ++i) {
      const int other = conflicts.neighbours[i];
      if (solution.offsets[other] >= 0 && problem.buffers[other].bytes > 0)
        taken.push_back(
            {solution.offsets[other],
             solution.offsets[other] + problem.buffers[other].bytes});
    }
    std::sort(taken.begin(), taken.end());
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + buffer.bytes <= begin)
        break;
      offset = std::max(offset, roundUp(end, buffer.alignment));
    }
    if (buffer.bytes == 0)
      offset = 0;
    solution.offsets[index] = offset;
    solution.peak = std::max(solution.peak, offset + buffer.bytes);
    if (solution.peak >= limit)
      return std::nullopt;
  }
  solution.proved = solution.peak == solution.lowerBound;
  return solution;
}

/// Buffers in ascending order of `key`, ties in their own order.
template <typename Key>
std::vector<int> sortedBy(const AllocationProblem &problem, Key key) {
  std::vector<int> order = indices(problem.buffers.size());
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return std::make_pair(key(problem.buffers[a]), a) <
           std::make_pair(key(problem.buffers[b]), b);
  });
  return order;
}

std::string partName(const network::Network &network,
                     const network::Program &program,
                     const network::Buffer &buffer) {
  using Role = network::Buffer::Role;
  auto quoted = [](const std::string &name) { return "'" + name + "'"; };
  if (buffer.role == Role::Workspace) {
    const network::Step &step = program.steps[buffer.liveBegin];
    return "workspace of " + quoted(network.ops[step.op].name) + " in step " +
           std::to_string(buffer.liveBegin);
  }
  const network::Tensor &tensor = network.tensors[buffer.tensor];
  std::string name = quoted(tensor.name);
  auto range = [](const char *what, const network::Interval &interval) {
    return std::string(" ") + what + " [" + std::to_string(interval.begin) +
           ", " + std::to_string(interval.end) + ")";
  };
  if (buffer.rows.size() != tensor.height ||
      buffer.columns.size() != tensor.width)
    name += range("rows", buffer.rows) + range("columns", buffer.columns);
  switch (buffer.role) {
  case Role::Input:
    return "input " + name;
  case Role::Output:
    return "output " + name;
  default:
    return "activation " + name;
  }
}

} // namespace

std::string check(const AllocationProblem &problem) {
  int64_t sum = 0;
  for (const AllocationBuffer &buffer : problem.buffers) {
    const std::string name = "buffer '" + buffer.name + "'";
    if (buffer.bytes < 0)
      return name + " has a negative size of " + std::to_string(buffer.bytes) +
             " bytes";
    if (buffer.end <= buffer.begin)
      return name + " has an empty lifetime [" + std::to_string(buffer.begin) +
             ", " + std::to_string(buffer.end) + ")";
    if (buffer.alignment < 1 ||
        (buffer.alignment & (buffer.alignment - 1)) != 0)
      return name + " has an alignment of " + std::to_string(buffer.alignment) +
             ", which is no power of two";
    // No greedy offset exceeds the sum of all sizes and alignments.
    std::optional<int64_t> total = network::checkedAdd(sum, buffer.bytes);
    if (total)
      total = network::checkedAdd(*total, buffer.alignment);
    if (!total)
      return name + ": the sizes together exceed what 64 bits can count";
    sum = *total;
  }
  return "";
}

AllocationSolution allocateGreedily(const AllocationProblem &problem) {
  const Conflicts conflicts = findConflicts(problem);
  using Buffer = const AllocationBuffer &;
  auto length = [](Buffer b) {
    return static_cast<double>(b.end) - static_cast<double>(b.begin);
  };
  const int64_t peakTime = conflicts.peakTime;

  std::optional<AllocationSolution> best;
  auto attempt = [&](const std::vector<int> &order) {
    if (best && best->proved)
      return;
    const int64_t limit =
        best ? best->peak : std::numeric_limits<int64_t>::max();
    if (std::optional<AllocationSolution> solution =
            place(problem, conflicts, order, limit))
      best = std::move(solution);
  };
  // Those at the peak first: they fill the arena to its bound, the others then
  // look for gaps.
  attempt(sortedBy(problem, [&](Buffer b) {
    const bool atPeak = b.begin <= peakTime && peakTime < b.end;
    return std::make_pair(!atPeak, -b.bytes);
  }));
  attempt(sortedBy(problem, [](Buffer b) { return -b.bytes; }));
  attempt(sortedBy(
      problem, [&](Buffer b) { return std::make_pair(-length(b), -b.bytes); }));
  attempt(sortedBy(problem, [&](Buffer b) {
    return -length(b) * static_cast<double>(b.bytes);
  }));
  attempt(sortedBy(problem,
                   [](Buffer b) { return std::make_pair(b.begin, -b.bytes); }));
  return std::move(*best);
}

AllocationProblem allocationProblem(const network::Network &network,
                                    const network::Program &program,
                                    int64_t alignment) {
  AllocationProblem problem;
  problem.buffers.reserve(program.buffers.size());
  for (const network::Buffer &buffer : program.buffers)
    problem.buffers.push_back({partName(network, program, buffer), buffer.bytes,
                               alignment, buffer.liveBegin, buffer.liveEnd});
  return problem;
}

} // namespace snug::planner
