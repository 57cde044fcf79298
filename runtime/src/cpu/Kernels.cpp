// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Picks the kernels of an instruction set. Compiled for the baseline.
#include "Kernels.h"

namespace snug {
namespace runtime {

namespace portable {
const KernelTable &table();
}
#ifdef SNUG_X86_KERNELS
namespace avx2 {
const KernelTable &table();
}
#ifdef SNUG_AVX512_KERNELS
namespace avx512 {
const KernelTable &table();
}
#endif
#endif

const KernelTable *kernelTable(Target target) {
  switch (target) {
  case Target::Portable:
    return &portable::table();
#ifdef SNUG_X86_KERNELS
  case Target::AVX2:
    return &avx2::table();
#ifdef SNUG_AVX512_KERNELS
  case Target::AVX512:
    return &avx512::table();
#endif
#endif
  default: // not built
    break;
  }
  return nullptr;
}

} // namespace runtime
} // namespace snug
