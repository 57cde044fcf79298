// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time of a training step from the shapes of a network.
#include "snug/Predict/TrainingLatency.h"

#include "LeastSquares.h"
#include "snug/Network/Network.h"

#include <nlohmann/json.hpp>

namespace snug::predict {

/// Milliseconds each: a launch of an op, 10^9 multiply-accumulates, 10^9 bytes
/// that are read or written.
constexpr const char *kTerms[] = {"op_ms", "gmac_ms", "gb_ms"};
constexpr size_t kTermCount = std::size(kTerms);

static std::array<double, kTermCount> opTerms(const TrainingNetwork &network,
                                              const TrainingOp &op) {
  int64_t elements = network.tensors[op.result].elements();
  for (int operand : op.operands)
    elements += network.tensors[operand].elements();
  // Forward, and gradients of the input and of the weights.
  return {1, 3e-9 * static_cast<double>(op.macs),
          3e-9 * static_cast<double>(elements * network::kElementBytes)};
}

Result<TrainingLatencyModel>
TrainingLatencyModel::fit(const std::vector<TrainingSample> &samples,
                          const TrainingDevice &device) {
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  for (const TrainingSample &sample : samples) {
    if (!sample.latencyMs)
      continue;
    std::vector<double> row(kTermCount, 0);
    for (const TrainingOp &op : sample.network->ops) {
      const auto terms = opTerms(*sample.network, op);
      for (size_t term = 0; term < kTermCount; ++term)
        row[term] += terms[term] * (term == 0 ? 1.0 : double(sample.batch));
    }
    // Relative errors count.
    for (double &term : row)
      term *= sample.weight / *sample.latencyMs;
    rows.push_back(row);
    targets.push_back(sample.weight);
  }
  if (rows.size() < kTermCount)
    return Error{"a latency model needs at least " +
                 std::to_string(kTermCount) + " rows with a latency, got " +
                 std::to_string(rows.size())};
  TrainingLatencyModel model;
  model.coefficients = nonNegativeLeastSquares(rows, targets);
  return model;
}

std::vector<LatencyPrediction>
TrainingLatencyModel::predict(const TrainingNetwork &network,
                              const std::vector<int64_t> &batches) const {
  std::vector<std::array<double, kTermCount>> ops;
  for (const TrainingOp &op : network.ops)
    ops.push_back(opTerms(network, op));
  std::vector<LatencyPrediction> predictions;
  for (int64_t batch : batches) {
    LatencyPrediction prediction;
    prediction.parts = {{"launches", 0}, {"arithmetic", 0}, {"memory", 0}};
    for (const auto &terms : ops) {
      double ms = 0;
      for (size_t term = 0; term < kTermCount; ++term) {
        const double part = coefficients[term] * terms[term] *
                            (term == 0 ? 1.0 : static_cast<double>(batch));
        prediction.parts[term].second += part;
        ms += part;
      }
      prediction.opMs.push_back(ms);
      prediction.ms += ms;
    }
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

nlohmann::ordered_json TrainingLatencyModel::toJson() const {
  nlohmann::ordered_json json;
  for (size_t term = 0; term < kTermCount; ++term)
    json[kTerms[term]] = coefficients[term];
  return json;
}

Result<TrainingLatencyModel>
TrainingLatencyModel::fromJson(const nlohmann::ordered_json &json) {
  TrainingLatencyModel model;
  for (const char *term : kTerms) {
    if (!json.is_object() || !json.contains(term) || !json[term].is_number())
      return Error{"training.latency lacks the number '" + std::string(term) +
                   "'"};
    model.coefficients.push_back(json[term].get<double>());
  }
  return model;
}

} // namespace snug::predict
