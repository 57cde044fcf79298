// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model of a training step's memory: its fit, its JSON, its errors.
#include "snug/Predict/TrainingMemory.h"

#include "Predict/TestTrainingNetworks.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

using namespace snug;
using namespace snug::predict;

namespace {

/// Six networks at five batch sizes each, with figures that grow linearly.
struct Measured {
  std::vector<TrainingNetwork> networks;
  std::vector<TrainingSample> samples;

  Measured() {
    for (int64_t filters : {4, 8, 16, 32, 64, 128})
      networks.push_back(test::convolutionAndRelu(filters, 32));
    for (const TrainingNetwork &network : networks)
      for (int64_t batch : {2, 4, 8, 16, 32}) {
        TrainingSample sample;
        sample.network = &network;
        sample.batch = batch;
        sample.memoryMib = 500 + 2 * static_cast<double>(batch);
        samples.push_back(sample);
      }
  }
};

TEST(TrainingMemoryTest, FitPredictsWhatItSaw) {
  const Measured measured;
  const auto model = TrainingMemoryModel::fit(measured.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  for (const TrainingSample &sample : measured.samples) {
    const auto predicted = model->predict(*sample.network, {sample.batch});
    ASSERT_EQ(predicted.size(), 1u);
    const auto &prediction = predicted.front();
    EXPECT_NEAR(prediction.totalMib() / *sample.memoryMib, 1, 0.1);
  }
}

TEST(TrainingMemoryTest, JsonKeepsTheModel) {
  const Measured measured;
  const auto model = TrainingMemoryModel::fit(measured.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  const auto again = TrainingMemoryModel::fromJson(
      nlohmann::ordered_json::parse(model->toJson().dump()));
  ASSERT_TRUE(bool(again)) << again.error().message;
  EXPECT_EQ(again->toJson(), model->toJson());
}

TEST(TrainingMemoryTest, Errors) {
  const auto fitted = TrainingMemoryModel::fit({}, {});
  ASSERT_FALSE(bool(fitted));
  EXPECT_EQ(fitted.error().message,
            "a memory model needs at least 3 rows with a "
            "memory, got 0");
  const auto read = TrainingMemoryModel::fromJson({{"op_ms", "many"}});
  ASSERT_FALSE(bool(read));
  EXPECT_EQ(read.error().message,
            "training.memory lacks the number 'overhead_mib'");
}

} // namespace
