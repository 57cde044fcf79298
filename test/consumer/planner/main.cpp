// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places three buffers with an installed lib/Planner, without MLIR.
#include "snug/Planner/Allocation.h"

#include <iostream>

int main() {
  snug::planner::AllocationProblem problem;
  // The first and the last never live together.
  problem.buffers = {{"first", 256, 64, 0, 2},
                     {"second", 128, 64, 1, 3},
                     {"third", 192, 64, 2, 4}};
  snug::planner::AllocationSolution solution = snug::planner::allocate(problem);
  if (std::string fault = snug::planner::verify(problem, solution);
      !fault.empty()) {
    std::cerr << fault << "\n";
    return 1;
  }
  std::cout << "peak " << solution.peak << ", lower bound "
            << solution.lowerBound << "\n";
  return 0;
}
