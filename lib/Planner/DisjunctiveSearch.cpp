// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Branches on pairs of buffers in conflict, propagates bounds of offsets.
#include "DisjunctiveSearch.h"
#include "AllocationBound.h"

#include <algorithm>

namespace snug::planner {

DisjunctiveSearch::DisjunctiveSearch(const AllocationProblem &problem)
    : problem(problem) {
  const int count = static_cast<int>(problem.buffers.size());
  for (int b = 0; b < count; ++b)
    for (int a = 0; a < b; ++a)
      if (problem.buffers[a].bytes > 0 && problem.buffers[b].bytes > 0)
        addChoice(a, b);
}

void DisjunctiveSearch::addChoice(int a, int b) {
  const int64_t sizeOfA = problem.buffers[a].bytes;
  const int64_t sizeOfB = problem.buffers[b].bytes;
  bool paged = false;
  for (const AllocationSeparation &separation : problem.separations)
    paged |=
        std::minmax(separation.first, separation.second) == std::minmax(a, b);
  if (!paged && !liveTogether(problem.buffers[a], problem.buffers[b]))
    return;
  Choice choice;
  choice.alternatives = {{{a, b, sizeOfA, paged}}, {{b, a, sizeOfB, paged}}};
  if (!paged)
    for (const AllocationOverlap &overlap : problem.overlaps) {
      const int input = overlap.input, output = overlap.output;
      if (std::minmax(input, output) != std::minmax(a, b))
        continue;
      if (overlap.exact)
        choice.alternatives.push_back(
            {{input, output, 0, false}, {output, input, 0, false}});
      else
        choice.alternatives.push_back(
            {{output, input, clampedDistance(problem, overlap), false}});
    }
  choices.push_back(std::move(choice));
}

int64_t DisjunctiveSearch::atLeast(const Arc &arc, int64_t offset) const {
  offset += arc.distance;
  return arc.paged ? roundUp(offset, problem.pageBytes) : offset;
}

int64_t DisjunctiveSearch::atMost(const Arc &arc, int64_t offset) const {
  if (arc.paged)
    offset = offset / problem.pageBytes * problem.pageBytes;
  return offset - arc.distance;
}

bool DisjunctiveSearch::isPossible(const Alternative &alternative) const {
  return std::all_of(alternative.begin(), alternative.end(), [&](Arc arc) {
    return atLeast(arc, least[arc.below]) <= most[arc.above];
  });
}

/// With all offsets as low as the bounds let them be.
bool DisjunctiveSearch::holds(const Alternative &alternative) const {
  return std::all_of(alternative.begin(), alternative.end(), [&](Arc arc) {
    return atLeast(arc, least[arc.below]) <= least[arc.above];
  });
}

bool DisjunctiveSearch::isFree(const Choice &choice) const {
  return std::any_of(choice.alternatives.begin(), choice.alternatives.end(),
                     [&](const Alternative &a) { return holds(a); });
}

bool DisjunctiveSearch::spend() {
  if (--remaining < 0)
    stopped = true;
  if (limits->deadline && remaining % 64 == 0 &&
      std::chrono::steady_clock::now() >= *limits->deadline)
    limits->expired = true;
  stopped |= limits->expired;
  return !stopped;
}

/// Narrows an offset's bounds; false if nothing is left.
bool DisjunctiveSearch::bound(int buffer, int64_t newLeast, int64_t newMost,
                              std::vector<Arc> &queue) {
  const int64_t alignment = problem.buffers[buffer].alignment;
  newLeast = std::max(least[buffer],
                      roundUp(std::max<int64_t>(newLeast, 0), alignment));
  if (newMost < 0)
    return false;
  newMost = std::min(most[buffer], newMost / alignment * alignment);
  if (newLeast > newMost)
    return false;
  if (newLeast == least[buffer] && newMost == most[buffer])
    return true;
  // A cycle of bounds may climb slowly: that counts, too.
  if (++updates % 256 == 0 && !spend())
    return false;
  trail.push_back({buffer, least[buffer], most[buffer]});
  least[buffer] = newLeast;
  most[buffer] = newMost;
  queue.insert(queue.end(), arcs[buffer].begin(), arcs[buffer].end());
  return true;
}

/// Looking at all choices costs more than a node does where there are many.
bool DisjunctiveSearch::lookAtAll() {
  constexpr int64_t looksPerNode = 128;
  looks += static_cast<int64_t>(choices.size());
  for (; looks >= looksPerNode; looks -= looksPerNode)
    if (!spend())
      return false;
  return true;
}

bool DisjunctiveSearch::propagate(std::vector<Arc> &queue) {
  for (size_t next = 0; next < queue.size(); ++next) {
    const Arc arc = queue[next];
    if (!bound(arc.above, atLeast(arc, least[arc.below]), most[arc.above],
               queue) ||
        !bound(arc.below, least[arc.below], atMost(arc, most[arc.above]),
               queue))
      return false;
  }
  return true;
}

/// Propagates, and takes alternatives that are the only ones left.
bool DisjunctiveSearch::settle(std::vector<Arc> queue) {
  for (;;) {
    if (!propagate(queue) || !lookAtAll())
      return false;
    queue.clear();
    for (size_t c = 0; c < choices.size(); ++c) {
      if (chosen[c] >= 0)
        continue;
      int possible = -1, count = 0;
      for (size_t k = 0; k < choices[c].alternatives.size(); ++k)
        if (isPossible(choices[c].alternatives[k])) {
          possible = static_cast<int>(k);
          ++count;
        }
      if (count == 0)
        return false;
      if (count > 1)
        continue;
      chosen[c] = possible;
      chosenOrder.push_back(static_cast<int>(c));
      for (const Arc &arc : choices[c].alternatives[possible]) {
        arcs[arc.below].push_back(arc);
        arcs[arc.above].push_back(arc);
        queue.push_back(arc);
      }
    }
    if (queue.empty())
      return true;
  }
}

bool DisjunctiveSearch::search() {
  // Of the open conflicts, the one between the largest that are in each other's
  // way; none: every offset at its lowest is a solution.
  int best = -1;
  int64_t bestBytes = -1;
  for (size_t c = 0; c < choices.size(); ++c) {
    if (chosen[c] >= 0 || isFree(choices[c]))
      continue;
    const Arc &arc = choices[c].alternatives[0][0];
    const int64_t bytes = std::min(problem.buffers[arc.below].bytes,
                                   problem.buffers[arc.above].bytes);
    if (bytes > bestBytes) {
      best = static_cast<int>(c);
      bestBytes = bytes;
    }
  }
  if (best < 0)
    return true;
  const size_t trailMark = trail.size(), chosenMark = chosenOrder.size();
  const size_t alternatives = choices[best].alternatives.size();
  // In place first: it saves most.
  for (size_t k = alternatives; k-- > 0;) {
    const Alternative &alternative = choices[best].alternatives[k];
    if (!isPossible(alternative))
      continue;
    if (!spend())
      return false;
    chosen[best] = static_cast<int>(k);
    chosenOrder.push_back(best);
    for (const Arc &arc : alternative) {
      arcs[arc.below].push_back(arc);
      arcs[arc.above].push_back(arc);
    }
    if (settle(alternative) && search())
      return true;
    for (; trail.size() > trailMark; trail.pop_back()) {
      least[trail.back().buffer] = trail.back().least;
      most[trail.back().buffer] = trail.back().most;
    }
    for (; chosenOrder.size() > chosenMark; chosenOrder.pop_back()) {
      const int c = chosenOrder.back();
      const Alternative &taken = choices[c].alternatives[chosen[c]];
      for (auto arc = taken.rbegin(); arc != taken.rend(); ++arc) {
        arcs[arc->above].pop_back();
        arcs[arc->below].pop_back();
      }
      chosen[c] = -1;
    }
    if (stopped)
      return false;
  }
  return false;
}

SearchOutcome DisjunctiveSearch::run(int64_t capacity, int64_t nodes,
                                     SearchLimits &runLimits) {
  limits = &runLimits;
  remaining = std::min(nodes, runLimits.nodes);
  const int64_t start = remaining;
  stopped = false;
  updates = looks = 0;
  trail.clear();
  chosenOrder.clear();
  chosen.assign(choices.size(), -1);
  arcs.assign(problem.buffers.size(), {});
  least.clear();
  most.clear();
  for (const AllocationBuffer &buffer : problem.buffers) {
    if (capacity < buffer.bytes ||
        buffer.fixedOffset.value_or(0) > capacity - buffer.bytes)
      return SearchOutcome::Refuted;
    least.push_back(buffer.fixedOffset.value_or(0));
    most.push_back(buffer.fixedOffset.value_or(
        (capacity - buffer.bytes) / buffer.alignment * buffer.alignment));
  }
  const bool found = settle({}) && search();
  runLimits.nodes -= start - std::max<int64_t>(remaining, 0);
  if (found)
    offsets = least;
  return found     ? SearchOutcome::Found
         : stopped ? SearchOutcome::Limit
                   : SearchOutcome::Refuted;
}

} // namespace snug::planner
