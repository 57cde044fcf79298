// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What was learnt of networks that differ in channels alone.
#include "snug/Predict/TopologyCurve.h"

#include "Cholesky.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace snug::predict {

using Vector = std::vector<double>;

/// Sizes in a table.
constexpr size_t kSizes = 7;
/// A curve needs so many members.
constexpr size_t kLeastMembers = 3;
// The curve of time over size, in logarithms: random draws of a size differ by
// about 3 %; time grows with a power near 0.7 of the parameters.
constexpr double kDraw = 0.03, kBend = 0.3, kBendLength = 3;
constexpr double kSlope = 0.7, kSlopeDeviation = 0.3, kLevelDeviation = 3;
// What the physical model misses: a part that all batches share and one that
// changes with the batch; draws, which are the same over a few doublings of the
// batch; and noise, with outliers cut off.
constexpr double kShared = 0.1, kBatchwise = 0.1, kSizeLength = 3,
                 kBatchLength = 1;
constexpr double kMeasuredDraw = 0.06, kDrawBatchLength = 3;
constexpr double kNoise = 0.03, kOutlier = 1.5, kMostResidual = 0.4;
constexpr int kReweightings = 4;

static double bell(double distance, double length) {
  const double ratio = distance / length;
  return std::exp(-0.5 * ratio * ratio);
}

static Vector spread(double from, double to, size_t count) {
  Vector values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(from + (to - from) * static_cast<double>(i) /
                                static_cast<double>(count - 1));
  return values;
}

/// Linear between the knots, constant beyond them.
static double interpolate(const Vector &knots, const Vector &values,
                          double at) {
  if (at <= knots.front())
    return values.front();
  if (at >= knots.back())
    return values.back();
  const size_t next =
      std::upper_bound(knots.begin(), knots.end(), at) - knots.begin();
  const double share = (at - knots[next - 1]) / (knots[next] - knots[next - 1]);
  return values[next - 1] + share * (values[next] - values[next - 1]);
}

namespace {

/// The smooth curve through the members' times: a Gaussian process around a
/// power of the parameters, whose level and slope are learnt too.
class Curve {
public:
  explicit Curve(const std::vector<TopologyMember> &members)
      : members(members) {
    const auto count = static_cast<double>(members.size());
    for (const TopologyMember &member : members) {
      middle += member.logParameters / count;
      level += member.logMs / count;
    }
    Vector rest;
    for (const TopologyMember &member : members) {
      rest.push_back(member.logMs - trend(member.logParameters));
      covariances.push_back(covariancesAt(member.logParameters));
      covariances.back()[rest.size() - 1] += kDraw * kDraw;
    }
    weights = solvePositiveDefinite(covariances, rest);
  }

  double at(double size) const {
    const Vector near = covariancesAt(size);
    double value = trend(size);
    for (size_t i = 0; i < near.size(); ++i)
      value += near[i] * weights[i];
    return value;
  }

  /// How much a network's own time should give way to the curve.
  double trust(double size) const {
    const Vector near = covariancesAt(size);
    const Vector known = solvePositiveDefinite(covariances, near);
    double variance = covariance(size, size);
    for (size_t i = 0; i < near.size(); ++i)
      variance -= near[i] * known[i];
    return kDraw * kDraw / (kDraw * kDraw + std::max(variance, 0.0));
  }

private:
  double trend(double size) const { return level + kSlope * (size - middle); }

  double covariance(double a, double b) const {
    return kBend * kBend * bell(a - b, kBendLength) +
           kSlopeDeviation * kSlopeDeviation * (a - middle) * (b - middle) +
           kLevelDeviation * kLevelDeviation;
  }

  Vector covariancesAt(double size) const {
    Vector all;
    for (const TopologyMember &member : members)
      all.push_back(covariance(size, member.logParameters));
    return all;
  }

  const std::vector<TopologyMember> &members;
  double middle = 0, level = 0;
  Matrix covariances;
  Vector weights;
};

} // namespace

TopologyCurve::TopologyCurve(std::string topology,
                             const std::vector<TopologyMember> &members)
    : topology(std::move(topology)) {
  double least = members.front().logParameters, most = least;
  for (const TopologyMember &member : members) {
    least = std::min(least, member.logParameters);
    most = std::max(most, member.logParameters);
  }
  if (most - least < 1e-9) {
    logParameters = {least};
    return;
  }
  logParameters = spread(least, most, kSizes);
  if (members.size() < kLeastMembers)
    return;
  const Curve curve(members);
  for (double size : logParameters) {
    logMs.push_back(curve.at(size));
    trust.push_back(curve.trust(size));
  }
}

double TopologyCurve::beyond(double size) const {
  return size - std::clamp(size, logParameters.front(), logParameters.back());
}

double TopologyCurve::shift(TopologyMember member) const {
  if (logMs.empty())
    return 0;
  const double outside = beyond(member.logParameters);
  const size_t from = outside > 0 ? logMs.size() - 2 : 0;
  const double slope = (logMs[from + 1] - logMs[from]) /
                       (logParameters[from + 1] - logParameters[from]);
  const double expected =
      interpolate(logParameters, logMs, member.logParameters) + slope * outside;
  return (expected - member.logMs) *
         interpolate(logParameters, trust, member.logParameters) *
         bell(outside, kSizeLength);
}

