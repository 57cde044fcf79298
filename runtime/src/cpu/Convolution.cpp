// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Direct convolution, channels last, without workspace.
//
// In a channels-last row the kernelWidth * channels inputs under one kernel row
// are contiguous, so a convolution is, for every kernel row, one run of
// multiply-adds over them; a block of output pixels and a panel of output
// channels stay in registers meanwhile (ConvolutionBlock.h). The reduction is
// cut into slices whose weights stay near while all blocks of a band of rows
// use them; partial sums wait in the output view. While a slice computes, the
// weights of the next one and the input of a later band are fetched. At the
// left and right border the taps outside are left out pixel by pixel, at the
// top and bottom row by row: nothing outside the input is read.
//
// Numerics: float32 accumulation with contracted multiply-adds, in an order
// that depends on the shape only, never on threads or on how the output is cut
// into tiles. Against a double reference the error of an output is below
// 2^-24 * (8 + 2 * sqrt(K)) times the sum of the magnitudes of its K products,
// bias and residual included.
#include "ConvolutionBlock.h"
#include "Window.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Steps of the reduction in a slice: its weights take 128, 64 or 32 times as
/// many bytes. Fewer slices read the input less often under other taps, and the
/// partial sums; a kernel of one tap gains nothing by that, and has the weights
/// that nothing fetched, the first slice's, sooner.
constexpr int64_t kSliceSteps = 512;
constexpr int64_t kOneTapSliceSteps = 256;
/// Input bytes of a band of rows: two of them, the one in use and the one being
/// fetched, stay in a second-level cache of 512 KiB, with the weights that
/// pass.
constexpr int64_t kBandBytes = 128 * 1024;
/// Weights that stay there beside them. Where they do not, every band reads
/// them again, so bands are as large as the cache allows.
constexpr int64_t kSmallWeightBytes = 192 * 1024;
constexpr int64_t kLargeBandBytes = 256 * 1024;
/// From here on the weights of a layer are read from memory, not from a cache:
/// all rows use a panel before the next one is read.
constexpr int64_t kLargeWeightBytes = 8 * 1024 * 1024;
/// Output pixels that a flattened 1x1 convolution treats as a row.
constexpr int64_t kFlatRowBlocks = 16;
/// Runs of one call; their pointers lie on the stack.
constexpr int kMaxRuns = 64;
/// Blocks of so few pixels have too few accumulators to hide the latency of a
/// multiply-add; they take two panels at a time.
constexpr int kPairPixels = 3;
/// Pixels at most of a block that spans two panels: with four vectors each they
/// leave registers for four vectors of weights and an input of 32, or for three
/// inputs and a vector of weights of 16. (With NEON more have not been tried.)
constexpr int kMaxPairPixels = kLanes == 16 ? 6 : kPairPixels;
/// Pixels that lie a multiple of this many bytes apart take turns in one set of
/// a first-level cache of 64 sets.
constexpr int64_t kSetBytes = 64 * 64;
/// So many of them find room in a set of eight ways, beside the weights.
constexpr int kMaxPixelsInSet = 6;

/// Part of a reduction: kernel rows, kernel columns and input channels.
struct Slice {
  int64_t rowBegin, rowEnd;
  int64_t columnBegin, columnEnd;
  int64_t channelBegin, channelEnd;
  bool first, last;
};

/// A call's constants, with 1x1 convolutions flattened.
struct Layer {
  WindowShape shape;
  TensorView input, output, residual;
  const float *weights;
  Epilogue epilogue;
  int64_t height, width, lastWidth; ///< rows of output; the last may be shorter
  int64_t groupInputs, groupOutputs;
  int64_t groupPanels;
  int64_t tapWeights, rowWeights, panelWeights; ///< floats
  bool merged;         ///< the inputs under a kernel row are contiguous
  bool pairs;          ///< panels are taken two at a time
  int64_t blockPixels; ///< of a block, at most
  int64_t rowSlices, columnSlices, channelSlices;

