// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes in bytes as users write and read them.
#ifndef SNUG_ANALYSIS_SIZES_H
#define SNUG_ANALYSIS_SIZES_H

#include "snug/Network/Result.h"

#include <cstdint>
#include <string>

namespace snug {

/// Parses "64MiB", "64 MB", "1.5GiB", "4096B" or "4096": a number that is not
/// negative with an optional unit B, KB, MB, GB (powers of 1000), KiB, MiB, GiB
/// (powers of 1024). Fractions are rounded down. Error: anything else, or more
/// than 64 bits.
Result<int64_t> parseBytes(const std::string &text);

/// "14.20 MiB": the largest binary unit with a value of at least 1.
std::string formatBytes(int64_t bytes);

} // namespace snug

#endif // SNUG_ANALYSIS_SIZES_H
