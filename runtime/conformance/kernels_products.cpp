// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transposed convolutions and products of matrices against plain double loops.
#include "kernels_support.h"

#include <cmath>
#include <sstream>

namespace snug {
namespace runtime {
namespace test {
namespace {

class TransposedConvolutionTest : public KernelTest {};

/// Any kernel, stride, dilation and groups, whole or as a tile: outputs that
/// begin and end anywhere, also where no input reaches.
TEST_P(TransposedConvolutionTest, RandomShapes) {
  Random random(41);
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) {
    WindowShape s;
    s.batch = random.pick({1, 1, 2});
    s.inputHeight = random.between(1, 8);
    s.inputWidth = random.between(1, 14);
    s.groups = random.pick({1, 1, 1, 2, 3, 8});
    s.inputChannels = s.groups * random.pick({1, 2, 3, 4, 9});
    s.outputChannels = s.groups * random.pick({1, 2, 3, 4, 17});
    if (random.oneIn(4)) // groups that share vectors, depthwise
      s.outputChannels = s.inputChannels;
    if (i % 40 == 0) { // reductions of several slices
      s.groups = 1;
      s.inputChannels = 300;
      s.outputChannels = 40;
    }
    s.kernelHeight = random.pick({1, 2, 2, 3, 4, 5});
    s.kernelWidth = random.oneIn(3) ? random.pick({1, 3, 7}) : s.kernelHeight;
    s.strideHeight = random.pick({1, 2, 2, 2, 3, 4});
    s.strideWidth = random.oneIn(3) ? random.pick({1, 2, 3}) : s.strideHeight;
    s.dilationHeight = random.pick({1, 1, 1, 2, 3});
    s.dilationWidth = random.oneIn(3) ? random.pick({1, 2}) : s.dilationHeight;
    const int reachHeight = (s.inputHeight - 1) * s.strideHeight +
                            (s.kernelHeight - 1) * s.dilationHeight + 1;
    const int reachWidth = (s.inputWidth - 1) * s.strideWidth +
                           (s.kernelWidth - 1) * s.dilationWidth + 1;
    // Pads crop, output padding adds; tiles begin before and after.
    const TransposedOffsets offsets = {random.between(-3, reachHeight - 1),
                                       random.between(-3, reachWidth - 1)};
    s.outputHeight = random.between(1, reachHeight - offsets.row + 2);
    s.outputWidth = random.between(1, reachWidth - offsets.column + 2);
    std::ostringstream trace;
    trace << i << ": input " << s.inputHeight << "x" << s.inputWidth << "x"
          << s.inputChannels << " output " << s.outputHeight << "x"
          << s.outputWidth << "x" << s.outputChannels << " kernel "
          << s.kernelHeight << "x" << s.kernelWidth << " stride "
          << s.strideHeight << "x" << s.strideWidth << " dilation "
          << s.dilationHeight << "x" << s.dilationWidth << " groups "
          << s.groups << " offsets " << offsets.row << "," << offsets.column;
    SCOPED_TRACE(trace.str());

    Tensor input({s.batch, s.inputHeight, s.inputWidth, s.inputChannels},
                 randomGaps(random), alternate(i));
    input.fill(random);
    const int inputs = s.inputChannels / s.groups;
    const int outputs = s.outputChannels / s.groups;
    const int taps = s.kernelHeight * s.kernelWidth;
    std::vector<float> filter(size_t(s.inputChannels) * outputs * taps);
    for (float &w : filter)
      w = random.value();
    std::vector<float> bias(size_t(s.outputChannels));
    for (float &b : bias)
      b = random.value();
    Packed packed(packedTransposedConvolutionBytes(target(), s), alternate(i));
    packTransposedConvolution(target(), s, filter.data(), packed.data());
    Packed packedBias(packedBiasBytes(s.outputChannels), alternate(i));
    packBias(s.outputChannels, bias.data(), packedBias.data());
    Epilogue epilogue;
    randomActivation(random, &epilogue);
    const bool hasBias = !random.oneIn(4);
    epilogue.bias = hasBias ? packedBias.data() : nullptr;
    uint64_t macs = 0;
    Tensor output = runWithThreads(
        {s.batch, s.outputHeight, s.outputWidth, s.outputChannels},
        randomGaps(random), alternate(i), [&](Tensor &o, ThreadPool &p) {
          macs = kernels().transposedConvolution(
              s, offsets, input.view, packed.data(), epilogue, o.view, p);
        });
    EXPECT_EQ(macs % uint64_t(output.view.batch * s.outputHeight *
                              s.outputWidth * s.outputChannels),
              0u);

    ASSERT_TRUE(
        matches(output, taps * inputs + 1, [&](int n, int y, int x, int o) {
          Expected sum = {hasBias ? double(bias[size_t(o)]) : 0.0, 1.0};
          const int group = o / outputs;
          for (int iy = 0; iy < s.inputHeight; ++iy)
            for (int ky = 0; ky < s.kernelHeight; ++ky) {
              if (iy * s.strideHeight + ky * s.dilationHeight - offsets.row !=
                  y)
                continue;
              for (int ix = 0; ix < s.inputWidth; ++ix)
                for (int kx = 0; kx < s.kernelWidth; ++kx) {
                  if (ix * s.strideWidth + kx * s.dilationWidth -
                          offsets.column !=
                      x)
                    continue;
                  for (int k = 0; k < inputs; ++k) {
                    const int channel = group * inputs + k;
                    const size_t w = size_t(
                        ((channel * outputs + o % outputs) * s.kernelHeight +
                         ky) *
                            s.kernelWidth +
                        kx);
                    const double product =
                        double(input.at(n, iy, ix, channel)) *
                        double(filter[w]);
                    sum.value += product;
                    sum.magnitude += std::fabs(product);
                  }
                }
            }
          return activated(sum, epilogue);
        }));
  }
}

/// What it reports: the most taps that an output has.
TEST_P(TransposedConvolutionTest, MultiplyAccumulates) {
  const auto taps = [&](int kernel, int stride, int dilation) {
    WindowShape s;
    s.inputHeight = s.inputWidth = 3;
    s.outputHeight = s.outputWidth = 4;
    s.inputChannels = 5;
    s.outputChannels = 2;
    s.kernelHeight = s.kernelWidth = kernel;
    s.strideHeight = s.strideWidth = stride;
    s.dilationHeight = s.dilationWidth = dilation;
    Tensor input({1, 3, 3, 5}, {}, Guard::AtEnd);
    Tensor output({1, 4, 4, 2}, {}, Guard::AtEnd);
    Random random(1);
    input.fill(random);
    std::vector<float> filter(size_t(5 * 2 * kernel * kernel));
    Packed packed(packedTransposedConvolutionBytes(target(), s), Guard::AtEnd);
    packTransposedConvolution(target(), s, filter.data(), packed.data());
    return kernels().transposedConvolution(s, {0, 0}, input.view, packed.data(),
                                           Epilogue(), output.view, poolOf(1)) /
           (4 * 4 * 2 * 5);
  };
  EXPECT_EQ(taps(2, 2, 1), 1u);
  EXPECT_EQ(taps(4, 2, 1), 4u);
  EXPECT_EQ(taps(3, 2, 1), 4u);
  EXPECT_EQ(taps(3, 1, 1), 9u);
  EXPECT_EQ(taps(3, 2, 2), 9u); // every second output has none
}

INSTANTIATE_TEST_SUITE_P(Targets, TransposedConvolutionTest,
                         ::testing::ValuesIn(testedTables()), tableName);

class MatMulTest : public KernelTest {};

TEST_P(MatMulTest, AnyStrides) {
  Random random(42);
  for (int i = 0; i < 120 && !HasFatalFailure(); ++i) {
    const int batch = random.pick({1, 1, 2, 3});
    const int rows = random.pick({1, 2, 5, 16, 33, 300});
    const int columns = random.pick({1, 3, 16, 17, 40, 64, 100});
    const int depth = random.pick({1, 2, 7, 64, 255, 256, 300, 600});
    const bool leftOnce = random.oneIn(4), rightOnce = random.oneIn(4);
    // Rows side by side, columns side by side (transposed), or any order.
    const auto make = [&](const Extents &e, Random &by) {
      const int gap = by.pick({0, 0, 5});
      const int straight[4] = {0, 1, 2, 3}, transposed[4] = {0, 2, 1, 3};
      switch (by.between(0, 2)) {
      case 0:
        return Tensor::ordered(e, straight, gap, alternate(i));
      case 1:
        return Tensor::ordered(e, transposed, gap, alternate(i));
      default:
        return Tensor::random(e, by, alternate(i));
      }
    };
    Tensor left = make({leftOnce ? 1 : batch, rows, depth, 1}, random);
    Tensor right = make({rightOnce ? 1 : batch, depth, columns, 1}, random);
    left.fill(random);
    right.fill(random);
    const uint64_t seed = random.next();
    Tensor output = runWithThreads(
        [&] {
          Random again(seed);
          return make({batch, rows, columns, 1}, again);
        },
        [&](Tensor &o, ThreadPool &p) {
          EXPECT_EQ(kernels().matMul(left.view, right.view, o.view, p),
                    uint64_t(batch) * uint64_t(rows) * uint64_t(columns) *
                        uint64_t(depth));
        });
    ASSERT_TRUE(matches(output, depth,
                        [&](int n, int y, int x, int) {
                          Expected sum = {0, 0};
                          for (int k = 0; k < depth; ++k) {
                            const double product =
                                double(left.at(leftOnce ? 0 : n, y, k, 0)) *
                                double(right.at(rightOnce ? 0 : n, k, x, 0));
                            sum.value += product;
                            sum.magnitude += std::fabs(product);
                          }
                          return sum;
                        }))
        << i << ": " << rows << "x" << depth << " by " << columns;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, MatMulTest,
                         ::testing::ValuesIn(testedTables()), tableName);

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
