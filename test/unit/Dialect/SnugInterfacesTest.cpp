// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops answer to analyses: axis maps, axes, work, bytes, schedules.
#include "ParsedModule.h"

using namespace mlir;
using namespace snug::cnn;
using snug::network::AxisMap;
using snug::network::Interval;
using snug::network::Needed;
using snug::test::ParsedModule;

namespace {

using Axes = SmallVector<SpatialAxis>;
using Indices = SmallVector<unsigned>;

const Axes kBoth = {SpatialAxis::Height, SpatialAxis::Width};

ReceptiveFieldOpInterface receptive(Operation *op) {
  return cast<ReceptiveFieldOpInterface>(op);
}

CostOpInterface cost(Operation *op) { return cast<CostOpInterface>(op); }

bool isIdentity(const AxisMap &map) {
  return map.form == AxisMap::Form::Window && map.stride == 1 &&
         map.padLow == 0 && map.padHigh == 0 && map.taps == 1;
}

} // namespace

TEST(SnugInterfaces, Convolution) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<2x8x9x11xf32>, %f: tensor<4x4x3x5xf32>, %b: tensor<4xf32>, %r: tensor<2x4x5x7xf32>) {
      %0 = snug.conv2d %x filter %f bias %b residual %r strides [2, 1] pads [1, 0, 1, 4] dilations [1, 2] groups 2
          : (tensor<2x8x9x11xf32>, tensor<4x4x3x5xf32>, tensor<4xf32>, tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
      %1 = snug.conv2d %x filter %f residual %r strides [2, 1] pads [1, 0, 1, 4] dilations [1, 2] groups 2
          : (tensor<2x8x9x11xf32>, tensor<4x4x3x5xf32>, tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
      %2 = snug.conv2d %x filter %f bias %b strides [2, 1] pads [1, 0, 1, 4] dilations [1, 2] groups 2
          : (tensor<2x8x9x11xf32>, tensor<4x4x3x5xf32>, tensor<4xf32>) -> tensor<2x4x5x7xf32>
      return
    })mlir");
  const std::vector<Conv2DOp> convs = parsed.all<Conv2DOp>();
  ASSERT_EQ(convs.size(), 3u);
  EXPECT_EQ(receptive(convs[0]).getActivationOperands(), Indices({0, 3}));
  EXPECT_EQ(receptive(convs[1]).getActivationOperands(), Indices({0, 2}));
  EXPECT_EQ(receptive(convs[2]).getActivationOperands(), Indices({0}));
  EXPECT_EQ(receptive(convs[0]).getTileableAxes(), kBoth);
  EXPECT_TRUE(receptive(convs[0]).startsLayer());
  EXPECT_TRUE(
      isIdentity(receptive(convs[0]).getAxisMap(3, SpatialAxis::Height)));

  // Rows 1 and 2 of the output: taps from 1 * 2 - 1 to 2 * 2 - 1 + 2.
  const Needed rows =
      receptive(convs[0]).getAxisMap(0, SpatialAxis::Height).needed({1, 3}, 9);
  EXPECT_EQ(rows.interval, (Interval{1, 6}));
  // The last column: taps 6, 8, 10, 12, 14, of which 11 elements end at 10.
  const Needed columns =
      receptive(convs[0]).getAxisMap(0, SpatialAxis::Width).needed({6, 7}, 11);
  EXPECT_EQ(columns.interval, (Interval{6, 11}));
  EXPECT_EQ(columns.padLow, 0);
  EXPECT_EQ(columns.padHigh, 4);

  // 3 * 5 taps of 8 / 2 channels; bias and filter are parameters.
  EXPECT_EQ(cost(convs[0]).getMacsPerOutputElement(), 60);
  EXPECT_EQ(cost(convs[0]).getMacs(), 60 * 2 * 4 * 5 * 7);
  EXPECT_EQ(cost(convs[0]).getParameterBytes(), 4 * (4 * 4 * 3 * 5 + 4));
  EXPECT_EQ(cost(convs[1]).getParameterBytes(), 4 * (4 * 4 * 3 * 5));
}

TEST(SnugInterfaces, Pools) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<1x8x9x9xf32>) {
      %0 = snug.max_pool2d %x kernel [3, 2] strides [2, 2] pads [1, 0, 1, 1] dilations [2, 1]
          : (tensor<1x8x9x9xf32>) -> tensor<1x8x4x5xf32>
      %1 = snug.avg_pool2d %x kernel [3, 3] pads [0, 1, 0, 1] : (tensor<1x8x9x9xf32>) -> tensor<1x8x7x9xf32>
      %2 = snug.global_avg_pool %x : (tensor<1x8x9x9xf32>) -> tensor<1x8x1x1xf32>
      return
    })mlir");
  MaxPool2DOp max = parsed.all<MaxPool2DOp>().at(0);
  const AxisMap height = receptive(max).getAxisMap(0, SpatialAxis::Height);
  EXPECT_EQ(height.stride, 2);
  EXPECT_EQ(height.extent(), 5);
  EXPECT_EQ(height.padLow, 1);
  EXPECT_EQ(height.padHigh, 1);
  const AxisMap width = receptive(max).getAxisMap(0, SpatialAxis::Width);
  EXPECT_EQ(width.extent(), 2);
  EXPECT_EQ(width.padLow, 0);
  EXPECT_EQ(width.padHigh, 1);
  EXPECT_TRUE(receptive(max).startsLayer());
  EXPECT_EQ(receptive(max).getTileableAxes(), kBoth);
  EXPECT_EQ(cost(max).getMacs(), 0);
  EXPECT_EQ(cost(max).getParameterBytes(), 0);

  AvgPool2DOp average = parsed.all<AvgPool2DOp>().at(0);
  EXPECT_EQ(receptive(average).getAxisMap(0, SpatialAxis::Width).padLow, 1);
  EXPECT_EQ(receptive(average).getAxisMap(0, SpatialAxis::Height).padLow, 0);
  EXPECT_TRUE(receptive(average).startsLayer());

  GlobalAvgPoolOp global = parsed.all<GlobalAvgPoolOp>().at(0);
  EXPECT_TRUE(receptive(global).getAxisMap(0, SpatialAxis::Height).isWhole());
  EXPECT_TRUE(receptive(global).getTileableAxes().empty());
  EXPECT_TRUE(receptive(global).startsLayer());
}

