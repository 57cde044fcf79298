// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line of snug-run and of `snug run`.

#include "Runner.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

namespace snug {
namespace runner {

namespace {

/// What CLI11 prints goes through stdio, as all else of the tool does.
int report(const CLI::App &app, const CLI::ParseError &error,
           const char *programName) {
  if (error.get_exit_code() == 0) { // --help
    std::fputs(app.help().c_str(), stdout);
    return kExitSuccess;
  }
  std::fprintf(stderr, "%s: %s\ntry '%s --help'\n", programName, error.what(),
               programName);
  return kExitBadCommandLine;
}

} // namespace

int runMain(int argc, char **argv, const char *programName) {
  RunOptions options;
  CLI::App app("Runs a plan made by 'snug compile' and reports what was "
               "predicted beside what was measured.",
               programName);
  app.add_option("plan", options.plan, "The plan file")->required();
  app.add_option("--input", options.inputs,
                 "NAME=FILE.npy: float32 values of a network input")
      ->allow_extra_args(false)
      ->check([](const std::string &value) {
        return value.find('=') == std::string::npos
                   ? "expects NAME=FILE.npy, not '" + value + "'"
                   : std::string();
      });
  CLI::Option *seed = app.add_option(
      "--random-inputs", options.seed,
      "Seed of uniform values in [-1, 1) for every input without a file");
  app.add_option("--output-dir", options.outputDir,
                 "Folder for the outputs, one .npy file each");
  app.add_option("--json", options.jsonFile, "Write the report as JSON");
  app.add_option("--profile", options.profileFile,
                 "Write a Chrome trace of every instruction");
  app.add_option("--threads", options.threads,
                 "Refuse the plan unless it was made for so many threads")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--repeat", options.repeat,
                 "Timed runs; above 1, one untimed run goes before")
      ->check(CLI::Range(1, 1000000));
  std::string guard;
  app.add_option("--guard", guard,
                 "Poison the arena with NaN and put an unreadable page at its "
                 "'start' or 'end'")
      ->check(CLI::IsMember({"start", "end"}));
  app.add_flag("--dump", options.dump, "Print the plan instead of running it");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return report(app, error, programName);
  }
  options.randomInputs = seed->count() > 0;
  if (!guard.empty())
    options.guard = guard == "start" ? Guard::Start : Guard::End;
  return runPlan(options, programName);
}

} // namespace runner
} // namespace snug
