// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How weights lie in memory: shared by the packing functions and the kernels.
//
//   convolution  [group][panel][kernel row][kernel column][input channel][P]
//                with P = panelChannels(target) output channels of the group
//   small groups [channel block][kernel row][kernel column][input of group][L]
//                where groupLanes() is not 0
//   depthwise    [channel block][kernel row][kernel column][L]
//                with L = vectorLanes(target) channels, as in the others
//   gemm         [panel][k][P]: a convolution with a 1x1 kernel
//   transposed   [row phase][column phase] a convolution each (TransposedAxis)
//
// The last panel or block is filled up with zeros.
#ifndef SNUG_RUNTIME_CATALOGUE_PACKEDLAYOUT_H
#define SNUG_RUNTIME_CATALOGUE_PACKEDLAYOUT_H

#include "snug/runtime/Catalogue.h"

namespace snug {
namespace runtime {

/// Floats in a vector register of `target`.
constexpr int vectorLanes(Target target) {
  return target == Target::AVX512 ? 16 : target == Target::AVX2 ? 8 : 4;
}

/// Output channels that a convolution computes at once: two vectors.
constexpr int panelChannels(Target target) { return 2 * vectorLanes(target); }

/// Lanes that a group takes where a vector holds several groups: those with as
/// many inputs as outputs, 2, 4, 8, up to a vector. A panel for each would be
/// filled up with zeros for the most part. 0 where groups have panels.
constexpr int64_t groupLanes(Target target, int64_t inputs, int64_t outputs,
                             int64_t groups) {
  return groups > 1 && inputs == outputs && inputs / groups >= 2 &&
                 inputs / groups <= vectorLanes(target) &&
                 vectorLanes(target) % (inputs / groups) == 0
             ? inputs / groups
             : 0;
}

/// One axis of a transposed convolution. Output o takes input i through tap k
/// where i * stride + k * dilation = o + offset, so that (o + offset) mod
/// stride says which taps it has: the outputs of one such phase are an ordinary
/// convolution of stride 1. A phase that has taps is known by its smallest.
struct TransposedAxis {
  int64_t kernel, stride, dilation;

  /// The taps of a phase lie so far apart: stride / gcd(stride, dilation).
  int64_t tapStep() const {
    int64_t a = stride, b = dilation;
    while (b) {
      const int64_t rest = a % b;
      a = b;
      b = rest;
    }
    return stride / a;
  }
  /// Phases that have taps: their smallest taps are 0, 1, 2, ...
  int64_t phases() const { return kernel < tapStep() ? kernel : tapStep(); }
  /// (o + offset) mod stride of a phase's outputs.
  int64_t residue(int64_t smallest) const {
    return smallest * dilation % stride;
  }
  int64_t taps(int64_t smallest) const {
    return (kernel - 1 - smallest) / tapStep() + 1;
  }
  /// Tap number `index` of the phase's convolution. It reads inputs upwards, so
  /// the largest comes first.
  int64_t tap(int64_t smallest, int64_t index) const {
    return smallest + (taps(smallest) - 1 - index) * tapStep();
  }
  /// Distance of the inputs that neighbouring taps of a phase read.
  int64_t phaseDilation() const { return tapStep() * dilation / stride; }
};

inline TransposedAxis transposedRows(const WindowShape &shape) {
  return {shape.kernelHeight, shape.strideHeight, shape.dilationHeight};
}
inline TransposedAxis transposedColumns(const WindowShape &shape) {
  return {shape.kernelWidth, shape.strideWidth, shape.dilationWidth};
}

/// The convolution that two phases are: channels, groups, kernel, dilation.
inline WindowShape phaseShape(const WindowShape &shape, int64_t rowPhase,
                              int64_t columnPhase) {
  const TransposedAxis rows = transposedRows(shape);
  const TransposedAxis columns = transposedColumns(shape);
  WindowShape phase = shape;
  phase.kernelHeight = static_cast<int32_t>(rows.taps(rowPhase));
  phase.kernelWidth = static_cast<int32_t>(columns.taps(columnPhase));
  phase.strideHeight = phase.strideWidth = 1;
  phase.dilationHeight = static_cast<int32_t>(rows.phaseDilation());
  phase.dilationWidth = static_cast<int32_t>(columns.phaseDilation());
  return phase;
}

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CATALOGUE_PACKEDLAYOUT_H