  Slice slice(int64_t index) const {
    const int64_t channel = index % channelSlices;
    const int64_t column = index / channelSlices % columnSlices;
    const int64_t row = index / channelSlices / columnSlices;
    return {row * shape.kernelHeight / rowSlices,
            (row + 1) * shape.kernelHeight / rowSlices,
            column * shape.kernelWidth / columnSlices,
            (column + 1) * shape.kernelWidth / columnSlices,
            channel * groupInputs / channelSlices,
            (channel + 1) * groupInputs / channelSlices,
            index == 0,
            index == sliceCount() - 1};
  }
  int64_t sliceCount() const {
    return rowSlices * columnSlices * channelSlices;
  }
  /// Lets `ahead` fetch a slice's weights, which lie one after another: a slice
  /// has all columns of its rows, or one row, and all channels of its columns,
  /// or one column. Of the panel behind it too, where they are a pair.
  void fetchWeights(int64_t panel, int64_t sliceIndex, int64_t blocks,
                    bool pair, Ahead &ahead) const {
    const Slice s = slice(sliceIndex);
    ahead.spread(weights + panel * panelWeights + s.rowBegin * rowWeights +
                     s.columnBegin * tapWeights + s.channelBegin * kPanel,
                 (s.rowEnd - s.rowBegin) * (s.columnEnd - s.columnBegin) *
                     (s.channelEnd - s.channelBegin) * kPanel,
                 blocks, pair ? panelWeights : 0);
  }
};

/// Output channels of the panel, or pair of panels, being computed.
struct PanelRange {
  int64_t group;
  int64_t channelBegin; ///< in the whole output
  int64_t channels;     ///< less than a panel at a group's end
  const float *weights;
  const float *bias; ///< of a whole number of panels, or null
};

int64_t smallestBlock(int64_t width, int64_t blockPixels) {
  return width / ceilDivide(width, blockPixels);
}

/// Rows of equal length, whole blocks each, instead of the picture's rows.
void flatten(TensorView &view, bool batch, int64_t height, int64_t width) {
  if (batch)
    view.batch = 1;
  view.height = static_cast<int32_t>(height);
  view.width = static_cast<int32_t>(width);
  view.rowStride = width * view.pixelStride;
}

Layer makeLayer(const WindowShape &shape, const TensorView &input,
                const float *weights, const Epilogue &epilogue,
                const TensorView &output) {
  Layer layer = {shape,
                 input,
                 output,
                 epilogue.residual ? *epilogue.residual : output,
                 weights,
                 epilogue,
                 output.height,
                 output.width,
                 output.width,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0,
                 false,
                 false,
                 kMaxPixels,
                 0,
                 0,
                 0};
  layer.groupInputs = input.channels / shape.groups;
  layer.groupOutputs = output.channels / shape.groups;
  layer.groupPanels = ceilDivide(layer.groupOutputs, kPanel);
  layer.tapWeights = layer.groupInputs * kPanel;
  layer.rowWeights = layer.tapWeights * shape.kernelWidth;
  layer.panelWeights = layer.rowWeights * shape.kernelHeight;

  // Larger blocks would read their inputs from the second-level cache again and
  // again.
  if (shape.strideWidth * input.pixelStride * int64_t(sizeof(float)) %
          kSetBytes ==
      0)
    layer.blockPixels = minimum(kMaxPixels, kMaxPixelsInSet);

  const bool pointwise = shape.kernelHeight == 1 && shape.kernelWidth == 1 &&
                         shape.strideHeight == 1 && shape.strideWidth == 1 &&
                         shape.padTop == 0 && shape.padLeft == 0 &&
                         input.height == output.height &&
                         input.width == output.width;
  if (pointwise && hasFlatRows(input) && hasFlatRows(output) &&
      hasFlatRows(layer.residual)) {
    const bool batch = hasFlatBatch(input) && hasFlatBatch(output) &&
                       hasFlatBatch(layer.residual);
    const int64_t pixels =
        int64_t(output.height) * output.width * (batch ? output.batch : 1);
    const int64_t rows = ceilDivide(pixels, kFlatRowBlocks * layer.blockPixels);
    const int64_t width = minimum(
        pixels, ceilDivide(ceilDivide(pixels, rows), layer.blockPixels) *
                    layer.blockPixels);
    layer.height = ceilDivide(pixels, width);
    layer.width = width;
    layer.lastWidth = pixels - (layer.height - 1) * width;
    flatten(layer.input, batch, layer.height, width);
    flatten(layer.output, batch, layer.height, width);
    flatten(layer.residual, batch, layer.height, width);
  }

  layer.merged = shape.kernelWidth == 1 ||
                 (shape.groups == 1 && shape.dilationWidth == 1 &&
                  input.pixelStride == input.channels);
  layer.pairs = layer.blockPixels <= kMaxPairPixels ||
                smallestBlock(layer.width, layer.blockPixels) <= kPairPixels;

  const int64_t sliceSteps = shape.kernelHeight * shape.kernelWidth == 1
                                 ? kOneTapSliceSteps
                                 : kSliceSteps;
  const int64_t columnsInSlice =
      minimum(maximum<int64_t>(1, sliceSteps / layer.groupInputs),
              int64_t(layer.merged ? shape.kernelWidth : kMaxRuns));
  layer.channelSlices = ceilDivide(layer.groupInputs, sliceSteps);
  layer.columnSlices = ceilDivide(shape.kernelWidth, columnsInSlice);
  layer.rowSlices = shape.kernelHeight;
  if (layer.channelSlices == 1 && layer.columnSlices == 1) {
    const int64_t rowSteps = layer.groupInputs * shape.kernelWidth;
    const int64_t runsInRow = layer.merged ? 1 : shape.kernelWidth;
    const int64_t rowsInSlice = minimum(
        maximum<int64_t>(1, sliceSteps / rowSteps), kMaxRuns / runsInRow);
    layer.rowSlices = ceilDivide(shape.kernelHeight, rowsInSlice);
  }
  return layer;
}

