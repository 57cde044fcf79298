// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposed convolution as one direct convolution for each phase of its
// strides, on output views of every stride-th row and column
// (TransposedAxis in PackedLayout.h).
//
// Numerics: those of the convolutions; K counts an output's own taps.
#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// One phase along one axis of a call.
struct Phase {
  int64_t first, count; ///< outputs first, first + stride, ...
  int64_t padLow;       ///< of its convolution; negative: inputs left out
};

Phase phaseOf(const TransposedAxis &axis, int64_t smallestTap, int64_t offset,
              int64_t extent) {
  const int64_t residue = axis.residue(smallestTap);
  int64_t first = (residue - offset) % axis.stride;
  if (first < 0)
    first += axis.stride;
  if (first >= extent)
    return {first, 0, 0};
  const int64_t largestTap = axis.tap(smallestTap, 0);
  // Exact: that is what makes it a tap of the phase.
  const int64_t input =
      (first + offset - largestTap * axis.dilation) / axis.stride;
  return {first, (extent - 1 - first) / axis.stride + 1, -input};
}

/// What outputs without taps get: the activation of the bias.
void writeBias(const Epilogue &epilogue, const TensorView &output,
               ThreadPool &pool) {
  parallelPieces(pool, int64_t(output.batch) * output.height, 1,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t index = begin; index < end; ++index) {
                     float *row = output.data +
                                  index / output.height * output.batchStride +
                                  index % output.height * output.rowStride;
                     for (int64_t x = 0; x < output.width; ++x)
                       for (int64_t c = 0; c < output.channels; ++c)
                         row[x * output.pixelStride + c] =
                             epilogue.bias ? epilogue.bias[c] : 0.0f;
                     activateStored(epilogue, row, output.pixelStride,
                                    output.width, output.channels);
                   }
                 });
}

} // namespace

uint64_t transposedConvolution(const WindowShape &shape,
                               const TransposedOffsets &offsets,
                               const TensorView &input, const float *weights,
                               const Epilogue &epilogue,
                               const TensorView &output, ThreadPool &pool) {
  const TransposedAxis rows = transposedRows(shape);
  const TransposedAxis columns = transposedColumns(shape);
  if (rows.phases() < rows.stride || columns.phases() < columns.stride)
    writeBias(epilogue, output, pool);
  for (int64_t rowPhase = 0; rowPhase < rows.phases(); ++rowPhase)
    for (int64_t columnPhase = 0; columnPhase < columns.phases();
         ++columnPhase) {
      WindowShape phase = phaseShape(shape, rowPhase, columnPhase);
      const float *phaseWeights = weights;
      weights += packedConvolutionBytes(Target::SNUG_KERNEL_TARGET, phase) /
                 int64_t(sizeof(float));
      const Phase down = phaseOf(rows, rowPhase, offsets.row, output.height);
      const Phase right =
          phaseOf(columns, columnPhase, offsets.column, output.width);
      if (down.count == 0 || right.count == 0)
        continue;
      TensorView part = output;
      part.data +=
          down.first * output.rowStride + right.first * output.pixelStride;
      part.height = static_cast<int32_t>(down.count);
      part.width = static_cast<int32_t>(right.count);
      part.rowStride *= rows.stride;
      part.pixelStride *= columns.stride;
      phase.outputHeight = part.height;
      phase.outputWidth = part.width;
      phase.padTop = static_cast<int32_t>(down.padLow);
      phase.padLeft = static_cast<int32_t>(right.padLow);
      phase.padBottom = phase.padRight = 0;
      const auto kernel = convolutionKernel(phase) == KernelKind::Depthwise
                              ? depthwise
                              : convolution;
      kernel(phase, input, phaseWeights, epilogue, part, nullptr, pool);
    }
  return elements(output) *
         uint64_t(ceilDivide(shape.kernelHeight, rows.tapStep())) *
         uint64_t(ceilDivide(shape.kernelWidth, columns.tapStep())) *
         uint64_t(input.channels / shape.groups);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
