// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time of a training step from the shapes of a network.
#include "snug/Predict/TrainingLatency.h"

#include "CurveFit.h"
#include "StepTime.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace snug::predict {

/// Fewer samples say nothing.
constexpr size_t kLeastSamples = 3;
/// What the physical model misses of a row, in logarithms; larger misses count
/// linearly.
constexpr double kMiss = 0.05;
/// The rows of a topology share most of their misses. Together they count as
/// one observation with this deviation.
constexpr double kTopologyMiss = 0.02;
/// Weight of rows that were measured while the device swapped.
constexpr double kSwappedWeight = 0.3;
/// The curves of topologies compare members at this batch.
constexpr double kCurveBatch = 64;
/// Of a device of which nothing is known, before the samples are looked at.
constexpr double kNominalGflops = 1000, kNominalGBs = 100;

/// 10^9 a second are 10^6 a millisecond.
static Peaks peaksOf(double gflops, double gbs) {
  return {gflops * 1e6, gbs * 1e6};
}

namespace {

/// A row to fit to.
struct FitRow {
  size_t work = 0; ///< index
  double batch = 0, ms = 0, weight = 1;
};

/// Networks and rows; the products of all rows, computed anew only where a term
/// moves that they depend on.
class LatencyFit {
public:
  LatencyFit(const std::vector<TrainingSample> &samples,
             const TrainingDevice &device) {
    std::map<const TrainingNetwork *, size_t> indices;
    for (const TrainingSample &sample : samples) {
      if (!sample.latencyMs || sample.weight <= 0)
        continue;
      const auto [found, isNew] =
          indices.try_emplace(sample.network, works.size());
      if (isNew)
        works.push_back(trainingWork(*sample.network));
      const bool isSwapped = device.memoryMib && sample.memoryMib &&
                             *sample.memoryMib > *device.memoryMib;
      rows.push_back({found->second, static_cast<double>(sample.batch),
                      *sample.latencyMs,
                      sample.weight * (isSwapped ? kSwappedWeight : 1)});
    }
    std::map<std::string, double> counts;
    for (const FitRow &row : rows)
      counts[works[row.work].topology] += 1;
    for (FitRow &row : rows)
      lossWeights.push_back(row.weight * kMiss * kMiss /
                            (kTopologyMiss * kTopologyMiss) /
                            counts[works[row.work].topology]);
  }

  /// Peaks that the device does not tell, from the rows' typical time.
  Peaks findPeaks(const TrainingDevice &device, const Terms &terms) const {
    if (device.peakGflops && device.bandwidthGBs)
      return peaksOf(*device.peakGflops, *device.bandwidthGBs);
    const Peaks nominal = peaksOf(device.peakGflops.value_or(kNominalGflops),
                                  device.bandwidthGBs.value_or(kNominalGBs));
    std::vector<double> ratios;
    for (const FitRow &row : rows)
      ratios.push_back(gpuMs(works[row.work], row.batch, terms, nominal) /
                       row.ms);
    std::nth_element(ratios.begin(), ratios.begin() + ratios.size() / 2,
                     ratios.end());
    const double ratio = ratios[ratios.size() / 2];
    return {device.peakGflops ? nominal.flops : nominal.flops * ratio,
            device.bandwidthGBs ? nominal.bytes : nominal.bytes * ratio};
  }

  /// Logarithms of predicted by measured time, in kMiss, weighted so that the
  /// loss of fitCurve() counts each row by its weight.
  std::vector<double> residuals(const std::vector<double> &fitted,
                                Peaks peaks) {
    const Terms terms = termsOf(fitted);
    updateVolumes(terms, peaks);
    const auto perPass = passMs(terms, peaks);
    std::vector<double> all;
    size_t volume = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const FitRow &row = rows[i];
      const TrainingWork &work = works[row.work];
      double gpu = updateMs(work, terms, peaks) + kernelMs(work, terms);
      for (size_t pass = 0; pass < kPassClasses; ++pass)
        gpu += row.batch * perPass[pass] * work.passTotals[pass];
      for (const LayerWork &layer : work.layers)
        gpu += layerMs(layer, row.batch, volumes[volume++], terms, peaks);
      const double miss =
          std::log(joined(gpu, launchMs(work, terms), row.batch, 1, terms) /
                   row.ms) /
          kMiss;
      const double loss = 1 + lossWeights[i] * (std::sqrt(1 + miss * miss) - 1);
      all.push_back(std::copysign(std::sqrt(loss * loss - 1), miss));
    }
    return all;
  }

