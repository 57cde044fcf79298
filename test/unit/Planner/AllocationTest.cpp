// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy offsets: by hand, against brute force, and for whole programs.
#include "snug/Planner/Allocation.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

namespace snug::planner {
namespace {

using Offsets = std::vector<int64_t>;

TEST(Allocation, ChainByHand) {
  // Live bytes at 0, 1, 2, 3: 100, 150, 150, 100. The peak is first at 1:
  // a at 0, b behind it; then c where a was.
  const AllocationProblem problem{
      {{"a", 100, 1, 0, 2}, {"b", 50, 1, 1, 3}, {"c", 100, 1, 2, 4}}};
  const AllocationSolution solution = allocateGreedily(problem);
  EXPECT_EQ(solution.offsets, (Offsets{0, 100, 0}));
  EXPECT_EQ(solution.peak, 150);
  EXPECT_EQ(solution.lowerBound, 150);
  EXPECT_TRUE(solution.proved);
  EXPECT_EQ(verify(problem, solution), "");
}

TEST(Allocation, AlignmentByHand) {
  // All live together, larger ones first: b at 0, c at 128 (70 rounded up), a
  // behind it at 192. The topmost needs no rounding: the bound is 128 + 64 + 64
  // less the largest slack, 128 - 70; it would take b on top.
  const AllocationProblem problem{
      {{"a", 10, 64, 0, 1}, {"b", 70, 64, 0, 1}, {"c", 64, 64, 0, 1}}};
  const AllocationSolution solution = allocateGreedily(problem);
  EXPECT_EQ(solution.offsets, (Offsets{192, 0, 128}));
  EXPECT_EQ(solution.peak, 202);
  EXPECT_EQ(solution.lowerBound, 198);
  EXPECT_FALSE(solution.proved);
  // Two of 10 bytes: 0 and 64, and the bound is 64 + 64 - 54.
  const AllocationSolution two =
      allocateGreedily({{{"a", 10, 64, 0, 1}, {"b", 10, 64, 0, 1}}});
  EXPECT_EQ(two.offsets, (Offsets{0, 64}));
  EXPECT_EQ(two.peak, 74);
  EXPECT_TRUE(two.proved);
}

TEST(Allocation, GapsAreFilled) {
  // At time 1: a 40, b 30, c 20 (live bytes 90). d (25) lives when only a and c
  // do: a [0, 40), b [40, 70), c [70, 90), so d goes where b was.
  const AllocationProblem problem{{{"a", 40, 1, 0, 4},
                                   {"b", 30, 1, 0, 2},
                                   {"c", 20, 1, 1, 4},
                                   {"d", 25, 1, 2, 4}}};
  const AllocationSolution solution = allocateGreedily(problem);
  EXPECT_EQ(solution.offsets, (Offsets{0, 40, 70, 40}));
  EXPECT_EQ(solution.peak, 90);
  EXPECT_TRUE(solution.proved);
}

TEST(Allocation, Trivial) {
  EXPECT_EQ(allocateGreedily({}).peak, 0);
  EXPECT_TRUE(allocateGreedily({}).proved);
  const AllocationProblem empty{{{"none", 0, 64, 0, 9}, {"a", 5, 64, 0, 9}}};
  EXPECT_EQ(allocateGreedily(empty).offsets, (Offsets{0, 0}));
  EXPECT_EQ(verify(empty, allocateGreedily(empty)), "");
}

void expectRefused(const AllocationBuffer &buffer, const std::string &part) {
  const std::string why = check({{{"good", 1, 1, 0, 1}, buffer}});
  EXPECT_NE(why.find(part), std::string::npos) << why;
}

TEST(Allocation, CheckNamesTheBuffer) {
  EXPECT_EQ(check({{{"good", 0, 64, -3, 1}}}), "");
  expectRefused({"x", -1, 1, 0, 1}, "'x' has a negative size of -1");
  expectRefused({"x", 1, 1, 2, 2}, "'x' has an empty lifetime [2, 2)");
  expectRefused({"x", 1, 48, 0, 1}, "'x' has an alignment of 48");
  expectRefused({"x", 1, 0, 0, 1}, "'x' has an alignment of 0");
  expectRefused({"x", std::numeric_limits<int64_t>::max(), 1, 0, 1},
                "'x': the sizes together exceed");
}

TEST(Allocation, CheckOfFixedOffsets) {
  expectRefused({"x", 1, 1, 0, 1, -64}, "'x' is fixed at offset -64, which is");
  expectRefused({"x", 1, 64, 0, 1, 32}, "not aligned to 64 bytes");
  AllocationProblem problem{
      {{"x", 10, 1, 0, 2, 0}, {"y", 10, 1, 1, 3, 9}, {"z", 1, 1, 3, 4, 9}}};
  EXPECT_NE(check(problem).find("'x' and 'y' are fixed at offsets 0 and 9, "
                                "where they overlap while both live"),
            std::string::npos);
  // With leave, and at an offset that keeps to it.
  problem.overlaps = {{0, 1, 9, false}};
  EXPECT_NE(check(problem), "");
  problem.overlaps[0].distance = -9;
  EXPECT_EQ(check(problem), "");
  problem.separations = {{0, 2}};
  EXPECT_NE(check(problem).find("where they share a page and must not"),
            std::string::npos);
  problem.pageBytes = 1;
  EXPECT_NE(check(problem), ""); // still one byte
  problem.buffers[2].fixedOffset = 10;
  EXPECT_EQ(check(problem), "");
}

TEST(Allocation, CheckOfPairs) {
  AllocationProblem problem{{{"a", 1, 1, 0, 2}, {"b", 1, 1, 1, 3}}};
  auto expectBad = [&](const std::string &part) {
    EXPECT_NE(check(problem).find(part), std::string::npos) << check(problem);
  };
  problem.overlaps = {{0, 1}};
  EXPECT_EQ(check(problem), "");
  problem.overlaps = {{1, 0}};
  expectBad("input 'b' with lifetime [1, 3) and output 'a' with lifetime "
            "[0, 2) do not meet in exactly one step");
  problem.overlaps = {{0, 1}, {0, 1, 4}};
  expectBad("the overlap of 'b' with 'a' is listed twice");
  problem.overlaps = {{0, 2}};
  expectBad("an overlap names buffer 2 of 2");
  problem.overlaps = {{-1, 0}};
  expectBad("an overlap names buffer -1 of 2");
  problem.overlaps = {{0, 0}};
  expectBad("an overlap pairs buffer 'a' with itself");
  problem.overlaps = {};
  problem.separations = {{1, 0}, {0, 1}};
  expectBad("the separation of 'a' from 'b' is listed twice");
  problem.separations = {{1, 1}};
  expectBad("a separation pairs buffer 'b' with itself");
  problem.separations = {{1, 7}};
  expectBad("a separation names buffer 7 of 2");
  problem.separations = {{0, 1}};
  problem.pageBytes = 1000;
  expectBad("a page of 1000 bytes is no power of two");
}

AllocationProblem randomProblem(std::mt19937 &random, int64_t count) {
  auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  };
  AllocationProblem problem;
  const bool aligned = between(0, 1) == 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = between(0, 7);
    problem.buffers.push_back({"b" + std::to_string(i), between(0, 20) * 3,
                               aligned ? 16 : int64_t{1} << between(0, 5),
                               begin, between(begin + 1, 9)});
  }
  return problem;
}

