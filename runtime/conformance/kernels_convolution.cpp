// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions, depthwise or not, against plain double loops: random and chosen
// shapes, strided views in poisoned memory flush against guard pages.
#include "kernels_support.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>

namespace snug {
namespace runtime {
namespace test {
namespace {

struct Case {
  WindowShape shape;
  Gaps inputGaps, outputGaps, residualGaps;
  bool bias = true, residual = false;
  Activation activation = Activation::None;
  float alpha = 0.1f, beta = 0.0f;
};

std::string describe(const Case &c) {
  const WindowShape &s = c.shape;
  std::ostringstream out;
  out << "batch " << s.batch << ", input " << s.inputHeight << "x"
      << s.inputWidth << "x" << s.inputChannels << ", output " << s.outputHeight
      << "x" << s.outputWidth << "x" << s.outputChannels << ", kernel "
      << s.kernelHeight << "x" << s.kernelWidth << ", stride " << s.strideHeight
      << "x" << s.strideWidth << ", dilation " << s.dilationHeight << "x"
      << s.dilationWidth << ", pads " << s.padTop << " " << s.padLeft << " "
      << s.padBottom << " " << s.padRight << ", groups " << s.groups
      << ", gaps " << c.inputGaps.pixel << "/" << c.inputGaps.row << " -> "
      << c.outputGaps.pixel << "/" << c.outputGaps.row << ", bias " << c.bias
      << ", residual " << c.residual << ", activation " << int(c.activation);
  return out.str();
}

/// Sets the output extents; false where there would be none.
bool setOutput(WindowShape &s) {
  const int height = s.inputHeight + s.padTop + s.padBottom -
                     ((s.kernelHeight - 1) * s.dilationHeight + 1);
  const int width = s.inputWidth + s.padLeft + s.padRight -
                    ((s.kernelWidth - 1) * s.dilationWidth + 1);
  if (height < 0 || width < 0)
    return false;
  s.outputHeight = height / s.strideHeight + 1;
  s.outputWidth = width / s.strideWidth + 1;
  return true;
}

/// What Winograd's rounding is bounded by: the sum over the input channels of
/// the largest magnitude among the 6 x 6 inputs that an output's tile is made
/// from, times the magnitudes of the channel's taps.
class TileMagnitudes {
public:
  TileMagnitudes(const WindowShape &s, const Tensor &input,
                 const std::vector<float> &weights)
      : s(s), input(input), largest(size_t(s.inputChannels)),
        taps(size_t(s.outputChannels) * s.inputChannels) {
    for (size_t i = 0; i < taps.size(); ++i)
      for (size_t tap = 0; tap < 9; ++tap)
        taps[i] += std::fabs(double(weights[i * 9 + tap]));
  }
  double of(int n, int y, int x, int o) {
    if (n != image || y / 4 != row || x / 4 != column)
      enter(n, y / 4, x / 4);
    double sum = 0;
    for (size_t i = 0; i < largest.size(); ++i)
      sum += largest[i] * taps[size_t(o) * largest.size() + i];
    return sum;
  }

private:
  void enter(int n, int tileRow, int tileColumn) {
    image = n;
    row = tileRow;
    column = tileColumn;
    std::fill(largest.begin(), largest.end(), 0.0);
    for (int y = std::max(0, row * 4 - s.padTop);
         y < std::min(s.inputHeight, row * 4 - s.padTop + 6); ++y)
      for (int x = std::max(0, column * 4 - s.padLeft);
           x < std::min(s.inputWidth, column * 4 - s.padLeft + 6); ++x)
        for (int i = 0; i < s.inputChannels; ++i)
          largest[size_t(i)] = std::max(
              largest[size_t(i)], std::fabs(double(input.at(n, y, x, i))));
  }

