// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The caller's allocator, or malloc where there is none.
#ifndef SNUG_RUNTIME_SRC_CORE_MEMORY_H
#define SNUG_RUNTIME_SRC_CORE_MEMORY_H

#include "snug/runtime/runtime.h"

#include <cstddef>
#include <cstdlib>

namespace snug {
namespace runtime {

/// A copy of the caller's allocator, so that the struct itself need not live
/// on.
class Allocator {
public:
  explicit Allocator(const snug_allocator *callers = nullptr)
      : functions(callers ? *callers
                          : snug_allocator{nullptr, nullptr, nullptr}) {}

  /// Null where memory ran out. Aligned as malloc aligns.
  void *allocate(size_t bytes) const {
    return functions.allocate ? functions.allocate(functions.context, bytes)
                              : std::malloc(bytes);
  }
  void release(void *pointer) const {
    if (functions.release)
      functions.release(functions.context, pointer);
    else
      std::free(pointer);
  }

private:
  snug_allocator functions;
};

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_MEMORY_H
