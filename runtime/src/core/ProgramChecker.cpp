// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifies a program's own figures, bindings and segments, then each call.

#include "Call.h"
#include "Plan.h"
#include "Status.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace snug {
namespace runtime {

namespace {

using Bindings =
    flatbuffers::Vector<flatbuffers::Offset<schema::TensorBinding>>;

snug_status checkTarget(const schema::Program &program, bool anyTarget) {
  const int number = static_cast<int>(program.target());
  if (number > static_cast<int>(Target::AVX512))
    return failure(SNUG_UNSUPPORTED,
                   "plan is made for target number %d, which this runtime does "
                   "not know; use a newer runtime",
                   number);
  const Target target = static_cast<Target>(number);
  if (anyTarget)
    return success();
  int best = static_cast<int>(hostTarget());
  while (!kernelTable(static_cast<Target>(best))) // those of Portable are there
    --best;
  if (number > static_cast<int>(hostTarget()))
    return failure(SNUG_UNSUPPORTED,
                   "plan is made for %s, but this machine runs %s at most; "
                   "compile the model with --target=%s",
                   targetName(target), targetName(hostTarget()),
                   targetName(static_cast<Target>(best)));
  if (!kernelTable(target))
    return failure(SNUG_UNSUPPORTED,
                   "plan is made for %s, whose kernels this runtime was built "
                   "without; compile the model with --target=%s",
                   targetName(target), targetName(static_cast<Target>(best)));
  return success();
}

snug_status checkBinding(const char *role, uint32_t index,
                         const schema::TensorBinding &binding,
                         uint64_t arenaBytes) {
  const char *name = binding.name()->c_str();
  if (!*name)
    return failure(SNUG_INVALID_PLAN, "%s %" PRIu32 " has no name", role,
                   index);
  const auto *shape = binding.shape();
  if (shape->size() > kMaxRank)
    return failure(SNUG_INVALID_PLAN,
                   "%s '%.80s' has %" PRIu32 " dimensions; at most %d are read",
                   role, name, shape->size(), static_cast<int>(kMaxRank));
  uint64_t bytes = sizeof(float);
  for (uint32_t axis = 0; axis < shape->size(); ++axis) {
    // Not Get(): a hostile file need not align the vector's elements.
    int64_t extent = 0;
    std::memcpy(&extent, shape->Data() + axis * sizeof(extent), sizeof(extent));
    if (extent < 1 ||
        __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
      return failure(SNUG_INVALID_PLAN,
                     "%s '%.80s' has extent %" PRId64 " on axis %" PRIu32
                     "; the product must be a size",
                     role, name, extent, axis);
  }
  if (bytes != binding.bytes())
    return failure(SNUG_INVALID_PLAN,
                   "%s '%.80s' has %" PRIu64
                   " bytes, but its shape takes %" PRIu64,
                   role, name, binding.bytes(), bytes);
  if (binding.offset() % kBufferAlignment != 0 ||
      binding.offset() > arenaBytes ||
      binding.bytes() > arenaBytes - binding.offset())
    return failure(SNUG_INVALID_PLAN,
                   "%s '%.80s' at byte %" PRIu64
                   " is misaligned or lies past the arena's %" PRIu64 " bytes",
                   role, name, binding.offset(), arenaBytes);
  return success();
}

/// As strcmp(), of which GCC with sanitizers believes that it reads past the
/// FlatBuffer's tables, whose types have no members.
int compareNames(const char *a, const char *b) {
  while (*a && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}

/// Names are unique. Those of a hostile file may overlap, each as long as the
/// file: together they take no more than the program, and are compared with few
/// others each.
snug_status checkNames(const char *role, const Bindings &bindings,
                       uint64_t programBytes) {
  const char *names[kMaxBindings];
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < bindings.size(); ++i) {
    const flatbuffers::String &name = *bindings.Get(i)->name();
    names[i] = name.c_str();
    bytes += name.size();
  }
  if (bytes > programBytes)
    return failure(SNUG_INVALID_PLAN,
                   "names of %ss take %" PRIu64
                   " bytes, more than the whole program",
                   role, bytes);
  std::sort(names, names + bindings.size(), [](const char *a, const char *b) {
    return compareNames(a, b) < 0;
  });
  for (uint32_t i = 1; i < bindings.size(); ++i)
    if (compareNames(names[i - 1], names[i]) == 0)
      return failure(SNUG_INVALID_PLAN, "plan has two %ss named '%.80s'", role,
                     names[i]);
  return success();
}

snug_status checkBindings(const char *role, const Bindings &bindings,
                          uint64_t arenaBytes, uint64_t programBytes,
                          bool disjoint) {
  if (bindings.size() > kMaxBindings)
    return failure(SNUG_INVALID_PLAN,
                   "plan has %" PRIu32 " %ss; at most %d are read",
                   bindings.size(), role, static_cast<int>(kMaxBindings));
  for (uint32_t i = 0; i < bindings.size(); ++i) {
    const schema::TensorBinding &a = *bindings.Get(i);
    const snug_status status = checkBinding(role, i, a, arenaBytes);
    if (failed(status))
      return status;
    // Filling one input must not spoil another.
    for (uint32_t j = 0; disjoint && j < i; ++j) {
      const schema::TensorBinding &b = *bindings.Get(j);
      if (a.offset() < b.offset() + b.bytes() &&
          b.offset() < a.offset() + a.bytes())
        return failure(SNUG_INVALID_PLAN,
                       "%ss '%.80s' and '%.80s' overlap in the arena", role,
                       b.name()->c_str(), a.name()->c_str());
    }
  }
  return checkNames(role, bindings, programBytes);
}

snug_status checkSegments(const schema::Program &program,
                          uint64_t weightsBytes) {
  if (program.weight_bytes() != weightsBytes)
    return failure(SNUG_INVALID_PLAN,
                   "program speaks of %" PRIu64
                   " bytes of weights, the header of %" PRIu64,
                   program.weight_bytes(), weightsBytes);
  const auto *segments = program.segments();
  for (uint32_t i = 0; i < segments->size(); ++i) {
    const schema::Range &range = *segments->Get(i)->range();
    if (range.offset() % kBufferAlignment != 0 ||
        range.offset() > weightsBytes ||
        range.bytes() > weightsBytes - range.offset())
      return failure(SNUG_INVALID_PLAN,
                     "segment %" PRIu32 " '%.80s' at byte %" PRIu64
                     " with %" PRIu64
                     " bytes is misaligned or lies past the weights' %" PRIu64,
                     i, segments->Get(i)->name()->c_str(), range.offset(),
                     range.bytes(), weightsBytes);
  }
  return success();
}

/// Ranges of streamed weights: whole pages inside the section, mapped in the
/// order of the instructions, never two at one place.
snug_status checkWeightRanges(const schema::Program &program,
                              uint64_t weightsBytes) {
  const auto *ranges = program.weight_ranges();
  const uint32_t count = ranges ? ranges->size() : 0;
  if (count > 0 && !program.stream_weights())
    return failure(SNUG_INVALID_PLAN,
                   "plan has %" PRIu32
                   " ranges of weights, but does not stream them",
                   count);
  for (uint32_t i = 0; i < count; ++i) {
    const schema::WeightRange &range = *ranges->Get(i);
    if (range.begin() >= range.end() ||
        range.end() > program.instructions()->size())
      return failure(SNUG_INVALID_PLAN,
                     "weight range %" PRIu32 " is of instructions [%" PRIu32
                     ", %" PRIu32 ") of %" PRIu32,
                     i, range.begin(), range.end(),
                     program.instructions()->size());
    if (range.offset() % kPageBytes != 0 || range.bytes() % kPageBytes != 0 ||
        range.bytes() == 0 || range.offset() > weightsBytes ||
        range.bytes() > weightsBytes - range.offset())
      return failure(SNUG_INVALID_PLAN,
                     "weight range %" PRIu32 " at byte %" PRIu64
                     " with %" PRIu64
                     " bytes is no whole pages of the weights' %" PRIu64,
                     i, range.offset(), range.bytes(), weightsBytes);
    if (i == 0)
      continue;
    const schema::WeightRange &before = *ranges->Get(i - 1);
    const bool together = range.begin() == before.begin() &&
                          range.end() == before.end() &&
                          range.offset() >= before.offset() + before.bytes();
    if (!together && range.begin() < before.end())
      return failure(
          SNUG_INVALID_PLAN,
          "weight range %" PRIu32 " overlaps or precedes the one before it", i);
  }
  return success();
}

} // namespace

snug_status checkProgram(const schema::Program &program, uint64_t programBytes,
                         uint64_t weightsBytes, bool anyTarget) {
  snug_status status = checkTarget(program, anyTarget);
  if (failed(status))
    return status;
  if (program.threads() < 1 || program.threads() > kMaxThreads)
    return failure(SNUG_INVALID_PLAN,
                   "plan is made for %d threads; it must be in [1, %d]",
                   program.threads(), kMaxThreads);
  if (program.arena_bytes() == 0 || program.arena_bytes() > kMaxArenaBytes ||
      program.arena_bytes() % kPageBytes != 0)
    return failure(SNUG_INVALID_PLAN,
                   "plan has an arena of %" PRIu64
                   " bytes; it must be a multiple of %d in (0, %" PRIu64 "]",
                   program.arena_bytes(), static_cast<int>(kPageBytes),
                   kMaxArenaBytes);
  status = checkBindings("input", *program.inputs(), program.arena_bytes(),
                         programBytes, /*disjoint=*/true);
  if (failed(status))
    return status;
  status = checkBindings("output", *program.outputs(), program.arena_bytes(),
                         programBytes, /*disjoint=*/false);
  if (failed(status))
    return status;
  status = checkSegments(program, weightsBytes);
  if (failed(status))
    return status;
  status = checkWeightRanges(program, weightsBytes);
  if (failed(status))
    return status;

  const CallLimits limits = {&program, program.arena_bytes(),
                             static_cast<Target>(program.target()),
                             program.threads()};
  Call call;
  for (uint32_t i = 0; i < program.instructions()->size(); ++i) {
    status = checkCall(limits, i, &call);
    if (failed(status))
      return status;
  }
  return success();
}

} // namespace runtime
} // namespace snug
