// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The physical model of a training step, against figures worked out by hand.
#include "Predict/StepTime.h"

#include "Predict/TestTrainingNetworks.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace snug::predict;

namespace {

constexpr Peaks kPeaks = {1e6, 1e6};

Terms believed() {
  std::vector<double> fitted;
  for (const TermInfo &info : kTermInfos)
    fitted.push_back(std::log(info.prior));
  fitted.back() = 0; // no growth
  return termsOf(fitted);
}

/// Turns the convolution of a test network into another one.
template <typename Change> LayerWork layer(int64_t filters, Change change) {
  TrainingNetwork network = test::convolutionAndRelu(filters, 8);
  change(network);
  return trainingWork(network).layers.at(0);
}

TEST(StepTimeTest, VolumeOfAPointwiseLayer) {
  const LayerWork work = layer(40, [](TrainingNetwork &network) {
    network.tensors[0].shape = {64, 8, 8};
    network.tensors[0].requiresGradient = true;
    network.ops[0].kernel = {1, 1};
    network.ops[0].weights = 64 * 40;
  });
  EXPECT_EQ(work.kind, LayerClass::Pointwise);
  const LayerVolume volume = layerVolume(work, 3, believed(), kPeaks);
  // 3 * 64 pixels are three tiles; 40 filters are a tile of 64, as two of 32
  // would cost 64 / 0.75; the overhead is 40.
  EXPECT_NEAR(volume.forward, 2e-6 * 192 * 64 * (64 + 40), 1e-9);
  EXPECT_NEAR(volume.input, 2e-6 * 192 * 64 * (40 + 40), 1e-9);
  EXPECT_NEAR(volume.filter, 2e-6 * 64 * 64 * (192 + 4 * 40), 1e-9);
  EXPECT_NEAR(volume.inputTraffic, 4e-6 * 192 * 64, 1e-9);
  EXPECT_NEAR(volume.outputTraffic, 4e-6 * 192 * 40, 1e-9);
  EXPECT_NEAR(volume.filterTraffic, 4e-6 * 64 * 40, 1e-9);
}

TEST(StepTimeTest, VolumeOfAFullyConnectedLayer) {
  const LayerWork work = layer(128, [](TrainingNetwork &network) {
    network.tensors[0].shape = {256};
    network.tensors[1].shape = {128};
    network.ops[0].kind = TrainingKind::FullyConnected;
    network.ops[0].kernel = {1, 1};
    network.ops[0].weights = network.ops[0].macs = 256 * 128;
  });
  EXPECT_EQ(work.kind, LayerClass::Pointwise);
  const LayerVolume volume = layerVolume(work, 3, believed(), kPeaks);
  // Three rows make one tile of 32; tiles of 128 are 1.2 times as fast.
  EXPECT_NEAR(volume.forward, 2e-6 * 32 * 128 / 1.2 * (256 + 40), 1e-9);
  EXPECT_NEAR(volume.filter, 2e-6 * 128 / 1.2 * 256 / 1.2 * (3 + 40), 1e-9);
}

TEST(StepTimeTest, InputsOfTheNetworkHaveNoGradient) {
  const LayerWork work = layer(4, [](TrainingNetwork &) {});
  EXPECT_EQ(work.kind, LayerClass::Winograd);
  EXPECT_EQ(layerVolume(work, 1, believed(), kPeaks).input, 0);
}

TEST(StepTimeTest, WinogradWinsWithManyChannels) {
  auto ms = [](int64_t channels, int64_t kernel) {
    const LayerWork work = layer(channels, [&](TrainingNetwork &network) {
      network.tensors[0].shape = {channels, 8, 8};
      network.ops[0].kernel = {kernel, kernel};
      network.ops[0].weights = channels * channels * kernel * kernel;
    });
    return layerMs(work, 16, layerVolume(work, 16, believed(), kPeaks),
                   believed(), kPeaks) /
           static_cast<double>(kernel * kernel);
  };
  // A product of a 3x3 window costs less than one of 5x5, and far less than
  // one of 1x1 where channels are many.
  EXPECT_LT(ms(512, 3), 0.6 * ms(512, 5));
  EXPECT_LT(ms(512, 3), 0.6 * ms(512, 1));
}

TEST(StepTimeTest, DepthwiseCountsInstructions) {
  const LayerWork work = layer(16, [](TrainingNetwork &network) {
    network.tensors[0].shape = {16, 8, 8};
    network.ops[0].groups = 16;
    network.ops[0].weights = 16 * 9;
  });
  EXPECT_EQ(work.kind, LayerClass::Depthwise);
  const Terms terms = believed();
  const double ms =
      layerMs(work, 2, layerVolume(work, 2, terms, kPeaks), terms, kPeaks);
  // 1024 elements in and out, 2 images, 0.5e6 instructions a millisecond.
  EXPECT_NEAR(ms, 2 / 0.5e6 * (2048 * (100 + 12 * 9) + 1024 * 9 * 90), 1e-9);
}

TEST(StepTimeTest, TransposedConvolutionsAreTurnedRound) {
  const LayerWork work = layer(40, [](TrainingNetwork &network) {
    network.tensors[0].shape = {64, 4, 4};
    network.ops[0].kind = TrainingKind::TransposedConvolution;
    network.ops[0].stride = {2, 2};
    network.ops[0].weights = 64 * 40 * 9;
  });
  EXPECT_EQ(work.inputChannels, 40);
  EXPECT_EQ(work.outputChannels, 64);
  EXPECT_EQ(work.outputPixels, 16);
}

TEST(StepTimeTest, TheSlowerOfCpuAndGpuCounts) {
  const Terms terms = believed();
  EXPECT_NEAR(joined(10, 1000, 32, 1, terms), 1000, 1e-6);
  EXPECT_NEAR(joined(1000, 10, 32, 2, terms), 2000, 1e-6);
  EXPECT_NEAR(joined(100, 100, 32, 1, terms), 100 * std::pow(2, 1.0 / 6), 1e-6);
}

TEST(StepTimeTest, TopologyIgnoresChannels) {
  const auto topology = [](int64_t filters, int64_t size) {
    return trainingWork(test::convolutionAndRelu(filters, size)).topology;
  };
  EXPECT_EQ(topology(4, 8), topology(5, 8));
  EXPECT_NE(topology(4, 8), topology(4, 9));
}

} // namespace
