// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling, reductions and gemm against plain double loops.
#include "kernels_support.h"

#include <cmath>

namespace snug {
namespace runtime {
namespace test {
namespace {

class PoolingTest : public KernelTest {};

/// All three poolings over random windows.
TEST_P(PoolingTest, RandomWindows) {
  Random random(11);
  for (int i = 0; i < 150 && !HasFatalFailure(); ++i) {
    const Extents in = randomExtents(random);
    WindowShape s;
    s.batch = in.batch;
    s.inputHeight = in.height;
    s.inputWidth = in.width;
    s.inputChannels = s.outputChannels = in.channels;
    s.kernelHeight = random.pick({1, 2, 2, 3, 3, 5});
    s.kernelWidth = random.oneIn(3) ? random.pick({1, 2, 4}) : s.kernelHeight;
    s.strideHeight = random.pick({1, 2, 2, 3});
    s.strideWidth = random.oneIn(3) ? 1 : s.strideHeight;
    s.dilationHeight = s.dilationWidth = random.pick({1, 1, 1, 2});
    const int tall = (s.kernelHeight - 1) * s.dilationHeight;
    const int wide = (s.kernelWidth - 1) * s.dilationWidth;
    s.padTop = random.between(0, tall);
    s.padBottom = random.between(0, tall);
    s.padLeft = random.between(0, wide);
    s.padRight = random.between(0, wide);
    const int height = in.height + s.padTop + s.padBottom - tall - 1;
    const int width = in.width + s.padLeft + s.padRight - wide - 1;
    if (height < 0 || width < 0)
      continue;
    s.outputHeight = height / s.strideHeight + 1;
    s.outputWidth = width / s.strideWidth + 1;
    Tensor input(in, randomGaps(random), alternate(i));
    input.fill(random);
    const Extents out = {in.batch, s.outputHeight, s.outputWidth, in.channels};
    const Gaps gaps = randomGaps(random);

    /// Calls visit(value) for each tap inside; returns how many there are.
    auto forEachTap = [&](int n, int y, int x, int c, auto visit) {
      int inside = 0;
      for (int ky = 0; ky < s.kernelHeight; ++ky)
        for (int kx = 0; kx < s.kernelWidth; ++kx) {
          const int iy = y * s.strideHeight - s.padTop + ky * s.dilationHeight;
          const int ix = x * s.strideWidth - s.padLeft + kx * s.dilationWidth;
          if (iy < 0 || iy >= in.height || ix < 0 || ix >= in.width)
            continue;
          visit(double(input.at(n, iy, ix, c)));
          ++inside;
        }
      return inside;
    };
    Tensor largest =
        runWithThreads(out, gaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().maxPool(s, input.view, o.view, p), 0u);
        });
    ASSERT_TRUE(matches(largest, 0, [&](int n, int y, int x, int c) {
      double best = -INFINITY;
      forEachTap(n, y, x, c, [&](double v) { best = v > best ? v : best; });
      return Expected{best, 0};
    })) << i;
    // Of the padding below and to the right some counts, some does not.
    const CountedPads counted = {random.between(0, s.padBottom),
                                 random.between(0, s.padRight)};
    const auto countedTaps = [&](int y, int x) {
      int taps = 0;
      for (int ky = 0; ky < s.kernelHeight; ++ky)
        for (int kx = 0; kx < s.kernelWidth; ++kx)
          taps += y * s.strideHeight - s.padTop + ky * s.dilationHeight <
                      in.height + counted.bottom &&
                  x * s.strideWidth - s.padLeft + kx * s.dilationWidth <
                      in.width + counted.right;
      return taps > 0 ? taps : 1;
    };
    for (bool countPad : {false, true}) {
      Tensor mean = runWithThreads(
          out, gaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
            EXPECT_EQ(kernels().averagePool(s, countPad ? &counted : nullptr,
                                            input.view, o.view, p),
                      0u);
          });
      ASSERT_TRUE(
          matches(mean, s.kernelHeight * s.kernelWidth,
                  [&](int n, int y, int x, int c) {
                    Expected e = {0, 0};
                    const int inside = forEachTap(n, y, x, c, [&](double v) {
                      e.value += v;
                      e.magnitude += std::fabs(v);
                    });
                    const double divisor = countPad ? countedTaps(y, x)
                                                    : (inside > 0 ? inside : 1);
                    return Expected{e.value / divisor, e.magnitude / divisor};
                  }))
          << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, PoolingTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class ReduceTest : public KernelTest {};

/// All kinds, channels last (the fast way) and in any order of axes.
TEST_P(ReduceTest, AllKinds) {
  Random random(12);
  for (int i = 0; i < 120 && !HasFatalFailure(); ++i) {
    Extents in = randomExtents(random);
    in.channels = random.pick({1, 7, 16, 33, 64, 65, 130, 512});
    if (i % 20 == 0)
      in = {1, 50, 60, 3}; // planes of several chunks
    const bool anyOrder = random.oneIn(2);
    Tensor input = anyOrder ? Tensor::random(in, random, alternate(i))
                            : Tensor(in, randomGaps(random), alternate(i));
    input.fill(random);
    const ReduceKind kind = static_cast<ReduceKind>(i % 4);
    const Gaps gaps = randomGaps(random);
    const uint64_t seed = random.next();
    Tensor output = runWithThreads(
        [&] {
          Random again(seed);
          const Extents pixel = {in.batch, 1, 1, in.channels};
          return anyOrder ? Tensor::random(pixel, again, alternate(i))
                          : Tensor(pixel, gaps, alternate(i));
        },
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().reduce(kind, input.view, o.view, p), 0u);
        });
    ASSERT_TRUE(matches(output, in.height * in.width,
                        [&](int n, int, int, int c) {
                          Expected sum = {0, 0};
                          double most = -INFINITY, least = INFINITY;
                          for (int y = 0; y < in.height; ++y)
                            for (int x = 0; x < in.width; ++x) {
                              const double value = input.at(n, y, x, c);
                              sum.value += value;
                              sum.magnitude += std::fabs(value);
                              most = std::fmax(most, value);
                              least = std::fmin(least, value);
                            }
                          const double area = in.height * in.width;
                          switch (kind) {
                          case ReduceKind::Max:
                            return Expected{most, 0};
                          case ReduceKind::Min:
                            return Expected{least, 0};
                          case ReduceKind::Sum:
                            return sum;
                          case ReduceKind::Mean:
                            break;
                          }
                          return Expected{sum.value / area,
                                          sum.magnitude / area};
                        }))
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ReduceTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class GemmTest : public KernelTest {};

TEST_P(GemmTest, RandomShapes) {
  Random random(13);
  for (int i = 0; i < 80 && !HasFatalFailure(); ++i) {
    const int rows = random.pick({1, 1, 1, 2, 5, 20});
    const int depth = random.pick({1, 2, 3, 17, 64, 300, 1000});
    const int columns = random.pick({1, 10, 16, 33, 100, 128, 500});
    Tensor input({rows, 1, 1, depth}, randomGaps(random), alternate(i));
    input.fill(random);
    Tensor residual({rows, 1, 1, columns}, randomGaps(random), alternate(i));
    residual.fill(random);
    std::vector<float> w(size_t(depth) * columns),
        bias(static_cast<size_t>(columns));
    for (float &v : w)
      v = random.value();
    for (float &v : bias)
      v = random.value();
    Packed packed(packedGemmBytes(target(), depth, columns), alternate(i));
    packGemm(target(), depth, columns, w.data(), columns, 1, packed.data());
    Packed packedBias(packedBiasBytes(columns), alternate(i));
    packBias(columns, bias.data(), packedBias.data());
    Epilogue epilogue;
    const bool hasBias = !random.oneIn(4), hasResidual = random.oneIn(4);
    epilogue.bias = hasBias ? packedBias.data() : nullptr;
    epilogue.residual = hasResidual ? &residual.view : nullptr;
    randomActivation(random, &epilogue);
    Tensor output = runWithThreads(
        {rows, 1, 1, columns}, randomGaps(random), alternate(i),
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(
              kernels().gemm(input.view, packed.data(), epilogue, o.view, p),
              uint64_t(rows) * uint64_t(depth) * uint64_t(columns));
        });
    ASSERT_TRUE(matches(output, depth + 2, [&](int n, int, int, int c) {
      Expected e = {hasBias ? bias[size_t(c)] : 0.0, 1.0};
      for (int k = 0; k < depth; ++k) {
        const double product =
            double(input.at(n, 0, 0, k)) * double(w[size_t(k) * columns + c]);
        e.value += product;
        e.magnitude += std::fabs(product);
      }
      if (hasResidual)
        e.value += residual.at(n, 0, 0, c);
      return activated(e, epilogue);
    })) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, GemmTest, ::testing::ValuesIn(testedTables()),
                         tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
