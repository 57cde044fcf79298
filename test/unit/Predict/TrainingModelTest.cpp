// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The models of a device together, their validation, and their profile.
#include "snug/Predict/TrainingModel.h"

#include "Predict/TestTrainingNetworks.h"
#include "snug/Predict/DeviceProfile.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include <deque>

using namespace snug;
using namespace snug::predict;
using nlohmann::ordered_json;

namespace {

/// Networks of several widths at several levels and batch sizes.
struct Measured {
  std::deque<TrainingNetwork> networks;
  TrainingSet set;

  explicit Measured(const std::vector<std::string> &names,
                    const std::vector<int64_t> &levels,
                    const std::vector<int64_t> &batches) {
    int64_t filters = 8;
    for (const std::string &name : names)
      for (int64_t level : levels) {
        networks.push_back(test::convolutionAndRelu(filters += 8, 32));
        for (int64_t batch : batches) {
          TrainingRow row;
          row.network = name;
          row.level = level;
          row.batch = batch;
          row.latencyMs = 5 + 1e-6 * static_cast<double>(
                                         batch * networks.back().ops[0].macs);
          row.memoryMib = 1500 + 2 * static_cast<double>(batch);
          TrainingSample sample;
          sample.network = &networks.back();
          sample.batch = batch;
          sample.latencyMs = row.latencyMs;
          sample.memoryMib = row.memoryMib;
          set.rows.push_back(row);
          set.samples.push_back(sample);
        }
      }
  }
};

TEST(TrainingModelTest, ScoreOfErrors) {
  const Score result = score({110, 95, 100, 140}, {100, 100, 100, 100});
  EXPECT_EQ(result.count, 4);
  EXPECT_NEAR(result.accuracy, 100 - 55.0 / 4, 1e-9);
  EXPECT_NEAR(result.median, 7.5, 1e-9);
  EXPECT_NEAR(result.p95, 10 + 30 * 0.85, 1e-9);
  EXPECT_EQ(score({}, {}).count, 0);
}

TEST(TrainingModelTest, EveryWayOfLeavingOut) {
  const Measured measured({"a", "b", "c"}, {0, 30, 50}, {2, 8, 32, 64});
  std::vector<std::string> phases;
  const auto all =
      crossValidate(measured.set, "snug", {},
                    [&](const std::string &phase) { phases.push_back(phase); });
  ASSERT_TRUE(bool(all)) << all.error().message;
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ((*all)[0].leftOut, "networks");
  EXPECT_EQ((*all)[0].folds, 3);
  EXPECT_EQ((*all)[1].leftOut, "levels");
  EXPECT_EQ((*all)[2].leftOut, "batch sizes");
  EXPECT_EQ((*all)[2].folds, 4);
  for (const CrossValidation &each : *all) {
    EXPECT_EQ(each.latency.count, 36);
    EXPECT_EQ(each.memoryLevel0.count, 12);
    EXPECT_LE(each.latencyInterval.low, 1);
    EXPECT_GE(each.latencyInterval.high, 1);
  }
  ASSERT_EQ(phases.size(), 10u);
  EXPECT_EQ(phases.front(), "leaving out networks, 1 of 3");
}

TEST(TrainingModelTest, OneRowCannotBeValidated) {
  const Measured measured({"a"}, {0}, {2});
  const auto all =
      crossValidate(measured.set, "snug", {}, [](const std::string &) {});
  ASSERT_FALSE(bool(all));
  EXPECT_EQ(all.error().message,
            "the data has one network, one level and one batch size: nothing "
            "can be left out to validate a model with");
}

TEST(TrainingModelTest, ProfileKeepsBothKinds) {
  const Measured measured({"a", "b", "c"}, {0}, {2, 8, 32});
  const auto generic = readDeviceProfile("generic-cpu");
  ASSERT_TRUE(bool(generic));
  for (const char *kind : {"snug", "forest"}) {
    auto model = TrainingModel::fit(kind, measured.set.samples, {});
    ASSERT_TRUE(bool(model)) << model.error().message;
    model->setIntervals({0.9, 1.2}, {0.95, 1.05});
    ordered_json profile = ordered_json::parse(*generic);
    profile["training"] = model->toJson();
    const auto device = parseDeviceProfile(profile.dump());
    ASSERT_TRUE(bool(device)) << device.error().message;
    ASSERT_TRUE(device->training != nullptr);
    EXPECT_EQ(device->training->getKind(), kind);
    const auto before = model->predict(measured.networks[0], {4, 5});
    const auto after = device->training->predict(measured.networks[0], {4, 5});
    ASSERT_EQ(after.size(), 2u);
    EXPECT_EQ(after[1].batch, 5);
    EXPECT_NEAR(after[1].latencyMs.value / before[1].latencyMs.value, 1, 1e-9);
    EXPECT_NEAR(after[1].latencyMs.high / after[1].latencyMs.value, 1.2, 1e-9);
    EXPECT_NEAR(after[1].memoryMib.low / after[1].memoryMib.value, 0.95, 1e-9);
    EXPECT_EQ(after[1].memory.has_value(), std::string(kind) == "snug");
  }
}

TEST(TrainingModelTest, PartsAddUp) {
  const Measured measured({"a", "b", "c"}, {0}, {2, 8, 32});
  const auto model = TrainingModel::fit("snug", measured.set.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  const TrainingNetwork &network = measured.networks[1];
  for (const TrainingPrediction &step : model->predict(network, {1, 7, 64})) {
    double parts = 0;
    for (const auto &[part, ms] : step.latency->parts) {
      EXPECT_GE(ms, 0) << part;
      parts += ms;
    }
    EXPECT_NEAR(parts, step.latencyMs.value, 1e-6 * step.latencyMs.value);
    EXPECT_EQ(step.latency->opMs.size(), network.ops.size());
    EXPECT_EQ(step.memory->kept.size(), network.ops.size());
    int64_t kept = 0;
    for (const KeptForBackward &each : step.memory->kept)
      kept += each.bytes;
    EXPECT_EQ(kept, step.memory->savedBytes);
    EXPECT_EQ(step.memory->gradientBytes, 4 * network.parameters());
    EXPECT_NEAR(step.memory->totalMib(), step.memoryMib.value, 1e-6);
  }
}

TEST(TrainingModelTest, Errors) {
  EXPECT_EQ(TrainingModel::fromJson({{"model", "oracle"}}).error().message,
            "training.model must be 'snug' or 'forest'");
  for (const char *interval : {"{}", R"({"latency": [1, 1]})",
                               R"({"latency": [1.1, 1.2], "memory": [1, 1]})",
                               R"({"latency": [0, 1], "memory": [1, 1]})"})
    EXPECT_EQ(
        TrainingModel::fromJson(
            {{"model", "snug"}, {"interval", ordered_json::parse(interval)}})
            .error()
            .message,
        "training.interval must hold two factors for latency and two for "
        "memory, one at most 1 and one at least 1");
}

} // namespace
