// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strided copies that change the layout: NCHW to NHWC and back, tiles cut out
// or put back. Values are copied bit by bit. Where pixels are contiguous on one
// side and channels on the other, squares are transposed in registers.
#include "Vector.h"

#include <string.h>
#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 16 * 1024;
/// Floats of a cache line.
constexpr int64_t kLine = 16;
/// Pixels of a strip: some lines of each plane, so that a plane's page and rows
/// of memory are not left for another after one line.
constexpr int64_t kStrip = 4 * kLine;

/// One row of one image: width x channels with these steps between them.
struct RowMove {
  const float *from;
  float *to;
  int64_t width, channels;
  int64_t fromPixel, fromChannel, toPixel, toChannel;
};

/// Channels known: one pass over the row.
template <int Channels> void interleave(const RowMove &row) {
  for (int64_t x = 0; x < row.width; ++x) {
    SNUG_UNROLL
    for (int c = 0; c < Channels; ++c)
      row.to[x * row.toPixel + c] = row.from[c * row.fromChannel + x];
  }
}

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

/// Any steps, strip by strip.
void moveStrip(const RowMove &row, int64_t x, int64_t pixels) {
  const float *from = row.from + x * row.fromPixel;
  float *to = row.to + x * row.toPixel;
  const bool toPlanes = row.fromChannel == 1 && row.toPixel == 1;
  const bool fromPlanes = row.fromPixel == 1 && row.toChannel == 1;
  if (row.channels >= kSquare && (toPlanes || fromPlanes)) {
    for (int64_t c = 0; c < row.channels; c += kLine) {
      const int64_t channels = minimum(kLine, row.channels - c);
      if (toPlanes)
        transpose(from + c, row.fromPixel, to + c * row.toChannel,
                  row.toChannel, pixels, channels);
      else
        transpose(from + c * row.fromChannel, row.fromChannel, to + c,
                  row.toPixel, channels, pixels);
    }
    return;
  }
  for (int64_t c = 0; c < row.channels; ++c)
    for (int64_t p = 0; p < pixels; ++p)
      to[p * row.toPixel + c * row.toChannel] =
          from[p * row.fromPixel + c * row.fromChannel];
}

void moveRow(const RowMove &row) {
  if (row.fromChannel == 1 && row.toChannel == 1) {
    if (row.fromPixel == row.channels && row.toPixel == row.channels) {
      memcpy(row.to, row.from,
             size_t(row.width * row.channels) * sizeof(float));
      return;
    }
    for (int64_t x = 0; x < row.width; ++x)
      memcpy(row.to + x * row.toPixel, row.from + x * row.fromPixel,
             size_t(row.channels) * sizeof(float));
    return;
  }
  if (row.fromPixel == 1 && row.toPixel == 1) {
    for (int64_t c = 0; c < row.channels; ++c)
      memcpy(row.to + c * row.toChannel, row.from + c * row.fromChannel,
             size_t(row.width) * sizeof(float));
    return;
  }
  if (row.channels == 3 && row.fromPixel == 1 && row.toChannel == 1) {
    interleave<3>(row);
    return;
  }
  for (int64_t x = 0; x < row.width; x += kStrip)
    moveStrip(row, x, minimum(kStrip, row.width - x));
}

} // namespace

uint64_t move(const TensorView &input, const TensorView &output,
              ThreadPool &pool) {
  // Pixels at one distance on both sides are one row, whose strips the threads
  // share; else they share the rows.
  const bool flat = hasFlatRows(input) && hasFlatRows(output);
  const int64_t rows = flat ? 1 : input.height;
  const int64_t width = int64_t(input.width) * (flat ? input.height : 1);
  const int64_t strip = flat ? kStrip : width;
  const int64_t strips = ceilDivide(width, strip);
  const auto moveStrips = [&](int64_t row, int64_t begin, int64_t end) {
    const int64_t image = row / rows;
    const int64_t y = row % rows;
    const int64_t x = begin * strip;
    moveRow({input.data + image * input.batchStride + y * input.rowStride +
                 x * input.pixelStride,
             output.data + image * output.batchStride + y * output.rowStride +
                 x * output.pixelStride,
             minimum(width, end * strip) - x, input.channels, input.pixelStride,
             input.channelStride, output.pixelStride, output.channelStride});
  };
  const int64_t stripElements = strip * input.channels;
  parallelPieces(pool, input.batch * rows * strips,
                 maximum<int64_t>(1, kGrainElements / stripElements),
                 [&](int64_t begin, int64_t end) {
                   while (begin < end) {
                     const int64_t row = begin / strips;
                     const int64_t next = minimum(end, (row + 1) * strips);
                     moveStrips(row, begin - row * strips, next - row * strips);
                     begin = next;
                   }
                 });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
