// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time of a training step from the shapes of a network.
#ifndef SNUG_PREDICT_TRAININGLATENCY_H
#define SNUG_PREDICT_TRAININGLATENCY_H

#include "snug/Predict/Training.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace snug::predict {

/// A positive sum of launches, arithmetic and memory traffic.
class TrainingLatencyModel {
public:
  /// Fits to the samples that have a latency. Error: fewer samples than terms.
  static Result<TrainingLatencyModel>
  fit(const std::vector<TrainingSample> &samples, const TrainingDevice &device);

  /// One prediction for each batch size. What does not depend on the batch size
  /// is computed once.
  std::vector<LatencyPrediction>
  predict(const TrainingNetwork &network,
          const std::vector<int64_t> &batches) const;

  nlohmann::ordered_json toJson() const;
  /// Error: a field that is missing or no number.
  static Result<TrainingLatencyModel>
  fromJson(const nlohmann::ordered_json &json);

private:
  std::vector<double> coefficients;
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGLATENCY_H