/// Copies `channels` floats for each of `pixels` pixels, whole vectors to `to`
/// (filled up with zeros), only the channels themselves from `from`.
void gather(const float *from, int64_t fromStep, float *to, int64_t pixels,
            int channels) {
  for (int64_t p = 0; p < pixels; ++p, from += fromStep, to += kPanel) {
    int c = 0;
    for (; c + kLanes <= channels; c += kLanes)
      store(to + c, load(from + c));
    if (c < channels)
      store(to + c, loadPartial(from + c, channels - c));
  }
}

void scatter(const float *from, float *to, int64_t toStep, int64_t pixels,
             int channels) {
  for (int64_t p = 0; p < pixels; ++p, from += kPanel, to += toStep) {
    int c = 0;
    for (; c + kLanes <= channels; c += kLanes)
      store(to + c, load(from + c));
    if (c < channels)
      storePartial(to + c, load(from + c), channels - c);
  }
}

/// Steps of a run that has a block of its own: three channels, three columns.
constexpr int kFirstLayerRun = 9;

/// Blocks of `Vectors` vectors of outputs.
template <int Vectors, int MostPixels = kMaxPixels>
SNUG_INLINE void runVectors(int64_t pixels, const BlockCall &call) {
  if (call.firstPixelLacks + call.lastPixelLacks > 0)
    BlockOfPixels<Vectors, kAtBorder, MostPixels>::run(pixels, call);
  else if (call.length == kFirstLayerRun && Vectors <= 2)
    BlockOfPixels<Vectors, kFirstLayerRun, MostPixels>::run(pixels, call);
  else
    BlockOfPixels<Vectors, kAnyLength, MostPixels>::run(pixels, call);
}

/// Blocks of a panel that the group does not fill, by way of the stack.
__attribute__((noinline)) void runTail(int64_t pixels, int channels,
                                       const BlockCall &call) {
  alignas(64) float sums[kMaxPixels * kPanel];
  alignas(64) float residuals[kMaxPixels * kPanel];
  BlockCall tail = call;
  tail.blocks = 1;
  tail.output = sums;
  tail.outputStep = kPanel;
  float *output = call.output;
  const float *residual = call.residual;
  for (int64_t block = 0; block < call.blocks; ++block) {
    if (!call.first)
      gather(output, call.outputStep, sums, pixels, channels);
    if (call.first && residual) {
      gather(residual, call.residualStep, residuals, pixels, channels);
      tail.residual = residuals;
      tail.residualStep = kPanel;
      residual += pixels * call.residualStep;
    }
    if (channels <= kLanes)
      runVectors<1>(pixels, tail);
    else
      runVectors<2>(pixels, tail);
    scatter(sums, output, call.outputStep, pixels, channels);
    output += pixels * call.outputStep;
    tail.inputOffset += pixels * call.pixelStep;
  }
}

