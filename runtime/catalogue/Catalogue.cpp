// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packed weights, workspace and program bytes of every kernel.
#include "snug/runtime/Catalogue.h"

#include "PackedLayout.h"
#include "WinogradLayout.h"

#include <cstring>

namespace snug {
namespace runtime {
namespace {

/// What sizes saturate at: the largest multiple of 64 in an int64_t. No memory
/// is that large, so a hostile shape is refused wherever its size is compared.
constexpr int64_t kSaturated = INT64_MAX - 63;

/// a * b of non-negative numbers, saturating.
int64_t multiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product) || product > kSaturated)
    return kSaturated;
  return product;
}

/// a + b of non-negative numbers, saturating.
int64_t add(int64_t a, int64_t b) {
  return a > kSaturated - b ? kSaturated : a + b;
}

int64_t roundUp(int64_t value, int64_t multiple) {
  if (value > kSaturated - multiple)
    return kSaturated;
  return (value + multiple - 1) / multiple * multiple;
}

bool hasWeights(const WindowShape &shape) {
  return shape.groups > 0 && shape.inputChannels >= shape.groups &&
         shape.outputChannels >= shape.groups && shape.kernelHeight > 0 &&
         shape.kernelWidth > 0;
}

int64_t groupLanesOf(Target target, const WindowShape &shape) {
  return groupLanes(target, shape.inputChannels, shape.outputChannels,
                    shape.groups);
}

/// Bytes of `floats` numbers as a weight segment.
int64_t segmentBytes(int64_t floats) {
  return roundUp(multiply(floats, sizeof(float)), kBufferAlignment);
}

/// Zeroes what a packing function left unwritten up to the segment's end.
void zeroTail(float *out, int64_t written, int64_t bytes) {
  std::memset(out + written, 0,
              static_cast<size_t>(bytes) - written * sizeof(float));
}

/// Packs weight(output, input of the group, tap), which exist.
template <typename Weight>
void pack(Target target, const WindowShape &shape, Weight weight, float *out) {
  const int64_t taps = int64_t(shape.kernelHeight) * shape.kernelWidth;
  float *next = out;
  if (convolutionKernel(shape) == KernelKind::Depthwise) {
    const int64_t lanes = vectorLanes(target);
    for (int64_t first = 0; first < shape.outputChannels; first += lanes)
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t lane = 0; lane < lanes; ++lane) {
          const int64_t channel = first + lane;
          *next++ =
              channel < shape.outputChannels ? weight(channel, 0, tap) : 0.0f;
        }
  } else if (const int64_t group = groupLanesOf(target, shape)) {
    const int64_t lanes = vectorLanes(target);
    for (int64_t first = 0; first < shape.outputChannels; first += lanes)
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t input = 0; input < group; ++input)
          for (int64_t lane = 0; lane < lanes; ++lane) {
            const int64_t channel = first + lane;
            *next++ = channel < shape.outputChannels
                          ? weight(channel, input, tap)
                          : 0.0f;
          }
  } else {
    const int64_t panel = panelChannels(target);
    const int64_t inputs = shape.inputChannels / shape.groups;
    const int64_t outputs = shape.outputChannels / shape.groups;
    for (int64_t group = 0; group < shape.groups; ++group)
      for (int64_t first = 0; first < outputs; first += panel)
        for (int64_t tap = 0; tap < taps; ++tap)
          for (int64_t input = 0; input < inputs; ++input)
            for (int64_t lane = 0; lane < panel; ++lane) {
              const int64_t channel = first + lane;
              const int64_t row = group * outputs + channel;
              *next++ = channel < outputs ? weight(row, input, tap) : 0.0f;
            }
  }
  zeroTail(out, next - out, packedConvolutionBytes(target, shape));
}

bool hasExtents(const WindowShape &shape) {
  return shape.batch > 0 && shape.inputChannels > 0 && shape.outputHeight > 0 &&
         shape.outputWidth > 0 && shape.outputChannels > 0;
}

bool hasSteps(const WindowShape &shape) {
  return shape.strideHeight > 0 && shape.strideWidth > 0 &&
         shape.dilationHeight > 0 && shape.dilationWidth > 0;
}

} // namespace

KernelKind convolutionKernel(const WindowShape &shape) {
  return shape.groups > 1 && shape.groups == shape.inputChannels &&
                 shape.groups == shape.outputChannels
             ? KernelKind::Depthwise
             : KernelKind::Convolution;
}

