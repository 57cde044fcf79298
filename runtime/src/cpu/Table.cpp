// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel table of one instruction set.
#include "TargetKernels.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {

const KernelTable &table() {
  static constexpr KernelTable kTable = {Target::SNUG_KERNEL_TARGET,
                                         move,
                                         convolution,
                                         depthwise,
                                         maxPool,
                                         averagePool,
                                         reduce,
                                         gemm,
                                         unary,
                                         binary,
                                         softmax,
                                         transposedConvolution,
                                         resize,
                                         pad,
                                         rearrange,
                                         localResponseNormalization,
                                         matMul,
                                         winograd};
  return kTable;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
