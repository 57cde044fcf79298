// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Intervals, axis maps, splitting, checked arithmetic.
#include "snug/Network/Geometry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

namespace snug::network {

static void PrintTo(const Interval &interval, std::ostream *stream) {
  *stream << "[" << interval.begin << ", " << interval.end << ")";
}

namespace {

TEST(Interval, HullAndContains) {
  EXPECT_EQ((Interval{2, 5}.hull({7, 9})), (Interval{2, 9}));
  // Empty ones contribute nothing, wherever they lie.
  EXPECT_EQ((Interval{2, 5}.hull({9, 9})), (Interval{2, 5}));
  EXPECT_EQ((Interval{0, 0}.hull({7, 9})), (Interval{7, 9}));
  EXPECT_TRUE((Interval{2, 5}.contains({2, 5})));
  EXPECT_FALSE((Interval{2, 5}.contains({4, 6})));
  EXPECT_TRUE((Interval{2, 5}.contains({9, 9})));
  EXPECT_EQ((Interval{2, 5}.size()), 3);
}

void expectNeeded(const AxisMap &map, Interval output, int64_t inputExtent,
                  Interval interval, int64_t padLow, int64_t padHigh) {
  const Needed needed = map.needed(output, inputExtent);
  EXPECT_EQ(needed.interval, interval);
  EXPECT_EQ(needed.padLow, padLow);
  EXPECT_EQ(needed.padHigh, padHigh);
}

TEST(AxisMap, SameConvolution) {
  // 3 taps, pads 1 and 1, over 10. Output i reads [i - 1, i + 2).
  const AxisMap map = AxisMap::window(3, 1, 1, 1, 1);
  EXPECT_EQ(map.outputExtent(10), 10);
  expectNeeded(map, {0, 10}, 10, {0, 10}, 1, 1);
  expectNeeded(map, {0, 5}, 10, {0, 6}, 1, 0);   // [-1, 6)
  expectNeeded(map, {5, 10}, 10, {4, 10}, 0, 1); // [4, 11)
  expectNeeded(map, {3, 4}, 10, {2, 5}, 0, 0);
}

TEST(AxisMap, StrideTwo) {
  // 3 taps every 2, pads 1 and 0, over 8: outputs (8 + 1 - 3) / 2 + 1 = 4.
  // Output i reads [2i - 1, 2i + 2); nothing reads behind element 7.
  const AxisMap map = AxisMap::window(3, 2, 1, 1, 0);
  EXPECT_EQ(map.outputExtent(8), 4);
  expectNeeded(map, {0, 4}, 8, {0, 8}, 1, 0);
  expectNeeded(map, {1, 3}, 8, {1, 6}, 0, 0);
  // Over 9 the last element has no window: (9 + 1 - 3) / 2 + 1 = 4 still.
  EXPECT_EQ(map.outputExtent(9), 4);
  expectNeeded(map, {0, 4}, 9, {0, 8}, 1, 0);
}

TEST(AxisMap, AsymmetricPads) {
  // 4 taps, pads 0 and 3, over 6: 6 outputs; output i reads [i, i + 4).
  const AxisMap map = AxisMap::window(4, 1, 1, 0, 3);
  EXPECT_EQ(map.outputExtent(6), 6);
  expectNeeded(map, {0, 3}, 6, {0, 6}, 0, 0);
  expectNeeded(map, {3, 6}, 6, {3, 6}, 0, 3); // [3, 9)
}

TEST(AxisMap, Dilation) {
  // 3 taps 2 apart: extent 5, pads 2 and 2. Output i reads i-2, i, i+2.
  const AxisMap map = AxisMap::window(3, 1, 2, 2, 2);
  EXPECT_EQ(map.extent(), 5);
  EXPECT_EQ(map.outputExtent(7), 7);
  expectNeeded(map, {2, 4}, 7, {0, 6}, 0, 0);
  // Output 0 alone reads -2, 0, 2: the window [-2, 3) clipped is exact.
  expectNeeded(map, {0, 1}, 7, {0, 3}, 2, 0);
  // Output 1 alone reads -1, 1, 3. The clipped window [0, 4) would begin at
  // element 0, which no tap reads; so the interval begins at 1, 2 behind the
  // window's begin.
  expectNeeded(map, {1, 2}, 7, {1, 4}, 2, 0);
  // Output 5 reads 3, 5, 7: ends behind 5, 2 before the window's end at 8.
  expectNeeded(map, {5, 6}, 7, {3, 6}, 0, 2);
}

TEST(AxisMap, StrideAboveKernel) {
  // 2 taps every 5, pad 1 below, over 10: (10 + 1 - 2) / 5 + 1 = 2 outputs;
  // they read -1, 0 and 4, 5. Elements 6 to 9 are never read.
  const AxisMap map = AxisMap::window(2, 5, 1, 1, 0);
  EXPECT_EQ(map.outputExtent(10), 2);
  expectNeeded(map, {0, 2}, 10, {0, 6}, 1, 0);
  expectNeeded(map, {1, 2}, 10, {4, 6}, 0, 0);
  // 1 tap every 3 with pad 1: outputs read -1, 2, 5. The first two need only
  // element 2, 3 behind the begin of their windows.
  expectNeeded(AxisMap::window(1, 3, 1, 1, 0), {0, 2}, 6, {2, 3}, 3, 0);
}

TEST(AxisMap, OnlyPadding) {
  // 2 taps, pads 3 and 3, over 2: output 0 reads -3, -2; output 7 - 1 = 6
  // reads 3, 4. All of the window's 2 elements are padding.
  const AxisMap map = AxisMap::window(2, 1, 1, 3, 3);
  EXPECT_EQ(map.outputExtent(2), 7);
  expectNeeded(map, {0, 1}, 2, {0, 0}, 2, 0);
  expectNeeded(map, {6, 7}, 2, {2, 2}, 2, 0);
  // 2 taps 4 apart around a single element: one on either side.
  expectNeeded(AxisMap::window(2, 1, 4, 2, 2), {0, 1}, 1, {0, 0}, 5, 0);
}

TEST(AxisMap, WholeIdentityAndScale) {
  expectNeeded(AxisMap::wholeInput(), {0, 1}, 9, {0, 9}, 0, 0);
  expectNeeded(AxisMap::identity(), {3, 5}, 9, {3, 5}, 0, 0);
  EXPECT_EQ(AxisMap::identity().outputExtent(9), 9);
  // Nearest-neighbour upsampling by 2: outputs 3, 4, 5 read elements 1, 2, 2.
  const AxisMap twice =
      AxisMap::resample(ResampleMode::Nearest, NearestRounding::Floor, 0.5, 0);
  expectNeeded(twice, {3, 6}, 4, {1, 3}, 0, 0);
}

TEST(AxisMap, Crop) {
  // Elements 2, 3, 4 of 9; elements 1, 4, 7 of 9.
  const AxisMap crop = AxisMap::crop(2, 3, 9);
  EXPECT_EQ(crop.outputExtent(9), 3);
  expectNeeded(crop, {1, 3}, 9, {3, 5}, 0, 0);
  const AxisMap strided = AxisMap::crop(1, 3, 9, 3);
  EXPECT_EQ(strided.outputExtent(9), 3);
  expectNeeded(strided, {1, 3}, 9, {4, 8}, 0, 0);
}

TEST(AxisMap, TransposedWindowByHand) {
  // 3 taps, stride 2, 1 off the low end, over 4 inputs: (4 - 1) * 2 + 3 - 1 = 8
  // outputs. Output o is reached from i where o + 1 = 2 * i + tap: output 0
  // from input 0 (tap 1), output 1 from inputs 0 and 1, output 2 from input 1.
  const AxisMap map = AxisMap::transposedWindow(3, 2, 1, 1, 0);
  EXPECT_EQ(map.outputExtent(4), 8);
  // Whole: inputs spread over 9 outputs, the first of which is cut off.
  expectNeeded(map, {0, 8}, 4, {0, 4}, 1, 0);
  // Outputs [2, 4): inputs 1 and 2 spread over [1, 6).
  expectNeeded(map, {2, 4}, 4, {1, 3}, 1, 2);
  // A stride above the window: output 2 is reached by nobody, output 3 begins
  // what input 1 spreads.
  const AxisMap sparse = AxisMap::transposedWindow(2, 3, 1, 0, 0);
  EXPECT_EQ(sparse.outputExtent(2), 5);
  EXPECT_TRUE(sparse.needed({2, 3}, 2).interval.empty());
  expectNeeded(sparse, {2, 4}, 2, {1, 2}, -1, 1);
  EXPECT_EQ(AxisMap::transposedWindow(3, 2, 1, 4, 5).outputExtent(4),
            std::nullopt);
}

TEST(AxisMap, ResampleByHand) {
  using Mode = ResampleMode;
  using Rounding = NearestRounding;
  // Half-pixel linear upsampling by 2 over 3: positions -0.25 (clamped to 0),
  // 0.25, 0.75, 1.25, 1.75, 2.25 (clamped to 2).
  const AxisMap linear =
      AxisMap::resample(Mode::Linear, Rounding::PreferFloor, 0.5, -0.25);
  expectNeeded(linear, {0, 1}, 3, {0, 1}, 0, 0);
  expectNeeded(linear, {1, 3}, 3, {0, 2}, 0, 0);
  expectNeeded(linear, {5, 6}, 3, {2, 3}, 0, 0);
  // Every third element, and the one between two of them.
  expectNeeded(AxisMap::resample(Mode::Linear, Rounding::PreferFloor, 1.5, 0),
               {2, 4}, 9, {3, 6}, 0, 0);
  // Position 1.5.
  const std::pair<Rounding, int64_t> halves[] = {{Rounding::PreferFloor, 1},
                                                 {Rounding::PreferCeil, 2},
                                                 {Rounding::Floor, 1},
                                                 {Rounding::Ceil, 2}};
  for (const auto &[rounding, at] : halves)
    expectNeeded(AxisMap::resample(Mode::Nearest, rounding, 1, 0.5), {1, 2}, 9,
                 {at, at + 1}, 0, 0);
  // One output of align_corners: everything at position 0.
  expectNeeded(AxisMap::resample(Mode::Linear, Rounding::Floor, 0, 0), {0, 1},
               9, {0, 1}, 0, 0);
}

TEST(AxisMap, WindowThatDoesNotFit) {
  EXPECT_EQ(AxisMap::window(5, 1, 1, 1, 0).outputExtent(3), std::nullopt);
  EXPECT_EQ(AxisMap::window(5, 1, 1, 1, 1).outputExtent(3), 1);
}

/// The elements that taps read, one by one.
std::set<int64_t> tapsInside(const AxisMap &map, Interval output,
                             int64_t inputExtent) {
  std::set<int64_t> taps;
  for (int64_t i = output.begin; i < output.end; ++i)
    for (int64_t tap = 0; tap < map.extent(); tap += map.dilation) {
      const int64_t at = i * map.stride - map.padLow + tap;
      if (at >= 0 && at < inputExtent)
        taps.insert(at);
    }
  return taps;
}

TEST(AxisMap, NeededIsTheHullOfTaps) {
  std::mt19937 random(7);
  auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  };
  int checked = 0;
  while (checked < 20000) {
    const AxisMap map =
        AxisMap::window(between(1, 5), between(1, 6), between(1, 4),
                        between(0, 5), between(0, 5));
    const int64_t extent = between(1, 20);
    const std::optional<int64_t> outputs = map.outputExtent(extent);
    if (!outputs)
      continue;
    const int64_t begin = between(0, *outputs - 1);
    const Interval output{begin, between(begin + 1, *outputs)};
    const Needed needed = map.needed(output, extent);
    const std::set<int64_t> taps = tapsInside(map, output, extent);
    ASSERT_EQ(needed.interval.empty(), taps.empty());
    if (!taps.empty()) {
      ASSERT_EQ(needed.interval.begin, *taps.begin());
      ASSERT_EQ(needed.interval.end, *taps.rbegin() + 1);
    }
    // Pads and interval together are the extent of all windows.
    ASSERT_GE(needed.padLow, 0);
    ASSERT_GE(needed.padHigh, 0);
    ASSERT_EQ(needed.padLow + needed.interval.size() + needed.padHigh,
              (output.size() - 1) * map.stride + map.extent());
    ++checked;
  }
}

/// The inputs that reach one of the outputs, tap by tap.
std::set<int64_t> inputsThatReach(const AxisMap &map, Interval output,
                                  int64_t inputExtent) {
  std::set<int64_t> inputs;
  for (int64_t i = 0; i < inputExtent; ++i)
    for (int64_t tap = 0; tap < map.taps; ++tap)
      if (const int64_t o = i * map.stride + tap * map.dilation - map.padLow;
          o >= output.begin && o < output.end)
        inputs.insert(i);
  return inputs;
}

TEST(AxisMap, TransposedNeededIsTheHullOfInputsThatReach) {
  std::mt19937 random(8);
  auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  };
  int checked = 0, negative = 0;
  while (checked < 20000) {
    const AxisMap map =
        AxisMap::transposedWindow(between(1, 5), between(1, 5), between(1, 4),
                                  between(-1, 4), between(-4, 4));
    const int64_t extent = between(1, 12);
    const std::optional<int64_t> outputs = map.outputExtent(extent);
    if (!outputs)
      continue;
    const int64_t begin = between(0, *outputs - 1);
    const Interval output{begin, between(begin + 1, *outputs)};
    const Needed needed = map.needed(output, extent);
    const std::set<int64_t> inputs = inputsThatReach(map, output, extent);
    ASSERT_EQ(needed.interval.empty(), inputs.empty());
    ++checked;
    if (inputs.empty())
      continue;
    ASSERT_EQ(needed.interval.begin, *inputs.begin());
    ASSERT_EQ(needed.interval.end, *inputs.rbegin() + 1);
    // Spread over the output's view with these pads, the interval's view gives
    // what the whole input gives.
    for (int64_t i = 0; i < extent; ++i)
      for (int64_t tap = 0; tap < map.taps; ++tap) {
        const int64_t o = i * map.stride + tap * map.dilation - map.padLow;
        if (o < output.begin || o >= output.end)
          continue;
        ASSERT_EQ((i - needed.interval.begin) * map.stride +
                      tap * map.dilation - needed.padLow,
                  o - output.begin);
      }
    ASSERT_EQ((needed.interval.size() - 1) * map.stride + map.extent(),
              needed.padLow + output.size() + needed.padHigh);
    negative += needed.padLow < 0;
  }
  EXPECT_GT(negative, 100);
}

