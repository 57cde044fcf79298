// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strided copies that change the layout: NCHW to NHWC and back, tiles cut out
// or put back. Values are copied bit by bit. Where pixels are contiguous on one
// side and channels on the other, squares are transposed in registers.
#include "Transpose.h"

#include <string.h>

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
