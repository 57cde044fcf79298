// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Address assignment: greedy orders, then the exact search within its limits.
#include "AllocationBound.h"
#include "AllocationConflicts.h"
#include "DisjunctiveSearch.h"
#include "PackingSearch.h"

#include <algorithm>
#include <chrono>
#include <memory>

namespace snug::planner {

namespace {

/// Says for one capacity after another whether an assignment meets it.
class Feasibility {
public:
  /// With `nodes` for all tests together.
  Feasibility(const AllocationProblem &problem, int64_t nodes);

  /// Spends at most `nodes` of the limits. With Found, `offsets` has them.
  SearchOutcome test(int64_t capacity, int64_t nodes, SearchLimits &limits);

  /// False if the problem is too large for any exact search.
  bool isPossible() const { return disjunctive || !packings.empty(); }

  /// The least peak above `peak` that an assignment could have.
  int64_t nextPeak(int64_t peak) const;

  Offsets offsets;

private:
  SearchOutcome testPacking(size_t index, int64_t capacity, int64_t nodes,
                            SearchLimits &limits);

  struct Packed {
    Packing packing;
    std::unique_ptr<PackingSearch> search;
    bool isComplete = false; ///< if it is refuted, so is the problem
  };
  const AllocationProblem &problem;
  std::vector<std::unique_ptr<Packed>> packings;
  std::unique_ptr<DisjunctiveSearch> disjunctive;
  int64_t unit = 1;
};

Feasibility::Feasibility(const AllocationProblem &problem, int64_t nodes)
    : problem(problem) {
  std::vector<bool> apart(problem.overlaps.size()), together = apart;
  bool anyInPlace = false;
  // Whether some optimum has every buffer pushed down as far as it goes, and
  // none in place but where that is as low as it goes.
  bool isComplete = true;
  std::vector<bool> isOutput(problem.buffers.size());
  for (const AllocationOverlap &overlap : problem.overlaps)
    isOutput[overlap.output] = true;
  for (size_t i = 0; i < problem.overlaps.size(); ++i) {
    const AllocationOverlap &overlap = problem.overlaps[i];
    if (problem.buffers[overlap.input].bytes == 0 ||
        problem.buffers[overlap.output].bytes == 0)
      continue;
    isComplete &= !overlap.exact && overlap.distance >= 0;
    // Buffers of one step could lie below each other in a circle.
    const AllocationBuffer &input = problem.buffers[overlap.input];
    isComplete &= input.end != input.begin + 1 || !isOutput[overlap.input];
    together[i] = overlap.exact || overlap.distance <= 0;
    anyInPlace |= together[i];
  }
  // With very many conflicts the sections alone would take gigabytes.
  if (!Conflicts(problem).listed())
    return;
  auto add = [&](const std::vector<bool> &mode, bool complete) {
    std::optional<Packing> packing = makePacking(problem, mode);
    if (!packing)
      return;
    packings.push_back(std::make_unique<Packed>());
    packings.back()->isComplete = complete;
    packings.back()->packing = std::move(*packing);
    packings.back()->search =
        std::make_unique<PackingSearch>(packings.back()->packing);
    if (packings.back()->search->leastCost() > nodes)
      packings.pop_back();
  };
  add(apart, isComplete);
  if (anyInPlace)
    add(together, /*complete=*/false);
  if (!packings.empty() && packings[0]->isComplete)
    unit = packings[0]->packing.unit;
  constexpr size_t mostForDisjunctive = 300;
  if (!isComplete && problem.buffers.size() <= mostForDisjunctive)
    disjunctive = std::make_unique<DisjunctiveSearch>(problem);
}

SearchOutcome Feasibility::testPacking(size_t index, int64_t capacity,
                                       int64_t nodes, SearchLimits &limits) {
  Packed &packed = *packings[index];
  const SearchOutcome outcome = packed.search->run(capacity, nodes, limits);
  if (outcome != SearchOutcome::Found)
    return outcome;
  offsets.assign(problem.buffers.size(), 0);
  for (size_t b = 0; b < problem.buffers.size(); ++b)
    offsets[b] = problem.buffers[b].fixedOffset.value_or(0);
  for (size_t i = 0; i < packed.packing.items.size(); ++i)
    for (int b : packed.packing.items[i].buffers)
      offsets[b] = packed.search->offsets[i] * packed.packing.unit;
  return outcome;
}

SearchOutcome Feasibility::test(int64_t capacity, int64_t nodes,
                                SearchLimits &limits) {
  for (const AllocationBuffer &buffer : problem.buffers)
    if (buffer.bytes > capacity)
      return SearchOutcome::Refuted;
  bool refuted = false;
  for (size_t i = packings.size(); i-- > 0;) { // in place first
    const SearchOutcome outcome = testPacking(i, capacity, nodes, limits);
    if (outcome == SearchOutcome::Found)
      return outcome;
    refuted |= packings[i]->isComplete && outcome == SearchOutcome::Refuted;
  }
  if (refuted)
    return SearchOutcome::Refuted;
  if (!disjunctive)
    return SearchOutcome::Limit;
  const SearchOutcome outcome = disjunctive->run(capacity, nodes, limits);
  if (outcome == SearchOutcome::Found)
    offsets = disjunctive->offsets;
  return outcome;
}

/// Offsets are multiples of the unit, and some buffer is the topmost.
int64_t Feasibility::nextPeak(int64_t peak) const {
  int64_t next = INT64_MAX;
  for (const AllocationBuffer &buffer : problem.buffers) {
    if (buffer.bytes == 0)
      continue;
    const int64_t offset =
        roundUp(std::max<int64_t>(peak + 1 - buffer.bytes, 0), unit);
    next = std::min(next, offset + buffer.bytes);
  }
  return std::max(next, peak + 1);
}

AllocationProblem subproblem(const AllocationProblem &problem,
                             const std::vector<int> &kept) {
  AllocationProblem part;
  part.pageBytes = problem.pageBytes;
  std::vector<int> indexOf(problem.buffers.size(), -1);
  for (int b : kept) {
    indexOf[b] = static_cast<int>(part.buffers.size());
    part.buffers.push_back(problem.buffers[b]);
  }
  for (AllocationOverlap overlap : problem.overlaps) {
    overlap.input = indexOf[overlap.input];
    overlap.output = indexOf[overlap.output];
    if (overlap.input >= 0 && overlap.output >= 0)
      part.overlaps.push_back(overlap);
  }
  for (AllocationSeparation separation : problem.separations) {
    separation.first = indexOf[separation.first];
    separation.second = indexOf[separation.second];
    if (separation.first >= 0 && separation.second >= 0)
      part.separations.push_back(separation);
  }
  return part;
}

class Solver {
public:
  Solver(const AllocationProblem &problem, const AllocationOptions &options);
  AllocationSolution run();

private:
  bool isDone() const;
  void limitPolish();
  void search();
  SearchOutcome test(int64_t capacity, int64_t nodes);
  void improve(int64_t nodes);
  void findConflict(PeakBound bound);
  bool isInfeasible(const std::vector<int> &kept, SearchLimits &limits) const;
  void finish();

