// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which taps of a window lie inside the input, along one axis.
#ifndef SNUG_RUNTIME_SRC_CPU_WINDOW_H
#define SNUG_RUNTIME_SRC_CPU_WINDOW_H

#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Smallest integer not below a / b; b > 0.
SNUG_INLINE int64_t divideUp(int64_t a, int64_t b) {
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}
/// Largest integer not above a / b; b > 0.
SNUG_INLINE int64_t divideDown(int64_t a, int64_t b) {
  return -divideUp(-a, b);
}

/// Taps [begin, end) of a window are inside; tap t reads input
/// `first + t * dilation`. Empty where end <= begin.
struct Taps {
  int64_t first, begin, end;
};

/// One axis of a convolution or pooling.
struct Window {
  int64_t inputExtent, outputExtent;
  int64_t kernel, stride, dilation, padLow;

  Taps taps(int64_t position) const {
    const int64_t first = position * stride - padLow;
    // Divisions cost as much as a vector's work.
    if (dilation == 1)
      return {first, maximum<int64_t>(0, -first),
              minimum(kernel, inputExtent - first)};
    return {first, maximum<int64_t>(0, divideUp(-first, dilation)),
            minimum(kernel, divideDown(inputExtent - 1 - first, dilation) + 1)};
  }
  /// Taps inside at an output, at least 1.
  int64_t count(int64_t position) const {
    const Taps inside = taps(position);
    return maximum<int64_t>(1, inside.end - inside.begin);
  }
  /// Outputs in [insideBegin(), insideEnd()) have all taps inside.
  int64_t insideBegin() const {
    return minimum(outputExtent, divideUp(padLow, stride));
  }
  int64_t insideEnd() const {
    const int64_t room = inputExtent - 1 + padLow - (kernel - 1) * dilation;
    return maximum(insideBegin(),
                   minimum(outputExtent, divideDown(room, stride) + 1));
  }
};

SNUG_INLINE Window rowsOf(const WindowShape &shape, const TensorView &input,
                          const TensorView &output) {
  return {input.height,       output.height,        shape.kernelHeight,
          shape.strideHeight, shape.dilationHeight, shape.padTop};
}
SNUG_INLINE Window columnsOf(const WindowShape &shape, const TensorView &input,
                             const TensorView &output) {
  return {input.width,       output.width,        shape.kernelWidth,
          shape.strideWidth, shape.dilationWidth, shape.padLeft};
}

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_WINDOW_H
