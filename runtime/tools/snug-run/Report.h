// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A run's figures, as a table, as JSON and as a Chrome trace.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_REPORT_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_REPORT_H

#include "ProcessMemory.h"
#include "Runner.h"
#include "snug/runtime/runtime.h"

#include <string>
#include <vector>

namespace snug {
namespace runner {

/// Latencies in microseconds, memory in bytes.
struct Measurements {
  double medianUs = 0, minUs = 0, maxUs = 0;
  std::vector<double> groupUs; ///< median of each group
  uint64_t executedMacs = 0;
  uint64_t arenaBytes = 0;
  uint64_t planFileBytes = 0; ///< resident, of the plan file's mapping
  /// The most weights that were mapped at once, where they are streamed.
  uint64_t streamedBytes = 0;
  ProcessMemory memory;
};

void printReport(const snug_plan *plan, const RunOptions &options,
                 const Measurements &measured);
/// An error, or empty; likewise writeTrace().
std::string writeReport(const snug_plan *plan, const RunOptions &options,
                        const Measurements &measured);

/// The last run as Chrome's trace events: one complete event an instruction.
std::string writeTrace(const snug_executor *executor, const std::string &path);

/// Prints the plan; with a JSON file in the options writes it there as well.
std::string dumpPlan(const snug_plan *plan, const RunOptions &options);

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_REPORT_H
