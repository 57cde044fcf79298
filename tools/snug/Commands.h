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
int runReference(const ReferenceOptions &options);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_COMMANDS_H
