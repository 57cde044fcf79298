// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The executor: everything is resolved and allocated when it is created, so
// that a run only calls kernels, one after the other.

#include "Call.h"
#include "Plan.h"
#include "Status.h"
#include "ThreadPool.h"
#include "WeightStream.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <time.h>

namespace snug {
namespace runtime {

namespace {

struct ProfileEntry {
  uint64_t startNs, durationNs, macs;
};
static_assert(sizeof(Call) + sizeof(ProfileEntry) <= 512,
              "what programBytesBound() allows for an instruction");

uint64_t nowNanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u +
         static_cast<uint64_t>(t.tv_nsec);
}

} // namespace

} // namespace runtime
} // namespace snug

using namespace snug::runtime;

struct snug_executor {
  snug_executor(const snug_plan &plan, const Allocator &allocator,
                const snug_allocator *callers)
      : plan(plan), allocator(allocator),
        pool(plan.program->threads(), callers) {}

  const snug_plan &plan;
  Allocator allocator;
  ThreadPool pool;
  WeightStream stream; ///< of a plan that streams its weights from a file
  unsigned char *arena = nullptr;
  bool ownsArena = false;
  uint32_t callCount = 0;
  Call *calls = nullptr;
  ProfileEntry *profile = nullptr;
  bool profiled = false; ///< the entries hold a run
  uint64_t executedMacs = 0;
};

