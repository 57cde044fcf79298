// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The model of a training step's time: its fit, its JSON, its errors.
#include "snug/Predict/TrainingLatency.h"

#include "Predict/TestTrainingNetworks.h"

#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include <cmath>
#include <numeric>

using namespace snug;
using namespace snug::predict;
using nlohmann::ordered_json;

namespace {

const std::vector<int64_t> kBatches = {2, 4, 8, 16, 32, 64, 128};

TrainingDevice board() {
  TrainingDevice device;
  device.name = "board";
  device.peakGflops = 600;
  device.bandwidthGBs = 50;
  device.memoryMib = 1000;
  return device;
}

/// A model with the given launches and share of the bandwidth; everything else
/// is what is believed without measurements.
TrainingLatencyModel deviceOf(double launchMs, double bandwidthShare) {
  const std::vector<TrainingSample> none;
  std::vector<TrainingNetwork> networks = {test::convolutionAndRelu(8, 16)};
  std::vector<TrainingSample> samples;
  for (int64_t batch : kBatches) {
    TrainingSample sample;
    sample.network = &networks[0];
    sample.batch = batch;
    sample.latencyMs = 1;
    samples.push_back(sample);
  }
  ordered_json json = TrainingLatencyModel::fit(samples, board())->toJson();
  json["terms"]["launch_ms"] = launchMs;
  json["terms"]["bandwidth_share"] = bandwidthShare;
  json["topologies"] = ordered_json::array();
  return *TrainingLatencyModel::fromJson(json);
}

/// Networks of one topology at several widths, "measured" on such a device.
struct Measured {
  std::vector<TrainingNetwork> networks;
  std::vector<TrainingSample> samples;

