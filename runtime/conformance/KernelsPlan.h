// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A plan of the kernels that the test network does without, all tensors kept.
#ifndef SNUG_RUNTIME_CONFORMANCE_KERNELSPLAN_H
#define SNUG_RUNTIME_CONFORMANCE_KERNELSPLAN_H

#include "PlanBuilder.h"

namespace snug {
namespace testing {

/// One input, "x", of 1x5x4x6 (channels last), and these instructions, each
/// with an output of its name, in this order.
enum KernelsPlanInstruction {
  kUpsample,   ///< transposed convolution of x, 3x3, stride 2: 1x9x7x4
  kSmooth,     ///< silu of x
  kScale,      ///< x times a constant per channel, held to [-0.5, 0.75]
  kInverse,    ///< a constant minus x
  kGate,       ///< x times "largest"'s one pixel an image
  kNearest,    ///< x at twice the size
  kLinear,     ///< rows 2 to 8 and columns 1 to 5 of x at twice the size
  kPadded,     ///< x reflected by a row above and a column to the right
  kPlanes,     ///< x as ONNX has it
  kNormalised, ///< local response normalisation of x over 3 channels
  kProducts,   ///< x's 20 pixels times their transpose: 20x20
  kShares,     ///< softmax of x's planes over channels
  kKernelsPlanInstructions
};
constexpr int kKernelsPlanInputs = 5 * 4 * 6;

PlanImage kernelsPlan(runtime::Target target, int threads);

/// Constants of the plan.
std::vector<float> kernelsPlanFilter(), kernelsPlanScale();

} // namespace testing
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_KERNELSPLAN_H