bool hasWinograd(const WindowShape &shape) {
  return shape.kernelHeight == 3 && shape.kernelWidth == 3 &&
         shape.strideHeight == 1 && shape.strideWidth == 1 &&
         shape.dilationHeight == 1 && shape.dilationWidth == 1 &&
         shape.groups == 1;
}

bool winogradPays(Target target, const WindowShape &shape) {
  // Of fewer inputs there is little to save, and much to read and write.
  constexpr int32_t kLeastInputs = 8;
  if (!hasWinograd(shape) || !hasExtents(shape) ||
      shape.inputChannels < kLeastInputs)
    return false;
  // Times of both kernels, in multiply-accumulates of a machine at its peak, as
  // they were measured with AVX2 on one thread. Over 625 shapes of 8 to 512
  // channels and 3 to 56 pixels a side the choice took 0.7 % longer than the
  // faster kernel on the average, and 45 % at worst.
  constexpr double kProduct = 1.2;         // of one multiply-accumulate
  constexpr double kInputTransform = 100;  // of a tile's input channel
  constexpr double kOutputTransform = 250; // of a tile's output channel
  constexpr double kFilterTransform = 170; // of a pair of channels, each block
  constexpr double kDirectProduct = 1.1;   // of one multiply-accumulate
  constexpr double kDirectStore = 80;      // of one output
  const WinogradLayout layout = winogradLayout(target, shape, 1);
  const double tiles = double(layout.tiles);
  const double blocks = double((layout.tiles - 1) / layout.blockTiles + 1);
  const double inputs = shape.inputChannels;
  const double outputs =
      double(roundUp(shape.outputChannels, panelChannels(target)));
  const double winograd =
      tiles * (kWinogradPlanes * inputs * outputs * kProduct +
               double(layout.inputStep) * kInputTransform +
               outputs * kOutputTransform) +
      blocks * inputs * outputs * kFilterTransform;
  const double pixels =
      double(shape.batch) * shape.outputHeight * shape.outputWidth;
  const double taps = double(shape.kernelHeight) * shape.kernelWidth;
  return winograd <
         pixels * outputs * (taps * inputs * kDirectProduct + kDirectStore);
}

int64_t packedConvolutionBytes(Target target, const WindowShape &shape) {
  if (!hasWeights(shape))
    return 0;
  const int64_t taps = multiply(shape.kernelHeight, shape.kernelWidth);
  if (convolutionKernel(shape) == KernelKind::Depthwise)
    return segmentBytes(
        multiply(roundUp(shape.outputChannels, vectorLanes(target)), taps));
  if (const int64_t group = groupLanesOf(target, shape))
    return segmentBytes(multiply(
        multiply(roundUp(shape.outputChannels, vectorLanes(target)), taps),
        group));
  const int64_t groupOutputs =
      roundUp(shape.outputChannels / shape.groups, panelChannels(target));
  const int64_t depth = multiply(taps, shape.inputChannels / shape.groups);
  return segmentBytes(multiply(multiply(shape.groups, groupOutputs), depth));
}

void packConvolution(Target target, const WindowShape &shape, const float *oihw,
                     float *out) {
  if (!hasWeights(shape))
    return;
  const int64_t inputs = shape.inputChannels / shape.groups;
  const int64_t taps = int64_t(shape.kernelHeight) * shape.kernelWidth;
  pack(
      target, shape,
      [=](int64_t output, int64_t input, int64_t tap) {
        return oihw[(output * inputs + input) * taps + tap];
      },
      out);
}

int64_t packedTransposedConvolutionBytes(Target target,
                                         const WindowShape &shape) {
  if (!hasWeights(shape) || !hasSteps(shape))
    return 0;
  const int64_t rowPhases = transposedRows(shape).phases();
  const int64_t columnPhases = transposedColumns(shape).phases();
  int64_t bytes = 0;
  for (int64_t row = 0; row < rowPhases; ++row)
    for (int64_t column = 0; column < columnPhases; ++column)
      bytes =
          add(bytes,
              packedConvolutionBytes(target, phaseShape(shape, row, column)));
  return bytes;
}