  const WindowShape &s;
  const Tensor &input;
  std::vector<double> largest, taps; ///< by input channel; by output, input
  int image = -1, row = -1, column = -1;
};

/// With `kind` Winograd by that kernel, else by the catalogue's choice.
void check(const TestedTable &table, const Case &c, uint64_t seed, Guard guard,
           KernelKind kind) {
  SCOPED_TRACE(describe(c) +
               (guard == Guard::AtEnd ? ", guard at end" : ", guard at start"));
  const WindowShape &s = c.shape;
  Random random(seed);
  Tensor input({s.batch, s.inputHeight, s.inputWidth, s.inputChannels},
               c.inputGaps, guard);
  input.fill(random);
  const Extents outputExtents = {s.batch, s.outputHeight, s.outputWidth,
                                 s.outputChannels};
  Tensor residual(outputExtents, c.residualGaps, guard);
  residual.fill(random);

  const int inputs = s.inputChannels / s.groups;
  const int outputs = s.outputChannels / s.groups;
  std::vector<float> weights(size_t(s.outputChannels) * inputs *
                             s.kernelHeight * s.kernelWidth);
  for (float &w : weights)
    w = random.value();
  std::vector<float> bias(static_cast<size_t>(s.outputChannels));
  for (float &b : bias)
    b = random.value();
  Packed packed(packedConvolutionBytes(table.target, s), guard);
  packConvolution(table.target, s, weights.data(), packed.data());
  Packed packedBias(packedBiasBytes(s.outputChannels), guard);
  packBias(s.outputChannels, bias.data(), packedBias.data());

  Epilogue epilogue;
  epilogue.bias = c.bias ? packedBias.data() : nullptr;
  epilogue.residual = c.residual ? &residual.view : nullptr;
  epilogue.activation = c.activation;
  epilogue.alpha = c.alpha;
  epilogue.beta = c.beta;
  const auto kernel = kind == KernelKind::Winograd ? table.kernels->winograd
                      : kind == KernelKind::Depthwise
                          ? table.kernels->depthwise
                          : table.kernels->convolution;
  auto run = [&](Tensor &output, int threads) {
    Packed workspace(workspaceBytes(table.target, kind, s, threads), guard);
    return kernel(s, input.view, packed.data(), epilogue, output.view,
                  workspace.data(), poolOf(threads));
  };
  Tensor output(outputExtents, c.outputGaps, guard);
  const uint64_t macs = run(output, 1);
  const int64_t depth = int64_t(inputs) * s.kernelHeight * s.kernelWidth;
  EXPECT_EQ(macs, uint64_t(outputExtents.elements()) * uint64_t(depth));

  std::unique_ptr<TileMagnitudes> magnitudes;
  if (kind == KernelKind::Winograd)
    magnitudes.reset(new TileMagnitudes(s, input, weights));
  ASSERT_TRUE(matches(output, depth + 2, [&](int n, int y, int x, int o) {
    Expected e = {0, 0};
    const int group = o / outputs;
    for (int ky = 0; ky < s.kernelHeight; ++ky)
      for (int kx = 0; kx < s.kernelWidth; ++kx) {
        const int iy = y * s.strideHeight - s.padTop + ky * s.dilationHeight;
        const int ix = x * s.strideWidth - s.padLeft + kx * s.dilationWidth;
        if (iy < 0 || iy >= s.inputHeight || ix < 0 || ix >= s.inputWidth)
          continue;
        for (int i = 0; i < inputs; ++i) {
          const size_t w =
              ((size_t(o) * inputs + i) * s.kernelHeight + ky) * s.kernelWidth +
              kx;
          const double product =
              double(input.at(n, iy, ix, group * inputs + i)) *
              double(weights[w]);
          e.value += product;
          e.magnitude += std::fabs(product);
        }
      }
    if (magnitudes)
      e.magnitude = magnitudes->of(n, y, x, o);
    if (c.bias) {
      e.value += bias[size_t(o)];
      e.magnitude += std::fabs(bias[size_t(o)]);
    }
    if (c.residual) {
      e.value += residual.at(n, y, x, o);
      e.magnitude += std::fabs(residual.at(n, y, x, o));
    }
    return activated(e, epilogue);
  }));

  for (int threads = 2; threads <= 3; ++threads) {
    Tensor again(outputExtents, c.outputGaps, guard);
    EXPECT_EQ(run(again, threads), macs);
    EXPECT_TRUE(output.sameBits(again))
        << threads << " threads give other bits";
  }
  if (c.residual && runsInPlace(kind, 1)) {
    EXPECT_EQ(run(residual, 2), macs);
    expectSameElements(residual, output);
  }
}

void check(const TestedTable &table, const Case &c, uint64_t seed,
           Guard guard) {
  check(table, c, seed, guard, convolutionKernel(c.shape));
}

void randomEpilogue(Random &random, Case &c) {
  c.bias = !random.oneIn(4);
  c.residual = random.oneIn(3);
  Epilogue epilogue;
  randomActivation(random, &epilogue);
  c.activation = epilogue.activation;
  c.alpha = epilogue.alpha;
  c.beta = epilogue.beta;
  c.inputGaps = randomGaps(random);
  c.outputGaps = randomGaps(random);
  c.residualGaps = randomGaps(random);
}

void randomWindow(Random &random, WindowShape &s) {
  s.kernelHeight = random.pick({1, 1, 2, 3, 3, 4, 5, 7});
  s.kernelWidth =
      random.oneIn(3) ? random.pick({1, 2, 3, 5, 7}) : s.kernelHeight;
  s.strideHeight = random.pick({1, 1, 1, 2, 3, 5});
  s.strideWidth = random.oneIn(3) ? random.pick({1, 2, 4}) : s.strideHeight;
  s.dilationHeight = random.pick({1, 1, 1, 2, 3});
  s.dilationWidth = random.oneIn(3) ? random.pick({1, 2}) : s.dilationHeight;
  const int tall = (s.kernelHeight - 1) * s.dilationHeight;
  const int wide = (s.kernelWidth - 1) * s.dilationWidth;
  s.padTop = random.between(0, tall);
  s.padBottom = random.between(0, tall);
  s.padLeft = random.between(0, wide);
  s.padRight = random.between(0, wide);
}

class ConvolutionTest : public KernelTest {};

TEST_P(ConvolutionTest, RandomShapes) {
  Random random(1);
  const std::vector<int> channels = {1,  2,  3,  4,  5,  7,  8,  9,
                                     12, 15, 16, 17, 24, 31, 32, 33,
                                     40, 48, 63, 64, 65, 100};
  for (int i = 0; i < 250 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    randomWindow(random, s);
    s.batch = random.pick({1, 1, 1, 2, 3});
    s.inputHeight = random.between(1, 12);
    s.inputWidth = random.between(1, 36);
    s.groups = random.pick({1, 1, 1, 1, 2, 3, 4});
    s.inputChannels = random.pick(channels) * s.groups;
    s.outputChannels = random.pick(channels) * s.groups;
    if (s.inputChannels * s.outputChannels / s.groups > 8000)
      s.inputChannels = s.groups * 5;
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

TEST_P(ConvolutionTest, PointwiseShapes) {
  Random random(2);
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    s.batch = random.pick({1, 1, 2});
    s.inputHeight = random.between(1, 20);
    s.inputWidth = random.between(1, 40);
    s.inputChannels = random.pick({1, 3, 16, 64, 65, 300, 600});
    s.outputChannels = random.pick({1, 10, 16, 32, 33, 64, 72});
    setOutput(s);
    randomEpilogue(random, c);
    if (random.oneIn(2))
      c.inputGaps = c.outputGaps =
          c.residualGaps = {random.between(0, 9), 0, 0};
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

/// Reductions long enough to be cut into slices in every way.
TEST_P(ConvolutionTest, LongReductions) {
  Random random(3);
  for (int i = 0; i < 40 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    s.kernelHeight = random.pick({1, 3, 3, 5});
    s.kernelWidth = random.pick({1, 3, 3, 5});
    s.padTop = s.padBottom = s.kernelHeight / 2;
    s.padLeft = s.padRight = s.kernelWidth / 2;
    s.dilationWidth = random.pick({1, 1, 2});
    s.inputHeight = random.between(1, 6);
    s.inputWidth = random.between(1, 20);
    s.inputChannels = random.pick({48, 100, 130, 257, 300, 512, 530, 1030});
    s.outputChannels = random.pick({8, 30, 32, 64, 70});
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

/// Pixels that lie a multiple of 4 KiB apart, whose blocks are smaller; with
/// outputs that fill pairs of panels, panels and parts of one.
TEST_P(ConvolutionTest, PixelsThatShareACacheSet) {
  Random random(4);
  for (int i = 0; i < 30 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    s.strideHeight = s.strideWidth = random.pick({1, 1, 2, 4});
    s.inputChannels = random.pick({1024, 2048}) / s.strideWidth;
    s.outputChannels = random.pick({10, 32, 64, 72, 100});
    s.kernelHeight = s.kernelWidth = random.pick({1, 3, 3});
    s.padTop = s.padBottom = s.kernelHeight / 2;
    s.padLeft = random.between(0, s.kernelWidth / 2);
    s.padRight = random.between(0, s.kernelWidth / 2);
    s.inputHeight = random.between(1, 5);
    s.inputWidth = random.between(3, 20);
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    c.inputGaps = Gaps();
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

/// The widths that tiles have, with padding on either, both and no side.
TEST_P(ConvolutionTest, EveryWidthAndBorder) {
  for (int width = 1; width <= 34 && !HasFatalFailure(); ++width)
    for (int sides = 0; sides < 4; ++sides) {
      Case c;
      WindowShape &s = c.shape;
      s.kernelHeight = s.kernelWidth = 3;
      s.padTop = s.padLeft = sides & 1;
      s.padBottom = s.padRight = sides >> 1;
      s.inputHeight = 4;
      s.inputWidth = width;
      s.inputChannels = 8;
      s.outputChannels = 64;
      if (!setOutput(s))
        continue;
      c.activation = Activation::LeakyRelu;
      check(GetParam(), c, uint64_t(width),
            sides % 2 ? Guard::AtStart : Guard::AtEnd);
    }
}

/// More kernel columns and rows than a slice has runs; pads beyond the kernel.
TEST_P(ConvolutionTest, LargeKernelsAndPads) {
  const int kernels[][2] = {{1, 70}, {70, 1}, {9, 9}, {11, 3}, {1, 7}};
  uint64_t seed = 0;
  for (const auto &kernel : kernels)
    for (int groups = 1; groups <= 2; ++groups)
      for (int dilation = 1; dilation <= 2; ++dilation) {
        Case c;
        WindowShape &s = c.shape;
        s.kernelHeight = kernel[0];
        s.kernelWidth = kernel[1];
        s.dilationHeight = s.dilationWidth = dilation;
        s.groups = groups;
        s.inputHeight = 5;
        s.inputWidth = 9;
        s.inputChannels = s.outputChannels = 6;
        s.padTop = s.padBottom = (s.kernelHeight - 1) * dilation + 2;
        s.padLeft = s.padRight = (s.kernelWidth - 1) * dilation + 1;
        ASSERT_TRUE(setOutput(s));
        c.residual = true;
        check(GetParam(), c, ++seed, Guard::AtEnd);
      }
}

TEST_P(ConvolutionTest, FirstLayer) {
  for (int stride = 1; stride <= 2; ++stride)
    for (int kernel = 3; kernel <= 7; kernel += 4)
      for (int outputs = 16; outputs <= 64; outputs *= 2) {
        Case c;
        WindowShape &s = c.shape;
        s.kernelHeight = s.kernelWidth = kernel;
        s.strideHeight = s.strideWidth = stride;
        s.padTop = s.padLeft = s.padBottom = s.padRight = kernel / 2;
        s.inputHeight = 20;
        s.inputWidth = 45;
        s.inputChannels = 3;
        s.outputChannels = outputs;
        ASSERT_TRUE(setOutput(s));
        c.activation = Activation::LeakyRelu;
        check(GetParam(), c, uint64_t(outputs), Guard::AtEnd);
      }
}

/// Groups that share vectors, and those that just do not.
TEST_P(ConvolutionTest, SmallGroups) {
  Random random(5);
  for (int i = 0; i < 150 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    randomWindow(random, s);
    s.batch = random.pick({1, 1, 2});
    s.inputHeight = random.between(1, 12);
    s.inputWidth = random.between(1, 30);
    s.groups = random.pick({2, 3, 5, 8, 16});
    s.inputChannels = s.groups * random.pick({2, 3, 4, 8, 16, 32});
    s.outputChannels = random.oneIn(6) ? 2 * s.inputChannels : s.inputChannels;
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

TEST_P(ConvolutionTest, RandomDepthwise) {
  Random random(4);
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    randomWindow(random, s);
    s.batch = random.pick({1, 1, 2});
    s.inputHeight = random.between(1, 16);
    s.inputWidth = random.between(1, 30);
    s.groups = s.inputChannels = s.outputChannels =
        random.pick({2, 3, 4, 7, 8, 13, 16, 17, 24, 32, 40, 49, 64});
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    check(GetParam(), c, uint64_t(i), i % 2 ? Guard::AtStart : Guard::AtEnd);
  }
}

WindowShape winogradShape(int height, int width, int inputs, int outputs) {
  WindowShape s;
  s.kernelHeight = s.kernelWidth = 3;
  s.padTop = s.padLeft = s.padBottom = s.padRight = 1;
  s.inputHeight = height;
  s.inputWidth = width;
  s.inputChannels = inputs;
  s.outputChannels = outputs;
  return s;
}

TEST_P(ConvolutionTest, RandomWinograd) {
  Random random(6);
  const std::vector<int> channels = {1,  2,  3,  5,  8,  9,  15, 16,
                                     17, 24, 31, 32, 33, 40, 64, 65};
  for (int i = 0; i < 80 && !HasFatalFailure(); ++i) {
    Case c;
    WindowShape &s = c.shape;
    s = winogradShape(random.between(1, 14), random.between(1, 22),
                      random.pick(channels), random.pick(channels));
    s.batch = random.pick({1, 1, 1, 2, 3});
    s.padTop = random.between(0, 3);
    s.padLeft = random.between(0, 3);
    s.padBottom = random.between(0, 3);
    s.padRight = random.between(0, 3);
    if (!setOutput(s))
      continue;
    randomEpilogue(random, c);
    check(GetParam(), c, uint64_t(i), alternate(i), KernelKind::Winograd);
  }
}

/// More tiles than a block has, and more input channels than a slice has. Of
/// the last shape's 785 tiles a block has 28, so one is left for two pieces.
TEST_P(ConvolutionTest, WinogradInBlocksAndSlices) {
  Random random(7);
  const WindowShape shapes[] = {
      winogradShape(27, 29, 200, 9), winogradShape(9, 18, 257, 33),
      winogradShape(37, 70, 66, 5), winogradShape(5, 5, 300, 70),
      winogradShape(20, 628, 256, 1)};
  for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); ++i) {
    Case c;
    c.shape = shapes[i];
    ASSERT_TRUE(setOutput(c.shape));
    randomEpilogue(random, c);
    check(GetParam(), c, i, alternate(int(i)), KernelKind::Winograd);
  }
}

/// Special values take the same way as in plain arithmetic.
TEST_P(ConvolutionTest, ActivationsOfSpecialValues) {
  const float infinity = INFINITY;
  for (Activation activation :
       {Activation::Relu, Activation::Relu6, Activation::LeakyRelu}) {
    Case c;
    WindowShape &s = c.shape;
    s.inputHeight = s.inputWidth = s.inputChannels = s.outputChannels = 1;
    setOutput(s);
    Tensor input({1, 1, 1, 1}, {}, Guard::AtEnd),
        output({1, 1, 1, 1}, {}, Guard::AtEnd);
    Packed packed(packedConvolutionBytes(target(), s), Guard::AtEnd);
    const float one = 1.0f;
    packConvolution(target(), s, &one, packed.data());
    Epilogue epilogue;
    epilogue.activation = activation;
    epilogue.alpha = 0.5f;
    for (float value : {infinity, -infinity, NAN, 7.0f, -2.0f}) {
      input.at(0, 0, 0, 0) = value;
      kernels().convolution(s, input.view, packed.data(), epilogue, output.view,
                            nullptr, poolOf(1));
      const float actual = output.at(0, 0, 0, 0);
      if (std::isnan(value))
        EXPECT_TRUE(std::isnan(actual));
      else
        EXPECT_EQ(actual, activate(value, activation, 0.5f)) << value;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ConvolutionTest,
                         ::testing::ValuesIn(testedTables()), tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