SNUG_INLINE void runBlock(int64_t pixels, int64_t channels, BlockCall &call) {
  if (channels == kPanel) {
    runVectors<2>(pixels, call);
  } else if (channels == kLanes) {
    runVectors<1>(pixels, call);
  } else if (channels < kPanel) {
    runTail(pixels, static_cast<int>(channels), call);
  } else if (pixels <= kMaxPairPixels) {
    runVectors<4, kMaxPairPixels>(pixels, call);
  } else {
    BlockCall second = call;
    second.weights += call.panelStep;
    second.output += kPanel;
    if (call.bias)
      second.bias += kPanel;
    if (call.residual)
      second.residual += kPanel;
    runVectors<2>(pixels, call);
    runVectors<2>(pixels, second);
  }
}

/// One output row of one slice for one panel or pair of panels.
class SliceRow {
public:
  SliceRow(const Layer &layer, const PanelRange &panel, const Slice &slice,
           int64_t row, Ahead &weightsAhead, Ahead &inputAhead);
  void run();

private:
  /// Lets the call begin at output column x.
  void moveTo(int64_t x);
  /// Output columns [begin, end).
  void runBlocks(int64_t begin, int64_t end);
  void runNothingBetween(int64_t begin, int64_t end);
  /// Whether a block from input column `column` on is at a border so that only
  /// its first and its last pixel have taps outside; sets what they lack.
  bool findLacks(int64_t column, int64_t pixels);
  void runAtBorder(int64_t x, int64_t pixels);
  void runColumns(int64_t row, int64_t columnBegin, int64_t columnEnd,
                  int64_t x, int64_t pixelBegin, int64_t pixelEnd, bool first,
                  bool last);
  /// Only the bias and the residual (first) or the activation (last).
  void runNothing(int64_t pixels, bool first, bool last);
  /// Input column under the kernel's first column at output column x.
  int64_t inputColumn(int64_t x) const {
    return x * layer.shape.strideWidth - layer.shape.padLeft;
  }

  const Layer &layer;
  const PanelRange &panel;
  const Slice &slice;
  int64_t rowBegin, rowEnd; ///< kernel rows of the slice inside the input
  int64_t width;
  const float *input; ///< group's first channel at column 0 under kernel row 0
  float *output;      ///< panel's first channel at column 0
  const float *residual;
  int64_t inputRowStep;
  const float *runs[kMaxRuns]; ///< of blocks, but for those of runAtBorder()
  BlockCall call;
};

SliceRow::SliceRow(const Layer &layer, const PanelRange &panel,
                   const Slice &slice, int64_t row, Ahead &weightsAhead,
                   Ahead &inputAhead)
    : layer(layer), panel(panel), slice(slice) {
  const WindowShape &shape = layer.shape;
  const int64_t image = row / layer.height;
  const int64_t y = row % layer.height;
  width = y == layer.height - 1 ? layer.lastWidth : layer.width;
  const int64_t inputY = y * shape.strideHeight - shape.padTop;
  rowBegin = maximum(slice.rowBegin, divideUp(-inputY, shape.dilationHeight));
  rowEnd = minimum(
      slice.rowEnd,
      divideDown(layer.input.height - 1 - inputY, shape.dilationHeight) + 1);
  inputRowStep = layer.input.rowStride * shape.dilationHeight;
  // Formed for rows inside only; before that an offset, not a pointer.
  input = layer.input.data + image * layer.input.batchStride +
          inputY * layer.input.rowStride + panel.group * layer.groupInputs;
  output = layer.output.data + image * layer.output.batchStride +
           y * layer.output.rowStride + panel.channelBegin;
  residual = layer.epilogue.residual
                 ? layer.residual.data + image * layer.residual.batchStride +
                       y * layer.residual.rowStride + panel.channelBegin
                 : nullptr;

  call.runs = runs;
  call.inputOffset = 0;
  call.firstPixelLacks = call.lastPixelLacks = 0;
  call.pixelStep = shape.strideWidth * layer.input.pixelStride;
  call.panelStep = layer.panelWeights;
  call.outputStep = layer.output.pixelStride;
  call.residualStep = layer.residual.pixelStride;
  call.bias = panel.bias;
  call.activation = shortActivation(layer.epilogue);
  call.weightsAhead = &weightsAhead;
  call.inputAhead = &inputAhead;

  // The runs of blocks that are not cut up by columns.
  call.weights = panel.weights + rowBegin * layer.rowWeights +
                 slice.columnBegin * layer.tapWeights +
                 slice.channelBegin * kPanel;
  int64_t count = 0;
  const int64_t columnStep = shape.dilationWidth * layer.input.pixelStride;
  for (int64_t ky = rowBegin; ky < rowEnd; ++ky) {
    const float *first = input + ky * inputRowStep + slice.channelBegin;
    if (layer.merged) {
      runs[count++] = first + slice.columnBegin * columnStep;
      continue;
    }
    for (int64_t kx = slice.columnBegin; kx < slice.columnEnd; ++kx)
      runs[count++] = first + kx * columnStep;
  }
  call.runCount = count;
  const int64_t channels = slice.channelEnd - slice.channelBegin;
  call.length = layer.merged && channels == layer.groupInputs
                    ? (slice.columnEnd - slice.columnBegin) * channels
                    : channels;
  call.runWeightStep = layer.merged ? layer.rowWeights : layer.tapWeights;
}

