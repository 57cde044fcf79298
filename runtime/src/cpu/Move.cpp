// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strided copies that change the layout: NCHW to NHWC and back, tiles cut out
// or put back. Values are copied bit by bit.
#include "Vector.h"

#include <string.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 16 * 1024;
/// Pixels and channels of a square that is transposed at once: whole cache
/// lines on either side, the square in the first-level cache.
constexpr int64_t kSquare = 16;

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
  for (int64_t x0 = 0; x0 < row.width; x0 += kSquare) {
    const int64_t x1 = minimum(row.width, x0 + kSquare);
    for (int64_t c0 = 0; c0 < row.channels; c0 += kSquare) {
      const int64_t c1 = minimum(row.channels, c0 + kSquare);
      for (int64_t c = c0; c < c1; ++c) {
        const float *from = row.from + c * row.fromChannel;
        float *to = row.to + c * row.toChannel;
        for (int64_t x = x0; x < x1; ++x)
          to[x * row.toPixel] = from[x * row.fromPixel];
      }
    }
  }
}

} // namespace

uint64_t move(const TensorView &input, const TensorView &output,
              ThreadPool &pool) {
  const int64_t rowElements = int64_t(input.width) * input.channels;
  parallelPieces(
      pool, int64_t(input.batch) * input.height,
      maximum<int64_t>(1, kGrainElements / rowElements),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t image = index / input.height;
          const int64_t y = index % input.height;
          moveRow(
              {input.data + image * input.batchStride + y * input.rowStride,
               output.data + image * output.batchStride + y * output.rowStride,
               input.width, input.channels, input.pixelStride,
               input.channelStride, output.pixelStride, output.channelStride});
        }
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
