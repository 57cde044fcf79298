// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Cross-validation: how well training models meet rows that they have not seen.
#include "snug/Predict/TrainingModel.h"

#include <algorithm>
#include <cmath>

namespace snug::predict {

/// Levels and batch sizes are left out in so many parts.
constexpr int64_t kParts = 5;
/// Rows below and above the interval, as shares.
constexpr double kBelow = 0.1, kAbove = 0.9;

/// The value below which `share` of the sorted values lie.
static double quantile(const std::vector<double> &sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<size_t>(at);
  const size_t next = std::min(index + 1, sorted.size() - 1);
  return sorted[index] +
         (sorted[next] - sorted[index]) * (at - static_cast<double>(index));
}

Score score(const std::vector<double> &predicted,
            const std::vector<double> &measured) {
  Score result;
  result.count = static_cast<int64_t>(measured.size());
  if (measured.empty())
    return result;
  std::vector<double> errors;
  double sum = 0;
  for (size_t i = 0; i < measured.size(); ++i) {
    errors.push_back(100 * std::abs(predicted[i] / measured[i] - 1));
    sum += errors.back();
  }
  std::sort(errors.begin(), errors.end());
  result.accuracy = 100 - sum / static_cast<double>(errors.size());
  result.median = quantile(errors, 0.5);
  result.p95 = quantile(errors, 0.95);
  return result;
}

namespace {

/// What was predicted of rows that were left out.
struct Collected {
  std::vector<double> predicted, measured;
  std::vector<double> predictedLevel0, measuredLevel0;

  void add(double told, double seen, bool isLevel0) {
    predicted.push_back(told);
    measured.push_back(seen);
    if (isLevel0) {
      predictedLevel0.push_back(told);
      measuredLevel0.push_back(seen);
    }
  }

  Interval interval() const {
    std::vector<double> factors;
    for (size_t i = 0; i < measured.size(); ++i)
      if (predicted[i] > 0)
        factors.push_back(measured[i] / predicted[i]);
    if (factors.empty())
      return {};
    std::sort(factors.begin(), factors.end());
    return {std::min(1.0, quantile(factors, kBelow)),
            std::max(1.0, quantile(factors, kAbove))};
  }
};

/// The part that each row belongs to, by its place among the distinct values.
template <typename Value>
std::vector<int64_t> partsOf(const std::vector<TrainingRow> &rows,
                             Value TrainingRow::*field, int64_t most,
                             int64_t &count) {
  std::map<Value, int64_t> places;
  for (const TrainingRow &row : rows)
    places[row.*field] = 0;
  int64_t next = 0;
  for (auto &[value, place] : places)
    place = most > 0 ? next++ % most : next++;
  count = most > 0 ? std::min(next, most) : next;
  std::vector<int64_t> parts;
  for (const TrainingRow &row : rows)
    parts.push_back(places[row.*field]);
  return parts;
}

} // namespace

/// Rows of a part are predicted by what was fitted to all others.
static Result<CrossValidation>
leaveOut(const TrainingSet &set, const std::vector<int64_t> &parts,
         int64_t count, const std::string &leftOut, const std::string &kind,
         const TrainingDevice &device,
         const std::function<void(const std::string &)> &progress) {
  Collected latency, memory;
  for (int64_t part = 0; part < count; ++part) {
    progress("leaving out " + leftOut + ", " + std::to_string(part + 1) +
             " of " + std::to_string(count));
    std::vector<TrainingSample> others;
    std::map<std::string, std::vector<size_t>> rest; // of each model
    for (size_t i = 0; i < set.rows.size(); ++i)
      if (parts[i] == part)
        rest[set.rows[i].model()].push_back(i);
      else
        others.push_back(set.samples[i]);
    Result<TrainingModel> model = TrainingModel::fit(kind, others, device);
    if (!model)
      return model.error();
    for (const auto &[name, indices] : rest) {
      const TrainingNetwork *network = set.samples[indices[0]].network;
      std::vector<int64_t> batches;
      for (size_t index : indices)
        batches.push_back(set.rows[index].batch);
      const auto told = model->predict(*network, batches);
      for (size_t i = 0; i < indices.size(); ++i) {
        const TrainingSample &sample = set.samples[indices[i]];
        const bool isLevel0 = set.rows[indices[i]].level == 0;
        if (sample.latencyMs)
          latency.add(told[i].latencyMs.value, *sample.latencyMs, isLevel0);
        if (sample.memoryMib)
          memory.add(told[i].memoryMib.value, *sample.memoryMib, isLevel0);
      }
    }
  }
  CrossValidation result;
  result.leftOut = leftOut;
  result.folds = count;
  result.latency = score(latency.predicted, latency.measured);
  result.memory = score(memory.predicted, memory.measured);
  result.latencyLevel0 = score(latency.predictedLevel0, latency.measuredLevel0);
  result.memoryLevel0 = score(memory.predictedLevel0, memory.measuredLevel0);
  result.latencyInterval = latency.interval();
  result.memoryInterval = memory.interval();
  return result;
}

Result<std::vector<CrossValidation>>
crossValidate(const TrainingSet &set, const std::string &kind,
              const TrainingDevice &device,
              const std::function<void(const std::string &)> &progress) {
  std::vector<CrossValidation> all;
  auto add = [&](const std::vector<int64_t> &parts, int64_t count,
                 const char *leftOut) -> std::string {
    if (count < 2)
      return "";
    auto result = leaveOut(set, parts, count, leftOut, kind, device, progress);
    if (!result)
      return result.error().message;
    all.push_back(*result);
    return "";
  };
  int64_t count = 0;
  // Of two networks each would be predicted from one.
  std::vector<int64_t> parts =
      partsOf(set.rows, &TrainingRow::network, 0, count);
  if (std::string problem = add(parts, count > 2 ? count : 0, "networks");
      !problem.empty())
    return Error{problem};
  parts = partsOf(set.rows, &TrainingRow::level, kParts, count);
  if (std::string problem = add(parts, count, "levels"); !problem.empty())
    return Error{problem};
  parts = partsOf(set.rows, &TrainingRow::batch, kParts, count);
  if (std::string problem = add(parts, count, "batch sizes"); !problem.empty())
    return Error{problem};
  if (all.empty())
    return Error{"the data has one network, one level and one batch size: "
                 "nothing can be left out to validate a model with"};
  return all;
}

} // namespace snug::predict
