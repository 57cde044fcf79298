// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens plan files: maps them, then verifies header, checksum, structure and
// program, in this order, before anything is used.

#include "Plan.h"

#include "Kernels.h"
#include "Status.h"
#include "snug/runtime/PlanFormat.h"

#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(FLATBUFFERS_LITTLEENDIAN,
              "plan files and weights are little endian and used in place");

namespace snug {
namespace runtime {

namespace {

// Program, bindings, segments, groups, instructions, kernels: a plan nests four
// tables deep.
constexpr flatbuffers::uoffset_t kMaxTableDepth = 8;

snug_status checkHeader(const PlanHeader &header, uint64_t bytes) {
  if (std::memcmp(header.magic, kPlanMagic, sizeof(kPlanMagic)) != 0)
    return failure(SNUG_INVALID_PLAN,
                   "not a snug plan; make one with 'snug compile'");
  if (header.version > kPlanVersion)
    return failure(SNUG_UNSUPPORTED,
                   "plan format version %" PRIu32
                   " is newer than version %" PRIu32
                   ", the newest this runtime reads; use a newer runtime or "
                   "compile the model with this version's compiler",
                   header.version, kPlanVersion);
  // Older plans do not say which weights a step needs.
  if (header.version > 0 && header.version < kPlanVersion)
    return failure(SNUG_UNSUPPORTED,
                   "plan format version %" PRIu32
                   " is older than version %" PRIu32
                   ", the only one this runtime reads; compile the model again",
                   header.version, kPlanVersion);
  if (header.version == 0 || header.headerBytes != sizeof(PlanHeader))
    return failure(SNUG_INVALID_PLAN,
                   "plan header is damaged (version %" PRIu32 ", %" PRIu32
                   " bytes); compile the model again",
                   header.version, header.headerBytes);
  if (header.fileBytes > bytes)
    return failure(SNUG_INVALID_PLAN,
                   "plan is truncated: it has %" PRIu64 " of %" PRIu64
                   " bytes; copy or compile it again",
                   bytes, header.fileBytes);
  const uint64_t programEnd = sizeof(PlanHeader) + header.programBytes;
  if (header.fileBytes != bytes || header.programOffset != sizeof(PlanHeader) ||
      header.programBytes > kMaxProgramBytes ||
      header.weightsOffset !=
          (programEnd + kPageBytes - 1) / kPageBytes * kPageBytes ||
      header.weightsOffset > bytes ||
      header.weightsBytes != bytes - header.weightsOffset)
    return failure(SNUG_INVALID_PLAN,
                   "plan header is damaged: its sections do not fill the "
                   "file's %" PRIu64 " bytes; compile the model again",
                   bytes);
  return success();
}

uint64_t checksumOf(const unsigned char *data, uint64_t end) {
  const size_t field = offsetof(PlanHeader, checksum);
  const unsigned char zero[sizeof(PlanHeader::checksum)] = {};
  uint64_t sum = planChecksum(data, field);
  sum = planChecksum(zero, sizeof(zero), sum);
  const size_t rest = field + sizeof(zero);
  return planChecksum(data + rest, static_cast<size_t>(end) - rest, sum);
}

/// Whether all groups together list no more names than the program has room
/// for. A hostile file may have all its groups be one table, or their lists one
/// list, and the verifier would walk over it again for each of them: hours for
/// a few megabytes. Everything else in a program it walks over once for each
/// reference.
bool groupsHaveRoom(const unsigned char *program, size_t bytes,
                    const flatbuffers::Verifier::Options &options) {
  using flatbuffers::Offset;
  using flatbuffers::Table;
  flatbuffers::Verifier verifier(program, bytes, options);
  const flatbuffers::uoffset_t start = verifier.VerifyOffset(size_t{0});
  if (start == 0)
    return false;
  const Table *root = reinterpret_cast<const Table *>(program + start);
  if (!root->VerifyTableStart(verifier) ||
      !root->VerifyOffsetRequired(verifier, schema::Program::VT_GROUPS))
    return false;
  const auto *groups =
      root->GetPointer<const flatbuffers::Vector<Offset<Table>> *>(
          schema::Program::VT_GROUPS);
  if (!verifier.VerifyVector(groups))
    return false;
  uint64_t names = 0;
  for (flatbuffers::uoffset_t i = 0; i < groups->size(); ++i) {
    const Table *group = groups->Get(i);
    if (!group->VerifyTableStart(verifier) ||
        !group->VerifyOffsetRequired(verifier, schema::Group::VT_OPS))
      return false;
    const auto *ops = group->GetPointer<
        const flatbuffers::Vector<Offset<flatbuffers::String>> *>(
        schema::Group::VT_OPS);
    if (!verifier.VerifyVector(ops) || !verifier.EndTable())
      return false;
    names += ops->size();
    if (names > bytes / sizeof(flatbuffers::uoffset_t))
      return false;
  }
  return true;
}

/// Verifies `bytes` at `data` and fills the plan.
snug_status openPlan(const unsigned char *data, uint64_t bytes, bool anyTarget,
                     snug_plan *plan) {
  PlanHeader header;
  if (bytes < sizeof(header)) {
    const bool begins =
        bytes == 0 ||
        std::memcmp(data, kPlanMagic,
                    bytes < sizeof(kPlanMagic) ? static_cast<size_t>(bytes)
                                               : sizeof(kPlanMagic)) == 0;
    return failure(SNUG_INVALID_PLAN, "%s: it has only %" PRIu64 " bytes",
                   begins ? "plan is truncated"
                          : "not a snug plan; make one with 'snug compile'",
                   bytes);
  }
  std::memcpy(&header, data, sizeof(header));
  snug_status status = checkHeader(header, bytes);
  if (failed(status))
    return status;
  if (checksumOf(data, header.weightsOffset) != header.checksum)
    return failure(SNUG_INVALID_PLAN,
                   "plan is damaged: its checksum does not match; copy or "
                   "compile it again");

  const unsigned char *program = data + header.programOffset;
  flatbuffers::Verifier::Options options;
  options.max_depth = kMaxTableDepth;
  // Every table takes at least eight bytes; more of them are one table many
  // times, which only costs time.
  options.max_tables =
      static_cast<flatbuffers::uoffset_t>(header.programBytes / 8);
  const size_t programBytes = static_cast<size_t>(header.programBytes);
  flatbuffers::Verifier verifier(program, programBytes, options);
  if (!groupsHaveRoom(program, programBytes, options) ||
      !schema::VerifyProgramBuffer(verifier))
    return failure(SNUG_INVALID_PLAN,
                   "plan's program is malformed; compile the model again");
  plan->bytes = data;
  plan->program = schema::GetProgram(program);
  plan->weights = data + header.weightsOffset;
  plan->weightsBytes = header.weightsBytes;

  status = checkProgram(*plan->program, header.programBytes,
                        header.weightsBytes, anyTarget);
  if (failed(status))
    return status;
  plan->target = static_cast<Target>(plan->program->target());
  if (plan->target <= hostTarget())
    plan->kernels = kernelTable(plan->target);
  return success();
}

snug_status newPlan(const snug_allocator *allocator, snug_plan **out_plan) {
  if (allocator && (!allocator->allocate || !allocator->release))
    return failure(
        SNUG_INVALID_ARGUMENT,
        "allocator lacks allocate or release; set both or pass null");
  const Allocator memory(allocator);
  void *place = memory.allocate(sizeof(snug_plan));
  if (!place)
    return failure(SNUG_OUT_OF_MEMORY, "no memory for a plan's handle");
  *out_plan = new (place) snug_plan;
  (*out_plan)->allocator = memory;
  return success();
}

/// Maps the file into the plan, read-only: weights are used where they lie. The
/// plan keeps the file open.
snug_status mapFile(const char *path, snug_plan *plan) {
  const int file = plan->file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return failure(errno == ENOENT ? SNUG_NOT_FOUND : SNUG_IO_ERROR,
                   "cannot open plan '%s': %s", path, std::strerror(errno));
  struct stat info;
  snug_status status = success();
  if (fstat(file, &info) != 0)
    status = failure(SNUG_IO_ERROR, "cannot read plan '%s': %s", path,
                     std::strerror(errno));
  else if (!S_ISREG(info.st_mode))
    status = failure(SNUG_IO_ERROR, "cannot read plan '%s': not a file", path);
  else if (info.st_size > 0) {
    const size_t bytes = static_cast<size_t>(info.st_size);
    void *mapping = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapping == MAP_FAILED) {
      status = failure(SNUG_IO_ERROR, "cannot map plan '%s': %s", path,
                       std::strerror(errno));
    } else {
      plan->mapping = mapping;
      plan->mappingBytes = bytes;
    }
  }
  return status;
}

/// Takes the weights of a plan that streams them out of the mapping, and closes
/// the file of another.
void leaveWeights(snug_plan *plan) {
  if (!plan->program->stream_weights()) {
    close(plan->file);
    plan->file = -1;
    return;
  }
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t front =
      (static_cast<size_t>(plan->weights - plan->bytes) + page - 1) / page *
      page;
  if (front < plan->mappingBytes) {
    munmap(static_cast<unsigned char *>(plan->mapping) + front,
           plan->mappingBytes - front);
    plan->mappingBytes = front;
  }
  plan->weightsInFile = static_cast<uint64_t>(plan->weights - plan->bytes);
  plan->weights = nullptr;
}

} // namespace

snug_status loadPlanFile(const char *path, const snug_allocator *allocator,
                         bool anyTarget, snug_plan **out_plan) {
  if (!path || !out_plan)
    return failure(SNUG_INVALID_ARGUMENT, "path and out_plan must not be null");
  *out_plan = nullptr;
  snug_plan *plan = nullptr;
  snug_status status = newPlan(allocator, &plan);
  if (failed(status))
    return status;
  status = mapFile(path, plan);
  if (!failed(status)) {
    status = openPlan(static_cast<const unsigned char *>(plan->mapping),
                      plan->mappingBytes, anyTarget, plan);
    if (failed(status))
      status = failure(status.code, "%.120s: %s", path, status.message);
    else
      leaveWeights(plan);
  }
  if (failed(status)) {
    snug_plan_release(plan);
    return status;
  }
  *out_plan = plan;
  return status;
}

} // namespace runtime
} // namespace snug

