// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depthwise convolution, channels last: every channel is a lane.
//
// Kernels of 3x3 and 5x5 without dilation compute blocks of up to four pixels
// of up to two output rows, whose neighbours share the inputs they read; others
// go pixel by pixel. Taps outside the input are left out.
//
// Numerics: float32 with contracted multiply-adds, for every output its taps in
// row-major order, whatever the block; the error is bounded as for convolutions
// (Convolution.cpp).
#include "Window.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Pixels of a row that are computed at once.
constexpr int kPixels = 4;

/// A call's constants; distances in floats.
struct Layer {
  int64_t channels;
  int64_t kernelHeight, kernelWidth;
  int64_t pixelStep, rowStep;   ///< between the inputs of neighbouring outputs
  int64_t columnStep, lineStep; ///< between the taps of a kernel
  const float *weights;
  const float *bias; ///< or null
  int64_t outputPixelStep, outputRowStep;
  int64_t residualPixelStep, residualRowStep;
  ShortActivation activation;
};

/// A block of output pixels. Its window is the union of theirs; only window
/// rows [rowBegin, rowEnd) and columns [columnBegin, columnEnd) are inside.
struct Block {
  const float *input; ///< at the window's first row and column
  int64_t rowBegin, rowEnd, columnBegin, columnEnd;
  float *output;
  const float *residual; ///< or null
  int64_t count;         ///< so many such blocks, side by side
};

/// The block to the right of one of `Pixels` pixels a row.
template <int Pixels>
SNUG_INLINE void moveBehind(const Layer &layer, Block &block) {
  block.input += Pixels * layer.pixelStep;
  block.output += Pixels * layer.outputPixelStep;
  if (block.residual)
    block.residual += Pixels * layer.residualPixelStep;
}

/// One vector of channels of `Rows` by `Pixels` pixels, square kernel, no
/// dilation. Without `Border` all columns are inside.
template <int Rows, int Pixels, int Kernel, int Stride, bool Border,
          bool Partial>
SNUG_INLINE void channelsOfBlock(const Layer &layer, const Block &block,
                                 int64_t channel, int count) {
  const float *weights = layer.weights + channel * Kernel * Kernel;
  const Vector bias = layer.bias ? load(layer.bias + channel) : zero();
  Vector sum[Rows * Pixels];
  SNUG_UNROLL
  for (int i = 0; i < Rows * Pixels; ++i)
    sum[i] = bias;
  const float *line = block.input + channel;
  SNUG_UNROLL
  for (int j = 0; j < (Rows - 1) * Stride + Kernel;
       ++j, line += layer.lineStep) {
    if (j < block.rowBegin || j >= block.rowEnd)
      continue;
    const int64_t columnStep = hideOrigin(layer.columnStep);
    const float *from = line;
    SNUG_UNROLL
    for (int column = 0; column < (Pixels - 1) * Stride + Kernel; ++column) {
      if (column % 3 == 0 && column > 0)
        from = hideOrigin(from + 3 * columnStep);
      if (Border && (column < block.columnBegin || column >= block.columnEnd))
        continue;
      const Vector value =
          loadBlock<Partial>(from + column % 3 * columnStep, count);
      SNUG_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const int ky = j - r * Stride;
        if (ky < 0 || ky >= Kernel)
          continue;
        SNUG_UNROLL
        for (int p = 0; p < Pixels; ++p) {
          const int kx = column - p * Stride;
          if (kx >= 0 && kx < Kernel)
            sum[r * Pixels + p] +=
                value * load(weights + (ky * Kernel + kx) * kLanes);
        }
      }
    }
  }
  if (block.residual) {
    SNUG_UNROLL
    for (int i = 0; i < Rows * Pixels; ++i)
      sum[i] += loadBlock<Partial>(
          block.residual + i / Pixels * layer.residualRowStep +
              i % Pixels * layer.residualPixelStep + channel,
          count);
  }
  activateAll(sum, layer.activation);
  SNUG_UNROLL
  for (int r = 0; r < Rows; ++r) {
    float *to = hideOrigin(block.output + r * layer.outputRowStep + channel);
    SNUG_UNROLL
    for (int p = 0; p < Pixels; ++p) {
      storeBlock<Partial>(to, sum[r * Pixels + p], count);
      to += layer.outputPixelStep;
    }
  }
}

