// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Static address assignment: buffers with lifetimes get offsets in one arena.
#ifndef SNUG_PLANNER_ALLOCATION_H
#define SNUG_PLANNER_ALLOCATION_H

#include "snug/Network/Program.h"

#include <cstdint>
#include <string>
#include <vector>

namespace snug::planner {

/// A buffer of `bytes` bytes, live in the half-open interval [begin, end).
struct AllocationBuffer {
  std::string name; ///< for messages
  int64_t bytes = 0;
  int64_t alignment = 1; ///< a power of two
  int64_t begin = 0, end = 0;
};

struct AllocationProblem {
  std::vector<AllocationBuffer> buffers;
};

struct AllocationSolution {
  std::vector<int64_t> offsets; ///< one per buffer, bytes
  int64_t peak = 0;             ///< largest offset + bytes
  int64_t lowerBound = 0;       ///< no assignment has a smaller peak
  bool proved = false;          ///< peak == lowerBound
};

/// Empty, or what is wrong with the problem, naming the buffer: a size that is
/// negative, an empty lifetime, an alignment that is no power of two, bytes
/// whose sum overflows.
std::string check(const AllocationProblem &problem);

/// Any solver: the planner takes one as a parameter.
using Allocator = AllocationSolution (*)(const AllocationProblem &problem);

/// Several greedy orders (those at the peak first; by size; by lifetime; by
/// area; by start), each buffer at the lowest offset that fits beside those
/// already placed; the best of them. O(n + pairs live together, log n).
AllocationSolution allocateGreedily(const AllocationProblem &problem);

/// Validator: empty, or the first way in which the solution is broken, naming
/// the buffers: a missing or negative offset, misalignment, two live buffers
/// that overlap, a buffer beyond the peak, a peak below the stated lower bound.
/// Shares no code with any solver.
std::string verify(const AllocationProblem &problem,
                   const AllocationSolution &solution);

/// The allocation problem of a program's buffers. Names say tensor, part and
/// role; alignment is `alignment` for all.
AllocationProblem allocationProblem(const network::Network &network,
                                    const network::Program &program,
                                    int64_t alignment);

} // namespace snug::planner

#endif // SNUG_PLANNER_ALLOCATION_H
