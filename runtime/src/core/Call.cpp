// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Running one checked instruction, and the kernels' names.

#include "Call.h"

namespace snug {
namespace runtime {

namespace {

struct KernelNames {
  const char *name;
  const char *perTarget[3]; ///< by Target
};
#define SNUG_KERNEL(name)                                                      \
  {name, {name "/portable", name "/avx2", name "/avx512"}}
/// By KernelKind.
const KernelNames kNames[] = {SNUG_KERNEL("move"),
                              SNUG_KERNEL("convolution"),
                              SNUG_KERNEL("depthwise"),
                              SNUG_KERNEL("max-pool"),
                              SNUG_KERNEL("average-pool"),
                              SNUG_KERNEL("reduce"),
                              SNUG_KERNEL("gemm"),
                              SNUG_KERNEL("unary"),
                              SNUG_KERNEL("binary"),
                              SNUG_KERNEL("softmax"),
                              SNUG_KERNEL("transposed-convolution"),
                              SNUG_KERNEL("resize"),
                              SNUG_KERNEL("pad"),
                              SNUG_KERNEL("rearrange"),
                              SNUG_KERNEL("local-response-normalization"),
                              SNUG_KERNEL("matmul"),
                              SNUG_KERNEL("winograd")};
#undef SNUG_KERNEL

} // namespace

const char *kernelName(KernelKind kind) {
  return kNames[static_cast<int>(kind)].name;
}

const char *kernelName(KernelKind kind, Target target) {
  return kNames[static_cast<int>(kind)].perTarget[static_cast<int>(target)];
}

bool Call::hasWindow() const {
  return kind == KernelKind::Convolution || kind == KernelKind::Depthwise ||
         kind == KernelKind::Winograd || kind == KernelKind::MaxPool ||
         kind == KernelKind::AveragePool ||
         kind == KernelKind::TransposedConvolution;
}

bool Call::hasWeights() const {
  return kind == KernelKind::Convolution || kind == KernelKind::Depthwise ||
         kind == KernelKind::Winograd || kind == KernelKind::Gemm ||
         kind == KernelKind::TransposedConvolution;
}

void Call::bind(unsigned char *arena, const unsigned char *weightsSection) {
  // Kernels write through output views only.
  unsigned char *constants = const_cast<unsigned char *>(weightsSection);
  input.data = reinterpret_cast<float *>((inputIsConstant ? constants : arena) +
                                         inputOffset);
  output.data = reinterpret_cast<float *>(arena + outputOffset);
  if (hasSecond)
    second.data = reinterpret_cast<float *>(
        (secondIsConstant ? constants : arena) + secondOffset);
  if (hasWeights())
    weights = reinterpret_cast<const float *>(weightsSection + weightsOffset);
  if (hasBias)
    bias = reinterpret_cast<const float *>(weightsSection + biasOffset);
  if (hasWorkspace)
    workspace = arena + workspaceOffset;
}

uint64_t Call::run(const KernelTable &kernels, ThreadPool &pool) const {
  Epilogue epilogue;
  epilogue.bias = bias;
  epilogue.activation = activation;
  epilogue.alpha = alpha;
  epilogue.beta = beta;
  switch (kind) {
  case KernelKind::Move:
    return kernels.move(input, output, pool);
  case KernelKind::Convolution:
  case KernelKind::Depthwise:
  case KernelKind::Winograd: {
    epilogue.residual = hasSecond ? &second : nullptr;
    const auto kernel = kind == KernelKind::Winograd    ? kernels.winograd
                        : kind == KernelKind::Depthwise ? kernels.depthwise
                                                        : kernels.convolution;
    return kernel(window, input, weights, epilogue, output, workspace, pool);
  }
  case KernelKind::MaxPool:
    return kernels.maxPool(window, input, output, pool);
  case KernelKind::AveragePool:
    return kernels.averagePool(window, countsPads ? &counted : nullptr, input,
                               output, pool);
  case KernelKind::Reduce:
    return kernels.reduce(reduceKind, input, output, pool);
  case KernelKind::Gemm:
    return kernels.gemm(input, weights, epilogue, output, pool);
  case KernelKind::Unary:
    return kernels.unary(input, epilogue, output, pool);
  case KernelKind::Binary:
    return kernels.binary(binaryKind, input, second, epilogue, output, pool);
  case KernelKind::Softmax:
    return kernels.softmax(input, output, pool);
  case KernelKind::TransposedConvolution:
    return kernels.transposedConvolution(window, transposed, input, weights,
                                         epilogue, output, pool);
  case KernelKind::Resize:
    return kernels.resize(resize, input, output, pool);
  case KernelKind::Pad:
    return kernels.pad(pad, input, output, pool);
  case KernelKind::Rearrange:
    return kernels.rearrange(rearrange, input.data, output.data, pool);
  case KernelKind::LocalResponseNormalization:
    return kernels.localResponseNormalization(normalization, input, output,
                                              pool);
  case KernelKind::MatMul:
    return kernels.matMul(input, second, output, pool);
  }
  return 0;
}

} // namespace runtime
} // namespace snug
