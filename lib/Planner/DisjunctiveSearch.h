// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exact branch and bound over which of two buffers lies below the other.
#ifndef SNUG_LIB_PLANNER_DISJUNCTIVESEARCH_H
#define SNUG_LIB_PLANNER_DISJUNCTIVESEARCH_H

#include "PackingSearch.h"

#include <cstdint>
#include <vector>

namespace snug::planner {

/// For problems with overlaps in place or of negative distance, where an
/// optimum need not be one in which every buffer is pushed down as far as it
/// goes, so that PackingSearch would miss it. Every conflict is a choice
/// between alternatives, each a set of bounds of one offset by another; bounds
/// are propagated both ways. Complete, and much slower: for some tens of
/// buffers.
class DisjunctiveSearch {
public:
  explicit DisjunctiveSearch(const AllocationProblem &problem);

  /// Spends at most `nodes` of the limits. With Found, `offsets` has them, in
  /// bytes by buffer.
  SearchOutcome run(int64_t capacity, int64_t nodes, SearchLimits &limits);

  std::vector<int64_t> offsets;

private:
  /// The second lies at least `distance` above the first, or at least at the
  /// next page boundary from there.
  struct Arc {
    int below, above;
    int64_t distance;
    bool paged;
  };
  using Alternative = std::vector<Arc>;
  struct Choice {
    std::vector<Alternative> alternatives;
  };
  struct Change {
    int buffer;
    int64_t least, most;
  };

  void addChoice(int a, int b);
  bool spend();
  bool lookAtAll();
  bool search();
  bool settle(std::vector<Arc> queue);
  bool propagate(std::vector<Arc> &queue);
  bool bound(int buffer, int64_t least, int64_t most, std::vector<Arc> &queue);
  bool isPossible(const Alternative &alternative) const;
  bool holds(const Alternative &alternative) const;
  bool isFree(const Choice &choice) const;
  int64_t atLeast(const Arc &arc, int64_t offset) const;
  int64_t atMost(const Arc &arc, int64_t offset) const;

  const AllocationProblem &problem;
  std::vector<Choice> choices;
  std::vector<int> chosen; ///< by choice, -1 while open
  std::vector<int64_t> least, most;
  std::vector<std::vector<Arc>> arcs; ///< that hold, by either buffer
  std::vector<Change> trail;
  std::vector<int> chosenOrder;
  int64_t remaining = 0, updates = 0, looks = 0;
  bool stopped = false;
  SearchLimits *limits = nullptr;
};

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_DISJUNCTIVESEARCH_H
