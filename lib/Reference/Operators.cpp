// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of the reference executor: plain loops, double accumulation.
#include "Operators.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace snug::reference {
namespace {

/// Calls `body(n, c, h, w)` for each element of an image, in memory order.
template <typename Body>
void forEachElement(const std::vector<int64_t> &shape, Body body) {
  for (int64_t n = 0; n < shape[0]; ++n)
    for (int64_t c = 0; c < shape[1]; ++c)
      for (int64_t h = 0; h < shape[2]; ++h)
        for (int64_t w = 0; w < shape[3]; ++w)
          body(n, c, h, w);
}

/// Calls `body(ky, kx, h, w)` for each tap (ky, kx) of the window at output
/// (y, x) that lies at (h, w) inside the input.
template <typename Body>
void forEachTap(const Window &window, const std::vector<int64_t> &inputShape,
                int64_t y, int64_t x, Body body) {
  for (int64_t ky = 0; ky < window.kernel[0]; ++ky) {
    int64_t h =
        y * window.strides[0] + ky * window.dilations[0] - window.pads[0];
    if (h < 0 || h >= inputShape[2])
      continue;
    for (int64_t kx = 0; kx < window.kernel[1]; ++kx) {
      int64_t w =
          x * window.strides[1] + kx * window.dilations[1] - window.pads[1];
      if (w >= 0 && w < inputShape[3])
        body(ky, kx, h, w);
    }
  }
}

int64_t product(const std::vector<int64_t> &shape, size_t begin, size_t end) {
  int64_t result = 1;
  for (size_t axis = begin; axis < end; ++axis)
    result *= shape[axis];
  return result;
}

} // namespace

int64_t Tensor::elements() const { return product(shape, 0, shape.size()); }

Tensor makeTensor(std::vector<int64_t> shape, std::vector<float> elements) {
  auto owned = std::make_shared<const std::vector<float>>(std::move(elements));
  const float *data = owned->data();
  return {std::move(shape), std::move(owned), data};
}

double activate(double value, Activation activation, double slope) {
  switch (activation) {
  case Activation::None:
    return value;
  case Activation::Relu:
    return value < 0 ? 0 : value;
  case Activation::LeakyRelu:
    return value < 0 ? slope * value : value;
  case Activation::Relu6:
    return value < 0 ? 0 : value > 6 ? 6 : value;
  }
  return value;
}

