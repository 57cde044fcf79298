// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which tensors share bytes, worked out by hand.
#include "snug/Network/Storage.h"

#include "Network/TestNetworks.h"
#include "snug/Network/Program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace snug::network {
namespace {

int64_t copySteps(const Program &program) {
  return std::count_if(program.steps.begin(), program.steps.end(),
                       [](const Step &step) { return step.operand >= 0; });
}

/// A block of a dense network: each convolution reads all that went before.
Network denseBlock(int64_t layers) {
  Builder builder;
  std::vector<int> features{
      builder.convolution(builder.input(1, 3, 8, 8), 4, {3, 1, 1, 1, 1})};
  for (int64_t i = 0; i < layers; ++i) {
    const int all = i == 0 ? features[0] : builder.concat(features);
    features.push_back(builder.convolution(all, 2, {3, 1, 1, 1, 1}));
  }
  builder.output(builder.convolution(builder.concat(features), 3, {}));
  return builder.network();
}

TEST(Storage, DenseBlockLiesInOneBuffer) {
  // 4 + 5 * 2 channels. No concat makes a step: a move in, 7 convolutions, a
  // move out.
  const Network network = denseBlock(5);
  const auto program = expand(network, {});
  ASSERT_TRUE(program);
  EXPECT_EQ(copySteps(*program), 0);
  EXPECT_EQ(program->steps.size(), 9u);
  const Sharing sharing = findSharing(network);
  const Buffer &buffer = program->buffers[program->steps[1].output.buffer];
  EXPECT_EQ(buffer.channels, 14);
  EXPECT_EQ(program->steps[4].inputs[0].channels, (Interval{0, 8}));
  EXPECT_EQ(program->steps[4].output.channels, (Interval{8, 10}));
  // The block and the input's copy, then the block and the result: 14 + 3.
  EXPECT_EQ(program->peakLiveBytes(1), 17 * 64 * 4);
  // In tiles, too, from the first convolution to the last concat; the first
  // result of the group lies in the block's full buffer.
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  const auto tiled = expand(network, {{{0, ops, Schedule::grid(2, 2)}}});
  ASSERT_TRUE(tiled);
  EXPECT_EQ(copySteps(*tiled), 0);
  // What lies outside the group is copied into the tile's block, once for all
  // concats.
  const auto behind = expand(network, {{{1, ops, Schedule::grid(2, 2)}}});
  ASSERT_TRUE(behind);
  EXPECT_EQ(copySteps(*behind), 4 * 1);
  // A group inside the block makes its results straight into the full buffer.
  const auto inside = expand(network, {{{3, 6, Schedule::grid(2, 2)}}});
  ASSERT_TRUE(inside);
  EXPECT_EQ(copySteps(*inside), 0);
}

TEST(Storage, WhatCannotShareIsCopied) {
  Builder builder;
  const int x = builder.input(1, 2, 4, 4);
  const int a = builder.convolution(x, 2, {});
  const int b = builder.convolution(x, 2, {});
  // The input lies planar; a is in place in one concat, not in the other, which
  // wants it elsewhere beside b.
  const int first = builder.concat({x, a, b});
  const int second = builder.concat({b, a});
  builder.output(builder.convolution(first, 1, {}));
  builder.output(builder.convolution(second, 1, {}));
  const Network network = builder.network();
  const auto program = expand(network, {});
  ASSERT_TRUE(program);
  std::vector<std::pair<int, int>> copied;
  for (const Step &step : program->steps)
    if (step.operand >= 0)
      copied.push_back({step.op, step.operand});
  // Either of the second's operands may share the first's place, not both.
  EXPECT_EQ(copied, (std::vector<std::pair<int, int>>{{2, 0}, {3, 1}}));
}

TEST(Storage, NothingIsCopiedOverItself) {
  // Were all three in one buffer, b would have to move up by one tensor over
  // its own upper half.
  Builder builder;
  const int a = builder.convolution(builder.input(1, 2, 4, 4), 3, {});
  const int b = builder.concat({a, a});
  builder.output(builder.convolution(builder.concat({a, b}), 1, {}));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  int64_t copied = 0;
  for (const Step &step : program->steps) {
    if (step.operand < 0)
      continue;
    copied += step.output.channels.size();
    const Interval &from = step.inputs[0].channels, &to = step.output.channels;
    EXPECT_TRUE(step.inputs[0].buffer != step.output.buffer ||
                from.end <= to.begin || to.end <= from.begin);
  }
  // b's second half and what the larger concat has in front of b.
  EXPECT_EQ(copied, 6);
}

TEST(Storage, SlicesAreReadInPlace) {
  Builder builder;
  const int x = builder.convolution(builder.input(1, 2, 4, 4), 4, {});
  const int low = builder.slice(x, {0, 2}), high = builder.slice(x, {2, 4});
  const int y = builder.convolution(high, 2, {});
  builder.output(builder.add(low, y));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  EXPECT_EQ(copySteps(*program), 0);
  const Step &convolution = program->steps[2];
  EXPECT_EQ(convolution.inputs[0].tensor, high);
  EXPECT_EQ(convolution.inputs[0].channels, (Interval{2, 4}));
}

TEST(Storage, LongSkipsThatWouldCostMoreAreCopied) {
  // x has 1 channel; the concat, far behind, 1 + 15. In between, a wide tensor
  // sets the peak: 16 channels reserved beside it would be too many.
  Builder builder;
  const int x = builder.convolution(builder.input(1, 1, 8, 8), 1, {});
  const int wide = builder.convolution(x, 40, {});
  const int wider = builder.convolution(wide, 40, {});
  const int y = builder.convolution(wider, 15, {});
  builder.output(builder.convolution(builder.concat({x, y}), 1, {}));
  const Network network = builder.network();
  const auto program = expand(network, {});
  ASSERT_TRUE(program);
  EXPECT_EQ(copySteps(*program), 2);
  // wide, wider and x.
  EXPECT_EQ(program->peakLiveBytes(1), 81 * 64 * 4);
}

TEST(Storage, WhatIsReshapedNextRunsInPlaceToo) {
  // Of one channel, so that both orders are the same: the input lies planar,
  // its result under another shape.
  Builder builder;
  builder.output(
      builder.reshape(builder.leakyRelu(builder.input(1, 1, 8, 8)), 8, 1, 8));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->reuses.size(), 1u);
  EXPECT_EQ(program->peakLiveBytes(1), 64 * 4);
}

