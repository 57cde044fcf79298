// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a plan and reports what was predicted beside what was measured.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_RUNNER_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_RUNNER_H

#include <cstdint>
#include <string>
#include <vector>

namespace snug {
namespace runner {

/// Exit statuses of every tool.
constexpr int kExitSuccess = 0;
constexpr int kExitBadInput = 1;
constexpr int kExitBadCommandLine = 2;

enum class Guard { None, Start, End };

struct RunOptions {
  std::string plan;
  std::vector<std::string> inputs; ///< NAME=FILE.npy
  bool randomInputs = false;       ///< for every input without a file
  uint64_t seed = 0;
  std::string outputDir;   ///< empty: outputs are not written
  std::string jsonFile;    ///< empty: none
  std::string profileFile; ///< empty: none
  int threads = 0;         ///< 0: the plan's
  int repeat = 1;          ///< timed runs, after one to warm up if above 1
  Guard guard = Guard::None;
  bool dump = false; ///< print the plan instead of running it
};

/// Runs (or prints) a plan as the options say; prints to standard output, and
/// one message to standard error where it fails. Returns the exit status.
int runPlan(const RunOptions &options, const char *programName);

/// Empty, or why no runtime would load the plan, on whatever machine.
std::string checkPlan(const std::string &plan);

/// Parses a command line (argv[0] is skipped) and calls runPlan().
int runMain(int argc, char **argv, const char *programName);

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_RUNNER_H