TEST(SnugInterfaces, Elementwise) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<1x2x8x9xf32>, %c: tensor<2xf32>) {
      %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c
          : (tensor<1x2x8x9xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8x9xf32>
      %1 = snug.unary relu %0 : tensor<1x2x8x9xf32>
      %2 = snug.identity %1 : tensor<1x2x8x9xf32>
      %3 = snug.dropout %2 : tensor<1x2x8x9xf32>
      %4 = snug.binary add %x, %3 : (tensor<1x2x8x9xf32>, tensor<1x2x8x9xf32>) -> tensor<1x2x8x9xf32>
      return
    })mlir");
  int64_t count = 0;
  parsed.module->walk([&](ReceptiveFieldOpInterface op) {
    ++count;
    for (unsigned operand : op.getActivationOperands())
      for (SpatialAxis axis : kBoth)
        EXPECT_TRUE(isIdentity(op.getAxisMap(operand, axis)));
    EXPECT_EQ(op.getTileableAxes(), kBoth);
    EXPECT_FALSE(op.startsLayer());
  });
  EXPECT_EQ(count, 5);
  BatchNormOp norm = parsed.all<BatchNormOp>().at(0);
  EXPECT_EQ(cost(norm).getMacs(), 2 * 8 * 9);
  EXPECT_EQ(cost(norm).getParameterBytes(), 4 * 4 * 2);
  BinaryOp add = parsed.all<BinaryOp>().at(0);
  EXPECT_EQ(receptive(add).getActivationOperands(), Indices({0, 1}));
  EXPECT_EQ(cost(add).getMacs(), 0);
  EXPECT_EQ(cost(add).getParameterBytes(), 0);
}

TEST(SnugInterfaces, Barriers) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<2x2x3x4xf32>, %w: tensor<10x24xf32>, %b: tensor<10xf32>) {
      %0 = snug.reshape %x : tensor<2x2x3x4xf32> -> tensor<2x24xf32>
      %1 = snug.gemm %0 weight %w bias %b transpose_weight
          : (tensor<2x24xf32>, tensor<10x24xf32>, tensor<10xf32>) -> tensor<2x10xf32>
      %2 = snug.softmax %1 axis 1 : tensor<2x10xf32>
      %3 = snug.softmax %x axis 1 : tensor<2x2x3x4xf32>
      %4 = snug.softmax %x axis 3 : tensor<2x2x3x4xf32>
      return
    })mlir");
  ReshapeOp reshape = parsed.all<ReshapeOp>().at(0);
  EXPECT_TRUE(receptive(reshape).getAxisMap(0, SpatialAxis::Height).isWhole());
  EXPECT_TRUE(receptive(reshape).getTileableAxes().empty());

  GemmOp gemm = parsed.all<GemmOp>().at(0);
  EXPECT_TRUE(receptive(gemm).getAxisMap(0, SpatialAxis::Width).isWhole());
  EXPECT_TRUE(receptive(gemm).getTileableAxes().empty());
  EXPECT_FALSE(receptive(gemm).startsLayer());
  EXPECT_EQ(cost(gemm).getMacsPerOutputElement(), 24);
  EXPECT_EQ(cost(gemm).getMacs(), 24 * 2 * 10);
  EXPECT_EQ(cost(gemm).getParameterBytes(), 4 * (240 + 10));

  const std::vector<SoftmaxOp> softmax = parsed.all<SoftmaxOp>();
  EXPECT_TRUE(receptive(softmax[0]).getTileableAxes().empty());
  EXPECT_EQ(receptive(softmax[1]).getTileableAxes(), kBoth);
  EXPECT_TRUE(
      isIdentity(receptive(softmax[1]).getAxisMap(0, SpatialAxis::Width)));
  EXPECT_EQ(receptive(softmax[2]).getTileableAxes(),
            Axes({SpatialAxis::Height}));
  EXPECT_TRUE(
      receptive(softmax[2]).getAxisMap(0, SpatialAxis::Width).isWhole());
}

TEST(SnugInterfaces, Schedules) {
  MLIRContext context;
  context.loadDialect<SnugDialect>();
  using snug::network::Schedule;
  for (const Schedule &schedule :
       {Schedule::whole(), Schedule::grid(5, 4), Schedule::grid(1, 1)})
    EXPECT_TRUE(makeScheduleAttr(&context, schedule).getSchedule() == schedule);
}
