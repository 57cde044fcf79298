// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expansion into steps: by hand, MAFAT's figures, and by running random stacks.
#include "snug/Network/Program.h"

#include "Network/Interpreter.h"
#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

namespace snug::network {
namespace {

TEST(Expand, UntiledByHand) {
  // input 2x4x4 (planar), conv to 3x4x4, pool 2x2 to 3x2x2 (planar output).
  Builder builder;
  int x = builder.input(1, 2, 4, 4);
  x = builder.convolution(x, 3, {3, 1, 1, 1, 1});
  builder.workspacePerRow(16);
  x = builder.maxPool(x, {2, 2, 1, 0, 0});
  builder.output(x);
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  // move, conv, pool, move.
  ASSERT_EQ(program->steps.size(), 4u);
  EXPECT_EQ(program->steps[0].op, -1);
  EXPECT_EQ(program->steps[1].op, 0);
  EXPECT_EQ(program->steps[1].padTop, 1);
  EXPECT_EQ(program->steps[1].padRight, 1);
  EXPECT_EQ(program->steps[1].group, -1);
  EXPECT_EQ(program->steps[2].op, 1);
  EXPECT_EQ(program->steps[2].padTop, 0);
  EXPECT_EQ(program->steps[3].op, -1);
  EXPECT_EQ(program->macs(), 3 * 16 * 18);
  // input, channels-last copy, result, workspace, pooled, output.
  ASSERT_EQ(program->buffers.size(), 6u);
  const int64_t bytes[] = {128, 128, 192, 64, 48, 48};
  const int64_t live[][2] = {{0, 1}, {0, 2}, {1, 3}, {1, 2}, {2, 4}, {3, 4}};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(program->buffers[i].bytes, bytes[i]) << i;
    EXPECT_EQ(program->buffers[i].liveBegin, live[i][0]) << i;
    EXPECT_EQ(program->buffers[i].liveEnd, live[i][1]) << i;
  }
  EXPECT_EQ(program->buffers[0].layout, Layout::Planar);
  EXPECT_EQ(program->buffers[1].layout, Layout::ChannelsLast);
  EXPECT_EQ(program->buffers[3].role, Buffer::Role::Workspace);
  EXPECT_EQ(program->buffers[5].role, Buffer::Role::Output);
  EXPECT_EQ(program->buffers[5].layout, Layout::Planar);
  // Live, unrounded: 256, 128 + 192 + 64, 192 + 48, 96.
  EXPECT_EQ(program->liveBytes(1), (std::vector<int64_t>{256, 384, 240, 96}));
  EXPECT_EQ(program->peakLiveBytes(1), 384);
  EXPECT_EQ(program->peakStep(1), 1);
  // Rounded to 64: 48 takes 64.
  EXPECT_EQ(program->liveBytes(64), (std::vector<int64_t>{256, 384, 256, 128}));
}

TEST(Expand, TilesByHand) {
  // conv 3x3 over 1x6x4, two tiles of 3 rows. One channel in and out: no moves.
  // Tile 0 reads rows [0, 4), tile 1 rows [2, 6).
  Builder builder;
  const int x = builder.input(1, 1, 6, 4);
  builder.output(builder.convolution(x, 1, {3, 1, 1, 1, 1}));
  const auto program =
      expand(builder.network(), {{{0, 1, Schedule::grid(2, 1)}}});
  ASSERT_TRUE(program);
  ASSERT_EQ(program->buffers.size(), 2u);
  ASSERT_EQ(program->steps.size(), 2u);
  const Step &first = program->steps[0], &second = program->steps[1];
  EXPECT_EQ(first.inputs[0].rows, (Interval{0, 4}));
  EXPECT_EQ(first.output.rows, (Interval{0, 3}));
  EXPECT_EQ(first.padTop, 1);
  EXPECT_EQ(first.padBottom, 0);
  EXPECT_EQ(first.tile, 0);
  EXPECT_EQ(first.group, 0);
  EXPECT_EQ(second.inputs[0].rows, (Interval{2, 6}));
  EXPECT_EQ(second.output.rows, (Interval{3, 6}));
  EXPECT_EQ(second.padTop, 0);
  EXPECT_EQ(second.padBottom, 1);
  EXPECT_EQ(second.padLeft, 1);
  EXPECT_EQ(second.tile, 1);
  EXPECT_EQ(first.macs + second.macs, builder.network().macs());
  EXPECT_EQ(program->buffers[0].layout, Layout::ChannelsLast);
}

TEST(Expand, InputTilesAndOutputTilesAreMoved) {
  Builder builder;
  const int x = builder.input(1, 2, 4, 4);
  builder.output(builder.convolution(x, 2, {3, 1, 1, 1, 1}));
  const auto program =
      expand(builder.network(), {{{0, 1, Schedule::grid(2, 2)}}});
  ASSERT_TRUE(program);
  // Four tiles of extract, convolve, move; 3 x 3 elements of 2 channels in.
  ASSERT_EQ(program->steps.size(), 12u);
  EXPECT_EQ(program->steps[3].op, -1);
  EXPECT_EQ(program->steps[3].tile, 1);
  EXPECT_EQ(program->steps[3].inputs[0].columns, (Interval{1, 4}));
  EXPECT_EQ(program->buffers[program->steps[3].output.buffer].bytes,
            3 * 3 * 2 * 4);
  EXPECT_EQ(program->steps[5].op, -1);
  EXPECT_EQ(program->steps[5].output.columns, (Interval{2, 4}));
  EXPECT_EQ(program->buffers[program->steps[5].output.buffer].role,
            Buffer::Role::Output);
}

TEST(Expand, KernelsOfTilesAreCountedInGridGroupsOnly) {
  Builder builder;
  const int x = builder.input(1, 1, 4, 4);
  builder.output(builder.leakyRelu(x));
  Network network = builder.network();
  network.ops[0].kernels = 3;
  network.ops[0].tileKernels = 2;
  EXPECT_EQ(expand(network, {})->kernels(), 3);
  EXPECT_EQ(expand(network, {{{0, 1, Schedule::whole()}}})->kernels(), 3);
  EXPECT_EQ(expand(network, {{{0, 1, Schedule::grid(2, 1)}}})->kernels(), 4);
}

TEST(Expand, OutputThatIsAlsoUsedMovesBehindItsLastReader) {
  Builder builder;
  const int x = builder.leakyRelu(builder.input(1, 2, 4, 4));
  builder.output(x);
  builder.output(builder.leakyRelu(x));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  // move in, relu, relu, move of the first, move of the second.
  ASSERT_EQ(program->steps.size(), 5u);
  EXPECT_EQ(program->steps[3].op, -1);
  EXPECT_EQ(program->buffers[program->steps[3].output.buffer].tensor, x);
}

TEST(Expand, UnusedInputLivesForOneStep) {
  Builder builder;
  const int unused = builder.input(1, 2, 4, 4);
  builder.output(builder.leakyRelu(builder.input(1, 1, 4, 4)));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->buffers[unused].liveBegin, 0);
  EXPECT_EQ(program->buffers[unused].liveEnd, 1);
}

