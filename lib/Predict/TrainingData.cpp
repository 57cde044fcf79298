// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measured training steps: reading them, and finding what is odd.
#include "snug/Predict/TrainingData.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <tuple>

namespace snug::predict {

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

std::string TrainingRow::model() const {
  return network + "_" + std::to_string(level);
}

static std::vector<std::string> splitFields(const std::string &line) {
  std::vector<std::string> fields(1);
  for (char c : line) {
    if (c == ',')
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

static std::optional<int64_t> parseInteger(const std::string &text) {
  char *end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 0 || value > 1000000000)
    return std::nullopt;
  return value;
}

static std::optional<double> parsePositive(const std::string &text) {
  char *end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value <= 0)
    return std::nullopt;
  return value;
}

namespace {

constexpr const char *kColumns[] = {"network",      "pruning_percent",
                                    "batch_size",   "latency_ms",
                                    "mem_used_mib", "passed"};

/// Reads a table line by line.
class Reader {
public:
  Reader(const std::string &text, const TrainingSelection &selection)
      : stream(text), selection(selection) {}

  Result<std::vector<TrainingRow>> read() {
    if (std::string problem = readHead(); !problem.empty())
      return Error{problem};
    while (std::getline(stream, line)) {
      ++number;
      if (line.empty() || line == "\r")
        continue;
      if (std::string problem = readLine(); !problem.empty())
        return Error{"line " + std::to_string(number) +
                     " of the data: " + problem};
    }
    if (rows.empty())
      return Error{"the data has no row of these networks and levels that "
                   "passed and holds a latency or a memory"};
    return std::move(rows);
  }

private:
  std::string readHead() {
    std::getline(stream, line);
    const std::vector<std::string> head = splitFields(line);
    for (size_t column = 0; column < std::size(kColumns); ++column) {
      const auto found = std::find(head.begin(), head.end(), kColumns[column]);
      if (found == head.end())
        return std::string("the data has no column '") + kColumns[column] +
               "' in its first line";
      places[column] = found - head.begin();
    }
    width = head.size();
    return "";
  }

  std::string readLine() {
    const std::vector<std::string> fields = splitFields(line);
    if (fields.size() != width)
      return "it has " + std::to_string(fields.size()) +
             " fields, the first line has " + std::to_string(width);
    auto field = [&](int column) -> const std::string & {
      return fields[places[column]];
    };
    TrainingRow row;
    row.line = number;
    row.network = field(0);
    const std::optional<int64_t> level = parseInteger(field(1));
    if (!level)
      return "pruning_percent is '" + field(1) +
             "', expected an integer from 0";
    row.level = *level;
    if ((!selection.networks.empty() &&
         !selection.networks.count(row.network)) ||
        (!selection.levels.empty() && !selection.levels.count(row.level)))
      return "";
    if (field(5) != "True" && field(5) != "False")
      return "passed is '" + field(5) + "', expected True or False";
    if (field(5) == "False")
      return "";
    const std::optional<int64_t> batch = parseInteger(field(2));
    if (!batch || *batch < 1)
      return "batch_size is '" + field(2) + "', expected an integer from 1";
    row.batch = *batch;
    for (auto [column, value] :
         {std::pair{3, &row.latencyMs}, std::pair{4, &row.memoryMib}}) {
      if (field(column).empty())
        continue;
      *value = parsePositive(field(column));
      if (!*value)
        return std::string(kColumns[column]) + " is '" + field(column) +
               "', expected a positive number or nothing";
    }
    if (!row.latencyMs && !row.memoryMib)
      return "";
    const auto [before, isNew] = lines.try_emplace(
        std::tuple{row.network, row.level, row.batch}, number);
    if (!isNew)
      return row.model() + " at batch " + std::to_string(row.batch) +
             " stands in line " + std::to_string(before->second) + " already";
    rows.push_back(std::move(row));
    return "";
  }

