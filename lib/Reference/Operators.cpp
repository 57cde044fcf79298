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

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// log(exp(x) + 1), without overflow.
static double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

static double clamp(double x, double lower, double upper) {
  return std::min(std::max(x, lower), upper);
}

double activate(double x, const Epilogue &epilogue) {
  const double alpha = epilogue.alpha, beta = epilogue.beta;
  switch (epilogue.activation) {
  case Activation::None:
    return x;
  case Activation::Relu:
    return x < 0 ? 0 : x;
  case Activation::LeakyRelu:
    return x < 0 ? alpha * x : x;
  case Activation::Relu6:
    return clamp(x, 0, 6);
  case Activation::Clip:
    return clamp(x, alpha, beta);
  case Activation::Sigmoid:
    return sigmoid(x);
  case Activation::Silu:
    return x * sigmoid(x);
  case Activation::HardSigmoid:
    return clamp(alpha * x + beta, 0, 1);
  case Activation::HardSwish:
    return x * clamp(x / 6 + 0.5, 0, 1);
  case Activation::Tanh:
    return std::tanh(x);
  case Activation::Elu:
    return x < 0 ? alpha * std::expm1(x) : x;
  case Activation::Exp:
    return std::exp(x);
  case Activation::Log:
    return std::log(x);
  case Activation::Sqrt:
    return std::sqrt(x);
  case Activation::Abs:
    return std::abs(x);
  case Activation::Neg:
    return -x;
  case Activation::Reciprocal:
    return 1 / x;
  case Activation::Floor:
    return std::floor(x);
  case Activation::Ceil:
    return std::ceil(x);
  case Activation::Erf:
    return std::erf(x);
  case Activation::Gelu:
    return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  case Activation::Softplus:
    return softplus(x);
  case Activation::Mish:
    return x * std::tanh(softplus(x));
  }
  return x;
}

Tensor conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias,
              const Tensor *residual, const Window &window, int64_t groups,
              const Epilogue &epilogue, std::vector<int64_t> resultShape) {
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
    result.push_back(static_cast<float>(activate(sum, epilogue)));
  });
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor convTranspose2d(const Tensor &input, const Tensor &filter,
                       const Tensor *bias, const Window &window, int64_t groups,
                       const Epilogue &epilogue,
                       std::vector<int64_t> resultShape) {
  const int64_t inputsPerGroup = input.shape[1] / groups;
  const int64_t outputsPerGroup = filter.shape[1];
  const auto at = [&](int64_t n, int64_t o, int64_t y, int64_t x) {
    return ((n * resultShape[1] + o) * resultShape[2] + y) * resultShape[3] + x;
  };
  std::vector<double> sums(product(resultShape, 0, 4));
  forEachElement(input.shape, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    for (int64_t ky = 0; ky < window.kernel[0]; ++ky)
      for (int64_t kx = 0; kx < window.kernel[1]; ++kx) {
        const int64_t y =
            h * window.strides[0] + ky * window.dilations[0] - window.pads[0];
        const int64_t x =
            w * window.strides[1] + kx * window.dilations[1] - window.pads[1];
        if (y < 0 || y >= resultShape[2] || x < 0 || x >= resultShape[3])
          continue;
        for (int64_t o = 0; o < outputsPerGroup; ++o)
          sums[at(n, c / inputsPerGroup * outputsPerGroup + o, y, x)] +=
              double(input.at(n, c, h, w)) * filter.at(c, o, ky, kx);
      }
  });
  std::vector<float> result;
  result.reserve(sums.size());
  forEachElement(resultShape, [&](int64_t n, int64_t o, int64_t y, int64_t x) {
    const double sum = sums[at(n, o, y, x)] + (bias ? bias->data[o] : 0.0);
    result.push_back(static_cast<float>(activate(sum, epilogue)));
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
    int64_t counted = 1;
    for (int axis : {0, 1}) {
      // Of the window, what lies within the input and its pads.
      const int64_t begin =
          (axis == 0 ? y : x) * window.strides[axis] - window.pads[axis];
      counted *= std::min(begin + window.kernel[axis],
                          input.shape[2 + axis] + window.pads[2 + axis]) -
                 begin;
    }
    result.push_back(
        static_cast<float>(sum / double(countIncludePad ? counted : inside)));
  });
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor reduce(const Tensor &input, cnn::ReduceKind kind,
              const std::vector<int64_t> &axes,
              std::vector<int64_t> resultShape) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double neutral = kind == cnn::ReduceKind::Max   ? -infinity
                         : kind == cnn::ReduceKind::Min ? infinity
                                                        : 0.0;
  const int64_t results = product(resultShape, 0, resultShape.size());
  std::vector<double> accumulated(results, neutral);
  for (int64_t index = 0; index < input.elements(); ++index) {
    // The place in the result: as in the input, without the axes.
    int64_t rest = index, place = 0, stride = 1;
    for (int64_t axis = int64_t(input.shape.size()) - 1; axis >= 0; --axis) {
      const int64_t coordinate = rest % input.shape[axis];
      rest /= input.shape[axis];
      if (std::find(axes.begin(), axes.end(), axis) != axes.end())
        continue;
      place += coordinate * stride;
      stride *= input.shape[axis];
    }
    const double value = input.data[index];
    double &sum = accumulated[place];
    if (kind == cnn::ReduceKind::Max)
      sum = std::max(sum, value);
    else if (kind == cnn::ReduceKind::Min)
      sum = std::min(sum, value);
    else
      sum += value;
  }
  const double count =
      kind == cnn::ReduceKind::Mean ? double(input.elements() / results) : 1.0;
  std::vector<float> result;
  for (double value : accumulated)
    result.push_back(static_cast<float>(value / count));
  return makeTensor(std::move(resultShape), std::move(result));
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