void packTransposedConvolution(Target target, const WindowShape &shape,
                               const float *filter, float *out) {
  if (!hasWeights(shape) || !hasSteps(shape))
    return;
  const TransposedAxis rows = transposedRows(shape);
  const TransposedAxis columns = transposedColumns(shape);
  const int64_t inputs = shape.inputChannels / shape.groups;
  const int64_t outputs = shape.outputChannels / shape.groups;
  for (int64_t row = 0; row < rows.phases(); ++row)
    for (int64_t column = 0; column < columns.phases(); ++column) {
      const WindowShape phase = phaseShape(shape, row, column);
      pack(
          target, phase,
          [&](int64_t output, int64_t input, int64_t tap) {
            const int64_t ky = rows.tap(row, tap / phase.kernelWidth);
            const int64_t kx = columns.tap(column, tap % phase.kernelWidth);
            const int64_t channel = output / outputs * inputs + input;
            const int64_t plane = channel * outputs + output % outputs;
            return filter[(plane * shape.kernelHeight + ky) *
                              shape.kernelWidth +
                          kx];
          },
          out);
      out += packedConvolutionBytes(target, phase) / int64_t(sizeof(float));
    }
}

int64_t packedGemmBytes(Target target, int64_t k, int64_t n) {
  if (k <= 0 || n <= 0)
    return 0;
  return segmentBytes(multiply(roundUp(n, panelChannels(target)), k));
}

void packGemm(Target target, int64_t k, int64_t n, const float *w,
              int64_t strideK, int64_t strideN, float *out) {
  if (k <= 0 || n <= 0)
    return;
  const int64_t panel = panelChannels(target);
  float *next = out;
  for (int64_t first = 0; first < n; first += panel)
    for (int64_t row = 0; row < k; ++row)
      for (int64_t column = first; column < first + panel; ++column)
        *next++ = column < n ? w[row * strideK + column * strideN] : 0.0f;
  zeroTail(out, next - out, packedGemmBytes(target, k, n));
}

int64_t packedBiasBytes(int64_t channels) {
  return channels <= 0 ? 0 : segmentBytes(channels);
}

void packBias(int64_t channels, const float *bias, float *out) {
  if (channels <= 0)
    return;
  std::memcpy(out, bias, static_cast<size_t>(channels) * sizeof(float));
  zeroTail(out, channels, packedBiasBytes(channels));
}

int64_t workspaceBytes(Target target, KernelKind kind, const WindowShape &shape,
                       int threads) {
  // The others accumulate in registers and in their own output view, and skip
  // the taps that lie outside the input.
  if (kind != KernelKind::Winograd || !hasWinograd(shape) || !hasExtents(shape))
    return 0;
  const WinogradLayout layout = winogradLayout(target, shape, threads);
  return segmentBytes(add(layout.inputs(),
                          multiply(threads, layout.filters() + layout.sums())));
}

bool runsInPlace(KernelKind kind, int index) {
  switch (kind) {
  case KernelKind::Convolution:
  case KernelKind::Depthwise:
  case KernelKind::Winograd:
    return index == 1;
  case KernelKind::Unary:
  case KernelKind::Softmax:
    return index == 0;
  case KernelKind::Binary:
    return index == 0 || index == 1;
  default:
    return false;
  }
}

int64_t programBytesBound(int64_t instructions, int64_t segments) {
  if (instructions < 0)
    instructions = 0;
  if (segments < 0)
    segments = 0;
  // A convolution's table: three views of 56 bytes, a window of 40, ranges,
  // fields, vtable offsets and its place in the vector: at most 320 bytes; the
  // name, shared by all tiles of a layer, is allowed for with 80 more.
  constexpr int64_t kInstructionBytes = 400;
  // Range, table, name and place in the vector.
  constexpr int64_t kSegmentBytes = 192;
  // Header, program root, bindings, groups and prediction.
  constexpr int64_t kFixedBytes = kPageBytes;
  // A prepared call: resolved views, shape, epilogue, kernel and profile
  // record.
  constexpr int64_t kPreparedBytes = 512;
  constexpr int64_t kPreparedSegmentBytes = 32;
  const int64_t file =
      add(kFixedBytes, add(multiply(instructions, kInstructionBytes),
                           multiply(segments, kSegmentBytes)));
  const int64_t prepared = add(multiply(instructions, kPreparedBytes),
                               multiply(segments, kPreparedSegmentBytes));
  return add(roundUp(file, kPageBytes), roundUp(prepared, kPageBytes));
}

} // namespace runtime
} // namespace snug
