// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The candidates of the search, each with figures taken without expanding it.
#ifndef SNUG_LIB_PLANNER_SEARCHSPACE_H
#define SNUG_LIB_PLANNER_SEARCHSPACE_H

#include "AllocationBound.h"
#include "snug/Planner/Search.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace snug::planner {

/// Bytes of the process besides weights and arena.
inline int64_t runtimeOverhead(const SearchOptions &options, int64_t steps) {
  return options.runtimeOverhead ? options.runtimeOverhead(steps) : 0;
}

/// What a run of steps does; sums and maxima of it describe a whole program.
struct Figures {
  int64_t liveBytes = 0; ///< most at any of its steps
  int64_t macs = 0;
  int64_t steps = 0;

  Figures &operator+=(const Figures &other) {
    liveBytes = std::max(liveBytes, other.liveBytes);
    macs += other.macs;
    steps += other.steps;
    return *this;
  }
};

/// Figures of the parts of a program: outside groups, first and second group.
using PartFigures = std::array<Figures, 3>;

/// A partition of the space, and what is known of it without expanding it.
struct Candidate {
  int64_t index = 0; ///< in the order of the space
  network::Partition partition;
  Figures figures;
  int64_t arenaBound = 0; ///< no arena for it is smaller
  int64_t costBound = 0;  ///< the same in the budget's scope
};

/// All candidates in their order, with their figures. The network must be well
/// formed. Figures are equal to those of the candidate's own expansion, though
/// only a few partitions are expanded.
class SearchSpace {
public:
  SearchSpace(const network::Network &network, const SearchOptions &options)
      : network(network), options(options) {
    build();
  }

  std::vector<Candidate> candidates;

private:
  /// A schedule of one part, with the part's figures by the kind (whole, grid)
  /// of the part before it.
  struct Choice {
    network::Schedule schedule;
    std::array<Figures, 2> figures;
  };

  void build();
  void addOneGroup(int64_t opEnd);
  void addTwoGroups(int64_t opCut, int64_t opEnd);
  int64_t prefixLayers() const;
  bool readsInputOnBothSides(int64_t opCut) const;
  std::vector<Choice> choices(int64_t opBegin, int64_t opEnd) const;
  PartFigures figures(const network::Partition &partition) const;
  void add(network::Partition partition, Figures figures);

  const network::Network &network;
  const SearchOptions &options;
};

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_SEARCHSPACE_H
