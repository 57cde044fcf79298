// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stands in for the C library's allocators and counts the calls.

#include "AllocationCount.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace {
std::atomic<uint64_t> allocations{0};
} // namespace

namespace snug {
namespace testing {
uint64_t allocationCount() { return allocations.load(); }
} // namespace testing
} // namespace snug

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SNUG_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SNUG_SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SNUG_SANITIZED)

extern "C" {
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *pointer);

void *malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void *realloc(void *pointer, size_t bytes) {
  ++allocations;
  return __libc_realloc(pointer, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **out_pointer, size_t alignment, size_t bytes) {
  ++allocations;
  *out_pointer = __libc_memalign(alignment, bytes);
  return *out_pointer ? 0 : ENOMEM;
}
void free(void *pointer) { __libc_free(pointer); }
}

#else

static void *counted(size_t bytes) {
  ++allocations;
  void *pointer = std::malloc(bytes ? bytes : 1);
  if (!pointer)
    std::abort();
  return pointer;
}
void *operator new(size_t bytes) { return counted(bytes); }
void *operator new[](size_t bytes) { return counted(bytes); }
void operator delete(void *pointer) noexcept { std::free(pointer); }
void operator delete[](void *pointer) noexcept { std::free(pointer); }
void operator delete(void *pointer, size_t) noexcept { std::free(pointer); }
void operator delete[](void *pointer, size_t) noexcept { std::free(pointer); }

#endif
