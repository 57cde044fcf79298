// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a network per op: what annotate-memory and estimate both report.
#ifndef SNUG_ANALYSIS_MEMORYREPORT_H
#define SNUG_ANALYSIS_MEMORYREPORT_H

#include "snug/Analysis/NetworkAnalysis.h"
#include "snug/Planner/Search.h"
#include "snug/Predict/DeviceProfile.h"

#include <string>
#include <vector>

namespace snug {

/// Bytes of one op; of one tile's execution where it runs in tiles, the largest
/// over its tiles.
struct OpMemory {
  std::string name, kind;
  std::vector<int64_t> shape; ///< of the whole result, as the model has it
  int64_t inputBytes = 0;     ///< of the activations that it reads
  int64_t outputBytes = 0;
  int64_t weightBytes = 0; ///< packed, of the whole op
  int64_t workspaceBytes = 0;
  /// All buffers that are live while it, or a move for it, runs.
  int64_t liveBytes = 0;
  int64_t macs = 0;      ///< executed, all tiles
  bool costKnown = true; ///< false: macs say nothing
};

struct MemoryReport {
  std::vector<OpMemory> ops; ///< as in Network::ops
  planner::MemoryFigures figures;
  int64_t peakLiveBytes = 0;
  std::string peakOp; ///< the op, or the op that a move serves, at the peak
  std::vector<planner::Culprit> peakBuffers; ///< live there, largest first
  int64_t networkMacs = 0, executedMacs = 0; ///< of ops of known cost
};

/// "resident" or "streamed".
Result<planner::Weights> parseWeights(const std::string &text);

/// Search options for a device: alignment, the arena's unit, and what the
/// runtime takes beside weights and arena for ops of these names and so many
/// weight segments (names stand in the plan's program). No budget.
planner::SearchOptions planningOptions(const std::vector<std::string> &opNames,
                                       int64_t segments, int threads,
                                       const predict::DeviceProfile &device);
/// The same for a network.
planner::SearchOptions planningOptions(const network::Network &network,
                                       const TargetOptions &target,
                                       const predict::DeviceProfile &device);

/// The report of a network under the groups that its IR has.
MemoryReport reportMemory(const NetworkFromIR &from, const planner::Plan &plan);

} // namespace snug

#endif // SNUG_ANALYSIS_MEMORYREPORT_H
