// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nonlinear least squares: an exact fit, an outlier, a prior.
#include "Predict/CurveFit.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace snug::predict;

namespace {

using Vector = std::vector<double>;

/// y = a * exp(b * x) at x = 0, 0.1, ..., with errors of 0.01 expected.
Vector residuals(const Vector &parameters, const Vector &measured) {
  Vector errors;
  for (size_t i = 0; i < measured.size(); ++i) {
    const double x = 0.1 * static_cast<double>(i);
    errors.push_back(
        (parameters[0] * std::exp(parameters[1] * x) - measured[i]) / 0.01);
  }
  return errors;
}

Vector measure() {
  Vector values;
  for (int i = 0; i < 30; ++i)
    values.push_back(2 * std::exp(-0.1 * i));
  return values;
}

TEST(CurveFitTest, FindsWhatTheDataWereMadeWith) {
  const Vector measured = measure();
  const Vector found =
      fitCurve([&](const Vector &p) { return residuals(p, measured); },
               {{1, 10}, {0, 10}});
  EXPECT_NEAR(found[0], 2, 1e-3);
  EXPECT_NEAR(found[1], -1, 1e-3);
}

TEST(CurveFitTest, AnOutlierCountsLittle) {
  Vector measured = measure();
  measured[7] += 50;
  const Vector found =
      fitCurve([&](const Vector &p) { return residuals(p, measured); },
               {{1, 10}, {0, 10}});
  EXPECT_NEAR(found[0], 2, 0.02);
  EXPECT_NEAR(found[1], -1, 0.02);
}

TEST(CurveFitTest, WithoutDataThePriorHolds) {
  const Vector found =
      fitCurve([](const Vector &) { return Vector(); }, {{3, 1}, {-2, 0.5}});
  EXPECT_EQ(found, (Vector{3, -2}));
  // A measurement that says little moves little.
  const Vector moved =
      fitCurve([](const Vector &p) { return Vector{0.01 * (p[0] - 13)}; },
               {{3, 1}, {-2, 0.5}});
  EXPECT_NEAR(moved[0], 3, 0.01);
  EXPECT_EQ(moved[1], -2);
}

} // namespace
