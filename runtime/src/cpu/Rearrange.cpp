// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies of any regular pattern: transposes, shuffles, strided slices, parts of
// a concatenation. Loops are merged and ordered by the output; what is left is
// runs that are contiguous on both sides, matrices to transpose, pairs to
// interleave or part, or single numbers. Values are copied bit by bit.
#include "Strided.h"
#include "Transpose.h"

#include <string.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

using Nest = LoopNest<2, kMaxLoops>;

/// Columns of a matrix that are transposed at once: a cache line of them.
constexpr int64_t kTransposed = 16;

/// Two loops, and how the output's lies to the input's.
struct Matrix {
  const float *from;
  float *to;
  int64_t rows, columns;
  int64_t fromRow, fromColumn, toRow, toColumn;
};

void copyRuns(const Matrix &m) {
  for (int64_t row = 0; row < m.rows; ++row) {
    const float *from = m.from + row * m.fromRow;
    float *to = m.to + row * m.toRow;
    // Short runs would spend their time in calls.
    if (m.columns >= 4 * kLanes) {
      memcpy(to, from, size_t(m.columns) * sizeof(float));
      continue;
    }
    int64_t i = 0;
    for (; i + kLanes <= m.columns; i += kLanes)
      store(to + i, load(from + i));
    for (; i < m.columns; ++i)
      to[i] = from[i];
  }
}

/// to[2 k + g] = from[g * step + k]: rows k of two.
void interleavePairs(const float *from, int64_t step, float *to,
                     int64_t count) {
  int64_t k = 0;
#if defined(__AVX__)
  for (; k + 8 <= count; k += 8) {
    const __m256 a = _mm256_loadu_ps(from + k);
    const __m256 b = _mm256_loadu_ps(from + step + k);
    const __m256 low = _mm256_unpacklo_ps(a, b),
                 high = _mm256_unpackhi_ps(a, b);
    _mm256_storeu_ps(to + 2 * k, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(to + 2 * k + 8, _mm256_permute2f128_ps(low, high, 0x31));
  }
#elif defined(__SSE__)
  for (; k + 4 <= count; k += 4) {
    const __m128 a = _mm_loadu_ps(from + k), b = _mm_loadu_ps(from + step + k);
    _mm_storeu_ps(to + 2 * k, _mm_unpacklo_ps(a, b));
    _mm_storeu_ps(to + 2 * k + 4, _mm_unpackhi_ps(a, b));
  }
#endif
  for (; k < count; ++k) {
    to[2 * k] = from[k];
    to[2 * k + 1] = from[step + k];
  }
}

/// to[k] = from[2 k].
void takeEvery(const float *from, float *to, int64_t count) {
  int64_t k = 0;
#if defined(__AVX__)
  // The last pair's second number may lie outside.
  for (; k + 8 < count; k += 8) {
    const __m256 a = _mm256_loadu_ps(from + 2 * k);
    const __m256 b = _mm256_loadu_ps(from + 2 * k + 8);
    const __m256 low = _mm256_permute2f128_ps(a, b, 0x20);
    const __m256 high = _mm256_permute2f128_ps(a, b, 0x31);
    _mm256_storeu_ps(to + k, _mm256_shuffle_ps(low, high, 0x88));
  }
#elif defined(__SSE__)
  for (; k + 4 < count; k += 4)
    _mm_storeu_ps(to + k, _mm_shuffle_ps(_mm_loadu_ps(from + 2 * k),
                                         _mm_loadu_ps(from + 2 * k + 4), 0x88));
#endif
  for (; k < count; ++k)
    to[k] = from[2 * k];
}

void copyMatrix(const Matrix &m) {
  if (m.fromColumn == 1 && m.toColumn == 1)
    return copyRuns(m);
  if (m.toColumn == 1 && m.fromRow == 1 && m.toRow == 2 && m.columns == 2)
    return interleavePairs(m.from, m.fromColumn, m.to, m.rows);
  if (m.toColumn == 1 && m.fromColumn == 2) {
    for (int64_t row = 0; row < m.rows; ++row)
      takeEvery(m.from + row * m.fromRow, m.to + row * m.toRow, m.columns);
    return;
  }
  if (m.toColumn == 1 && m.fromRow == 1 && m.rows >= kSquare &&
      m.columns >= kSquare) {
    // Columns are the input's rows.
    for (int64_t row = 0; row < m.rows; row += kTransposed)
      transpose(m.from + row, m.fromColumn, m.to + row * m.toRow, m.toRow,
                m.columns, minimum(kTransposed, m.rows - row));
    return;
  }
  for (int64_t row = 0; row < m.rows; ++row)
    for (int64_t column = 0; column < m.columns; ++column)
      m.to[row * m.toRow + column * m.toColumn] =
          m.from[row * m.fromRow + column * m.fromColumn];
}

/// Lets the loop over which the input is contiguous be the last but one, so
/// that the two innermost are a matrix to transpose.
void bringInputInside(Nest &nest) {
  const int last = nest.count - 1;
  if (last < 1 || nest.loops[last].steps[1] == 1)
    return;
  for (int i = last - 1; i >= 0; --i) {
    if (nest.loops[i].steps[1] != 1)
      continue;
    const Loop<2> found = nest.loops[i];
    for (int j = i; j + 1 < last; ++j)
      nest.loops[j] = nest.loops[j + 1];
    nest.loops[last - 1] = found;
    return;
  }
}

} // namespace

uint64_t rearrange(const RearrangeShape &shape, const float *input,
                   float *output, ThreadPool &pool) {
  Nest nest;
  for (int i = 0; i < shape.loops; ++i)
    nest.add(
        {shape.extents[i], {shape.outputStrides[i], shape.inputStrides[i]}});
  nest.simplify();
  bringInputInside(nest);
  const Loop<2> inner = nest.innermost();
  nest.forEachBlock(
      pool, 2 * kGrainElements,
      [&](const int64_t (&offsets)[2], int64_t rows, int64_t length) {
        copyMatrix({input + offsets[1], output + offsets[0], rows, length,
                    nest.rowStep(1), inner.steps[1], nest.rowStep(0),
                    inner.steps[0]});
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