void SliceRow::run() {
  // Output columns for which a tap is inside. A slice of one column is cut into
  // blocks without those for which it is outside.
  int64_t begin = 0, end = width;
  if (rowBegin >= rowEnd) {
    end = 0;
  } else if (slice.columnEnd - slice.columnBegin == 1) {
    const int64_t stride = layer.shape.strideWidth;
    const int64_t column =
        inputColumn(0) + slice.columnBegin * layer.shape.dilationWidth;
    begin = minimum(width, maximum<int64_t>(0, divideUp(-column, stride)));
    end = maximum(
        begin,
        minimum(width, divideDown(layer.input.width - 1 - column, stride) + 1));
  }
  runNothingBetween(0, begin);
  runBlocks(begin, end);
  runNothingBetween(end, width);
  if (slice.last)
    activateStored(behindRegisters(layer.epilogue), output, call.outputStep,
                   width, panel.channels);
}

void SliceRow::runNothingBetween(int64_t begin, int64_t end) {
  if (!slice.first && !slice.last)
    return;
  for (int64_t x = begin; x < end;) {
    const int64_t pixels = minimum(end - x, layer.blockPixels);
    moveTo(x);
    runNothing(pixels, slice.first, slice.last);
    x += pixels;
  }
}

void SliceRow::moveTo(int64_t x) {
  call.output = output + x * call.outputStep;
  call.residual = residual ? residual + x * call.residualStep : nullptr;
  call.inputOffset = inputColumn(x) * layer.input.pixelStride;
  call.blocks = 1;
  call.first = slice.first;
  call.last = slice.last;
}

void SliceRow::runBlocks(int64_t begin, int64_t end) {
  if (begin == end)
    return;
  const WindowShape &shape = layer.shape;
  const int64_t blocks = ceilDivide(end - begin, layer.blockPixels);
  const int64_t shortBlock = (end - begin) / blocks;
  const int64_t longBlocks = (end - begin) % blocks;
  const int64_t firstColumn = slice.columnBegin * shape.dilationWidth;
  const int64_t lastColumn = (slice.columnEnd - 1) * shape.dilationWidth;
  // Blocks that fit between the borders from column `column` on.
  const auto blocksInside = [&](int64_t column, int64_t pixels) -> int64_t {
    if (column + firstColumn < 0)
      return 0;
    const int64_t room = layer.input.width - 1 - lastColumn - column;
    return room < 0 ? 0 : (room / shape.strideWidth + 1) / pixels;
  };
  int64_t x = begin;
  for (int64_t b = 0; b < blocks;) {
    const int64_t pixels = shortBlock + (b < longBlocks ? 1 : 0);
    const int64_t alike = (b < longBlocks ? longBlocks : blocks) - b;
    const int64_t column = inputColumn(x);
    moveTo(x);
    if (const int64_t inside = blocksInside(column, pixels)) {
      call.blocks = minimum(alike, inside);
      runBlock(pixels, panel.channels, call);
    } else if (findLacks(column, pixels)) {
      runBlock(pixels, panel.channels, call);
      call.firstPixelLacks = call.lastPixelLacks = 0;
    } else {
      runAtBorder(x, pixels);
    }
    x += call.blocks * pixels;
    b += call.blocks;
  }
}

