// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads allocation problems in MiniMalloc's CSV format.
#ifndef SNUG_TOOLS_SNUGPLANNER_BUFFERTABLE_H
#define SNUG_TOOLS_SNUGPLANNER_BUFFERTABLE_H

#include "snug/Network/Result.h"
#include "snug/Planner/Allocation.h"

#include <string>
#include <vector>

namespace snug::tool {

/// What a file says, in its order. Errors name the line.
struct BufferTable {
  planner::AllocationProblem problem;
  std::vector<int> lines; ///< by buffer, from 1
};

/// Format: github.com/google/minimalloc, src/converter.cc. The header names the
/// columns, in any order: id (or buffer, buffer_id), lower (begin, start),
/// upper (or end, which counts the last step in), size, and, if present,
/// alignment, offset (fixed; empty or -1: not fixed), hint (not needed) and
/// gaps (must be empty). `alignment`: at least that for all.
Result<BufferTable> parseBufferTable(const std::string &text,
                                     int64_t alignment);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUGPLANNER_BUFFERTABLE_H
