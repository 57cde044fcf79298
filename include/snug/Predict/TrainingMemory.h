// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a training step: exact accounting of what PyTorch keeps, its
// allocator replayed, and fitted terms for the rest.
#ifndef SNUG_PREDICT_TRAININGMEMORY_H
#define SNUG_PREDICT_TRAININGMEMORY_H

#include "snug/Predict/Training.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace snug::predict {

/// What each op of the network keeps at a batch size of at least 1, as PyTorch
/// does. What several ops keep is counted at the first of them.
std::vector<KeptForBackward> keptForBackward(const TrainingNetwork &network,
                                             int64_t batch);

/// The step's allocations are replayed through PyTorch's allocator, once
/// without scratch for convolutions and once with what Winograd's algorithm
/// takes; memory is a fitted function of the two and of a few facts of the
/// network. docs/Training.md has the formula.
class TrainingMemoryModel {
public:
  /// Fits to the samples that have a memory. Error: fewer than three.
  static Result<TrainingMemoryModel>
  fit(const std::vector<TrainingSample> &samples, const TrainingDevice &device);

  /// One prediction for each batch size, all at least 1. What does not depend
  /// on the batch size is computed once.
  std::vector<MemoryPrediction>
  predict(const TrainingNetwork &network,
          const std::vector<int64_t> &batches) const;

  nlohmann::ordered_json toJson() const;
  /// Error: a field that is missing or no number.
  static Result<TrainingMemoryModel>
  fromJson(const nlohmann::ordered_json &json);

private:
  std::vector<double> coefficients;
  /// What a process can be seen to take before the device swaps; absent: there
  /// is no such limit.
  std::optional<double> limitMib;
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGMEMORY_H