/// The channels that do not fill a vector, of one row of a block.
template <int Pixels, int Kernel, int Stride>
__attribute__((noinline)) void
lastChannels(const Layer &layer, const Block &block, int row, int64_t channel) {
  const int first = row * Stride; // of the row in the block's window
  const Block part = {
      block.input + first * layer.lineStep,
      maximum<int64_t>(0, block.rowBegin - first),
      minimum<int64_t>(Kernel, block.rowEnd - first),
      block.columnBegin,
      block.columnEnd,
      block.output + row * layer.outputRowStep,
      block.residual ? block.residual + row * layer.residualRowStep : nullptr,
      1};
  channelsOfBlock<1, Pixels, Kernel, Stride, true, true>(
      layer, part, channel, static_cast<int>(layer.channels - channel));
}

template <int Rows, int Pixels, int Kernel, int Stride, bool Border>
__attribute__((noinline)) void blockOfPixels(const Layer &callersLayer,
                                             const Block &callersBlock) {
  // Copies, which no store can change for all the compiler knows.
  const Layer layer = callersLayer;
  Block block = callersBlock;
  for (; block.count > 0; --block.count) {
    int64_t channel = 0;
    for (; channel + kLanes <= layer.channels; channel += kLanes)
      channelsOfBlock<Rows, Pixels, Kernel, Stride, Border, false>(
          layer, block, channel, kLanes);
    if (channel < layer.channels)
      for (int row = 0; row < Rows; ++row)
        lastChannels<Pixels, Kernel, Stride>(layer, block, row, channel);
    moveBehind<Pixels>(layer, block);
  }
}

/// Any kernel, one pixel.
template <bool Partial>
SNUG_INLINE void channelsOfPixel(const Layer &layer, const Block &block,
                                 int64_t channel, int count) {
  const float *weights =
      layer.weights + channel * layer.kernelHeight * layer.kernelWidth;
  Vector sum[1] = {layer.bias ? load(layer.bias + channel) : zero()};
  for (int64_t ky = block.rowBegin; ky < block.rowEnd; ++ky)
    for (int64_t kx = block.columnBegin; kx < block.columnEnd; ++kx)
      sum[0] += loadBlock<Partial>(block.input + ky * layer.lineStep +
                                       kx * layer.columnStep + channel,
                                   count) *
                load(weights + (ky * layer.kernelWidth + kx) * kLanes);
  if (block.residual)
    sum[0] += loadBlock<Partial>(block.residual + channel, count);
  activateAll(sum, layer.activation);
  storeBlock<Partial>(block.output + channel, sum[0], count);
}

void pixelOfAnyKernel(const Layer &callersLayer, const Block &callersBlock) {
  const Layer layer = callersLayer;
  Block block = callersBlock;
  for (; block.count > 0; --block.count) {
    int64_t channel = 0;
    for (; channel + kLanes <= layer.channels; channel += kLanes)
      channelsOfPixel<false>(layer, block, channel, kLanes);
    if (channel < layer.channels)
      channelsOfPixel<true>(layer, block, channel,
                            static_cast<int>(layer.channels - channel));
    moveBehind<1>(layer, block);
  }
}

using RunBlock = void (*)(const Layer &, const Block &);

/// The functions of one kernel and stride.
struct Blocks {
  int64_t pixels;              ///< of the widest block
  int64_t rows;                ///< of the tallest
  RunBlock inside[2];          ///< widest block without borders, by rows - 1
  RunBlock border[2][kPixels]; ///< any block, by rows - 1 and pixels - 1
};

template <int Rows, int Kernel, int Stride> constexpr RunBlock insideBlock() {
  return blockOfPixels<Rows, kPixels, Kernel, Stride, false>;
}
template <int Rows, int Pixels, int Kernel, int Stride>
constexpr RunBlock borderBlock() {
  return blockOfPixels<Rows, Pixels, Kernel, Stride, true>;
}
template <int Rows, int Kernel, int Stride> constexpr Blocks blocksOfKernel() {
  return {
      kPixels,
      Rows,
      {insideBlock<1, Kernel, Stride>(), insideBlock<Rows, Kernel, Stride>()},
      {{borderBlock<1, 1, Kernel, Stride>(),
        borderBlock<1, 2, Kernel, Stride>(),
        borderBlock<1, 3, Kernel, Stride>(),
        borderBlock<1, 4, Kernel, Stride>()},
       {borderBlock<Rows, 1, Kernel, Stride>(),
        borderBlock<Rows, 2, Kernel, Stride>(),
        borderBlock<Rows, 3, Kernel, Stride>(),
        borderBlock<Rows, 4, Kernel, Stride>()}}};
}

