// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The multiply-add peak of this machine's cores.
#ifndef SNUG_RUNTIME_BENCHMARK_PEAK_H
#define SNUG_RUNTIME_BENCHMARK_PEAK_H

#include "snug/runtime/Catalogue.h"

#include <cstdint>

namespace snug {
namespace runtime {

/// Runs `iterations` rounds of independent multiply-adds in the widest
/// registers of `target` and returns the floating-point operations done.
double runMultiplyAdds(Target target, int64_t iterations);

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_BENCHMARK_PEAK_H
