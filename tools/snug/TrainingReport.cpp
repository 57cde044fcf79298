// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables, JSON and CSV that estimate --training writes.
#include "TrainingReport.h"
#include "Model.h"
#include "Report.h"

#include "snug/Analysis/Sizes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace snug::tool {

using llvm::formatv;
using nlohmann::ordered_json;
using predict::Estimate;
using predict::MemoryPrediction;
using predict::TrainingPrediction;

static std::string formatMib(double mib) {
  return formatBytes(static_cast<int64_t>(mib * 1024 * 1024));
}

static std::string formatMs(double ms) {
  return ms < 1000 ? formatv("{0:F1} ms", ms).str()
                   : formatv("{0:F2} s", ms / 1000).str();
}

std::string whatStops(const TrainingPrediction &step,
                      const TrainingLimits &limits) {
  std::string reason;
  if (limits.memoryMib && step.neededMib > *limits.memoryMib)
    reason = formatv("needs {0} at batch {1}, {2} too much",
                     formatMib(step.neededMib), step.batch,
                     formatMib(step.neededMib - *limits.memoryMib));
  if (limits.deadlineMs && step.latencyMs.value > *limits.deadlineMs)
    reason += formatv("{0}takes {1} at batch {2}, {3} too long",
                      reason.empty() ? "" : "; ",
                      formatMs(step.latencyMs.value), step.batch,
                      formatMs(step.latencyMs.value - *limits.deadlineMs));
  return reason;
}

