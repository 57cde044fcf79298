// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which inputs an output of a resize reads, along one axis: for the kernel and
// for the checker of calls, to the bit what lib/Network computes.
#ifndef SNUG_RUNTIME_SRC_CPU_RESIZESOURCE_H
#define SNUG_RUNTIME_SRC_CPU_RESIZESOURCE_H

#include "Kernels.h"

#include <math.h>

namespace snug {
namespace runtime {
// Every source gets its own copy: those of two instruction sets must not be
// merged.
namespace {

/// A position in the full input between `low` and `high`, which are equal where
/// it is an element's; `part` of the way up.
struct ResizeSource {
  int64_t low, high;
  float part;
};

/// `output` counts in the full output.
inline ResizeSource resizeSource(const ResizeAxis &axis, ResizeMode mode,
                                 NearestRounding rounding, int64_t output) {
  // Volatile: never a fused multiply-add.
  volatile double product = axis.scale * static_cast<double>(output);
  double position = product + axis.shift;
  const double last = static_cast<double>(axis.full - 1);
  position = position > 0.0 ? position : 0.0;
  position = position < last ? position : last;
  const double below = ::floor(position);
  if (mode == ResizeMode::Linear) {
    const int64_t low = static_cast<int64_t>(below);
    const float part = static_cast<float>(position - below);
    return {low, position > below ? low + 1 : low, part};
  }
  double nearest = below;
  switch (rounding) {
  case NearestRounding::RoundPreferFloor:
    nearest = ::ceil(position - 0.5);
    break;
  case NearestRounding::RoundPreferCeil:
    nearest = ::floor(position + 0.5);
    break;
  case NearestRounding::Floor:
    break;
  case NearestRounding::Ceil:
    nearest = ::ceil(position);
    break;
  }
  const int64_t element = static_cast<int64_t>(nearest);
  return {element, element, 0.0f};
}

} // namespace
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_RESIZESOURCE_H
