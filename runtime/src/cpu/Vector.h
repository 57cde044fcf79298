// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A vector of SNUG_KERNEL_LANES floats, by the compiler's vector extension,
// and the few scalar helpers that the kernels share.
#ifndef SNUG_RUNTIME_SRC_CPU_VECTOR_H
#define SNUG_RUNTIME_SRC_CPU_VECTOR_H

#include "../../catalogue/PackedLayout.h"
#include "TargetKernels.h"

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#define SNUG_INLINE inline __attribute__((always_inline))
#define SNUG_INLINE_LAMBDA __attribute__((always_inline))

// Loops over accumulators must be unrolled entirely, or the compiler keeps the
// accumulators in memory. With sanitizers that is what we want: their checks of
// the unrolled code take minutes to compile.
#if defined(SNUG_KEEP_LOOPS)
#define SNUG_UNROLL
#elif defined(__clang__)
#define SNUG_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define SNUG_UNROLL _Pragma("GCC unroll 32")
#else
#define SNUG_UNROLL
#endif

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int kLanes = SNUG_KERNEL_LANES;
/// Output channels of a weight panel: two vectors.
constexpr int kPanel = 2 * kLanes;
static_assert(kLanes == vectorLanes(Target::SNUG_KERNEL_TARGET),
              "packed layout");

typedef float Vector
    __attribute__((vector_size(SNUG_KERNEL_LANES * sizeof(float))));
typedef float UnalignedVector __attribute__((
    vector_size(SNUG_KERNEL_LANES * sizeof(float)), aligned(4), may_alias));

SNUG_INLINE Vector load(const float *from) {
  return *reinterpret_cast<const UnalignedVector *>(from);
}
SNUG_INLINE void store(float *to, Vector value) {
  *reinterpret_cast<UnalignedVector *>(to) = value;
}
SNUG_INLINE Vector zero() { return Vector{}; }
/// `value` in all lanes; written so that -0 stays -0.
SNUG_INLINE Vector splat(float value) { return value - Vector{}; }

/// The first `count` floats, 0 < count <= kLanes, zeros behind them. The others
/// are not accessed.
SNUG_INLINE Vector loadPartial(const float *from, int count) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#elif defined(__AVX2__) && SNUG_KERNEL_LANES == 8
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(from,
                            _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
#else
  Vector value = zero();
  for (int lane = 0; lane < count; ++lane)
    value[lane] = from[lane];
  return value;
#endif
}

/// Stores the first `count` lanes; memory behind them is not accessed.
SNUG_INLINE void storePartial(float *to, Vector value, int count) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), value);
#elif defined(__AVX2__) && SNUG_KERNEL_LANES == 8
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane),
                      value);
#else
  for (int lane = 0; lane < count; ++lane)
    to[lane] = value[lane];
#endif
}

/// Loads and stores of a channel block: whole vectors, or the last, partial
/// one.
template <bool Partial>
SNUG_INLINE Vector loadBlock(const float *from, int count) {
  return Partial ? loadPartial(from, count) : load(from);
}
template <bool Partial>
SNUG_INLINE void storeBlock(float *to, Vector value, int count) {
  if (Partial)
    storePartial(to, value, count);
  else
    store(to, value);
}

/// a > b ? a : b in each lane: b where either is not a number. That is what the
/// machine's instruction does, but compilers do not use it for the expression.
/// (With a mask of all lanes, since GCC 12 warns of its own header without.)
SNUG_INLINE Vector larger(Vector a, Vector b) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  return _mm512_maskz_max_ps(static_cast<__mmask16>(-1), a, b);
#elif defined(__AVX__) && SNUG_KERNEL_LANES == 8
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
/// a < b ? a : b, likewise.
SNUG_INLINE Vector smaller(Vector a, Vector b) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  return _mm512_maskz_min_ps(static_cast<__mmask16>(-1), a, b);
#elif defined(__AVX__) && SNUG_KERNEL_LANES == 8
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}
/// Not-a-number passes through both.
SNUG_INLINE Vector atLeast(Vector value, Vector low) {
  return larger(low, value);
}
SNUG_INLINE Vector atMost(Vector value, Vector high) {
  return smaller(high, value);
}

/// Hides where a pointer or a distance comes from. Without it compilers derive
/// the addresses of an unrolled block before its loop, one register or place on
/// the stack each, or keep recomputing them from one base.
template <typename Value> SNUG_INLINE Value hideOrigin(Value value) {
  __asm__("" : "+r"(value));
  return value;
}

SNUG_INLINE Vector leakyRelu(Vector value, float alpha) {
  return value < zero() ? value * splat(alpha) : value;
}
/// The same for 0 < alpha <= 1, in an instruction less.
SNUG_INLINE Vector gentleLeakyRelu(Vector value, float alpha) {
  return larger(value * splat(alpha), value);
}
SNUG_INLINE Vector clip(Vector value, float low, float high) {
  return atMost(atLeast(value, splat(low)), splat(high));
}

