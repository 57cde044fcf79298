// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fuzz target: whatever the bytes, loading them as a plan gives a status, and a
// plan that loads can be asked everything, prepared and run without leaving its
// arena.
//
// The input is a plan file whose checksum and section sizes are put right
// first: a hostile file has them right, and nearly all mutations would end
// there. An input whose first byte is not the magic's is taken as it is.
#include "snug/runtime/PlanFormat.h"
#include "snug/runtime/runtime.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using snug::runtime::PlanHeader;

constexpr size_t kPage = 4096;
/// What a run may take: larger plans are loaded, not run.
constexpr uint64_t kMostArenaBytes = uint64_t{1} << 22;

/// Sections that fill the file, and the checksum that it should have.
void seal(unsigned char *bytes, size_t size) {
  PlanHeader header;
  if (size < sizeof(header) || bytes[0] != 'S')
    return;
  std::memcpy(&header, bytes, sizeof(header));
  std::memcpy(header.magic, snug::runtime::kPlanMagic, sizeof(header.magic));
  header.version = snug::runtime::kPlanVersion;
  header.headerBytes = sizeof(header);
  header.programOffset = sizeof(header);
  if (header.programBytes > size - sizeof(header))
    header.programBytes = size - sizeof(header);
  header.weightsOffset =
      (sizeof(header) + header.programBytes + kPage - 1) / kPage * kPage;
  if (header.weightsOffset > size) {
    header.weightsOffset = size / kPage * kPage;
    if (header.weightsOffset < sizeof(header))
      return;
    header.programBytes = header.weightsOffset - sizeof(header);
  }
  header.weightsBytes = size - header.weightsOffset;
  header.fileBytes = size;
  header.checksum = 0;
  std::memcpy(bytes, &header, sizeof(header));
  header.checksum = snug::runtime::planChecksum(bytes, header.weightsOffset);
  std::memcpy(bytes, &header, sizeof(header));
}

void ask(const snug_plan *plan) {
  snug_tensor_info tensor;
  snug_group_info group;
  for (size_t i = 0; i <= snug_plan_input_count(plan); ++i)
    (void)snug_plan_input_info(plan, i, &tensor);
  for (size_t i = 0; i <= snug_plan_output_count(plan); ++i)
    (void)snug_plan_output_info(plan, i, &tensor);
  for (size_t i = 0; i < snug_plan_group_count(plan); ++i)
    if (snug_plan_group_info(plan, i, &group).code == SNUG_OK)
      for (size_t op = 0; op <= group.op_count; ++op)
        (void)snug_plan_group_op(plan, i, op);
}

/// The arena is the heap's, at its very length: a step outside is seen.
void runIn(const snug_plan *plan) {
  const uint64_t bytes = snug_plan_arena_bytes(plan);
  if (bytes > kMostArenaBytes || snug_plan_threads(plan) > 4)
    return;
  void *arena = nullptr;
  if (posix_memalign(&arena, kPage, bytes) != 0)
    return;
  std::memset(arena, 0, bytes);
  snug_executor_options options;
  snug_executor_options_init(&options);
  options.arena = arena;
  options.arena_bytes = bytes;
  snug_executor *executor = nullptr;
  if (snug_executor_create(plan, &options, &executor).code == SNUG_OK)
    (void)snug_executor_run(executor);
  snug_executor_release(executor);
  std::free(arena);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  void *bytes = nullptr;
  if (posix_memalign(&bytes, kPage, size) != 0)
    return 0;
  std::memcpy(bytes, data, size);
  seal(static_cast<unsigned char *>(bytes), size);
  snug_plan *plan = nullptr;
  if (snug_plan_load_memory(bytes, size, nullptr, &plan).code == SNUG_OK) {
    ask(plan);
    runIn(plan);
  }
  snug_plan_release(plan);
  std::free(bytes);
  return 0;
}
