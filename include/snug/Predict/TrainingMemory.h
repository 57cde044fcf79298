// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a training step: exact accounting of what PyTorch keeps, and fitted
// terms for the rest.
#ifndef SNUG_PREDICT_TRAININGMEMORY_H
#define SNUG_PREDICT_TRAININGMEMORY_H

#include "snug/Predict/Training.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace snug::predict {

class TrainingMemoryModel {
public:
  /// Fits to the samples that have a memory. Error: fewer samples than terms.
  static Result<TrainingMemoryModel>
  fit(const std::vector<TrainingSample> &samples, const TrainingDevice &device);

  /// One prediction for each batch size. What does not depend on the batch size
  /// is computed once.
  std::vector<MemoryPrediction>
  predict(const TrainingNetwork &network,
          const std::vector<int64_t> &batches) const;

  nlohmann::ordered_json toJson() const;
  /// Error: a field that is missing or no number.
  static Result<TrainingMemoryModel>
  fromJson(const nlohmann::ordered_json &json);

private:
  std::vector<double> coefficients;
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGMEMORY_H
