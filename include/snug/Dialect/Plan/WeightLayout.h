// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the segments of a program lie in a plan file, and when a program that
// streams its weights has which of them in memory.
#ifndef SNUG_DIALECT_PLAN_WEIGHTLAYOUT_H
#define SNUG_DIALECT_PLAN_WEIGHTLAYOUT_H

#include "snug/Dialect/Plan/PlanDialect.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace snug::plan {

/// Streamed weights come and go in such pages.
constexpr int64_t kWeightPageBytes = 4096;

/// Bytes [offset, offset + bytes) of the weights section, whole pages, that are
/// in memory while kernels [begin, end) run.
struct WeightRange {
  int64_t begin = 0, end = 0;
  int64_t offset = 0, bytes = 0;
};

struct WeightLayout {
  llvm::SmallVector<SegmentOp> segments; ///< in their order
  llvm::SmallVector<int64_t> offsets;    ///< of each segment
  int64_t fileBytes = 0;                 ///< of the section, whole pages
  /// Of a program that streams its weights, ascending by begin and offset;
  /// those of one begin have one end, others follow each other.
  llvm::SmallVector<WeightRange> ranges;

  /// Bytes of weights in memory by kernel.
  llvm::SmallVector<int64_t> residentBytes(int64_t kernels) const;
  /// What the prediction counts: the largest of them, or all segments.
  int64_t peakBytes = 0;
};

/// Segments follow each other in their order, each 64-byte aligned; streamed
/// ones of each op or grid group begin at a page.
WeightLayout layOutWeights(ProgramOp program);

/// The segments that a kernel reads.
llvm::SmallVector<mlir::FlatSymbolRefAttr>
findSegments(KernelOpInterface kernel);

} // namespace snug::plan

#endif // SNUG_DIALECT_PLAN_WEIGHTLAYOUT_H
