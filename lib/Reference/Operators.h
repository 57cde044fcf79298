// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The operators of the reference executor, from their definitions.
#ifndef SNUG_LIB_REFERENCE_OPERATORS_H
#define SNUG_LIB_REFERENCE_OPERATORS_H

#include "snug/Dialect/Snug/SnugEnums.h"

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

using cnn::Activation;

/// An activation and its parameters, as the op has them.
struct Epilogue {
  Activation activation = Activation::None;
  double alpha = 0, beta = 0;
};

double activate(double value, const Epilogue &epilogue);

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
/// (avgPool2d, which counts those in the window's pads with
/// `countIncludePad`).
Tensor conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias,
              const Tensor *residual, const Window &window, int64_t groups,
              const Epilogue &epilogue, std::vector<int64_t> resultShape);
Tensor convTranspose2d(const Tensor &input, const Tensor &filter,
                       const Tensor *bias, const Window &window, int64_t groups,
                       const Epilogue &epilogue,
                       std::vector<int64_t> resultShape);
Tensor maxPool2d(const Tensor &input, const Window &window,
                 std::vector<int64_t> resultShape);
Tensor avgPool2d(const Tensor &input, const Window &window,
                 bool countIncludePad, std::vector<int64_t> resultShape);

/// Along `axes`, which are ascending.
Tensor reduce(const Tensor &input, cnn::ReduceKind kind,
              const std::vector<int64_t> &axes,
              std::vector<int64_t> resultShape);
Tensor batchNorm(const Tensor &input, const Tensor &scale, const Tensor &shift,
                 const Tensor &mean, const Tensor &variance, double epsilon);
Tensor unary(const Tensor &input, const Epilogue &epilogue);
Tensor binary(const Tensor &left, const Tensor &right, cnn::BinaryKind kind,
              const Epilogue &epilogue, std::vector<int64_t> resultShape);
Tensor gemm(const Tensor &input, const Tensor &weight, const Tensor *bias,
            bool transposeWeight, const Epilogue &epilogue);
Tensor matmul(const Tensor &left, const Tensor &right,
              std::vector<int64_t> resultShape);
Tensor softmax(const Tensor &input, int64_t axis);
Tensor lrn(const Tensor &input, int64_t size, double alpha, double beta,
           double bias);

// Movements.cpp: operators that copy elements, and resize.

Tensor transpose(const Tensor &input, const std::vector<int64_t> &permutation,
                 std::vector<int64_t> resultShape);
Tensor concat(const std::vector<Tensor> &inputs, int64_t axis,
              std::vector<int64_t> resultShape);
Tensor slice(const Tensor &input, const std::vector<int64_t> &starts,
             const std::vector<int64_t> &steps,
             std::vector<int64_t> resultShape);
Tensor pad(const Tensor &input, const std::vector<int64_t> &low,
           cnn::PadMode mode, float value, std::vector<int64_t> resultShape);
/// `scale` and `shift` for height and width: source = scale * index + shift.
Tensor resize(const Tensor &input, cnn::ResizeMode mode,
              cnn::NearestRounding rounding, const std::vector<double> &scale,
              const std::vector<double> &shift,
              std::vector<int64_t> resultShape);
Tensor depthToSpace(const Tensor &input, int64_t block, cnn::DepthOrder mode,
                    std::vector<int64_t> resultShape);
Tensor spaceToDepth(const Tensor &input, int64_t block,
                    std::vector<int64_t> resultShape);
Tensor channelShuffle(const Tensor &input, int64_t groups);

} // namespace snug::reference

#endif // SNUG_LIB_REFERENCE_OPERATORS_H
