// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy address assignment: several orders, lowest free offset each.
#include "AllocationBound.h"
#include "AllocationConflicts.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace snug::planner {

namespace {

/// Buffers that are placed at one offset: one, or several in place.
using Cluster = std::vector<int>;

class Greedy {
public:
  explicit Greedy(const AllocationProblem &problem);
  AllocationSolution run();

private:
  std::vector<Cluster> apart() const;
  std::vector<Cluster> inPlace() const;
  void attemptAll(const std::vector<Cluster> &clusters);
  template <typename Key>
  void attempt(const std::vector<Cluster> &clusters, Key key);
  bool place(const std::vector<Cluster> &order, AllocationSolution &solution);
  void rankTimes();
  int64_t lowestBesidePlaced(int index);
  int64_t lowestOffset(const Cluster &cluster, const Offsets &offsets);
  void remember(int buffer, const Offsets &offsets);

  const AllocationProblem &problem;
  const std::vector<AllocationBuffer> &buffers;
  const PeakBound bound;
  const Conflicts conflicts;
  std::optional<AllocationSolution> best;
  int64_t work = 0;

  /// What is placed already, by offset, where conflicts are too many to list:
  /// lifetimes in ranks of times, small enough to stay in a cache.
  struct Lifetime {
    int32_t begin, end;
  };
  std::vector<Lifetime> ranks; ///< by buffer
  std::vector<Lifetime> placedLives;
  std::vector<OffsetInterval> placedBytes;
  std::vector<int> placed; ///< buffers
  std::vector<OffsetInterval> taken;
};

Greedy::Greedy(const AllocationProblem &problem)
    : problem(problem), buffers(problem.buffers), bound(boundPeak(problem)),
      conflicts(problem) {
  if (!conflicts.listed())
    rankTimes();
}

std::vector<Cluster> Greedy::apart() const {
  std::vector<Cluster> clusters;
  for (int index : indices(buffers.size()))
    clusters.push_back({index});
  return clusters;
}

/// Joins what may lie at one offset, most bytes saved first, unless that would
/// put two buffers there that clash. Fixed buffers stay on their own.
std::vector<Cluster> Greedy::inPlace() const {
  std::vector<std::pair<int64_t, int>> order;
  for (int i : indices(problem.overlaps.size()))
    if (const AllocationOverlap &overlap = problem.overlaps[i];
        !buffers[overlap.input].fixedOffset &&
        !buffers[overlap.output].fixedOffset &&
        (overlap.exact || clampedDistance(problem, overlap) <= 0))
      order.push_back({-largestSaving(problem, overlap, 1), i});
  std::sort(order.begin(), order.end());
  std::vector<Cluster> clusters = apart();
  std::vector<int> clusterOf = indices(buffers.size());
  for (auto [negativeSaving, i] : order) {
    const int a = clusterOf[problem.overlaps[i].input];
    const int b = clusterOf[problem.overlaps[i].output];
    if (a == b || !conflicts.mayShareOffset(clusters[a], clusters[b]))
      continue;
    for (int member : clusters[b])
      clusterOf[member] = a;
    clusters[a].insert(clusters[a].end(), clusters[b].begin(),
                       clusters[b].end());
    clusters[b].clear();
  }
  clusters.erase(std::remove(clusters.begin(), clusters.end(), Cluster{}),
                 clusters.end());
  return clusters;
}

void Greedy::rankTimes() {
  std::vector<int64_t> times;
  for (const AllocationBuffer &buffer : buffers) {
    times.push_back(buffer.begin);
    times.push_back(buffer.end);
  }
  std::sort(times.begin(), times.end());
  auto rank = [&](int64_t time) {
    return static_cast<int32_t>(
        std::lower_bound(times.begin(), times.end(), time) - times.begin());
  };
  for (const AllocationBuffer &buffer : buffers)
    ranks.push_back({rank(buffer.begin), rank(buffer.end)});
}

/// For a buffer that clashes with all that live when it does, and with nothing
/// else.
int64_t Greedy::lowestBesidePlaced(int index) {
  const AllocationBuffer &buffer = buffers[index];
  const Lifetime own = ranks[index];
  const int64_t mask = buffer.alignment - 1;
  int64_t offset = 0;
  size_t i = 0;
  for (; i < placed.size(); ++i) {
    const Lifetime other = placedLives[i];
    if (other.begin >= own.end || other.end <= own.begin)
      continue;
    const auto [begin, end] = placedBytes[i];
    if (begin >= offset + buffer.bytes)
      break;
    // An alignment is a power of two, and this is the innermost loop.
    offset = std::max(offset, (end + mask) & ~mask);
  }
  work += static_cast<int64_t>(i);
  return offset;
}

int64_t Greedy::lowestOffset(const Cluster &cluster, const Offsets &offsets) {
  if (buffers[cluster[0]].fixedOffset)
    return *buffers[cluster[0]].fixedOffset;
  if (!conflicts.listed() && cluster.size() == 1 &&
      conflicts.isPlain(cluster[0]))
    return lowestBesidePlaced(cluster[0]);
  int64_t alignment = 1;
  taken.clear();
  for (int member : cluster) {
    alignment = std::max(alignment, buffers[member].alignment);
    if (conflicts.listed()) {
      for (int other : conflicts.neighbours(member))
        if (offsets[other] >= 0)
          conflicts.forbid(member, other, offsets[other], taken);
      work += static_cast<int64_t>(taken.size());
    } else {
      for (int other : placed)
        conflicts.forbid(member, other, offsets[other], taken);
      work += static_cast<int64_t>(placed.size());
    }
  }
  std::sort(taken.begin(), taken.end());
  int64_t offset = 0;
  for (auto [begin, end] : taken) {
    if (offset <= begin)
      break;
    offset = std::max(offset, roundUp(end, alignment));
  }
  return offset;
}

void Greedy::remember(int buffer, const Offsets &offsets) {
  if (conflicts.listed() || buffers[buffer].bytes == 0)
    return;
  const auto place =
      std::upper_bound(placed.begin(), placed.end(), buffer,
                       [&](int a, int b) { return offsets[a] < offsets[b]; });
  const auto position = place - placed.begin();
  placedLives.insert(placedLives.begin() + position, ranks[buffer]);
  placedBytes.insert(
      placedBytes.begin() + position,
      {offsets[buffer], offsets[buffer] + buffers[buffer].bytes});
  placed.insert(place, buffer);
}

/// Places clusters in `order`; false once the peak reaches the best.
bool Greedy::place(const std::vector<Cluster> &order,
                   AllocationSolution &solution) {
  placed.clear();
  placedLives.clear();
  placedBytes.clear();
  solution.offsets.assign(buffers.size(), -1);
  solution.lowerBound = bound.bytes;
  for (const Cluster &cluster : order) {
    const int64_t offset = lowestOffset(cluster, solution.offsets);
    for (int member : cluster) {
      const AllocationBuffer &buffer = buffers[member];
      const int64_t own =
          buffer.bytes > 0 ? offset : buffer.fixedOffset.value_or(0);
      solution.offsets[member] = own;
      solution.peak = std::max(solution.peak, own + buffer.bytes);
      remember(member, solution.offsets);
    }
    if (best && solution.peak >= best->peak)
      return false;
  }
  return true;
}

/// Fixed ones first, since the others must go around them.
template <typename Key>
void Greedy::attempt(const std::vector<Cluster> &clusters, Key key) {
  // With very many conflicts one order has to do.
  constexpr int64_t workLimit = 50'000'000;
  if (best && (best->peak == bound.bytes || work > workLimit))
    return;
  std::vector<std::tuple<bool, decltype(key(buffers[0])), int>> order;
  for (size_t i = 0; i < clusters.size(); ++i) {
    AllocationBuffer whole = {"", 0, 1, INT64_MAX, INT64_MIN};
    for (int member : clusters[i]) {
      const AllocationBuffer &buffer = buffers[member];
      whole.bytes = std::max(whole.bytes, buffer.bytes);
      whole.begin = std::min(whole.begin, buffer.begin);
      whole.end = std::max(whole.end, buffer.end);
    }
    const bool isFixed = buffers[clusters[i][0]].fixedOffset.has_value();
    order.push_back({!isFixed, key(whole), static_cast<int>(i)});
  }
  std::sort(order.begin(), order.end());
  std::vector<Cluster> ordered;
  for (const auto &entry : order)
    ordered.push_back(clusters[std::get<2>(entry)]);
  AllocationSolution solution;
  if (place(ordered, solution))
    best = std::move(solution);
}

void Greedy::attemptAll(const std::vector<Cluster> &clusters) {
  using Buffer = const AllocationBuffer &;
  auto length = [](Buffer b) {
    return static_cast<double>(b.end) - static_cast<double>(b.begin);
  };
  // Those at the peak first: they fill the arena to its bound, the others then
  // look for gaps.
  attempt(clusters, [&](Buffer b) {
    const bool atPeak = b.begin <= bound.time && bound.time < b.end;
    return std::make_pair(!atPeak, -b.bytes);
  });
  attempt(clusters, [](Buffer b) { return -b.bytes; });
  attempt(clusters,
          [&](Buffer b) { return std::make_pair(-length(b), -b.bytes); });
  attempt(clusters,
          [&](Buffer b) { return -length(b) * static_cast<double>(b.bytes); });
  attempt(clusters, [](Buffer b) { return std::make_pair(b.begin, -b.bytes); });
}

AllocationSolution Greedy::run() {
  if (std::vector<Cluster> joined = inPlace(); joined.size() < buffers.size())
    attemptAll(joined);
  attemptAll(apart());
  best->proved = best->peak == best->lowerBound;
  best->status =
      best->proved ? AllocationStatus::Optimal : AllocationStatus::Limit;
  return std::move(*best);
}

} // namespace

AllocationSolution allocateGreedily(const AllocationProblem &problem) {
  return Greedy(problem).run();
}

} // namespace snug::planner
