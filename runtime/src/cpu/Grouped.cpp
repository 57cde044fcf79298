// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions of small groups, channels last: a vector holds the outputs of
// several groups, and each step of the reduction spreads one input of every
// group over its lanes. For groups of as many inputs as outputs, see
// groupLanes() of PackedLayout.h.
//
// Numerics: float32 with contracted multiply-adds, for every output its taps in
// row-major order and in a tap its inputs in order; the error is bounded as for
// convolutions (Convolution.cpp).
#include "Window.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Pixels of a row that are computed at once: with their inputs, one vector of
/// weights and one that is spread they fill 16 registers.
constexpr int kPixels = 6;

/// A call's constants; distances in floats.
struct Layer {
  int64_t channels, kernelWidth, taps;
  int64_t pixelStep;            ///< between the inputs of neighbouring outputs
  int64_t columnStep, lineStep; ///< between the taps of a kernel
  const float *weights;
  const float *bias; ///< or null
  int64_t outputPixelStep, residualPixelStep;
  ShortActivation activation;
};

/// Output pixels side by side, for which kernel rows [rowBegin, rowEnd) and
/// columns [columnBegin, columnEnd) are inside.
struct Block {
  const float *input; ///< under the first pixel's first tap
  int64_t rowBegin, rowEnd, columnBegin, columnEnd;
  float *output;
  const float *residual; ///< or null
};

#if SNUG_KERNEL_LANES == 16
#define SNUG_LANES(F)                                                          \
  F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7), F(8), F(9), F(10), F(11),    \
      F(12), F(13), F(14), F(15)
#elif SNUG_KERNEL_LANES == 8
#define SNUG_LANES(F) F(0), F(1), F(2), F(3), F(4), F(5), F(6), F(7)
#else
#define SNUG_LANES(F) F(0), F(1), F(2), F(3)
#endif

/// Lane `l` gets lane `Member` of its run of `Group` lanes.
template <int Group, int Member> SNUG_INLINE Vector spreadMember(Vector value) {
#define SNUG_SOURCE(lane) ((lane) / Group * Group + Member)
#if defined(__clang__)
  return __builtin_shufflevector(value, value, SNUG_LANES(SNUG_SOURCE));
#else
  typedef int32_t Indices
      __attribute__((vector_size(SNUG_KERNEL_LANES * sizeof(int32_t))));
  return __builtin_shuffle(value, Indices{SNUG_LANES(SNUG_SOURCE)});
#endif
#undef SNUG_SOURCE
}

/// The inputs of a tap: a vector for each pixel or, where one group takes all
/// its lanes, their place, since each is then spread as it is read.
template <int Group, int Pixels, bool Partial> struct TapInputs {
  static constexpr bool kWholeVector = Group == kLanes;
  Vector value[kWholeVector ? 1 : Pixels];
  const float *bases[(Pixels + 2) / 3];
  int64_t pixelStep;

  SNUG_INLINE TapInputs(const float *from, int64_t pixelStep, int count)
      : pixelStep(pixelStep) {
    SNUG_UNROLL
    for (int p = 0; p < Pixels; ++p) {
      if (p % 3 == 0)
        bases[p / 3] = hideOrigin(p ? bases[p / 3 - 1] + 3 * pixelStep : from);
      if (!kWholeVector)
        value[p] = loadBlock<Partial>(at(p), count);
    }
  }
  SNUG_INLINE const float *at(int p) const {
    return bases[p / 3] + p % 3 * pixelStep;
  }
  template <int Member> SNUG_INLINE Vector spread(int p) const {
    return kWholeVector ? splat(at(p)[Member])
                        : spreadMember<Group, Member>(value[p]);
  }
};

/// Adds the inputs from `Member` on to the last of each group.
template <int Member, int Group, int Pixels, bool Partial> struct Members {
  static SNUG_INLINE void add(Vector (&sum)[Pixels],
                              const TapInputs<Group, Pixels, Partial> &inputs,
                              const float *weights) {
    const Vector weight = load(weights + Member * kLanes);
    SNUG_UNROLL
    for (int p = 0; p < Pixels; ++p)
      sum[p] += inputs.template spread<Member>(p) * weight;
    Members<Member + 1, Group, Pixels, Partial>::add(sum, inputs, weights);
  }
};
template <int Group, int Pixels, bool Partial>
struct Members<Group, Group, Pixels, Partial> {
  static SNUG_INLINE void add(Vector (&)[Pixels],
                              const TapInputs<Group, Pixels, Partial> &,
                              const float *) {}
};

