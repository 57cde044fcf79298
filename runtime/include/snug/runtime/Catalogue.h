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

/// Elementwise functions, on their own or in the epilogue of a convolution,
/// gemm or binary kernel, with parameters alpha and beta. The numbers stand in
/// plan files.
enum class Activation : uint8_t {
  None = 0,
  Relu = 1,        ///< max(x, 0)
  LeakyRelu = 2,   ///< x < 0 ? alpha * x : x
  Relu6 = 3,       ///< min(max(x, 0), 6)
  Clip = 4,        ///< min(max(x, alpha), beta); bounds may be infinite
  Sigmoid = 5,     ///< 1 / (1 + exp(-x))
  Silu = 6,        ///< x * sigmoid(x)
  HardSigmoid = 7, ///< max(0, min(1, alpha * x + beta))
  HardSwish = 8,   ///< x * max(0, min(1, x / 6 + 0.5))
  Tanh = 9,
  Elu = 10, ///< x < 0 ? alpha * (exp(x) - 1) : x
  Exp = 11,
  Log = 12,
  Sqrt = 13,
  Abs = 14,
  Neg = 15,
  Reciprocal = 16,
  Floor = 17,
  Ceil = 18,
  Erf = 19,
  Gelu = 20,     ///< 0.5 * x * (1 + erf(x / sqrt(2)))
  Softplus = 21, ///< log(1 + exp(x))
  Mish = 22      ///< x * tanh(softplus(x))
};

/// Elementwise functions of two tensors. The numbers stand in plan files.
enum class BinaryKind : uint8_t {
  Add = 0,
  Sub = 1,
  Mul = 2,
  Div = 3,
  Max = 4,
  Min = 5,
  Pow = 6,
  PRelu = 7 ///< left < 0 ? left * right : left
};

/// What is computed of all rows and columns. The numbers stand in plan files.
enum class ReduceKind : uint8_t { Max = 0, Mean = 1, Sum = 2, Min = 3 };

/// The numbers stand in plan files.
enum class ResizeMode : uint8_t { Nearest = 0, Linear = 1 };

/// Which neighbour of a source position the nearest one is. The numbers stand
/// in plan files.
enum class NearestRounding : uint8_t {
  RoundPreferFloor = 0, ///< halves down
  RoundPreferCeil = 1,  ///< halves up
  Floor = 2,
  Ceil = 3
};

/// What is written into padding. The numbers stand in plan files.
enum class PadMode : uint8_t {
  Constant = 0,
  Reflect = 1, ///< mirrored at the first and last element, not repeating it
  Edge = 2     ///< the first or last element
};

/// Kernels; names go into profiles.
enum class KernelKind : uint8_t {
  Move = 0,        ///< strided copy, changes layout
  Convolution = 1, ///< direct, register-blocked, any groups
  Depthwise = 2,   ///< groups == input channels == output channels
  MaxPool = 3,
  AveragePool = 4,
  Reduce = 5,                 ///< over all rows and columns
  Gemm = 6,                   ///< y = x W + b, row-major
  Unary = 7,                  ///< an activation on its own
  Binary = 8,                 ///< of two tensors, then an activation
  Softmax = 9,                ///< over channels
  TransposedConvolution = 10, ///< one direct convolution for each phase
  Resize = 11,
  Pad = 12,
  Rearrange = 13, ///< any copy of a regular pattern
  LocalResponseNormalization = 14,
  MatMul = 15,  ///< of two activations
  Winograd = 16 ///< F(4x4, 3x3), where hasWinograd()
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

/// Whether Winograd's kernel can compute a convolution: a 3x3 kernel, no
/// strides, dilations or groups, of tensors of any height and width. It takes
/// the packed weights of the direct kernel.
bool hasWinograd(const WindowShape &shape);
/// Whether there is Winograd's kernel, and it is expected to take less time
/// than the direct one.
bool winogradPays(Target target, const WindowShape &shape);

/// Bytes of packed weights of a convolution (multiple of 64, tails of channel
/// panels padded with zeros). Depends on channels, kernel, groups, target only.
int64_t packedConvolutionBytes(Target target, const WindowShape &shape);
/// Packs OIHW weights [outputChannels][inputChannels/groups][kh][kw] into
/// `out` of packedConvolutionBytes() bytes (64-byte aligned).
void packConvolution(Target target, const WindowShape &shape, const float *oihw,
                     float *out);

/// Bytes of packed weights of a transposed convolution (multiple of 64); of
/// `shape` only channels, kernel, strides, dilations and groups count.
int64_t packedTransposedConvolutionBytes(Target target,
                                         const WindowShape &shape);
/// Packs a filter [inputChannels][outputChannels/groups][kh][kw] into `out` of
/// packedTransposedConvolutionBytes() bytes (64-byte aligned).
void packTransposedConvolution(Target target, const WindowShape &shape,
                               const float *filter, float *out);

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
/// this shape uses with exactly `threads` threads; 0 where it uses none.
int64_t workspaceBytes(Target target, KernelKind kind, const WindowShape &shape,
                       int threads);

/// True where the kernel may write its output over its input `index` (0, or 1
/// for the right operand or the residual), both views being alike (an operand
/// that is repeated is not): it reads each element before it writes the one in
/// its place.
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
