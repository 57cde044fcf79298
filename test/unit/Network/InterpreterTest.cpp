// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The slow executors that other tests rely on, and that they notice mistakes.
#include "Network/Interpreter.h"

#include <gtest/gtest.h>

namespace snug::network {
namespace {

TEST(Interpreter, ReferenceByHand) {
  // 2 x 3 input 1..6 in one channel, 1x2 window [10, 1], pad 1 on the left:
  // bias 100, less it: row 0: 0*10 + 1, 1*10 + 2, 2*10 + 3; row 1: 4, 45, 56.
  // Maximum over the 2 rows: 4, 45, 56.
  Builder builder;
  int x = builder.input(1, 1, 2, 3);
  x = builder.convolution(x, 1, {1, 1, 1, 0, 0}, {2, 1, 1, 1, 0});
  x = builder.maxPool(x, {2, 1, 1, 0, 0}, {1, 1, 1, 0, 0});
  builder.output(x);
  TestNetwork test = builder.build();
  test.kernels[0].weights = {10, 1};
  test.kernels[0].bias = {100};
  const Values inputs{{0, {1, 2, 3, 4, 5, 6}}};
  EXPECT_EQ(runReference(test, inputs).at(x),
            (std::vector<float>{104, 145, 156}));
}

TEST(Interpreter, FlattenIsPlanar) {
  // Channels first, then rows and columns: the input as it is given.
  Builder builder;
  const int x = builder.input(1, 2, 1, 3);
  const int flat = builder.flatten(x);
  builder.output(flat);
  const TestNetwork test = builder.build();
  const Values inputs{{0, {1, 2, 3, 4, 5, 6}}};
  EXPECT_EQ(runReference(test, inputs).at(flat), inputs.at(0));
  const Result<Program> program = expand(test.network, {});
  const Execution run = runProgram(test, *program, inputs);
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.outputs.at(flat), inputs.at(0));
}

class BrokenPrograms : public ::testing::Test {
protected:
  void SetUp() override {
    Builder builder;
    int x = builder.input(1, 2, 8, 8);
    x = builder.convolution(x, 2, {3, 1, 1, 1, 1});
    x = builder.convolution(x, 2, {3, 1, 1, 1, 1});
    builder.output(x);
    test = builder.build();
    program = *expand(test.network, {{{0, 2, Schedule::grid(2, 2)}}});
    inputs = randomInputs(test.network, 3);
  }
  /// The first step of op 1: its input is a tile's buffer.
  Step &step() {
    for (Step &step : program.steps)
      if (step.op == 1)
        return step;
    return program.steps.front();
  }
  bool right() const {
    const Execution run = runProgram(test, program, inputs);
    return run.error.empty() && run.outputs == runReference(test, inputs);
  }
  TestNetwork test;
  Program program;
  Values inputs;
};

TEST_F(BrokenPrograms, RightAsTheyAre) { EXPECT_TRUE(right()); }

TEST_F(BrokenPrograms, TooSmallAView) {
  step().inputs[0].rows.end -= 1;
  EXPECT_FALSE(right());
}

TEST_F(BrokenPrograms, WrongPad) {
  step().padTop -= 1;
  EXPECT_FALSE(right());
}

TEST_F(BrokenPrograms, ViewLeavesBuffer) {
  step().inputs[0].columns.end += 1;
  EXPECT_FALSE(right());
}

TEST_F(BrokenPrograms, LifeTooShort) {
  program.buffers[step().inputs[0].buffer].liveEnd -= 1;
  EXPECT_FALSE(right());
}

TEST_F(BrokenPrograms, StepMissing) {
  program.steps.pop_back();
  EXPECT_FALSE(right());
}

} // namespace
} // namespace snug::network
