// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug fit training: learns a device's training models from measured steps.
#include "Commands.h"
#include "Model.h"
#include "Report.h"
#include "tools/shared/Printable.h"

#include "snug/Predict/DeviceProfile.h"
#include "snug/Predict/TrainingModel.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <atomic>
#include <map>

namespace snug::tool {

using llvm::formatv;
using nlohmann::ordered_json;
using predict::CrossValidation;
using predict::RowWarning;
using predict::Score;
using predict::TrainingNetwork;
using predict::TrainingRow;

/// Warnings of one kind that are printed; --json holds all of them.
constexpr size_t kPrintedWarnings = 10;

namespace {

/// The rows to learn from, and the networks that they are of.
struct Data {
  predict::TrainingSet set;
  std::vector<RowWarning> warnings;
  std::map<std::string, TrainingNetwork> networks; ///< by {network}_{level}
};

} // namespace

/// Reads the rows; false after an error was printed.
static bool readRows(const FitTrainingOptions &options,
                     const predict::TrainingDevice &device, Data &data) {
  auto file = llvm::MemoryBuffer::getFile(options.dataFile, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file) {
    reportError("cannot read '" + options.dataFile +
                "': " + file.getError().message());
    return false;
  }
  predict::TrainingSelection selection;
  selection.networks.insert(options.networks.begin(), options.networks.end());
  selection.levels.insert(options.levels.begin(), options.levels.end());
  auto rows = predict::readTrainingRows((*file)->getBuffer().str(), selection);
  if (!rows) {
    reportError("'" + options.dataFile + "': " + rows.error().message);
    return false;
  }
  data.set.rows = std::move(*rows);
  // Each that was asked for must be there: a name may be mistyped.
  for (const std::string &network : selection.networks)
    if (llvm::none_of(data.set.rows, [&](const TrainingRow &row) {
          return row.network == network;
        })) {
      reportError("'" + options.dataFile + "' has no row of the network '" +
                  network + "' that passed");
      return false;
    }
  data.warnings = predict::findOddRows(data.set.rows, device.memoryMib);
  return true;
}

/// Imports the networks of the rows; false after an error was printed.
static bool readNetworks(const FitTrainingOptions &options, Data &data) {
  for (const TrainingRow &row : data.set.rows)
    data.networks[row.model()];
  std::vector<std::pair<llvm::StringRef, predict::TrainingNetwork *>> models;
  for (auto &[model, network] : data.networks)
    models.push_back({model, &network});
  std::atomic<bool> isComplete = true;
  const std::vector<std::string> messages = forEachModel(
      models.size(), "read", [&](size_t i, llvm::raw_ostream &stream) {
        auto [model, network] = models[i];
        llvm::SmallString<128> path(options.modelFolder);
        llvm::sys::path::append(path, model + ".onnx");
        Session session(model.str(), stream);
        auto read = session.importForTraining({path.str().str(), {}});
        if (read)
          *network = std::move(*read);
        else
          isComplete = false;
      });
  llvm::errs() << llvm::join(messages, "");
  if (!isComplete)
    return false;
  for (const TrainingRow &row : data.set.rows) {
    predict::TrainingSample &sample = data.set.samples.emplace_back();
    sample.network = &data.networks[row.model()];
    sample.batch = row.batch;
    sample.latencyMs = row.latencyMs;
    sample.memoryMib = row.memoryMib;
  }
  return true;
}

static std::string describeRow(const TrainingRow &row) {
  return formatv("line {0}, {1} at batch {2}", row.line, row.model(),
                 row.batch);
}

static void printWarnings(const Data &data) {
  size_t printed = 0;
  for (bool isDropped : {true, false}) {
    size_t count = 0;
    for (const RowWarning &warning : data.warnings) {
      if ((warning.dropLatency || warning.dropMemory) != isDropped)
        continue;
      if (++count <= kPrintedWarnings)
        llvm::errs() << "snug: warning: "
                     << printable(describeRow(data.set.rows[warning.row]) +
                                  ": " + warning.message)
                     << "\n";
    }
    if (count > kPrintedWarnings)
      llvm::errs() << "snug: warning: and " << count - kPrintedWarnings
                   << " more rows of that kind; --json lists all\n";
    printed += count;
  }
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static ordered_json toJson(const Score &score) {
  return {{"rows", score.count},
          {"accuracy", score.accuracy},
          {"median_error", score.median},
          {"p95_error", score.p95}};
}

static ordered_json toJson(const std::vector<CrossValidation> &all) {
  ordered_json list = ordered_json::array();
  for (const CrossValidation &each : all)
    list.push_back({{"left_out", each.leftOut},
                    {"folds", each.folds},
                    {"latency", toJson(each.latency)},
                    {"latency_level_0", toJson(each.latencyLevel0)},
                    {"memory", toJson(each.memory)},
                    {"memory_level_0", toJson(each.memoryLevel0)}});
  return list;
}

static void printValidation(const std::vector<CrossValidation> &all) {
  llvm::outs() << formatv("  {0,-14}{1,-10}{2,6}{3,10}{4,9}{5,8}{6,20}\n",
                          "left out", "quantity", "rows", "accuracy", "median",
                          "p95", "accuracy at level 0");
  for (const CrossValidation &each : all)
    for (auto [name, score, level0] :
         {std::tuple{"latency", each.latency, each.latencyLevel0},
          std::tuple{"memory", each.memory, each.memoryLevel0}})
      if (score.count > 0)
        llvm::outs() << formatv(
            "  {0,-14}{1,-10}{2,6}{3,9:F2}%{4,8:F2}%{5,7:F2}%{6,19}\n",
            each.leftOut, name, score.count, score.accuracy, score.median,
            score.p95,
            level0.count > 0 ? formatv("{0:F2}%", level0.accuracy).str() : "");
}

/// The fit, as the profile and --json tell of it.
static ordered_json
describeFit(const FitTrainingOptions &options, const Data &data,
            const std::vector<CrossValidation> &validation) {
  std::set<std::string> networks;
  std::set<int64_t> levels;
  int64_t latencies = 0, memories = 0;
  for (const predict::TrainingSample &sample : data.set.samples) {
    latencies += sample.latencyMs.has_value();
    memories += sample.memoryMib.has_value();
  }
  for (const TrainingRow &row : data.set.rows) {
    networks.insert(row.network);
    levels.insert(row.level);
  }
  return {{"source", "snug fit training --data=" +
                         llvm::sys::path::filename(options.dataFile).str()},
          {"networks", networks},
          {"levels", levels},
          {"rows", {{"latency", latencies}, {"memory", memories}}},
          {"errors", toJson(validation)}};
}

int runFitTraining(const FitTrainingOptions &options) {
  Progress progress;
  const Result<std::string> base = predict::readDeviceProfile(options.device);
  const Result<predict::DeviceProfile> device =
      base ? predict::parseDeviceProfile(*base) : base.error();
  if (!device) {
    reportError(device.error().message);
    return kBadInput;
  }
  predict::TrainingDevice facts = device->trainingDevice;
  if (!options.name.empty())
    facts.name = options.name;
  Data data;
  if (!readRows(options, facts, data) || !readNetworks(options, data))
    return kBadInput;
  for (const RowWarning &warning : data.warnings) {
    predict::TrainingSample &sample = data.set.samples[warning.row];
    if (warning.dropLatency)
      sample.latencyMs.reset();
    if (warning.dropMemory)
      sample.memoryMib.reset();
  }
  progress.clear();
  printWarnings(data);
  auto validation = predict::crossValidate(
      data.set, options.model, facts,
      [&](const std::string &phase) { progress.show(phase); });
  progress.show("fitting to all rows");
  auto model = validation ? predict::TrainingModel::fit(options.model,
                                                        data.set.samples, facts)
                          : validation.error();
  progress.clear();
  if (!model) {
    reportError(model.error().message);
    return kBadInput;
  }
  // The first way of leaving out is the hardest, and nearest to what the model
  // is for.
  model->setIntervals(validation->front().latencyInterval,
                      validation->front().memoryInterval);

  const ordered_json fit = describeFit(options, data, *validation);
  ordered_json profile = ordered_json::parse(*base);
  profile["name"] = facts.name;
  profile["training"] = fit;
  profile["training"].update(model->toJson());
  llvm::outs() << formatv("{0}: {1} of {2} rows, {3} networks\n", facts.name,
                          options.model, data.set.rows.size(),
                          data.networks.size());
  printValidation(*validation);
  if (!writeJson(profile, options.output))
    return kBadInput;
  if (options.jsonFile.empty())
    return kSuccess;
  ordered_json document = {{"device", facts.name}, {"model", options.model}};
  document.update(fit);
  ordered_json &warnings = document["warnings"] = ordered_json::array();
  for (const RowWarning &warning : data.warnings) {
    const TrainingRow &row = data.set.rows[warning.row];
    warnings.push_back(
        {{"line", row.line},
         {"model", row.model()},
         {"batch", row.batch},
         {"message", warning.message},
         {"left_out", warning.dropLatency || warning.dropMemory}});
  }
  return writeJson(document, options.jsonFile) ? kSuccess : kBadInput;
}

} // namespace snug::tool