Tensor conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias,
              const Tensor *residual, const Window &window, int64_t groups,
              Activation activation, double slope,
              std::vector<int64_t> resultShape) {
  const int64_t inputsPerGroup = filter.shape[1];
  const int64_t outputsPerGroup = filter.shape[0] / groups;
  std::vector<float> result;
  result.reserve(product(resultShape, 0, 4));
  forEachElement(resultShape, [&](int64_t n, int64_t o, int64_t y, int64_t x) {
    const int64_t firstChannel = o / outputsPerGroup * inputsPerGroup;
    double sum = 0;
    forEachTap(window, input.shape, y, x,
               [&](int64_t ky, int64_t kx, int64_t h, int64_t w) {
                 for (int64_t c = 0; c < inputsPerGroup; ++c)
                   sum += double(input.at(n, firstChannel + c, h, w)) *
                          filter.at(o, c, ky, kx);
               });
    if (bias)
      sum += bias->data[o];
    if (residual)
      sum += residual->at(n, o, y, x);
    result.push_back(static_cast<float>(activate(sum, activation, slope)));
  });
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor maxPool2d(const Tensor &input, const Window &window,
                 std::vector<int64_t> resultShape) {
  std::vector<float> result;
  result.reserve(product(resultShape, 0, 4));
  forEachElement(resultShape, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
    float largest = -std::numeric_limits<float>::infinity();
    forEachTap(window, input.shape, y, x,
               [&](int64_t, int64_t, int64_t h, int64_t w) {
                 largest = std::max(largest, input.at(n, c, h, w));
               });
    result.push_back(largest);
  });
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor avgPool2d(const Tensor &input, const Window &window,
                 bool countIncludePad, std::vector<int64_t> resultShape) {
  std::vector<float> result;
  result.reserve(product(resultShape, 0, 4));
  forEachElement(resultShape, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
    double sum = 0;
    int64_t inside = 0;
    forEachTap(window, input.shape, y, x,
               [&](int64_t, int64_t, int64_t h, int64_t w) {
                 sum += input.at(n, c, h, w);
                 ++inside;
               });
    const int64_t count =
        countIncludePad ? window.kernel[0] * window.kernel[1] : inside;
    result.push_back(static_cast<float>(sum / double(count)));
  });
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor globalAvgPool(const Tensor &input) {
  const int64_t pixels = input.shape[2] * input.shape[3];
  std::vector<float> result;
  for (int64_t channel = 0; channel < input.shape[0] * input.shape[1];
       ++channel) {
    double sum = 0;
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      sum += input.data[channel * pixels + pixel];
    result.push_back(static_cast<float>(sum / double(pixels)));
  }
  return makeTensor({input.shape[0], input.shape[1], 1, 1}, std::move(result));
}

Tensor batchNorm(const Tensor &input, const Tensor &scale, const Tensor &shift,
                 const Tensor &mean, const Tensor &variance, double epsilon) {
  const int64_t channels = input.shape[1];
  const int64_t behind = product(input.shape, 2, input.shape.size());
  std::vector<float> result(input.elements());
  for (int64_t index = 0; index < input.elements(); ++index) {
    const int64_t c = index / behind % channels;
    const double deviation = std::sqrt(double(variance.data[c]) + epsilon);
    const double normal =
        (double(input.data[index]) - mean.data[c]) / deviation;
    result[index] = static_cast<float>(scale.data[c] * normal + shift.data[c]);
  }
  return makeTensor(input.shape, std::move(result));
}

Tensor unary(const Tensor &input, Activation activation, double slope) {
  std::vector<float> result(input.elements());
  for (int64_t index = 0; index < input.elements(); ++index)
    result[index] =
        static_cast<float>(activate(input.data[index], activation, slope));
  return makeTensor(input.shape, std::move(result));
}

Tensor add(const Tensor &left, const Tensor &right) {
  std::vector<float> result(left.elements());
  for (int64_t index = 0; index < left.elements(); ++index)
    result[index] =
        static_cast<float>(double(left.data[index]) + right.data[index]);
  return makeTensor(left.shape, std::move(result));
}

Tensor gemm(const Tensor &input, const Tensor &weight, const Tensor *bias,
            bool transposeWeight, Activation activation, double slope) {
  const int64_t rows = input.shape[0], depth = input.shape[1];
  const int64_t columns = weight.shape[transposeWeight ? 0 : 1];
  std::vector<float> result(rows * columns);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      double sum = bias ? bias->data[column] : 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += double(input.data[row * depth + k]) *
               weight.data[transposeWeight ? column * depth + k
                                           : k * columns + column];
      result[row * columns + column] =
          static_cast<float>(activate(sum, activation, slope));
    }
  return makeTensor({rows, columns}, std::move(result));
}

Tensor softmax(const Tensor &input, int64_t axis) {
  const int64_t before = product(input.shape, 0, axis);
  const int64_t extent = input.shape[axis];
  const int64_t behind = product(input.shape, axis + 1, input.shape.size());
  std::vector<float> result(input.elements());
  for (int64_t outer = 0; outer < before; ++outer)
    for (int64_t inner = 0; inner < behind; ++inner) {
      const auto index = [&](int64_t k) {
        return (outer * extent + k) * behind + inner;
      };
      // The largest is subtracted first, so that no exponential overflows.
      double largest = -std::numeric_limits<double>::infinity();
      for (int64_t k = 0; k < extent; ++k)
        largest = std::max(largest, double(input.data[index(k)]));
      double sum = 0;
      for (int64_t k = 0; k < extent; ++k)
        sum += std::exp(input.data[index(k)] - largest);
      for (int64_t k = 0; k < extent; ++k)
        result[index(k)] =
            static_cast<float>(std::exp(input.data[index(k)] - largest) / sum);
    }
  return makeTensor(input.shape, std::move(result));
}

} // namespace snug::reference
