// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Memory of a training step: the replayed allocator and fitted terms.
#include "snug/Predict/TrainingMemory.h"

#include "CurveFit.h"
#include "TrainingTrace.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace snug::predict {

constexpr double kMib = 1024.0 * 1024.0;
constexpr size_t kMinimumRows = 3;
/// Relative error that a row is expected to have; larger ones count linearly.
constexpr double kRelativeError = 0.04;

namespace {

/// Coefficients, by their place.
enum Term : size_t {
  Process,
  MatrixLibrary,
  Floor,
  Parameters,
  Live,
  Fragments,
  Unreclaimed,
  ReclaimAt,
  ReclaimWidth,
  Limit,
  TermCount
};

struct TermFacts {
  const char *name;
  Prior prior;
};

/// Means where nothing is known: of the process, relative to a guess from the
/// smallest row; of the limit, relative to the device's memory. What is not a
/// plain fact (a factor of 1) is argued for in docs/Training.md.
constexpr TermFacts kTerms[TermCount] = {
    {"process_log_mib", {0, 0.3}},     {"matrix_library_share", {0.255, 0.03}},
    {"floor_share", {0.48, 0.3}},      {"parameter_factor", {0.2, 0.3}},
    {"live_factor", {1, 0.02}},        {"fragment_factor", {1.4, 0.1}},
    {"unreclaimed_share", {0.2, 0.2}}, {"reclaim_log_mib", {7.7, 1}},
    {"reclaim_width", {0.28, 0.2}},    {"limit_log_mib", {0.015, 0.01}},
};
/// Of the smallest row, the process before its first tensor.
constexpr double kProcessOfSmallest = 0.68;
/// So that the width is no divisor of zero.
constexpr double kMinimumWidth = 0.015;
constexpr double kMinimumMib = 1;

/// What is computed of a network and a batch size, in MiB.
struct Facts {
  double parameters = 0; ///< one copy
  double live = 0, reserved = 0;
  bool usesMatrixLibrary = false;
};

/// Memory in MiB, by what it is for.
struct Parts {
  double overhead = 0, tensors = 0;
  double excess = 0; ///< what the device cannot hold

  double sum() const { return overhead + tensors - excess; }
};

Facts factsOf(const TrainingTrace &trace, int64_t batch) {
  const TracePeak plain = replay(trace, batch, false);
  const TracePeak scratch = replay(trace, batch, true);
  auto between = [](int64_t a, int64_t b) {
    return std::sqrt(static_cast<double>(a) / kMib *
                     (static_cast<double>(b) / kMib));
  };
  Facts facts;
  facts.parameters = static_cast<double>(trace.gradients.fixed) / kMib;
  facts.live = between(plain.liveBytes, scratch.liveBytes);
  facts.reserved = between(plain.reservedBytes, scratch.reservedBytes);
  facts.usesMatrixLibrary = trace.usesMatrixLibrary;
  return facts;
}

Parts partsOf(const std::vector<double> &terms, const Facts &facts,
              std::optional<double> limitMib) {
  const double process = std::exp(terms[Process]);
  const double absent =
      facts.usesMatrixLibrary ? 0 : terms[MatrixLibrary] * process;
  const double activations =
      std::max(facts.live - 3 * facts.parameters, kMinimumMib);
  const double width = std::max(terms[ReclaimWidth], kMinimumWidth);
  // (A / A0)^(1 / w), which may be huge.
  const double power = std::exp(std::clamp(
      (std::log(activations) - terms[ReclaimAt]) / width, -50.0, 50.0));
  Parts parts;
  parts.tensors = terms[Live] * facts.live +
                  terms[Fragments] * (facts.reserved - facts.live);
  parts.overhead = process - absent + terms[Parameters] * facts.parameters +
                   terms[Unreclaimed] * process / (1 + power);
  const double floor = process * (1 + terms[Floor]) - absent;
  parts.overhead += std::max(0.0, floor - parts.sum());
  if (limitMib)
    parts.excess = std::max(0.0, parts.sum() - *limitMib);
  return parts;
}

int64_t toBytes(double mib) { return std::llround(mib * kMib); }

} // namespace

std::vector<KeptForBackward> keptForBackward(const TrainingNetwork &network,
                                             int64_t batch) {
  std::vector<KeptForBackward> all;
  for (const TrainingTrace::Kept &kept : traceTraining(network).kept)
    all.push_back({kept.bytes.at(batch), kept.what});
  return all;
}

