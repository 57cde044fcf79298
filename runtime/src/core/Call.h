// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel call: an instruction after its check, before or after its
// addresses are bound. The executor runs nothing but what this check yields.
#ifndef SNUG_RUNTIME_SRC_CORE_CALL_H
#define SNUG_RUNTIME_SRC_CORE_CALL_H

#include "Kernels.h"
#include "snug/runtime/plan_generated.h"
#include "snug/runtime/runtime.h"

#include <cstdint>

namespace snug {
namespace runtime {

/// Offsets are bytes from the arena's start, or from the weights section's for
/// weights, biases and constants. Views have no data pointer until bind().
struct Call {
  Call() : window() {}

  KernelKind kind = KernelKind::Move;
  Activation activation = Activation::None;
  ReduceKind reduceKind = ReduceKind::Max;
  BinaryKind binaryKind = BinaryKind::Add;
  bool countsPads = false;
  bool hasSecond = false; ///< a residual, or a right operand
  bool inputIsConstant = false, secondIsConstant = false;
  bool hasBias = false;
  bool hasWorkspace = false;
  float alpha = 0.0f, beta = 0.0f; ///< of the activation
  CountedPads counted = {0, 0};
  TransposedOffsets transposed = {0, 0};
  /// Geometry, by kind; most have none.
  union {
    WindowShape window; ///< of convolutions and poolings
    ResizeShape resize;
    PadShape pad;
    RearrangeShape rearrange;
    NormalizationShape normalization;
  };
  TensorView input, second, output;
  uint64_t inputOffset = 0, secondOffset = 0, outputOffset = 0;
  uint64_t weightsOffset = 0, biasOffset = 0, workspaceOffset = 0;

  // Set by bind().
  const float *weights = nullptr;
  const float *bias = nullptr;
  void *workspace = nullptr;

  bool hasWindow() const;
  bool hasWeights() const;
  void bind(unsigned char *arena, const unsigned char *weightsSection);
  /// Calls the kernel; returns the multiply-accumulates it reports.
  uint64_t run(const KernelTable &kernels, ThreadPool &pool) const;
};

/// What an instruction may refer to.
struct CallLimits {
  const schema::Program *program;
  uint64_t arenaBytes;
  Target target;
  int threads;
};

/// Verifies everything that running instruction `index` would touch and fills
/// `out_call`. The program's segments must have been verified before.
snug_status checkCall(const CallLimits &limits, uint32_t index, Call *out_call);

/// "convolution", "move", ...; null-terminated, static.
const char *kernelName(KernelKind kind);
/// The same with its instruction set: "convolution/avx2".
const char *kernelName(KernelKind kind, Target target);

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_CALL_H
