// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a training step: what is kept for the backward pass, and fitted
// terms.
#include "snug/Predict/TrainingMemory.h"

#include "LeastSquares.h"
#include "snug/Network/Network.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace snug::predict {

/// The process before the first tensor, and what the allocator takes for a byte
/// of parameters and of saved activations.
constexpr const char *kTerms[] = {"overhead_mib", "parameter_factor",
                                  "saved_factor"};
constexpr size_t kTermCount = std::size(kTerms);
constexpr double kMib = 1024.0 * 1024.0;
/// Weights, gradients, momentum.
constexpr int64_t kParameterCopies = 3;

/// For one image.
static KeptForBackward keep(const TrainingNetwork &network,
                            const TrainingOp &op) {
  auto bytes = [&](int tensor) {
    return network.tensors[tensor].elements() * network::kElementBytes;
  };
  if (!network.tensors[op.result].requiresGradient)
    return {};
  switch (op.kind) {
  case TrainingKind::Add:
  case TrainingKind::Reshape:
  case TrainingKind::Slice:
  case TrainingKind::Concat:
    return {};
  case TrainingKind::Activation:
    return op.inPlace ? KeptForBackward{}
                      : KeptForBackward{bytes(op.result), "result"};
  default:
    return {bytes(op.operands.front()), "input"};
  }
}

static int64_t savedBytes(const TrainingNetwork &network) {
  int64_t bytes = 0;
  for (const TrainingOp &op : network.ops)
    bytes += keep(network, op).bytes;
  return bytes;
}

Result<TrainingMemoryModel>
TrainingMemoryModel::fit(const std::vector<TrainingSample> &samples,
                         const TrainingDevice &device) {
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  for (const TrainingSample &sample : samples) {
    if (!sample.memoryMib)
      continue;
    std::vector<double> row = {
        1,
        static_cast<double>(kParameterCopies * network::kElementBytes *
                            sample.network->parameters()) /
            kMib,
        static_cast<double>(savedBytes(*sample.network) * sample.batch) / kMib};
    // Relative errors count.
    for (double &term : row)
      term *= sample.weight / *sample.memoryMib;
    rows.push_back(row);
    targets.push_back(sample.weight);
  }
  if (rows.size() < kTermCount)
    return Error{"a memory model needs at least " + std::to_string(kTermCount) +
                 " rows with a memory, got " + std::to_string(rows.size())};
  TrainingMemoryModel model;
  model.coefficients = nonNegativeLeastSquares(rows, targets);
  return model;
}

std::vector<MemoryPrediction>
TrainingMemoryModel::predict(const TrainingNetwork &network,
                             const std::vector<int64_t> &batches) const {
  std::vector<MemoryPrediction> predictions;
  const int64_t parameterBytes = network.parameters() * network::kElementBytes;
  for (int64_t batch : batches) {
    MemoryPrediction prediction;
    for (const TrainingOp &op : network.ops) {
      prediction.kept.push_back(keep(network, op));
      prediction.kept.back().bytes *= batch;
      prediction.savedBytes += prediction.kept.back().bytes;
    }
    prediction.weightBytes = parameterBytes;
    prediction.gradientBytes = parameterBytes;
    prediction.optimizerBytes = parameterBytes;
    prediction.overheadBytes = std::llround(coefficients[0] * kMib);
    prediction.workspaceBytes = std::llround(
        (coefficients[1] - 1) *
            static_cast<double>(kParameterCopies * parameterBytes) +
        (coefficients[2] - 1) * static_cast<double>(prediction.savedBytes));
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

nlohmann::ordered_json TrainingMemoryModel::toJson() const {
  nlohmann::ordered_json json;
  for (size_t term = 0; term < kTermCount; ++term)
    json[kTerms[term]] = coefficients[term];
  return json;
}

Result<TrainingMemoryModel>
TrainingMemoryModel::fromJson(const nlohmann::ordered_json &json) {
  TrainingMemoryModel model;
  for (const char *term : kTerms) {
    if (!json.is_object() || !json.contains(term) || !json[term].is_number())
      return Error{"training.memory lacks the number '" + std::string(term) +
                   "'"};
    model.coefficients.push_back(json[term].get<double>());
  }
  return model;
}

} // namespace snug::predict
