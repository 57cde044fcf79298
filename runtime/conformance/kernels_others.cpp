// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling, gemm, elementwise kernels and moves against plain double loops.
#include "kernels_support.h"

#include <cmath>

namespace snug {
namespace runtime {
namespace test {
namespace {

Guard alternate(int i) { return i % 2 ? Guard::AtStart : Guard::AtEnd; }

Extents randomExtents(Random &random) {
  return {random.pick({1, 1, 2}), random.between(1, 12), random.between(1, 20),
          random.pick({1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 24, 32, 33, 64, 70})};
}

/// Runs a kernel with one, two and three threads; the first output is checked
/// by the caller, the others must have its bits.
template <typename Run>
Tensor runWithThreads(const Extents &extents, const Gaps &gaps, Guard guard,
                      Run run) {
  Tensor output(extents, gaps, guard);
  run(output, poolOf(1));
  for (int threads = 2; threads <= 3; ++threads) {
    Tensor again(extents, gaps, guard);
    run(again, poolOf(threads));
    EXPECT_TRUE(output.sameBits(again))
        << threads << " threads give other bits";
  }
  return output;
}

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
    for (bool countPad : {false, true}) {
      Tensor mean = runWithThreads(
          out, gaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
            EXPECT_EQ(kernels().averagePool(s, countPad, input.view, o.view, p),
                      0u);
          });
      ASSERT_TRUE(matches(
          mean, s.kernelHeight * s.kernelWidth,
          [&](int n, int y, int x, int c) {
            Expected e = {0, 0};
            const int inside = forEachTap(n, y, x, c, [&](double v) {
              e.value += v;
              e.magnitude += std::fabs(v);
            });
            const double divisor = countPad ? s.kernelHeight * s.kernelWidth
                                            : (inside > 0 ? inside : 1);
            return Expected{e.value / divisor, e.magnitude / divisor};
          }))
          << i;
    }
  }
}

TEST_P(PoolingTest, GlobalAverage) {
  Random random(12);
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    Extents in = randomExtents(random);
    in.channels = random.pick({1, 7, 16, 33, 64, 65, 130, 512});
    Tensor input(in, randomGaps(random), alternate(i));
    input.fill(random);
    Tensor output = runWithThreads(
        {in.batch, 1, 1, in.channels}, randomGaps(random), alternate(i),
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().reduce(ReduceKind::Mean, input.view, o.view, p),
                    0u);
        });
    ASSERT_TRUE(matches(output, in.height * in.width,
                        [&](int n, int, int, int c) {
                          Expected e = {0, 0};
                          for (int y = 0; y < in.height; ++y)
                            for (int x = 0; x < in.width; ++x) {
                              e.value += input.at(n, y, x, c);
                              e.magnitude += std::fabs(input.at(n, y, x, c));
                            }
                          const double area = in.height * in.width;
                          return Expected{e.value / area, e.magnitude / area};
                        }))
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, PoolingTest,
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
    epilogue.activation = static_cast<Activation>(random.between(0, 3));
    epilogue.alpha = 0.1f;
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
      e.value = activate(e.value, epilogue.activation, epilogue.alpha);
      return e;
    })) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, GemmTest, ::testing::ValuesIn(testedTables()),
                         tableName);

class ElementwiseTest : public KernelTest {};

TEST_P(ElementwiseTest, UnaryAndAdd) {
  Random random(14);
  for (int i = 0; i < 120 && !HasFatalFailure(); ++i) {
    Extents extents = randomExtents(random);
    if (i % 10 == 0)
      extents = {1, 60, 61, 33}; // long enough for several threads
    const bool strided = random.oneIn(2);
    Tensor left(extents, strided ? randomGaps(random) : Gaps(), alternate(i));
    Tensor right(extents, strided ? randomGaps(random) : Gaps(), alternate(i));
    left.fill(random);
    right.fill(random);
    Epilogue epilogue;
    epilogue.activation = static_cast<Activation>(random.between(0, 3));
    epilogue.alpha = 0.3f;
    const Gaps gaps = strided ? randomGaps(random) : Gaps();
    Tensor one = runWithThreads(
        extents, gaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().unary(left.view, epilogue, o.view, p), 0u);
        });
    ASSERT_TRUE(matches(one, 1, [&](int n, int y, int x, int c) {
      const double value = left.at(n, y, x, c);
      return Expected{activate(value, epilogue.activation, epilogue.alpha),
                      std::fabs(value)};
    })) << i;
    Tensor sum = runWithThreads(
        extents, gaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().binary(BinaryKind::Add, left.view, right.view,
                                     epilogue, o.view, p),
                    0u);
        });
    ASSERT_TRUE(matches(sum, 1, [&](int n, int y, int x, int c) {
      const double value =
          double(left.at(n, y, x, c)) + double(right.at(n, y, x, c));
      return Expected{activate(value, epilogue.activation, epilogue.alpha),
                      std::fabs(value)};
    })) << i;
    kernels().binary(BinaryKind::Add, left.view, right.view, epilogue,
                     right.view, poolOf(2));
    expectSameElements(right, sum);
    kernels().unary(left.view, epilogue, left.view, poolOf(2));
    expectSameElements(left, one);
  }
}

TEST_P(ElementwiseTest, Softmax) {
  Random random(15);
  for (int i = 0; i < 50 && !HasFatalFailure(); ++i) {
    Extents extents = randomExtents(random);
    extents.channels = random.pick({1, 2, 10, 100, 1000});
    Tensor input(extents, randomGaps(random), alternate(i));
    input.fill(random);
    const float scale = random.oneIn(2) ? 50.0f : 1.0f;
    for (int n = 0; n < extents.batch; ++n)
      for (int y = 0; y < extents.height; ++y)
        for (int x = 0; x < extents.width; ++x)
          for (int c = 0; c < extents.channels; ++c)
            input.at(n, y, x, c) *= scale;
    Tensor output = runWithThreads(
        extents, randomGaps(random), alternate(i),
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().softmax(input.view, o.view, p), 0u);
        });
    ASSERT_TRUE(matches(output, 4, [&](int n, int y, int x, int c) {
      double largest = -INFINITY, sum = 0;
      for (int k = 0; k < extents.channels; ++k)
        largest = std::fmax(largest, input.at(n, y, x, k));
      for (int k = 0; k < extents.channels; ++k)
        sum += std::exp(input.at(n, y, x, k) - largest);
      const double value = std::exp(input.at(n, y, x, c) - largest) / sum;
      // expf's argument is rounded: its relative error grows with the distance.
      // Subnormal results have an absolute one.
      return Expected{value,
                      value * (1 + std::fabs(input.at(n, y, x, c) - largest)) +
                          1e-37};
    })) << i;
    kernels().softmax(input.view, input.view, poolOf(2));
    expectSameElements(input, output);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ElementwiseTest,
                         ::testing::ValuesIn(testedTables()), tableName);

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

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
