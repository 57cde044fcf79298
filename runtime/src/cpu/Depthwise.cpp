// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depthwise convolution, channels last: every channel is a lane.
//
// Pixels whose columns are all inside the input are computed several at once,
// with inputs reused between neighbours for the common kernels; pixels at the
// left and right border one by one, from the taps that are inside.
//
// Numerics: float32 with contracted multiply-adds, taps in row-major order; the
// error is bounded as for convolutions (Convolution.cpp).
#include "Window.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Pixels computed at once.
constexpr int kPixels = 4;

/// One output row: what is the same for all its pixels.
struct Row {
  int64_t channels;
  int64_t kernelHeight, kernelWidth;
  int64_t kyBegin, kyEnd; ///< kernel rows inside the input
  int64_t stride,
      columnStep;     ///< floats: to the next pixel's, next column's input
  const float *input; ///< column 0 of the input row under kernel row 0
  int64_t inputRowStep;
  const float *weights;
  const float *bias;     ///< or null
  const float *residual; ///< or null; column 0
  int64_t residualStep;
  float *output; ///< column 0
  int64_t outputStep;
  Activation activation;
  float slope;
};

template <bool Partial>
SNUG_INLINE void finish(const Row &row, Vector sum, int64_t x, int64_t channel,
                        int count) {
  if (row.residual)
    sum += loadBlock<Partial>(row.residual + x * row.residualStep + channel,
                              count);
  storeBlock<Partial>(row.output + x * row.outputStep + channel,
                      activate(sum, row.activation, row.slope), count);
}

/// One vector of channels of `Pixels` pixels from x on; `input` is the first
/// pixel's column under kernel column 0. With Width known, dilation is 1 and
/// neighbours share inputs; else kernel columns [kxBegin, kxEnd) are used.
template <int Pixels, int Width, int Stride, bool Partial>
SNUG_INLINE void channelBlock(const Row &row, const float *input, int64_t x,
                              int64_t kxBegin, int64_t kxEnd, int64_t channel,
                              int count) {
  const float *weights =
      row.weights + channel * row.kernelHeight * row.kernelWidth;
  const Vector bias = row.bias ? load(row.bias + channel) : zero();
  Vector sum[Pixels];
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p)
    sum[p] = bias;
  for (int64_t ky = row.kyBegin; ky < row.kyEnd; ++ky) {
    const float *from = input + ky * row.inputRowStep + channel;
    const float *rowWeights = weights + ky * row.kernelWidth * kLanes;
    if (Width > 0) {
      Vector weight[Width > 0 ? Width : 1];
      SNUG_UNROLL
      for (int kx = 0; kx < Width; ++kx)
        weight[kx] = load(rowWeights + kx * kLanes);
      SNUG_UNROLL
      for (int column = 0; column < (Pixels - 1) * Stride + Width; ++column) {
        const Vector value =
            loadBlock<Partial>(from + column * row.columnStep, count);
        SNUG_UNROLL
        for (int p = 0; p < Pixels; ++p)
          if (column - p * Stride >= 0 && column - p * Stride < Width)
            sum[p] += value * weight[column - p * Stride];
      }
    } else {
      for (int64_t kx = kxBegin; kx < kxEnd; ++kx) {
        const Vector weight = load(rowWeights + kx * kLanes);
        SNUG_UNROLL
        for (int p = 0; p < Pixels; ++p)
          sum[p] +=
              weight * loadBlock<Partial>(
                           from + p * row.stride + kx * row.columnStep, count);
      }
    }
  }
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p)
    finish<Partial>(row, sum[p], x + p, channel, count);
}

template <int Pixels, int Width, int Stride>
void pixelBlock(const Row &row, const float *input, int64_t x, int64_t kxBegin,
                int64_t kxEnd) {
  int64_t channel = 0;
  for (; channel + kLanes <= row.channels; channel += kLanes)
    channelBlock<Pixels, Width, Stride, false>(row, input, x, kxBegin, kxEnd,
                                               channel, kLanes);
  if (channel < row.channels)
    channelBlock<Pixels, Width, Stride, true>(
        row, input, x, kxBegin, kxEnd, channel,
        static_cast<int>(row.channels - channel));
}

