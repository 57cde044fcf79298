// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Unary, binary and softmax kernels against plain double loops.
#include "kernels_support.h"

#include <cmath>

namespace snug {
namespace runtime {
namespace test {
namespace {

class UnaryTest : public KernelTest {};

std::vector<Activation> allActivations() {
  std::vector<Activation> all;
  for (int i = 0; i <= int(Activation::Mish); ++i)
    all.push_back(static_cast<Activation>(i));
  return all;
}

/// Every activation in views of all kinds, apart and in place.
TEST_P(UnaryTest, Views) {
  Random random(14);
  int i = 0;
  for (int repeat = 0; repeat < 6; ++repeat)
    for (Activation activation : allActivations()) {
      ++i;
      Extents extents = randomExtents(random);
      if (i % 25 == 0)
        extents = {1, 60, 61, 33}; // long enough for several threads
      const bool anyOrder = random.oneIn(3);
      const Gaps gaps = random.oneIn(2) ? randomGaps(random) : Gaps();
      Tensor input = anyOrder ? Tensor::random(extents, random, alternate(i))
                              : Tensor(extents, gaps, alternate(i));
      input.fill(random);
      if (activation == Activation::Log || activation == Activation::Sqrt)
        for (int n = 0; n < extents.batch; ++n)
          for (int y = 0; y < extents.height; ++y)
            for (int x = 0; x < extents.width; ++x)
              for (int c = 0; c < extents.channels; ++c)
                input.at(n, y, x, c) = std::fabs(input.at(n, y, x, c)) + 0.01f;
      Epilogue epilogue;
      epilogue.activation = activation;
      epilogue.alpha = 0.3f;
      epilogue.beta = 0.6f;
      const Gaps outputGaps = randomGaps(random);
      Tensor output = runWithThreads(
          extents, outputGaps, alternate(i), [&](Tensor &o, ThreadPool &p) {
            EXPECT_EQ(kernels().unary(input.view, epilogue, o.view, p), 0u);
          });
      ASSERT_TRUE(matches(output, 1,
                          [&](int n, int y, int x, int c) {
                            const double value =
                                activate(input.at(n, y, x, c), activation,
                                         epilogue.alpha, epilogue.beta);
                            return Expected{value, std::fabs(value) + 1e-30};
                          }))
          << i << " activation " << int(activation);
      kernels().unary(input.view, epilogue, input.view, poolOf(2));
      expectSameElements(input, output);
    }
}

/// Numbers of all sizes: the relative errors that VectorMath.h promises.
TEST_P(UnaryTest, Accuracy) {
  Random random(15);
  const int count = 4096;
  Tensor input({1, 1, 1, count}, {}, Guard::AtEnd);
  for (Activation activation : allActivations()) {
    for (int c = 0; c < count; ++c) {
      // Exponents from 2^-30 to 2^7, both signs.
      const double size =
          std::ldexp(1.0 + std::fabs(random.value()), random.between(-30, 6));
      input.at(0, 0, 0, c) = float(random.oneIn(2) ? size : -size);
    }
    Epilogue epilogue;
    epilogue.activation = activation;
    epilogue.alpha = 0.3f;
    epilogue.beta = 0.6f;
    Tensor output({1, 1, 1, count}, {}, Guard::AtEnd);
    kernels().unary(input.view, epilogue, output.view, poolOf(1));
    for (int c = 0; c < count; ++c) {
      const double x = input.at(0, 0, 0, c);
      const double actual = output.at(0, 0, 0, c);
      const double expected = activate(x, activation, 0.3f, 0.6f);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(actual)) << int(activation) << " of " << x;
        continue;
      }
      if (std::fabs(expected) > 3.4e38) {
        EXPECT_EQ(actual, expected > 0 ? INFINITY : -INFINITY);
        continue;
      }
      double tolerance = 1e-6 * std::fabs(expected) + 1e-36;
      // The line's cancellation; erf's tails are below what a float holds.
      if (activation == Activation::HardSigmoid ||
          activation == Activation::HardSwish)
        tolerance += 1e-7 * std::fabs(x);
      if (activation == Activation::Gelu)
        tolerance += 1e-7 * std::fabs(x) * std::fabs(x);
      EXPECT_NEAR(actual, expected, tolerance)
          << int(activation) << " of " << x;
    }
  }
}

TEST_P(UnaryTest, SpecialValues) {
  const float infinity = INFINITY;
  struct Case {
    Activation activation;
    float of, is;
  };
  const Case cases[] = {{Activation::Exp, infinity, infinity},
                        {Activation::Exp, -infinity, 0.0f},
                        {Activation::Exp, 89.0f, infinity},
                        {Activation::Exp, -110.0f, 0.0f},
                        {Activation::Log, 0.0f, -infinity},
                        {Activation::Log, infinity, infinity},
                        {Activation::Log, -1.0f, NAN},
                        {Activation::Sigmoid, infinity, 1.0f},
                        {Activation::Sigmoid, -infinity, 0.0f},
                        {Activation::Silu, infinity, infinity},
                        {Activation::Tanh, infinity, 1.0f},
                        {Activation::Tanh, -infinity, -1.0f},
                        {Activation::Erf, infinity, 1.0f},
                        {Activation::Erf, -infinity, -1.0f},
                        {Activation::Softplus, infinity, infinity},
                        {Activation::Softplus, -infinity, 0.0f},
                        {Activation::Mish, infinity, infinity},
                        {Activation::Elu, -infinity, -0.5f},
                        {Activation::Clip, infinity, 0.25f},
                        {Activation::Sqrt, -1.0f, NAN},
                        {Activation::Reciprocal, 0.0f, infinity},
                        {Activation::Floor, -0.5f, -1.0f},
                        {Activation::Ceil, -0.5f, -0.0f},
                        {Activation::Floor, 1e20f, 1e20f},
                        {Activation::Ceil, 8388607.5f, 8388608.0f},
                        {Activation::Floor, 8388607.5f, 8388607.0f}};
  Tensor input({1, 1, 1, 3}, {}, Guard::AtEnd);
  Tensor output({1, 1, 1, 3}, {}, Guard::AtEnd);
  Epilogue epilogue;
  epilogue.alpha = 0.5f;
  epilogue.beta = 0.25f;
  const auto run = [&](Activation activation, float of) {
    epilogue.activation = activation;
    for (int c = 0; c < 3; ++c)
      input.at(0, 0, 0, c) = of;
    kernels().unary(input.view, epilogue, output.view, poolOf(1));
    return output.at(0, 0, 0, 1);
  };
  for (const Case &c : cases) {
    const float actual = run(c.activation, c.of);
    if (std::isnan(c.is))
      EXPECT_TRUE(std::isnan(actual)) << int(c.activation) << " of " << c.of;
    else
      EXPECT_EQ(actual, c.is) << int(c.activation) << " of " << c.of;
  }
  for (Activation activation : allActivations())
    EXPECT_TRUE(std::isnan(run(activation, NAN))) << int(activation);
}

INSTANTIATE_TEST_SUITE_P(Targets, UnaryTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class BinaryTest : public KernelTest {};

double combine(BinaryKind kind, double a, double b) {
  switch (kind) {
  case BinaryKind::Add:
    return a + b;
  case BinaryKind::Sub:
    return a - b;
  case BinaryKind::Mul:
    return a * b;
  case BinaryKind::Div:
    return a / b;
  case BinaryKind::Max:
    return a > b ? a : b;
  case BinaryKind::Min:
    return a < b ? a : b;
  case BinaryKind::Pow:
    return std::pow(a, b);
  case BinaryKind::PRelu:
    return a < 0 ? a * b : a;
  }
  return 0;
}

/// An operand with the output's extents, some of them 1.
Extents repeated(const Extents &whole, Random &random) {
  switch (random.between(0, 4)) {
  case 0:
    return {1, 1, 1, whole.channels}; // per channel
  case 1:
    return {whole.batch, 1, 1, whole.channels}; // a gate
  case 2:
    return {1, 1, 1, 1};
  case 3:
    return {whole.batch, whole.height, whole.width, 1};
  default:
    return {random.oneIn(2) ? 1 : whole.batch,
            random.oneIn(2) ? 1 : whole.height,
            random.oneIn(2) ? 1 : whole.width,
            random.oneIn(2) ? 1 : whole.channels};
  }
}

TEST_P(BinaryTest, AllKindsAndRepetitions) {
  Random random(24);
  for (int i = 0; i < 240 && !HasFatalFailure(); ++i) {
    const BinaryKind kind = static_cast<BinaryKind>(i % 8);
    Extents extents = randomExtents(random);
    if (i % 40 == 0)
      extents = {1, 60, 61, 33}; // long enough for several threads
    const Extents leftExtents =
        random.oneIn(4) ? repeated(extents, random) : extents;
    const Extents rightExtents =
        random.oneIn(2) ? repeated(extents, random) : extents;
    const bool anyOrder = random.oneIn(3);
    const auto make = [&](const Extents &e) {
      Tensor tensor = anyOrder ? Tensor::random(e, random, alternate(i))
                               : Tensor(e, randomGaps(random), alternate(i));
      tensor.fill(random);
      return tensor;
    };
    Tensor left = make(leftExtents), right = make(rightExtents);
    const auto change = [](Tensor &tensor, float (*by)(float)) {
      for (int n = 0; n < tensor.view.batch; ++n)
        for (int y = 0; y < tensor.view.height; ++y)
          for (int x = 0; x < tensor.view.width; ++x)
            for (int c = 0; c < tensor.view.channels; ++c)
              tensor.at(n, y, x, c) = by(tensor.at(n, y, x, c));
    };
    if (kind == BinaryKind::Pow) {
      change(left, [](float v) { return std::fabs(v) + 0.25f; });
      if (random.oneIn(2))
        change(right, [](float) { return 2.0f; });
    }
    if (kind == BinaryKind::Div)
      change(right, [](float v) { return v < 0 ? v - 0.25f : v + 0.25f; });
    Epilogue epilogue;
    randomActivation(random, &epilogue);
    const uint64_t seed = random.next();
    const Gaps gaps = randomGaps(random);
    Tensor output = runWithThreads(
        [&] {
          Random again(seed);
          return anyOrder ? Tensor::random(extents, again, alternate(i))
                          : Tensor(extents, gaps, alternate(i));
        },
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().binary(kind, left.view, right.view, epilogue,
                                     o.view, p),
                    0u);
        });
    const auto at = [](const Tensor &t, int n, int y, int x, int c) {
      return double(t.at(t.view.batch == 1 ? 0 : n, t.view.height == 1 ? 0 : y,
                         t.view.width == 1 ? 0 : x,
                         t.view.channels == 1 ? 0 : c));
    };
    ASSERT_TRUE(matches(
        output, 1,
        [&](int n, int y, int x, int c) {
          const double a = at(left, n, y, x, c), b = at(right, n, y, x, c);
          const double value = combine(kind, a, b);
          return activated({value, std::fabs(value) + std::fabs(a)}, epilogue);
        }))
        << i << " kind " << int(kind) << " activation "
        << int(epilogue.activation);
    const auto same = [&](const Extents &e) {
      return e.elements() == extents.elements();
    };
    if (same(rightExtents)) {
      kernels().binary(kind, left.view, right.view, epilogue, right.view,
                       poolOf(2));
      expectSameElements(right, output);
    } else if (same(leftExtents)) {
      kernels().binary(kind, left.view, right.view, epilogue, left.view,
                       poolOf(2));
      expectSameElements(left, output);
    }
  }
}

TEST_P(BinaryTest, NotANumberStays) {
  Tensor a({1, 1, 1, 2}, {}, Guard::AtEnd), b({1, 1, 1, 2}, {}, Guard::AtEnd);
  Tensor output({1, 1, 1, 2}, {}, Guard::AtEnd);
  a.at(0, 0, 0, 0) = b.at(0, 0, 0, 1) = NAN;
  a.at(0, 0, 0, 1) = b.at(0, 0, 0, 0) = 1.0f;
  for (int kind = 0; kind < 8; ++kind) {
    // PRelu reads its slopes for negative numbers only; 1 to any power is 1.
    if (kind >= int(BinaryKind::Pow))
      continue;
    kernels().binary(static_cast<BinaryKind>(kind), a.view, b.view, Epilogue(),
                     output.view, poolOf(1));
    EXPECT_TRUE(std::isnan(output.at(0, 0, 0, 0))) << kind;
    EXPECT_TRUE(std::isnan(output.at(0, 0, 0, 1))) << kind;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, BinaryTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class SoftmaxTest : public KernelTest {};

/// Channels side by side, planes, and any other order.
TEST_P(SoftmaxTest, AnyStrides) {
  Random random(15);
  for (int i = 0; i < 90 && !HasFatalFailure(); ++i) {
    Extents extents = randomExtents(random);
    extents.channels = random.pick({1, 2, 10, 100, 1000});
    const int layout = i % 3;
    const auto make = [&](Random &by) {
      return layout == 0   ? Tensor(extents, randomGaps(by), alternate(i))
             : layout == 1 ? Tensor::channelsFirst(extents, alternate(i))
                           : Tensor::random(extents, by, alternate(i));
    };
    Tensor input = make(random);
    input.fill(random);
    const float scale = random.oneIn(2) ? 50.0f : 1.0f;
    for (int n = 0; n < extents.batch; ++n)
      for (int y = 0; y < extents.height; ++y)
        for (int x = 0; x < extents.width; ++x)
          for (int c = 0; c < extents.channels; ++c)
            input.at(n, y, x, c) *= scale;
    const uint64_t seed = random.next();
    Tensor output = runWithThreads(
        [&] {
          Random again(seed);
          return make(again);
        },
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().softmax(input.view, o.view, p), 0u);
        });
    double largest = -INFINITY, sum = 0;
    ASSERT_TRUE(matches(output, 4, [&](int n, int y, int x, int c) {
      // Once a pixel, whose channels come one after another.
      if (c == 0) {
        largest = -INFINITY;
        sum = 0;
        for (int k = 0; k < extents.channels; ++k)
          largest = std::fmax(largest, input.at(n, y, x, k));
        for (int k = 0; k < extents.channels; ++k)
          sum += std::exp(input.at(n, y, x, k) - largest);
      }
      const double value = std::exp(input.at(n, y, x, c) - largest) / sum;
      // expf's argument is rounded: its relative error grows with the distance.
      // Subnormal results have an absolute one.
      return Expected{value,
                      value * (1 + std::fabs(input.at(n, y, x, c) - largest)) +
                          1e-37};
    })) << i;
    // In one order of axes, which decides how sums are made.
    if (layout != 2) {
      kernels().softmax(input.view, input.view, poolOf(2));
      expectSameElements(input, output);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, SoftmaxTest,
                         ::testing::ValuesIn(testedTables()), tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
