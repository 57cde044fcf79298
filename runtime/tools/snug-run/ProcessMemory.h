// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the system says this process takes.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_PROCESSMEMORY_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_PROCESSMEMORY_H

#include <cstdint>

namespace snug {
namespace runner {

/// Bytes, from /proc/self/status; zero where the system has no such file.
struct ProcessMemory {
  uint64_t peak = 0;       ///< VmHWM: largest resident set so far
  uint64_t anonymous = 0;  ///< RssAnon, now
  uint64_t fileBacked = 0; ///< RssFile, now: code, and weights used in place
};

ProcessMemory processMemory();

/// Resident bytes of the mapping that holds `address`, from /proc/self/smaps;
/// zero where that cannot be known.
uint64_t residentBytes(const void *address);

/// Gives back the resident pages of the program's code and constants. What is
/// used again comes back from the page cache, so that a process holds the code
/// of what it does now, not of all that it has done. Does nothing under a
/// debugger, whose breakpoints are in those pages.
void releaseCode();

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_PROCESSMEMORY_H