bool SliceRow::findLacks(int64_t column, int64_t pixels) {
  if (!layer.merged)
    return false;
  const int64_t columns = slice.columnEnd - slice.columnBegin;
  const int64_t stride = layer.shape.strideWidth;
  const int64_t firstTap = column + slice.columnBegin; // of the first pixel
  const int64_t lastTap = column + (pixels - 1) * stride + slice.columnEnd - 1;
  const int64_t before = maximum<int64_t>(0, -firstTap);
  const int64_t behind = maximum<int64_t>(0, lastTap - (layer.input.width - 1));
  if (before + behind > columns ||
      (pixels > 1 && (before > stride || behind > stride)))
    return false;
  const int64_t columnSteps = call.length / columns;
  call.firstPixelLacks = before * columnSteps;
  call.lastPixelLacks = behind * columnSteps;
  return true;
}

void SliceRow::runNothing(int64_t pixels, bool first, bool last) {
  BlockCall nothing = call;
  nothing.runCount = 0;
  nothing.first = first;
  nothing.last = last;
  runBlock(pixels, panel.channels, nothing);
}

/// Kernel columns [columnBegin, columnEnd) of one kernel row, for some pixels
/// of a block.
void SliceRow::runColumns(int64_t row, int64_t columnBegin, int64_t columnEnd,
                          int64_t x, int64_t pixelBegin, int64_t pixelEnd,
                          bool first, bool last) {
  const int64_t columnStep =
      layer.shape.dilationWidth * layer.input.pixelStride;
  const int64_t channels = slice.channelEnd - slice.channelBegin;
  const int64_t together = layer.merged ? columnEnd - columnBegin : 1;
  const float *columnRuns[kMaxRuns];
  BlockCall part = call;
  part.runs = columnRuns;
  part.runCount = 0;
  for (int64_t kx = columnBegin; kx < columnEnd; kx += together)
    columnRuns[part.runCount++] =
        input + row * inputRowStep + kx * columnStep + slice.channelBegin;
  part.runWeightStep = layer.tapWeights;
  part.length = together * channels;
  part.inputOffset = inputColumn(x + pixelBegin) * layer.input.pixelStride;
  part.weights = panel.weights + row * layer.rowWeights +
                 columnBegin * layer.tapWeights + slice.channelBegin * kPanel;
  part.output += pixelBegin * call.outputStep;
  if (part.residual)
    part.residual += pixelBegin * call.residualStep;
  part.first = first;
  part.last = last;
  runBlock(pixelEnd - pixelBegin, panel.channels, part);
}

/// Taps in the order that blocks inside take them in, row by row and column by
/// column: which blocks are at a border depends on where tiles begin, and must
/// not change the rounding of a sum.
void SliceRow::runAtBorder(int64_t x, int64_t pixels) {
  const WindowShape &shape = layer.shape;
  const int64_t column = inputColumn(x);
  const int64_t stride = shape.strideWidth;
  const int64_t dilation = shape.dilationWidth;
  // Columns that are inside for all pixels run together.
  const int64_t fullBegin =
      maximum(slice.columnBegin, divideUp(-column, dilation));
  const int64_t fullEnd =
      minimum(slice.columnEnd,
              divideDown(layer.input.width - 1 - column - (pixels - 1) * stride,
                         dilation) +
                  1);
  const bool anyFull = fullBegin < fullEnd;
  // Sums begin, and end, with a part that all pixels have, or by themselves.
  bool first = slice.first;
  const bool beginsFull = anyFull && fullBegin == slice.columnBegin;
  const bool endsFull = anyFull && fullEnd == slice.columnEnd;
  if (first && !beginsFull) {
    runNothing(pixels, true, false);
    first = false;
  }
  for (int64_t row = rowBegin; row < rowEnd; ++row) {
    for (int64_t kx = slice.columnBegin; kx < slice.columnEnd; ++kx) {
      if (anyFull && kx == fullBegin) {
        runColumns(row, fullBegin, fullEnd, x, 0, pixels, first,
                   slice.last && endsFull && row == rowEnd - 1);
        first = false;
        kx = fullEnd - 1;
        continue;
      }
      const int64_t tap = column + kx * dilation;
      const int64_t pixelBegin = maximum<int64_t>(0, divideUp(-tap, stride));
      const int64_t pixelEnd =
          minimum(pixels, divideDown(layer.input.width - 1 - tap, stride) + 1);
      if (pixelBegin < pixelEnd)
        runColumns(row, kx, kx + 1, x, pixelBegin, pixelEnd, false, false);
    }
  }
  if (slice.last && !endsFull)
    runNothing(pixels, false, true);
}

