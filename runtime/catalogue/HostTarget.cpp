// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of targets, and which of them this machine can run.
#include "snug/runtime/Catalogue.h"

#include <cstring>

namespace snug {
namespace runtime {

Target hostTarget() {
#if defined(__x86_64__)
  // The builtins test cpuid and, by xgetbv, that the operating system saves
  // the wider registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    return Target::Portable;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Target::AVX512;
  return Target::AVX2;
#else
  return Target::Portable;
#endif
}

const char *targetName(Target target) {
  switch (target) {
  case Target::Portable:
    return "portable";
  case Target::AVX2:
    return "avx2";
  case Target::AVX512:
    return "avx512";
  }
  return "unknown";
}

bool parseTarget(const char *name, Target *out_target) {
  if (!name || !out_target)
    return false;
  if (std::strcmp(name, "host") == 0) {
    *out_target = hostTarget();
    return true;
  }
  const Target all[] = {Target::Portable, Target::AVX2, Target::AVX512};
  for (Target target : all) {
    if (std::strcmp(name, targetName(target)) == 0) {
      *out_target = target;
      return true;
    }
  }
  return false;
}

} // namespace runtime
} // namespace snug
