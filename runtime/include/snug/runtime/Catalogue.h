// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel catalogue: what every kernel needs, answered without running it.
//
// Linked by the compiler and by the runtime. For a kernel it answers: which
// targets and shapes it supports, the bytes of its packed weights, how to pack
// them, and a bound on its workspace. It allocates nothing and keeps no state.
#ifndef SNUG_RUNTIME_CATALOGUE_H
#define SNUG_RUNTIME_CATALOGUE_H

#include <cstddef>
#include <cstdint>

namespace snug {
namespace runtime {

/// Instruction sets a plan can be made for. A plan runs on a machine that has
/// its target or a larger one. The numbers stand in plan files.
enum class Target : uint8_t { Portable = 0, AVX2 = 1, AVX512 = 2 };

/// The largest target this machine can run (cpuid and the operating system's
/// support of the registers).
Target hostTarget();
/// "portable", "avx2", "avx512".
const char *targetName(Target target);
/// False where `name` is none of the above; "host" gives hostTarget().
bool parseTarget(const char *name, Target *out_target);

/// Activation in a kernel's epilogue. The numbers stand in plan files.
enum class Activation : uint8_t {
  None = 0,
  Relu = 1,
  LeakyRelu = 2,
  Relu6 = 3
};

/// Kernels. The numbers stand in plan files; names go into profiles.
enum class KernelKind : uint8_t {
  Move = 0,        ///< strided copy, changes layout
  Convolution = 1, ///< direct, register-blocked, any groups
  Depthwise = 2,   ///< groups == input channels == output channels
  MaxPool = 3,
  AveragePool = 4,
  GlobalAveragePool = 5,
  Gemm = 6,   ///< y = x W + b, row-major
  Unary = 7,  ///< an activation on its own
  Add = 8,    ///< elementwise sum of two tensors, then an activation
  Softmax = 9 ///< over channels
};

/// Geometry of a convolution or pooling call on one tile. Extents are those of
/// the views the kernel is called with; pads are what lies outside them.
/// Padding taps read as zero (max pooling: as minus infinity).
struct WindowShape {
  int32_t batch = 1;
  int32_t inputHeight = 0, inputWidth = 0, inputChannels = 0;
  int32_t outputHeight = 0, outputWidth = 0, outputChannels = 0;
  int32_t kernelHeight = 1, kernelWidth = 1;
  int32_t strideHeight = 1, strideWidth = 1;
  int32_t dilationHeight = 1, dilationWidth = 1;
  int32_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int32_t groups = 1;
};

/// The kernel that computes a convolution of these channels and groups on any
/// target: Depthwise where groups == inputChannels == outputChannels > 1, else
/// Convolution. Never depends on heights and widths, so all tiles of a layer
/// share one copy of packed weights.
KernelKind convolutionKernel(const WindowShape &shape);

/// Bytes of packed weights of a convolution (multiple of 64, tails of channel
/// panels padded with zeros). Depends on channels, kernel, groups, target only.
int64_t packedConvolutionBytes(Target target, const WindowShape &shape);
/// Packs OIHW weights [outputChannels][inputChannels/groups][kh][kw] into
/// `out` of packedConvolutionBytes() bytes (64-byte aligned).
void packConvolution(Target target, const WindowShape &shape, const float *oihw,
                     float *out);

/// Bytes of packed weights of y[N] = x[K] W[K,N].
int64_t packedGemmBytes(Target target, int64_t k, int64_t n);
/// Packs W, given as W[k * strideK + n * strideN], into packedGemmBytes()
/// bytes.
void packGemm(Target target, int64_t k, int64_t n, const float *w,
              int64_t strideK, int64_t strideN, float *out);

/// Bytes of a bias vector of `channels` values as kernels read it: zero-padded
/// to a whole number of 64-byte lines.
int64_t packedBiasBytes(int64_t channels);
void packBias(int64_t channels, const float *bias, float *out);

/// Upper bound of the workspace (bytes, multiple of 64) that a kernel call of
/// this shape uses with `threads` threads; 0 where it uses none.
int64_t workspaceBytes(Target target, KernelKind kind, const WindowShape &shape,
                       int threads);

/// True where the kernel may write its output over its input `index` (0, or 1
/// for the second summand or the residual), both views being alike: it reads
/// each element before it writes the one in its place.
bool runsInPlace(KernelKind kind, int index);

/// Upper bound of the bytes that a plan's header, program and prepared state
/// take in a process for so many instructions and weight segments.
int64_t programBytesBound(int64_t instructions, int64_t segments);

/// Alignment (bytes) of every buffer in the arena and segment in the file.
constexpr int64_t kBufferAlignment = 64;
/// The arena's length is a multiple of this, so that a guard page can lie
/// flush at either end; weights start at a multiple of it in the file.
constexpr int64_t kPageBytes = 4096;

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CATALOGUE_H
