// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Local response normalisation across channels, channels last.
//
// Numerics: squares are summed in float32, window by window; the power is made
// of square roots for an exponent of 3/4, else of logarithm and exponential.
// The relative error is below 2^-24 * (8 + size + 4 * |beta * log(s)|), s being
// the normaliser.
#include "Vector.h"
#include "VectorMath.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 4 * 1024;
/// Squares that are kept at once; windows larger than a part of it are summed
/// one by one.
constexpr int64_t kSquares = 2048;
constexpr int64_t kMostNeighbours = kSquares / 2;

struct Normaliser {
  float bias, scale, beta;

  /// 1 / (bias + scale * squares) ^ beta
  SNUG_INLINE Vector factor(Vector squares) const {
    const Vector sum = splat(bias) + splat(scale) * squares;
    if (beta == 0.75f) {
      const Vector root = squareRoot(sum);
      return splat(1.0f) / (root * squareRoot(root));
    }
    return exponential(splat(-beta) * logarithm(sum));
  }
};

/// Channels [begin, end) of a pixel of `channels`.
void normaliseChannels(const float *from, float *to, int64_t channels,
                       int64_t begin, int64_t end, int64_t below, int64_t above,
                       const Normaliser &normaliser) {
  alignas(64) float squares[kSquares + kLanes];
  // The square of channel c is at squares[c - begin + below].
  const int64_t count = end - begin + below + above;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t c = begin - below + i;
    squares[i] = c >= 0 && c < channels ? from[c] * from[c] : 0.0f;
  }
  for (int64_t i = count; i < count + kLanes; ++i)
    squares[i] = 0.0f;
  for (int64_t c = begin; c < end; c += kLanes) {
    Vector sum = zero();
    for (int64_t i = 0; i <= below + above; ++i)
      sum += load(squares + (c - begin) + i);
    const Vector factor = normaliser.factor(sum);
    const int64_t left = end - c;
    if (left >= kLanes)
      store(to + c, load(from + c) * factor);
    else
      storePartial(to + c,
                   loadPartial(from + c, static_cast<int>(left)) * factor,
                   static_cast<int>(left));
  }
}

/// Windows of any size.
void normaliseSlowly(const float *from, float *to, int64_t channels,
                     int64_t below, int64_t above,
                     const Normaliser &normaliser) {
  for (int64_t c = 0; c < channels; ++c) {
    float sum = 0.0f;
    const int64_t last = minimum(channels - 1, c + above);
    for (int64_t i = maximum<int64_t>(0, c - below); i <= last; ++i)
      sum += from[i] * from[i];
    to[c] = from[c] * normaliser.factor(splat(sum))[0];
  }
}

} // namespace

uint64_t localResponseNormalization(const NormalizationShape &shape,
                                    const TensorView &input,
                                    const TensorView &output,
                                    ThreadPool &pool) {
  const int64_t channels = input.channels;
  const int64_t below =
      minimum<int64_t>((int64_t(shape.size) - 1) / 2, channels - 1);
  const int64_t above = minimum<int64_t>(shape.size / 2, channels - 1);
  const Normaliser normaliser = {shape.bias, shape.alpha / float(shape.size),
                                 shape.beta};
  const int64_t pixels = int64_t(input.batch) * input.height * input.width;
  parallelPieces(
      pool, pixels, maximum<int64_t>(1, kGrainElements / channels),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t x = index % input.width;
          const int64_t y = index / input.width % input.height;
          const int64_t image = index / input.width / input.height;
          const float *from = input.data + image * input.batchStride +
                              y * input.rowStride + x * input.pixelStride;
          float *to = output.data + image * output.batchStride +
                      y * output.rowStride + x * output.pixelStride;
          if (below + above > kMostNeighbours) {
            normaliseSlowly(from, to, channels, below, above, normaliser);
            continue;
          }
          const int64_t some = kSquares - below - above;
          for (int64_t c = 0; c < channels; c += some)
            normaliseChannels(from, to, channels, c,
                              minimum(channels, c + some), below, above,
                              normaliser);
        }
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
