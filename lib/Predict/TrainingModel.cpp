// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training models of a device as its profile holds them.
#include "snug/Predict/TrainingModel.h"

#include <nlohmann/json.hpp>

namespace snug::predict {

using nlohmann::ordered_json;

Result<TrainingModel>
TrainingModel::fit(const std::string &kind,
                   const std::vector<TrainingSample> &samples,
                   const TrainingDevice &device) {
  TrainingModel model;
  model.kind = kind;
  if (kind == "forest") {
    auto forest = ForestModel::fit(samples);
    if (!forest)
      return forest.error();
    model.forest = std::move(*forest);
    return model;
  }
  auto latency = TrainingLatencyModel::fit(samples, device);
  if (!latency)
    return latency.error();
  auto memory = TrainingMemoryModel::fit(samples, device);
  if (!memory)
    return memory.error();
  model.latency = std::move(*latency);
  model.memory = std::move(*memory);
  return model;
}

constexpr double kMib = 1024.0 * 1024.0;

static Estimate within(double value, Interval interval) {
  return {value, value * interval.low, value * interval.high};
}

std::vector<TrainingPrediction>
TrainingModel::predict(const TrainingNetwork &network,
                       const std::vector<int64_t> &batches) const {
  std::vector<TrainingPrediction> predictions(batches.size());
  std::vector<LatencyPrediction> latencies;
  std::vector<MemoryPrediction> memories;
  if (!forest) {
    latencies = latency->predict(network, batches);
    memories = memory->predict(network, batches);
  }
  for (size_t i = 0; i < batches.size(); ++i) {
    TrainingPrediction &prediction = predictions[i];
    prediction.batch = batches[i];
    double ms = 0, mib = 0;
    if (forest) {
      ms = forest->latencyMs(network, batches[i]);
      mib = prediction.neededMib = forest->memoryMib(network, batches[i]);
    } else {
      ms = latencies[i].ms;
      mib = memories[i].totalMib();
      prediction.neededMib =
          static_cast<double>(memories[i].neededBytes()) / kMib;
      prediction.latency = std::move(latencies[i]);
      prediction.memory = std::move(memories[i]);
    }
    prediction.latencyMs = within(ms, latencyInterval);
    prediction.memoryMib = within(mib, memoryInterval);
  }
  return predictions;
}

ordered_json TrainingModel::toJson() const {
  ordered_json json = {
      {"model", kind},
      {"interval",
       {{"coverage", 0.8},
        {"latency", {latencyInterval.low, latencyInterval.high}},
        {"memory", {memoryInterval.low, memoryInterval.high}}}}};
  if (forest)
    json["forest"] = forest->toJson();
  if (latency)
    json["latency"] = latency->toJson();
  if (memory)
    json["memory"] = memory->toJson();
  return json;
}

/// Reads `json["interval"][key]`; false where it is no pair around one.
static bool readInterval(const ordered_json &json, const char *key,
                         Interval &interval) {
  const auto found = json.find("interval");
  if (found == json.end() || !found->is_object() || !found->contains(key))
    return false;
  const ordered_json &pair = (*found)[key];
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() ||
      !pair[1].is_number())
    return false;
  interval = {pair[0].get<double>(), pair[1].get<double>()};
  return interval.low > 0 && interval.low <= 1 && interval.high >= 1;
}

Result<TrainingModel> TrainingModel::fromJson(const ordered_json &json) {
  if (!json.is_object() || !json.contains("model") ||
      (json["model"] != "snug" && json["model"] != "forest"))
    return Error{"training.model must be 'snug' or 'forest'"};
  TrainingModel model;
  model.kind = json["model"].get<std::string>();
  if (!readInterval(json, "latency", model.latencyInterval) ||
      !readInterval(json, "memory", model.memoryInterval))
    return Error{"training.interval must hold two factors for latency and two "
                 "for memory, one at most 1 and one at least 1"};
  auto part = [&](const char *key) {
    return json.contains(key) ? json[key] : ordered_json();
  };
  if (model.kind == "forest") {
    auto forest = ForestModel::fromJson(part("forest"));
    if (!forest)
      return forest.error();
    model.forest = std::move(*forest);
    return model;
  }
  auto latency = TrainingLatencyModel::fromJson(part("latency"));
  if (!latency)
    return latency.error();
  auto memory = TrainingMemoryModel::fromJson(part("memory"));
  if (!memory)
    return memory.error();
  model.latency = std::move(*latency);
  model.memory = std::move(*memory);
  return model;
}

} // namespace snug::predict