  explicit Measured(const TrainingLatencyModel &device,
                    const std::vector<int64_t> &widths) {
    for (int64_t filters : widths)
      networks.push_back(test::convolutionAndRelu(filters, 56));
    for (const TrainingNetwork &network : networks)
      for (int64_t batch : kBatches) {
        TrainingSample sample;
        sample.network = &network;
        sample.batch = batch;
        sample.latencyMs = device.predict(network, {batch}).front().ms;
        samples.push_back(sample);
      }
  }
};

TEST(TrainingLatencyTest, FitLearnsTheDevice) {
  const TrainingLatencyModel device = deviceOf(0.2, 0.3);
  const Measured seen(device, {16, 64, 192, 512});
  const auto model = TrainingLatencyModel::fit(seen.samples, board());
  ASSERT_TRUE(bool(model)) << model.error().message;
  // Rows that were seen, widths between them, and a width beyond them.
  for (const Measured &asked :
       {seen, Measured(device, {32, 96, 320}), Measured(device, {768})})
    for (const TrainingSample &sample : asked.samples)
      EXPECT_NEAR(model->predict(*sample.network, {sample.batch})[0].ms /
                      *sample.latencyMs,
                  1, 0.06)
          << sample.network->tensors[1].channels() << " filters, batch "
          << sample.batch;
}

TEST(TrainingLatencyTest, PeaksAreFoundWhereTheDeviceTellsNone) {
  const TrainingLatencyModel device = deviceOf(0.2, 0.3);
  const Measured seen(device, {16, 64, 192, 512});
  const auto model = TrainingLatencyModel::fit(seen.samples, {});
  ASSERT_TRUE(bool(model)) << model.error().message;
  for (const TrainingSample &sample : seen.samples)
    EXPECT_NEAR(model->predict(*sample.network, {sample.batch})[0].ms /
                    *sample.latencyMs,
                1, 0.1);
}

TEST(TrainingLatencyTest, SwappedRowsCountLess) {
  const TrainingLatencyModel device = deviceOf(0.2, 0.3);
  Measured seen(device, {16, 64, 192, 512});
  auto errorWith = [&](double memoryMib) {
    Measured spoilt = seen;
    for (TrainingSample &sample : spoilt.samples)
      if (sample.batch == 128) {
        *sample.latencyMs *= 1.5;
        sample.memoryMib = memoryMib;
      }
    const auto model = TrainingLatencyModel::fit(spoilt.samples, board());
    return std::abs(model->predict(seen.networks[1], {128})[0].ms /
                        device.predict(seen.networks[1], {128})[0].ms -
                    1);
  };
  EXPECT_LT(errorWith(2000), errorWith(500));
}

TEST(TrainingLatencyTest, PartsAddUp) {
  const TrainingLatencyModel device = deviceOf(0.2, 0.3);
  const TrainingNetwork network = test::convolutionAndRelu(64, 56);
  for (const LatencyPrediction &prediction :
       device.predict(network, {1, 16, 256})) {
    double parts = 0;
    for (const auto &part : prediction.parts) {
      EXPECT_GE(part.second, 0) << part.first;
      parts += part.second;
    }
    EXPECT_NEAR(parts, prediction.ms, 1e-9 * prediction.ms);
    ASSERT_EQ(prediction.opMs.size(), network.ops.size());
    EXPECT_LE(prediction.opMs[0] + prediction.opMs[1], prediction.ms);
    EXPECT_GT(prediction.opMs[0], prediction.opMs[1]);
  }
}

TEST(TrainingLatencyTest, NetworksWithoutWorkTakeTheirLossAlone) {
  TrainingNetwork network = test::convolutionAndRelu(4, 8);
  network.ops.erase(network.ops.begin());
  network.ops[0].kind = TrainingKind::Reshape;
  network.tensors[1].isInput = true;
  const LatencyPrediction prediction =
      deviceOf(0.2, 0.3).predict(network, {1})[0];
  EXPECT_GT(prediction.ms, 1);
  EXPECT_LT(prediction.ms, 2);
}

TEST(TrainingLatencyTest, JsonKeepsTheModel) {
  const Measured seen(deviceOf(0.2, 0.3), {16, 64, 192, 512});
  const auto model = TrainingLatencyModel::fit(seen.samples, board());
  ASSERT_TRUE(bool(model)) << model.error().message;
  const auto again = TrainingLatencyModel::fromJson(
      ordered_json::parse(model->toJson().dump()));
  ASSERT_TRUE(bool(again)) << again.error().message;
  EXPECT_EQ(again->toJson(), model->toJson());
  EXPECT_EQ(again->predict(seen.networks[0], {7})[0].ms,
            model->predict(seen.networks[0], {7})[0].ms);
}

TEST(TrainingLatencyTest, Errors) {
  const auto fitted = TrainingLatencyModel::fit({}, {});
  ASSERT_FALSE(bool(fitted));
  EXPECT_EQ(fitted.error().message,
            "a latency model needs at least 3 rows with a "
            "latency, got 0");
  const ordered_json good = deviceOf(0.1, 0.5).toJson();
  auto messageWithout = [&](const char *path, const ordered_json &value) {
    ordered_json json = good;
    json[ordered_json::json_pointer(path)] = value;
    const auto model = TrainingLatencyModel::fromJson(json);
    return model ? "" : model.error().message;
  };
  EXPECT_EQ(messageWithout("/peak_gflops", "many"),
            "training.latency lacks the number 'peak_gflops'");
  EXPECT_EQ(messageWithout("/terms/launch_ms", nullptr),
            "training.latency.terms lacks the number 'launch_ms'");
  EXPECT_EQ(messageWithout("/terms/launch_ms", 0),
            "training.latency.terms must have a positive 'launch_ms'");
  EXPECT_EQ(messageWithout("/terms/growth_per_batch", -0.1), "");
  EXPECT_EQ(messageWithout("/topologies", 3),
            "training.latency lacks the list 'topologies'");
  EXPECT_EQ(messageWithout("/topologies", ordered_json::array({{{"a", 1}}})),
            "training.latency.topologies must each hold a topology, ascending "
            "log_parameters and log2_batches, a log_ms and a trust of each "
            "size or none, and corrections of each size and batch");
  EXPECT_FALSE(bool(TrainingLatencyModel::fromJson({})));
  EXPECT_FALSE(bool(TrainingLatencyModel::fromJson(3)));
}

} // namespace
