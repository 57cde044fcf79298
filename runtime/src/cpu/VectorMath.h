// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exponentials, logarithms and what is made of them, for vectors of floats.
//
// Numerics: polynomials whose own error is below 2^-24, so that a result's
// relative error is that of a few roundings: below 5e-7 for all functions but
// erf and gelu, below 1e-6 for these, where the result is no subnormal. Not a
// number stays so; infinities give what the functions' limits are.
#ifndef SNUG_RUNTIME_SRC_CPU_VECTORMATH_H
#define SNUG_RUNTIME_SRC_CPU_VECTORMATH_H

#include "Vector.h"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

typedef int32_t IntVector
    __attribute__((vector_size(SNUG_KERNEL_LANES * sizeof(int32_t))));
typedef uint32_t BitVector
    __attribute__((vector_size(SNUG_KERNEL_LANES * sizeof(uint32_t))));

constexpr uint32_t kSignBit = 0x80000000u;
constexpr int kMantissaBits = 23;
/// Added to a small float, it leaves the nearest integer in the lowest bits.
constexpr float kRounding = 12582912.0f; // 1.5 * 2^23
constexpr uint32_t kRoundingBits = 0x4b400000u;
// The first has so few bits that its product with an exponent is exact.
constexpr float kLogTwoHigh = 0.693359375f;
constexpr float kLogTwoLow = -2.12194440e-4f;

// Polynomials, fitted for the smallest largest error, which is given.
/// (exp(r) - 1 - r) / r^2 in r, |r| <= log(2) / 2: 3e-9 of exp(r).
constexpr float kExponentialTerms[] = {0.49999994f, 0.16666520f, 0.041668393f,
                                       0.0083687808f, 0.0013814467f};
/// artanh(z) / z in z^2, |z| <= 1/3: 4e-9.
constexpr float kArtanhTerms[] = {1.0f, 0.33333156f, 0.20012558f, 0.13978827f,
                                  0.14095806f};
/// erf(x) / x in x^2, |x| <= 1: 1e-9.
constexpr float kErrorTerms[] = {1.1283791f,    -0.37612626f,  0.11283585f,
                                 -0.026853813f, 0.0051883277f, -0.00080101937f,
                                 7.8538615e-5f};
/// log(1 - erf(t)) in t, 1 <= t <= 6: 2.5e-7 at 1, where 1 - erf(t) is 0.16; at
/// 6 it is 2e-17.
constexpr float kLogComplementTerms[] = {
    -0.00040991383f, -1.1273928f,    -0.63645768f,   -0.10594740f, 0.024211854f,
    -0.0040336144f,  0.00045321294f, -3.0377725e-5f, 9.1084223e-7f};

SNUG_INLINE BitVector bitsOf(Vector value) { return (BitVector)value; }
SNUG_INLINE Vector fromBits(BitVector bits) { return (Vector)bits; }
SNUG_INLINE Vector absolute(Vector value) {
  return fromBits(bitsOf(value) & ~kSignBit);
}
SNUG_INLINE Vector negated(Vector value) {
  return fromBits(bitsOf(value) ^ kSignBit);
}
/// `value`, not negative, with the sign of `sign`.
SNUG_INLINE Vector withSign(Vector value, Vector sign) {
  return fromBits(bitsOf(value) | (bitsOf(sign) & kSignBit));
}

/// a[0] + a[1] x + a[2] x^2 + ...
template <int Count>
SNUG_INLINE Vector polynomial(Vector x, const float (&coefficients)[Count]) {
  Vector sum = splat(coefficients[Count - 1]);
  SNUG_UNROLL
  for (int i = Count - 2; i >= 0; --i)
    sum = sum * x + splat(coefficients[i]);
  return sum;
}

/// 2^n, -127 < n < 128; 0 for n = -127.
SNUG_INLINE Vector powerOfTwo(BitVector n) {
  return fromBits((n + 127u) << kMantissaBits);
}

/// exp(x) = 2^n * (1 + rest).
struct SplitExponential {
  BitVector n;
  Vector rest;
};
SNUG_INLINE SplitExponential splitExponential(Vector x) {
  constexpr float kLogTwoInverse = 1.44269504f;
  const Vector shifted = x * splat(kLogTwoInverse) + splat(kRounding);
  const Vector n = shifted - splat(kRounding);
  Vector r = x - n * splat(kLogTwoHigh);
  r = r - n * splat(kLogTwoLow);
  const Vector square = polynomial(r, kExponentialTerms);
  return {bitsOf(shifted) - kRoundingBits, r + r * r * square};
}

SNUG_INLINE Vector exponential(Vector x) {
  // Beyond these results are 0 and infinite.
  const Vector held = atMost(atLeast(x, splat(-104.0f)), splat(89.0f));
  const SplitExponential s = splitExponential(held);
  // In two steps, since the whole factor may be out of range.
  const BitVector half = (BitVector)((IntVector)s.n >> 1);
  return (splat(1.0f) + s.rest) * powerOfTwo(half) * powerOfTwo(s.n - half);
}

/// exp(x) - 1 without cancellation, x <= 80.
SNUG_INLINE Vector exponentialLessOne(Vector x) {
  const SplitExponential s = splitExponential(atLeast(x, splat(-87.0f)));
  const Vector scale = powerOfTwo(s.n);
  return scale * s.rest + (scale - splat(1.0f));
}

/// The inverse hyperbolic tangent of |z| <= 1/3.
SNUG_INLINE Vector smallArtanh(Vector z) {
  return z * polynomial(z * z, kArtanhTerms);
}