/// The input rows that a later band is the first to read, cut into equal
/// pieces, one for each step of the band being computed.
class LaterInput {
public:
  /// Output rows [rowBegin, rowEnd), none where it is empty; `steps` pieces.
  LaterInput(const Layer &layer, int64_t rowBegin, int64_t rowEnd,
             int64_t steps) {
    if (rowBegin >= rowEnd)
      return;
    const WindowShape &shape = layer.shape;
    const int64_t image = rowBegin / layer.height;
    // The rows above are the band's before it.
    const int64_t first = rowBegin % layer.height * shape.strideHeight -
                          shape.padTop +
                          (shape.kernelHeight - 1) * shape.dilationHeight;
    const int64_t rows = minimum((rowEnd - rowBegin) * shape.strideHeight,
                                 layer.input.height - first);
    if (first < 0 || rows <= 0)
      return;
    begin = layer.input.data + image * layer.input.batchStride +
            first * layer.input.rowStride;
    rowStride = layer.input.rowStride;
    rowFloats = layer.input.width * layer.input.pixelStride;
    piecesInRow = ceilDivide(steps, rows);
  }
  Ahead piece(int64_t step, int64_t blocks) const {
    Ahead ahead;
    if (begin) {
      const int64_t part = step % piecesInRow;
      const int64_t from = rowFloats * part / piecesInRow;
      const int64_t to = rowFloats * (part + 1) / piecesInRow;
      ahead.spread(begin + step / piecesInRow * rowStride + from, to - from,
                   blocks);
    }
    return ahead;
  }

private:
  const float *begin = nullptr;
  int64_t rowStride = 0, rowFloats = 0, piecesInRow = 1;
};

/// Panels [panelBegin, panelEnd) of rows [rowBegin, rowEnd); the input of rows
/// [laterBegin, laterEnd) will be needed next.
void runPart(const Layer &layer, int64_t panelBegin, int64_t panelEnd,
             int64_t rowBegin, int64_t rowEnd, int64_t laterBegin,
             int64_t laterEnd) {
  const int64_t slices = layer.sliceCount();
  const int64_t rows = rowEnd - rowBegin;
  const int64_t blocksInRow = ceilDivide(layer.width, layer.blockPixels);
  const LaterInput later(layer, laterBegin, laterEnd,
                         (panelEnd - panelBegin) * slices * rows);
  for (int64_t p = panelBegin; p < panelEnd;) {
    const int64_t group = p / layer.groupPanels;
    const int64_t channel = p % layer.groupPanels * kPanel;
    const int64_t left = layer.groupOutputs - channel;
    const bool pair = layer.pairs && p + 1 < panelEnd && left >= 2 * kPanel;
    const int64_t channels = minimum<int64_t>(left, pair ? 2 * kPanel : kPanel);
    const int64_t channelBegin = group * layer.groupOutputs + channel;
    PanelRange panel = {group, channelBegin, channels,
                        layer.weights + p * layer.panelWeights, nullptr};
    alignas(64) float bias[kPanel];
    if (layer.epilogue.bias) {
      panel.bias = layer.epilogue.bias + channelBegin;
      if (channels < kPanel) {
        gather(panel.bias, 0, bias, 1, static_cast<int>(channels));
        panel.bias = bias;
      }
    }
    const int64_t nextPanel = p + (pair ? 2 : 1);
    for (int64_t s = 0; s < slices; ++s) {
      const Slice slice = layer.slice(s);
      Ahead weightsAhead;
      if (s + 1 < slices)
        layer.fetchWeights(p, s + 1, rows * blocksInRow, pair, weightsAhead);
      else if (nextPanel < panelEnd)
        layer.fetchWeights(nextPanel, 0, rows * blocksInRow,
                           pair && nextPanel + 1 < panelEnd, weightsAhead);
      for (int64_t row = rowBegin; row < rowEnd; ++row) {
        Ahead inputAhead =
            later.piece(((p - panelBegin) * slices + s) * rows + row - rowBegin,
                        blocksInRow);
        SliceRow(layer, panel, slice, row, weightsAhead, inputAhead).run();
      }
    }
    p = nextPanel;
  }
}