TEST(Expand, ReusesByHand) {
  // x (2x3x3, planar) is moved to m; a = conv(m), b = relu(a), c = a + b,
  // d = c + c, planar y = d. b cannot take a, which is read again; c can take
  // either of a and b, d takes c once.
  Builder builder;
  const int x = builder.input(1, 2, 3, 3);
  const int a = builder.convolution(x, 2, {1, 1, 1, 0, 0});
  const int b = builder.leakyRelu(a);
  const int c = builder.add(a, b);
  builder.output(builder.add(c, c));
  const auto program = expand(builder.network(), {});
  ASSERT_TRUE(program);
  ASSERT_EQ(program->steps.size(), 6u); // move, conv, relu, add, add, move
  auto result = [&](int step) { return program->steps[step].output.buffer; };
  ASSERT_EQ(program->reuses.size(), 3u);
  const int expected[][3] = {{3, result(1), result(3)},
                             {3, result(2), result(3)},
                             {4, result(3), result(4)}};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(program->reuses[i].step, expected[i][0]) << i;
    EXPECT_EQ(program->reuses[i].input, expected[i][1]) << i;
    EXPECT_EQ(program->reuses[i].output, expected[i][2]) << i;
  }
  // 72 bytes each: two at a move or convolution, a and b, then a and b with c
  // in the place of one, then d in the place of c, then d and y.
  EXPECT_EQ(program->liveBytes(1),
            (std::vector<int64_t>{144, 144, 144, 144, 72, 144}));
  EXPECT_EQ(program->liveBuffers(3),
            (std::vector<int>{result(1), result(2), result(3)}));
}

TEST(Expand, NoReuseOfWhatIsReadInAnotherWay) {
  // y = x + x: in place while both operands may be, not where one may not.
  Builder builder;
  const int x = builder.input(1, 1, 3, 3);
  builder.output(builder.add(x, x));
  Network network = builder.network();
  auto program = expand(network, {});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->reuses.size(), 1u);
  network.ops[0].operands[0].inPlace = false;
  program = expand(network, {});
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->reuses.empty());
}

