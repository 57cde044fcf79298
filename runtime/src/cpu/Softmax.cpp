// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax over channels, of any strides.
//
// Numerics: exponential() of the distance to the largest channel; partial sums
// in float32 of so few terms that the relative error of a probability is below
// 1e-6 where it is not subnormal.
#include "Strided.h"
#include "VectorMath.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Terms that are added up before their sum is added to others'.
constexpr int64_t kTerms = 32;

/// One pixel whose channels lie one after another.
void softmaxRun(const float *from, float *to, int64_t count) {
  Vector largest = splat(from[0]);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    largest = larger(load(from + i), largest);
  float most = largest[0];
  for (int lane = 1; lane < kLanes; ++lane)
    most = largest[lane] > most ? largest[lane] : most;
  for (; i < count; ++i)
    most = from[i] > most ? from[i] : most;

  Vector total = zero();
  for (i = 0; i + kLanes <= count;) {
    const int64_t end =
        minimum(count - kLanes + 1, i + kTerms * int64_t(kLanes));
    Vector sum = zero();
    for (; i < end; i += kLanes) {
      const Vector value = exponential(load(from + i) - splat(most));
      store(to + i, value);
      sum += value;
    }
    total += sum;
  }
  double sum = 0.0;
  for (int lane = 0; lane < kLanes; ++lane)
    sum += double(total[lane]);
  if (i < count) {
    const int left = static_cast<int>(count - i);
    const Vector value = exponential(loadPartial(from + i, left) - splat(most));
    storePartial(to + i, value, left);
    for (int lane = 0; lane < left; ++lane)
      sum += double(value[lane]);
  }
  const Vector scale = splat(float(1.0 / sum));
  for (i = 0; i + kLanes <= count; i += kLanes)
    store(to + i, load(to + i) * scale);
  if (i < count) {
    const int left = static_cast<int>(count - i);
    storePartial(to + i, loadPartial(to + i, left) * scale, left);
  }
}

/// Some pixels at once, one lane each; Whole: a vector of them, side by side.
struct Pixels {
  const float *from;
  float *to;
  int64_t fromStep, toStep;       ///< between pixels
  int64_t fromChannel, toChannel; ///< between channels
  int64_t channels;
  int count;
};
template <bool Whole>
SNUG_INLINE Vector loadPixels(const float *from, int64_t step, int count) {
  if (Whole)
    return load(from);
  Vector value = splat(*from);
  for (int lane = 1; lane < count; ++lane)
    value[lane] = from[lane * step];
  return value;
}
template <bool Whole>
SNUG_INLINE void storePixels(float *to, int64_t step, Vector value, int count) {
  if (Whole) {
    store(to, value);
    return;
  }
  for (int lane = 0; lane < count; ++lane)
    to[lane * step] = value[lane];
}
template <bool Whole> void softmaxPixels(const Pixels &callersPixels) {
  const Pixels p = callersPixels;
  Vector largest = loadPixels<Whole>(p.from, p.fromStep, p.count);
  for (int64_t c = 1; c < p.channels; ++c)
    largest = larger(
        loadPixels<Whole>(p.from + c * p.fromChannel, p.fromStep, p.count),
        largest);
  Vector total = zero();
  for (int64_t c = 0; c < p.channels;) {
    const int64_t end = minimum(p.channels, c + kTerms);
    Vector sum = zero();
    for (; c < end; ++c) {
      const Vector value = exponential(
          loadPixels<Whole>(p.from + c * p.fromChannel, p.fromStep, p.count) -
          largest);
      storePixels<Whole>(p.to + c * p.toChannel, p.toStep, value, p.count);
      sum += value;
    }
    total += sum;
  }
  const Vector scale = splat(1.0f) / total;
  for (int64_t c = 0; c < p.channels; ++c) {
    float *to = p.to + c * p.toChannel;
    storePixels<Whole>(to, p.toStep,
                       loadPixels<Whole>(to, p.toStep, p.count) * scale,
                       p.count);
  }
}

} // namespace

uint64_t softmax(const TensorView &input, const TensorView &output,
                 ThreadPool &pool) {
  const bool runs = input.channelStride == 1 && output.channelStride == 1;
  // Rows that follow each other are one; with channels side by side that saves
  // nothing.
  const bool flat = !runs && hasFlatRows(input) && hasFlatRows(output);
  const int64_t rows = flat ? 1 : input.height;
  const int64_t width =
      flat ? int64_t(input.width) * input.height : int64_t(input.width);
  const int64_t some = runs ? 1 : kLanes;
  const int64_t blocks = ceilDivide(width, some);
  parallelPieces(
      pool, input.batch * rows * blocks,
      maximum<int64_t>(1, kGrainElements / 8 / (some * input.channels)),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t x = index % blocks * some;
          const int64_t y = index / blocks % rows;
          const int64_t image = index / blocks / rows;
          const float *from = input.data + image * input.batchStride +
                              y * input.rowStride + x * input.pixelStride;
          float *to = output.data + image * output.batchStride +
                      y * output.rowStride + x * output.pixelStride;
          if (runs) {
            softmaxRun(from, to, input.channels);
            continue;
          }
          const Pixels pixels = {from,
                                 to,
                                 input.pixelStride,
                                 output.pixelStride,
                                 input.channelStride,
                                 output.channelStride,
                                 input.channels,
                                 static_cast<int>(minimum(some, width - x))};
          if (pixels.count == kLanes && pixels.fromStep == 1 &&
              pixels.toStep == 1)
            softmaxPixels<true>(pixels);
          else
            softmaxPixels<false>(pixels);
        }
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
