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

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CATALOGUE_PACKEDLAYOUT_H
