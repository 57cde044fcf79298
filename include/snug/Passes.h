// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of all passes, for tools and plugins.
#ifndef SNUG_PASSES_H
#define SNUG_PASSES_H

namespace snug {

/// Registers every pass in passes/ under its flag, snug-<name>. The function is
/// generated from the folders there (passes/CMakeLists.txt).
void registerAllPasses();

} // namespace snug

#endif // SNUG_PASSES_H