/// Least peak of all: some order in which each buffer takes the lowest free
/// offset gives it (that of an optimum's offsets, pushed down).
int64_t bruteForcePeak(const AllocationProblem &problem) {
  std::vector<size_t> order(problem.buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  int64_t best = std::numeric_limits<int64_t>::max();
  do {
    std::vector<int64_t> offsets(order.size(), -1);
    int64_t peak = 0;
    for (size_t i : order) {
      const AllocationBuffer &buffer = problem.buffers[i];
      int64_t offset = 0;
      for (bool moved = true; moved;) {
        moved = false;
        for (size_t k = 0; k < order.size(); ++k) {
          const AllocationBuffer &other = problem.buffers[k];
          if (offsets[k] < 0 || other.end <= buffer.begin ||
              buffer.end <= other.begin ||
              offset + buffer.bytes <= offsets[k] ||
              offsets[k] + other.bytes <= offset)
            continue;
          offset = offsets[k] + other.bytes;
          while (offset % buffer.alignment != 0)
            ++offset;
          moved = true;
        }
      }
      offsets[i] = offset;
      peak = std::max(peak, offset + buffer.bytes);
    }
    best = std::min(best, peak);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Allocation, RandomAgainstBruteForce) {
  std::mt19937 random(5);
  int optimal = 0, proved = 0;
  constexpr int kProblems = 250;
  for (int i = 0; i < kProblems; ++i) {
    const AllocationProblem problem = randomProblem(random, 1 + i % 6);
    ASSERT_EQ(check(problem), "");
    const AllocationSolution solution = allocateGreedily(problem);
    ASSERT_EQ(verify(problem, solution), "");
    const int64_t least = bruteForcePeak(problem);
    ASSERT_LE(solution.lowerBound, least);
    ASSERT_LE(least, solution.peak);
    ASSERT_TRUE(!solution.proved || solution.peak == least);
    optimal += solution.peak == least;
    proved += solution.proved;
  }
  // Mixed alignments and odd sizes are hard on greedy orders.
  EXPECT_GT(optimal, kProblems * 2 / 3);
  EXPECT_GT(proved, kProblems / 2);
}

TEST(Allocation, LargeRandomProblemsAreValid) {
  std::mt19937 random(6);
  for (int i = 0; i < 100; ++i) {
    const AllocationProblem problem = randomProblem(random, 20 + i);
    const AllocationSolution solution = allocateGreedily(problem);
    ASSERT_EQ(verify(problem, solution), "");
    ASSERT_GE(solution.peak, solution.lowerBound);
    // Deterministic.
    ASSERT_EQ(allocateGreedily(problem).offsets, solution.offsets);
  }
}

TEST(Allocation, ProblemOfAProgram) {
  const network::Network network = network::yolov2First16();
  const auto program =
      network::expand(network, {{{0, 8, network::Schedule::grid(5, 5)},
                                 {8, 16, network::Schedule::grid(2, 2)}}});
  ASSERT_TRUE(program);
  const AllocationProblem problem = allocationProblem(network, *program, 64);
  ASSERT_EQ(problem.buffers.size(), program->buffers.size());
  EXPECT_EQ(problem.buffers[0].name, "input 'in0'");
  EXPECT_EQ(problem.buffers[0].bytes, 608 * 608 * 3 * 4);
  EXPECT_EQ(problem.buffers[1].name,
            "activation 'in0' rows [0, 131) columns [0, 131)");
  EXPECT_EQ(problem.buffers[1].alignment, 64);
  const AllocationSolution solution = allocateGreedily(problem);
  EXPECT_EQ(verify(problem, solution), "");
  EXPECT_LE(solution.peak, 15000000);
}

TEST(Allocation, WorkspaceIsNamedByItsStep) {
  network::Builder builder;
  const int x = builder.input(1, 1, 4, 4);
  builder.output(builder.convolution(x, 1, {3, 1, 1, 1, 1}));
  builder.workspacePerRow(8);
  const auto program = network::expand(builder.network(), {});
  const AllocationProblem problem =
      allocationProblem(builder.network(), *program, 64);
  EXPECT_EQ(problem.buffers.back().name, "workspace of 'conv2d0' in step 0");
  EXPECT_EQ(problem.buffers.back().bytes, 32);
}

} // namespace
} // namespace snug::planner