TEST(Storage, ReshapesAreOtherNames) {
  // conv (2x3x4) is moved into planar order once; the vector, the image of
  // other extents and the output are the same bytes.
  Builder builder;
  const int x = builder.convolution(builder.input(1, 2, 3, 4), 2, {});
  const int flat = builder.flatten(x);
  const int image = builder.reshape(flat, 4, 3, 2);
  builder.output(image);
  builder.output(builder.gemm(flat, 5));
  const Network network = builder.network();
  const Sharing sharing = findSharing(network);
  EXPECT_EQ(sharing.planarRoot[flat], x);
  EXPECT_EQ(sharing.planarRoot[image], x);
  EXPECT_EQ(sharing.rootOutput[x], image);
  const auto program = expand(network, {});
  ASSERT_TRUE(program);
  // Move in, convolution, move into planar order, gemm.
  ASSERT_EQ(program->steps.size(), 4u);
  const View &moved = program->steps[2].output;
  EXPECT_EQ(moved.tensor, x);
  EXPECT_EQ(program->buffers[moved.buffer].tensor, image);
  EXPECT_EQ(program->buffers[moved.buffer].role, Buffer::Role::Output);
  EXPECT_TRUE(isReshaped(network, *program, moved));
  EXPECT_EQ(program->steps[3].inputs[0].buffer, moved.buffer);
}

TEST(Storage, ResultsOfAGroup) {
  // x is used behind the group, y only inside, z is its last result. Tiles of 2
  // rows make rows [0, 3) and [1, 4) of x, as y needs them.
  Builder builder;
  const int x = builder.convolution(builder.input(1, 1, 4, 4), 1, {});
  const int y = builder.leakyRelu(x);
  const int z = builder.convolution(y, 1, {3, 1, 1, 1, 1});
  builder.output(builder.add(x, z));
  const Network network = builder.network();
  const Partition partition{{{0, 3, Schedule::grid(2, 1)}}};
  const Placement placement =
      placeTensors(network, findSharing(network), partition);
  EXPECT_EQ(placement.home[x], -1);
  EXPECT_EQ(placement.home[y], 0);
  EXPECT_EQ(placement.home[z], -1);
  const auto program = expand(network, partition);
  ASSERT_TRUE(program);
  ASSERT_EQ(program->steps.size(), 7u);
  EXPECT_EQ(program->steps[0].output.rows, (Interval{0, 3}));
  EXPECT_EQ(program->steps[3].output.rows, (Interval{1, 4}));
  EXPECT_EQ(program->steps[0].output.buffer, program->steps[3].output.buffer);
  EXPECT_EQ(program->steps[5].output.rows, (Interval{2, 4}));
}

} // namespace
} // namespace snug::network
