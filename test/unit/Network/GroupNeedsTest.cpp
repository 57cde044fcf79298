// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Needs of a tile, by hand, and their minimality over random stacks.
#include "Network/GroupNeeds.h"
#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

namespace snug::network {
namespace {

/// Needs of a band, by tensor of the network.
AxisNeeds needsOf(const Network &network, const Group &group, Axis axis,
                  int64_t parts, int64_t index) {
  const GroupTensors tensors(network, findUses(network), group);
  AxisNeeds needs = computeNeeds(network, group, tensors, axis, parts, index);
  std::vector<Interval> byTensor(network.tensors.size());
  for (size_t i = 0; i < tensors.tensors.size(); ++i)
    byTensor[tensors.tensors[i]] = needs.tensors[i];
  needs.tensors = byTensor;
  return needs;
}

TEST(GroupNeeds, TwoConvolutionsByHand) {
  // 3 taps stride 1 pads 1, then 3 taps stride 2 pads 1, over 9 rows: 9, then
  // (9 + 2 - 3) / 2 + 1 = 5 rows, in 3 bands of 1, 2 and 2. Output rows [1, 3)
  // read [1, 6) of the middle (1 * 2 - 1 to 2 * 2 - 1 + 3), which read [0, 7)
  // of the input.
  Builder builder;
  int x = builder.input(1, 1, 9, 9);
  x = builder.convolution(x, 1, {3, 1, 1, 1, 1});
  x = builder.convolution(x, 1, {3, 2, 1, 1, 1});
  builder.output(x);
  const AxisNeeds needs =
      needsOf(builder.network(), {0, 2, {}}, Axis::Rows, 3, 1);
  EXPECT_EQ(needs.tensors[2], (Interval{1, 3}));
  EXPECT_EQ(needs.tensors[1], (Interval{1, 6}));
  EXPECT_EQ(needs.tensors[0], (Interval{0, 7}));
  EXPECT_EQ(needs.operands[0].padHigh, 0);
  // Rows [3, 5) read [5, 10) of the middle: 4 rows and one of padding; these
  // read [4, 10) of the input: 5 rows and one of padding.
  const AxisNeeds last =
      needsOf(builder.network(), {0, 2, {}}, Axis::Rows, 3, 2);
  EXPECT_EQ(last.tensors[1], (Interval{5, 9}));
  EXPECT_EQ(last.operands[1].padHigh, 1);
  EXPECT_EQ(last.tensors[0], (Interval{4, 9}));
  EXPECT_EQ(last.operands[0].padHigh, 1);
}

TEST(GroupNeeds, HullOverBranches) {
  // in + conv(in), 3 taps, pads 1: output [4, 6) needs [3, 7) of the input for
  // the convolution and [4, 6) for the sum.
  Builder builder;
  const int x = builder.input(1, 2, 10, 10);
  builder.output(builder.add(x, builder.convolution(x, 2, {3, 1, 1, 1, 1})));
  const AxisNeeds needs =
      needsOf(builder.network(), {0, 2, {}}, Axis::Columns, 5, 2);
  EXPECT_EQ(needs.tensors[x], (Interval{3, 7}));
  EXPECT_EQ(needs.operands[0].interval, (Interval{3, 7})); // convolution's
  EXPECT_EQ(needs.operands[1].interval, (Interval{4, 6})); // sum's left
}

TEST(GroupNeeds, FindsPaddingAndUnusedOps) {
  Builder builder;
  int x = builder.input(1, 1, 2, 2);
  x = builder.convolution(x, 1, {2, 1, 1, 3, 3}); // 7 outputs over 2 elements
  builder.output(x);
  EXPECT_EQ(
      needsOf(builder.network(), {0, 1, {}}, Axis::Rows, 7, 0).onlyPaddingOp,
      0);
  EXPECT_EQ(
      needsOf(builder.network(), {0, 1, {}}, Axis::Rows, 1, 0).onlyPaddingOp,
      -1);
  Builder other;
  const int in = other.input(1, 1, 4, 4);
  other.leakyRelu(in);
  other.output(other.leakyRelu(in));
  EXPECT_EQ(needsOf(other.network(), {0, 2, {}}, Axis::Rows, 1, 0).unusedOp, 0);
}

/// True where a tap of `op`'s operand, for the outputs in `output`, reads
/// element `at`.
bool reads(const AxisMap &map, Interval output, int64_t at) {
  for (int64_t i = output.begin; i < output.end; ++i)
    for (int64_t tap = 0; tap < map.extent(); tap += map.dilation)
      if (i * map.stride - map.padLow + tap == at)
        return true;
  return map.isWhole();
}

/// Takes an element off either end of every needed interval and finds a tap
/// that reads it.
void expectMinimal(const Network &network, const Group &group, Axis axis,
                   const AxisNeeds &needs) {
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    const Interval interval = needs.tensors[t];
    const bool isResult = network.tensors[t].isOutput;
    if (interval.empty() || isResult)
      continue;
    bool first = false, last = false;
    for (int64_t i = group.opBegin; i < group.opEnd; ++i)
      for (const Operand &operand : network.ops[i].operands) {
        if (operand.tensor != static_cast<int>(t))
          continue;
        const Interval output = needs.tensors[network.ops[i].result];
        first |= reads(mapOf(operand, axis), output, interval.begin);
        last |= reads(mapOf(operand, axis), output, interval.end - 1);
      }
    ASSERT_TRUE(first) << "tensor " << t << " could begin later";
    ASSERT_TRUE(last) << "tensor " << t << " could end earlier";
  }
}

TEST(GroupNeeds, MinimalOverRandomStacks) {
  int checked = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const TestNetwork test = randomNetwork(seed);
    const Network &network = test.network;
    ASSERT_EQ(check(network), "");
    const int64_t ops = static_cast<int64_t>(network.ops.size());
    for (int64_t parts = 1; parts <= 3; ++parts) {
      const Group group{0, ops, Schedule::grid(parts, 1)};
      if (!checkGroup(network, group).empty())
        continue;
      for (int64_t i = 0; i < parts; ++i) {
        expectMinimal(network, group, Axis::Rows,
                      needsOf(network, group, Axis::Rows, parts, i));
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 500);
}

} // namespace
} // namespace snug::network
