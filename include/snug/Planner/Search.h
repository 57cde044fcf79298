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
  int64_t weights = 0;         ///< resident packed parameters
  int64_t activations = 0;     ///< the arena without workspace
  int64_t workspace = 0;       ///< kernel scratch at the arena's peak
  int64_t runtimeOverhead = 0; ///< what the process takes besides
  int64_t arena = 0;           ///< activations + workspace
  int64_t peak = 0;            ///< weights + arena + runtimeOverhead
};

enum class BudgetScope { Process, Arena };

/// What the search may do and what it must keep.
struct SearchOptions {
  /// Bytes; none: no limit, the untiled network.
  std::optional<int64_t> budgetBytes;
  BudgetScope scope = BudgetScope::Process;
  /// Groups at most (MAFAT: 2); 0: only the untiled network.
  /// More than 2: an error.
  int64_t maxGroups = 2;
  int64_t maxGridRows = 6, maxGridColumns = 6;
  int64_t alignment = 64;   ///< of every buffer, a power of two
  int64_t arenaUnit = 4096; ///< the arena's length is rounded up to this, a
                            ///< multiple of the alignment
  /// Bytes of the process besides weights and arena for so many steps; null:
  /// none.
  std::function<int64_t(int64_t steps)> runtimeOverhead;
  Allocator allocate = planner::allocate;
  /// Nodes that the exact solver may visit for each of a search's candidates,
  /// until its arena is down to the bound in units; and for a plan's addresses.
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
  int64_t candidates = 0; ///< legal partitions in the space, searched exactly
  // Where there is no plan:
  int64_t smallestBudgetBytes = 0; ///< in the budget's scope; it would do
  Plan smallestPlan;               ///< the plan that needs it
  std::vector<Culprit> culprits;   ///< live at its peak, largest first
};

/// Expands, allocates, validates and sums up one partition.
Result<Plan> evaluate(const network::Network &network,
                      const network::Partition &partition,
                      const SearchOptions &options);

/// MAFAT's space (arXiv 2107.06960, section 3) searched exactly: the longest
/// prefix of layers without a barrier is one group or is cut at any layer into
/// two; each group whole or on any grid up to the limits (and up to its
/// output's extents); later ops run whole. What checkGroup() refuses is no
/// candidate. Candidates are ordered: doing nothing, which always is one; one
/// group; two groups by their cut, then the first group's schedule, then the
/// second's; of schedules whole comes first, then grids by rows and columns.
///
/// Returns the plan with the fewest multiply-accumulates within the budget;
/// ties: the smaller arena, then fewer steps, then the earlier candidate. If
/// nothing fits: the plan that needs the smallest budget; ties: fewer
/// multiply-accumulates, then as above. Without a budget: the untiled network.
Result<SearchResult> search(const network::Network &network,
                            const SearchOptions &options);

} // namespace snug::planner

#endif // SNUG_PLANNER_SEARCH_H
