// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Static address assignment: buffers with lifetimes get offsets in one arena.
#ifndef SNUG_PLANNER_ALLOCATION_H
#define SNUG_PLANNER_ALLOCATION_H

#include "snug/Network/Program.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace snug::planner {

/// A buffer of `bytes` bytes, live in the half-open interval [begin, end) of
/// steps.
struct AllocationBuffer {
  std::string name; ///< for messages
  int64_t bytes = 0;
  int64_t alignment = 1; ///< a power of two
  int64_t begin = 0, end = 0;
  /// Where it must lie, if that is not for us to choose.
  std::optional<int64_t> fixedOffset = {};
};

/// Leave for an output to take bytes of an input that dies in the very step
/// that makes the output: both are live in that step, and in no other.
struct AllocationOverlap {
  int input = 0, output = 0; ///< indices of buffers
  /// How far the kernel's reads stay ahead of its writes, in bytes: the two may
  /// share bytes where offset(output) + distance <= offset(input). Zero where
  /// an element is read before it is written, negative where reads run further
  /// ahead than that.
  int64_t distance = 0;
  /// In place: they may share bytes only where offset(output) ==
  /// offset(input); `distance` is not looked at.
  bool exact = false;
};

/// Two buffers that must never have bytes in one page. This holds for the
/// whole run, whether or not they ever live at the same time: a page's
/// protection, or its release, outlasts the lifetimes.
struct AllocationSeparation {
  int first = 0, second = 0; ///< indices of buffers
};

struct AllocationProblem {
  std::vector<AllocationBuffer> buffers;
  /// Each is judged apart: an output may share bytes with several inputs, and
  /// an input with several outputs.
  std::vector<AllocationOverlap> overlaps = {};
  std::vector<AllocationSeparation> separations = {};
  int64_t pageBytes = 4096; ///< a power of two; the arena starts at a page
};

enum class AllocationStatus {
  /// The peak equals the lower bound: no assignment has a smaller one.
  Optimal,
  /// A capacity was given and the peak is within it; it may not be the least.
  Fits,
  /// Stopped by a limit: the peak is above the lower bound and, if a capacity
  /// was given, above that, while nothing says that it cannot be met.
  Limit,
  /// A capacity was given and no assignment meets it; `conflict` says why.
  Infeasible,
};

struct AllocationSolution {
  /// One per buffer, bytes. A valid assignment whatever the status, of the
  /// smallest peak that was found.
  std::vector<int64_t> offsets;
  int64_t peak = 0;       ///< largest offset + bytes
  int64_t lowerBound = 0; ///< no assignment has a smaller peak
  bool proved = false;    ///< peak == lowerBound
  AllocationStatus status = AllocationStatus::Limit;
  int64_t nodes = 0; ///< placements that the exact search tried
  /// Of an infeasible capacity: ascending indices of buffers that alone, with
  /// what is said of them, already exceed it. No proper subset does where the
  /// proofs of that stayed within the limits.
  std::vector<int> conflict = {};
};

struct AllocationOptions {
  /// Stop as soon as the peak is at most this. Without: the least peak.
  std::optional<int64_t> capacity = {};
  /// What the arena's length is rounded up to: where the peak and the bound
  /// come to one length, little more is spent on the difference.
  int64_t arenaUnit = 1;
  /// Placements that the exact search may try; 0: greedy orders only. The
  /// answer depends on this limit, but not on the machine.
  int64_t nodeLimit = 2'000'000;
  /// Ends the search after so many seconds. With it, answers may differ from
  /// run to run.
  std::optional<double> secondsLimit = {};
};

/// Empty, or what is wrong with the problem, naming the buffer: a size that is
/// negative, an empty lifetime, an alignment that is no power of two, bytes
/// whose sum overflows; fixed offsets that are negative, misaligned or clash;
/// overlaps whose buffers do not meet in exactly one step; separations of a
/// buffer from itself, a page size that is no power of two; unknown indices;
/// a pair that is listed twice, also in the other direction.
std::string check(const AllocationProblem &problem);

/// Any solver: the planner takes one as a parameter. A solver expects a problem
/// that passes `check`.
using Allocator = std::function<AllocationSolution(const AllocationProblem &,
                                                   const AllocationOptions &)>;

/// Several greedy orders (those at the peak first; by size; by lifetime; by
/// area; by start), each buffer at the lowest offset that fits beside those
/// already placed; the best of them. Buffers that may lie in place are placed
/// both together and apart. O(n + pairs live together, log n) where there are
/// few pairs, else O(n * n), without storing pairs.
AllocationSolution allocateGreedily(const AllocationProblem &problem);

/// Greedy orders, then exact branch and bound, until the peak equals the lower
/// bound, a capacity is met or proved impossible, or a limit is reached.
AllocationSolution allocate(const AllocationProblem &problem,
                            const AllocationOptions &options = {});

/// Validator: empty, or the first way in which the solution is broken, naming
/// the buffers: a missing or negative offset, one that is not the fixed one,
/// misalignment, two live buffers that overlap without leave, two that share a
/// page and must not, a buffer beyond the peak, a peak below the stated lower
/// bound, a status that the figures contradict. Shares no code with any solver.
std::string verify(const AllocationProblem &problem,
                   const AllocationSolution &solution);

/// The allocation problem of a program's buffers, in their order and without
/// names; alignment is `alignment` for all. Its reuses are exact overlaps.
AllocationProblem allocationProblem(const network::Program &program,
                                    int64_t alignment);

/// The same with names that say tensor, part and role.
AllocationProblem allocationProblem(const network::Network &network,
                                    const network::Program &program,
                                    int64_t alignment);

} // namespace snug::planner

#endif // SNUG_PLANNER_ALLOCATION_H
