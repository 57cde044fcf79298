// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random graphs of all that a network may hold, cut into random groups: every
// program computes what the network computes.
#include "Network/Expander.h"
#include "Network/Interpreter.h"
#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace snug::network {
namespace {

int64_t peak(const Network &network, const Sharing &sharing,
             const Partition &partition) {
  return expand(network, sharing, partition)->peakLiveBytes(1);
}

/// Up to `most` groups, grids wherever one is legal.
Partition randomGroups(const Network &network, const Sharing &sharing,
                       std::mt19937 &random, int most) {
  auto between = [&](int64_t least, int64_t largest) {
    return least + static_cast<int64_t>(random() % (largest - least + 1));
  };
  Partition partition;
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  int64_t done = 0;
  for (int attempt = 0; attempt < 30 && done < ops; ++attempt) {
    const int64_t begin = between(done, ops - 1);
    const int64_t end = between(begin + 1, std::min(ops, begin + 8));
    const Group group{begin, end,
                      between(0, 9) == 0
                          ? Schedule::whole()
                          : Schedule::grid(between(1, 4), between(1, 4))};
    if (!checkGroup(network, sharing, group).empty())
      continue;
    partition.groups.push_back(group);
    done = group.opEnd;
    if (static_cast<int>(partition.groups.size()) == most)
      break;
  }
  return partition;
}

TEST(RandomGraph, EveryPartitionComputesTheNetwork) {
  std::mt19937 random(21);
  int tiled = 0, results = 0, copySteps = 0, tied = 0, tiedInTiles = 0,
      reshaped = 0, reuses = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    const TestNetwork test = randomGraph(seed);
    const Network &network = test.network;
    ASSERT_EQ(check(network), "") << "seed " << seed;
    const Sharing sharing = findSharing(network);
    const Values inputs = randomInputs(network, seed);
    const Values expected = runReference(test, inputs);
    for (int i = 0; i < 5; ++i) {
      const Partition partition =
          i == 0 ? Partition{} : randomGroups(network, sharing, random, i);
      const auto program = expand(network, sharing, partition);
      ASSERT_TRUE(program) << program.error().message;
      const Execution run = runProgram(test, *program, inputs);
      ASSERT_EQ(run.error, "") << "seed " << seed << " partition " << i;
      ASSERT_EQ(run.outputs, expected) << "seed " << seed << " partition " << i;
      if (i == 0) {
        ASSERT_EQ(program->macs(), network.macs());
      }
      const Placement placement = placeTensors(network, sharing, partition);
      for (const Op &op : network.ops)
        for (size_t k = 0; op.copies && k < op.operands.size(); ++k) {
          const int tensor = op.operands[k].tensor;
          if (placement.root[tensor] != placement.root[op.result])
            continue;
          ++(placement.home[tensor] < 0 ? tied : tiedInTiles);
        }
      for (const Step &step : program->steps) {
        copySteps += step.operand >= 0;
        reshaped += isReshaped(network, *program, step.output) ||
                    isReshaped(network, *program, step.inputs[0]);
      }
      for (const Group &group : partition.groups) {
        if (group.schedule.isWhole())
          continue;
        const GroupTensors tensors(network, sharing, group);
        tiled += group.schedule.rows * group.schedule.columns > 1;
        results += std::count(tensors.isResult.begin(), tensors.isResult.end(),
                              true) > 1;
      }
      reuses += static_cast<int>(program->reuses.size());
    }
  }
  // The generator reaches what is to be tested.
  EXPECT_GT(tiled, 2000);
  EXPECT_GT(results, 1000);
  EXPECT_GT(copySteps, 1000);
  EXPECT_GT(tied, 1000);
  EXPECT_GT(tiedInTiles, 70);
  EXPECT_GT(reshaped, 300);
  EXPECT_GT(reuses, 1000);
}

TEST(RandomGraph, SharingNeverCostsMemory) {
  int less = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    const Network network = randomGraph(seed).network;
    const Sharing sharing = findSharing(network);
    Sharing none = sharing;
    none.family.assign(network.tensors.size(), -1);
    none.channel.assign(network.tensors.size(), 0);
    const int64_t shared = peak(network, sharing, {});
    const int64_t copied = peak(network, none, {});
    ASSERT_LE(shared, copied) << "seed " << seed;
    less += shared < copied;
  }
  EXPECT_GT(less, 40);
}

} // namespace
} // namespace snug::network
