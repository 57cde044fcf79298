// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads a plan, fills its inputs, runs and times it, and reports.

#include "Runner.h"

#include "Plan.h"
#include "Report.h"
#include "Tensors.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

namespace snug {
namespace runner {

namespace {

double nowUs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 +
         static_cast<double>(t.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle]
                           : (values[middle - 1] + values[middle]) / 2;
}

/// An arena between two inaccessible pages. Its length is a multiple of the
/// runtime's page, so where the system's page is larger only one end is flush.
class GuardedArena {
public:
  ~GuardedArena() {
    if (mapping)
      munmap(mapping, mappingBytes);
  }

  /// False where memory ran out.
  bool map(uint64_t bytes, Guard guard) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t usable = (static_cast<size_t>(bytes) + page - 1) / page * page;
    mappingBytes = usable + 2 * page;
    void *memory = mmap(nullptr, mappingBytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return false;
    mapping = static_cast<unsigned char *>(memory);
    if (mprotect(mapping + page, usable, PROT_READ | PROT_WRITE) != 0)
      return false;
    length = static_cast<size_t>(bytes);
    arena = mapping + page + (guard == Guard::End ? usable - length : 0);
    return true;
  }

  /// Bytes of all ones: every float is not a number.
  void poison() { std::memset(arena, 0xff, length); }

  void *data() const { return arena; }

private:
  unsigned char *mapping = nullptr;
  size_t mappingBytes = 0;
  unsigned char *arena = nullptr;
  size_t length = 0;
};

struct PlanRelease {
  snug_plan *plan = nullptr;
  ~PlanRelease() { snug_plan_release(plan); }
};

struct ExecutorRelease {
  snug_executor *executor = nullptr;
  ~ExecutorRelease() { snug_executor_release(executor); }
};

/// Time of each group in the last run.
void addGroupTimes(const snug_executor *executor,
                   std::vector<std::vector<double>> &groups) {
  for (std::vector<double> &times : groups)
    times.push_back(0);
  for (size_t i = 0; i < snug_executor_profile_count(executor); ++i) {
    snug_profile_record record;
    snug_executor_profile_record(executor, i, &record);
    if (record.group >= 0)
      groups[static_cast<size_t>(record.group)].back() +=
          static_cast<double>(record.duration_ns) / 1e3;
  }
}

/// A failure's text; empty: all went well.
using Error = std::string;

class Run {
public:
  explicit Run(const RunOptions &options) : options(options) {}

  Error execute() {
    snug_status status = runtime::loadPlanFile(options.plan.c_str(), nullptr,
                                               options.dump, &plan.plan);
    if (status.code != SNUG_OK)
      return status.message;
    if (options.dump)
      return dumpPlan(plan.plan, options);
    const int made = snug_plan_threads(plan.plan);
    if (options.threads != 0 && options.threads != made)
      return "plan is made with --threads=" + std::to_string(made) +
             " and runs with no other number; compile the model with "
             "--threads=" +
             std::to_string(options.threads);
    Error error = inputs.resolve(plan.plan, options);
    // While the arena is in use the code of other tasks is not in memory.
    releaseCode();
    if (error.empty())
      error = prepare();
    if (error.empty())
      error = runAll();
    releaseCode();
    if (error.empty() && !options.outputDir.empty())
      error = writeOutputs(plan.plan, executor.executor, options.outputDir);
    if (error.empty() && !options.profileFile.empty())
      error = writeTrace(executor.executor, options.profileFile);
    if (error.empty())
      error = report();
    return error;
  }

private:
  const RunOptions &options;
  PlanRelease plan;
  GuardedArena guarded; // outlives the executor
  ExecutorRelease executor;
  InputSources inputs;
  std::vector<double> runUs;
  std::vector<std::vector<double>> groupUs;

  Error prepare() {
    snug_executor_options chosen;
    snug_executor_options_init(&chosen);
    chosen.profile = 1; // the report has a latency for each group
    if (options.guard != Guard::None) {
      const uint64_t bytes = snug_plan_arena_bytes(plan.plan);
      if (!guarded.map(bytes, options.guard))
        return "no memory for a guarded arena of " + std::to_string(bytes) +
               " bytes";
      chosen.arena = guarded.data();
      chosen.arena_bytes = bytes;
    }
    const snug_status status =
        snug_executor_create(plan.plan, &chosen, &executor.executor);
    return status.code == SNUG_OK ? "" : status.message;
  }

  /// Inputs are filled before every run, since a run reuses their bytes.
  Error runOnce(bool timed) {
    if (options.guard != Guard::None)
      guarded.poison();
    const Error error = inputs.fill(plan.plan, executor.executor);
    if (!error.empty())
      return error;
    const double start = nowUs();
    const snug_status status = snug_executor_run(executor.executor);
    const double end = nowUs();
    if (status.code != SNUG_OK)
      return status.message;
    if (timed) {
      runUs.push_back(end - start);
      addGroupTimes(executor.executor, groupUs);
    }
    return "";
  }

  Error runAll() {
    groupUs.resize(snug_plan_group_count(plan.plan));
    Error error;
    if (options.repeat > 1)
      error = runOnce(false);
    for (int i = 0; i < options.repeat && error.empty(); ++i)
      error = runOnce(true);
    return error;
  }

  /// Memory is read last, so that the peak covers everything before it.
  Error report() {
    Measurements measured;
    measured.medianUs = median(runUs);
    measured.minUs = *std::min_element(runUs.begin(), runUs.end());
    measured.maxUs = *std::max_element(runUs.begin(), runUs.end());
    for (const std::vector<double> &times : groupUs)
      measured.groupUs.push_back(median(times));
    measured.executedMacs = snug_executor_executed_macs(executor.executor);
    measured.arenaBytes = snug_executor_arena_bytes(executor.executor);
    measured.planFileBytes = residentBytes(plan.plan->bytes);
    measured.streamedBytes = snug_plan_streams_weights(plan.plan)
                                 ? snug_executor_weight_bytes(executor.executor)
                                 : 0;
    measured.memory = processMemory();
    if (!options.jsonFile.empty()) {
      const Error error = writeReport(plan.plan, options, measured);
      if (!error.empty())
        return error;
    }
    printReport(plan.plan, options, measured);
    return "";
  }
};

} // namespace

std::string checkPlan(const std::string &plan) {
  PlanRelease loaded;
  const snug_status status = runtime::loadPlanFile(
      plan.c_str(), nullptr, /*anyTarget=*/true, &loaded.plan);
  return status.code == SNUG_OK ? "" : status.message;
}

int runPlan(const RunOptions &options, const char *programName) {
  const Error error = Run(options).execute();
  if (!error.empty()) {
    std::fprintf(stderr, "%s: error: %s\n", programName, error.c_str());
    return kExitBadInput;
  }
  if (std::fflush(stdout) != 0) {
    std::fprintf(stderr, "%s: error: cannot write the report\n", programName);
    return kExitBadInput;
  }
  return kExitSuccess;
}

} // namespace runner
} // namespace snug