double TopologyCurve::correction(double size, double log2Batch) const {
  if (log2Batches.empty())
    return 0;
  Vector atBatch;
  for (const Vector &row : corrections)
    atBatch.push_back(interpolate(log2Batches, row, log2Batch));
  return interpolate(logParameters, atBatch, size) *
         bell(beyond(size), kSizeLength);
}

/// Of what is learnt at two sizes and batches.
static double covariance(double sizes, double batches) {
  return bell(sizes, kSizeLength) *
         (kBatchwise * kBatchwise * bell(batches, kBatchLength) +
          kShared * kShared);
}

/// Weights of the residuals in a smooth surface; outliers lose theirs.
static Vector surfaceOf(const std::vector<TopologyMember> &members,
                        const std::vector<TopologyResidual> &residuals) {
  const size_t count = residuals.size();
  Matrix plain(count, Vector(count, 0));
  Vector measured;
  for (size_t i = 0; i < count; ++i) {
    const TopologyResidual &one = residuals[i];
    measured.push_back(std::clamp(one.residual, -kMostResidual, kMostResidual));
    for (size_t j = 0; j <= i; ++j) {
      const TopologyResidual &other = residuals[j];
      const double batches = one.log2Batch - other.log2Batch;
      plain[i][j] = covariance(members[one.member].logParameters -
                                   members[other.member].logParameters,
                               batches);
      if (one.member == other.member)
        plain[i][j] +=
            kMeasuredDraw * kMeasuredDraw * bell(batches, kDrawBatchLength);
    }
  }
  Vector noise, weights;
  for (const TopologyResidual &residual : residuals)
    noise.push_back(kNoise * kNoise / residual.weight);
  for (int round = 0; round < kReweightings; ++round) {
    Matrix matrix = plain;
    for (size_t i = 0; i < count; ++i)
      matrix[i][i] += noise[i];
    weights = solvePositiveDefinite(std::move(matrix), measured);
    for (size_t i = 0; i < count; ++i) {
      const double ratio = weights[i] * noise[i] / (kOutlier * kNoise);
      noise[i] =
          kNoise * kNoise * std::sqrt(1 + ratio * ratio) / residuals[i].weight;
    }
  }
  return weights;
}

void TopologyCurve::fit(const std::vector<TopologyMember> &members,
                        const std::vector<TopologyResidual> &residuals) {
  const Vector weights = surfaceOf(members, residuals);
  double least = residuals.front().log2Batch, most = least;
  for (const TopologyResidual &residual : residuals) {
    least = std::min(least, residual.log2Batch);
    most = std::max(most, residual.log2Batch);
  }
  // A knot a doubling.
  const auto doublings = static_cast<size_t>(std::ceil(most - least));
  log2Batches =
      doublings > 0 ? spread(least, most, doublings + 1) : Vector{least};
  corrections.clear();
  for (double size : logParameters) {
    Vector row;
    for (double batch : log2Batches) {
      double value = 0;
      for (size_t i = 0; i < residuals.size(); ++i)
        value += weights[i] *
                 covariance(size - members[residuals[i].member].logParameters,
                            batch - residuals[i].log2Batch);
      row.push_back(value);
    }
    corrections.push_back(std::move(row));
  }
}

nlohmann::ordered_json TopologyCurve::toJson() const {
  return {{"topology", topology},
          {"log_parameters", logParameters},
          {"log_ms", logMs},
          {"trust", trust},
          {"log2_batches", log2Batches},
          {"corrections", corrections}};
}

/// False where `json[key]` is no list of numbers.
static bool readNumbers(const nlohmann::ordered_json &json, Vector &numbers) {
  if (!json.is_array())
    return false;
  for (const auto &value : json) {
    if (!value.is_number())
      return false;
    numbers.push_back(value.get<double>());
  }
  return true;
}

static bool isAscending(const Vector &values) {
  for (size_t i = 1; i < values.size(); ++i)
    if (!(values[i - 1] < values[i]))
      return false;
  return true;
}

Result<TopologyCurve>
TopologyCurve::fromJson(const nlohmann::ordered_json &json) {
  const Error wrong{
      "training.latency.topologies must each hold a topology, "
      "ascending log_parameters and log2_batches, a log_ms and "
      "a trust of each size or none, and corrections of each size and "
      "batch"};
  if (!json.is_object() || !json.contains("topology") ||
      !json["topology"].is_string() || !json.contains("corrections") ||
      !json["corrections"].is_array())
    return wrong;
  TopologyCurve curve;
  curve.topology = json["topology"].get<std::string>();
  for (auto [key, target] :
       {std::pair{"log_parameters", &curve.logParameters},
        std::pair{"log_ms", &curve.logMs}, std::pair{"trust", &curve.trust},
        std::pair{"log2_batches", &curve.log2Batches}})
    if (!json.contains(key) || !readNumbers(json[key], *target))
      return wrong;
  for (const auto &row : json["corrections"]) {
    curve.corrections.emplace_back();
    if (!readNumbers(row, curve.corrections.back()) ||
        curve.corrections.back().size() != curve.log2Batches.size())
      return wrong;
  }
  const size_t sizes = curve.logParameters.size();
  const bool hasSizes =
      sizes > 0 &&
      (curve.logMs.empty() || (curve.logMs.size() == sizes && sizes > 1));
  if (!hasSizes || curve.trust.size() != curve.logMs.size() ||
      curve.corrections.size() != sizes || !isAscending(curve.logParameters) ||
      !isAscending(curve.log2Batches))
    return wrong;
  return curve;
}

} // namespace snug::predict