/// Pixels [begin, end), all of whose columns are inside.
template <int Width, int Stride>
void insideRow(const Row &row, int64_t begin, int64_t end, int64_t padLeft,
               int64_t pixelStride) {
  const float *input = row.input - padLeft * pixelStride + begin * row.stride;
  int64_t x = begin;
  for (; x + kPixels <= end; x += kPixels, input += kPixels * row.stride)
    pixelBlock<kPixels, Width, Stride>(row, input, x, 0, row.kernelWidth);
  for (; x < end; ++x, input += row.stride)
    pixelBlock<1, Width, Stride>(row, input, x, 0, row.kernelWidth);
}

using InsideRow = void (*)(const Row &, int64_t, int64_t, int64_t, int64_t);

InsideRow pickInsideRow(const WindowShape &shape) {
  if (shape.dilationWidth == 1) {
    if (shape.kernelWidth == 3 && shape.strideWidth == 1)
      return insideRow<3, 1>;
    if (shape.kernelWidth == 3 && shape.strideWidth == 2)
      return insideRow<3, 2>;
    if (shape.kernelWidth == 5 && shape.strideWidth == 1)
      return insideRow<5, 1>;
    if (shape.kernelWidth == 5 && shape.strideWidth == 2)
      return insideRow<5, 2>;
  }
  return insideRow<0, 1>;
}

} // namespace

uint64_t depthwise(const WindowShape &shape, const TensorView &input,
                   const float *weights, const Epilogue &epilogue,
                   const TensorView &output, void *, ThreadPool &pool) {
  const Window horizontal = {input.width,         output.width,
                             shape.kernelWidth,   shape.strideWidth,
                             shape.dilationWidth, shape.padLeft};
  const Window vertical = {input.height,         output.height,
                           shape.kernelHeight,   shape.strideHeight,
                           shape.dilationHeight, shape.padTop};
  const int64_t insideBegin = horizontal.insideBegin();
  const int64_t insideEnd = horizontal.insideEnd();
  const InsideRow runInside = pickInsideRow(shape);
  const TensorView *residual = epilogue.residual;
  constexpr int64_t kGrainElements = 8 * 1024;
  const int64_t rowElements = int64_t(output.width) * output.channels;
  parallelPieces(
      pool, int64_t(output.batch) * output.height,
      maximum<int64_t>(1, kGrainElements / rowElements),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t image = index / output.height;
          const int64_t y = index % output.height;
          const Taps rows = vertical.taps(y);
          const int64_t inputStride = input.pixelStride;
          const Row row = {
              output.channels,
              shape.kernelHeight,
              shape.kernelWidth,
              rows.begin,
              rows.end,
              shape.strideWidth * inputStride,
              shape.dilationWidth * inputStride,
              input.data + image * input.batchStride +
                  rows.first * input.rowStride,
              shape.dilationHeight * input.rowStride,
              weights,
              epilogue.bias,
              residual ? residual->data + image * residual->batchStride +
                             y * residual->rowStride
                       : nullptr,
              residual ? residual->pixelStride : 0,
              output.data + image * output.batchStride + y * output.rowStride,
              output.pixelStride,
              epilogue.activation,
              epilogue.slope};
          const auto border = [&](int64_t x) {
            const Taps columns = horizontal.taps(x);
            pixelBlock<1, 0, 1>(row, row.input + columns.first * inputStride, x,
                                columns.begin, columns.end);
          };
          for (int64_t x = 0; x < insideBegin; ++x)
            border(x);
          if (insideBegin < insideEnd)
            runInside(row, insideBegin, insideEnd, shape.padLeft, inputStride);
          for (int64_t x = insideEnd; x < output.width; ++x)
            border(x);
        }
      });
  return elements(output) * uint64_t(shape.kernelHeight) *
         uint64_t(shape.kernelWidth);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