bool isUncertain(const TrainingPrediction &step, const TrainingLimits &limits) {
  auto holds = [](const Estimate &estimate, std::optional<double> limit) {
    return limit && estimate.low <= *limit && *limit < estimate.high;
  };
  return holds(step.memoryMib, limits.memoryMib) ||
         holds(step.latencyMs, limits.deadlineMs);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static std::vector<std::pair<const char *, int64_t>>
categories(const MemoryPrediction &memory) {
  return {{"weights", memory.weightBytes},
          {"gradients", memory.gradientBytes},
          {"optimizer state", memory.optimizerBytes},
          {"saved activations", memory.savedBytes},
          {"workspace", memory.workspaceBytes},
          {"runtime overhead", memory.overheadBytes},
          {"not held: swapped", -memory.swappedBytes}};
}

static void printOps(const TrainedModel &model,
                     const TrainingPrediction &step) {
  llvm::raw_ostream &out = llvm::outs();
  size_t name = 2, kind = 4, keeps = 5;
  for (auto [op, kept] :
       llvm::zip_equal(model.network.ops, step.memory->kept)) {
    name = std::min<size_t>(std::max(name, op.name.size()), 48);
    kind = std::max(kind, op.mnemonic.size());
    keeps = std::max(keeps, kept.what.size());
  }
  auto line = [&](llvm::StringRef opName, llvm::StringRef opKind,
                  llvm::StringRef what, const std::string &bytes,
                  const std::string &ms) {
    out << "  " << llvm::left_justify(opName, name) << ' '
        << llvm::left_justify(opKind, kind) << ' '
        << llvm::left_justify(what, keeps)
        << formatv(" {0,14} {1,10}\n", bytes, ms);
  };
  line("op", "kind", "keeps", "kept B", "ms");
  for (auto [op, kept, ms] : llvm::zip_equal(
           model.network.ops, step.memory->kept, step.latency->opMs))
    line(op.name, op.mnemonic, kept.what, std::to_string(kept.bytes),
         formatv("{0:F3}", ms));
}

static std::string formatInterval(const std::string &low,
                                  const std::string &high) {
  return formatv("{0} to {1} in four of five cases", low, high);
}

static void printStep(const TrainedModel &model,
                      const TrainingPrediction &step) {
  llvm::raw_ostream &out = llvm::outs();
  const Estimate &memory = step.memoryMib, &latency = step.latencyMs;
  out << formatv("  memory {0} ({1})\n", formatMib(memory.value),
                 formatInterval(formatMib(memory.low), formatMib(memory.high)));
  if (step.memory)
    for (auto [category, bytes] : categories(*step.memory))
      if (bytes != 0)
        out << formatv("    {0,-20}{1,12}  {2,12} B\n", category,
                       formatBytes(bytes), bytes);
  out << formatv("  step time {0} ({1})\n", formatMs(latency.value),
                 formatInterval(formatMs(latency.low), formatMs(latency.high)));
  if (step.latency) {
    for (const auto &[part, ms] : step.latency->parts)
      out << formatv("    {0,-20}{1,12}\n", part, formatMs(ms));
    printOps(model, step);
  }
}

static void printTable(const TrainingReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  size_t name = 5;
  for (const TrainedModel &model : report.models)
    name = std::max(name, model.network.name.size());
  auto line = [&](llvm::StringRef model, auto... fields) {
    out << "  " << llvm::left_justify(model, name);
    ((out << formatv(" {0,11}", fields)), ...);
    out << "\n";
  };
  line("model", "batch", "step ms", "low", "high", "memory MiB", "low", "high");
  auto figure = [](double value) { return formatv("{0:F1}", value).str(); };
  for (const TrainedModel &model : report.models)
    for (const TrainingPrediction &step : model.steps)
      line(model.network.name, step.batch, figure(step.latencyMs.value),
           figure(step.latencyMs.low), figure(step.latencyMs.high),
           figure(step.memoryMib.value), figure(step.memoryMib.low),
           figure(step.memoryMib.high));
}

static std::string describeLimits(const TrainingLimits &limits) {
  std::string text;
  if (limits.memoryMib)
    text = "in " + formatMib(*limits.memoryMib);
  if (limits.deadlineMs)
    text +=
        (text.empty() ? "within " : " within ") + formatMs(*limits.deadlineMs);
  return text;
}

/// Networks in the order of their ranks, then those without.
static std::vector<const TrainedModel *> ordered(const TrainingReport &report) {
  std::vector<const TrainedModel *> order;
  for (const TrainedModel &model : report.models)
    order.push_back(&model);
  llvm::stable_sort(order, [](const TrainedModel *a, const TrainedModel *b) {
    return a->rank != 0 && (b->rank == 0 || a->rank < b->rank);
  });
  return order;
}

static void printRanking(const TrainingReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  const std::vector<const TrainedModel *> order = ordered(report);
  const auto count =
      llvm::count_if(order, [](const TrainedModel *m) { return m->rank > 0; });
  out << formatv("{0} of {1} network{2} can be trained {3} on {4}{5}\n", count,
                 order.size(), order.size() == 1 ? "" : "s",
                 describeLimits(report.limits), report.device,
                 count > 0 ? ", most images a second first:" : "");
  for (const TrainedModel *model : order) {
    if (model->rank == 0) {
      out << formatv(
          "     - {0}: {1}{2}\n", model->network.name, model->stoppedBy,
          isUncertain(model->steps.front(), report.limits) ? " (uncertain)"
                                                           : "");
      continue;
    }
    const TrainingPrediction &step = model->steps[model->bestStep];
    out << formatv(
        "  {0,4} {1}: batch {2}, {3}, {4}, {5:F1} images/s{6}\n", model->rank,
        model->network.name, step.batch, formatMs(step.latencyMs.value),
        formatMib(step.memoryMib.value),
        1000 * static_cast<double>(step.batch) / step.latencyMs.value,
        isUncertain(step, report.limits) ? " (uncertain)" : "");
  }
}

/// "largest batch that fits in 5.96 GiB: 64".
static void printLargestBatch(const TrainingReport &report) {
  const TrainedModel &model = report.models.front();
  if (!model.largestBatch)
    return;
  const double mib = report.limits.memoryMib ? *report.limits.memoryMib
                                             : *report.deviceMemoryMib;
  llvm::outs() << formatv(
      "  largest batch that fits in {0}: {1}\n", formatMib(mib),
      *model.largestBatch == 0 ? "not even one image"
                               : std::to_string(*model.largestBatch));
}

void printTraining(const TrainingReport &report) {
  if (report.isRanked && report.models.size() > 1)
    return printRanking(report);
  const TrainedModel &first = report.models.front();
  const bool isSingle = report.models.size() == 1;
  llvm::outs() << formatv(
      "{0}: training on {1}, {2}\n",
      isSingle ? first.network.name
               : std::to_string(report.models.size()) + " networks",
      report.device,
      first.steps.size() == 1
          ? "batch " + std::to_string(first.steps.front().batch)
          : std::to_string(first.steps.size()) + " batch sizes");
  if (isSingle && first.steps.size() == 1)
    printStep(first, first.steps.front());
  else
    printTable(report);
  if (isSingle) {
    printLargestBatch(report);
    if (report.isRanked)
      printRanking(report);
  }
}

//===----------------------------------------------------------------------===//
// JSON and CSV
//===----------------------------------------------------------------------===//

static ordered_json toJson(const Estimate &estimate) {
  return {{"value", estimate.value},
          {"low", estimate.low},
          {"high", estimate.high}};
}

static ordered_json toJson(const TrainingPrediction &step) {
  ordered_json json = {{"batch", step.batch},
                       {"latency_ms", toJson(step.latencyMs)},
                       {"memory_mib", toJson(step.memoryMib)},
                       {"needed_mib", step.neededMib}};
  if (step.memory)
    json["memory"] = {{"weights", step.memory->weightBytes},
                      {"gradients", step.memory->gradientBytes},
                      {"optimizer_state", step.memory->optimizerBytes},
                      {"saved_activations", step.memory->savedBytes},
                      {"workspace", step.memory->workspaceBytes},
                      {"runtime_overhead", step.memory->overheadBytes},
                      {"swapped", step.memory->swappedBytes}};
  if (step.latency) {
    ordered_json &parts = json["latency_parts_ms"] = ordered_json::object();
    for (const auto &[part, ms] : step.latency->parts)
      parts[part] = ms;
  }
  return json;
}

/// What each op keeps and takes in one step.
static ordered_json opsToJson(const TrainedModel &model,
                              const TrainingPrediction &step) {
  ordered_json ops = ordered_json::array();
  for (auto [op, kept, ms] : llvm::zip_equal(
           model.network.ops, step.memory->kept, step.latency->opMs))
    ops.push_back({{"name", op.name},
                   {"kind", op.mnemonic},
                   {"keeps", kept.what},
                   {"kept", kept.bytes},
                   {"latency_ms", ms}});
  return ops;
}

template <typename Value>
static ordered_json orNull(const std::optional<Value> &value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json toJson(const TrainingReport &report) {
  ordered_json models = ordered_json::array();
  for (const TrainedModel &model : report.models) {
    ordered_json steps = ordered_json::array();
    for (const TrainingPrediction &step : model.steps)
      steps.push_back(toJson(step));
    ordered_json entry = {{"model", model.network.name},
                          {"file", model.file},
                          {"parameters", model.network.parameters()},
                          {"largest_batch", orNull(model.largestBatch)},
                          {"steps", std::move(steps)}};
    if (report.isRanked) {
      entry["rank"] = model.rank ? ordered_json(model.rank) : nullptr;
      entry["best_batch"] =
          model.rank ? ordered_json(model.steps[model.bestStep].batch)
                     : nullptr;
      entry["stopped_by"] =
          model.rank ? ordered_json(nullptr) : ordered_json(model.stoppedBy);
    }
    if (report.models.size() == 1 && model.steps.size() == 1 &&
        model.steps.front().memory)
      entry["ops"] = opsToJson(model, model.steps.front());
    models.push_back(std::move(entry));
  }
  return {{"device", report.device},
          {"device_memory_mib", orNull(report.deviceMemoryMib)},
          {"memory_budget_mib", orNull(report.limits.memoryMib)},
          {"deadline_ms", orNull(report.limits.deadlineMs)},
          {"models", std::move(models)}};
}

bool writeTrainingCsv(const TrainingReport &report, const std::string &file) {
  return writeFile(file, [&](llvm::raw_ostream &out) {
    out << "model,batch,latency_ms,memory_mib,latency_low_ms,latency_high_ms,"
           "memory_low_mib,memory_high_mib"
        << (report.isRanked ? ",rank,stopped_by\n" : "\n");
    for (const TrainedModel &model : report.models)
      for (const TrainingPrediction &step : model.steps) {
        out << formatv("{0},{1},{2:F4},{3:F3},{4:F4},{5:F4},{6:F3},{7:F3}",
                       csvField(model.file), step.batch, step.latencyMs.value,
                       step.memoryMib.value, step.latencyMs.low,
                       step.latencyMs.high, step.memoryMib.low,
                       step.memoryMib.high);
        if (report.isRanked)
          out << ',' << (model.rank ? std::to_string(model.rank) : "") << ','
              << csvField(whatStops(step, report.limits));
        out << "\n";
      }
    return true;
  });
}

} // namespace snug::tool
