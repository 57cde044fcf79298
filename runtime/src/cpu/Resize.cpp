// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nearest and linear resizing of rows and columns, channels last.
//
// Numerics: nearest copies bit by bit. Linear is a sum of four products in
// float32 whose weights add up to 1: its error is below 2^-22 times the largest
// of the four inputs.
#include "ResizeSource.h"
#include "Vector.h"

#include <string.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 16 * 1024;
/// Columns whose sources are computed at once, for all rows of a piece.
constexpr int64_t kColumns = 128;

/// Sources of output columns, as distances in a row of the input view.
struct Columns {
  int64_t low[kColumns], high[kColumns];
  float part[kColumns];
};

/// A source within the input view.
SNUG_INLINE ResizeSource sourceInView(const ResizeShape &shape,
                                      const ResizeAxis &axis, int64_t output) {
  ResizeSource source =
      resizeSource(axis, shape.mode, shape.rounding, output + axis.outputBegin);
  source.low -= axis.inputBegin;
  source.high -= axis.inputBegin;
  return source;
}

/// Output columns [0, count) of one row.
struct Row {
  const float *upper, *lower; ///< input rows
  float part;                 ///< of the lower one
  float *to;
  int64_t toStep, channels, count;
};

void copyRow(const Row &row, const Columns &columns) {
  for (int64_t x = 0; x < row.count; ++x) {
    const float *from = row.upper + columns.low[x];
    float *to = row.to + x * row.toStep;
    int64_t c = 0;
    for (; c + kLanes <= row.channels; c += kLanes)
      store(to + c, load(from + c));
    for (; c < row.channels; ++c)
      to[c] = from[c];
  }
}

template <bool Partial>
SNUG_INLINE void blend(const float *const (&from)[4],
                       const Vector (&weights)[4], float *to, int64_t c,
                       int count) {
  Vector sum = loadBlock<Partial>(from[0] + c, count) * weights[0];
  SNUG_UNROLL
  for (int i = 1; i < 4; ++i)
    sum += loadBlock<Partial>(from[i] + c, count) * weights[i];
  storeBlock<Partial>(to + c, sum, count);
}

void blendRow(const Row &row, const Columns &columns) {
  for (int64_t x = 0; x < row.count; ++x) {
    const float right = columns.part[x], left = 1.0f - right;
    const float lower = row.part, upper = 1.0f - lower;
    const float *const from[4] = {
        row.upper + columns.low[x], row.upper + columns.high[x],
        row.lower + columns.low[x], row.lower + columns.high[x]};
    float *to = row.to + x * row.toStep;
    if (row.channels == 1) {
      *to = upper * (left * *from[0] + right * *from[1]) +
            lower * (left * *from[2] + right * *from[3]);
      continue;
    }
    const Vector weights[4] = {splat(upper * left), splat(upper * right),
                               splat(lower * left), splat(lower * right)};
    int64_t c = 0;
    for (; c + kLanes <= row.channels; c += kLanes)
      blend<false>(from, weights, to, c, kLanes);
    if (c < row.channels)
      blend<true>(from, weights, to, c, static_cast<int>(row.channels - c));
  }
}

} // namespace

uint64_t resize(const ResizeShape &shape, const TensorView &input,
                const TensorView &output, ThreadPool &pool) {
  const int64_t columnBlocks = ceilDivide(output.width, kColumns);
  // A piece of work is some rows of one block of columns.
  const int64_t rows = int64_t(output.batch) * output.height;
  const int64_t rowElements =
      minimum<int64_t>(kColumns, output.width) * output.channels;
  const auto resizeRow = [&](int64_t index, int64_t first, int64_t count,
                             const Columns &columns) {
    const int64_t image = index / output.height;
    const int64_t y = index % output.height;
    const ResizeSource source = sourceInView(shape, shape.rows, y);
    const float *from = input.data + image * input.batchStride;
    const Row row = {from + source.low * input.rowStride,
                     from + source.high * input.rowStride,
                     source.part,
                     output.data + image * output.batchStride +
                         y * output.rowStride + first * output.pixelStride,
                     output.pixelStride,
                     output.channels,
                     count};
    if (shape.mode == ResizeMode::Nearest)
      copyRow(row, columns);
    else
      blendRow(row, columns);
  };
  for (int64_t block = 0; block < columnBlocks; ++block) {
    const int64_t first = block * kColumns;
    const int64_t count = minimum(kColumns, output.width - first);
    Columns columns;
    for (int64_t x = 0; x < count; ++x) {
      const ResizeSource source = sourceInView(shape, shape.columns, first + x);
      columns.low[x] = source.low * input.pixelStride;
      columns.high[x] = source.high * input.pixelStride;
      columns.part[x] = source.part;
    }
    parallelPieces(pool, rows,
                   maximum<int64_t>(1, kGrainElements / rowElements),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t index = begin; index < end; ++index)
                       resizeRow(index, first, count, columns);
                   });
  }
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