Tensor unary(const Tensor &input, const Epilogue &epilogue) {
  std::vector<float> result(input.elements());
  for (int64_t index = 0; index < input.elements(); ++index)
    result[index] = static_cast<float>(activate(input.data[index], epilogue));
  return makeTensor(input.shape, std::move(result));
}

static double apply(cnn::BinaryKind kind, double left, double right) {
  switch (kind) {
  case cnn::BinaryKind::Add:
    return left + right;
  case cnn::BinaryKind::Sub:
    return left - right;
  case cnn::BinaryKind::Mul:
    return left * right;
  case cnn::BinaryKind::Div:
    return left / right;
  case cnn::BinaryKind::Max:
    return std::max(left, right);
  case cnn::BinaryKind::Min:
    return std::min(left, right);
  case cnn::BinaryKind::Pow:
    return std::pow(left, right);
  case cnn::BinaryKind::Prelu:
    return left < 0 ? left * right : left;
  }
  return left;
}

/// Where element `index` of a tensor of `shape` lies in one that is broadcast
/// to it.
static int64_t broadcastIndex(int64_t index, const std::vector<int64_t> &shape,
                              const std::vector<int64_t> &operand) {
  int64_t place = 0, stride = 1;
  for (size_t behind = 1; behind <= operand.size(); ++behind) {
    const int64_t coordinate = index % shape[shape.size() - behind];
    index /= shape[shape.size() - behind];
    const int64_t extent = operand[operand.size() - behind];
    place += (extent == 1 ? 0 : coordinate) * stride;
    stride *= extent;
  }
  return place;
}

Tensor binary(const Tensor &left, const Tensor &right, cnn::BinaryKind kind,
              const Epilogue &epilogue, std::vector<int64_t> resultShape) {
  std::vector<float> result(product(resultShape, 0, resultShape.size()));
  for (size_t index = 0; index < result.size(); ++index) {
    const double a =
        left.data[broadcastIndex(int64_t(index), resultShape, left.shape)];
    const double b =
        right.data[broadcastIndex(int64_t(index), resultShape, right.shape)];
    result[index] = static_cast<float>(activate(apply(kind, a, b), epilogue));
  }
  return makeTensor(std::move(resultShape), std::move(result));
}

Tensor gemm(const Tensor &input, const Tensor &weight, const Tensor *bias,
            bool transposeWeight, const Epilogue &epilogue) {
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
          static_cast<float>(activate(sum, epilogue));
    }
  return makeTensor({rows, columns}, std::move(result));
}

Tensor matmul(const Tensor &left, const Tensor &right,
              std::vector<int64_t> resultShape) {
  const size_t rank = resultShape.size();
  const int64_t rows = resultShape[rank - 2], columns = resultShape[rank - 1];
  const int64_t depth = left.shape.back();
  const std::vector<int64_t> batch(resultShape.begin(), resultShape.end() - 2);
  const std::vector<int64_t> leftBatch(left.shape.begin(),
                                       left.shape.end() - 2);
  const std::vector<int64_t> rightBatch(right.shape.begin(),
                                        right.shape.end() - 2);
  std::vector<float> result;
  for (int64_t matrix = 0; matrix < product(batch, 0, batch.size()); ++matrix) {
    const float *a =
        left.data + broadcastIndex(matrix, batch, leftBatch) * rows * depth;
    const float *b = right.data + broadcastIndex(matrix, batch, rightBatch) *
                                      depth * columns;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += double(a[row * depth + k]) * b[k * columns + column];
        result.push_back(static_cast<float>(sum));
      }
  }
  return makeTensor(std::move(resultShape), std::move(result));
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

Tensor lrn(const Tensor &input, int64_t size, double alpha, double beta,
           double bias) {
  const int64_t before = (size - 1) / 2, behind = size - 1 - before;
  const int64_t channels = input.shape[1];
  std::vector<float> result;
  forEachElement(input.shape, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    double sum = 0;
    for (int64_t k = std::max<int64_t>(0, c - before);
         k <= std::min(channels - 1, c + behind); ++k)
      sum += double(input.at(n, k, h, w)) * input.at(n, k, h, w);
    result.push_back(
        static_cast<float>(input.at(n, c, h, w) /
                           std::pow(bias + alpha / double(size) * sum, beta)));
  });
  return makeTensor(input.shape, std::move(result));
}

} // namespace snug::reference
