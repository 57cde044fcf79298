// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Merging of neighbouring axes.
#include "snug/Analysis/MergedExtents.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

using llvm::ArrayRef;
using llvm::SmallVector;

namespace snug {

static int64_t product(ArrayRef<int64_t> extents) {
  return std::accumulate(extents.begin(), extents.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

std::optional<BroadcastExtents> mergeBroadcast(ArrayRef<int64_t> left,
                                               ArrayRef<int64_t> right,
                                               ArrayRef<int64_t> result) {
  BroadcastExtents merged{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}};
  auto extentAt = [&](ArrayRef<int64_t> shape, size_t axisFromEnd) {
    return axisFromEnd < shape.size() ? shape[shape.size() - 1 - axisFromEnd]
                                      : 1;
  };
  // From the last axis on; `at` is the extent that takes the current ones.
  int at = 4;
  bool leftRepeats = false, rightRepeats = false;
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t extent = extentAt(result, i);
    if (extent == 1)
      continue;
    const bool repeatsLeft = extentAt(left, i) == 1;
    const bool repeatsRight = extentAt(right, i) == 1;
    if (at == 4 || repeatsLeft != leftRepeats || repeatsRight != rightRepeats) {
      if (--at < 0)
        return std::nullopt;
      leftRepeats = repeatsLeft;
      rightRepeats = repeatsRight;
    }
    merged.result[at] *= extent;
    merged.left[at] *= extentAt(left, i);
    merged.right[at] *= extentAt(right, i);
  }
  return merged;
}

AxisExtents splitAround(ArrayRef<int64_t> shape, int64_t begin, int64_t end) {
  return {product(shape.take_front(begin)),
          product(shape.slice(begin, end - begin)),
          product(shape.drop_front(end))};
}

std::optional<AxisExtents> mergeReduced(ArrayRef<int64_t> shape,
                                        ArrayRef<int64_t> axes) {
  for (int64_t axis = axes.front(); axis <= axes.back(); ++axis)
    if (shape[axis] != 1 && !llvm::is_contained(axes, axis))
      return std::nullopt;
  return splitAround(shape, axes.front(), axes.back() + 1);
}

std::optional<MatMulExtents> mergeMatMul(ArrayRef<int64_t> left,
                                         ArrayRef<int64_t> right) {
  assert(left.size() >= 2 && right.size() >= 2);
  MatMulExtents merged;
  ArrayRef<int64_t> leftBatch = left.drop_back(2);
  ArrayRef<int64_t> rightBatch = right.drop_back(2);
  merged.leftBatch = product(leftBatch);
  merged.rightBatch = product(rightBatch);
  merged.rows = left[left.size() - 2];
  merged.inner = left.back();
  merged.columns = right.back();
  merged.batch = std::max(merged.leftBatch, merged.rightBatch);
  auto withoutOnes = [](ArrayRef<int64_t> batch) {
    return batch.drop_while([](int64_t extent) { return extent == 1; });
  };
  // Equal but for axes of one in front, or one side a single matrix.
  if (merged.leftBatch != 1 && merged.rightBatch != 1 &&
      withoutOnes(leftBatch) != withoutOnes(rightBatch))
    return std::nullopt;
  return merged;
}

std::optional<PadExtents> mergePad(ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> low,
                                   ArrayRef<int64_t> high) {
  PadExtents merged;
  int at = 4;
  // Axes without pads in front of a padded one would be padded with it in a
  // row-major order, so only those of their own kind join.
  bool padded = false;
  for (size_t i = shape.size(); i-- > 0;) {
    const bool pads = low[i] != 0 || high[i] != 0;
    if (!pads && shape[i] == 1)
      continue;
    if (at == 4 || pads || padded) {
      if (--at < 0)
        return std::nullopt;
      padded = pads;
    }
    merged.input[at] *= shape[i];
    merged.result[at] *= shape[i] + low[i] + high[i];
    merged.low[at] = low[i];
    merged.high[at] = high[i];
  }
  if (merged.low[0] != 0 || merged.high[0] != 0)
    return std::nullopt;
  return merged;
}

} // namespace snug
