// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What this machine can do at best: multiply-adds, and plain copies.
#ifndef SNUG_RUNTIME_BENCHMARK_PEAK_H
#define SNUG_RUNTIME_BENCHMARK_PEAK_H

#include "snug/runtime/Catalogue.h"

#include <cstdint>

namespace snug {
namespace runtime {

/// Runs `iterations` rounds of independent multiply-adds in the widest
/// registers of `target` and returns the floating-point operations done.
double runMultiplyAdds(Target target, int64_t iterations);

/// Reads `readFloats` and writes `writtenFloats`, copying as many as both have.
void runStream(const float *read, int64_t readFloats, float *written,
               int64_t writtenFloats);

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_BENCHMARK_PEAK_H
