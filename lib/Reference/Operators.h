// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of the reference executor, from their definitions.
#ifndef SNUG_LIB_REFERENCE_OPERATORS_H
#define SNUG_LIB_REFERENCE_OPERATORS_H

#include <cstdint>
#include <memory>
#include <vector>

namespace snug::reference {

/// A dense row-major float32 tensor; copies share their elements.
struct Tensor {
  std::vector<int64_t> shape;
  std::shared_ptr<const void> owner; ///< keeps the elements; may be null
  const float *data = nullptr;

  int64_t elements() const;
  /// Element of a tensor with four dimensions.
  float at(int64_t n, int64_t c, int64_t h, int64_t w) const {
    return data[((n * shape[1] + c) * shape[2] + h) * shape[3] + w];
  }
};

/// A tensor that owns its elements.
Tensor makeTensor(std::vector<int64_t> shape, std::vector<float> elements);

enum class Activation { None, Relu, LeakyRelu, Relu6 };

double activate(double value, Activation activation, double slope);

/// Attributes of a sliding window: kernel [height, width], pads [top, left,
/// bottom, right].
struct Window {
  int64_t kernel[2] = {1, 1};
  int64_t strides[2] = {1, 1};
  int64_t dilations[2] = {1, 1};
  int64_t pads[4] = {0, 0, 0, 0};
};

/// `resultShape` in each case is the shape that the op's type states; taps
/// beyond the input are zero (conv2d), lose (maxPool2d) or are left out
/// (avgPool2d, which counts them with `countIncludePad`).
Tensor conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias,
              const Tensor *residual, const Window &window, int64_t groups,
              Activation activation, double slope,
              std::vector<int64_t> resultShape);
Tensor maxPool2d(const Tensor &input, const Window &window,
                 std::vector<int64_t> resultShape);
Tensor avgPool2d(const Tensor &input, const Window &window,
                 bool countIncludePad, std::vector<int64_t> resultShape);

Tensor globalAvgPool(const Tensor &input);
Tensor batchNorm(const Tensor &input, const Tensor &scale, const Tensor &shift,
                 const Tensor &mean, const Tensor &variance, double epsilon);
Tensor unary(const Tensor &input, Activation activation, double slope);
Tensor add(const Tensor &left, const Tensor &right);
Tensor gemm(const Tensor &input, const Tensor &weight, const Tensor *bias,
            bool transposeWeight, Activation activation, double slope);
Tensor softmax(const Tensor &input, int64_t axis);

} // namespace snug::reference

#endif // SNUG_LIB_REFERENCE_OPERATORS_H
