// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Search over groups and schedules under a byte budget.
#ifndef SNUG_PLANNER_SEARCH_H
#define SNUG_PLANNER_SEARCH_H

#include "snug/Network/Program.h"
#include "snug/Planner/Allocation.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace snug::planner {

/// Memory of a plan in bytes, by category (architecture: what a figure means).
/// The arena is the peak of the assigned offsets, rounded up to the unit.
/// Workspace is what is live of it at Program::peakStep(), every buffer rounded
/// up to its alignment; activations are all the rest of the arena, so what
/// alignment, placement and rounding cost counts there.
struct MemoryFigures {
  /// Packed parameters: all of them, or, streamed, the most at once.
  int64_t weights = 0;
  int64_t activations = 0;     ///< the arena without workspace
  int64_t workspace = 0;       ///< kernel scratch at the arena's peak
  int64_t runtimeOverhead = 0; ///< what the process takes besides
  int64_t arena = 0;           ///< activations + workspace
  int64_t peak = 0;            ///< weights + arena + runtimeOverhead
};

enum class BudgetScope { Process, Arena };

/// Which packed parameters are in memory: all of them throughout, or those of
/// the op that runs (of all ops of a grid group, while its tiles run).
enum class Weights { Resident, Streamed };

/// What the search may do and what it must keep.
struct SearchOptions {
  /// Bytes; none: no limit, the untiled network.
  std::optional<int64_t> budgetBytes;
  BudgetScope scope = BudgetScope::Process;
  Weights weights = Weights::Resident;
  /// Grid groups at most (MAFAT: 2); -1: any number; 0: only the untiled
  /// network.
  int64_t maxGroups = -1;
  /// Grids have 1 to 6, 8, 12 or 16 tiles along an axis, up to these limits,
  /// and from 2 to so many tiles together.
  int64_t maxGridRows = 16, maxGridColumns = 16, maxTiles = 64;
  /// No op of a grid group computes more than this times its result.
  int64_t maxRecompute = 16;
  int64_t alignment = 64; ///< of every buffer, a power of two
  /// The arena's length is rounded up to this, a multiple of the alignment;
  /// streamed weights of an op or group, too.
  int64_t arenaUnit = 4096;
  /// Bytes of the process besides weights and arena for so many steps; null:
  /// none.
  std::function<int64_t(int64_t steps)> runtimeOverhead;
  Allocator allocate = planner::allocate;
  /// Nodes that the exact solver may visit to see whether a candidate keeps the
  /// budget; and for a plan's addresses, fewer where there are thousands of
  /// buffers.
  int64_t candidateNodes = 20'000;
  int64_t planNodes = AllocationOptions().nodeLimit;
};

/// Addresses of a program's buffers, and what they come down to.
struct Placement {
  AllocationSolution allocation;
  MemoryFigures memory;
};

/// Checks, allocates and validates `problem`, the buffers of `program` in their
/// order, and sums up the memory of a process that holds `weightBytes` of
/// weights.
Result<Placement> place(const network::Program &program,
                        const AllocationProblem &problem, int64_t weightBytes,
                        const SearchOptions &options);

/// By op: packed parameters that are in memory while it runs, in bytes. A
/// plan's memory counts the most of them.
std::vector<int64_t> weightBytes(const network::Network &network,
                                 const network::Partition &partition,
                                 const SearchOptions &options);

/// A partition with all that was computed about it.
struct Plan {
  network::Partition partition;
  network::Program program;
  AllocationSolution allocation;
  MemoryFigures memory;
};

/// A buffer that is live at the peak.
struct Culprit {
  std::string name;
  int64_t bytes = 0;
};

struct SearchResult {
  /// A plan within the budget; nothing where none exists in the space.
  std::optional<Plan> plan;
  /// Doing nothing, and groups that were weighed, with each of their grids.
  int64_t candidates = 0;
  // Where there is no plan:
  int64_t smallestBudgetBytes = 0; ///< in the budget's scope; it would do
  Plan smallestPlan;               ///< the plan that needs it
  std::vector<Culprit> culprits;   ///< live at its peak, largest first
};

/// Expands, allocates, validates and sums up one partition.
Result<Plan> evaluate(const network::Network &network,
                      const network::Partition &partition,
                      const SearchOptions &options);

/// Partitions into any groups on any of the grids in `options`: ops stand in
/// their topological order, groups are disjoint intervals of them that
/// checkGroup() allows, ops in none run whole.
///
/// Without a budget, or where it is kept so: the untiled network. Else the plan
/// with the fewest multiply-accumulates within the budget; ties: the smaller
/// arena, then fewer steps. If nothing fits: the plan that needs the smallest
/// budget; a search with that budget finds a plan, one with a byte less none.
///
/// Candidates are ranked by their figures, sums and maxima over groups, which
/// bound what expansion and address assignment make of them. Where the two
/// agree, as they nearly always do, the answer is exact; where they do not,
/// further candidates are tried, all in small networks, some in large ones.
/// Every plan that is returned has been expanded, placed and validated.
Result<SearchResult> search(const network::Network &network,
                            const SearchOptions &options);

} // namespace snug::planner

#endif // SNUG_PLANNER_SEARCH_H
