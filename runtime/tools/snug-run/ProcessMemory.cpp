// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads /proc/self line by line through a small buffer; gives pages of code
// back.

#include "ProcessMemory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace snug {
namespace runner {

namespace {

/// Calls `onLine` with every line until it returns false. Longer lines than the
/// buffer arrive in pieces, which no caller takes for a field.
template <typename OnLine> void forEachLine(const char *path, OnLine onLine) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return;
  char buffer[1024];
  size_t held = 0;
  bool more = true;
  while (more) {
    const ssize_t got = read(file, buffer + held, sizeof(buffer) - 1 - held);
    if (got <= 0)
      break;
    held += static_cast<size_t>(got);
    size_t begin = 0;
    for (size_t i = 0; i < held && more; ++i) {
      if (buffer[i] != '\n')
        continue;
      buffer[i] = '\0';
      more = onLine(buffer + begin);
      begin = i + 1;
    }
    if (begin == 0 && held == sizeof(buffer) - 1)
      begin = held; // drop a piece of an overlong line
    std::memmove(buffer, buffer + begin, held - begin);
    held -= begin;
  }
  close(file);
}

/// "Rss:   12 kB" with field "Rss:"; the system always writes kibibytes.
bool kibibytes(const char *line, const char *field, uint64_t *out_bytes) {
  const size_t length = std::strlen(field);
  if (std::strncmp(line, field, length) != 0)
    return false;
  *out_bytes = std::strtoull(line + length, nullptr, 10) * 1024;
  return true;
}

bool isTraced() {
  bool traced = false;
  forEachLine("/proc/self/status", [&traced](const char *line) {
    if (std::strncmp(line, "TracerPid:", 10) == 0)
      traced = std::strtoull(line + 10, nullptr, 10) != 0;
    return true;
  });
  return traced;
}

/// Whether the mapping that holds `address` is one of a file: a packed program
/// has unpacked itself into memory that would come back empty.
bool isMappedFile(uintptr_t address) {
  bool isFile = false;
  forEachLine("/proc/self/maps", [&](const char *line) {
    unsigned long long low = 0, high = 0, inode = 0;
    if (std::sscanf(line, "%llx-%llx %*s %*s %*s %llu", &low, &high, &inode) !=
            3 ||
        address < low || high <= address)
      return true;
    isFile = inode != 0;
    return false;
  });
  return isFile;
}

/// Segments that nothing writes hold nothing but what the file holds.
int releaseSegments(dl_phdr_info *program, size_t, void *) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = program->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W))
      continue;
    const uintptr_t first = program->dlpi_addr + segment.p_vaddr;
    const uintptr_t begin = (first + page - 1) / page * page;
    const uintptr_t end = (first + segment.p_memsz) / page * page;
    if (begin < end && isMappedFile(begin))
      madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
  }
  return 1; // the program itself is the first; no library
}

} // namespace

ProcessMemory processMemory() {
  ProcessMemory memory;
  forEachLine("/proc/self/status", [&memory](const char *line) {
    kibibytes(line, "VmHWM:", &memory.peak) ||
        kibibytes(line, "RssAnon:", &memory.anonymous) ||
        kibibytes(line, "RssFile:", &memory.fileBacked);
    return true;
  });
  return memory;
}

uint64_t residentBytes(const void *address) {
  const uintptr_t wanted = reinterpret_cast<uintptr_t>(address);
  uint64_t bytes = 0;
  bool inside = false;
  forEachLine("/proc/self/smaps", [&](const char *line) {
    if (inside)
      return !kibibytes(line, "Rss:", &bytes);
    char *end = nullptr;
    const unsigned long long low = std::strtoull(line, &end, 16);
    if (end == line || *end != '-')
      return true;
    const unsigned long long high = std::strtoull(end + 1, nullptr, 16);
    inside = low <= wanted && wanted < high;
    return true;
  });
  return bytes;
}

void releaseCode() {
  if (!isTraced())
    dl_iterate_phdr(releaseSegments, nullptr);
}

} // namespace runner
} // namespace snug
