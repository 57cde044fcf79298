// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A loaded plan, as the loader, the executor and the plan's printer see it.
#ifndef SNUG_RUNTIME_SRC_CORE_PLAN_H
#define SNUG_RUNTIME_SRC_CORE_PLAN_H

#include "Memory.h"
#include "snug/runtime/Catalogue.h"
#include "snug/runtime/plan_generated.h"
#include "snug/runtime/runtime.h"

#include <cstddef>
#include <cstdint>

namespace snug {
namespace runtime {

struct KernelTable;

/// What a plan is held against. Larger figures are refused, so that no sum of
/// them overflows.
constexpr int kMaxThreads = 256;
constexpr uint64_t kMaxArenaBytes = uint64_t{1} << 40;
constexpr uint64_t kMaxProgramBytes = uint64_t{1} << 30;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxBindings = 4096;

/// Loads as snug_plan_load does. With `anyTarget`, a plan for an instruction
/// set that this machine lacks is accepted; it can be printed but not run.
snug_status loadPlanFile(const char *path, const snug_allocator *allocator,
                         bool anyTarget, snug_plan **out_plan);

/// Verifies every figure of a program whose FlatBuffer structure is sound and
/// takes `programBytes`.
snug_status checkProgram(const schema::Program &program, uint64_t programBytes,
                         uint64_t weightsBytes, bool anyTarget);

} // namespace runtime
} // namespace snug

/// Immutable after load. The program points into the mapped file.
struct snug_plan {
  snug::runtime::Allocator allocator;
  void *mapping = nullptr; ///< null where the caller keeps the bytes
  size_t mappingBytes = 0;
  /// Open where weights are streamed from it, and where they begin in it.
  int file = -1;
  uint64_t weightsInFile = 0;
  const unsigned char *bytes = nullptr;
  const snug::schema::Program *program = nullptr;
  /// Page-aligned; null where they are streamed from the file.
  const unsigned char *weights = nullptr;
  uint64_t weightsBytes = 0;
  snug::runtime::Target target = snug::runtime::Target::Portable;
  /// Null where this machine cannot run the target.
  const snug::runtime::KernelTable *kernels = nullptr;
};

#endif // SNUG_RUNTIME_SRC_CORE_PLAN_H