/// Two rows at once save loads, but 5x5 kernels then run out of registers.
Blocks pickBlocks(const WindowShape &shape) {
  const bool square = shape.kernelHeight == shape.kernelWidth &&
                      shape.strideHeight == shape.strideWidth &&
                      shape.dilationHeight == 1 && shape.dilationWidth == 1;
  if (square && shape.kernelWidth == 3 && shape.strideWidth == 1)
    return blocksOfKernel<2, 3, 1>();
  if (square && shape.kernelWidth == 3 && shape.strideWidth == 2)
    return blocksOfKernel<2, 3, 2>();
  if (square && shape.kernelWidth == 5 && shape.strideWidth == 1)
    return blocksOfKernel<1, 5, 1>();
  if (square && shape.kernelWidth == 5 && shape.strideWidth == 2)
    return blocksOfKernel<1, 5, 2>();
  return {1, 1, {pixelOfAnyKernel}, {{pixelOfAnyKernel}}};
}

} // namespace

uint64_t depthwise(const WindowShape &shape, const TensorView &input,
                   const float *weights, const Epilogue &epilogue,
                   const TensorView &output, void *, ThreadPool &pool) {
  const Window horizontal = columnsOf(shape, input, output);
  const Window vertical = rowsOf(shape, input, output);
  const TensorView *residual = epilogue.residual;
  const Layer layer = {output.channels,
                       shape.kernelHeight,
                       shape.kernelWidth,
                       shape.strideWidth * input.pixelStride,
                       shape.strideHeight * input.rowStride,
                       shape.dilationWidth * input.pixelStride,
                       shape.dilationHeight * input.rowStride,
                       weights,
                       epilogue.bias,
                       output.pixelStride,
                       output.rowStride,
                       residual ? residual->pixelStride : 0,
                       residual ? residual->rowStride : 0,
                       shortActivation(epilogue)};
  const Epilogue behind = behindRegisters(epilogue);
  const Blocks blocks = pickBlocks(shape);
  const int64_t insideBegin = horizontal.insideBegin();
  const int64_t insideEnd = horizontal.insideEnd();
  const auto runRows = [&](int64_t image, int64_t y, int64_t rows) {
    Block block;
    const Taps firstRow = vertical.taps(y),
               lastRow = vertical.taps(y + rows - 1);
    block.rowBegin = firstRow.begin;
    block.rowEnd = lastRow.end + (rows - 1) * shape.strideHeight;
    const float *inputRow = input.data + image * input.batchStride +
                            firstRow.first * input.rowStride;
    const int64_t outputRow = image * output.batchStride + y * output.rowStride;
    const int64_t residualRow =
        residual ? image * residual->batchStride + y * residual->rowStride : 0;
    for (int64_t x = 0; x < output.width;) {
      const int64_t pixels = minimum(blocks.pixels, output.width - x);
      block.count = 1;
      const Taps firstColumn = horizontal.taps(x);
      const Taps lastColumn = horizontal.taps(x + pixels - 1);
      block.columnBegin = firstColumn.begin;
      block.columnEnd = lastColumn.end + (pixels - 1) * shape.strideWidth;
      block.input = inputRow + firstColumn.first * input.pixelStride;
      block.output = output.data + outputRow + x * output.pixelStride;
      block.residual =
          residual ? residual->data + residualRow + x * residual->pixelStride
                   : nullptr;
      if (pixels == blocks.pixels && x >= insideBegin &&
          x + pixels <= insideEnd) {
        block.count = (insideEnd - x) / pixels;
        blocks.inside[rows - 1](layer, block);
      } else {
        blocks.border[rows - 1][pixels - 1](layer, block);
      }
      x += block.count * pixels;
    }
    for (int64_t row = 0; row < rows; ++row)
      activateStored(behind, output.data + outputRow + row * output.rowStride,
                     output.pixelStride, output.width, output.channels);
  };
  constexpr int64_t kGrainElements = 8 * 1024;
  const int64_t rowElements = int64_t(output.width) * output.channels;
  parallelPieces(pool, int64_t(output.batch) * output.height,
                 maximum<int64_t>(blocks.rows, kGrainElements / rowElements),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end;) {
                     const int64_t image = index / output.height;
                     const int64_t y = index % output.height;
                     const int64_t rows = minimum(
                         blocks.rows, minimum(end - index, output.height - y));
                     runRows(image, y, rows);
                     index += rows;
                   }
                 });
  return elements(output) * uint64_t(shape.kernelHeight) *
         uint64_t(shape.kernelWidth);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
