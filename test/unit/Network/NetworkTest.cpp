// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers, work and bytes of a network; every way in which one is malformed.
#include "snug/Network/Network.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

namespace snug::network {
namespace {

/// conv 3x3 (2 to 4 channels), relu, max pool 2x2 over 8 x 6.
Network smallNetwork() {
  Builder builder;
  int x = builder.input(1, 2, 8, 6);
  x = builder.convolution(x, 4, {3, 1, 1, 1, 1});
  x = builder.leakyRelu(x);
  x = builder.maxPool(x, {2, 2, 1, 0, 0});
  builder.output(x);
  return builder.network();
}

TEST(Network, LayersWorkAndBytes) {
  Network network = smallNetwork();
  EXPECT_EQ(check(network), "");
  EXPECT_EQ(network.layerCount(), 2);
  EXPECT_EQ(network.layerBegin(0), 0);
  EXPECT_EQ(network.layerBegin(1), 2); // the relu belongs to layer 0
  EXPECT_EQ(network.layerBegin(2), 3);
  // 4 * 8 * 6 outputs of 3 * 3 * 2 taps.
  EXPECT_EQ(network.macs(), 4 * 8 * 6 * 18);
  EXPECT_EQ(network.tensors[1].bytes(), 4 * 8 * 6 * 4);
  network.ops[0].packedWeightBytes = 640;
  network.ops[0].weightSegments = 2;
  network.ops[2].packedWeightBytes = 64;
  EXPECT_EQ(network.packedWeightBytes(), 704);
  EXPECT_EQ(network.weightSegments(), 2);
}

TEST(Network, OpsBeforeTheFirstLayerBelongToIt) {
  Builder builder;
  int x = builder.leakyRelu(builder.input(1, 1, 4, 4));
  x = builder.convolution(x, 1, {3, 1, 1, 1, 1});
  builder.output(x);
  EXPECT_EQ(builder.network().layerBegin(0), 0);
  EXPECT_EQ(builder.network().layerCount(), 1);
  EXPECT_EQ(builder.network().layerBegin(1), 2);
}

TEST(Network, OrdersAgree) {
  EXPECT_TRUE((Tensor{"t", 2, 1, 5, 7}.ordersAgree()));
  EXPECT_TRUE((Tensor{"t", 2, 9, 1, 1}.ordersAgree()));
  EXPECT_FALSE((Tensor{"t", 1, 2, 1, 2}.ordersAgree()));
}

TEST(Network, Yolov2First16) {
  // 13.00 GMAC and 13.7 MB of weights (MAFAT's workload).
  const Network network = yolov2First16();
  EXPECT_EQ(check(network), "");
  EXPECT_EQ(network.macs(), 13000343552);
  EXPECT_EQ(network.packedWeightBytes(), 13675904);
  EXPECT_EQ(network.layerCount(), 16);
  EXPECT_EQ(yolov2First16(true).layerCount(), 16);
}

void expectRefused(const Network &network, const std::string &part) {
  const std::string why = check(network);
  EXPECT_NE(why.find(part), std::string::npos) << why;
}

TEST(NetworkCheck, Empty) { expectRefused({}, "no operations"); }

TEST(NetworkCheck, Extents) {
  Network network = smallNetwork();
  network.tensors[0].height = 0;
  expectRefused(network, "'in0' has an extent of 0");
  network.tensors[0].height = int64_t{1} << 40;
  expectRefused(network, "at most 2^30");
  network = smallNetwork();
  network.tensors[0] = {"huge", 1 << 20, 1 << 20, 1 << 20, 1 << 20};
  expectRefused(network, "'huge' has more bytes than 64 bits");
}

TEST(NetworkCheck, Indices) {
  Network network = smallNetwork();
  network.ops[1].operands[0].tensor = 17;
  expectRefused(network, "'leaky_relu1': operand 0 is none of");
  network = smallNetwork();
  network.ops[1].result = -1;
  expectRefused(network, "'leaky_relu1' has no result");
  network = smallNetwork();
  network.ops[1].operands.clear();
  expectRefused(network, "'leaky_relu1' has no operands");
}

TEST(NetworkCheck, OrderAndProducers) {
  Network network = smallNetwork();
  std::swap(network.ops[0], network.ops[1]);
  expectRefused(network, "before it is made");
  network = smallNetwork();
  network.ops[1].result = 1;
  expectRefused(network, "which is made or given before");
  network = smallNetwork();
  network.tensors.push_back({"lost", 1, 1, 1, 1, false, true});
  expectRefused(network, "output 'lost' is never made");
  network = smallNetwork();
  network.tensors[0].isOutput = true;
  expectRefused(network, "input and an output");
}

TEST(NetworkCheck, AxisMaps) {
  Network network = smallNetwork();
  network.tensors[3].height = 5;
  expectRefused(network, "the height map of operand 0 gives 4 elements, but "
                         "the result has 5");
  network = smallNetwork();
  network.ops[0].operands[0].width = AxisMap::window(9, 1, 1, 0, 0);
  expectRefused(network, "window of 9 elements, which exceeds the padded "
                         "input of 6");
  network = smallNetwork();
  network.ops[0].operands[0].width.stride = 0;
  expectRefused(network, "stride, window, dilation or pad out of range");
  network = smallNetwork();
  network.ops[0].operands[0].width.dilation = int64_t{1} << 29; // twice: 2^30
  expectRefused(network, "stride, window, dilation or pad out of range");
  network.ops[0].operands[0].width = AxisMap::transposedWindow(3, 1, 1, 9, 9);
  expectRefused(network, "has pads that leave no output");
  network.ops[0].operands[0].width =
      AxisMap::resample(ResampleMode::Linear, NearestRounding::Floor, -1, 0);
  expectRefused(network, "has a scale below 0");
  // 2 taps 4 apart around a single row.
  Builder builder;
  builder.output(
      builder.convolution(builder.input(1, 1, 1, 1), 1, {2, 1, 4, 2, 2}));
  expectRefused(builder.network(), "reads nothing but padding");
}

TEST(NetworkCheck, WorkAndReshape) {
  Network network = smallNetwork();
  network.ops[0].macsPerOutputElement = -1;
  expectRefused(network, "negative work");
  network.ops[0].macsPerOutputElement = int64_t{1} << 62;
  expectRefused(network, "exceed what 64 bits");
  Builder builder;
  const int x = builder.flatten(builder.input(1, 2, 2, 2));
  builder.output(x);
  network = builder.network();
  EXPECT_EQ(check(network), "");
  network.tensors[x].channels = 9;
  expectRefused(network, "changes the number of elements");
  network = builder.network();
  network.ops[0].operands[0].layout = Layout::ChannelsLast;
  expectRefused(network, "which it reads whole and in planar order");
}

TEST(NetworkCheck, Copies) {
  Builder builder;
  const int x = builder.input(1, 4, 2, 2);
  const int y = builder.concat({x, builder.slice(x, {1, 3})});
  builder.output(y);
  Network network = builder.network();
  EXPECT_EQ(check(network), "");
  network.ops[1].operands[1].resultChannel = 3;
  expectRefused(network, "op 'concat1' does not copy each channel of its "
                         "result once");
  network = builder.network();
  network.tensors[y].channels = 7;
  expectRefused(network, "does not copy each channel");
  network = builder.network();
  network.ops[0].operands[0].channels = {3, 5};
  expectRefused(network,
                "op 'slice0': operand 0 has no such batch or channels");
  network = builder.network();
  network.ops[0].macsPerOutputElement = 1;
  expectRefused(network, "only copies, but has work or workspace");
  network = builder.network();
  network.ops[0].operands[0].width = AxisMap::window(3, 1, 1, 1, 1);
  expectRefused(network, "is not copied as it is or cropped");
}

TEST(NetworkCheck, RandomNetworksAreWellFormed) {
  for (unsigned seed = 0; seed < 1000; ++seed)
    ASSERT_EQ(check(randomNetwork(seed).network), "") << "seed " << seed;
}

} // namespace
} // namespace snug::network
