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
/// Compute kernels need channelStride == 1; moves take any strides.
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

/// Every kernel returns the multiply-accumulates of the extents it was called
/// with (every tap of every output element, padding taps included; 0 for
/// kernels that have none), computed from its arguments. Kernels read nothing
/// outside their input views and write nothing outside their outputs, split
/// their work over `pool` and give equal results for every thread count.
/// Preconditions (checked by the loader, not here): extents and strides agree,
/// packed weights come from the catalogue for the same target.
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
  /// Divides by the window's whole area if `countIncludePad`, else by the
  /// taps that lie inside the input view (pads of this call are outside).
  uint64_t (*averagePool)(const WindowShape &shape, bool countIncludePad,
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
};

/// Null where this build lacks the target (another architecture).
const KernelTable *kernelTable(Target target);

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_KERNELS_H
