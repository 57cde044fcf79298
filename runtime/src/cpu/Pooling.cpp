// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Max and average pooling, channels last.
//
// Numerics: max pooling is exact; not-a-number is passed over, as a comparison
// with it is false, unless nothing else is in the window. Averages are float32
// sums, row by row, then one division: the error is below K * 2^-24 times the
// mean magnitude of the K inputs.
#include "Window.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Elements below which a piece of work is not worth another thread.
constexpr int64_t kGrainElements = 8 * 1024;

struct MaxOfTaps {
  static SNUG_INLINE Vector start() { return splat(-__builtin_inff()); }
  static SNUG_INLINE Vector combine(Vector sum, Vector value) {
    return larger(value, sum);
  }
  SNUG_INLINE Vector finish(Vector sum) const { return sum; }
};

struct AverageOfTaps {
  float divisor;
  static SNUG_INLINE Vector start() { return zero(); }
  static SNUG_INLINE Vector combine(Vector sum, Vector value) {
    return sum + value;
  }
  SNUG_INLINE Vector finish(Vector sum) const { return sum / splat(divisor); }
};

/// The taps of one output pixel: `height` by `width` input pixels.
struct PixelTaps {
  const float *input;
  int64_t height, width;
  int64_t rowStep, columnStep; ///< floats
};

/// One vector of channels; with Height known it is the number of taps each way.
template <int Height, int Width, bool Partial, typename Reduction>
SNUG_INLINE void poolVector(const PixelTaps &taps, const Reduction &reduction,
                            float *output, int64_t channel, int count) {
  Vector sum = Reduction::start();
  const int64_t height = Height > 0 ? Height : taps.height;
  const int64_t width = Width > 0 ? Width : taps.width;
  SNUG_UNROLL
  for (int64_t ky = 0; ky < height; ++ky) {
    const float *from = taps.input + ky * taps.rowStep + channel;
    SNUG_UNROLL
    for (int64_t kx = 0; kx < width; ++kx)
      sum = Reduction::combine(
          sum, loadBlock<Partial>(from + kx * taps.columnStep, count));
  }
  storeBlock<Partial>(output + channel, reduction.finish(sum), count);
}

template <int Height, int Width, typename Reduction>
void poolPixel(const PixelTaps &taps, const Reduction &reduction, float *output,
               int64_t channels) {
  int64_t channel = 0;
  for (; channel + kLanes <= channels; channel += kLanes)
    poolVector<Height, Width, false>(taps, reduction, output, channel, kLanes);
  if (channel < channels)
    poolVector<Height, Width, true>(taps, reduction, output, channel,
                                    static_cast<int>(channels - channel));
}

/// The same without unrolling, for windows of any size.
template <bool Partial, typename Reduction>
SNUG_INLINE void
poolVectorOfAnyWindow(const PixelTaps &taps, const Reduction &reduction,
                      float *output, int64_t channel, int count) {
  Vector sum = Reduction::start();
  for (int64_t ky = 0; ky < taps.height; ++ky) {
    const float *from = taps.input + ky * taps.rowStep + channel;
    for (int64_t kx = 0; kx < taps.width; ++kx, from += taps.columnStep)
      sum = Reduction::combine(sum, loadBlock<Partial>(from, count));
  }
  storeBlock<Partial>(output + channel, reduction.finish(sum), count);
}

template <typename Reduction>
void poolPixelOfAnyWindow(const PixelTaps &taps, const Reduction &reduction,
                          float *output, int64_t channels) {
  int64_t channel = 0;
  for (; channel + kLanes <= channels; channel += kLanes)
    poolVectorOfAnyWindow<false>(taps, reduction, output, channel, kLanes);
  if (channel < channels)
    poolVectorOfAnyWindow<true>(taps, reduction, output, channel,
                                static_cast<int>(channels - channel));
}

/// Calls `makeReduction(row, column, taps inside)` for every output pixel.
template <typename MakeReduction>
SNUG_INLINE void pool(const WindowShape &shape, const TensorView &input,
                      const TensorView &output, ThreadPool &threads,
                      MakeReduction makeReduction) {
  const Window horizontal = columnsOf(shape, input, output);
  const Window vertical = rowsOf(shape, input, output);
  const int64_t rowElements =
      int64_t(input.width) * shape.strideHeight * input.channels;
  parallelPieces(
      threads, int64_t(output.batch) * output.height,
      maximum<int64_t>(1, kGrainElements / rowElements),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t image = index / output.height;
          const int64_t y = index % output.height;
          const Taps rows = vertical.taps(y);
          const float *from = input.data + image * input.batchStride +
                              (rows.first + rows.begin * shape.dilationHeight) *
                                  input.rowStride;
          float *to =
              output.data + image * output.batchStride + y * output.rowStride;
          for (int64_t x = 0; x < output.width; ++x, to += output.pixelStride) {
            const Taps columns = horizontal.taps(x);
            const PixelTaps taps = {
                from + (columns.first + columns.begin * shape.dilationWidth) *
                           input.pixelStride,
                maximum<int64_t>(0, rows.end - rows.begin),
                maximum<int64_t>(0, columns.end - columns.begin),
                shape.dilationHeight * input.rowStride,
                shape.dilationWidth * input.pixelStride};
            const auto reduction =
                makeReduction(y, x, taps.height * taps.width);
            if (taps.height == 2 && taps.width == 2)
              poolPixel<2, 2>(taps, reduction, to, output.channels);
            else if (taps.height == 3 && taps.width == 3)
              poolPixel<3, 3>(taps, reduction, to, output.channels);
            else
              poolPixelOfAnyWindow(taps, reduction, to, output.channels);
          }
        }
      });
}

} // namespace

uint64_t maxPool(const WindowShape &shape, const TensorView &input,
                 const TensorView &output, ThreadPool &threads) {
  pool(shape, input, output, threads,
       [](int64_t, int64_t, int64_t) { return MaxOfTaps{}; });
  return 0;
}

uint64_t averagePool(const WindowShape &shape, const CountedPads *counted,
                     const TensorView &input, const TensorView &output,
                     ThreadPool &threads) {
  if (counted) {
    // The rows that count are those of an input that the padding enlarges.
    Window rows = rowsOf(shape, input, output);
    Window columns = columnsOf(shape, input, output);
    const auto enlarge = [](Window &window, int64_t below) {
      window.inputExtent += window.padLow + below;
      window.padLow = 0;
    };
    enlarge(rows, counted->bottom);
    enlarge(columns, counted->right);
    pool(shape, input, output, threads, [=](int64_t y, int64_t x, int64_t) {
      return AverageOfTaps{float(rows.count(y) * columns.count(x))};
    });
  } else {
    pool(shape, input, output, threads, [](int64_t, int64_t, int64_t inside) {
      // A window wholly in the padding averages to zero.
      return AverageOfTaps{float(maximum<int64_t>(1, inside))};
    });
  }
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
