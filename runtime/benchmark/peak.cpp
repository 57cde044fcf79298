// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops of multiply-adds on registers alone, in assembly, so that no compiler
// removes or spills anything; and copies.
#include "peak.h"

#include <cstring>

namespace snug {
namespace runtime {
namespace {

#define SNUG_REPEAT_12(X)                                                      \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#if defined(__x86_64__)

#define SNUG_CLOBBERED                                                         \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",      \
      "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"

double runAvx512(int64_t n) {
#define SNUG_STEP(i) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #i "\n"
  const double operations = double(n) * 24 * 16 * 2;
  __asm__ volatile("vxorps %%xmm14, %%xmm14, %%xmm14\n"
                   "vxorps %%xmm15, %%xmm15, %%xmm15\n"
                   "1:\n" SNUG_REPEAT_12(SNUG_STEP)
                       SNUG_REPEAT_12(SNUG_STEP) "dec %0\n"
                                                 "jnz 1b\n"
                                                 "vzeroupper\n"
                   : "+r"(n)
                   :
                   : SNUG_CLOBBERED);
#undef SNUG_STEP
  return operations;
}

double runAvx2(int64_t n) {
#define SNUG_STEP(i) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #i "\n"
  const double operations = double(n) * 24 * 8 * 2;
  __asm__ volatile("vxorps %%xmm14, %%xmm14, %%xmm14\n"
                   "vxorps %%xmm15, %%xmm15, %%xmm15\n"
                   "1:\n" SNUG_REPEAT_12(SNUG_STEP)
                       SNUG_REPEAT_12(SNUG_STEP) "dec %0\n"
                                                 "jnz 1b\n"
                                                 "vzeroupper\n"
                   : "+r"(n)
                   :
                   : SNUG_CLOBBERED);
#undef SNUG_STEP
  return operations;
}

/// Without multiply-add: six multiplications beside six additions.
double runPortable(int64_t n) {
#define SNUG_STEP(a, b)                                                        \
  "mulps %%xmm14, %%xmm" #a "\naddps %%xmm15, %%xmm" #b "\n"
#define SNUG_SIX                                                               \
  SNUG_STEP(0, 6)                                                              \
  SNUG_STEP(1, 7)                                                              \
  SNUG_STEP(2, 8) SNUG_STEP(3, 9) SNUG_STEP(4, 10) SNUG_STEP(5, 11)
  const double operations = double(n) * 24 * 4;
  __asm__ volatile("xorps %%xmm0, %%xmm0\nxorps %%xmm1, %%xmm1\n"
                   "xorps %%xmm2, %%xmm2\nxorps %%xmm3, %%xmm3\n"
                   "xorps %%xmm4, %%xmm4\nxorps %%xmm5, %%xmm5\n"
                   "xorps %%xmm6, %%xmm6\nxorps %%xmm7, %%xmm7\n"
                   "xorps %%xmm8, %%xmm8\nxorps %%xmm9, %%xmm9\n"
                   "xorps %%xmm10, %%xmm10\nxorps %%xmm11, %%xmm11\n"
                   "xorps %%xmm14, %%xmm14\nxorps %%xmm15, %%xmm15\n"
                   "1:\n" SNUG_SIX SNUG_SIX "dec %0\n"
                   "jnz 1b\n"
                   : "+r"(n)
                   :
                   : SNUG_CLOBBERED);
#undef SNUG_SIX
#undef SNUG_STEP
  return operations;
}

#elif defined(__aarch64__)

double runPortable(int64_t n) {
#define SNUG_STEP(i) "fmla v" #i ".4s, v30.4s, v31.4s\n"
  const double operations = double(n) * 24 * 4 * 2;
  __asm__ volatile("movi v30.4s, #0\nmovi v31.4s, #0\n"
                   "1:\n" SNUG_REPEAT_12(SNUG_STEP)
                       SNUG_REPEAT_12(SNUG_STEP) "subs %0, %0, #1\n"
                                                 "b.ne 1b\n"
                   : "+r"(n)
                   :
                   : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16",
                     "v17", "v18", "v19", "v8", "v9", "v10", "v11", "v30",
                     "v31", "cc");
#undef SNUG_STEP
  return operations;
}

#else

double runPortable(int64_t n) {
  typedef float Vector __attribute__((vector_size(16)));
  Vector sums[12] = {}, factor = {};
  for (int64_t i = 0; i < n; ++i)
    for (int s = 0; s < 12; ++s) {
      sums[s] += factor * factor;
      __asm__ volatile("" : "+m"(sums[s]));
    }
  return double(n) * 12 * 4 * 2;
}

#endif

typedef float Four __attribute__((vector_size(16)));
typedef float UnalignedFour
    __attribute__((vector_size(16), aligned(4), may_alias));

/// Reads `floats` numbers in four streams, which together are faster than one:
/// prefetchers follow a stream to the end of its page only.
void readAll(const float *from, int64_t floats) {
  constexpr int64_t kStreams = 4;
  const int64_t length = floats / kStreams / 16 * 16;
  Four sum[kStreams] = {};
  for (int64_t i = 0; i < length; i += 16)
    for (int64_t s = 0; s < kStreams; ++s)
      for (int64_t v = 0; v < 16; v += 4)
        sum[s] +=
            *reinterpret_cast<const UnalignedFour *>(from + s * length + i + v);
  sum[0] += sum[1] + (sum[2] + sum[3]);
  for (int64_t i = kStreams * length; i < floats; ++i)
    sum[0][0] += from[i];
  __asm__ volatile("" : : "m"(sum[0]));
}

} // namespace

void runStream(const float *read, int64_t readFloats, float *written,
               int64_t writtenFloats) {
  const int64_t copied =
      readFloats < writtenFloats ? readFloats : writtenFloats;
  std::memcpy(written, read, size_t(copied) * sizeof(float));
  readAll(read + copied, readFloats - copied);
  std::memset(written + copied, 0,
              size_t(writtenFloats - copied) * sizeof(float));
}

double runMultiplyAdds(Target target, int64_t iterations) {
#if defined(__x86_64__)
  if (target == Target::AVX512)
    return runAvx512(iterations);
  if (target == Target::AVX2)
    return runAvx2(iterations);
#endif
  return runPortable(iterations);
}

} // namespace runtime
} // namespace snug