  std::vector<TrainingWork> works;
  std::vector<FitRow> rows;

private:
  void updateVolumes(const Terms &terms, Peaks peaks) {
    const std::array<double, 3> needed = {terms[Term::ReductionOverhead],
                                          terms[Term::Tile32Efficiency],
                                          terms[Term::Tile128Efficiency]};
    if (!volumes.empty() && needed == computedFor)
      return;
    computedFor = needed;
    volumes.clear();
    for (const FitRow &row : rows)
      for (const LayerWork &layer : works[row.work].layers)
        volumes.push_back(layerVolume(layer, row.batch, terms, peaks));
  }

  std::vector<double> lossWeights;  // of rows
  std::vector<LayerVolume> volumes; // of rows and their layers
  std::array<double, 3> computedFor = {};
};

} // namespace

static TopologyMember memberOf(const TrainingWork &work, const Terms &terms,
                               Peaks peaks) {
  return {std::log(std::max(work.parameters, 1.0)),
          std::log(gpuMs(work, kCurveBatch, terms, peaks))};
}

/// The curves of all topologies, by what the terms leave over.
static std::vector<TopologyCurve> fitCurves(const LatencyFit &fit,
                                            const Terms &terms, Peaks peaks) {
  std::map<std::string, std::vector<size_t>> worksOf;
  for (size_t i = 0; i < fit.works.size(); ++i)
    worksOf[fit.works[i].topology].push_back(i);
  std::vector<TopologyCurve> curves;
  for (const auto &[topology, works] : worksOf) {
    std::vector<TopologyMember> members;
    std::map<size_t, size_t> places;
    for (size_t work : works) {
      places[work] = members.size();
      members.push_back(memberOf(fit.works[work], terms, peaks));
    }
    TopologyCurve curve(topology, members);
    std::vector<TopologyResidual> residuals;
    for (const FitRow &row : fit.rows) {
      const auto place = places.find(row.work);
      if (place == places.end())
        continue;
      const TrainingWork &work = fit.works[row.work];
      const double ms = joined(
          gpuMs(work, row.batch, terms, peaks), launchMs(work, terms),
          row.batch, std::exp(curve.shift(members[place->second])), terms);
      residuals.push_back({place->second, std::log2(row.batch),
                           std::log(row.ms / ms), row.weight});
    }
    curve.fit(members, residuals);
    curves.push_back(std::move(curve));
  }
  return curves;
}

Result<TrainingLatencyModel>
TrainingLatencyModel::fit(const std::vector<TrainingSample> &samples,
                          const TrainingDevice &device) {
  LatencyFit rows(samples, device);
  if (rows.rows.size() < kLeastSamples)
    return Error{"a latency model needs at least " +
                 std::to_string(kLeastSamples) + " rows with a latency, got " +
                 std::to_string(rows.rows.size())};
  std::vector<Prior> priors;
  std::vector<double> means;
  for (const TermInfo &info : kTermInfos) {
    const bool isLast = priors.size() + 1 == kTerms;
    priors.push_back(
        {isLast ? info.prior : std::log(info.prior), info.deviation});
    means.push_back(priors.back().mean);
  }
  const Peaks peaks = rows.findPeaks(device, termsOf(means));
  const Terms terms = termsOf(fitCurve(
      [&](const std::vector<double> &fitted) {
        return rows.residuals(fitted, peaks);
      },
      priors));
  TrainingLatencyModel model;
  model.peakGflops = peaks.flops * 1e-6;
  model.bandwidthGBs = peaks.bytes * 1e-6;
  model.terms.assign(terms.values.begin(), terms.values.end());
  model.curves = fitCurves(rows, terms, peaks);
  return model;
}

namespace {

/// Categories of a step, in the order in which they are told.
enum class Category {
  Convolution,
  FullyConnected,
  Normalization,
  Activation,
  Pooling,
  Elementwise,
  Update,
  Launches
};
constexpr const char *kCategories[] = {
    "convolution", "fully connected", "batch normalization",
    "activation",  "pooling",         "element by element",
    "update",      "launches"};

} // namespace

static Category categoryOf(PassClass kind) {
  switch (kind) {
  case PassClass::Normalization:
    return Category::Normalization;
  case PassClass::Activation:
    return Category::Activation;
  case PassClass::Pooling:
    return Category::Pooling;
  case PassClass::Elementwise:
    return Category::Elementwise;
  }
  return Category::Elementwise;
}

