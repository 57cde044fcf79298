// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Least squares of a nonlinear function with few parameters.
#include "CurveFit.h"

#include "Cholesky.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace snug::predict {

constexpr int kIterations = 200;
/// Of a parameter, in its deviations.
constexpr double kDifference = 1e-3;
constexpr double kFirstDamping = 1e-3, kMaximumDamping = 1e9;
/// Relative gain below which the search ends.
constexpr double kStop = 1e-9;

namespace {

using Vector = std::vector<double>;

class Fit {
public:
  Fit(const std::function<Vector(const Vector &)> &residuals,
      const std::vector<Prior> &priors)
      : residuals(residuals), priors(priors) {}

  Vector run() {
    Vector scaled(priors.size(), 0);
    Vector at = robust(scaled);
    double cost = squares(at), damping = kFirstDamping;
    for (int i = 0; i < kIterations && damping < kMaximumDamping; ++i) {
      const std::vector<Vector> columns = derivatives(scaled, at);
      bool isBetter = false;
      while (!isBetter && damping < kMaximumDamping) {
        const Vector tried = step(scaled, at, columns, damping);
        const Vector there = robust(tried);
        const double newCost = squares(there);
        isBetter = newCost < cost;
        damping *= isBetter ? 0.3 : 4;
        if (!isBetter)
          continue;
        const bool isDone = cost - newCost < kStop * cost;
        scaled = tried;
        at = there;
        cost = newCost;
        if (isDone)
          return parameters(scaled);
      }
    }
    return parameters(scaled);
  }

private:
  Vector parameters(const Vector &scaled) const {
    Vector all;
    for (size_t j = 0; j < priors.size(); ++j)
      all.push_back(priors[j].mean + scaled[j] * priors[j].deviation);
    return all;
  }

  /// Values whose squares add up to twice what is made smallest.
  Vector robust(const Vector &scaled) const {
    Vector values = residuals(parameters(scaled));
    for (double &value : values)
      value = std::copysign(std::sqrt(2 * (std::sqrt(1 + value * value) - 1)),
                            value);
    values.insert(values.end(), scaled.begin(), scaled.end());
    return values;
  }

  static double squares(const Vector &values) {
    double sum = 0;
    for (double value : values)
      sum += value * value;
    return sum;
  }

  std::vector<Vector> derivatives(const Vector &scaled,
                                  const Vector &at) const {
    std::vector<Vector> columns;
    for (size_t j = 0; j < scaled.size(); ++j) {
      Vector moved = scaled;
      moved[j] += kDifference;
      Vector column = robust(moved);
      for (size_t i = 0; i < column.size(); ++i)
        column[i] = (column[i] - at[i]) / kDifference;
      columns.push_back(std::move(column));
    }
    return columns;
  }

  static Vector step(const Vector &scaled, const Vector &at,
                     const std::vector<Vector> &columns, double damping) {
    const size_t count = scaled.size();
    Matrix matrix(count, Vector(count, 0));
    Vector right(count, 0);
    for (size_t j = 0; j < count; ++j) {
      for (size_t k = 0; k <= j; ++k) {
        double sum = 0;
        for (size_t i = 0; i < at.size(); ++i)
          sum += columns[j][i] * columns[k][i];
        matrix[j][k] = matrix[k][j] = sum;
      }
      for (size_t i = 0; i < at.size(); ++i)
        right[j] -= columns[j][i] * at[i];
    }
    for (size_t j = 0; j < count; ++j)
      matrix[j][j] *= 1 + damping;
    Vector tried = solvePositiveDefinite(std::move(matrix), std::move(right));
    for (size_t j = 0; j < count; ++j)
      tried[j] += scaled[j];
    return tried;
  }

  const std::function<Vector(const Vector &)> &residuals;
  const std::vector<Prior> &priors;
};

} // namespace

std::vector<double>
fitCurve(const std::function<Vector(const Vector &)> &residuals,
         const std::vector<Prior> &priors) {
  return Fit(residuals, priors).run();
}

} // namespace snug::predict
