// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Randomised trees, perf4sight's features, and the baseline made of both.
#include "snug/Predict/TrainingForest.h"

#include "Predict/TestTrainingNetworks.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include <cmath>

using namespace snug;
using namespace snug::predict;
using nlohmann::ordered_json;

namespace {

/// y = x0 * x1 on a grid.
void makeGrid(std::vector<std::vector<double>> &rows,
              std::vector<double> &targets) {
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 20; ++j) {
      rows.push_back({double(i), double(j), 7.0});
      targets.push_back(i * j);
    }
}

TEST(TrainingForestTest, TreesLearnWhatTheySawAndFillGaps) {
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  makeGrid(rows, targets);
  const auto trees = RandomizedTrees::grow(rows, targets, 100, 1);
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_NEAR(trees.predict(rows[i]), targets[i], 1e-9);
  EXPECT_NEAR(trees.predict({9.5, 9.5, 7}), 9.5 * 9.5, 10);
}

TEST(TrainingForestTest, EqualSeedsGiveEqualTrees) {
  std::vector<std::vector<double>> rows;
  std::vector<double> targets;
  makeGrid(rows, targets);
  const auto first = RandomizedTrees::grow(rows, targets, 5, 3);
  EXPECT_EQ(first.toJson(),
            RandomizedTrees::grow(rows, targets, 5, 3).toJson());
  EXPECT_NE(first.toJson(),
            RandomizedTrees::grow(rows, targets, 5, 4).toJson());
  const auto again = RandomizedTrees::fromJson(first.toJson(), 3);
  ASSERT_TRUE(bool(again)) << again.error().message;
  EXPECT_EQ(again->predict({3.3, 4.4, 7}), first.predict({3.3, 4.4, 7}));
}

// 3x3, pad 1, 3 channels of 8x8 to 4 filters, batch 2: worked out by hand.
TEST(TrainingForestTest, FeaturesOfOneConvolution) {
  const auto features = forestFeatures(test::convolutionAndRelu(), 2);
  ASSERT_EQ(features.size(), 56u);
  const double tensors[] = {108, 216, 768, 1024, 2116};
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(features[i], tensors[i]) << i;
  // Indices 2*64, columns 2*64*9*3 three times, sums.
  const double products[] = {128,   3456, 128,   3456,  3456,
                             10368, 384,  13824, 13824, 41472};
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(features[5 + i], products[i]) << i;
  // 8 * 9 frequencies.
  EXPECT_EQ(features[15], 72 * 12);
  EXPECT_EQ(features[16], 72 * 6);
  EXPECT_EQ(features[17], 72 * 8);
  // 64 * 3 butterflies of 6 + 8 + 12 planes, and the products.
  EXPECT_DOUBLE_EQ(features[24], 64 * 3 * 26 + 24 * 64);
  // F(4, 3): 2 x 2 tiles of 6 x 6.
  EXPECT_EQ(features[28], 3 * 2 * 4 * 36 * 4);
  EXPECT_EQ(features[42], 2 * 12 * 4 * 1 * 36);
}

TEST(TrainingForestTest, FitPredictsRowsAndJsonKeepsIt) {
  const TrainingNetwork network = test::convolutionAndRelu(16, 32);
  std::vector<TrainingSample> samples;
  for (int64_t batch : {2, 4, 8, 16}) {
    TrainingSample sample;
    sample.network = &network;
    sample.batch = batch;
    sample.latencyMs = 10.0 * static_cast<double>(batch);
    samples.push_back(sample);
  }
  const auto model = ForestModel::fit(samples);
  ASSERT_TRUE(bool(model)) << model.error().message;
  EXPECT_NEAR(model->latencyMs(network, 8), 80, 1e-9);
  EXPECT_EQ(model->memoryMib(network, 8), 0);
  const auto again = ForestModel::fromJson(model->toJson());
  ASSERT_TRUE(bool(again)) << again.error().message;
  EXPECT_EQ(again->latencyMs(network, 5), model->latencyMs(network, 5));
}

TEST(TrainingForestTest, Errors) {
  EXPECT_EQ(ForestModel::fit({}).error().message,
            "a forest needs at least one row");
  EXPECT_EQ(ForestModel::fromJson({{"latency", ordered_json::array()}})
                .error()
                .message,
            "training.forest lacks the trees of 'memory'");
  EXPECT_EQ(RandomizedTrees::fromJson(1, 2).error().message,
            "training.forest: trees must be an array");
  // A feature that does not exist, a child in front of its parent, nothing.
  for (const char *tree :
       {R"({"feature": [2, -1, -1], "value": [1, 2, 3], "right": [2, 0, 0]})",
        R"({"feature": [0, -1, -1], "value": [1, 2, 3], "right": [0, 0, 0]})",
        R"({"feature": [0, -1], "value": [1, 2], "right": [5, 0]})",
        R"({"feature": [-1], "value": [1, 2], "right": [0]})",
        R"({"feature": [], "value": [], "right": []})", R"({"feature": [-1]})"})
    EXPECT_EQ(RandomizedTrees::fromJson(
                  ordered_json::array({ordered_json::parse(tree)}), 2)
                  .error()
                  .message,
              "training.forest: tree 0 is damaged")
        << tree;
}

} // namespace