TEST(AxisMap, ResampleNeedsWhatItsPositionsRead) {
  std::mt19937 random(9);
  auto between = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  };
  const double shifts[] = {0, -0.5, 0.5, -0.25, 0.125, -3.7, 2.2};
  for (int checked = 0; checked < 20000; ++checked) {
    const int64_t extent = between(1, 12), outputs = between(1, 30);
    const bool isLinear = between(0, 1) == 0;
    const NearestRounding rounding =
        static_cast<NearestRounding>(between(0, 3));
    const AxisMap map = AxisMap::resample(
        isLinear ? ResampleMode::Linear : ResampleMode::Nearest, rounding,
        static_cast<double>(between(0, 12)) /
            static_cast<double>(between(1, 7)),
        shifts[between(0, 6)]);
    const int64_t begin = between(0, outputs - 1);
    const Interval output{begin, between(begin + 1, outputs)};
    std::set<int64_t> read;
    for (int64_t i = output.begin; i < output.end; ++i) {
      double at = map.scale * static_cast<double>(i) + map.shift;
      at = std::max(0.0, std::min(at, static_cast<double>(extent - 1)));
      // The elements below and above, and the weight of the one above.
      const int64_t below = static_cast<int64_t>(at);
      const double weight = at - static_cast<double>(below);
      const bool up = rounding == NearestRounding::PreferFloor  ? weight > 0.5
                      : rounding == NearestRounding::PreferCeil ? weight >= 0.5
                      : rounding == NearestRounding::Ceil       ? weight > 0
                                                                : false;
      if (isLinear || !up)
        read.insert(below);
      if (isLinear ? weight > 0 : up)
        read.insert(below + 1);
    }
    const Needed needed = map.needed(output, extent);
    ASSERT_EQ(needed.interval.begin, *read.begin());
    ASSERT_EQ(needed.interval.end, *read.rbegin() + 1);
    ASSERT_GE(needed.interval.begin, 0);
    ASSERT_LE(needed.interval.end, extent);
    ASSERT_EQ(needed.padLow, 0);
    ASSERT_EQ(needed.padHigh, 0);
  }
}

