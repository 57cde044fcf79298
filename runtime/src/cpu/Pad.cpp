// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Padding of rows, columns and channels, channels last: with a constant, the
// reflection of what is inside, or its edge. Values are copied bit by bit.
#include "Vector.h"

#include <string.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 16 * 1024;

/// The input that an output at `position` past the first one copies, -1 for
/// the constant.
SNUG_INLINE int64_t sourceOf(int64_t position, int64_t extent, PadMode mode) {
  if (position >= 0 && position < extent)
    return position;
  switch (mode) {
  case PadMode::Constant:
    break;
  case PadMode::Reflect:
    return position < 0 ? -position : 2 * (extent - 1) - position;
  case PadMode::Edge:
    return position < 0 ? 0 : extent - 1;
  }
  return -1;
}

void fill(float *to, int64_t count, float value) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = value;
}

/// All channels of a pixel; `from` null: the constant.
void padPixel(const PadShape &shape, const float *from, int64_t inputChannels,
              float *to, int64_t outputChannels) {
  if (!from) {
    fill(to, outputChannels, shape.value);
    return;
  }
  memcpy(to + shape.front, from, size_t(inputChannels) * sizeof(float));
  const auto padding = [&](int64_t channel) {
    const int64_t source =
        sourceOf(channel - shape.front, inputChannels, shape.mode);
    to[channel] = source < 0 ? shape.value : from[source];
  };
  for (int64_t c = 0; c < shape.front; ++c)
    padding(c);
  for (int64_t c = shape.front + inputChannels; c < outputChannels; ++c)
    padding(c);
}

} // namespace

uint64_t pad(const PadShape &shape, const TensorView &input,
             const TensorView &output, ThreadPool &pool) {
  // Where no channels are added, pixels that follow each other on both sides
  // are copied together.
  const bool dense = input.channels == output.channels &&
                     input.pixelStride == input.channels &&
                     output.pixelStride == input.channels;
  const auto padRow = [&](int64_t image, int64_t y) {
    const int64_t sourceRow = sourceOf(y - shape.top, input.height, shape.mode);
    const float *from = sourceRow < 0 ? nullptr
                                      : input.data + image * input.batchStride +
                                            sourceRow * input.rowStride;
    float *to = output.data + image * output.batchStride + y * output.rowStride;
    for (int64_t x = 0; x < output.width;) {
      const int64_t source = sourceOf(x - shape.left, input.width, shape.mode);
      if (dense && from && x == shape.left) {
        memcpy(to + x * output.pixelStride, from,
               size_t(input.width) * size_t(input.channels) * sizeof(float));
        x += input.width;
        continue;
      }
      padPixel(shape,
               from && source >= 0 ? from + source * input.pixelStride
                                   : nullptr,
               input.channels, to + x * output.pixelStride, output.channels);
      ++x;
    }
  };
  const int64_t rowElements = int64_t(output.width) * output.channels;
  parallelPieces(pool, int64_t(output.batch) * output.height,
                 maximum<int64_t>(1, kGrainElements / rowElements),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index)
                     padRow(index / output.height, index % output.height);
                 });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
