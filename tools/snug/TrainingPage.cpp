// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws time and memory of training steps over the batch size as an HTML page.
#include "Html.h"
#include "Model.h"
#include "TrainingReport.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using llvm::formatv;

namespace snug::tool {

using predict::Estimate;
using predict::TrainingPrediction;

namespace {

// Of the drawing, in units of its view box.
constexpr double kLeft = 80, kTop = 16, kWidth = 900, kHeight = 320,
                 kRight = 20, kBottom = 40;
/// Networks are told apart by so many colours, which then begin again.
constexpr const char *kColours[] = {"#4e79a7", "#f2a65a", "#59a14f", "#b07aa1",
                                    "#e15759", "#76b7b2", "#9c755f", "#bab0ac"};

/// One quantity over the batch size, a line and a band for each network.
class Chart {
public:
  Chart(llvm::raw_ostream &out, const TrainingReport &report,
        Estimate TrainingPrediction::*quantity, const char *unit,
        std::optional<double> limit)
      : out(out), report(report), quantity(quantity), unit(unit), limit(limit) {
    for (const TrainedModel &model : report.models)
      for (const TrainingPrediction &step : model.steps) {
        batches = std::max(batches, static_cast<double>(step.batch));
        most = std::max(most, (step.*quantity).high);
      }
    if (limit)
      most = std::max(most, *limit * 1.05);
    most = std::max(most, 1e-9);
  }

  void draw() {
    out << formatv("<svg viewBox=\"0 0 {0} {1}\">\n", kWidth,
                   kTop + kHeight + kBottom);
    for (int tick = 0; tick <= 4; ++tick) {
      const double value = most * tick / 4, batch = batches * tick / 4;
      out << formatv("<line class=\"grid\" x1=\"{0:F1}\" x2=\"{1:F1}\" "
                     "y1=\"{2:F1}\" y2=\"{2:F1}\"/><text class=\"value\" "
                     "x=\"{3:F1}\" y=\"{4:F1}\">{5:F0} {6}</text>"
                     "<text class=\"batch\" x=\"{7:F1}\" y=\"{8:F1}\">{9:F0}"
                     "</text>\n",
                     kLeft, kWidth - kRight, y(value), kLeft - 6, y(value) + 4,
                     value, unit, x(batch), kTop + kHeight + 18, batch);
    }
    for (size_t i = 0; i < report.models.size(); ++i)
      drawModel(report.models[i], kColours[i % std::size(kColours)]);
    if (limit)
      out << formatv("<line class=\"limit\" x1=\"{0:F1}\" x2=\"{1:F1}\" "
                     "y1=\"{2:F1}\" y2=\"{2:F1}\"><title>limit: {3:F0} {4}"
                     "</title></line>\n",
                     kLeft, kWidth - kRight, y(*limit), *limit, unit);
    out << "</svg>\n";
  }

private:
  double x(double batch) const {
    return kLeft + (kWidth - kLeft - kRight) * batch / batches;
  }
  double y(double value) const { return kTop + kHeight * (1 - value / most); }

  void drawModel(const TrainedModel &model, const char *colour) {
    const std::vector<TrainingPrediction> &steps = model.steps;
    out << "<polygon fill=\"" << colour << "\" points=\"";
    for (const TrainingPrediction &step : steps)
      point(step.batch, (step.*quantity).low);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
      point(step->batch, ((*step).*quantity).high);
    out << "\"/><polyline stroke=\"" << colour << "\" points=\"";
    for (const TrainingPrediction &step : steps)
      point(step.batch, (step.*quantity).value);
    out << "\"/>\n";
    for (const TrainingPrediction &step : steps)
      out << formatv("<circle fill=\"{0}\" cx=\"{1:F1}\" cy=\"{2:F1}\" "
                     "r=\"3\"><title>{3}, batch {4}: {5:F1} {6} ({7:F1} to "
                     "{8:F1})</title></circle>\n",
                     colour, x(static_cast<double>(step.batch)),
                     y((step.*quantity).value), escapeHtml(model.network.name),
                     step.batch, (step.*quantity).value, unit,
                     (step.*quantity).low, (step.*quantity).high);
  }

  void point(int64_t batch, double value) {
    out << formatv("{0:F1},{1:F1} ", x(static_cast<double>(batch)), y(value));
  }

  llvm::raw_ostream &out;
  const TrainingReport &report;
  Estimate TrainingPrediction::*quantity;
  const char *unit;
  std::optional<double> limit;
  double batches = 1, most = 0;
};

constexpr llvm::StringLiteral kStyle = R"(
body { font: 14px sans-serif; margin: 2em; color: #222 }
svg { width: 100%; max-width: 1100px; height: auto; display: block }
text { font-size: 12px; fill: #444 } text.value { text-anchor: end }
text.batch { text-anchor: middle } line.grid { stroke: #e4e4e4 }
line.limit { stroke: #c00; stroke-width: 1.5; stroke-dasharray: 6 4 }
polygon { fill-opacity: 0.15 } polyline { fill: none; stroke-width: 2 }
)";

void drawPage(const TrainingReport &report, llvm::raw_ostream &out) {
  const std::string title = "Training on " + escapeHtml(report.device);
  out << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      << "<title>" << title << "</title><style>" << kStyle
      << "</style></head><body>\n<h1>" << title << "</h1>\n<p>";
  for (size_t i = 0; i < report.models.size(); ++i)
    out << "<b style=\"color:" << kColours[i % std::size(kColours)]
        << "\">&#9679;</b> " << escapeHtml(report.models[i].network.name)
        << " &nbsp; ";
  out << "</p>\n<p>Batch size to the right; the band holds four of five cases; "
         "rest the mouse on a point for its figures.</p>\n"
         "<h2>Memory of a step</h2>\n";
  Chart(out, report, &TrainingPrediction::memoryMib, "MiB",
        report.limits.memoryMib ? report.limits.memoryMib
                                : report.deviceMemoryMib)
      .draw();
  out << "<h2>Time of a step</h2>\n";
  Chart(out, report, &TrainingPrediction::latencyMs, "ms",
        report.limits.deadlineMs)
      .draw();
  out << "</body></html>\n";
}

} // namespace

bool writeTrainingPage(const TrainingReport &report, const std::string &file) {
  return writeFile(file, [&](llvm::raw_ostream &out) {
    drawPage(report, out);
    return true;
  });
}

} // namespace snug::tool
