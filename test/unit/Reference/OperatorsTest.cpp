// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tests of the reference operators against numbers worked out by hand.
#include "lib/Reference/Operators.h"

#include "gtest/gtest.h"

#include <cmath>
#include <vector>

using namespace snug::reference;

namespace {

std::vector<float> elements(const Tensor &tensor) {
  return {tensor.data, tensor.data + tensor.elements()};
}

/// 1, 2, 3, ... under a shape.
Tensor counting(std::vector<int64_t> shape) {
  Tensor tensor{shape, nullptr, nullptr};
  std::vector<float> values(tensor.elements());
  for (size_t index = 0; index < values.size(); ++index)
    values[index] = float(index + 1);
  return makeTensor(std::move(shape), std::move(values));
}

TEST(Activate, KeepsItsDefinition) {
  EXPECT_EQ(activate(-2, {Activation::None, 0.5}), -2);
  EXPECT_EQ(activate(-2, {Activation::Relu, 0.5}), 0);
  EXPECT_EQ(activate(-2, {Activation::LeakyRelu, 0.5}), -1);
  EXPECT_EQ(activate(3, {Activation::LeakyRelu, 0.5}), 3);
  EXPECT_EQ(activate(-2, {Activation::Relu6, 0.5}), 0);
  EXPECT_EQ(activate(5, {Activation::Relu6, 0.5}), 5);
  EXPECT_EQ(activate(7, {Activation::Relu6, 0.5}), 6);
}

TEST(Conv2D, PadsAreZeroAndAsymmetric) {
  // 1 2 3
  // 4 5 6   under a 2x2 filter 1 2 / 3 4, one row above, one column right.
  Window window;
  window.kernel[0] = window.kernel[1] = 2;
  window.pads[0] = 1; // top
  window.pads[3] = 1; // right
  Tensor result = conv2d(counting({1, 1, 2, 3}), counting({1, 1, 2, 2}),
                         nullptr, nullptr, window, 1, {}, {1, 1, 2, 3});
  // Row 0 sees 0 0 / 1 2: 3*1 + 4*2, 3*2 + 4*3, 3*3; row 1 sees both rows.
  EXPECT_EQ(elements(result), (std::vector<float>{11, 18, 9, 37, 47, 21}));
}

TEST(Conv2D, StridesAndDilationsDifferByAxis) {
  // Of a 4x5 image of 1 to 20, taps two columns apart, every second row.
  Window window;
  window.kernel[1] = 2;
  window.strides[0] = 2;
  window.dilations[1] = 3;
  Tensor result = conv2d(counting({1, 1, 4, 5}), counting({1, 1, 1, 2}),
                         nullptr, nullptr, window, 1, {}, {1, 1, 2, 2});
  // Rows 0 and 2, x(c) + 2 * x(c + 3): 1 + 8, 2 + 10, 11 + 28, 12 + 30.
  EXPECT_EQ(elements(result), (std::vector<float>{9, 12, 39, 42}));
}

TEST(Conv2D, GroupsBiasResidualAndActivation) {
  // Two images of four channels and one pixel, two groups of two channels into
  // one output each.
  Tensor input = counting({2, 4, 1, 1});
  Tensor filter = makeTensor({2, 2, 1, 1}, {1, -1, 2, 0.5f});
  Tensor bias = makeTensor({2}, {-3, 10});
  Tensor residual = makeTensor({2, 2, 1, 1}, {0, 1, 2, 3});
  Tensor result = conv2d(input, filter, &bias, &residual, Window(), 2,
                         {Activation::LeakyRelu, 0.25}, {2, 2, 1, 1});
  // 1 - 2 - 3 + 0 = -4; 6 + 2 + 10 + 1 = 19; 5 - 6 - 3 + 2 = -2; 14 + 4 + 13.
  EXPECT_EQ(elements(result), (std::vector<float>{-1, 19, -0.5f, 31}));
}

TEST(Conv2D, SumsInDouble) {
  // In float the ones would vanish beside 2^25.
  Tensor input = makeTensor({1, 4, 1, 1}, {33554432.0f, 1, 1, -33554432.0f});
  Tensor filter = makeTensor({1, 4, 1, 1}, {1, 1, 1, 1});
  Tensor result =
      conv2d(input, filter, nullptr, nullptr, Window(), 1, {}, {1, 1, 1, 1});
  EXPECT_EQ(elements(result), (std::vector<float>{2}));
}

TEST(MaxPool2D, PaddingNeverWins) {
  Tensor input = makeTensor({1, 1, 2, 2}, {-4, -3, -2, -1});
  Window window;
  window.kernel[0] = window.kernel[1] = 2;
  window.pads[0] = window.pads[1] = window.pads[2] = window.pads[3] = 1;
  EXPECT_EQ(elements(maxPool2d(input, window, {1, 1, 3, 3})),
            (std::vector<float>{-4, -3, -3, -2, -1, -1, -2, -1, -1}));
}

TEST(MaxPool2D, DilatedTaps) {
  // Corners of a 3x3 image.
  Window window;
  window.kernel[0] = window.kernel[1] = 2;
  window.dilations[0] = window.dilations[1] = 2;
  Tensor input = makeTensor({1, 1, 3, 3}, {1, 9, 2, 9, 9, 9, 3, 9, 4});
  EXPECT_EQ(elements(maxPool2d(input, window, {1, 1, 1, 1})),
            (std::vector<float>{4}));
}

TEST(AvgPool2D, CountsWhatItIsTold) {
  // One column of 6, 12; windows of three rows with one row of padding.
  Tensor input = makeTensor({1, 1, 2, 1}, {6, 12});
  Window window;
  window.kernel[0] = 3;
  window.pads[0] = window.pads[2] = 1;
  EXPECT_EQ(elements(avgPool2d(input, window, false, {1, 1, 2, 1})),
            (std::vector<float>{9, 9}));
  EXPECT_EQ(elements(avgPool2d(input, window, true, {1, 1, 2, 1})),
            (std::vector<float>{6, 6}));
}

TEST(Reduce, IsTheMeanOfEachChannel) {
  Tensor result = reduce(counting({2, 2, 1, 2}), snug::cnn::ReduceKind::Mean,
                         {2, 3}, {2, 2, 1, 1});
  EXPECT_EQ(result.shape, (std::vector<int64_t>{2, 2, 1, 1}));
  EXPECT_EQ(elements(result), (std::vector<float>{1.5f, 3.5f, 5.5f, 7.5f}));
}

TEST(BatchNorm, TakesTheParametersOfItsChannel) {
  Tensor input = counting({2, 2, 1, 1});
  Tensor scale = makeTensor({2}, {2, 4}), shift = makeTensor({2}, {1, -1});
  Tensor mean = makeTensor({2}, {1, 2}), variance = makeTensor({2}, {3, 15});
  // Deviations 2 and 4: 2 * (1 - 1) / 2 + 1, 4 * (2 - 2) / 4 - 1, ...
  EXPECT_EQ(elements(batchNorm(input, scale, shift, mean, variance, 1.0)),
            (std::vector<float>{1, -1, 3, 1}));
  // A matrix has its channels last.
  EXPECT_EQ(
      elements(batchNorm(counting({2, 2}), scale, shift, mean, variance, 1.0)),
      (std::vector<float>{1, -1, 3, 1}));
}

TEST(Gemm, BothWaysToHoldTheWeights) {
  Tensor input = counting({2, 3}); // 1 2 3 / 4 5 6
  Tensor bias = makeTensor({2}, {0, -40});
  // 1 2 / 3 4 / 5 6
  Tensor result =
      gemm(input, counting({3, 2}), &bias, false, {Activation::Relu});
  EXPECT_EQ(elements(result), (std::vector<float>{22, 0, 49, 24}));
  // Rows 1 2 3 and 4 5 6 as columns.
  result = gemm(input, counting({2, 3}), nullptr, true, {});
  EXPECT_EQ(elements(result), (std::vector<float>{14, 32, 32, 77}));
}

TEST(Softmax, AlongAnyAxisAndWithoutOverflow) {
  Tensor input =
      makeTensor({1, 2, 2}, {1000, 1000, 1000, 1000 + std::log(3.0f)});
  std::vector<float> along1 = elements(softmax(input, 1));
  EXPECT_FLOAT_EQ(along1[0], 0.5f);
  EXPECT_FLOAT_EQ(along1[2], 0.5f);
  EXPECT_NEAR(along1[1], 0.25f, 1e-5);
  EXPECT_NEAR(along1[3], 0.75f, 1e-5);
  std::vector<float> along2 = elements(softmax(input, 2));
  EXPECT_FLOAT_EQ(along2[0], 0.5f);
  EXPECT_NEAR(along2[2], 0.25f, 1e-5);
}

TEST(Elementwise, UnaryAndAdd) {
  Tensor input = makeTensor({3}, {-1, 2, 8});
  EXPECT_EQ(elements(unary(input, {Activation::Relu6})),
            (std::vector<float>{0, 2, 6}));
  EXPECT_EQ(elements(binary(input, counting({3}), snug::cnn::BinaryKind::Add,
                            {}, {3})),
            (std::vector<float>{0, 4, 11}));
}

} // namespace
