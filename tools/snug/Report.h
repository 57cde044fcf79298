// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables and JSON that compile and estimate print.
#ifndef SNUG_TOOLS_SNUG_REPORT_H
#define SNUG_TOOLS_SNUG_REPORT_H

#include "snug/Analysis/MemoryMap.h"
#include "snug/Analysis/MemoryReport.h"

#include "llvm/ADT/StringRef.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace snug::tool {

/// A group as reports list it.
struct GroupReport {
  std::vector<std::string> ops;
  std::string schedule;
  int64_t arenaBytes = 0;
};

/// How good the addresses of the buffers are.
struct AddressReport {
  int64_t buffers = 0;
  int64_t lowerBound = 0; ///< no assignment has a smaller peak, in bytes
  int64_t peak = 0;       ///< largest offset + bytes
  int64_t nodes = 0;      ///< visited by the exact solver
};

/// What is known of a plan before it runs.
struct PlanReport {
  std::string model, target;
  int64_t threads = 1;
  planner::MemoryFigures memory;
  AddressReport addresses;
  int64_t networkMacs = 0, executedMacs = 0;
  /// Of a compiled plan: kernels for convolutions, one for each tile, and those
  /// of them that are Winograd's.
  std::optional<int64_t> convolutionKernels, winogradKernels;
  std::vector<GroupReport> groups;
};

AddressReport describeAddresses(const MemoryMap &map);

/// The table of a plan, to standard output.
void printReport(const PlanReport &report);
/// The fields that every JSON report has; `options` are those of the command.
nlohmann::ordered_json toJson(const PlanReport &report,
                              nlohmann::ordered_json options);

/// The table of a network's work and memory per op, to standard output.
void printOps(const MemoryReport &report);
nlohmann::ordered_json opsToJson(const MemoryReport &report);
/// The same table as comma-separated values, the header first; false after an
/// error was printed.
bool writeOpsCsv(const MemoryReport &report, const std::string &file);

/// A field of comma-separated values as RFC 4180 has it: names in a model may
/// hold anything.
std::string csvField(llvm::StringRef text);

/// Writes `document` to `file`; false after an error was printed.
bool writeJson(const nlohmann::ordered_json &document, const std::string &file);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_REPORT_H
