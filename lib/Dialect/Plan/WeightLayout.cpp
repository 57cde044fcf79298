// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where segments lie, and when they are in memory.
#include "snug/Dialect/Plan/WeightLayout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <set>

using namespace mlir;

namespace snug::plan {

namespace {

/// Kernels [begin, end) and all segments that they read, by index.
struct Phase {
  int64_t begin = 0, end = 0;
  int64_t group = -1; ///< of tiles, else -1
  std::set<int64_t> segments;
};

} // namespace

SmallVector<FlatSymbolRefAttr> findSegments(KernelOpInterface kernel) {
  SmallVector<FlatSymbolRefAttr> symbols;
  for (NamedAttribute attribute : kernel->getAttrDictionary())
    if (auto symbol = dyn_cast<FlatSymbolRefAttr>(attribute.getValue()))
      symbols.push_back(symbol);
  return symbols;
}

/// A grid group is one phase. So are kernels one after the other that read the
/// same segments; those that read none stand in no phase.
static SmallVector<Phase> findPhases(ProgramOp program,
                                     ArrayRef<SegmentOp> segments) {
  llvm::StringMap<int64_t> indexOf;
  for (auto [index, segment] : llvm::enumerate(segments))
    indexOf[SegmentOp(segment).getSymName()] = static_cast<int64_t>(index);
  SmallVector<Phase> phases;
  int64_t step = 0;
  for (auto kernel : program.getBlock().getOps<KernelOpInterface>()) {
    Phase phase{step, step + 1, -1, {}};
    ++step;
    if (kernel.getTileIndex() >= 0)
      phase.group = kernel.getGroupIndex();
    for (FlatSymbolRefAttr symbol : findSegments(kernel))
      if (auto found = indexOf.find(symbol.getValue()); found != indexOf.end())
        phase.segments.insert(found->second);
    if (phase.segments.empty())
      continue;
    Phase *last = phases.empty() ? nullptr : &phases.back();
    const bool joins = last && last->group == phase.group &&
                       (phase.group >= 0 || (last->end == phase.begin &&
                                             last->segments == phase.segments));
    if (joins) {
      last->end = phase.end;
      last->segments.insert(phase.segments.begin(), phase.segments.end());
    } else {
      phases.push_back(std::move(phase));
    }
  }
  return phases;
}

WeightLayout layOutWeights(ProgramOp program) {
  WeightLayout layout;
  layout.segments = llvm::to_vector(program.getBlock().getOps<SegmentOp>());
  const bool streams = program.getStreamWeights();
  SmallVector<Phase> phases;
  if (streams)
    phases = findPhases(program, layout.segments);
  // The first phase that reads a segment decides on whose pages it lies.
  SmallVector<int64_t> firstPhase(layout.segments.size(), -1);
  for (auto [index, phase] : llvm::enumerate(phases))
    for (int64_t segment : phase.segments)
      if (firstPhase[segment] < 0)
        firstPhase[segment] = static_cast<int64_t>(index);
  int64_t offset = 0;
  for (auto [index, segment] : llvm::enumerate(layout.segments)) {
    if (streams && index > 0 && firstPhase[index] != firstPhase[index - 1])
      offset = llvm::alignTo(offset, kWeightPageBytes);
    layout.offsets.push_back(offset);
    offset += SegmentOp(segment).getFileBytes();
  }
  layout.fileBytes = llvm::alignTo(offset, kWeightPageBytes);

  for (const Phase &phase : phases) {
    SmallVector<WeightRange> ranges;
    for (int64_t segment : phase.segments) { // ascending, as offsets are
      const int64_t begin =
          llvm::alignDown(layout.offsets[segment], kWeightPageBytes);
      const int64_t end = llvm::alignTo(
          layout.offsets[segment] + layout.segments[segment].getFileBytes(),
          kWeightPageBytes);
      if (!ranges.empty() &&
          begin <= ranges.back().offset + ranges.back().bytes)
        ranges.back().bytes =
            std::max(ranges.back().bytes, end - ranges.back().offset);
      else
        ranges.push_back({phase.begin, phase.end, begin, end - begin});
    }
    int64_t together = 0;
    for (const WeightRange &range : ranges)
      together += range.bytes;
    layout.peakBytes = std::max(layout.peakBytes, together);
    llvm::append_range(layout.ranges, ranges);
  }
  if (!streams)
    layout.peakBytes = offset;
  return layout;
}

SmallVector<int64_t> WeightLayout::residentBytes(int64_t kernels) const {
  SmallVector<int64_t> bytes(kernels, ranges.empty() ? peakBytes : 0);
  for (const WeightRange &range : ranges)
    for (int64_t step = range.begin; step < range.end; ++step)
      bytes[step] += range.bytes;
  return bytes;
}

} // namespace snug::plan
