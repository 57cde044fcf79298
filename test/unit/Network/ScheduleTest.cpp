// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Schedules as text, groups by layers, legality of groups.
#include "snug/Network/Schedule.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

namespace snug::network {
namespace {

TEST(Schedule, ToString) {
  EXPECT_EQ(toString(Schedule::whole()), "whole");
  EXPECT_EQ(toString(Schedule::grid(5, 3)), "5x3");
}

TEST(ParseGroups, Good) {
  const auto groups = parseGroups("8:5x4,12:1x1,16:whole");
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 3u);
  EXPECT_EQ((*groups)[0].endLayer, 8);
  EXPECT_EQ((*groups)[0].schedule, Schedule::grid(5, 4));
  EXPECT_EQ((*groups)[1].schedule, Schedule::grid(1, 1));
  EXPECT_EQ((*groups)[2].endLayer, 16);
  EXPECT_TRUE((*groups)[2].schedule.isWhole());
}

void expectParseError(const std::string &text, const std::string &part) {
  const auto groups = parseGroups(text);
  ASSERT_FALSE(groups) << text;
  EXPECT_NE(groups.error().message.find(part), std::string::npos)
      << groups.error().message;
}

TEST(ParseGroups, Bad) {
  expectParseError("", "group ''");
  expectParseError("8", "group '8': expected the number of the layer");
  expectParseError("8:5x5,", "group ''");
  expectParseError("x:5x5", "group 'x:5x5': expected");
  expectParseError("0:5x5", "group '0:5x5': expected");
  expectParseError("-1:5x5", "group '-1:5x5': expected");
  expectParseError("99999999999999999999:1x1", "expected the number");
  expectParseError("8:5", "schedule '5' is neither a grid");
  expectParseError("8:0x5", "schedule '0x5' is neither a grid");
  expectParseError("8:5x", "schedule '5x' is neither a grid");
  expectParseError("8:5x5x5", "schedule '5x5x5' is neither a grid");
  expectParseError("8: 5x5", "schedule ' 5x5' is neither a grid");
  expectParseError("8:stripes4", "stripes are not supported yet");
  expectParseError("8:5x5,8:2x2", "ends must increase");
  expectParseError("8:5x5,4:2x2", "the group before it ends at 8");
}

/// conv, relu, pool, relu | global pool, flatten, gemm.
Network withTail() {
  Builder builder;
  int x = builder.leakyRelu(
      builder.convolution(builder.input(1, 1, 9, 9), 2, {3, 1, 1, 1, 1}));
  x = builder.leakyRelu(builder.maxPool(x, {3, 3, 1, 0, 0}));
  x = builder.gemm(builder.flatten(builder.globalAveragePool(x)), 3);
  builder.output(x);
  return builder.network();
}

TEST(PartitionByLayers, TakesOpsBehindLayers) {
  const Network network = withTail();
  ASSERT_EQ(network.layerCount(), 3);
  const auto partition = partitionByLayers(
      network, {{1, Schedule::grid(2, 2)}, {2, Schedule::whole()}});
  ASSERT_TRUE(partition);
  ASSERT_EQ(partition->groups.size(), 2u);
  EXPECT_EQ(partition->groups[0].opBegin, 0);
  EXPECT_EQ(partition->groups[0].opEnd, 2);
  EXPECT_EQ(partition->groups[1].opBegin, 2);
  EXPECT_EQ(partition->groups[1].opEnd, 4);
}

TEST(PartitionByLayers, StopsBeforeBarriersBehindALayer) {
  // A flatten and a gemm behind the only layer are no part of a group.
  Builder builder;
  int x = builder.leakyRelu(
      builder.maxPool(builder.input(1, 1, 4, 4), {2, 2, 1, 0, 0}));
  builder.output(builder.gemm(builder.flatten(x), 3));
  EXPECT_EQ(groupOpEnd(builder.network(), 1), 2);
  EXPECT_TRUE(
      partitionByLayers(builder.network(), {{1, Schedule::grid(2, 2)}}));
  // A global pooling is a layer by itself: it ends nothing.
  EXPECT_EQ(groupOpEnd(withTail(), 3), 5);
}

void expectPartitionError(const Network &network,
                          const std::vector<GroupSpec> &groups,
                          const std::string &part) {
  const auto partition = partitionByLayers(network, groups);
  ASSERT_FALSE(partition);
  EXPECT_NE(partition.error().message.find(part), std::string::npos)
      << partition.error().message;
}

TEST(PartitionByLayers, Bad) {
  expectPartitionError(withTail(), {{4, Schedule::grid(2, 2)}},
                       "group '4:2x2' ends at layer 4, but the network has 3 "
                       "layers");
  expectPartitionError(withTail(), {{1, {}}, {1, {}}}, "has no layers");
  expectPartitionError(withTail(), {{2, Schedule::grid(9, 1)}},
                       "group '2:9x1': the group from op 'conv2d0' to op "
                       "'leaky_relu3' cannot be cut into 9 rows of tiles");
}

void expectRefused(const Network &network, const Group &group,
                   const std::string &part) {
  const std::string why = checkGroup(network, group);
  EXPECT_NE(why.find(part), std::string::npos) << why;
}

TEST(CheckGroup, Ranges) {
  expectRefused(withTail(), {2, 2, {}}, "empty or outside");
  expectRefused(withTail(), {-1, 2, {}}, "empty or outside");
  expectRefused(withTail(), {0, 99, {}}, "empty or outside");
}

TEST(CheckGroup, Barrier) {
  expectRefused(withTail(), {0, 5, Schedule::grid(2, 1)},
                "its output 'global_avg_pool4_out' has 1 rows");
  // One tile may hold a barrier but for planar order, a whole group anything.
  EXPECT_EQ(checkGroup(withTail(), {0, 5, Schedule::grid(1, 1)}), "");
  expectRefused(withTail(), {0, 7, Schedule::grid(1, 1)},
                "op 'reshape5' makes its whole result at once");
  EXPECT_EQ(checkGroup(withTail(), {0, 7, Schedule::whole()}), "");
  // An op that needs its whole input but makes more than one row.
  Builder builder;
  const int x = builder.input(1, 1, 4, 4);
  builder.output(builder.leakyRelu(builder.leakyRelu(x)));
  Network network = builder.network();
  network.ops[1].operands[0].height = AxisMap::wholeInput();
  expectRefused(network, {0, 2, Schedule::grid(2, 1)},
                "op 'leaky_relu1' needs its whole input");
  EXPECT_EQ(checkGroup(network, {0, 2, Schedule::grid(1, 2)}), "");
  // What was made before the group is no barrier.
  EXPECT_EQ(checkGroup(network, {1, 2, Schedule::grid(2, 2)}), "");
}

TEST(CheckGroup, PlanarAndUnknownOps) {
  Builder builder;
  const int x = builder.leakyRelu(builder.input(1, 2, 4, 4));
  const int y = builder.reverse(x);
  builder.output(builder.leakyRelu(y));
  Network network = builder.network();
  expectRefused(network, {0, 2, Schedule::grid(2, 1)},
                "op 'reverse1' makes its whole result at once");
  EXPECT_EQ(checkGroup(network, {0, 3, Schedule::whole()}), "");
  // A planar operand from outside is read whole by every tile.
  EXPECT_EQ(checkGroup(network, {2, 3, Schedule::grid(2, 2)}), "");
  network.ops[2].operands[0].layout = Layout::Planar;
  EXPECT_EQ(checkGroup(network, {2, 3, Schedule::grid(2, 2)}), "");
  expectRefused(network, {1, 3, Schedule::grid(1, 2)}, "op 'reverse1'");
  network.ops[0].costKnown = false;
  expectRefused(network, {0, 1, Schedule::grid(2, 1)},
                "op 'leaky_relu0' of kind 'leaky_relu' is unknown");
  EXPECT_EQ(checkGroup(network, {0, 1, Schedule::whole()}), "");
}

TEST(CheckGroup, SeveralResults) {
  // relu0 feeds conv1 and, behind the group, the sum.
  Builder builder;
  const int x = builder.leakyRelu(builder.input(1, 1, 4, 4));
  const int y = builder.convolution(x, 1, {3, 1, 1, 1, 1});
  builder.output(builder.add(x, y));
  const Network network = builder.network();
  for (int64_t end : {2, 3})
    EXPECT_EQ(checkGroup(network, {0, end, Schedule::grid(4, 2)}), "");
  EXPECT_EQ(checkGroup(network, {1, 2, Schedule::grid(2, 2)}), "");
  // Pooled to 2 x 2: the first result could be cut into 3, the second not.
  builder.output(builder.maxPool(x, {2, 2, 1, 0, 0}));
  expectRefused(builder.network(), {0, 4, Schedule::grid(3, 1)},
                "its output 'max_pool2d3_out' has 2 rows");
  EXPECT_EQ(checkGroup(builder.network(), {0, 4, Schedule::grid(2, 2)}), "");
}

TEST(CheckGroup, PaddingAndUnusedOps) {
  Builder builder;
  builder.output(
      builder.convolution(builder.input(1, 1, 2, 2), 1, {2, 1, 1, 3, 3}));
  expectRefused(builder.network(), {0, 1, Schedule::grid(7, 1)},
                "op 'conv2d0' would read nothing but padding");
  EXPECT_EQ(checkGroup(builder.network(), {0, 1, Schedule::grid(1, 1)}), "");
  Builder other;
  const int x = other.input(1, 1, 4, 4);
  other.leakyRelu(x);
  other.output(other.leakyRelu(x));
  expectRefused(other.network(), {0, 2, Schedule::grid(2, 2)},
                "do not depend on op 'leaky_relu0'");
}

} // namespace
} // namespace snug::network
