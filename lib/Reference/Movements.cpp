// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reference operators that copy elements to other places, and resize.
#include "Operators.h"

#include <algorithm>
#include <cmath>

namespace snug::reference {
namespace {

using Index = std::vector<int64_t>;

int64_t offsetOf(const Index &index, const std::vector<int64_t> &shape) {
  int64_t offset = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    offset = offset * shape[axis] + index[axis];
  return offset;
}

/// A tensor of `shape` whose element at each index is `element(index)`.
template <typename Element>
Tensor generate(std::vector<int64_t> shape, Element element) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<float> result;
  result.reserve(count);
  Index index(shape.size());
  for (int64_t place = 0; place < count; ++place) {
    int64_t rest = place;
    for (size_t axis = shape.size(); axis-- > 0;) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    result.push_back(element(index));
  }
  return makeTensor(std::move(shape), std::move(result));
}

} // namespace

Tensor transpose(const Tensor &input, const std::vector<int64_t> &permutation,
                 std::vector<int64_t> resultShape) {
  return generate(std::move(resultShape), [&](const Index &index) {
    Index source(index.size());
    for (size_t axis = 0; axis < index.size(); ++axis)
      source[permutation[axis]] = index[axis];
    return input.data[offsetOf(source, input.shape)];
  });
}

Tensor concat(const std::vector<Tensor> &inputs, int64_t axis,
              std::vector<int64_t> resultShape) {
  return generate(std::move(resultShape), [&](const Index &index) {
    Index source = index;
    auto input = inputs.begin();
    for (; source[axis] >= input->shape[axis]; ++input)
      source[axis] -= input->shape[axis];
    return input->data[offsetOf(source, input->shape)];
  });
}

Tensor slice(const Tensor &input, const std::vector<int64_t> &starts,
             const std::vector<int64_t> &steps,
             std::vector<int64_t> resultShape) {
  return generate(std::move(resultShape), [&](const Index &index) {
    Index source(index.size());
    for (size_t axis = 0; axis < index.size(); ++axis)
      source[axis] = starts[axis] + index[axis] * steps[axis];
    return input.data[offsetOf(source, input.shape)];
  });
}

Tensor pad(const Tensor &input, const std::vector<int64_t> &low,
           cnn::PadMode mode, float value, std::vector<int64_t> resultShape) {
  return generate(std::move(resultShape), [&](const Index &index) {
    Index source(index.size());
    for (size_t axis = 0; axis < index.size(); ++axis) {
      const int64_t last = input.shape[axis] - 1;
      int64_t place = index[axis] - low[axis];
      if (mode == cnn::PadMode::Constant && (place < 0 || place > last))
        return value;
      if (mode == cnn::PadMode::Edge)
        place = std::clamp<int64_t>(place, 0, last);
      else if (place < 0)
        place = -place;
      else if (place > last)
        place = 2 * last - place;
      source[axis] = place;
    }
    return input.data[offsetOf(source, input.shape)];
  });
}

/// Where element `index` of a resized axis lies in one of `extent` elements.
static double sourceOf(int64_t index, double scale, double shift,
                       int64_t extent) {
  return std::clamp(scale * double(index) + shift, 0.0, double(extent - 1));
}

static int64_t roundNearest(double place, cnn::NearestRounding rounding) {
  switch (rounding) {
  case cnn::NearestRounding::RoundPreferFloor:
    return int64_t(std::ceil(place - 0.5));
  case cnn::NearestRounding::RoundPreferCeil:
    return int64_t(std::floor(place + 0.5));
  case cnn::NearestRounding::Floor:
    return int64_t(std::floor(place));
  case cnn::NearestRounding::Ceil:
    return int64_t(std::ceil(place));
  }
  return 0;
}

Tensor resize(const Tensor &input, cnn::ResizeMode mode,
              cnn::NearestRounding rounding, const std::vector<double> &scale,
              const std::vector<double> &shift,
              std::vector<int64_t> resultShape) {
  const int64_t rows = input.shape[2], columns = input.shape[3];
  return generate(std::move(resultShape), [&](const Index &index) {
    const double y = sourceOf(index[2], scale[0], shift[0], rows);
    const double x = sourceOf(index[3], scale[1], shift[1], columns);
    if (mode == cnn::ResizeMode::Nearest)
      return input.at(index[0], index[1], roundNearest(y, rounding),
                      roundNearest(x, rounding));
    const int64_t top = int64_t(y), left = int64_t(x);
    const int64_t bottom = std::min(top + 1, rows - 1);
    const int64_t right = std::min(left + 1, columns - 1);
    const double down = y - double(top), across = x - double(left);
    const auto between = [&](int64_t row) {
      return (1 - across) * input.at(index[0], index[1], row, left) +
             across * input.at(index[0], index[1], row, right);
    };
    return static_cast<float>((1 - down) * between(top) +
                              down * between(bottom));
  });
}

Tensor depthToSpace(const Tensor &input, int64_t block, cnn::DepthOrder mode,
                    std::vector<int64_t> resultShape) {
  const int64_t channels = resultShape[1];
  return generate(std::move(resultShape), [&](const Index &index) {
    const int64_t c = index[1], i = index[2] % block, j = index[3] % block;
    const int64_t depth = mode == cnn::DepthOrder::DepthColumnRow
                              ? (i * block + j) * channels + c
                              : (c * block + i) * block + j;
    return input.at(index[0], depth, index[2] / block, index[3] / block);
  });
}

Tensor spaceToDepth(const Tensor &input, int64_t block,
                    std::vector<int64_t> resultShape) {
  const int64_t channels = input.shape[1];
  return generate(std::move(resultShape), [&](const Index &index) {
    const int64_t tap = index[1] / channels;
    return input.at(index[0], index[1] % channels,
                    index[2] * block + tap / block,
                    index[3] * block + tap % block);
  });
}

Tensor channelShuffle(const Tensor &input, int64_t groups) {
  const int64_t perGroup = input.shape[1] / groups;
  return generate(input.shape, [&](const Index &index) {
    return input.at(index[0], index[1] % groups * perGroup + index[1] / groups,
                    index[2], index[3]);
  });
}

} // namespace snug::reference
