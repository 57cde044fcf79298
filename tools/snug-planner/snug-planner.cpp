// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-planner: the planner's solvers on their own, without a network.
#include "Allocate.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <limits>

using namespace snug::tool;

namespace {

constexpr int kBadCommandLine = 2;

const char *const kFormat =
    "FILE is a table as MiniMalloc writes it. Its first line names the "
    "columns, "
    "in any order:\n"
    "  id, lower, upper, size   a buffer of so many bytes, live [lower, "
    "upper)\n"
    "  end                      instead of upper: the last step, counted in\n"
    "  alignment                of the offset, bytes, a power of two\n"
    "  offset                   where the buffer must lie; empty or -1: "
    "anywhere\n"
    "  hint                     not needed, and not looked at\n"
    "  gaps                     not supported: must be empty\n"
    "Exit codes: 0; 1 for a bad table or a capacity that is not met; 2 for a "
    "bad "
    "command line.";

CLI::App *addAllocate(CLI::App &app, AllocateOptions &options) {
  CLI::App *command = app.add_subcommand(
      "allocate", "Gives buffers with lifetimes their offsets in one arena");
  command->footer(kFormat);
  command->add_option("file", options.file, "Table of buffers (CSV)")
      ->required();
  constexpr uint64_t most = std::numeric_limits<int64_t>::max();
  command
      ->add_option_function<uint64_t>(
          "--capacity",
          [&options](uint64_t bytes) {
            options.limits.capacity = static_cast<int64_t>(bytes);
          },
          "Fit into so many bytes (1000000, 64KiB, 2MB) instead of looking for "
          "the least peak")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->check(CLI::Range(uint64_t{0}, most));
  command
      ->add_option("--alignment", options.alignment,
                   "Least alignment of every offset, bytes, a power of two")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->check([](const std::string &text) {
        const long long value = std::strtoll(text.c_str(), nullptr, 10);
        return value > 0 && (value & (value - 1)) == 0
                   ? std::string()
                   : text + " is no power of two";
      })
      ->capture_default_str();
  command
      ->add_option("--node-limit", options.limits.nodeLimit,
                   "Placements that the exact search may try; 0: greedy only")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  command
      ->add_option_function<double>(
          "--time-limit",
          [&options](double seconds) { options.limits.secondsLimit = seconds; },
          "Seconds for the exact search; answers may then differ from run to "
          "run")
      ->check(CLI::Range(0.0, 1e6));
  command->add_option("--json", options.json, "Writes the answer to this file");
  return command;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Static addresses: exact, with a certificate");
  app.name("snug-planner");
  app.require_subcommand(1);
  AllocateOptions options;
  addAllocate(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    for (CLI::App *command : app.get_subcommands())
      return std::fputs(command->help().c_str(), stdout), 0;
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "snug-planner: error: %s\ntry 'snug-planner --help'\n",
                 error.what());
    return kBadCommandLine;
  }
  return runAllocate(options);
}