  std::istringstream stream;
  const TrainingSelection &selection;
  std::string line;
  int64_t number = 1;
  size_t places[std::size(kColumns)] = {};
  size_t width = 0;
  std::vector<TrainingRow> rows;
  std::map<std::tuple<std::string, int64_t, int64_t>, int64_t> lines;
};

} // namespace

Result<std::vector<TrainingRow>>
readTrainingRows(const std::string &text, const TrainingSelection &selection) {
  return Reader(text, selection).read();
}

//===----------------------------------------------------------------------===//
// Odd rows
//===----------------------------------------------------------------------===//

/// Rows on each side that tell what to expect of one.
constexpr size_t kReach = 4;
/// A row is odd where it is so far from what is expected, as a factor: more
/// than any curvature that the data set of the TX2 shows between neighbours.
constexpr double kOddFactor = 1.5;

namespace {

struct Point {
  double batch, value;
  size_t row;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

/// What the points around one, without a further one, let expect of it: the
/// median of the straight lines through every two of them. Nothing where there
/// are too few.
std::optional<double> expected(const std::vector<Point> &series, size_t at,
                               size_t without) {
  const size_t begin = at < kReach ? 0 : at - kReach;
  const size_t end = std::min(series.size(), at + kReach + 1);
  std::vector<double> values;
  for (size_t i = begin; i < end; ++i)
    for (size_t j = i + 1; j < end; ++j) {
      if (i == at || j == at || i == without || j == without)
        continue;
      const Point &a = series[i], &b = series[j];
      values.push_back(a.value + (b.value - a.value) *
                                     (series[at].batch - a.batch) /
                                     (b.batch - a.batch));
    }
  if (values.size() < 3)
    return std::nullopt;
  const double value = median(values);
  return value > 0 ? std::optional(value) : std::nullopt;
}

struct Odd {
  size_t at;
  double distance, expected;
};

/// How odd a point is, if it is: as little as it is without any one of its
/// neighbours, which may be the odd one.
std::optional<Odd> oddness(const std::vector<Point> &series, size_t at) {
  const size_t begin = at < kReach ? 0 : at - kReach;
  const size_t end = std::min(series.size(), at + kReach + 1);
  std::optional<Odd> least;
  for (size_t without = begin; without < end; ++without) {
    const std::optional<double> value = expected(series, at, without);
    if (!value)
      return std::nullopt;
    const double distance = std::abs(std::log(series[at].value / *value));
    if (!least || distance < least->distance)
      least = Odd{at, distance, *value};
  }
  return least && least->distance > std::log(kOddFactor) ? least : std::nullopt;
}

/// The oddest point, if any is odd.
std::optional<Odd> oddest(const std::vector<Point> &series) {
  std::optional<Odd> found;
  for (size_t at = 0; at < series.size(); ++at)
    if (const std::optional<Odd> odd = oddness(series, at))
      if (!found || odd->distance > found->distance)
        found = odd;
  return found;
}

} // namespace

std::vector<RowWarning> findOddRows(const std::vector<TrainingRow> &rows,
                                    std::optional<double> memoryLimitMib) {
  std::map<size_t, RowWarning> warnings;
  auto warn = [&](size_t row, const std::string &message) -> RowWarning & {
    RowWarning &warning = warnings[row];
    warning.row = row;
    warning.message += (warning.message.empty() ? "" : "; ") + message;
    return warning;
  };
  auto format = [](double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.0f", value);
    return std::string(text);
  };
  for (bool isLatency : {true, false}) {
    std::map<std::pair<std::string, int64_t>, std::vector<Point>> all;
    for (size_t i = 0; i < rows.size(); ++i)
      if (auto value = isLatency ? rows[i].latencyMs : rows[i].memoryMib)
        all[{rows[i].network, rows[i].level}].push_back(
            {static_cast<double>(rows[i].batch), *value, i});
    for (auto &[model, series] : all) {
      std::sort(
          series.begin(), series.end(),
          [](const Point &a, const Point &b) { return a.batch < b.batch; });
      // One by one, as an odd point makes others look odd.
      while (std::optional<Odd> odd = oddest(series)) {
        const Point point = series[odd->at];
        series.erase(series.begin() + static_cast<ptrdiff_t>(odd->at));
        RowWarning &warning = warn(
            point.row, std::string(isLatency ? "latency_ms" : "mem_used_mib") +
                           " " + format(point.value) +
                           " where the batch sizes around it say " +
                           format(odd->expected) + ": left out of the fit");
        (isLatency ? warning.dropLatency : warning.dropMemory) = true;
      }
    }
  }
  if (memoryLimitMib)
    for (size_t i = 0; i < rows.size(); ++i)
      if (rows[i].memoryMib && *rows[i].memoryMib > *memoryLimitMib)
        warn(i, "mem_used_mib " + format(*rows[i].memoryMib) +
                    " is above the " + format(*memoryLimitMib) +
                    " that a step can take: the device probably swapped");
  std::vector<RowWarning> list;
  for (auto &[row, warning] : warnings)
    list.push_back(std::move(warning));
  return list;
}

} // namespace snug::predict