using namespace snug::runtime;

extern "C" {

snug_status snug_plan_load(const char *path, const snug_allocator *allocator,
                           snug_plan **out_plan) {
  return loadPlanFile(path, allocator, false, out_plan);
}

snug_status snug_plan_load_memory(const void *data, size_t bytes,
                                  const snug_allocator *allocator,
                                  snug_plan **out_plan) {
  if (!data || !out_plan)
    return failure(SNUG_INVALID_ARGUMENT, "data and out_plan must not be null");
  *out_plan = nullptr;
  if (reinterpret_cast<uintptr_t>(data) % kPageBytes != 0)
    return failure(SNUG_INVALID_ARGUMENT,
                   "plan in memory must be aligned to %d bytes",
                   static_cast<int>(kPageBytes));
  snug_plan *plan = nullptr;
  snug_status status = newPlan(allocator, &plan);
  if (failed(status))
    return status;
  status =
      openPlan(static_cast<const unsigned char *>(data), bytes, false, plan);
  if (failed(status)) {
    snug_plan_release(plan);
    return status;
  }
  *out_plan = plan;
  return status;
}

void snug_plan_release(snug_plan *plan) {
  if (!plan)
    return;
  if (plan->mapping)
    munmap(plan->mapping, plan->mappingBytes);
  if (plan->file >= 0)
    close(plan->file);
  const Allocator memory = plan->allocator;
  plan->~snug_plan();
  memory.release(plan);
}

} // extern "C"
