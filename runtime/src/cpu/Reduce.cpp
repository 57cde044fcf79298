// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums, means and extremes over all rows and columns.
//
// Numerics: float32 sums row by row, then over the rows; the error is below
// K * 2^-24 times the mean magnitude of the K inputs (sums: times K). Extremes
// are exact and pass over not-a-number, unless there is nothing else.
#include "Strided.h"
#include "VectorMath.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

struct SumOfAll {
  static SNUG_INLINE Vector start() { return zero(); }
  static SNUG_INLINE Vector combine(Vector sum, Vector value) {
    return sum + value;
  }
};
struct LargestOfAll {
  static SNUG_INLINE Vector start() { return splat(-__builtin_inff()); }
  static SNUG_INLINE Vector combine(Vector largest, Vector value) {
    return larger(value, largest);
  }
};
struct SmallestOfAll {
  static SNUG_INLINE Vector start() { return splat(__builtin_inff()); }
  static SNUG_INLINE Vector combine(Vector smallest, Vector value) {
    return smaller(value, smallest);
  }
};

/// `Vectors` vectors of channels over a whole image, times `scale`.
template <typename Reduction, int Vectors, bool Partial>
SNUG_INLINE void reduceChannels(const TensorView &input, const float *from,
                                float *to, int count, float scale) {
  Vector total[Vectors];
  SNUG_UNROLL
  for (int v = 0; v < Vectors; ++v)
    total[v] = Reduction::start();
  for (int64_t y = 0; y < input.height; ++y) {
    const float *pixel = from + y * input.rowStride;
    Vector sum[Vectors];
    SNUG_UNROLL
    for (int v = 0; v < Vectors; ++v)
      sum[v] = Reduction::start();
    for (int64_t x = 0; x < input.width; ++x, pixel += input.pixelStride) {
      SNUG_UNROLL
      for (int v = 0; v < Vectors; ++v)
        sum[v] = Reduction::combine(
            sum[v], loadBlock<Partial>(pixel + v * kLanes, count));
    }
    SNUG_UNROLL
    for (int v = 0; v < Vectors; ++v)
      total[v] = Reduction::combine(total[v], sum[v]);
  }
  SNUG_UNROLL
  for (int v = 0; v < Vectors; ++v)
    storeBlock<Partial>(to + v * kLanes, total[v] * splat(scale), count);
}

/// Channels side by side: a piece of work is a strip of them of one image.
template <typename Reduction>
void reduceChannelsLast(const TensorView &input, const TensorView &output,
                        float scale, ThreadPool &pool) {
  constexpr int kVectors = 4;
  constexpr int64_t kStrip = kVectors * kLanes;
  const int64_t strips = ceilDivide(input.channels, kStrip);
  const int64_t stripElements = int64_t(input.height) * input.width * kStrip;
  parallelPieces(pool, strips * input.batch,
                 maximum<int64_t>(1, kGrainElements / stripElements),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index) {
                     const int64_t image = index / strips;
                     int64_t channel = index % strips * kStrip;
                     const int64_t last =
                         minimum<int64_t>(input.channels, channel + kStrip);
                     const float *from = input.data + image * input.batchStride;
                     float *to = output.data + image * output.batchStride;
                     if (last - channel == kStrip) {
                       reduceChannels<Reduction, kVectors, false>(
                           input, from + channel, to + channel, kLanes, scale);
                       continue;
                     }
                     for (; channel + kLanes <= last; channel += kLanes)
                       reduceChannels<Reduction, 1, false>(
                           input, from + channel, to + channel, kLanes, scale);
                     if (channel < last)
                       reduceChannels<Reduction, 1, true>(
                           input, from + channel, to + channel,
                           static_cast<int>(last - channel), scale);
                   }
                 });
}

/// All lanes of `value` together.
template <typename Reduction> float reduceLanes(Vector value) {
  alignas(64) float lanes[kLanes];
  store(lanes, value);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) {
      const Vector both =
          Reduction::combine(splat(lanes[lane]), splat(lanes[lane + width]));
      lanes[lane] = both[0];
    }
  return lanes[0];
}

/// A run of floats that lie one after another.
template <typename Reduction>
float reduceRun(const float *from, int64_t count) {
  constexpr int kVectors = 4;
  Vector sum[kVectors];
  SNUG_UNROLL
  for (int v = 0; v < kVectors; ++v)
    sum[v] = Reduction::start();
  int64_t i = 0;
  for (; i + kVectors * kLanes <= count; i += kVectors * kLanes) {
    SNUG_UNROLL
    for (int v = 0; v < kVectors; ++v)
      sum[v] = Reduction::combine(sum[v], load(from + i + v * kLanes));
  }
  for (; i + kLanes <= count; i += kLanes)
    sum[0] = Reduction::combine(sum[0], load(from + i));
  for (; i < count; ++i) {
    Vector one = Reduction::start();
    one[0] = from[i];
    sum[1] = Reduction::combine(sum[1], one);
  }
  SNUG_UNROLL
  for (int v = 1; v < kVectors; ++v)
    sum[0] = Reduction::combine(sum[0], sum[v]);
  return reduceLanes<Reduction>(sum[0]);
}

/// Any strides: one channel of one image after another.
template <typename Reduction>
void reducePlanes(const TensorView &input, const TensorView &output,
                  float scale, ThreadPool &pool) {
  // Rows that follow each other are one.
  const bool flat = hasFlatRows(input);
  const int64_t rows = flat ? 1 : input.height;
  const int64_t width =
      flat ? int64_t(input.width) * input.height : int64_t(input.width);
  const int64_t step = input.pixelStride;
  const auto reducePlane = [&](const float *plane) {
    Vector total = Reduction::start();
    alignas(64) float chunk[kChunk];
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < width; x += kChunk) {
        const int64_t count = minimum(kChunk, width - x);
        const float *from = plane + y * input.rowStride + x * step;
        if (step != 1) {
          gatherRun(from, step, chunk, count);
          from = chunk;
        }
        total =
            Reduction::combine(total, splat(reduceRun<Reduction>(from, count)));
      }
    return total[0];
  };
  parallelPieces(pool, int64_t(input.batch) * input.channels,
                 maximum<int64_t>(1, kGrainElements / (rows * width)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index) {
                     const int64_t image = index / input.channels;
                     const int64_t channel = index % input.channels;
                     output.data[image * output.batchStride +
                                 channel * output.channelStride] =
                         scale *
                         reducePlane(input.data + image * input.batchStride +
                                     channel * input.channelStride);
                   }
                 });
}

template <typename Reduction>
void reduceView(const TensorView &input, const TensorView &output, float scale,
                ThreadPool &pool) {
  if (input.channelStride == 1 && output.channelStride == 1)
    reduceChannelsLast<Reduction>(input, output, scale, pool);
  else
    reducePlanes<Reduction>(input, output, scale, pool);
}

} // namespace

uint64_t reduce(ReduceKind kind, const TensorView &input,
                const TensorView &output, ThreadPool &pool) {
  switch (kind) {
  case ReduceKind::Max:
    reduceView<LargestOfAll>(input, output, 1.0f, pool);
    break;
  case ReduceKind::Mean:
    reduceView<SumOfAll>(
        input, output, 1.0f / float(int64_t(input.height) * input.width), pool);
    break;
  case ReduceKind::Sum:
    reduceView<SumOfAll>(input, output, 1.0f, pool);
    break;
  case ReduceKind::Min:
    reduceView<SmallestOfAll>(input, output, 1.0f, pool);
    break;
  }
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
