// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the bytes of a plan lie, step by step: what a memory map draws.
#ifndef SNUG_ANALYSIS_MEMORYMAP_H
#define SNUG_ANALYSIS_MEMORYMAP_H

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Network.h"
#include "snug/Planner/Search.h"

#include <cstdint>
#include <string>
#include <vector>

namespace snug {

/// Bytes [offset, offset + bytes) in steps [begin, end).
struct MemoryBlock {
  std::string name;
  std::string kind; ///< "input", "output", "activation", "workspace", "weights"
  int64_t offset = 0, bytes = 0;
  int64_t begin = 0, end = 0;
};

struct MemoryMap {
  std::string model;
  std::vector<std::string> steps; ///< what each step does
  /// By step; what runs in place counts once.
  std::vector<int64_t> liveBytes;
  int64_t peakStep = 0;           ///< the first one with the most live bytes
  std::vector<MemoryBlock> arena; ///< buffers
  /// Packed parameters in the plan file, at offsets in its weights section,
  /// from the first step that reads them to the last.
  std::vector<MemoryBlock> weights;
  bool streamsWeights = false;
  /// By step: bytes of weights in memory, in whole pages. Resident ones are
  /// there throughout.
  std::vector<int64_t> residentWeights;
  planner::MemoryFigures memory;
  int64_t peak = 0;       ///< of the buffers' offsets
  int64_t lowerBound = 0; ///< of any assignment of addresses
  int64_t nodes = 0;      ///< visited by the exact solver
};

/// The map of a program whose memory is planned.
MemoryMap mapMemory(plan::ProgramOp program);
/// The same of a plan that was not lowered, made with these options.
MemoryMap mapMemory(const network::Network &network, const planner::Plan &plan,
                    const planner::SearchOptions &options);

} // namespace snug

#endif // SNUG_ANALYSIS_MEMORYMAP_H
