// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures of groups against the expansions of partitions that have them.
#include "snug/Network/GroupFigures.h"

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
      if (n * m > 1)
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
    figures.steps += program.steps[i].kernels;
  }
  return figures;
}

/// Whether rows and columns of a square operand are read alike.
bool alike(const Operand &operand, int64_t outputs, int64_t inputs) {
  for (int64_t i = 0; i < outputs; ++i)
    if (!(operand.height.needed({i, i + 1}, inputs).interval ==
          operand.width.needed({i, i + 1}, inputs).interval))
      return false;
  return true;
}

struct Tally {
  int64_t groups = 0;
  /// Peaks that are below the expansion's, fewer steps, either above; what is
  /// likely but is not so.
  int64_t below = 0, fewer = 0, above = 0, unlikely = 0;
};

/// Every group and grid of a network.
void compare(const Network &network, const std::vector<Schedule> &grids,
             Tally &tally) {
  const Result<Program> untiled = expand(network, {});
  ASSERT_TRUE(untiled) << untiled.error().message;
  GroupFiguresOptions options;
  options.grids = grids;
  options.maxRecompute = 1000;
  const Sharing sharing = findSharing(network);
  GroupFigures all(network, sharing, *untiled, options);
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  for (int64_t end = 1; end <= ops; ++end) {
    std::map<std::pair<int64_t, size_t>, Figures> found;
    all.visitGroups(end, [&](int64_t begin, size_t grid, const Figures &f) {
      EXPECT_TRUE(found.insert({{begin, grid}, f}).second);
    });
    // Of a square network, a grid stands for the turned one too.
    bool square = true;
    for (const Tensor &tensor : network.tensors)
      square &= tensor.height == tensor.width;
    for (const Op &op : network.ops)
      for (const Operand &operand : op.operands)
        square = square && alike(operand, network.tensors[op.result].height,
                                 network.tensors[operand.tensor].height);
    for (int64_t begin = 0; begin < end; ++begin)
      for (size_t g = 0; g < grids.size(); ++g) {
        const Group group{begin, end, grids[g]};
        SCOPED_TRACE("ops " + std::to_string(begin) + " to " +
                     std::to_string(end) + " " + toString(grids[g]));
        auto at = found.find({begin, g});
        if (at == found.end() && square)
          at = found.find({begin, std::find(grids.begin(), grids.end(),
                                            Schedule::grid(grids[g].columns,
                                                           grids[g].rows)) -
                                      grids.begin()});
        ASSERT_EQ(at != found.end(), checkGroup(network, group).empty())
            << checkGroup(network, group);
        if (at == found.end())
          continue;
        const Result<Program> program = expand(network, sharing, {{group}});
        ASSERT_TRUE(program);
        const Figures exact = ofGroup(*program, options.alignment);
        ASSERT_EQ(at->second.macs, exact.macs);
        if (exact.steps == 0)
          continue; // everything lies in place already
        tally.above += at->second.peakBytes > exact.peakBytes ||
                       at->second.steps > exact.steps;
        tally.unlikely += at->second.likelyBytes != exact.peakBytes;
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
    Network network = randomNetwork(seed, shape).network;
    for (size_t i = 0; i < network.ops.size(); ++i)
      network.ops[i].tileKernels = static_cast<int>(1 + (seed + i) % 3);
    compare(network, gridsUpTo(4, 3), tally);
  }
  EXPECT_GT(tally.groups, 5000);
  EXPECT_EQ(tally.below + tally.above + tally.fewer + tally.unlikely, 0);
}

TEST(GroupFigures, OfRandomNetworks) {
  Tally tally;
  for (unsigned seed = 300; seed < 700 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOptions shape;
    shape.maxOps = 7;
    compare(randomNetwork(seed, shape).network, gridsUpTo(3, 3), tally);
  }
  EXPECT_GT(tally.groups, 10000);
  EXPECT_LT(tally.above, tally.groups / 1000);
  // Below only where several ops read one network input.
  EXPECT_LT(tally.below, tally.groups / 50);
  EXPECT_LT(tally.fewer, tally.groups / 50);
}

TEST(GroupFigures, OfRandomGraphs) {
  Tally tally;
  for (unsigned seed = 0; seed < 1000 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare(randomGraph(seed, 9).network, gridsUpTo(3, 2), tally);
  }
  EXPECT_GT(tally.groups, 20000);
  EXPECT_LT(tally.above, tally.groups / 100);
  // Kernels in planar order and copies of all kinds are rare elsewhere.
  EXPECT_LT(tally.unlikely, tally.groups / 3);
}

} // namespace
} // namespace snug::network
