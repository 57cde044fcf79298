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