SNUG_INLINE Vector logarithm(Vector x) {
  constexpr float kSmallestNormal = 1.17549435e-38f;
  constexpr float kTwoTo23 = 8388608.0f;
  constexpr uint32_t kHalfRootBits = 0x3f3504f3u; // sqrt(1/2)
  const Vector scaled = x < splat(kSmallestNormal) ? x * splat(kTwoTo23) : x;
  const BitVector bits = bitsOf(scaled);
  const BitVector n =
      (BitVector)((IntVector)(bits - kHalfRootBits) >> kMantissaBits);
  // In [sqrt(1/2), sqrt(2)).
  const Vector mantissa = fromBits(bits - (n << kMantissaBits));
  Vector exponent = fromBits(n + kRoundingBits) - splat(kRounding);
  exponent = x < splat(kSmallestNormal) ? exponent - splat(23.0f) : exponent;
  const Vector ofMantissa =
      2.0f * smallArtanh((mantissa - splat(1.0f)) / (mantissa + splat(1.0f)));
  Vector result = exponent * splat(kLogTwoHigh) +
                  (ofMantissa + exponent * splat(kLogTwoLow));
  const Vector infinite = splat(__builtin_inff());
  result = x == infinite ? infinite : result;
  result = x == zero() ? negated(infinite) : result;
  result = x < zero() ? splat(__builtin_nanf("")) : result;
  return x != x ? x : result;
}

SNUG_INLINE Vector sigmoid(Vector x) {
  return splat(1.0f) / (splat(1.0f) + exponential(negated(x)));
}

SNUG_INLINE Vector silu(Vector x) {
  return x / (splat(1.0f) + exponential(negated(x)));
}

SNUG_INLINE Vector hyperbolicTangent(Vector x) {
  // (exp(2x) - 1) / (exp(2x) + 1); 1 in float from 2x = 20 on.
  const Vector e =
      exponentialLessOne(atMost(absolute(x) * splat(2.0f), splat(40.0f)));
  return withSign(e / (e + splat(2.0f)), x);
}

SNUG_INLINE Vector softplus(Vector x) {
  const Vector e = exponential(negated(absolute(x)));
  // log(1 + e) is twice the inverse hyperbolic tangent of e / (2 + e).
  return atLeast(x, zero()) + 2.0f * smallArtanh(e / (e + splat(2.0f)));
}

SNUG_INLINE Vector mish(Vector x) {
  // tanh(log(1 + e)) = n / (n + 2) with n = e^2 + 2e; 1 in float from 20 on.
  const Vector e = exponential(atMost(x, splat(20.0f)));
  const Vector n = e * (e + splat(2.0f));
  return x * (n / (n + splat(2.0f)));
}

SNUG_INLINE Vector exponentialLinear(Vector x, float alpha) {
  return x < zero() ? splat(alpha) * exponentialLessOne(atMost(x, zero())) : x;
}

/// erf(x) and, of |x| > 1, 1 - |erf(x)|.
struct ErrorFunction {
  Vector ofSmall, complement;
};
SNUG_INLINE ErrorFunction errorFunctionParts(Vector x) {
  const Vector t = absolute(x);
  const Vector square = atMost(x * x, splat(1.0f));
  const Vector ofSmall = x * polynomial(square, kErrorTerms);
  const Vector held = atMost(atLeast(t, splat(1.0f)), splat(6.0f));
  const Vector logarithm = polynomial(held, kLogComplementTerms);
  return {ofSmall, exponential(logarithm)};
}

SNUG_INLINE Vector errorFunction(Vector x) {
  const ErrorFunction parts = errorFunctionParts(x);
  const Vector large = withSign(splat(1.0f) - parts.complement, x);
  return absolute(x) > splat(1.0f) ? large : parts.ofSmall;
}

SNUG_INLINE Vector gelu(Vector x) {
  constexpr float kRootHalf = 0.707106781f;
  const Vector scaled = x * splat(kRootHalf);
  const ErrorFunction parts = errorFunctionParts(scaled);
  // 1 + erf(scaled)
  const Vector large =
      scaled < zero() ? parts.complement : splat(2.0f) - parts.complement;
  const Vector sum =
      absolute(scaled) > splat(1.0f) ? large : splat(1.0f) + parts.ofSmall;
  return splat(0.5f) * x * sum;
}

SNUG_INLINE Vector squareRoot(Vector value) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  return _mm512_maskz_sqrt_ps(static_cast<__mmask16>(-1), value);
#elif defined(__AVX__) && SNUG_KERNEL_LANES == 8
  return _mm256_sqrt_ps(value);
#elif defined(__SSE__) && SNUG_KERNEL_LANES == 4
  return _mm_sqrt_ps(value);
#else
  for (int lane = 0; lane < kLanes; ++lane)
    value[lane] = __builtin_sqrtf(value[lane]);
  return value;
#endif
}

/// The nearest integer; halves to even.
SNUG_INLINE Vector nearestInteger(Vector value) {
  constexpr float kAllIntegers = 8388608.0f; // 2^23: no fractions from here on
  const Vector size = absolute(value);
  const Vector rounded = size + splat(kAllIntegers) - splat(kAllIntegers);
  return size < splat(kAllIntegers) ? withSign(rounded, value) : value;
}
SNUG_INLINE Vector roundedDown(Vector value) {
  const Vector near = nearestInteger(value);
  return near > value ? near - splat(1.0f) : near;
}
SNUG_INLINE Vector roundedUp(Vector value) {
  const Vector near = nearestInteger(value);
  return near < value ? withSign(absolute(near + splat(1.0f)), value) : near;
}

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_VECTORMATH_H
