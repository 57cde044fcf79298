// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposition of a matrix of floats, squares of it in registers.
#ifndef SNUG_RUNTIME_SRC_CPU_TRANSPOSE_H
#define SNUG_RUNTIME_SRC_CPU_TRANSPOSE_H

#include "Vector.h"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Numbers that are transposed at once, each way; 1 where there is no code for
/// the machine.
#if defined(__AVX__)
constexpr int64_t kSquare = 8;
#elif defined(__SSE__)
constexpr int64_t kSquare = 4;
#else
constexpr int64_t kSquare = 1;
#endif

/// to[c * toStep + r] = from[r * fromStep + c] for r, c < kSquare.
SNUG_INLINE void transposeSquare(const float *from, int64_t fromStep, float *to,
                                 int64_t toStep) {
#if defined(__AVX__)
  // Pairs of lanes, then pairs of pairs, then halves change places.
  __m256 row[8], pair[8], quad[8];
  SNUG_UNROLL
  for (int r = 0; r < 8; ++r)
    row[r] = _mm256_loadu_ps(from + r * fromStep);
  SNUG_UNROLL
  for (int r = 0; r < 8; r += 2) {
    pair[r] = _mm256_unpacklo_ps(row[r], row[r + 1]);
    pair[r + 1] = _mm256_unpackhi_ps(row[r], row[r + 1]);
  }
  SNUG_UNROLL
  for (int r = 0; r < 8; r += 4) {
    quad[r] = _mm256_shuffle_ps(pair[r], pair[r + 2], 0x44);
    quad[r + 1] = _mm256_shuffle_ps(pair[r], pair[r + 2], 0xee);
    quad[r + 2] = _mm256_shuffle_ps(pair[r + 1], pair[r + 3], 0x44);
    quad[r + 3] = _mm256_shuffle_ps(pair[r + 1], pair[r + 3], 0xee);
  }
  SNUG_UNROLL
  for (int c = 0; c < 4; ++c) {
    _mm256_storeu_ps(to + c * toStep,
                     _mm256_permute2f128_ps(quad[c], quad[c + 4], 0x20));
    _mm256_storeu_ps(to + (c + 4) * toStep,
                     _mm256_permute2f128_ps(quad[c], quad[c + 4], 0x31));
  }
#elif defined(__SSE__)
  __m128 row[4];
  SNUG_UNROLL
  for (int r = 0; r < 4; ++r)
    row[r] = _mm_loadu_ps(from + r * fromStep);
  _MM_TRANSPOSE4_PS(row[0], row[1], row[2], row[3]);
  SNUG_UNROLL
  for (int c = 0; c < 4; ++c)
    _mm_storeu_ps(to + c * toStep, row[c]);
#else
  *to = *from;
  (void)fromStep;
  (void)toStep;
#endif
}

/// to[c * toStep + r] = from[r * fromStep + c] for r < rows, c < columns; line
/// after line of `from` is read whole.
void transpose(const float *from, int64_t fromStep, float *to, int64_t toStep,
               int64_t rows, int64_t columns) {
  const int64_t wholeRows = rows / kSquare * kSquare;
  const int64_t wholeColumns = columns / kSquare * kSquare;
  for (int64_t r = 0; r < wholeRows; r += kSquare)
    for (int64_t c = 0; c < wholeColumns; c += kSquare)
      transposeSquare(from + r * fromStep + c, fromStep, to + c * toStep + r,
                      toStep);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = r < wholeRows ? wholeColumns : 0; c < columns; ++c)
      to[c * toStep + r] = from[r * fromStep + c];
}

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_TRANSPOSE_H