/// All of a layer; with `pool` null on the calling thread.
void convolve(const Layer &layer, ThreadPool *pool) {
  const WindowShape &shape = layer.shape;
  const int64_t rows = layer.output.batch * layer.height;
  const int64_t panels = shape.groups * layer.groupPanels;

  // Bands of rows, the panels inside of them, so that a band's input is read
  // from memory once; whole panels where the weights are what is large.
  const int64_t rowBytes =
      shape.strideHeight * layer.input.rowStride * int64_t(sizeof(float));
  const int64_t weightBytes =
      panels * layer.panelWeights * int64_t(sizeof(float));
  int64_t band = rows;
  if (weightBytes < kLargeWeightBytes)
    band =
        minimum(rows, maximum<int64_t>(1, (weightBytes <= kSmallWeightBytes
                                               ? kBandBytes
                                               : kLargeBandBytes) /
                                              maximum<int64_t>(1, rowBytes)));
  const int threads = pool ? pool->threads() : 1;
  // Threads that write panels of the same pixels take lines from each other,
  // so they get rows of their own while that keeps all of them busy.
  const bool rowsOnly = threads > 1 && weightBytes <= kSmallWeightBytes &&
                        rows >= int64_t(threads) * 4;
  if (rowsOnly)
    band = minimum(band, maximum<int64_t>(1, rows / (int64_t(threads) * 8)));
  const int64_t bands = ceilDivide(rows, band);
  int64_t pieces = 1;
  if (threads > 1 && !rowsOnly)
    pieces = minimum(panels, ceilDivide(int64_t(threads) * 8, bands));
  int64_t panelsInPiece = ceilDivide(panels, pieces);
  // Whole pairs, where that leaves every thread some pieces.
  const int64_t whole = panelsInPiece + panelsInPiece % 2;
  if (layer.pairs && bands * ceilDivide(panels, whole) >= 2 * threads)
    panelsInPiece = whole;
  pieces = ceilDivide(panels, panelsInPiece);
  auto part = [&](int64_t index, int) {
    const int64_t b = index / pieces;
    const int64_t p = index % pieces;
    // With several threads the bands between are other threads' work.
    const int64_t later = minimum(b + threads, bands);
    runPart(layer, p * panelsInPiece, minimum(panels, (p + 1) * panelsInPiece),
            b * rows / bands, (b + 1) * rows / bands, later * rows / bands,
            minimum(later + 1, bands) * rows / bands);
  };
  if (bands * pieces == 1 || threads == 1) {
    for (int64_t index = 0; index < bands * pieces; ++index)
      part(index, 0);
  } else {
    pool->forEach(bands * pieces, part);
  }
}

} // namespace

uint64_t convolution(const WindowShape &shape, const TensorView &input,
                     const float *weights, const Epilogue &epilogue,
                     const TensorView &output, void *, ThreadPool &pool) {
  if (groupLanes(Target::SNUG_KERNEL_TARGET, input.channels, output.channels,
                 shape.groups))
    groupedConvolution(shape, input, weights, epilogue, output, pool);
  else
    convolve(makeLayer(shape, input, weights, epilogue, output), &pool);
  return elements(output) * uint64_t(shape.kernelHeight) *
         uint64_t(shape.kernelWidth) * uint64_t(input.channels / shape.groups);
}

void multiplyRows(const TensorView &input, const float *weights,
                  const Epilogue &epilogue, const TensorView &output) {
  convolve(makeLayer(pointwiseShape(input, output), input, weights, epilogue,
                     output),
           nullptr);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
