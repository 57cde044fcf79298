// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug: compiles, runs and estimates convolutional networks.
#include "Commands.h"

#include "Runner.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>

using namespace snug;
using namespace snug::tool;

namespace {

void addModel(CLI::App &command, ModelOptions &options) {
  command.add_option("model", options.model, "ONNX file")->required();
  command
      .add_option("--shape", options.shapes,
                  "Fixes open dimensions: input=1x3x608x608; repeatable")
      ->allow_extra_args(false);
}

void addTarget(CLI::App &command, PipelineOptions &options) {
  command
      .add_option("--target", options.target,
                  "Instruction set: host, portable, avx2, avx512")
      ->check(CLI::IsMember({"host", "portable", "avx2", "avx512"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads of the plan")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      .add_option("--device", options.device,
                  "Device profile: a name, or a .json file")
      ->capture_default_str();
}

void addWinograd(CLI::App &command, PipelineOptions &options) {
  command.add_flag(
      "--winograd", options.winograd,
      "Permits Winograd's algorithm for convolutions of 3x3, where "
      "it is expected to be faster; outputs differ by rounding");
}

void addWeights(CLI::App &command, PipelineOptions &options) {
  command
      .add_option("--weights", options.weights,
                  "Which weights are in memory: resident, all of them; "
                  "streamed, those of the layer or tiled group that runs")
      ->check(CLI::IsMember({"resident", "streamed"}))
      ->capture_default_str();
}

void addReports(CLI::App &command, std::string &jsonFile,
                std::string &memoryMapFile) {
  command.add_option("--json", jsonFile, "Write the report as JSON");
  command.add_option("--memory-map", memoryMapFile,
                     "Draw the memory over the plan's steps: an HTML file");
}

CLI::App *addCompile(CLI::App &app, CompileOptions &options) {
  CLI::App *command =
      app.add_subcommand("compile", "Makes a plan file out of an ONNX model");
  addModel(*command, options.model);
  command->add_option("-o,--output", options.output, "Plan file")->required();
  addTarget(*command, options.pipeline);
  addWinograd(*command, options.pipeline);
  // An empty value (an unset variable in a script) must not mean "no limit".
  auto notEmpty = [](const std::string &value) {
    return value.empty() ? std::string("expects a value") : std::string();
  };
  command
      ->add_option("--memory-budget", options.pipeline.memoryBudget,
                   "Bytes that a run may take: 64MiB, 32MB, 1000000B")
      ->check(notEmpty);
  command
      ->add_option("--budget-scope", options.pipeline.budgetScope,
                   "What the budget bounds: process or arena")
      ->check(CLI::IsMember({"process", "arena"}))
      ->capture_default_str();
  addWeights(*command, options.pipeline);
  command
      ->add_option("--max-groups", options.pipeline.maxGroups,
                   "Fused groups that the search may make; -1: any number")
      ->check(CLI::Range(int64_t{-1}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  command
      ->add_option("--groups", options.pipeline.groups,
                   "Explicit groups: 8:5x5,16:2x2 (layers up to 8 on a 5x5 "
                   "grid, up to 16 on 2x2) or 16:whole")
      ->check(notEmpty);
  addReports(*command, options.jsonFile, options.memoryMapFile);
  command
      ->add_option("--crash-reproducer", options.crashReproducer,
                   "Where a pass fails or crashes, write it and what it was "
                   "given: snug-opt --run-reproducer FILE fails the same way")
      ->check(notEmpty);
  return command;
}

/// `training` holds what only --training takes, models among it.
CLI::App *addEstimate(CLI::App &app, EstimateOptions &options,
                      TrainingOptions &training) {
  CLI::App *command = app.add_subcommand(
      "estimate", "Tells the work and memory that a network needs, op by op; "
                  "with --training, the time and memory of a training step");
  command
      ->add_option("model", training.models,
                   "ONNX file; with --training, "
                   "any number of them")
      ->required();
  command
      ->add_option("--shape", options.model.shapes,
                   "Fixes open dimensions: input=1x3x608x608; repeatable")
      ->allow_extra_args(false);
  addTarget(*command, options.pipeline);
  addWinograd(*command, options.pipeline);
  addWeights(*command, options.pipeline);
  addReports(*command, options.jsonFile, options.memoryMapFile);
  command->add_option("--csv", options.csvFile,
                      "Write the table as comma-separated values");
  CLI::Option *flag = command->add_flag(
      "--training", "Estimate training steps (forward, backward, update)");
  command
      ->add_option("--batch", training.batches,
                   "Batch sizes: 2,4,8; 2..256 doubles; 8..64:8 in steps of 8")
      ->needs(flag)
      ->capture_default_str();
  command
      ->add_option("--memory-budget", training.memoryBudget,
                   "Rank the networks that train in so many bytes: 4GB")
      ->needs(flag);
  command
      ->add_option("--deadline", training.deadline,
                   "Rank the networks whose step takes so long: 1.5s, 200ms")
      ->needs(flag);
  command
      ->add_option("--plot", training.plotFile,
                   "Draw time and memory over the batch size: an HTML file")
      ->needs(flag);
  for (const char *other :
       {"--target", "--threads", "--winograd", "--weights", "--memory-map"})
    flag->excludes(command->get_option(other));
  return command;
}

/// The one model of an estimate, or all of one of training.
int runEstimate(EstimateOptions &options, TrainingOptions &training,
                bool isTraining) {
  if (!isTraining) {
    if (training.models.size() > 1) {
      std::fprintf(stderr,
                   "snug: error: there are %zu models; several at once are "
                   "estimated with --training\n",
                   training.models.size());
      return kBadCommandLine;
    }
    options.model.model = training.models.front();
    return runEstimate(options);
  }
  training.shapes = options.model.shapes;
  training.device = options.pipeline.device;
  training.jsonFile = options.jsonFile;
  training.csvFile = options.csvFile;
  return runEstimateTraining(training);
}

CLI::App *addFitTraining(CLI::App &app, FitTrainingOptions &options) {
  CLI::App *fit =
      app.add_subcommand("fit", "Learns models of a device from measurements");
  fit->require_subcommand(1);
  CLI::App *command = fit->add_subcommand(
      "training", "Learns time and memory of training steps");
  command
      ->add_option(
          "--data", options.dataFile,
          "Measured steps: a CSV file as profile_training.py writes it")
      ->required();
  command
      ->add_option("--models", options.modelFolder,
                   "Folder of the networks, {network}_{pruning_percent}.onnx")
      ->required();
  command
      ->add_option("--networks", options.networks,
                   "Learn from rows of these networks alone")
      ->delimiter(',');
  command
      ->add_option("--levels", options.levels,
                   "Learn from rows of these pruning levels alone")
      ->delimiter(',');
  command
      ->add_option("--device", options.device,
                   "Profile that the models are put into: a name, or a .json "
                   "file")
      ->capture_default_str();
  command->add_option("--name", options.name,
                      "Name of the new profile, if not the device's");
  command
      ->add_option("--model", options.model,
                   "What is learnt: snug, or perf4sight's forest")
      ->check(CLI::IsMember({"snug", "forest"}))
      ->capture_default_str();
  command->add_option("-o,--output", options.output, "New device profile")
      ->required();
  command->add_option("--json", options.jsonFile,
                      "Write errors and warnings as JSON");
  return command;
}

CLI::App *addReference(CLI::App &app, ReferenceOptions &options) {
  CLI::App *command = app.add_subcommand(
      "reference", "Runs a model in the slow reference executor");
  addModel(*command, options.model);
  command
      ->add_option("--input", options.inputs,
                   "NAME=FILE.npy: values of a network input; repeatable")
      ->allow_extra_args(false);
  command->add_option("--random-inputs", options.randomSeed,
                      "Seed of the values of inputs without a file");
  command->add_option("--output-dir", options.outputDir,
                      "Folder for the outputs, one .npy file each");
  return command;
}

/// Throws where a file that is written is also read, or written twice: the
/// later content would take the place of the earlier. Devices may repeat.
void checkFiles(const CLI::App *command) {
  namespace fs = std::filesystem;
  std::map<fs::path, const CLI::Option *> seen;
  constexpr int inputs = 2; // of these
  int number = 0;
  for (const char *name : {"model", "--data", "--output", "--json", "--csv",
                           "--memory-map", "--plot", "--crash-reproducer"}) {
    const bool isWritten = number++ >= inputs;
    const CLI::Option *option = command->get_option_no_throw(name);
    if (!option)
      continue;
    for (const std::string &file : option->results()) {
      std::error_code unknown;
      const fs::path path =
          fs::weakly_canonical(fs::absolute(file, unknown), unknown);
      if (file.empty() || unknown ||
          (fs::exists(path, unknown) && !fs::is_regular_file(path, unknown)))
        continue;
      const auto [other, isNew] = seen.insert({path, option});
      if (!isNew && isWritten)
        throw CLI::ValidationError(
            "'" + file + "' is the file of " + other->second->get_name() +
            " and of " + option->get_name() + "; give each a file of its own");
    }
  }
}

/// Commands that the design names and that do not exist yet.
bool isLater(const char *name) {
  for (const char *later : {"explore", "profile", "adapt", "predict"})
    if (std::strcmp(name, later) == 0)
      return true;
  return false;
}

} // namespace

int main(int argc, char **argv) {
  // `run` is snug-run's own command line, whatever else snug takes.
  if (argc > 1 && std::strcmp(argv[1], "run") == 0)
    return runner::runMain(argc - 1, argv + 1, "snug run");
  if (argc > 1 && isLater(argv[1])) {
    std::fprintf(stderr,
                 "snug: error: '%s' does not exist yet; there are compile, "
                 "run, estimate, fit and reference\n",
                 argv[1]);
    return kBadCommandLine;
  }

  CLI::App app("Makes a convolutional network fit into the memory of a device");
  app.name("snug");
  app.require_subcommand(1);
  CompileOptions compileOptions;
  EstimateOptions estimateOptions;
  TrainingOptions trainingOptions;
  FitTrainingOptions fitTrainingOptions;
  ReferenceOptions referenceOptions;
  CLI::App *compile = addCompile(app, compileOptions);
  CLI::App *estimate = addEstimate(app, estimateOptions, trainingOptions);
  CLI::App *fitTraining = addFitTraining(app, fitTrainingOptions);
  addReference(app, referenceOptions);
  app.add_subcommand("run", "Runs a plan; see snug run --help");
  try {
    app.parse(argc, argv);
    checkFiles(*fitTraining ? fitTraining : app.get_subcommands().front());
  } catch (const CLI::CallForHelp &) {
    for (CLI::App *command : app.get_subcommands())
      return std::fputs(command->help().c_str(), stdout), kSuccess;
    std::fputs(app.help().c_str(), stdout);
    return kSuccess;
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "snug: error: %s\ntry 'snug --help'\n", error.what());
    return kBadCommandLine;
  }
  if (*compile)
    return runCompile(compileOptions);
  if (*estimate)
    return runEstimate(estimateOptions, trainingOptions,
                       estimate->count("--training") > 0);
  if (*fitTraining)
    return runFitTraining(fitTrainingOptions);
  return runReference(referenceOptions);
}
