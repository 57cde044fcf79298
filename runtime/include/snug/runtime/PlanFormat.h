// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fixed header of a plan file, shared by the exporter and the loader.
#ifndef SNUG_RUNTIME_PLANFORMAT_H
#define SNUG_RUNTIME_PLANFORMAT_H

#include <cstddef>
#include <cstdint>

namespace snug {
namespace runtime {

constexpr char kPlanMagic[8] = {'S', 'N', 'U', 'G', 'P', 'L', 'A', 'N'};
/// Also counts up when packed weights change their layout.
constexpr uint32_t kPlanVersion = 5;

/// Little endian, at offset 0. The program follows at `programOffset`, the
/// weights at `weightsOffset`, a multiple of kPageBytes; the file ends at
/// `fileBytes` == weightsOffset + weightsBytes.
struct PlanHeader {
  char magic[8];
  uint32_t version;
  uint32_t headerBytes; ///< sizeof(PlanHeader)
  uint64_t programOffset;
  uint64_t programBytes;
  uint64_t weightsOffset;
  uint64_t weightsBytes;
  uint64_t fileBytes;
  uint64_t checksum; ///< planChecksum() of [0, weightsOffset), this field as 0
};
static_assert(sizeof(PlanHeader) == 64, "the header's layout is fixed");

/// 64-bit FNV-1a; chain by passing the previous result as `seed`.
inline uint64_t planChecksum(const void *data, size_t bytes,
                             uint64_t seed = 0xcbf29ce484222325ull) {
  const unsigned char *p = static_cast<const unsigned char *>(data);
  for (size_t i = 0; i < bytes; ++i)
    seed = (seed ^ p[i]) * 0x100000001b3ull;
  return seed;
}

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_PLANFORMAT_H
