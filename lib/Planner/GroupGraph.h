// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Partitions as paths through a graph: cut positions, and groups between them.
#ifndef SNUG_LIB_PLANNER_GROUPGRAPH_H
#define SNUG_LIB_PLANNER_GROUPGRAPH_H

#include "AllocationBound.h"
#include "snug/Network/GroupFigures.h"
#include "snug/Planner/Search.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace snug::planner {

/// Bytes of the process besides weights and arena.
inline int64_t runtimeOverhead(const SearchOptions &options, int64_t steps) {
  return options.runtimeOverhead ? options.runtimeOverhead(steps) : 0;
}

/// One op that runs whole, or a group of ops on a grid.
struct GroupEdge {
  int opBegin = 0, opEnd = 0;
  int grid = -1; ///< index into GroupGraph::grids; -1: whole
  /// Multiples of the unit: no arena with it is smaller, one with all other ops
  /// whole is this, and what to count with.
  int64_t bound = 0, likely = 0, arena = 0;
  int64_t macs = 0;
  int64_t steps = 0;
  int64_t weights = 0; ///< in memory while it runs, where they are streamed
};

/// Edges from the network's first op to its last, by index: a partition. Its
/// figures are the largest arena and weights, and the sums of the others.
struct GroupPath {
  std::vector<int> edges;
  int64_t arena = 0, macs = 0, steps = 0, weights = 0;
};

/// Cut positions 0 to the number of ops are nodes. What happens between two of
/// them does not depend on the rest but for its figures: an arena is the
/// largest that any edge needs, work and steps add up. So paths of least work
/// within an arena come from dynamic programming.
class GroupGraph {
public:
  GroupGraph(const network::Network &network, const network::Sharing &sharing,
             const network::Program &untiled, const SearchOptions &options);

  /// Limits of an edge's streamed weights that are worth trying, ascending:
  /// all sizes that there are, or some where there are many. Resident weights,
  /// and budgets of the arena alone, have one.
  std::vector<int64_t> weightLimits() const;
  /// From now on, edges of more weights are left out, and paths count with so
  /// many.
  void limitWeights(int64_t bytes) { weightLimit = bytes; }

  /// What all edges count with; at first, their bounds.
  void useBounds();
  void useLikely();
  /// An edge's arena, and those of the same ops on other grids.
  void raise(int edge, int64_t bytes);

  /// The path that needs least of the budget's scope, by its figures; ties:
  /// least work. Always there.
  GroupPath least() const;

  /// A path of the least work within `budget` bytes in the budget's scope;
  /// ties: the smaller arena, fewer steps. In the scope of the process, where
  /// more steps take more bytes, work is the least where no path of less work
  /// within `budget` bytes of arena has too many steps, else nearly so.
  std::optional<GroupPath> leastWork(int64_t budget) const;

  /// Paths within `budget` by ascending work, each once; asks `accept` for
  /// each, until that returns true or so many partial paths were looked at.
  void enumerate(int64_t budget, int64_t partialPaths,
                 const std::function<bool(const GroupPath &)> &accept) const;

  /// Bytes that the path takes in the budget's scope, at least.
  int64_t need(const GroupPath &path) const {
    return need(path.arena, path.steps);
  }
  /// Weights in memory at once.
  int64_t weights(const GroupPath &path) const {
    return residentWeights + path.weights;
  }
  network::Partition partition(const GroupPath &path) const;

  std::vector<network::Schedule> grids;
  /// By opBegin, opEnd and grid.
  std::vector<GroupEdge> edges;
  int64_t weighed = 0; ///< groups and grids that figures were taken of

private:
  /// What an edge costs: weighted sums of its figures, compared in order.
  struct Price {
    int64_t macs = 1, steps = 0;         ///< weights in what comes first
    int64_t thenMacs = 0, thenSteps = 1; ///< and in what breaks ties
  };
  static constexpr Price work() { return {}; }
  static constexpr Price steps() { return {0, 1, 1, 0}; }
  using Cost = std::pair<int64_t, int64_t>;
  /// Least cost-to-go and the edge to take, by node and groups that may still
  /// be made.
  struct Table {
    std::vector<Cost> cost;
    std::vector<int> edge;
  };

  void addEdges(const network::Network &network,
                const network::Sharing &sharing,
                const network::Program &untiled);
  Table tabulate(int64_t arena, const Price &price) const;
  GroupPath follow(const Table &table) const;
  std::optional<GroupPath> cheapest(int64_t arena, const Price &price) const;
  std::optional<GroupPath> leastWorkWithin(int64_t arena, int64_t budget) const;
  int64_t need(int64_t arena, int64_t steps) const;
  std::vector<int64_t> arenasUpTo(int64_t most) const;
  size_t at(int node, int groups) const {
    return static_cast<size_t>(groups) * (opCount + 1) + node;
  }
  int groupsBehind(int groups, const GroupEdge &edge) const {
    return limited && edge.grid >= 0 ? groups - 1 : groups;
  }

  bool isUsable(const GroupEdge &edge) const {
    return edge.weights <= weightLimit;
  }

  const SearchOptions &options;
  int64_t residentWeights = 0; ///< 0 where they are streamed
  int64_t weightLimit = 0;
  int opCount = 0;
  bool limited = false;          ///< in the number of groups
  int mostGroups = 0;            ///< 0 where not limited
  std::vector<size_t> firstEdge; ///< by opBegin, and the end
};

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_GROUPGRAPH_H
