// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug estimate --training: time and memory of training steps on a device.
#include "Commands.h"
#include "Model.h"
#include "Report.h"
#include "TrainingReport.h"

#include "snug/Analysis/Sizes.h"
#include "snug/Predict/DeviceProfile.h"
#include "snug/Predict/TrainingModel.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <set>

namespace snug::tool {

/// The largest batch size that is asked for or tried.
constexpr int64_t kMaximumBatch = 1 << 20;
constexpr double kMib = 1024.0 * 1024.0;

static Result<int64_t> parseBatch(llvm::StringRef text) {
  int64_t batch = 0;
  if (text.empty() || text.getAsInteger(10, batch))
    return Error{"--batch takes numbers of images and ranges, as 2,4,8 or "
                 "2..256 or 8..64:8, but got '" +
                 text.str() + "'"};
  if (batch < 1 || batch > kMaximumBatch)
    return Error{"a batch has 1 to " + std::to_string(kMaximumBatch) +
                 " images, but --batch gives " + text.str()};
  return batch;
}

/// Appends the batch sizes of "8", "2..256" (doubled, and the last one) or
/// "8..64:8" (in steps); returns the error's text, or nothing.
static std::string addBatches(llvm::StringRef part, std::set<int64_t> &all) {
  auto [firstText, rest] = part.split("..");
  const Result<int64_t> first = parseBatch(firstText);
  if (!first)
    return first.error().message;
  all.insert(*first);
  if (firstText.size() == part.size())
    return "";
  auto [lastText, stepText] = rest.split(':');
  const Result<int64_t> last = parseBatch(lastText);
  if (!last)
    return last.error().message;
  if (*last < *first)
    return "--batch gives the range " + part.str() +
           ", which ends before it begins";
  const bool hasStep = lastText.size() != rest.size();
  int64_t step = 0;
  if (hasStep) {
    const Result<int64_t> parsed = parseBatch(stepText);
    if (!parsed)
      return parsed.error().message;
    step = *parsed;
  }
  for (int64_t batch = *first; batch < *last;
       batch = hasStep ? batch + step : batch * 2)
    all.insert(batch);
  all.insert(*last);
  return "";
}

static Result<std::vector<int64_t>> parseBatches(const std::string &text) {
  std::set<int64_t> all;
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(text).split(parts, ',');
  for (llvm::StringRef part : parts)
    if (std::string problem = addBatches(part, all); !problem.empty())
      return Error{problem};
  return std::vector<int64_t>(all.begin(), all.end());
}

/// "1.5s" or "200ms" in milliseconds.
static Result<double> parseDuration(const std::string &text) {
  llvm::StringRef rest = text;
  const double unit = rest.consume_back("ms")  ? 1
                      : rest.consume_back("s") ? 1000
                                               : 0;
  double value = 0;
  if (unit == 0 || rest.trim().getAsDouble(value) || !(value > 0) ||
      value > 1e9)
    return Error{
        "--deadline takes a time of a step, as 1.5s or 200ms, but got '" +
        text + "'"};
  return value * unit;
}

/// The largest batch size whose step takes at most `mib`; 0: not even one
/// image.
static int64_t largestBatch(const predict::TrainingModel &model,
                            const predict::TrainingNetwork &network,
                            double mib) {
  // Memory grows with the batch size: doubling, then bisection.
  int64_t fits = 0, fails = 1;
  auto fitsAt = [&](int64_t batch) {
    return model.predict(network, {batch}).front().neededMib <= mib;
  };
  while (fails <= kMaximumBatch && fitsAt(fails)) {
    fits = fails;
    fails *= 2;
  }
  while (fits < kMaximumBatch && fails - fits > 1) {
    const int64_t middle = fits + (fails - fits) / 2;
    (fitsAt(middle) ? fits : fails) = middle;
  }
  return fits;
}

/// Networks with a step within the limits get a rank: those that train most
/// images a second come first.
static void rankModels(TrainingReport &report) {
  auto imagesPerMs = [](const TrainedModel &model, size_t step) {
    return static_cast<double>(model.steps[step].batch) /
           model.steps[step].latencyMs.value;
  };
  std::vector<size_t> order;
  for (size_t i = 0; i < report.models.size(); ++i) {
    TrainedModel &model = report.models[i];
    std::optional<size_t> best;
    for (size_t step = 0; step < model.steps.size(); ++step) {
      const std::string reason = whatStops(model.steps[step], report.limits);
      if (reason.empty() &&
          (!best || imagesPerMs(model, step) > imagesPerMs(model, *best)))
        best = step;
      // The smallest batch size comes nearest to the limits.
      if (step == 0)
        model.stoppedBy = reason;
    }
    if (!best)
      continue;
    model.bestStep = *best;
    model.stoppedBy.clear();
    order.push_back(i);
  }
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    return imagesPerMs(report.models[a], report.models[a].bestStep) >
           imagesPerMs(report.models[b], report.models[b].bestStep);
  });
  for (auto [place, index] : llvm::enumerate(order))
    report.models[index].rank = static_cast<int64_t>(place) + 1;
}

