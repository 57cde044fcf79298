// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training models of a device as its profile holds them, and how well they
// meet what they have not seen.
#ifndef SNUG_PREDICT_TRAININGMODEL_H
#define SNUG_PREDICT_TRAININGMODEL_H

#include "snug/Predict/Training.h"
#include "snug/Predict/TrainingData.h"
#include "snug/Predict/TrainingForest.h"
#include "snug/Predict/TrainingLatency.h"
#include "snug/Predict/TrainingMemory.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace snug::predict {

/// What is predicted of a training step at a batch size.
struct TrainingPrediction {
  int64_t batch = 0;
  Estimate latencyMs;
  Estimate memoryMib; ///< as a measurement would find it
  /// What the step needs: more than that where the device swaps.
  double neededMib = 0;
  /// The parts; absent for the forest, which knows none.
  std::optional<LatencyPrediction> latency;
  std::optional<MemoryPrediction> memory;
};

/// Factors on a prediction within which four of five rows lay that were not
/// learnt from.
struct Interval {
  double low = 1, high = 1;
};

/// Models of time and memory: Snug's own, or the forest.
class TrainingModel {
public:
  /// "snug" or "forest".
  static Result<TrainingModel> fit(const std::string &kind,
                                   const std::vector<TrainingSample> &samples,
                                   const TrainingDevice &device);

  std::vector<TrainingPrediction>
  predict(const TrainingNetwork &network,
          const std::vector<int64_t> &batches) const;

  const std::string &getKind() const { return kind; }
  void setIntervals(Interval latency, Interval memory) {
    latencyInterval = latency;
    memoryInterval = memory;
  }

  nlohmann::ordered_json toJson() const;
  /// Error: a part that is missing or damaged.
  static Result<TrainingModel> fromJson(const nlohmann::ordered_json &json);

private:
  std::string kind;
  std::optional<TrainingLatencyModel> latency;
  std::optional<TrainingMemoryModel> memory;
  std::optional<ForestModel> forest;
  Interval latencyInterval, memoryInterval;
};

/// Errors of predictions over rows, in per cent of what was measured.
struct Score {
  int64_t count = 0;
  double accuracy = 0; ///< 100 - mean
  double median = 0, p95 = 0;
};

/// Of |predicted / measured - 1|.
Score score(const std::vector<double> &predicted,
            const std::vector<double> &measured);

/// One way of leaving rows out, fitting to the others and predicting them.
struct CrossValidation {
  std::string leftOut; ///< "networks", "levels" or "batch sizes"
  int64_t folds = 0;
  Score latency, memory;
  Score latencyLevel0, memoryLevel0; ///< rows of level 0 alone
  Interval latencyInterval, memoryInterval;
};

/// Rows with their networks.
struct TrainingSet {
  std::vector<TrainingRow> rows;
  std::vector<TrainingSample> samples; ///< of rows[i]
};

/// Every way of leaving out that the rows allow, the hardest first: networks
/// one by one, levels in five parts, batch sizes in five parts. `progress` is
/// called before each fit. Error: the rows are too few to leave some out.
Result<std::vector<CrossValidation>>
crossValidate(const TrainingSet &set, const std::string &kind,
              const TrainingDevice &device,
              const std::function<void(const std::string &)> &progress);

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGMODEL_H
