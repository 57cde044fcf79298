// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps ranges of a plan file over reserved addresses, and takes them away.

#include "WeightStream.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <limits>
#include <sys/mman.h>
#include <unistd.h>

namespace snug {
namespace runtime {

namespace {

constexpr int kReserved = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

} // namespace

WeightStream::~WeightStream() {
  if (window)
    munmap(window, windowBytes);
}

snug_status WeightStream::prepare(const snug_plan &streamed) {
  const long page = sysconf(_SC_PAGESIZE);
  if (page <= 0 || kPageBytes % page != 0)
    return failure(SNUG_UNSUPPORTED,
                   "plan streams its weights in pages of %d bytes, but this "
                   "system's have %ld; compile the model with "
                   "--weights=resident",
                   static_cast<int>(kPageBytes), page);
  plan = &streamed;
  windowBytes = static_cast<size_t>(streamed.weightsBytes);
  if (windowBytes > 0) {
    void *reserved = mmap(nullptr, windowBytes, PROT_NONE, kReserved, -1, 0);
    if (reserved == MAP_FAILED)
      return failure(SNUG_OUT_OF_MEMORY,
                     "no addresses for %" PRIu64 " bytes of weights",
                     streamed.weightsBytes);
    window = static_cast<unsigned char *>(reserved);
  }
  findNext();
  return success();
}

/// The first instruction that needs other weights than are mapped.
void WeightStream::findNext() {
  const auto *ranges = plan->program->weight_ranges();
  const uint32_t count = ranges ? ranges->size() : 0;
  nextInstruction = std::numeric_limits<uint32_t>::max();
  if (firstMapped < nextRange)
    nextInstruction = ranges->Get(firstMapped)->end();
  else if (nextRange < count)
    nextInstruction = ranges->Get(nextRange)->begin();
}

void WeightStream::release() {
  const auto *ranges = plan->program->weight_ranges();
  for (; firstMapped < nextRange; ++firstMapped) {
    const schema::WeightRange &range = *ranges->Get(firstMapped);
    const size_t bytes = static_cast<size_t>(range.bytes());
    // In one step, so that nothing else can take the addresses. Where the
    // system has no room for that, the pages still go.
    if (mmap(window + range.offset(), bytes, PROT_NONE, kReserved | MAP_FIXED,
             -1, 0) == MAP_FAILED)
      madvise(window + range.offset(), bytes, MADV_DONTNEED);
  }
  mapped = 0;
}

snug_status WeightStream::advance(uint32_t index) {
  const auto *ranges = plan->program->weight_ranges();
  release();
  for (; nextRange < ranges->size(); ++nextRange) {
    const schema::WeightRange &range = *ranges->Get(nextRange);
    if (range.begin() != index)
      break;
    const size_t bytes = static_cast<size_t>(range.bytes());
    if (mmap(window + range.offset(), bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED,
             plan->file,
             static_cast<off_t>(plan->weightsInFile + range.offset())) ==
        MAP_FAILED)
      return failure(SNUG_OUT_OF_MEMORY,
                     "cannot map %" PRIu64
                     " bytes of weights for instruction %" PRIu32 ": %s",
                     range.bytes(), index, std::strerror(errno));
    mapped += range.bytes();
  }
  mostMapped = std::max(mostMapped, mapped);
  findNext();
  return success();
}

void WeightStream::rewind() {
  release();
  firstMapped = nextRange = 0;
  findNext();
}

} // namespace runtime
} // namespace snug
