// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Curves over networks that differ in channels alone.
#include "snug/Predict/TopologyCurve.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include <cmath>

using namespace snug::predict;

namespace {

/// Times that grow with the power 0.8 of the size; the third is 10 % slower.
std::vector<TopologyMember> members() {
  std::vector<TopologyMember> all;
  for (double size : {13.0, 14.0, 15.0, 16.0, 17.0})
    all.push_back({size, 0.8 * size + (size == 15 ? 0.1 : 0)});
  return all;
}

TEST(TopologyCurveTest, ShiftsTowardsTheCurve) {
  const TopologyCurve curve("t", members());
  // What lies above the curve is lowered and the reverse, but not all the way.
  EXPECT_LT(curve.shift({15, 0.8 * 15 + 0.1}), -0.02);
  EXPECT_GT(curve.shift({15, 0.8 * 15 + 0.1}), -0.1);
  EXPECT_GT(curve.shift({14.5, 0.8 * 14.5 - 0.1}), 0.05);
  // It fades out beyond the sizes.
  EXPECT_NEAR(curve.shift({40, 0.8 * 40 - 0.1}), 0, 1e-9);
}

TEST(TopologyCurveTest, TwoMembersMakeNoCurve) {
  const TopologyCurve curve("t", {{13, 10}, {14, 20}});
  EXPECT_EQ(curve.shift({13.5, 11}), 0);
  EXPECT_EQ(curve.correction(13.5, 4), 0);
}

TEST(TopologyCurveTest, CorrectsWhatItSaw) {
  const auto all = members();
  TopologyCurve curve("t", all);
  std::vector<TopologyResidual> residuals;
  for (size_t i = 0; i < all.size(); ++i)
    for (double batch : {1.0, 2.0, 3.0, 4.0, 5.0, 6.0})
      residuals.push_back({i, batch, batch < 4 ? 0.2 : -0.1});
  residuals[7].residual = 2; // an outlier
  curve.fit(all, residuals);
  EXPECT_NEAR(curve.correction(15.5, 2), 0.2, 0.03);
  EXPECT_NEAR(curve.correction(15.5, 6), -0.1, 0.03);
  EXPECT_NEAR(curve.correction(15.5, 9), -0.1, 0.03);
  EXPECT_NEAR(curve.correction(60, 6), 0, 1e-9);
}

TEST(TopologyCurveTest, OneMemberAndOneBatchAreEnough) {
  const std::vector<TopologyMember> one = {{13, 10}};
  TopologyCurve curve("t", one);
  curve.fit(one, {{0, 3, 0.2}, {0, 3, 0.2}});
  EXPECT_GT(curve.correction(13, 3), 0.1);
  EXPECT_LT(curve.correction(13, 3), 0.2);
  const auto again = TopologyCurve::fromJson(curve.toJson());
  ASSERT_TRUE(bool(again));
  EXPECT_EQ(again->toJson(), curve.toJson());
}

} // namespace
