// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of one instruction set, as the entries of its KernelTable.
//
// Every source here is compiled once per instruction set; the build gives
//   SNUG_KERNEL_NAMESPACE  namespace of this set's functions
//   SNUG_KERNEL_TARGET     enumerator of Target that it implements
//   SNUG_KERNEL_LANES      floats in a vector
// All helpers live in anonymous namespaces inside it and the sources use no
// inline function of the standard library: a linker that merged such a function
// of two sets could keep the copy that the machine cannot run.
#ifndef SNUG_RUNTIME_SRC_CPU_TARGETKERNELS_H
#define SNUG_RUNTIME_SRC_CPU_TARGETKERNELS_H

#include "../core/ThreadPool.h"
#include "Kernels.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {

uint64_t move(const TensorView &input, const TensorView &output,
              ThreadPool &pool);
uint64_t convolution(const WindowShape &shape, const TensorView &input,
                     const float *weights, const Epilogue &epilogue,
                     const TensorView &output, void *workspace,
                     ThreadPool &pool);
uint64_t depthwise(const WindowShape &shape, const TensorView &input,
                   const float *weights, const Epilogue &epilogue,
                   const TensorView &output, void *workspace, ThreadPool &pool);
uint64_t maxPool(const WindowShape &shape, const TensorView &input,
                 const TensorView &output, ThreadPool &pool);
uint64_t averagePool(const WindowShape &shape, const CountedPads *counted,
                     const TensorView &input, const TensorView &output,
                     ThreadPool &pool);
uint64_t reduce(ReduceKind kind, const TensorView &input,
                const TensorView &output, ThreadPool &pool);
uint64_t gemm(const TensorView &input, const float *weights,
              const Epilogue &epilogue, const TensorView &output,
              ThreadPool &pool);
uint64_t unary(const TensorView &input, const Epilogue &epilogue,
               const TensorView &output, ThreadPool &pool);
uint64_t binary(BinaryKind kind, const TensorView &left,
                const TensorView &right, const Epilogue &epilogue,
                const TensorView &output, ThreadPool &pool);
uint64_t softmax(const TensorView &input, const TensorView &output,
                 ThreadPool &pool);
uint64_t transposedConvolution(const WindowShape &shape,
                               const TransposedOffsets &offsets,
                               const TensorView &input, const float *weights,
                               const Epilogue &epilogue,
                               const TensorView &output, ThreadPool &pool);
uint64_t resize(const ResizeShape &shape, const TensorView &input,
                const TensorView &output, ThreadPool &pool);
uint64_t pad(const PadShape &shape, const TensorView &input,
             const TensorView &output, ThreadPool &pool);
uint64_t rearrange(const RearrangeShape &shape, const float *input,
                   float *output, ThreadPool &pool);
uint64_t localResponseNormalization(const NormalizationShape &shape,
                                    const TensorView &input,
                                    const TensorView &output, ThreadPool &pool);
uint64_t matMul(const TensorView &left, const TensorView &right,
                const TensorView &output, ThreadPool &pool);
uint64_t winograd(const WindowShape &shape, const TensorView &input,
                  const float *weights, const Epilogue &epilogue,
                  const TensorView &output, void *workspace, ThreadPool &pool);

/// Where groupLanes() is not 0; called by convolution().
void groupedConvolution(const WindowShape &shape, const TensorView &input,
                        const float *weights, const Epilogue &epilogue,
                        const TensorView &output, ThreadPool &pool);
/// Pixels times a packed matrix, on the calling thread.
void multiplyRows(const TensorView &input, const float *weights,
                  const Epilogue &epilogue, const TensorView &output);
/// The epilogue's activation, and nothing else of it, on `rows` runs of
/// `length` floats, `step` apart: for activations that are not short.
void activateStored(const Epilogue &epilogue, float *data, int64_t step,
                    int64_t rows, int64_t length);

/// The table of the kernels above.
const KernelTable &table();

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_TARGETKERNELS_H
