// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts every allocation of the test process, malloc's and operator new's.
#ifndef SNUG_RUNTIME_CONFORMANCE_ALLOCATIONCOUNT_H
#define SNUG_RUNTIME_CONFORMANCE_ALLOCATIONCOUNT_H

#include <cstdint>

namespace snug {
namespace testing {

/// Calls so far of malloc, calloc, realloc and the aligned allocators, from any
/// thread; of operator new alone where a sanitizer or another C library keeps
/// malloc to itself.
uint64_t allocationCount();

} // namespace testing
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_ALLOCATIONCOUNT_H