Result<TrainingMemoryModel>
TrainingMemoryModel::fit(const std::vector<TrainingSample> &samples,
                         const TrainingDevice &device) {
  std::map<const TrainingNetwork *, TrainingTrace> traces;
  std::vector<Facts> facts;
  std::vector<const TrainingSample *> rows;
  double smallest = 0;
  for (const TrainingSample &sample : samples) {
    if (!sample.memoryMib)
      continue;
    auto [trace, isNew] = traces.try_emplace(sample.network);
    if (isNew)
      trace->second = traceTraining(*sample.network);
    facts.push_back(factsOf(trace->second, sample.batch));
    rows.push_back(&sample);
    if (rows.size() == 1 || *sample.memoryMib < smallest)
      smallest = *sample.memoryMib;
  }
  if (rows.size() < kMinimumRows)
    return Error{"a memory model needs at least " +
                 std::to_string(kMinimumRows) + " rows with a memory, got " +
                 std::to_string(rows.size())};
  std::vector<Prior> priors;
  for (const TermFacts &term : kTerms)
    priors.push_back(term.prior);
  priors[Process].mean += std::log(kProcessOfSmallest * smallest);
  if (device.memoryMib)
    priors[Limit].mean += std::log(*device.memoryMib);
  auto limitOf = [&](const std::vector<double> &terms) {
    return device.memoryMib ? std::optional<double>(std::exp(terms[Limit]))
                            : std::nullopt;
  };
  auto residuals = [&](const std::vector<double> &terms) {
    std::vector<double> errors;
    for (size_t i = 0; i < rows.size(); ++i) {
      const double told = partsOf(terms, facts[i], limitOf(terms)).sum();
      errors.push_back(
          rows[i]->weight *
          std::log(std::max(told, kMinimumMib) / *rows[i]->memoryMib) /
          kRelativeError);
    }
    return errors;
  };
  TrainingMemoryModel model;
  model.coefficients = fitCurve(residuals, priors);
  model.limitMib = limitOf(model.coefficients);
  model.coefficients.pop_back();
  return model;
}

std::vector<MemoryPrediction>
TrainingMemoryModel::predict(const TrainingNetwork &network,
                             const std::vector<int64_t> &batches) const {
  const TrainingTrace trace = traceTraining(network);
  std::vector<MemoryPrediction> predictions;
  for (int64_t batch : batches) {
    const Parts parts = partsOf(coefficients, factsOf(trace, batch), limitMib);
    MemoryPrediction prediction;
    for (const TrainingTrace::Kept &kept : trace.kept)
      prediction.kept.push_back({kept.bytes.at(batch), kept.what});
    prediction.weightBytes = trace.weights.fixed;
    prediction.gradientBytes = trace.gradients.fixed;
    prediction.optimizerBytes = trace.gradients.fixed;
    prediction.savedBytes = trace.saved.at(batch);
    const int64_t known = prediction.weightBytes + prediction.gradientBytes +
                          prediction.optimizerBytes + prediction.savedBytes;
    // Categories add up to what is needed also where the fitted factors leave
    // less than what is known.
    prediction.workspaceBytes =
        std::max<int64_t>(0, toBytes(parts.tensors) - known);
    prediction.overheadBytes = toBytes(parts.overhead + parts.tensors) - known -
                               prediction.workspaceBytes;
    prediction.swappedBytes = toBytes(parts.excess);
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

nlohmann::ordered_json TrainingMemoryModel::toJson() const {
  nlohmann::ordered_json json;
  for (size_t term = 0; term < coefficients.size(); ++term)
    json[kTerms[term].name] = coefficients[term];
  if (limitMib)
    json["limit_mib"] = *limitMib;
  return json;
}

Result<TrainingMemoryModel>
TrainingMemoryModel::fromJson(const nlohmann::ordered_json &json) {
  TrainingMemoryModel model;
  for (size_t term = 0; term < Limit; ++term) {
    const char *name = kTerms[term].name;
    if (!json.is_object() || !json.contains(name) || !json[name].is_number())
      return Error{"training.memory lacks the number '" + std::string(name) +
                   "'"};
    model.coefficients.push_back(json[name].get<double>());
  }
  if (!json.contains("limit_mib"))
    return model;
  if (!json["limit_mib"].is_number() || json["limit_mib"].get<double>() <= 0)
    return Error{"training.memory.limit_mib must be a number above 0"};
  model.limitMib = json["limit_mib"].get<double>();
  return model;
}

} // namespace snug::predict