/// The GPU's time by op and category, before the CPU is considered.
static LatencyPrediction gpuParts(const TrainingWork &work, size_t ops,
                                  double batch, const Terms &terms,
                                  Peaks peaks) {
  LatencyPrediction prediction;
  prediction.opMs.assign(ops, 0);
  for (const char *name : kCategories)
    prediction.parts.push_back({name, 0});
  auto add = [&](int op, Category category, double ms) {
    prediction.parts[static_cast<size_t>(category)].second += ms;
    prediction.ms += ms;
    if (op >= 0)
      prediction.opMs[op] += ms;
  };
  for (const LayerWork &layer : work.layers)
    add(layer.op,
        layer.isFullyConnected ? Category::FullyConnected
                               : Category::Convolution,
        layerMs(layer, batch, layerVolume(layer, batch, terms, peaks), terms,
                peaks));
  const auto perPass = passMs(terms, peaks);
  for (const PassWork &pass : work.passes)
    add(pass.op, categoryOf(pass.kind),
        batch * pass.perImage * perPass[static_cast<size_t>(pass.kind)]);
  add(-1, Category::Update, updateMs(work, terms, peaks));
  add(-1, Category::Launches, kernelMs(work, terms));
  return prediction;
}

std::vector<LatencyPrediction>
TrainingLatencyModel::predict(const TrainingNetwork &network,
                              const std::vector<int64_t> &batches) const {
  const TrainingWork work = trainingWork(network);
  Terms values;
  std::copy(terms.begin(), terms.end(), values.values.begin());
  const Peaks peaks = peaksOf(peakGflops, bandwidthGBs);
  const auto found =
      std::lower_bound(curves.begin(), curves.end(), work.topology,
                       [](const TopologyCurve &curve, const std::string &key) {
                         return curve.getTopology() < key;
                       });
  const bool isKnown =
      found != curves.end() && found->getTopology() == work.topology;
  const TopologyMember member =
      isKnown ? memberOf(work, values, peaks) : TopologyMember();
  const double shift = isKnown ? std::exp(found->shift(member)) : 1;
  std::vector<LatencyPrediction> predictions;
  for (int64_t size : batches) {
    const auto batch = static_cast<double>(size);
    LatencyPrediction prediction =
        gpuParts(work, network.ops.size(), batch, values, peaks);
    const double gpu = prediction.ms;
    prediction.ms = joined(gpu, launchMs(work, values), batch, shift, values);
    if (isKnown)
      prediction.ms *=
          std::exp(found->correction(member.logParameters, std::log2(batch)));
    // What the GPU is busy with takes no longer than the step; what is left is
    // waiting for launches.
    const double scale =
        std::min(prediction.ms, joined(gpu, 0, batch, shift, values)) / gpu;
    double told = 0;
    for (double &ms : prediction.opMs)
      ms *= scale;
    for (auto &part : prediction.parts) {
      part.second *= scale;
      told += part.second;
    }
    prediction.parts.back().second += std::max(0.0, prediction.ms - told);
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

nlohmann::ordered_json TrainingLatencyModel::toJson() const {
  nlohmann::ordered_json json = {{"peak_gflops", peakGflops},
                                 {"bandwidth_gbs", bandwidthGBs}};
  for (size_t i = 0; i < kTerms; ++i)
    json["terms"][kTermInfos[i].name] = terms[i];
  json["topologies"] = nlohmann::ordered_json::array();
  for (const TopologyCurve &curve : curves)
    json["topologies"].push_back(curve.toJson());
  return json;
}

/// Reads `json[key]`; the error names it as a part of `whole`.
static Result<double> readNumber(const nlohmann::ordered_json &json,
                                 const std::string &key,
                                 const std::string &whole) {
  if (!json.is_object() || !json.contains(key) || !json[key].is_number())
    return Error{whole + " lacks the number '" + key + "'"};
  const double value = json[key].get<double>();
  if (key != kTermInfos.back().name && !(value > 0))
    return Error{whole + " must have a positive '" + key + "'"};
  return value;
}

Result<TrainingLatencyModel>
TrainingLatencyModel::fromJson(const nlohmann::ordered_json &json) {
  TrainingLatencyModel model;
  for (auto [key, target] : {std::pair{"peak_gflops", &model.peakGflops},
                             std::pair{"bandwidth_gbs", &model.bandwidthGBs}}) {
    auto value = readNumber(json, key, "training.latency");
    if (!value)
      return value.error();
    *target = *value;
  }
  const auto terms = json.value("terms", nlohmann::ordered_json());
  for (const TermInfo &info : kTermInfos) {
    auto value = readNumber(terms, info.name, "training.latency.terms");
    if (!value)
      return value.error();
    model.terms.push_back(*value);
  }
  const auto topologies = json.value("topologies", nlohmann::ordered_json());
  if (!topologies.is_array())
    return Error{"training.latency lacks the list 'topologies'"};
  for (const auto &topology : topologies) {
    auto curve = TopologyCurve::fromJson(topology);
    if (!curve)
      return curve.error();
    model.curves.push_back(std::move(*curve));
  }
  std::sort(model.curves.begin(), model.curves.end(),
            [](const TopologyCurve &a, const TopologyCurve &b) {
              return a.getTopology() < b.getTopology();
            });
  return model;
}

} // namespace snug::predict
