// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures of groups against the expansions of partitions that have them.
#include "Network/GroupFigures.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace snug::network {
namespace {

std::vector<Schedule> gridsUpTo(int64_t rows, int64_t columns) {
  std::vector<Schedule> grids;
  for (int64_t n = 1; n <= rows; ++n)
    for (int64_t m = 1; m <= columns; ++m)
      grids.push_back(Schedule::grid(n, m));
  return grids;
}

/// Figures of the steps of a program's only group.
Figures ofGroup(const Program &program, int64_t alignment) {
  const std::vector<int64_t> live = program.liveBytes(alignment);
  Figures figures;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (program.steps[i].group < 0)
      continue;
    figures.peakBytes = std::max(figures.peakBytes, live[i]);
    figures.macs += program.steps[i].macs;
    ++figures.steps;
  }
  return figures;
}

struct Tally {
  int64_t groups = 0, below = 0, fewer = 0;
};

/// Every group and grid of a network.
void compare(const Network &network, const std::vector<Schedule> &grids,
             Tally &tally) {
  const Result<Program> untiled = expand(network, {});
  ASSERT_TRUE(untiled) << untiled.error().message;
  GroupFiguresOptions options;
  options.grids = grids;
  options.maxRecompute = 1000;
  GroupFigures all(network, *untiled, options);
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  for (int64_t end = 1; end <= ops; ++end) {
    std::map<std::pair<int64_t, size_t>, Figures> found;
    all.visitGroups(end, [&](int64_t begin, size_t grid, const Figures &f) {
      EXPECT_TRUE(found.insert({{begin, grid}, f}).second);
    });
    for (int64_t begin = 0; begin < end; ++begin)
      for (size_t g = 0; g < grids.size(); ++g) {
        const Group group{begin, end, grids[g]};
        SCOPED_TRACE("ops " + std::to_string(begin) + " to " +
                     std::to_string(end) + " " + toString(grids[g]));
        const auto at = found.find({begin, g});
        ASSERT_EQ(at != found.end(), checkGroup(network, group).empty())
            << checkGroup(network, group);
        if (at == found.end())
          continue;
        const Result<Program> program = expand(network, {{group}});
        ASSERT_TRUE(program);
        const Figures exact = ofGroup(*program, options.alignment);
        ASSERT_EQ(at->second.macs, exact.macs);
        ASSERT_LE(at->second.steps, exact.steps);
        ASSERT_LE(at->second.peakBytes, exact.peakBytes);
        ++tally.groups;
        tally.below += at->second.peakBytes < exact.peakBytes;
        tally.fewer += at->second.steps < exact.steps;
      }
  }
}

TEST(GroupFigures, OfRandomChains) {
  Tally tally;
  for (unsigned seed = 0; seed < 300 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOptions shape;
    shape.branches = false;
    compare(randomNetwork(seed, shape).network, gridsUpTo(4, 3), tally);
  }
  EXPECT_GT(tally.groups, 5000);
  EXPECT_EQ(tally.below, 0);
  EXPECT_EQ(tally.fewer, 0);
}

TEST(GroupFigures, OfRandomNetworks) {
  Tally tally;
  for (unsigned seed = 300; seed < 700 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOptions shape;
    shape.maxOps = 7;
    compare(randomNetwork(seed, shape).network, gridsUpTo(3, 3), tally);
  }
  // Below only where several ops read one network input.
  EXPECT_GT(tally.groups, 10000);
  EXPECT_LT(tally.below, tally.groups / 50);
  EXPECT_LT(tally.fewer, tally.groups / 50);
}

} // namespace
} // namespace snug::network