  const AllocationProblem &problem;
  const AllocationOptions &options;
  AllocationSolution best;
  SearchLimits limits;
  int64_t withheld = 0; ///< nodes that are not worth their time
  std::optional<Feasibility> feasibility;
};

Solver::Solver(const AllocationProblem &problem,
               const AllocationOptions &options)
    : problem(problem), options(options) {
  limits.nodes = std::max<int64_t>(options.nodeLimit, 0);
  if (options.secondsLimit)
    limits.deadline =
        std::chrono::steady_clock::now() +
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            std::chrono::duration<double>(*options.secondsLimit));
}

bool Solver::isDone() const {
  return best.peak <= best.lowerBound ||
         (options.capacity && (best.peak <= *options.capacity ||
                               best.lowerBound > *options.capacity));
}

/// Bytes that vanish in the arena's unit are nobody's gain, but a proof that
/// comes cheap is good to have.
void Solver::limitPolish() {
  constexpr int64_t polishNodes = 10'000;
  if (withheld == 0 && limits.nodes > polishNodes &&
      roundUp(best.peak, options.arenaUnit) ==
          roundUp(best.lowerBound, options.arenaUnit)) {
    withheld = limits.nodes - polishNodes;
    limits.nodes = polishNodes;
  }
}

SearchOutcome Solver::test(int64_t capacity, int64_t nodes) {
  --limits.nodes; // so that every test brings the end nearer
  const SearchOutcome outcome = feasibility->test(capacity, nodes, limits);
  if (outcome == SearchOutcome::Refuted)
    best.lowerBound = std::max(
        best.lowerBound, std::min(best.peak, feasibility->nextPeak(capacity)));
  if (outcome == SearchOutcome::Found) {
    best.offsets = feasibility->offsets;
    best.peak = 0;
    for (size_t b = 0; b < problem.buffers.size(); ++b)
      best.peak =
          std::max(best.peak, best.offsets[b] + problem.buffers[b].bytes);
  }
  limitPolish();
  return outcome;
}

/// Bisects between the bound and the best peak; what is not found in so many
/// nodes counts as too hard for now.
void Solver::improve(int64_t nodes) {
  int64_t low = std::max(best.lowerBound, options.capacity.value_or(0));
  int64_t high = best.peak;
  while (!isDone() && low < high - 1 && limits.nodes > 0 && !limits.expired) {
    const int64_t middle = low + (high - low) / 2;
    if (test(middle, nodes) == SearchOutcome::Found)
      high = best.peak;
    else
      low = middle;
  }
}

void Solver::search() {
  feasibility.emplace(problem, limits.nodes);
  if (!feasibility->isPossible())
    return;
  int64_t share = 64 * static_cast<int64_t>(problem.buffers.size()) + 1024;
  int64_t step = 0;
  while (!isDone() && limits.nodes > 0 && !limits.expired) {
    if (options.capacity) {
      // Some nodes are left to come closer to it, at least.
      if (test(*options.capacity, limits.nodes / 4 * 3) ==
          SearchOutcome::Limit) {
        improve(limits.nodes / 4);
        return;
      }
      continue;
    }
    // The bound itself is often met; where it is refuted with ease, the next
    // guess goes further up.
    const int64_t guess = std::min(best.lowerBound + step, best.peak - 1);
    switch (test(guess, share)) {
    case SearchOutcome::Refuted:
      step = step == 0 ? feasibility->nextPeak(guess) - guess : 2 * step;
      break;
    case SearchOutcome::Found:
      step = 0;
      break;
    case SearchOutcome::Limit:
      if (step == 0) {
        improve(share);
        // Tests that end undecided without using up their nodes would do so
        // with more.
        if (share >= limits.nodes)
          return;
        share = share < limits.nodes / 4 ? 4 * share : limits.nodes;
      }
      step = 0;
      break;
    }
  }
}

bool Solver::isInfeasible(const std::vector<int> &kept,
                          SearchLimits &conflictLimits) const {
  const AllocationProblem part = subproblem(problem, kept);
  if (boundPeak(part).bytes > *options.capacity)
    return true;
  if (conflictLimits.nodes <= 0 || conflictLimits.expired)
    return false;
  if (allocateGreedily(part).peak <= *options.capacity)
    return false;
  const int64_t nodes = 16 * static_cast<int64_t>(kept.size()) + 4096;
  return Feasibility(part, nodes)
             .test(*options.capacity, nodes, conflictLimits) ==
         SearchOutcome::Refuted;
}

/// Drops buffers, many at once at first, as long as the others still do not
/// fit.
void Solver::findConflict(PeakBound bound) {
  std::vector<int> kept = indices(problem.buffers.size());
  if (bound.bytes > *options.capacity)
    if (std::vector<int> live = liveAt(problem, bound.time);
        boundPeak(subproblem(problem, live)).bytes > *options.capacity)
      kept = live;
  SearchLimits conflictLimits;
  conflictLimits.nodes = limits.nodes;
  conflictLimits.deadline = limits.deadline;
  constexpr size_t mostForSearch = 2000;
  if (kept.size() > mostForSearch)
    conflictLimits.nodes = 0;
  // The smallest go first, so that few large ones are left to blame.
  std::stable_sort(kept.begin(), kept.end(), [&](int a, int b) {
    return problem.buffers[a].bytes < problem.buffers[b].bytes;
  });
  for (size_t chunk = kept.size() / 2; chunk > 0; chunk /= 2)
    for (size_t begin = 0; begin < kept.size() && kept.size() > 1;) {
      std::vector<int> fewer(kept.begin(), kept.begin() + begin);
      const size_t end = std::min(begin + chunk, kept.size());
      fewer.insert(fewer.end(), kept.begin() + end, kept.end());
      if (!fewer.empty() && isInfeasible(fewer, conflictLimits))
        kept = std::move(fewer);
      else
        begin = end;
    }
  std::sort(kept.begin(), kept.end());
  best.conflict = std::move(kept);
}

void Solver::finish() {
  best.nodes =
      std::max<int64_t>(options.nodeLimit, 0) - withheld - limits.nodes;
  best.proved = best.peak == best.lowerBound;
  if (options.capacity && best.lowerBound > *options.capacity)
    best.status = AllocationStatus::Infeasible;
  else if (best.proved)
    best.status = AllocationStatus::Optimal;
  else if (options.capacity && best.peak <= *options.capacity)
    best.status = AllocationStatus::Fits;
  else
    best.status = AllocationStatus::Limit;
}

AllocationSolution Solver::run() {
  best = allocateGreedily(problem);
  limitPolish();
  if (!isDone() && limits.nodes > 0)
    search();
  finish();
  if (best.status == AllocationStatus::Infeasible)
    findConflict(boundPeak(problem));
  return std::move(best);
}

} // namespace

AllocationSolution allocate(const AllocationProblem &problem,
                            const AllocationOptions &options) {
  return Solver(problem, options).run();
}

} // namespace snug::planner
