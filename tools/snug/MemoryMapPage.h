// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws a memory map as a page, and writes it as JSON.
#ifndef SNUG_TOOLS_SNUG_MEMORYMAPPAGE_H
#define SNUG_TOOLS_SNUG_MEMORYMAPPAGE_H

#include "snug/Analysis/MemoryMap.h"

#include <nlohmann/json.hpp>

#include <string>

namespace snug::tool {

/// Writes one HTML file with a drawing of the arena (bytes against steps) and
/// of the weights. It needs nothing else: no script, no network. False after an
/// error was printed.
bool writeMemoryMapPage(const MemoryMap &map, const std::string &file);

/// Steps, live bytes and blocks.
nlohmann::ordered_json toJson(const MemoryMap &map);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_MEMORYMAPPAGE_H
