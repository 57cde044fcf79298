// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time of a training step from the shapes of a network.
#ifndef SNUG_PREDICT_TRAININGLATENCY_H
#define SNUG_PREDICT_TRAININGLATENCY_H

#include "snug/Predict/TopologyCurve.h"
#include "snug/Predict/Training.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace snug::predict {

/// A positive physical model: launches on the CPU beside products, instructions
/// and memory traffic on the GPU, each with a coefficient that begins at what
/// is known of the kernels (docs/Training.md). Networks of a topology
/// that was measured are corrected by its curve.
class TrainingLatencyModel {
public:
  /// Fits to the samples that have a latency. Samples beyond the device's
  /// memory count less, as the device swaps there. Without the device's peaks
  /// the samples tell them. Error: no three samples.
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
  double peakGflops = 0, bandwidthGBs = 0;
  std::vector<double> terms;         ///< in the order of the physical model
  std::vector<TopologyCurve> curves; ///< ascending by topology
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGLATENCY_H
