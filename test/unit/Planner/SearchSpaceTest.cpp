// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures that the search adds up equal those of the candidates' expansions.
#include "Planner/SearchSpace.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

namespace snug::planner {
namespace {

using network::Network;

/// Every candidate's figures against its own expansion.
int64_t expectFigures(const Network &network, const SearchOptions &options) {
  const SearchSpace space(network, options);
  for (const Candidate &candidate : space.candidates) {
    const auto program = network::expand(network, candidate.partition);
    EXPECT_TRUE(program);
    if (!program)
      return 0;
    EXPECT_EQ(candidate.figures.liveBytes,
              program->peakLiveBytes(options.alignment));
    EXPECT_EQ(candidate.figures.macs, program->macs());
    EXPECT_EQ(candidate.figures.steps,
              static_cast<int64_t>(program->steps.size()));
    EXPECT_LE(candidate.arenaBound,
              roundUp(allocateGreedily(allocationProblem(network, *program,
                                                         options.alignment))
                          .peak,
                      options.arenaUnit));
  }
  return static_cast<int64_t>(space.candidates.size());
}

TEST(SearchSpace, FiguresOfRandomNetworks) {
  SearchOptions options;
  options.maxGridRows = 2;
  options.maxGridColumns = 3;
  options.arenaUnit = 64;
  int64_t candidates = 0;
  for (unsigned seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    candidates += expectFigures(network::randomNetwork(seed).network, options);
  }
  EXPECT_GT(candidates, 5000);
}

TEST(SearchSpace, InputThatBothGroupsAndTheTailRead) {
  // The input is added in every part, so whether it has been copied into
  // channels-last order depends on the parts before: 2x3x8x8 = 1536 bytes.
  network::Builder builder;
  const int in = builder.input(2, 3, 8, 8);
  int x = builder.add(builder.convolution(in, 3, {3, 1, 1, 1, 1}), in);
  x = builder.add(builder.convolution(x, 3, {3, 1, 1, 1, 1}), in);
  x = builder.add(builder.convolution(x, 3, {1, 1, 1, 0, 0}), in);
  x = builder.flatten(x);
  builder.output(x);
  SearchOptions options;
  options.maxGridRows = options.maxGridColumns = 3;
  // Three layers: 1 + 10 + 2 * 10 * 10.
  EXPECT_EQ(expectFigures(builder.network(), options), 211);
}

TEST(SearchSpace, CountsCandidates) {
  // Untiled, one group on 36 grids or whole, 15 cuts with two such groups.
  const Network network = network::yolov2First16();
  SearchOptions options;
  EXPECT_EQ(SearchSpace(network, options).candidates.size(),
            1u + 37u + 15u * 37u * 37u);
  options.maxGroups = 1;
  EXPECT_EQ(SearchSpace(network, options).candidates.size(), 38u);
  options.maxGroups = 0;
  EXPECT_EQ(SearchSpace(network, options).candidates.size(), 1u);
}

TEST(SearchSpace, EndsBeforeBarriers) {
  // conv, relu, pool to 2x2, flatten, gemm: two layers may be grouped, though
  // flatten and gemm count to the second. Grids: 3x3 of them for conv alone,
  // 2x2 behind the pool. 1 + (1 + 4) + (1 + 9) * (1 + 4).
  network::Builder builder;
  int x = builder.convolution(builder.input(1, 1, 4, 4), 1, {3, 1, 1, 1, 1});
  x = builder.maxPool(builder.leakyRelu(x), {2, 2, 1, 0, 0});
  builder.output(builder.gemm(builder.flatten(x), 2));
  SearchOptions options;
  options.maxGridRows = options.maxGridColumns = 3;
  const SearchSpace space(builder.network(), options);
  EXPECT_EQ(space.candidates.size(), 56u);
  EXPECT_EQ(space.candidates.back().partition.groups[1].opEnd, 3);
  // A barrier in front, or no layer at all: only the untiled network.
  network::Builder front;
  front.output(front.convolution(front.flatten(front.input(1, 2, 2, 2)), 1,
                                 {1, 1, 1, 0, 0}));
  EXPECT_EQ(SearchSpace(front.network(), options).candidates.size(), 1u);
  network::Builder none;
  none.output(none.leakyRelu(none.input(1, 2, 2, 2)));
  EXPECT_EQ(SearchSpace(none.network(), options).candidates.size(), 1u);
}

} // namespace
} // namespace snug::planner
