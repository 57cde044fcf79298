// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Moves, paddings and rearrangements: bit by bit what plain loops copy.
#include "kernels_support.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace snug {
namespace runtime {
namespace test {
namespace {

class MoveTest : public KernelTest {};

TEST_P(MoveTest, AllLayouts) {
  Random random(16);
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
    const Extents extents = randomExtents(random);
    const bool fromFirst = random.oneIn(2), toFirst = random.oneIn(2);
    Tensor input = fromFirst
                       ? Tensor::channelsFirst(extents, alternate(i))
                       : Tensor(extents, randomGaps(random), alternate(i));
    input.fill(random);
    const Gaps gaps = randomGaps(random);
    for (int threads = 1; threads <= 3; ++threads) {
      Tensor output = toFirst ? Tensor::channelsFirst(extents, alternate(i))
                              : Tensor(extents, gaps, alternate(i));
      EXPECT_EQ(kernels().move(input.view, output.view, poolOf(threads)), 0u);
      ASSERT_TRUE(matches(output, 0, [&](int n, int y, int x, int c) {
        return Expected{input.at(n, y, x, c), 0};
      })) << i;
    }
  }
}

/// A tile cut out of a channels-first picture and put back.
TEST_P(MoveTest, Tiles) {
  Random random(17);
  for (int channels : {1, 3, 20, 40}) {
    Tensor picture = Tensor::channelsFirst({1, 30, 37, channels}, Guard::AtEnd);
    picture.fill(random);
    Tensor tile({1, 9, 18, channels}, {}, Guard::AtEnd);
    TensorView part = picture.view;
    part.height = 9;
    part.width = 18;
    part.data = &picture.at(0, 21, 19, 0);
    kernels().move(part, tile.view, poolOf(2));
    ASSERT_TRUE(matches(tile, 0, [&](int, int y, int x, int c) {
      return Expected{picture.at(0, y + 21, x + 19, c), 0};
    }));
    Tensor copy = Tensor::channelsFirst({1, 30, 37, channels}, Guard::AtEnd);
    TensorView copyPart = part;
    copyPart.data = &copy.at(0, 21, 19, 0);
    kernels().move(tile.view, copyPart, poolOf(2));
    for (int y = 0; y < 30; ++y)
      for (int x = 0; x < 37; ++x)
        for (int c = 0; c < channels; ++c) {
          const bool inside = y >= 21 && x >= 19;
          if (inside)
            ASSERT_EQ(copy.at(0, y, x, c), picture.at(0, y, x, c));
          else
            ASSERT_TRUE(std::isnan(copy.at(0, y, x, c)));
        }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, MoveTest, ::testing::ValuesIn(testedTables()),
                         tableName);

class PadTest : public KernelTest {};

TEST_P(PadTest, AllModes) {
  Random random(18);
  for (int i = 0; i < 120 && !HasFatalFailure(); ++i) {
    const Extents in = randomExtents(random);
    PadShape s;
    s.mode = static_cast<PadMode>(i % 3);
    s.value = 0.25f;
    const bool reflect = s.mode == PadMode::Reflect;
    const auto most = [&](int extent) {
      return reflect ? std::min(extent - 1, 5) : 5;
    };
    s.top = random.between(0, most(in.height));
    s.bottom = random.between(0, most(in.height));
    s.left = random.between(0, most(in.width));
    s.right = random.between(0, most(in.width));
    const bool channels = random.oneIn(3);
    s.front = channels ? random.between(0, most(in.channels)) : 0;
    s.back = channels ? random.between(0, most(in.channels)) : 0;
    Tensor input(in, randomGaps(random), alternate(i));
    input.fill(random);
    const Extents out = {in.batch, in.height + s.top + s.bottom,
                         in.width + s.left + s.right,
                         in.channels + s.front + s.back};
    Tensor output = runWithThreads(
        out, randomGaps(random), alternate(i), [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().pad(s, input.view, o.view, p), 0u);
        });
    const auto source = [&](int position, int extent) {
      if (position >= 0 && position < extent)
        return position;
      if (s.mode == PadMode::Constant)
        return -1;
      if (s.mode == PadMode::Edge)
        return position < 0 ? 0 : extent - 1;
      return position < 0 ? -position : 2 * extent - 2 - position;
    };
    ASSERT_TRUE(matches(output, 0, [&](int n, int y, int x, int c) {
      const int iy = source(y - s.top, in.height);
      const int ix = source(x - s.left, in.width);
      const int ic = source(c - s.front, in.channels);
      return Expected{
          iy < 0 || ix < 0 || ic < 0 ? s.value : input.at(n, iy, ix, ic), 0};
    })) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, PadTest, ::testing::ValuesIn(testedTables()),
                         tableName);

class RearrangeTest : public KernelTest {};

/// Runs a pattern from a buffer into another and compares each element.
void checkPattern(const KernelTable &kernels, const RearrangeShape &s,
                  Guard guard) {
  int64_t lowest[2] = {0, 0}, highest[2] = {0, 0}, elements = 1;
  for (int i = 0; i < s.loops; ++i) {
    elements *= s.extents[i];
    for (int side = 0; side < 2; ++side) {
      const int64_t reach =
          (side ? s.outputStrides : s.inputStrides)[i] * (s.extents[i] - 1);
      (reach < 0 ? lowest : highest)[side] += reach;
    }
  }
  GuardedBuffer input(highest[0] - lowest[0] + 1, guard);
  for (int64_t i = 0; i < input.size(); ++i)
    input.data()[i] = float(i);
  for (int threads = 1; threads <= 3; ++threads) {
    GuardedBuffer output(highest[1] - lowest[1] + 1, guard);
    std::vector<float> expected(output.data(), output.data() + output.size());
    for (int64_t index = 0; index < elements; ++index) {
      int64_t rest = index, from = -lowest[0], to = -lowest[1];
      for (int i = s.loops - 1; i >= 0; --i) {
        from += rest % s.extents[i] * s.inputStrides[i];
        to += rest % s.extents[i] * s.outputStrides[i];
        rest /= s.extents[i];
      }
      expected[size_t(to)] = input.data()[from];
    }
    EXPECT_EQ(kernels.rearrange(s, input.data() - lowest[0],
                                output.data() - lowest[1], poolOf(threads)),
              0u);
    ASSERT_EQ(std::memcmp(expected.data(), output.data(),
                          expected.size() * sizeof(float)),
              0);
  }
}

RearrangeShape pattern(std::vector<int> extents, std::vector<int64_t> input,
                       std::vector<int64_t> output) {
  RearrangeShape s = {};
  s.loops = int(extents.size());
  for (size_t i = 0; i < extents.size(); ++i) {
    s.extents[i] = extents[i];
    s.inputStrides[i] = input[i];
    s.outputStrides[i] = output[i];
  }
  return s;
}

/// The strides of a dense tensor.
std::vector<int64_t> dense(const std::vector<int> &extents) {
  std::vector<int64_t> strides(extents.size());
  int64_t span = 1;
  for (size_t i = extents.size(); i-- > 0; span *= extents[i])
    strides[i] = span;
  return strides;
}

/// Transposes of up to eight axes with gaps, reversals and repetitions.
TEST_P(RearrangeTest, RandomPatterns) {
  Random random(19);
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
    const int rank = random.between(1, 8);
    std::vector<int> extents, order;
    for (int axis = 0; axis < rank; ++axis) {
      extents.push_back(random.pick(rank < 4 ? std::vector<int>{1, 2, 9, 17, 33}
                                             : std::vector<int>{1, 2, 3, 5}));
      order.insert(order.begin() + random.between(0, axis), axis);
    }
    const auto strides = [&](bool input) {
      std::vector<int64_t> result(static_cast<size_t>(rank));
      int64_t span = input && random.oneIn(3) ? 2 : 1;
      for (int k = rank - 1; k >= 0; --k) {
        const size_t axis = size_t(input ? order[size_t(k)] : k);
        result[axis] = random.oneIn(8) ? -span : span;
        if (input && random.oneIn(10))
          result[axis] = 0;
        span = span * extents[axis] + (random.oneIn(4) ? 3 : 0);
      }
      return result;
    };
    const auto from = strides(true), to = strides(false);
    checkPattern(kernels(), pattern(extents, from, to), alternate(i));
  }
}

/// What networks have: shuffles, squares of pixels into channels and back,
/// transposes of matrices, steps, reversals, parts of a concatenation.
TEST_P(RearrangeTest, KnownPatterns) {
  for (int channels : {2, 6, 16, 30, 58, 116})
    for (int groups : {2, channels / 2}) {
      // out[k * groups + g] = in[g * (channels / groups) + k]
      const int each = channels / groups;
      checkPattern(kernels(),
                   pattern({35, each, groups}, {channels, 1, each},
                           {channels, groups, 1}),
                   Guard::AtEnd);
    }
  for (int block : {2, 3})
    for (int channels : {1, 3, 8}) {
      const int w = 7, h = 5, all = channels * block * block;
      // Rows, block rows, columns, block columns, channels; both modes.
      const std::vector<int> extents = {h, block, w, block, channels};
      checkPattern(kernels(),
                   pattern(extents,
                           {w * all, block * channels, all, channels, 1},
                           dense(extents)),
                   Guard::AtEnd);
      checkPattern(kernels(),
                   pattern(extents,
                           {w * all, block, all, 1, int64_t(block) * block},
                           dense(extents)),
                   Guard::AtStart);
      checkPattern(kernels(),
                   pattern(extents, dense(extents),
                           {w * all, block * channels, all, channels, 1}),
                   Guard::AtEnd);
    }
  for (int rows : {1, 7, 8, 64, 65})
    for (int columns : {1, 8, 50, 129})
      checkPattern(kernels(),
                   pattern({2, rows, columns}, {rows * columns, 1, rows},
                           {rows * columns, columns, 1}),
                   Guard::AtEnd);
  checkPattern(kernels(), pattern({100}, {2}, {1}), Guard::AtEnd);
  checkPattern(kernels(), pattern({100}, {-1}, {1}), Guard::AtEnd);
  checkPattern(kernels(), pattern({9, 100}, {0, 3}, {100, 1}), Guard::AtEnd);
  checkPattern(kernels(), pattern({40, 60}, {60, 1}, {100, 1}), Guard::AtStart);
  checkPattern(kernels(), pattern({300, 300}, {300, 1}, {300, 1}),
               Guard::AtEnd);
}

INSTANTIATE_TEST_SUITE_P(Targets, RearrangeTest,
                         ::testing::ValuesIn(testedTables()), tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
