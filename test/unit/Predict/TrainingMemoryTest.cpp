// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model of a training step's memory: its fit, its parts, its JSON, its
// errors.
#include "snug/Predict/TrainingMemory.h"

#include "Predict/TestTrainingNetworks.h"
#include "Predict/TrainingTrace.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include <algorithm>

using namespace snug;
using namespace snug::predict;

namespace {

constexpr double kMib = 1024.0 * 1024.0;

/// Six networks at five batch sizes each: a process of 500 MiB and what its
/// allocator reserves, of which a device shows no more than `limitMib`.
struct Measured {
  std::vector<TrainingNetwork> networks;
  std::vector<TrainingSample> samples;

  explicit Measured(double limitMib = 1e9) {
    for (int64_t filters : {4, 8, 16, 32, 64, 128})
      networks.push_back(test::convolutionAndRelu(filters, 64));
    for (const TrainingNetwork &network : networks)
      for (int64_t batch : {2, 8, 32, 64, 128}) {
        TrainingSample sample;
        sample.network = &network;
        sample.batch = batch;
        const TracePeak peak = replay(traceTraining(network), batch, false);
        sample.memoryMib = std::min(
            limitMib, 500 + static_cast<double>(peak.reservedBytes) / kMib);
        samples.push_back(sample);
      }
  }
};

TEST(TrainingMemoryTest, FitPredictsWhatItSaw) {
  const Measured measured;
  const auto model = TrainingMemoryModel::fit(measured.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  double sum = 0;
  for (const TrainingSample &sample : measured.samples) {
    const auto predicted = model->predict(*sample.network, {sample.batch});
    ASSERT_EQ(predicted.size(), 1u);
    sum += std::abs(predicted.front().totalMib() / *sample.memoryMib - 1);
  }
  EXPECT_LT(sum / static_cast<double>(measured.samples.size()), 0.05);
}

TEST(TrainingMemoryTest, CategoriesAreExactWhereTheyAreKnown) {
  const Measured measured;
  const auto model = TrainingMemoryModel::fit(measured.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  const TrainingNetwork &network = measured.networks[2];
  const auto all = model->predict(network, {1, 16});
  ASSERT_EQ(all.size(), 2u);
  // 16 filters of 27 elements, and 16 biases.
  EXPECT_EQ(all[0].weightBytes, (16 * 27 + 16) * 4);
  EXPECT_EQ(all[0].gradientBytes, all[0].weightBytes);
  EXPECT_EQ(all[0].optimizerBytes, all[0].weightBytes);
  // The image, and the result of relu.
  EXPECT_EQ(all[0].savedBytes, (3 + 16) * 64 * 64 * 4);
  EXPECT_EQ(all[1].savedBytes, 16 * all[0].savedBytes);
  ASSERT_EQ(all[1].kept.size(), 2u);
  EXPECT_EQ(all[1].kept[0].bytes + all[1].kept[1].bytes, all[1].savedBytes);
  for (const MemoryPrediction &prediction : all) {
    EXPECT_GE(prediction.workspaceBytes, 0);
    EXPECT_GT(prediction.overheadBytes, 0);
    EXPECT_EQ(prediction.swappedBytes, 0);
    EXPECT_EQ(prediction.totalBytes(), prediction.neededBytes());
  }
}

TEST(TrainingMemoryTest, WhatTheDeviceCannotHoldIsNotSeen) {
  const Measured measured(800);
  TrainingDevice device;
  device.memoryMib = 790;
  const auto model = TrainingMemoryModel::fit(measured.samples, device);
  ASSERT_TRUE(bool(model)) << model.error().message;
  const auto prediction = model->predict(measured.networks.back(), {512})[0];
  EXPECT_NEAR(prediction.totalMib(), 800, 8);
  EXPECT_GT(static_cast<double>(prediction.neededBytes()) / kMib, 1000);
  EXPECT_EQ(prediction.neededBytes() - prediction.swappedBytes,
            prediction.totalBytes());
}

TEST(TrainingMemoryTest, SameSamplesSameModel) {
  const Measured measured;
  const auto first = TrainingMemoryModel::fit(measured.samples, {});
  const auto second = TrainingMemoryModel::fit(measured.samples, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->toJson().dump(), second->toJson().dump());
}

TEST(TrainingMemoryTest, JsonKeepsTheModel) {
  const Measured measured(800);
  for (std::optional<double> memoryMib : {std::optional<double>(), {790.0}}) {
    TrainingDevice device;
    device.memoryMib = memoryMib;
    const auto model = TrainingMemoryModel::fit(measured.samples, device);
    ASSERT_TRUE(bool(model)) << model.error().message;
    const auto again = TrainingMemoryModel::fromJson(
        nlohmann::ordered_json::parse(model->toJson().dump()));
    ASSERT_TRUE(bool(again)) << again.error().message;
    EXPECT_EQ(again->toJson(), model->toJson());
    EXPECT_EQ(model->toJson().contains("limit_mib"), memoryMib.has_value());
  }
}

TEST(TrainingMemoryTest, Errors) {
  const auto fitted = TrainingMemoryModel::fit({}, {});
  ASSERT_FALSE(bool(fitted));
  EXPECT_EQ(fitted.error().message,
            "a memory model needs at least 3 rows with a memory, got 0");
  const auto read = TrainingMemoryModel::fromJson({{"op_ms", "many"}});
  ASSERT_FALSE(bool(read));
  EXPECT_EQ(read.error().message,
            "training.memory lacks the number 'process_log_mib'");
  const Measured measured;
  nlohmann::ordered_json json =
      TrainingMemoryModel::fit(measured.samples, {})->toJson();
  json["limit_mib"] = -1;
  const auto limited = TrainingMemoryModel::fromJson(json);
  ASSERT_FALSE(bool(limited));
  EXPECT_EQ(limited.error().message,
            "training.memory.limit_mib must be a number above 0");
}

} // namespace
