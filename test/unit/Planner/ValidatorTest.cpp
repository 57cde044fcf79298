// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The validator catches every kind of broken assignment and names the buffers.
#include "snug/Planner/Allocation.h"

#include <gtest/gtest.h>

#include <limits>

namespace snug::planner {
namespace {

/// a and b live together, c behind a.
class Validator : public ::testing::Test {
protected:
  AllocationProblem problem{
      {{"a", 100, 64, 0, 2}, {"b", 64, 64, 1, 3}, {"c", 128, 64, 2, 4}}};
  AllocationSolution solution{{0, 128, 0}, 192, 192, true};

  void expectBroken(const std::string &part) const {
    const std::string why = verify(problem, solution);
    EXPECT_NE(why.find(part), std::string::npos) << why;
  }
};

TEST_F(Validator, Good) {
  EXPECT_EQ(verify(problem, solution), "");
  solution.peak = 256; // more than needed is no mistake
  solution.proved = false;
  EXPECT_EQ(verify(problem, solution), "");
}

TEST_F(Validator, Overlap) {
  solution.offsets = {0, 64, 128};
  solution.peak = 256;
  solution.proved = false;
  expectBroken("buffers 'a' at [0, 100) and 'b' at [64, 128) overlap and both "
               "live at 1");
}

TEST_F(Validator, OverlapOfEqualLives) {
  problem.buffers = {{"a", 8, 1, 0, 1}, {"b", 8, 1, 0, 1}};
  solution = {{0, 7}, 15, 0, false};
  expectBroken("'a' at [0, 8) and 'b' at [7, 15) overlap");
  solution = {{0, 8}, 16, 16, true};
  EXPECT_EQ(verify(problem, solution), "");
}

TEST_F(Validator, Lifetime) {
  // The same offsets are right while a ends at 2, and wrong once it ends at 3.
  problem.buffers[0].end = 3;
  expectBroken("buffers 'a' at [0, 100) and 'c' at [0, 128) overlap and both "
               "live at 2");
  problem.buffers[0].end = 0;
  expectBroken("buffer 'a' has a negative size or an empty lifetime");
}

TEST_F(Validator, Alignment) {
  solution.offsets[1] = 100;
  expectBroken("buffer 'b' at offset 100 is not aligned to 64 bytes");
  problem.buffers[1].alignment = 0;
  expectBroken("buffer 'b' at offset 100 is not aligned to 0 bytes");
}

TEST_F(Validator, Bound) {
  solution.offsets[1] = 192;
  expectBroken("buffer 'b' of 64 bytes at offset 192 ends beyond the peak of "
               "192");
  solution.offsets[1] = std::numeric_limits<int64_t>::max() - 63;
  expectBroken("ends beyond the peak");
}

TEST_F(Validator, Count) {
  solution.offsets.pop_back();
  expectBroken("there are 3 buffers, but 2 offsets");
}

TEST_F(Validator, MissingOffset) {
  solution.offsets[2] = -1;
  expectBroken("buffer 'c' has no offset");
}

TEST_F(Validator, LowerBound) {
  solution.lowerBound = 193;
  expectBroken("the peak of 192 bytes is below the stated lower bound of 193");
  solution.lowerBound = 191;
  expectBroken("is said to be proved, but the lower bound is 191");
}

TEST_F(Validator, FixedOffset) {
  problem.buffers[1].fixedOffset = 128;
  EXPECT_EQ(verify(problem, solution), "");
  problem.buffers[1].fixedOffset = 192;
  expectBroken("buffer 'b' at offset 128 is fixed at offset 192");
}

TEST_F(Validator, Status) {
  solution.status = AllocationStatus::Optimal;
  EXPECT_EQ(verify(problem, solution), "");
  solution.proved = false;
  expectBroken("the peak of 192 bytes is said to be the least, but is not "
               "proved");
  solution.status = AllocationStatus::Infeasible;
  expectBroken("said to be too small, but no buffers are to blame");
  solution.conflict = {0, 3};
  expectBroken("buffer 3 is to blame, but there are 3");
}

/// b is made out of a, in step 1, and may take its bytes.
class SharedBytes : public Validator {
protected:
  void share(int64_t distance, bool exact) {
    problem = {{{"a", 100, 1, 0, 2}, {"b", 80, 1, 1, 3}, {"c", 10, 1, 1, 2}}};
    problem.overlaps = {{0, 1, distance, exact}};
    solution = {{0, 0, 200}, 210, 0, false};
  }
};

TEST_F(SharedBytes, InPlace) {
  share(0, /*exact=*/true);
  EXPECT_EQ(verify(problem, solution), "");
  solution.offsets[0] = 8;
  expectBroken("buffers 'a' at [8, 108) and 'b' at [0, 80) overlap and both "
               "live at 1");
  solution.offsets[0] = 80; // disjoint
  EXPECT_EQ(verify(problem, solution), "");
}

TEST_F(SharedBytes, Distance) {
  share(16, /*exact=*/false);
  expectBroken("'a' at [0, 100) and 'b' at [0, 80) overlap");
  solution.offsets[0] = 15;
  expectBroken("'a' at [15, 115) and 'b' at [0, 80) overlap");
  solution.offsets[0] = 16;
  EXPECT_EQ(verify(problem, solution), "");
  share(-16, /*exact=*/false);
  solution.offsets[1] = 16;
  EXPECT_EQ(verify(problem, solution), "");
  solution.offsets[1] = 17;
  expectBroken("'a' at [0, 100) and 'b' at [17, 97) overlap");
}

TEST_F(SharedBytes, OthersHaveNoLeave) {
  share(0, /*exact=*/true);
  solution.offsets[2] = 70;
  expectBroken("buffers 'a' at [0, 100) and 'c' at [70, 80) overlap");
  solution.offsets[0] = 80;
  expectBroken("buffers 'b' at [0, 80) and 'c' at [70, 80) overlap");
}

TEST_F(SharedBytes, OnlyInOneStep) {
  // With a read for one step more, b is written before a is read.
  share(0, /*exact=*/true);
  problem.buffers[0].end = 3;
  expectBroken("'a' at [0, 100) and 'b' at [0, 80) overlap");
}

TEST_F(Validator, Pages) {
  problem.buffers = {{"a", 100, 1, 0, 1}, {"b", 64, 1, 5, 6}};
  problem.separations = {{0, 1}};
  solution = {{0, 4096}, 4160, 0, false};
  EXPECT_EQ(verify(problem, solution), "");
  solution.offsets = {0, 4095};
  expectBroken("buffers 'a' at [0, 100) and 'b' at [4095, 4159) share a page "
               "of 4096 bytes and must not");
  solution.offsets = {4000, 0};
  expectBroken("share a page");
  problem.pageBytes = 16;
  EXPECT_EQ(verify(problem, solution), "");
}

TEST_F(Validator, EmptyBuffersOverlapNothing) {
  problem.buffers.push_back({"none", 0, 64, 0, 4});
  solution.offsets.push_back(64);
  EXPECT_EQ(verify(problem, solution), "");
}

} // namespace
} // namespace snug::planner
