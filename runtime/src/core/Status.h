// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statuses with formatted messages.
#ifndef SNUG_RUNTIME_SRC_CORE_STATUS_H
#define SNUG_RUNTIME_SRC_CORE_STATUS_H

#include "snug/runtime/runtime.h"

#include <cstdarg>
#include <cstdio>

namespace snug {
namespace runtime {

inline snug_status success() {
  snug_status status;
  status.code = SNUG_OK;
  status.message[0] = '\0';
  return status;
}

inline bool failed(const snug_status &status) { return status.code != SNUG_OK; }

/// A status with a message formatted as by printf. Names in a message come from
/// files, so control characters are replaced: a terminal must not obey them.
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
inline snug_status failure(snug_status_code code, const char *format, ...) {
  snug_status status;
  status.code = code;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(status.message, sizeof(status.message), format, arguments);
  va_end(arguments);
  for (char *c = status.message; *c; ++c)
    if (static_cast<unsigned char>(*c) < 0x20 || *c == 0x7f)
      *c = '?';
  return status;
}

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_STATUS_H
