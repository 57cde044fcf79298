// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables, JSON, CSV and the page that estimate --training writes.
#ifndef SNUG_TOOLS_SNUG_TRAININGREPORT_H
#define SNUG_TOOLS_SNUG_TRAININGREPORT_H

#include "snug/Predict/TrainingModel.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace snug::tool {

/// What a step may take.
struct TrainingLimits {
  std::optional<double> memoryMib;
  std::optional<double> deadlineMs;
};

/// Empty, or what stops a step: "needs 4.20 GiB, 0.47 GiB too much".
std::string whatStops(const predict::TrainingPrediction &step,
                      const TrainingLimits &limits);
/// True where the interval of a figure holds its limit.
bool isUncertain(const predict::TrainingPrediction &step,
                 const TrainingLimits &limits);

/// A network and what is predicted of it.
struct TrainedModel {
  std::string file; ///< as it was given
  predict::TrainingNetwork network;
  std::vector<predict::TrainingPrediction> steps; ///< of each batch size
  /// Largest batch size within the memory that a step may take; 0: none.
  std::optional<int64_t> largestBatch;
  // With limits: place among all networks from 1, or what stops it.
  int64_t rank = 0;
  size_t bestStep = 0; ///< the step within the limits that trains fastest
  std::string stoppedBy;
};

struct TrainingReport {
  std::string device;
  std::optional<double> deviceMemoryMib; ///< what a step can take there
  TrainingLimits limits;
  bool isRanked = false; ///< there are limits
  std::vector<TrainedModel> models;
};

/// Of one model and batch size: memory by category, time by part, each op.
/// Of several: a table. With limits: the networks in their order.
void printTraining(const TrainingReport &report);
nlohmann::ordered_json toJson(const TrainingReport &report);
/// One line a model and batch size. False after an error was printed.
bool writeTrainingCsv(const TrainingReport &report, const std::string &file);
/// Time and memory over the batch size: an HTML page that needs no network.
bool writeTrainingPage(const TrainingReport &report, const std::string &file);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_TRAININGREPORT_H
