// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations on their own, sums of two tensors, softmax.
//
// Numerics: activations and sums round once per operation. Softmax takes expf
// of the distance to the largest channel and sums in double: the relative error
// of a probability is below 1e-6 where it is not subnormal.
#include "Vector.h"

#include <math.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int64_t kGrainElements = 8 * 1024;

/// Contiguous runs that the views of one call agree upon: all of a tensor, rows
/// or pixels.
struct Runs {
  int64_t images, rows, pixels; ///< how many of each
  int64_t length;               ///< floats
};

bool hasDensePixels(const TensorView &view) {
  return view.width == 1 || view.pixelStride == view.channels;
}

/// The longest runs that are contiguous in all `count` views of equal extents.
Runs commonRuns(const TensorView *const *views, int count) {
  const TensorView &any = *views[0];
  Runs runs = {any.batch, any.height, any.width, any.channels};
  bool pixels = true, rows = true;
  for (int i = 0; i < count; ++i) {
    pixels = pixels && hasDensePixels(*views[i]);
    rows = rows && (any.height == 1 ||
                    views[i]->rowStride == int64_t(any.width) * any.channels);
  }
  if (pixels) {
    runs.length *= runs.pixels;
    runs.pixels = 1;
    if (rows) {
      runs.length *= runs.rows;
      runs.rows = 1;
    }
  }
  return runs;
}

SNUG_INLINE int64_t offsetOf(const TensorView &view, int64_t image, int64_t row,
                             int64_t pixel) {
  return image * view.batchStride + row * view.rowStride +
         pixel * view.pixelStride;
}

/// Calls body(image, row, pixel, begin, end) for pieces [begin, end) of runs.
template <typename Body>
SNUG_INLINE void forEachPiece(const Runs &runs, ThreadPool &pool, Body body) {
  const int64_t count = runs.images * runs.rows * runs.pixels;
  const auto run = [&](int64_t index, int64_t begin, int64_t end) {
    const int64_t pixel = index % runs.pixels;
    const int64_t row = index / runs.pixels % runs.rows;
    body(index / runs.pixels / runs.rows, row, pixel, begin, end);
  };
  if (count < 8) {
    // Few long runs: threads share each of them, in whole vectors.
    for (int64_t index = 0; index < count; ++index)
      parallelPieces(pool, ceilDivide(runs.length, kLanes),
                     kGrainElements / kLanes, [&](int64_t begin, int64_t end) {
                       run(index, begin * kLanes,
                           minimum(runs.length, end * kLanes));
                     });
    return;
  }
  parallelPieces(pool, count, maximum<int64_t>(1, kGrainElements / runs.length),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index)
                     run(index, 0, runs.length);
                 });
}

void activateRun(const float *from, float *to, int64_t count,
                 Activation activation, float slope) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store(to + i, activate(load(from + i), activation, slope));
  if (i < count) {
    const int left = static_cast<int>(count - i);
    storePartial(
        to + i, activate(loadPartial(from + i, left), activation, slope), left);
  }
}

void addRun(const float *left, const float *right, float *to, int64_t count,
            Activation activation, float slope) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store(to + i,
          activate(load(left + i) + load(right + i), activation, slope));
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    const Vector sum =
        loadPartial(left + i, rest) + loadPartial(right + i, rest);
    storePartial(to + i, activate(sum, activation, slope), rest);
  }
}

void softmaxRun(const float *from, float *to, int64_t count) {
  float largest = from[0];
  for (int64_t i = 1; i < count; ++i)
    if (from[i] > largest)
      largest = from[i];
  double sum = 0.0;
  for (int64_t i = 0; i < count; ++i) {
    const float value = ::expf(from[i] - largest);
    to[i] = value;
    sum += double(value);
  }
  const double scale = 1.0 / sum;
  for (int64_t i = 0; i < count; ++i)
    to[i] = float(double(to[i]) * scale);
}

} // namespace

uint64_t unary(const TensorView &input, const Epilogue &epilogue,
               const TensorView &output, ThreadPool &pool) {
  const TensorView *const views[] = {&input, &output};
  forEachPiece(commonRuns(views, 2), pool,
               [&](int64_t image, int64_t row, int64_t pixel, int64_t begin,
                   int64_t end) {
                 activateRun(
                     input.data + offsetOf(input, image, row, pixel) + begin,
                     output.data + offsetOf(output, image, row, pixel) + begin,
                     end - begin, epilogue.activation, epilogue.alpha);
               });
  return 0;
}

uint64_t binary(BinaryKind, const TensorView &left, const TensorView &right,
                const Epilogue &epilogue, const TensorView &output,
                ThreadPool &pool) {
  const TensorView *const views[] = {&left, &right, &output};
  forEachPiece(commonRuns(views, 3), pool,
               [&](int64_t image, int64_t row, int64_t pixel, int64_t begin,
                   int64_t end) {
                 addRun(left.data + offsetOf(left, image, row, pixel) + begin,
                        right.data + offsetOf(right, image, row, pixel) + begin,
                        output.data + offsetOf(output, image, row, pixel) +
                            begin,
                        end - begin, epilogue.activation, epilogue.alpha);
               });
  return 0;
}

uint64_t softmax(const TensorView &input, const TensorView &output,
                 ThreadPool &pool) {
  const int64_t pixels = int64_t(input.batch) * input.height * input.width;
  parallelPieces(pool, pixels,
                 maximum<int64_t>(1, kGrainElements / 8 / input.channels),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index) {
                     const int64_t x = index % input.width;
                     const int64_t y = index / input.width % input.height;
                     const int64_t image = index / input.width / input.height;
                     softmaxRun(input.data + offsetOf(input, image, y, x),
                                output.data + offsetOf(output, image, y, x),
                                input.channels);
                   }
                 });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