/// Reads limits out of the options; returns the error's text, or nothing.
static std::string readLimits(const TrainingOptions &options,
                              TrainingLimits &limits) {
  if (!options.memoryBudget.empty()) {
    const Result<int64_t> bytes = parseBytes(options.memoryBudget);
    if (!bytes)
      return bytes.error().message;
    limits.memoryMib = static_cast<double>(*bytes) / kMib;
  }
  if (!options.deadline.empty()) {
    const Result<double> ms = parseDuration(options.deadline);
    if (!ms)
      return ms.error().message;
    limits.deadlineMs = *ms;
  }
  return "";
}

namespace {

/// What became of a file.
struct Outcome {
  std::optional<TrainedModel> model;
  ExitCode failure = kSuccess; ///< why there is none
};

} // namespace

/// Imports a network and predicts its steps.
static Outcome predictModel(const std::string &file,
                            const TrainingOptions &options,
                            const predict::TrainingModel &training,
                            const std::vector<int64_t> &batches,
                            llvm::raw_ostream &messages) {
  Outcome outcome;
  // A context each: what one leaves behind would be kept for all.
  Session session(options.models.size() > 1 ? file : "", messages);
  std::optional<predict::TrainingNetwork> network =
      session.importForTraining({file, options.shapes});
  if (!network) {
    outcome.failure = session.getImportFailure();
    return outcome;
  }
  TrainedModel &model = outcome.model.emplace();
  model.file = file;
  model.network = std::move(*network);
  model.steps = training.predict(model.network, batches);
  return outcome;
}

int runEstimateTraining(const TrainingOptions &options) {
  TrainingReport report;
  const Result<std::vector<int64_t>> batches = parseBatches(options.batches);
  std::string problem =
      batches ? readLimits(options, report.limits) : batches.error().message;
  if (!problem.empty()) {
    reportError(problem);
    return kBadCommandLine;
  }
  const Result<predict::DeviceProfile> device =
      predict::loadDeviceProfile(options.device);
  if (!device) {
    reportError(device.error().message);
    return kBadInput;
  }
  if (!device->training) {
    reportError("the device '" + options.device +
                "' has no model of training; measure some networks there with "
                "tools/zoo/profile_training.py and fit one with snug fit "
                "training");
    return kBadInput;
  }
  report.device = device->name;
  report.deviceMemoryMib = device->trainingDevice.memoryMib;
  report.isRanked = report.limits.memoryMib || report.limits.deadlineMs;
  const std::optional<double> fitsInMib = report.limits.memoryMib
                                              ? report.limits.memoryMib
                                              : report.deviceMemoryMib;
  const size_t count = options.models.size();
  std::vector<Outcome> outcomes(count);
  const std::vector<std::string> messages = forEachModel(
      count, "predicted", [&](size_t i, llvm::raw_ostream &stream) {
        outcomes[i] = predictModel(options.models[i], options,
                                   *device->training, *batches, stream);
      });
  size_t failures = 0;
  for (auto [outcome, text] : llvm::zip_equal(outcomes, messages)) {
    llvm::errs() << text;
    if (outcome.failure == kBadCommandLine)
      return kBadCommandLine;
    if (outcome.model)
      report.models.push_back(std::move(*outcome.model));
    else
      ++failures;
  }
  // Found by dozens of predictions: too long for a thousand models.
  if (fitsInMib && count == 1 && failures == 0) {
    TrainedModel &model = report.models.front();
    model.largestBatch =
        largestBatch(*device->training, model.network, *fitsInMib);
  }
  if (report.models.empty())
    return kBadInput;
  if (report.isRanked)
    rankModels(report);
  printTraining(report);
  if ((!options.csvFile.empty() &&
       !writeTrainingCsv(report, options.csvFile)) ||
      (!options.plotFile.empty() &&
       !writeTrainingPage(report, options.plotFile)) ||
      (!options.jsonFile.empty() &&
       !writeJson(toJson(report), options.jsonFile)))
    return kBadInput;
  if (failures == 0)
    return kSuccess;
  reportError(llvm::Twine(failures) + " of " + llvm::Twine(count) +
              " models could not be estimated, see above");
  return kBadInput;
}

} // namespace snug::tool
