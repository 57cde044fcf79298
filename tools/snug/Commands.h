// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of snug: what each takes and where it is run.
#ifndef SNUG_TOOLS_SNUG_COMMANDS_H
#define SNUG_TOOLS_SNUG_COMMANDS_H

#include "snug/Pipeline/Pipeline.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace snug::tool {

/// Exit statuses of every tool.
enum ExitCode { kSuccess = 0, kBadInput = 1, kBadCommandLine = 2 };

/// What commands on a model have in common.
struct ModelOptions {
  std::string model;               ///< ONNX file
  std::vector<std::string> shapes; ///< "input=1x3x608x608"
};

struct CompileOptions {
  ModelOptions model;
  PipelineOptions pipeline;
  std::string output;
  std::string jsonFile;
  std::string memoryMapFile;   ///< .html
  std::string crashReproducer; ///< .mlir
};

struct EstimateOptions {
  ModelOptions model;
  PipelineOptions pipeline;
  std::string jsonFile;
  std::string csvFile;
  std::string memoryMapFile; ///< .html
};

/// snug estimate --training.
struct TrainingOptions {
  std::vector<std::string> models; ///< ONNX files
  std::vector<std::string> shapes;
  std::string device = "generic-cpu";
  std::string batches = "32"; ///< "2,4,8", "2..256", "8..64:8"
  std::string memoryBudget;   ///< "4GB"; empty: no limit
  std::string deadline;       ///< "1.5s", "200ms"; empty: no limit
  std::string jsonFile;
  std::string csvFile;
  std::string plotFile; ///< .html
};

/// snug fit training.
struct FitTrainingOptions {
  std::string dataFile;    ///< .csv
  std::string modelFolder; ///< of {network}_{level}.onnx
  std::vector<std::string> networks;
  std::vector<int64_t> levels;
  std::string device = "generic-cpu"; ///< profile that the models are put into
  std::string name;                   ///< of the new profile; empty: device's
  std::string model = "snug";         ///< snug or forest
  std::string output;                 ///< .json
  std::string jsonFile;
};

struct ReferenceOptions {
  ModelOptions model;
  std::vector<std::string> inputs; ///< "name=file.npy"
  std::optional<uint64_t> randomSeed;
  std::string outputDir;
};

// Each prints its result to standard output, one error to standard error where
// it fails, and returns the exit status.
int runCompile(const CompileOptions &options);
int runEstimate(const EstimateOptions &options);
int runEstimateTraining(const TrainingOptions &options);
int runFitTraining(const FitTrainingOptions &options);
int runReference(const ReferenceOptions &options);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_COMMANDS_H