TEST(Expand, NoReuseOfPartsOrOtherOrders) {
  // Tiles write parts of a full buffer; a moved input has another order.
  Builder builder;
  const int x = builder.input(1, 1, 4, 4);
  builder.output(builder.leakyRelu(builder.convolution(x, 1, {})));
  const auto tiled =
      expand(builder.network(), {{{0, 2, Schedule::grid(2, 1)}}});
  ASSERT_TRUE(tiled);
  EXPECT_TRUE(tiled->reuses.empty());
  Builder planar;
  planar.output(planar.leakyRelu(planar.input(1, 2, 4, 4)));
  const auto moved = expand(planar.network(), {});
  ASSERT_TRUE(moved);
  // The channels-last copy is taken over, the input itself is not.
  ASSERT_EQ(moved->reuses.size(), 1u);
  EXPECT_EQ(moved->reuses[0].input, moved->steps[0].output.buffer);
}

TEST(Expand, Bad) {
  const Network network = yolov2First16();
  auto message = [&](const Partition &partition) {
    const auto program = expand(network, partition);
    return program ? "" : program.error().message;
  };
  EXPECT_NE(message({{{0, 4, {}}, {3, 5, {}}}}).find("groups overlap at op "),
            std::string::npos);
  EXPECT_NE(message({{{4, 5, {}}, {0, 2, {}}}}).find("groups overlap"),
            std::string::npos);
  EXPECT_NE(message({{{0, 99, {}}}}).find("outside the network"),
            std::string::npos);
  EXPECT_FALSE(expand({}, {}));
}

/// MAFAT's workload, figures of arXiv 2107.06960 and of our own calculator:
/// "peak activations" in MB, with the whole input and output, and the factor of
/// multiply-accumulates executed over those of the network.
struct Mafat {
  const char *groups;
  double megabytes, factor;
};

TEST(Expand, MafatsFigures) {
  const Network network = yolov2First16();
  const Mafat rows[] = {{"16:whole", 59.1, 1.000},
                        {"16:3x3", 22.7, 1.529},
                        {"16:5x5", 15.4, 2.196},
                        {"8:3x3,16:2x2", 15.1, 1.111},
                        {"8:5x5,16:2x2", 10.5, 1.137}};
  for (const Mafat &row : rows) {
    const auto groups = parseGroups(row.groups);
    ASSERT_TRUE(groups);
    const auto partition = partitionByLayers(network, *groups);
    ASSERT_TRUE(partition);
    const auto program = expand(network, *partition);
    ASSERT_TRUE(program);
    EXPECT_NEAR(static_cast<double>(program->peakLiveBytes(64)) / 1e6,
                row.megabytes, 0.05)
        << row.groups;
    EXPECT_NEAR(static_cast<double>(program->macs()) /
                    static_cast<double>(network.macs()),
                row.factor, 0.0006)
        << row.groups;
  }
}

/// Up to three groups of random ops and schedules that are legal.
Partition randomPartition(const Network &network, std::mt19937 &random) {
  auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  };
  Partition partition;
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  int64_t done = 0;
  for (int attempt = 0; attempt < 12 && done < ops; ++attempt) {
    const int64_t begin = between(0, 9) < 7 ? done : between(done, ops - 1);
    Group group{begin, between(begin + 1, ops),
                between(0, 5) == 0
                    ? Schedule::whole()
                    : Schedule::grid(between(1, 4), between(1, 4))};
    if (!checkGroup(network, group).empty())
      continue;
    partition.groups.push_back(group);
    done = group.opEnd;
  }
  return partition;
}

/// Every element of an op's result that lies in a full buffer is written:
/// exactly once where `once`, tiles then neither overlap nor leave gaps.
void expectCover(const Network &network, const Program &program, bool once) {
  std::vector<std::vector<int>> written(program.buffers.size());
  for (const Step &step : program.steps) {
    if (isReshaped(network, program, step.output))
      continue; // in other coordinates, and always whole
    const Buffer &buffer = program.buffers[step.output.buffer];
    std::vector<int> &cells = written[step.output.buffer];
    cells.resize(
        static_cast<size_t>(buffer.rows.size() * buffer.columns.size()));
    for (int64_t y = step.output.rows.begin; y < step.output.rows.end; ++y)
      for (int64_t x = step.output.columns.begin; x < step.output.columns.end;
           ++x)
        ++cells[(y - buffer.rows.begin) * buffer.columns.size() + x -
                buffer.columns.begin];
  }
  for (const std::vector<int> &cells : written)
    for (int count : cells)
      ASSERT_TRUE(once ? count == 1 : count >= 1);
}

