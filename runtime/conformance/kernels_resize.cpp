// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resizing and local response normalisation against plain double loops.
#include "kernels_support.h"

#include <algorithm>
#include <cmath>

namespace snug {
namespace runtime {
namespace test {
namespace {

class ResizeTest : public KernelTest {};

/// As ONNX defines it: clamped in the full tensor, rounded after that.
int nearest(double position, NearestRounding rounding) {
  switch (rounding) {
  case NearestRounding::RoundPreferFloor:
    return int(std::ceil(position - 0.5));
  case NearestRounding::RoundPreferCeil:
    return int(std::floor(position + 0.5));
  case NearestRounding::Floor:
    return int(std::floor(position));
  case NearestRounding::Ceil:
    break;
  }
  return int(std::ceil(position));
}

double clamped(const ResizeAxis &axis, int output) {
  const double product = axis.scale * output;
  return std::fmin(std::fmax(product + axis.shift, 0.0), axis.full - 1.0);
}

/// Half pixels, asymmetric and aligned corners; the whole picture, and a tile
/// of its output from the rows and columns that it needs.
TEST_P(ResizeTest, WholeAndTiles) {
  Random random(31);
  for (int i = 0; i < 150 && !HasFatalFailure(); ++i) {
    Extents in = randomExtents(random);
    if (i % 30 == 0)
      in.width = 200; // more columns than are computed at once
    ResizeShape s;
    s.mode = static_cast<ResizeMode>(i % 2);
    s.rounding = static_cast<NearestRounding>(random.between(0, 3));
    const int transform = random.between(0, 2);
    const auto axis = [&](int extent, int *output) {
      *output = random.oneIn(2) ? 2 * extent : random.between(1, 3 * extent);
      const double scale = double(extent) / *output;
      ResizeAxis a = {scale, 0.0, extent, 0, 0};
      if (transform == 0)
        a.shift = 0.5 * scale - 0.5;
      else if (transform == 1)
        a.scale = *output > 1 ? (extent - 1.0) / (*output - 1.0) : 0.0;
      return a;
    };
    int height, width;
    s.rows = axis(in.height, &height);
    s.columns = axis(in.width, &width);
    Tensor input(in, randomGaps(random), alternate(i));
    input.fill(random);
    const auto expect = [&](int n, int y, int x, int c) {
      const double py = clamped(s.rows, y), px = clamped(s.columns, x);
      if (s.mode == ResizeMode::Nearest)
        return Expected{
            input.at(n, nearest(py, s.rounding), nearest(px, s.rounding), c),
            0};
      const int y0 = int(std::floor(py)), x0 = int(std::floor(px));
      const int y1 = std::min(y0 + 1, in.height - 1);
      const int x1 = std::min(x0 + 1, in.width - 1);
      const double wy = py - y0, wx = px - x0;
      return Expected{(1 - wy) * ((1 - wx) * input.at(n, y0, x0, c) +
                                  wx * input.at(n, y0, x1, c)) +
                          wy * ((1 - wx) * input.at(n, y1, x0, c) +
                                wx * input.at(n, y1, x1, c)),
                      1};
    };
    Tensor output = runWithThreads(
        {in.batch, height, width, in.channels}, randomGaps(random),
        alternate(i), [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().resize(s, input.view, o.view, p), 0u);
        });
    ASSERT_TRUE(matches(output, 1, expect)) << i;

    ResizeShape part = s;
    const auto cut = [&](ResizeAxis &a, int extent, int *begin, int *count) {
      a.outputBegin = random.between(0, extent - 1);
      const int last = random.between(a.outputBegin, extent - 1);
      const auto lowest = [&](int o) {
        const double p = clamped(a, o);
        return s.mode == ResizeMode::Nearest ? nearest(p, s.rounding)
                                             : int(std::floor(p));
      };
      const auto highest = [&](int o) {
        const double p = clamped(a, o);
        return s.mode == ResizeMode::Nearest ? nearest(p, s.rounding)
                                             : int(std::ceil(p));
      };
      a.inputBegin = lowest(a.outputBegin);
      *begin = a.inputBegin;
      *count = highest(last) - *begin + 1;
      return last - a.outputBegin + 1;
    };
    int top, rows, left, columns;
    const int outputRows = cut(part.rows, height, &top, &rows);
    const int outputColumns = cut(part.columns, width, &left, &columns);
    Tensor needed({in.batch, rows, columns, in.channels}, {}, alternate(i));
    for (int n = 0; n < in.batch; ++n)
      for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x)
          for (int c = 0; c < in.channels; ++c)
            needed.at(n, y, x, c) = input.at(n, top + y, left + x, c);
    Tensor tile({in.batch, outputRows, outputColumns, in.channels}, {},
                alternate(i));
    kernels().resize(part, needed.view, tile.view, poolOf(1));
    for (int n = 0; n < in.batch; ++n)
      for (int y = 0; y < outputRows; ++y)
        for (int x = 0; x < outputColumns; ++x)
          for (int c = 0; c < in.channels; ++c)
            ASSERT_EQ(tile.at(n, y, x, c),
                      output.at(n, part.rows.outputBegin + y,
                                part.columns.outputBegin + x, c))
                << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ResizeTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class NormalizationTest : public KernelTest {};

TEST_P(NormalizationTest, RandomWindows) {
  Random random(32);
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    Extents extents = randomExtents(random);
    NormalizationShape s = {
        random.pick({1, 2, 3, 5, 5, 8, 100}), random.oneIn(2) ? 1e-4f : 2.0f,
        random.oneIn(2) ? 0.75f : 0.6f, random.oneIn(2) ? 1.0f : 2.0f};
    if (i % 20 == 0) {
      // More channels, and more neighbours, than squares are kept.
      extents = {1, 1, 2, 2500};
      s.size = i % 40 == 0 ? 5 : 2401;
    }
    Tensor input(extents, randomGaps(random), alternate(i));
    input.fill(random);
    Tensor output =
        runWithThreads(extents, randomGaps(random), alternate(i),
                       [&](Tensor &o, ThreadPool &p) {
                         EXPECT_EQ(kernels().localResponseNormalization(
                                       s, input.view, o.view, p),
                                   0u);
                       });
    ASSERT_TRUE(matches(output, s.size, [&](int n, int y, int x, int c) {
      double sum = 0;
      const int low = std::max(0, c - (s.size - 1) / 2);
      const int high = std::min(extents.channels - 1, c + s.size / 2);
      for (int k = low; k <= high; ++k)
        sum += double(input.at(n, y, x, k)) * double(input.at(n, y, x, k));
      const double normaliser = s.bias + double(s.alpha) / s.size * sum;
      const double value = input.at(n, y, x, c) * std::pow(normaliser, -s.beta);
      return Expected{value,
                      std::fabs(value) * (1 + std::fabs(std::log(normaliser)))};
    })) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, NormalizationTest,
                         ::testing::ValuesIn(testedTables()), tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