/// One vector of channels of `Pixels` pixels.
template <int Group, int Pixels, bool Partial>
SNUG_INLINE void channelsOfBlock(const Layer &layer, const Block &block,
                                 int64_t channel, int count) {
  const Vector bias =
      layer.bias ? loadBlock<Partial>(layer.bias + channel, count) : zero();
  Vector sum[Pixels];
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p)
    sum[p] = bias;
  const float *weights = layer.weights + channel * layer.taps * Group;
  for (int64_t ky = block.rowBegin; ky < block.rowEnd; ++ky)
    for (int64_t kx = block.columnBegin; kx < block.columnEnd; ++kx) {
      const TapInputs<Group, Pixels, Partial> inputs(
          block.input + ky * layer.lineStep + kx * layer.columnStep + channel,
          layer.pixelStep, count);
      Members<0, Group, Pixels, Partial>::add(
          sum, inputs,
          weights + (ky * layer.kernelWidth + kx) * Group * kLanes);
    }
  if (block.residual) {
    const float *residual = hideOrigin(block.residual + channel);
    SNUG_UNROLL
    for (int p = 0; p < Pixels; ++p)
      sum[p] +=
          loadBlock<Partial>(residual + p * layer.residualPixelStep, count);
  }
  activateAll(sum, layer.activation);
  float *output = hideOrigin(block.output + channel);
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p)
    storeBlock<Partial>(output + p * layer.outputPixelStep, sum[p], count);
}

template <int Group, int Pixels>
__attribute__((noinline)) void blockOfPixels(const Layer &callersLayer,
                                             const Block &callersBlock) {
  // Copies, which no store can change for all the compiler knows.
  const Layer layer = callersLayer;
  const Block block = callersBlock;
  int64_t channel = 0;
  for (; channel + kLanes <= layer.channels; channel += kLanes)
    channelsOfBlock<Group, Pixels, false>(layer, block, channel, kLanes);
  if (channel < layer.channels)
    channelsOfBlock<Group, Pixels, true>(
        layer, block, channel, static_cast<int>(layer.channels - channel));
}

using RunBlock = void (*)(const Layer &, const Block &);

/// Blocks of one to kPixels pixels.
struct Blocks {
  RunBlock ofPixels[kPixels];
};
template <int Group> constexpr Blocks blocksOfGroup() {
  return {{blockOfPixels<Group, 1>, blockOfPixels<Group, 2>,
           blockOfPixels<Group, 3>, blockOfPixels<Group, 4>,
           blockOfPixels<Group, 5>, blockOfPixels<Group, 6>}};
}

Blocks pickBlocks(int64_t group) {
#if SNUG_KERNEL_LANES >= 16
  if (group == 16)
    return blocksOfGroup<16>();
#endif
#if SNUG_KERNEL_LANES >= 8
  if (group == 8)
    return blocksOfGroup<8>();
#endif
  return group == 4 ? blocksOfGroup<4>() : blocksOfGroup<2>();
}

} // namespace

void groupedConvolution(const WindowShape &shape, const TensorView &input,
                        const float *weights, const Epilogue &epilogue,
                        const TensorView &output, ThreadPool &pool) {
  const Window horizontal = columnsOf(shape, input, output);
  const Window vertical = rowsOf(shape, input, output);
  const TensorView *residual = epilogue.residual;
  const Layer layer = {output.channels,
                       shape.kernelWidth,
                       int64_t(shape.kernelHeight) * shape.kernelWidth,
                       shape.strideWidth * input.pixelStride,
                       shape.dilationWidth * input.pixelStride,
                       shape.dilationHeight * input.rowStride,
                       weights,
                       epilogue.bias,
                       output.pixelStride,
                       residual ? residual->pixelStride : 0,
                       shortActivation(epilogue)};
  const Epilogue behind = behindRegisters(epilogue);
  const int64_t group = output.channels / shape.groups;
  const Blocks blocks = pickBlocks(group);
  const int64_t insideBegin = horizontal.insideBegin();
  const int64_t insideEnd = horizontal.insideEnd();
  constexpr int64_t kGrainElements = 4 * 1024;
  const int64_t rowElements = int64_t(output.width) * output.channels * group;
  parallelPieces(
      pool, int64_t(output.batch) * output.height,
      maximum<int64_t>(1, kGrainElements / rowElements),
      [&](int64_t begin, int64_t end) {
        for (int64_t index = begin; index < end; ++index) {
          const int64_t image = index / output.height;
          const int64_t y = index % output.height;
          const Taps rows = vertical.taps(y);
          const float *inputRow = input.data + image * input.batchStride +
                                  rows.first * input.rowStride;
          float *outputRow =
              output.data + image * output.batchStride + y * output.rowStride;
          for (int64_t x = 0; x < output.width;) {
            // At the borders one by one, inside in blocks of like width.
            int64_t pixels = 1;
            if (x >= insideBegin && x < insideEnd)
              pixels =
                  ceilDivide(insideEnd - x, ceilDivide(insideEnd - x, kPixels));
            const Taps columns = horizontal.taps(x);
            const Block block = {inputRow + columns.first * input.pixelStride,
                                 rows.begin,
                                 rows.end,
                                 columns.begin,
                                 columns.end,
                                 outputRow + x * output.pixelStride,
                                 residual ? residual->data +
                                                image * residual->batchStride +
                                                y * residual->rowStride +
                                                x * residual->pixelStride
                                          : nullptr};
            blocks.ofPixels[pixels - 1](layer, block);
            x += pixels;
          }
          activateStored(behind, outputRow, output.pixelStride, output.width,
                         output.channels);
        }
      });
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
