// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text out of files as it may stand in a page.
#ifndef SNUG_TOOLS_SNUG_HTML_H
#define SNUG_TOOLS_SNUG_HTML_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace snug::tool {

/// `text` as HTML: names in a model may hold anything, also bytes that are no
/// UTF-8.
inline std::string escapeHtml(llvm::StringRef text) {
  std::string valid =
      llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text);
  std::string escaped;
  llvm::raw_string_ostream stream(escaped);
  llvm::printHTMLEscaped(valid, stream);
  return escaped;
}

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_HTML_H
