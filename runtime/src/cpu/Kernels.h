// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the executor calls: one function per kernel, per instruction set.
#ifndef SNUG_RUNTIME_SRC_CPU_KERNELS_H
#define SNUG_RUNTIME_SRC_CPU_KERNELS_H

#include "snug/runtime/Catalogue.h"

#include <cstdint>

namespace snug {
namespace runtime {

class ThreadPool;

/// A strided float32 tensor: element (n, y, x, c) is
/// data[n * batchStride + y * rowStride + x * pixelStride + c * channelStride].
/// Which kernels need channelStride == 1 is said in plan.fbs.
struct TensorView {
  float *data = nullptr;
  int32_t batch = 1, height = 0, width = 0, channels = 0;
  int64_t batchStride = 0, rowStride = 0, pixelStride = 0, channelStride = 1;
};

/// Bias, residual and activation, applied as values leave the accumulators:
/// output = activation(sum + bias + residual).
struct Epilogue {
  const float *bias = nullptr;          ///< packed, or null
  const TensorView *residual = nullptr; ///< output's extents, or null
  Activation activation = Activation::None;
  float alpha = 0.0f, beta = 0.0f; ///< the activation's parameters
};

/// Padding rows and columns below and to the right of a pooling's input view
/// that count as taps; all of those above and to the left do.
struct CountedPads {
  int32_t bottom, right;
};

/// The outputs of a transposed convolution: input row i and tap k contribute to
/// output row i * stride + k * dilation - row.
struct TransposedOffsets {
  int32_t row, column;
};

/// One axis of a resize call: output o of the full tensor reads
/// resizeSource(scale, shift, full, o).
struct ResizeAxis {
  double scale, shift;
  int32_t full;       ///< input extent of the full tensor
  int32_t inputBegin; ///< where the views begin in the full tensors
  int32_t outputBegin;
};
struct ResizeShape {
  ResizeMode mode;
  NearestRounding rounding;
  ResizeAxis rows, columns;
};

/// Elements added around an input view, and what is in them.
struct PadShape {
  int32_t top, left, bottom, right, front, back;
  PadMode mode;
  float value;
};

constexpr int kMaxLoops = 8;
/// A copy of a regular pattern: loops, strides in elements.
struct RearrangeShape {
  int32_t loops;
  int32_t extents[kMaxLoops];
  int64_t inputStrides[kMaxLoops], outputStrides[kMaxLoops];
};

/// x / (bias + alpha / size * sum of squares) ^ beta, the sum being over `size`
/// channels: (size - 1) / 2 below, size / 2 above.
struct NormalizationShape {
  int32_t size;
  float alpha, beta, bias;
};

/// Every kernel returns the multiply-accumulates of the extents it was called
/// with (every tap of every output element, padding taps included; 0 for
/// kernels that have none), computed from its arguments. Kernels read nothing
/// outside their input views and write nothing outside their outputs and their
/// workspace, split their work over `pool` and give equal results for every
/// thread count. Preconditions (checked by the loader, not here): extents and
/// strides agree, packed weights come from the catalogue for the same target,
/// the workspace has the bytes that it says for the pool's threads.
struct KernelTable {
  Target target;
  uint64_t (*move)(const TensorView &input, const TensorView &output,
                   ThreadPool &pool);
  uint64_t (*convolution)(const WindowShape &shape, const TensorView &input,
                          const float *weights, const Epilogue &epilogue,
                          const TensorView &output, void *workspace,
                          ThreadPool &pool);
  uint64_t (*depthwise)(const WindowShape &shape, const TensorView &input,
                        const float *weights, const Epilogue &epilogue,
                        const TensorView &output, void *workspace,
                        ThreadPool &pool);
  uint64_t (*maxPool)(const WindowShape &shape, const TensorView &input,
                      const TensorView &output, ThreadPool &pool);
  /// Divides by the taps that lie inside the input view and, where `counted` is
  /// not null, in the padding that counts.
  uint64_t (*averagePool)(const WindowShape &shape, const CountedPads *counted,
                          const TensorView &input, const TensorView &output,
                          ThreadPool &pool);
  uint64_t (*reduce)(ReduceKind kind, const TensorView &input,
                     const TensorView &output, ThreadPool &pool);
  uint64_t (*gemm)(const TensorView &input, const float *weights,
                   const Epilogue &epilogue, const TensorView &output,
                   ThreadPool &pool);
  uint64_t (*unary)(const TensorView &input, const Epilogue &epilogue,
                    const TensorView &output, ThreadPool &pool);
  uint64_t (*binary)(BinaryKind kind, const TensorView &left,
                     const TensorView &right, const Epilogue &epilogue,
                     const TensorView &output, ThreadPool &pool);
  uint64_t (*softmax)(const TensorView &input, const TensorView &output,
                      ThreadPool &pool);
  /// Weights as packTransposedConvolution() packs them. Reports, for every
  /// element of the output, the most taps that any of them has.
  uint64_t (*transposedConvolution)(const WindowShape &shape,
                                    const TransposedOffsets &offsets,
                                    const TensorView &input,
                                    const float *weights,
                                    const Epilogue &epilogue,
                                    const TensorView &output, ThreadPool &pool);
  uint64_t (*resize)(const ResizeShape &shape, const TensorView &input,
                     const TensorView &output, ThreadPool &pool);
  uint64_t (*pad)(const PadShape &shape, const TensorView &input,
                  const TensorView &output, ThreadPool &pool);
  uint64_t (*rearrange)(const RearrangeShape &shape, const float *input,
                        float *output, ThreadPool &pool);
  uint64_t (*localResponseNormalization)(const NormalizationShape &shape,
                                         const TensorView &input,
                                         const TensorView &output,
                                         ThreadPool &pool);
  /// Matrices of `height` rows and `width` columns.
  uint64_t (*matMul)(const TensorView &left, const TensorView &right,
                     const TensorView &output, ThreadPool &pool);
  /// Where hasWinograd(); weights as packConvolution() packs them. Reports what
  /// the direct convolution does.
  uint64_t (*winograd)(const WindowShape &shape, const TensorView &input,
                       const float *weights, const Epilogue &epilogue,
                       const TensorView &output, void *workspace,
                       ThreadPool &pool);
};

/// Null where this build lacks the target (another architecture).
const KernelTable *kernelTable(Target target);

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_KERNELS_H
