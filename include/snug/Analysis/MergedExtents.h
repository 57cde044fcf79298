// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors of any rank as the four extents that kernels know: neighbouring axes
// that an operation treats alike are one axis.
#ifndef SNUG_ANALYSIS_MERGEDEXTENTS_H
#define SNUG_ANALYSIS_MERGEDEXTENTS_H

#include "llvm/ADT/ArrayRef.h"

#include <array>
#include <cstdint>
#include <optional>

namespace snug {

/// Batch, height, width, channels; row-major, channels fastest.
using Extents = std::array<int64_t, 4>;

/// The shapes of a broadcast. Each extent of an operand is the result's or one.
struct BroadcastExtents {
  Extents left, right, result;
};
/// Shapes are aligned at their last axis, `result` has both's rank at least.
/// Nothing where operands are repeated along more axes in turn than four
/// extents can tell.
std::optional<BroadcastExtents> mergeBroadcast(llvm::ArrayRef<int64_t> left,
                                               llvm::ArrayRef<int64_t> right,
                                               llvm::ArrayRef<int64_t> result);

/// A shape around some neighbouring axes: elements are
/// [outer][middle][inner].
struct AxisExtents {
  int64_t outer = 1, middle = 1, inner = 1;
};
/// The middle is axes [begin, end).
AxisExtents splitAround(llvm::ArrayRef<int64_t> shape, int64_t begin,
                        int64_t end);
/// The middle holds exactly `axes`, in ascending order (axes of one element
/// count as any). Nothing where others stand between them.
std::optional<AxisExtents> mergeReduced(llvm::ArrayRef<int64_t> shape,
                                        llvm::ArrayRef<int64_t> axes);

/// Products of matrices [rows, inner] x [inner, columns]; one matrix on a side
/// stands for all.
struct MatMulExtents {
  int64_t leftBatch = 1, rightBatch = 1, batch = 1;
  int64_t rows = 1, inner = 1, columns = 1;
};
/// Nothing where the batches are broadcast in another way.
std::optional<MatMulExtents> mergeMatMul(llvm::ArrayRef<int64_t> left,
                                         llvm::ArrayRef<int64_t> right);

/// A padded tensor; its first extent (batch) has no pads.
struct PadExtents {
  Extents input = {1, 1, 1, 1}, result = {1, 1, 1, 1};
  std::array<int64_t, 4> low = {0, 0, 0, 0}, high = {0, 0, 0, 0};
};
/// Nothing where more than three axes, or groups of axes, have pads.
std::optional<PadExtents> mergePad(llvm::ArrayRef<int64_t> shape,
                                   llvm::ArrayRef<int64_t> low,
                                   llvm::ArrayRef<int64_t> high);

} // namespace snug

#endif // SNUG_ANALYSIS_MERGEDEXTENTS_H
