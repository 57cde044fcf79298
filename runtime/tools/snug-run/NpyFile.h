// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy's .npy files of float32, read into and written from memory in place.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_NPYFILE_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_NPYFILE_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace snug {
namespace runner {

/// Reads a C-ordered little-endian float32 array of exactly `shape` straight
/// into `data`. Format versions 1 and 2, as described in NumPy's
/// lib/format. Returns an empty string, or what is wrong with the file.
std::string readNpy(const char *path, const int64_t *shape, size_t rank,
                    float *data);

/// Writes such an array (version 1). Returns an empty string or the error.
std::string writeNpy(const char *path, const int64_t *shape, size_t rank,
                     const float *data);

/// "1x3x608x608"; "scalar" for rank 0.
std::string shapeText(const int64_t *shape, size_t rank);

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_NPYFILE_H