/// An activation so short that kernels apply it to the values in their
/// registers: none, relu, leaky relu with 0 < alpha <= 1, or clip.
struct ShortActivation {
  Activation activation;
  float alpha, beta;
};
SNUG_INLINE bool isShort(const Epilogue &epilogue) {
  return epilogue.activation <= Activation::Clip &&
         (epilogue.activation != Activation::LeakyRelu ||
          (epilogue.alpha > 0 && epilogue.alpha <= 1));
}
/// An epilogue's activation if it is short, else none.
SNUG_INLINE ShortActivation shortActivation(const Epilogue &epilogue) {
  if (epilogue.activation == Activation::Relu6)
    return {Activation::Clip, 0.0f, 6.0f};
  return {isShort(epilogue) ? epilogue.activation : Activation::None,
          epilogue.alpha, epilogue.beta};
}
/// What is left for activateStored() to do behind it.
SNUG_INLINE Epilogue behindRegisters(const Epilogue &epilogue) {
  Epilogue behind = epilogue;
  if (isShort(epilogue))
    behind.activation = Activation::None;
  return behind;
}

SNUG_INLINE Vector activate(Vector value, const ShortActivation &by) {
  switch (by.activation) {
  case Activation::Relu:
    return atLeast(value, zero());
  case Activation::LeakyRelu:
    return gentleLeakyRelu(value, by.alpha);
  case Activation::Clip:
    return clip(value, by.alpha, by.beta);
  default:
    return value;
  }
}

/// The same for an array; the activation is chosen once.
template <int Count>
SNUG_INLINE void activateAll(Vector (&values)[Count],
                             const ShortActivation &by) {
  if (by.activation == Activation::LeakyRelu) {
    SNUG_UNROLL
    for (int i = 0; i < Count; ++i)
      values[i] = gentleLeakyRelu(values[i], by.alpha);
  } else if (by.activation == Activation::Relu) {
    SNUG_UNROLL
    for (int i = 0; i < Count; ++i)
      values[i] = atLeast(values[i], zero());
  } else if (by.activation == Activation::Clip) {
    SNUG_UNROLL
    for (int i = 0; i < Count; ++i)
      values[i] = clip(values[i], by.alpha, by.beta);
  }
}

template <typename Integer> SNUG_INLINE Integer minimum(Integer a, Integer b) {
  return a < b ? a : b;
}
template <typename Integer> SNUG_INLINE Integer maximum(Integer a, Integer b) {
  return a > b ? a : b;
}
SNUG_INLINE int64_t ceilDivide(int64_t value, int64_t by) {
  return (value + by - 1) / by;
}

SNUG_INLINE uint64_t elements(const TensorView &view) {
  return uint64_t(view.batch) * uint64_t(view.height) * uint64_t(view.width) *
         uint64_t(view.channels);
}

/// The shape of a convolution that multiplies each pixel by a matrix.
SNUG_INLINE WindowShape pointwiseShape(const TensorView &input,
                                       const TensorView &output) {
  WindowShape shape;
  shape.batch = output.batch;
  shape.inputHeight = input.height;
  shape.inputWidth = input.width;
  shape.inputChannels = input.channels;
  shape.outputHeight = output.height;
  shape.outputWidth = output.width;
  shape.outputChannels = output.channels;
  return shape;
}

/// Whether all pixels of an image lie at one distance from each other.
SNUG_INLINE bool hasFlatRows(const TensorView &view) {
  return view.height == 1 || view.rowStride == view.width * view.pixelStride;
}
/// Whether all pixels of the batch do.
SNUG_INLINE bool hasFlatBatch(const TensorView &view) {
  return view.batch == 1 ||
         (hasFlatRows(view) && view.batchStride == int64_t(view.height) *
                                                       view.width *
                                                       view.pixelStride);
}

/// Calls `body(begin, end)` on consecutive pieces of [0, count), in parallel
/// where there are threads. Pieces are at least `grain` long. What a piece
/// computes must not depend on where it begins.
template <typename Body>
SNUG_INLINE void parallelPieces(ThreadPool &pool, int64_t count, int64_t grain,
                                Body body) {
  const int threads = pool.threads();
  // Eight pieces a thread: the slowest thread ends at most an eighth late.
  const int64_t piece =
      threads == 1 ? count
                   : maximum(grain, ceilDivide(count, int64_t(threads) * 8));
  if (count <= piece) {
    if (count > 0)
      body(int64_t(0), count);
    return;
  }
  pool.forEach(ceilDivide(count, piece), [&](int64_t index, int) {
    body(index * piece, minimum(count, (index + 1) * piece));
  });
}

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_VECTOR_H
