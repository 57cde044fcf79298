// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command `snug-planner allocate`.
#ifndef SNUG_TOOLS_SNUGPLANNER_ALLOCATE_H
#define SNUG_TOOLS_SNUGPLANNER_ALLOCATE_H

#include "snug/Planner/Allocation.h"

#include <cstdint>
#include <string>

namespace snug::tool {

struct AllocateOptions {
  std::string file;
  int64_t alignment = 1;
  planner::AllocationOptions limits;
  std::string json; ///< file to write, or empty
};

/// Reads, solves, checks, prints; the exit code: 0 where the answer is valid
/// and within the capacity, if any, else 1, the reason printed once.
int runAllocate(const AllocateOptions &options);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUGPLANNER_ALLOCATE_H
