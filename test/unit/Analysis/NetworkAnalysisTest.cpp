// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The network that is built from IR: ops, layers, geometry, groups, bytes.
#include "snug/Analysis/NetworkAnalysis.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace snug;

namespace {

class NetworkAnalysis : public ::testing::Test {
protected:
  NetworkAnalysis() {
    context.loadDialect<func::FuncDialect, cnn::SnugDialect>();
  }

  NetworkFromIR build(StringRef text, int threads = 1) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    FailureOr<NetworkFromIR> built = buildNetwork(
        *findNetworkFunction(*module), {runtime::Target::Portable, threads});
    EXPECT_TRUE(succeeded(built));
    return std::move(*built);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

TEST_F(NetworkAnalysis, BatchNormAndActivationBelongToTheirConvolution) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x16x16xf32> {snug.name = "x"}) -> tensor<1x16x8x8xf32> {
      %f = snug.constant dense<0.1> : tensor<16x4x3x3xf32>
      %s = snug.constant dense<1.0> : tensor<16xf32>
      %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] : (tensor<1x4x16x16xf32>, tensor<16x4x3x3xf32>) -> tensor<1x16x16x16xf32> loc("c")
      %1 = snug.batch_norm %0 scale %s shift %s mean %s variance %s : (tensor<1x16x16x16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<1x16x16x16xf32>
      %2 = snug.unary relu %1 : tensor<1x16x16x16xf32>
      %3 = snug.max_pool2d %2 kernel [2, 2] strides [2, 2] : (tensor<1x16x16x16xf32>) -> tensor<1x16x8x8xf32>
      return %3 : tensor<1x16x8x8xf32>
    })");
  const network::Network &network = built.network;
  ASSERT_EQ(network.ops.size(), 4u);
  EXPECT_EQ(network.layerCount(), 2);
  EXPECT_EQ(network.layerBegin(1), 3);
  EXPECT_EQ(network.ops[0].name, "c");
  EXPECT_EQ(network.ops[0].kind, "conv2d");
  EXPECT_EQ(network.tensors[0].name, "x");
  EXPECT_TRUE(network.tensors[0].isInput);
  EXPECT_TRUE(network.tensors.back().isOutput);
  // 16x16 outputs of 16 channels, 3x3x4 taps each; one for the batch norm.
  EXPECT_EQ(network.macs(), 16 * 16 * 16 * 36 + 16 * 16 * 16);
  EXPECT_EQ(network.ops[0].parameterBytes, 16 * 36 * 4);
  EXPECT_GE(network.ops[0].packedWeightBytes, 16 * 36 * 4);
  EXPECT_EQ(network.ops[0].operands[0].height.extent(), 3);
  EXPECT_EQ(network.ops[3].operands[0].width.stride, 2);
}

TEST_F(NetworkAnalysis, GroupsStandWhereTheirOpsStand) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x16x16xf32>) -> tensor<1x4x4x4xf32> {
      %0 = snug.unary relu %x : tensor<1x4x16x16xf32>
      %1 = snug.fused_group(%in = %0) schedule(#snug.grid<tiles = [2, 3]>) : (tensor<1x4x16x16xf32>) -> tensor<1x4x8x8xf32> {
        %2 = snug.max_pool2d %in kernel [2, 2] strides [2, 2] : (tensor<1x4x16x16xf32>) -> tensor<1x4x8x8xf32>
        %3 = snug.unary relu %2 : tensor<1x4x8x8xf32>
        snug.yield %3 : tensor<1x4x8x8xf32>
      }
      %4 = snug.max_pool2d %1 kernel [2, 2] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
      return %4 : tensor<1x4x4x4xf32>
    })");
  ASSERT_EQ(built.network.ops.size(), 4u);
  ASSERT_EQ(built.partition.groups.size(), 1u);
  const network::Group &group = built.partition.groups[0];
  EXPECT_EQ(group.opBegin, 1);
  EXPECT_EQ(group.opEnd, 3);
  EXPECT_EQ(group.schedule, network::Schedule::grid(2, 3));
  // The pooling behind the group reads what the group's last op made.
  EXPECT_EQ(built.network.ops[3].operands[0].tensor,
            built.network.ops[2].result);
}

TEST_F(NetworkAnalysis, TargetOptionsAreChecked) {
  EXPECT_TRUE(parseTargetOptions("portable", 256));
  EXPECT_FALSE(parseTargetOptions("portable", 0));
  EXPECT_FALSE(parseTargetOptions("portable", 257));
  EXPECT_FALSE(parseTargetOptions("mips", 1));
}