TEST(Expand, RandomStacksRunBitForBitAsUntiled) {
  std::mt19937 random(11);
  int tiled = 0, severalGroups = 0, moves = 0;
  for (unsigned seed = 0; seed < 700; ++seed) {
    RandomOptions options;
    options.branches = seed % 2 == 0;
    const TestNetwork test = randomNetwork(seed, options);
    const Values inputs = randomInputs(test.network, seed);
    const Values expected = runReference(test, inputs);
    for (int i = 0; i < 4; ++i) {
      const Partition partition =
          i == 0 ? Partition{} : randomPartition(test.network, random);
      const auto program = expand(test.network, partition);
      ASSERT_TRUE(program) << program.error().message;
      ASSERT_NO_FATAL_FAILURE(
          expectCover(test.network, *program, !options.branches));
      const Execution run = runProgram(test, *program, inputs);
      ASSERT_EQ(run.error, "") << "seed " << seed;
      ASSERT_EQ(run.outputs, expected) << "seed " << seed;
      for (const Group &group : partition.groups)
        tiled += group.schedule.rows * group.schedule.columns > 1;
      severalGroups += partition.groups.size() > 1;
      for (const Step &step : program->steps)
        moves += step.op < 0 && step.tile >= 0;
      if (i == 0) {
        ASSERT_EQ(program->macs(), test.network.macs());
      }
    }
  }
  // The generator reaches what is to be tested.
  EXPECT_GT(tiled, 500);
  EXPECT_GT(severalGroups, 200);
  EXPECT_GT(moves, 500);
}

/// A view gives up a row or a column on either side: the step's output changes.
TEST(Expand, EveryViewIsNeeded) {
  int checked = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    RandomOptions options;
    options.maxOps = 3;
    options.maxExtent = 9;
    const TestNetwork test = randomNetwork(seed + 5000, options);
    const int64_t ops = static_cast<int64_t>(test.network.ops.size());
    const Group group{0, ops, Schedule::grid(2, 2)};
    if (!checkGroup(test.network, group).empty())
      continue;
    const auto program = expand(test.network, {{group}});
    ASSERT_TRUE(program);
    const Values inputs = randomInputs(test.network, seed);
    for (size_t i = 0; i < program->steps.size(); ++i) {
      const Step &step = program->steps[i];
      // What a maximum takes in need not show in what it gives out.
      if (step.op < 0 || test.network.ops[step.op].kind != "conv2d")
        continue;
      for (int side = 0; side < 4; ++side) {
        Program less = *program;
        Step &changed = less.steps[i];
        View &view = changed.inputs[0];
        Interval &interval = side < 2 ? view.rows : view.columns;
        if (interval.size() < 2)
          continue;
        // What the view gives up becomes padding of the call.
        if (side % 2 == 0) {
          ++interval.begin;
          ++(side < 2 ? changed.padTop : changed.padLeft);
        } else {
          --interval.end;
          ++(side < 2 ? changed.padBottom : changed.padRight);
        }
        // Compare what this step writes, before anything hides it.
        less.steps.resize(i + 1);
        Program upTo = *program;
        upTo.steps.resize(i + 1);
        for (Program *shortened : {&less, &upTo}) {
          shortened->reuses.clear();
          for (Buffer &buffer : shortened->buffers) {
            const int64_t end = static_cast<int64_t>(i) + 1;
            if (buffer.role == Buffer::Role::Output)
              buffer.role = Buffer::Role::Activation;
            buffer.liveBegin = std::min(buffer.liveBegin, end - 1);
            buffer.liveEnd = std::min(buffer.liveEnd, end);
          }
          Buffer &result = shortened->buffers[step.output.buffer];
          result.role = Buffer::Role::Output;
        }
        const Execution with = runProgram(test, upTo, inputs);
        const Execution without = runProgram(test, less, inputs);
        ASSERT_EQ(with.error, "");
        ASSERT_EQ(without.error, "");
        auto bits = [](const std::vector<float> &values) {
          std::vector<float> plain = values;
          for (float &value : plain) // poison is not equal to itself
            value = value == value ? value : 12345.0f;
          return plain;
        };
        const int tensor = less.buffers[step.output.buffer].tensor;
        ASSERT_NE(bits(with.outputs.at(tensor)),
                  bits(without.outputs.at(tensor)))
            << "seed " << seed << " step " << i << " side " << side;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 200);
}

} // namespace
} // namespace snug::network
