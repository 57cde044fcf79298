// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How weights lie in memory: shared by the packing functions and the kernels.
//
//   convolution  [group][panel][kernel row][kernel column][input channel][P]
//                with P = panelChannels(target) output channels of the group
//   depthwise    [channel block][kernel row][kernel column][L]
//                with L = vectorLanes(target) channels
//   gemm         [panel][k][P]: a convolution with a 1x1 kernel
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

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CATALOGUE_PACKEDLAYOUT_H