TEST_F(NetworkAnalysis, LayoutsFollowTheFirstActivation) {
  using network::Layout;
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x6x8xf32>) -> (tensor<1x9x6x8xf32>, tensor<1x48x9xf32>) {
      %0 = snug.unary relu %x : tensor<1x4x6x8xf32>
      %1 = snug.slice %0 starts [0, 1, 0, 0] ends [1, 2, 6, 8] steps [1, 1, 1, 1] : (tensor<1x4x6x8xf32>) -> tensor<1x1x6x8xf32>
      %2 = snug.concat %0, %1, %0 axis 1 : (tensor<1x4x6x8xf32>, tensor<1x1x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x9x6x8xf32>
      %3 = snug.transpose %2 permutation [0, 2, 3, 1] : (tensor<1x9x6x8xf32>) -> tensor<1x6x8x9xf32>
      %4 = snug.unary sigmoid %3 : tensor<1x6x8x9xf32>
      %5 = snug.reshape %4 : tensor<1x6x8x9xf32> -> tensor<1x48x9xf32>
      return %2, %5 : tensor<1x9x6x8xf32>, tensor<1x48x9xf32>
    })");
  const std::vector<network::Op> &ops = built.network.ops;
  ASSERT_EQ(ops.size(), 6u);
  // An input's planar order does not spread.
  EXPECT_EQ(ops[0].operands[0].layout, Layout::ChannelsLast);
  EXPECT_TRUE(ops[0].operands[0].inPlace);
  // What only copies channels.
  EXPECT_TRUE(ops[1].copies);
  EXPECT_EQ(ops[1].operands[0].channels, (network::Interval{1, 2}));
  EXPECT_TRUE(ops[2].copies);
  EXPECT_EQ(ops[2].operands[0].resultChannel, 0);
  EXPECT_EQ(ops[2].operands[1].resultChannel, 4);
  EXPECT_EQ(ops[2].operands[2].resultChannel, 5);
  EXPECT_EQ(ops[2].resultLayout, Layout::ChannelsLast);
  // From channels last to rows of elements, where all that follows stays.
  EXPECT_FALSE(ops[3].copies);
  EXPECT_EQ(ops[3].operands[0].layout, Layout::ChannelsLast);
  EXPECT_EQ(ops[3].resultLayout, Layout::Planar);
  EXPECT_TRUE(ops[3].operands[0].height.isWhole());
  EXPECT_EQ(ops[4].operands[0].layout, Layout::Planar);
  EXPECT_EQ(ops[4].resultLayout, Layout::Planar);
  EXPECT_TRUE(ops[5].copies);
  EXPECT_EQ(ops[5].resultLayout, Layout::Planar);
  // Rank three: batch, channels, width.
  const network::Tensor &last = built.network.tensors[ops[5].result];
  EXPECT_EQ(last.channels, 48);
  EXPECT_EQ(last.height, 1);
  EXPECT_EQ(last.width, 9);
}

TEST_F(NetworkAnalysis, ConstantsOfBinariesAreWeights) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
      %c = snug.constant dense<2.0> : tensor<4x1x1xf32>
      %0 = snug.binary sub %c, %x : (tensor<4x1x1xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32>
      return %0 : tensor<1x4x6x8xf32>
    })");
  const network::Op &op = built.network.ops[0];
  ASSERT_EQ(op.operands.size(), 1u);
  EXPECT_TRUE(op.operands[0].inPlace);
  EXPECT_EQ(op.packedWeightBytes, 64);
  EXPECT_EQ(op.weightSegments, 1);
}

TEST_F(NetworkAnalysis, SharedParametersCountOnce) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x8x6x6xf32>) -> tensor<1x8x6x6xf32> {
      %f = snug.constant dense<2.0> : tensor<8x8x1x1xf32>
      %b = snug.constant dense<1.0> : tensor<8xf32>
      %0 = snug.conv2d %x filter %f bias %b : (tensor<1x8x6x6xf32>, tensor<8x8x1x1xf32>, tensor<8xf32>) -> tensor<1x8x6x6xf32>
      %1 = snug.conv2d %0 filter %f bias %b : (tensor<1x8x6x6xf32>, tensor<8x8x1x1xf32>, tensor<8xf32>) -> tensor<1x8x6x6xf32>
      %2 = snug.conv2d %1 filter %f : (tensor<1x8x6x6xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x6x6xf32>
      return %2 : tensor<1x8x6x6xf32>
    })");
  const network::Network &network = built.network;
  ASSERT_EQ(network.ops.size(), 3u);
  EXPECT_EQ(network.ops[0].sharedWeightBytes, 0);
  EXPECT_EQ(network.ops[1].sharedWeightBytes, network.ops[1].packedWeightBytes);
  EXPECT_EQ(network.ops[2].sharedWeightBytes, network.ops[2].packedWeightBytes);
  EXPECT_EQ(network.packedWeightBytes(), network.ops[0].packedWeightBytes);
  EXPECT_EQ(network.weightSegments(), 2);
}

TEST_F(NetworkAnalysis, ConcatsAlongRowsTakeAKernelForEachOperand) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x6x6xf32>) -> tensor<1x4x18x6xf32> {
      %0 = snug.unary relu %x : tensor<1x4x6x6xf32>
      %1 = snug.concat %0, %0, %0 axis 2 : (tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>, tensor<1x4x6x6xf32>) -> tensor<1x4x18x6xf32>
      return %1 : tensor<1x4x18x6xf32>
    })");
  // A tile may meet all three.
  EXPECT_EQ(built.network.ops[1].kernels, 3);
  EXPECT_EQ(built.network.ops[1].tileKernels, 3);
}

TEST_F(NetworkAnalysis, ForeignOpsCountOnceForEachResult) {
  NetworkFromIR built = build(R"(
    func.func @main(%x: tensor<1x4x6x8xf32>) -> (tensor<3xf32>, tensor<2x2xf32>) {
      %0:3 = snug.opaque "Detect"(%x) : (tensor<1x4x6x8xf32>) -> (tensor<3xf32>, tensor<7xf32>, tensor<2x2xf32>) loc("d")
      return %0#0, %0#2 : tensor<3xf32>, tensor<2x2xf32>
    })");
  const std::vector<network::Op> &ops = built.network.ops;
  ASSERT_EQ(ops.size(), 2u);
  EXPECT_EQ(ops[0].name, "d");
  EXPECT_EQ(ops[1].name, "d:2");
  EXPECT_FALSE(ops[0].costKnown);
  EXPECT_EQ(built.ops[0], built.ops[1]);
}
