// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text out of files as it may go to a terminal.
#ifndef SNUG_TOOLS_SHARED_PRINTABLE_H
#define SNUG_TOOLS_SHARED_PRINTABLE_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace snug::tool {

/// `text` with control characters as \xNN. Names in a message come from files:
/// a terminal must not obey them, and a message stays one line.
inline std::string printable(llvm::StringRef text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      result += c;
    else
      result += "\\x" + llvm::utohexstr(byte, /*LowerCase=*/true, /*Width=*/2);
  }
  return result;
}

} // namespace snug::tool

#endif // SNUG_TOOLS_SHARED_PRINTABLE_H