namespace {

snug_status noMemory(const char *what, uint64_t bytes) {
  return failure(SNUG_OUT_OF_MEMORY, "no memory for %s (%" PRIu64 " bytes)",
                 what, bytes);
}

snug_status takeArena(const snug_executor_options &options,
                      snug_executor *executor) {
  const uint64_t needed = executor->plan.program->arena_bytes();
  if (options.arena) {
    if (reinterpret_cast<uintptr_t>(options.arena) % kBufferAlignment != 0)
      return failure(SNUG_INVALID_ARGUMENT,
                     "caller's arena must be aligned to %d bytes",
                     static_cast<int>(kBufferAlignment));
    if (options.arena_bytes < needed)
      return failure(SNUG_INVALID_ARGUMENT,
                     "caller's arena has %" PRIu64
                     " bytes, but the plan needs %" PRIu64,
                     options.arena_bytes, needed);
    executor->arena = static_cast<unsigned char *>(options.arena);
    return success();
  }
  void *arena =
      mmap(nullptr, static_cast<size_t>(needed), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (arena == MAP_FAILED)
    return noMemory("the arena", needed);
#ifdef MADV_HUGEPAGE
  // All of the arena will be in use, so large pages take no more memory; the
  // first run waits for fewer page faults, and kernels for fewer page walks.
  // A system that has none keeps small ones.
  madvise(arena, static_cast<size_t>(needed), MADV_HUGEPAGE);
#endif
  executor->arena = static_cast<unsigned char *>(arena);
  executor->ownsArena = true;
  return success();
}

/// Where weights come and go, all of the arena is taken now: the largest
/// weights may be read before the arena is in use from end to end, and the
/// first run would then take less than the second.
void touchArena(snug_executor *executor) {
  volatile unsigned char *arena = executor->arena;
  const uint64_t bytes = executor->plan.program->arena_bytes();
  for (uint64_t at = 0; at < bytes; at += kPageBytes)
    arena[at] = 0;
}

bool streamsFromFile(const snug_plan &plan) { return plan.file >= 0; }

/// Weights that stay in memory come there now, the file from its begin to its
/// end: the first run waits for no page of it, and the process holds what was
/// predicted even where a kernel leaves taps out that meet only padding. Where
/// the system cannot, they come as they are read.
void readWeights(const snug_plan &plan) {
#ifdef MADV_POPULATE_READ
  if (plan.mapping)
    madvise(plan.mapping, plan.mappingBytes, MADV_POPULATE_READ);
#else
  (void)plan;
#endif
}

/// Checks every instruction once more and keeps what the check yields.
snug_status prepareCalls(snug_executor *executor) {
  const snug::schema::Program &program = *executor->plan.program;
  const uint32_t count = program.instructions()->size();
  const size_t bytes = sizeof(Call) * count;
  executor->calls = static_cast<Call *>(executor->allocator.allocate(bytes));
  if (!executor->calls && count)
    return noMemory("prepared instructions", bytes);
  const CallLimits limits = {&program, program.arena_bytes(),
                             executor->plan.target, program.threads()};
  const unsigned char *weights = streamsFromFile(executor->plan)
                                     ? executor->stream.weights()
                                     : executor->plan.weights;
  for (uint32_t i = 0; i < count; ++i) {
    Call *call = new (&executor->calls[i]) Call;
    const snug_status status = checkCall(limits, i, call);
    if (failed(status))
      return status;
    call->bind(executor->arena, weights);
  }
  executor->callCount = count;
  return success();
}

snug_status prepare(const snug_executor_options &options,
                    snug_executor *executor) {
  if (!executor->pool.valid())
    return failure(SNUG_OUT_OF_MEMORY,
                   "cannot start the plan's %d threads; compile the model with "
                   "fewer --threads",
                   executor->plan.program->threads());
  snug_status status = takeArena(options, executor);
  if (failed(status))
    return status;
  if (streamsFromFile(executor->plan)) {
    status = executor->stream.prepare(executor->plan);
    if (failed(status))
      return status;
    if (executor->ownsArena)
      touchArena(executor);
  } else {
    readWeights(executor->plan);
  }
  status = prepareCalls(executor);
  if (failed(status))
    return status;
  if (options.profile) {
    const size_t bytes = sizeof(ProfileEntry) * executor->callCount;
    executor->profile =
        static_cast<ProfileEntry *>(executor->allocator.allocate(bytes));
    if (!executor->profile && bytes)
      return noMemory("the profile", bytes);
  }
  return status;
}

/// Runs instructions [begin, end), whose weights are mapped.
uint64_t runCalls(snug_executor *executor, uint32_t begin, uint32_t end) {
  const KernelTable &kernels = *executor->plan.kernels;
  uint64_t macs = 0;
  for (uint32_t i = begin; i < end; ++i)
    macs += executor->calls[i].run(kernels, executor->pool);
  return macs;
}

/// The same, each with its time since `runStart`; what was done since
/// `*lastEnd`, such as mapping weights, counts for the first of them.
uint64_t runProfiled(snug_executor *executor, uint32_t begin, uint32_t end,
                     uint64_t runStart, uint64_t *lastEnd) {
  const KernelTable &kernels = *executor->plan.kernels;
  uint64_t macs = 0;
  for (uint32_t i = begin; i < end; ++i) {
    const uint64_t callMacs = executor->calls[i].run(kernels, executor->pool);
    const uint64_t now = nowNanoseconds();
    executor->profile[i] = {*lastEnd - runStart, now - *lastEnd, callMacs};
    *lastEnd = now;
    macs += callMacs;
  }
  return macs;
}

/// Piece by piece, with all weights of a piece in memory.
snug_status runAll(snug_executor *executor) {
  const bool streams = streamsFromFile(executor->plan);
  WeightStream &stream = executor->stream;
  const uint64_t runStart = executor->profile ? nowNanoseconds() : 0;
  uint64_t lastEnd = runStart, macs = 0;
  snug_status status = success();
  for (uint32_t i = 0; i < executor->callCount;) {
    if (streams && stream.next() == i)
      status = stream.advance(i);
    if (failed(status))
      break;
    const uint32_t end = streams ? std::min(stream.next(), executor->callCount)
                                 : executor->callCount;
    macs += executor->profile
                ? runProfiled(executor, i, end, runStart, &lastEnd)
                : runCalls(executor, i, end);
    i = end;
  }
  if (streams)
    stream.rewind();
  executor->profiled = executor->profile && !failed(status);
  executor->executedMacs = macs;
  return status;
}

snug_status missing(const char *what) {
  return failure(SNUG_INVALID_ARGUMENT, "%s must not be null", what);
}

/// Where a bound tensor lies in the arena.
template <typename Bindings, typename Pointer>
snug_status locate(const char *role, const Bindings &bindings,
                   snug_executor *executor, size_t index, Pointer *out_data) {
  if (index >= bindings.size())
    return failure(SNUG_INVALID_ARGUMENT,
                   "%s %zu was asked for, but the plan has %u", role, index,
                   bindings.size());
  const uint64_t offset = bindings.Get(static_cast<uint32_t>(index))->offset();
  *out_data = reinterpret_cast<float *>(executor->arena + offset);
  return success();
}

} // namespace

extern "C" {

void snug_executor_options_init(snug_executor_options *options) {
  if (!options)
    return;
  std::memset(options, 0, sizeof(*options));
  options->size = sizeof(*options);
}

snug_status snug_executor_create(const snug_plan *plan,
                                 const snug_executor_options *options,
                                 snug_executor **out_executor) {
  if (!out_executor)
    return missing("out_executor");
  *out_executor = nullptr;
  if (!plan)
    return missing("plan");
  snug_executor_options chosen;
  snug_executor_options_init(&chosen);
  if (options) {
    // There is one version of the struct so far; a different size is a caller
    // that forgot the init function.
    if (options->size != sizeof(chosen))
      return failure(SNUG_INVALID_ARGUMENT,
                     "executor options have size %zu, not %zu; set them up "
                     "with snug_executor_options_init",
                     options->size, sizeof(chosen));
    chosen = *options;
  }
  const snug_allocator *callers = chosen.allocator;
  if (callers && (!callers->allocate || !callers->release))
    return failure(
        SNUG_INVALID_ARGUMENT,
        "allocator lacks allocate or release; set both or pass null");
  if (!plan->kernels)
    return failure(SNUG_UNSUPPORTED,
                   "plan is made for %s, which this machine cannot run",
                   targetName(plan->target));
  const Allocator memory(callers);
  void *place = memory.allocate(sizeof(snug_executor));
  if (!place)
    return noMemory("an executor's handle", sizeof(snug_executor));
  snug_executor *executor = new (place) snug_executor(*plan, memory, callers);
  const snug_status status = prepare(chosen, executor);
  if (failed(status)) {
    snug_executor_release(executor);
    return status;
  }
  *out_executor = executor;
  return status;
}

void snug_executor_release(snug_executor *executor) {
  if (!executor)
    return;
  const Allocator memory = executor->allocator;
  if (executor->ownsArena)
    munmap(executor->arena,
           static_cast<size_t>(executor->plan.program->arena_bytes()));
  memory.release(executor->calls);
  memory.release(executor->profile);
  executor->~snug_executor();
  memory.release(executor);
}

snug_status snug_executor_input(snug_executor *executor, size_t index,
                                float **out_data) {
  if (!executor || !out_data)
    return missing("executor and out_data");
  return locate("input", *executor->plan.program->inputs(), executor, index,
                out_data);
}

snug_status snug_executor_output(snug_executor *executor, size_t index,
                                 const float **out_data) {
  if (!executor || !out_data)
    return missing("executor and out_data");
  return locate("output", *executor->plan.program->outputs(), executor, index,
                out_data);
}

snug_status snug_executor_run(snug_executor *executor) {
  if (!executor)
    return missing("executor");
  return runAll(executor);
}

uint64_t snug_executor_executed_macs(const snug_executor *executor) {
  return executor->executedMacs;
}

uint64_t snug_executor_arena_bytes(const snug_executor *executor) {
  return executor->plan.program->arena_bytes();
}

uint64_t snug_executor_weight_bytes(const snug_executor *executor) {
  return streamsFromFile(executor->plan) ? executor->stream.peakBytes()
                                         : executor->plan.weightsBytes;
}

size_t snug_executor_profile_count(const snug_executor *executor) {
  return executor->profiled ? executor->callCount : 0;
}

snug_status snug_executor_profile_record(const snug_executor *executor,
                                         size_t index,
                                         snug_profile_record *out_record) {
  if (!executor || !out_record)
    return missing("executor and out_record");
  if (index >= snug_executor_profile_count(executor))
    return failure(SNUG_INVALID_ARGUMENT,
                   "profile record %zu was asked for, but there are %zu", index,
                   snug_executor_profile_count(executor));
  const snug::schema::Instruction &instruction =
      *executor->plan.program->instructions()->Get(
          static_cast<uint32_t>(index));
  const ProfileEntry &entry = executor->profile[index];
  out_record->name = instruction.name()->c_str();
  out_record->kernel =
      kernelName(executor->calls[index].kind, executor->plan.target);
  out_record->group = instruction.group();
  out_record->tile = instruction.tile();
  out_record->start_ns = entry.startNs;
  out_record->duration_ns = entry.durationNs;
  out_record->macs = entry.macs;
  return success();
}

} // extern "C"