TEST(Split, CoversExactly) {
  EXPECT_EQ(split(10, 3), (std::vector<Interval>{{0, 3}, {3, 6}, {6, 10}}));
  EXPECT_EQ(split(4, 4),
            (std::vector<Interval>{{0, 1}, {1, 2}, {2, 3}, {3, 4}}));
  EXPECT_EQ(split(7, 1), (std::vector<Interval>{{0, 7}}));
  for (int64_t extent = 1; extent < 40; ++extent)
    for (int64_t parts = 1; parts <= extent; ++parts) {
      const std::vector<Interval> intervals = split(extent, parts);
      ASSERT_EQ(static_cast<int64_t>(intervals.size()), parts);
      int64_t end = 0;
      for (size_t i = 0; i < intervals.size(); ++i) {
        ASSERT_EQ(intervals[i].begin, end);
        end = intervals[i].end;
        ASSERT_GE(intervals[i].size(), extent / parts);
        ASSERT_LE(intervals[i].size(), (extent + parts - 1) / parts);
        ASSERT_TRUE(i == 0 || intervals[i - 1].size() <= intervals[i].size());
      }
      ASSERT_EQ(end, extent);
    }
}

TEST(Checked, Overflow) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(checkedMultiply(3, -4), -12);
  EXPECT_EQ(checkedMultiply(most, 2), std::nullopt);
  EXPECT_EQ(checkedAdd(most, 0), most);
  EXPECT_EQ(checkedAdd(most, 1), std::nullopt);
}

} // namespace
} // namespace snug::network
