// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A network as it is trained: its extents and its check.
#include "snug/Predict/Training.h"

#include <tuple>

namespace snug::predict {

/// No tensor of one image and no parameter holds more elements, so that bytes
/// times any batch size fit 64 bits.
constexpr int64_t kMaximumElements = int64_t{1} << 40;

int64_t TrainingTensor::elements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

int64_t TrainingTensor::channels() const {
  return shape.empty() ? 1 : shape.front();
}

int64_t TrainingTensor::height() const {
  return shape.size() >= 3 ? shape[shape.size() - 2] : 1;
}

int64_t TrainingTensor::width() const {
  return shape.size() >= 2 ? shape.back() : 1;
}

const char *toString(TrainingKind kind) {
  switch (kind) {
  case TrainingKind::Convolution:
    return "convolution";
  case TrainingKind::TransposedConvolution:
    return "transposed convolution";
  case TrainingKind::BatchNormalization:
    return "batch normalization";
  case TrainingKind::Activation:
    return "activation";
  case TrainingKind::Pooling:
    return "max pooling";
  case TrainingKind::AveragePooling:
    return "average pooling";
  case TrainingKind::GlobalAveragePooling:
    return "global average pooling";
  case TrainingKind::FullyConnected:
    return "fully connected";
  case TrainingKind::Add:
    return "add";
  case TrainingKind::Multiply:
    return "multiply";
  case TrainingKind::Concat:
    return "concat";
  case TrainingKind::Slice:
    return "slice";
  case TrainingKind::Reshape:
    return "reshape";
  case TrainingKind::Dropout:
    return "dropout";
  case TrainingKind::Softmax:
    return "softmax";
  case TrainingKind::Resize:
    return "resize";
  case TrainingKind::Pad:
    return "pad";
  case TrainingKind::Other:
    return "other";
  }
  return "other";
}

int64_t TrainingNetwork::parameters() const {
  int64_t count = 0;
  for (const TrainingOp &op : ops)
    count += op.weights + op.biases;
  return count;
}

static std::string checkTensor(const TrainingTensor &tensor) {
  int64_t count = 1;
  for (int64_t extent : tensor.shape) {
    if (extent < 1)
      return "tensor '" + tensor.name + "' has an extent of " +
             std::to_string(extent) + ", which is not positive";
    if (extent > kMaximumElements / count)
      return "tensor '" + tensor.name + "' has more than " +
             std::to_string(kMaximumElements) + " elements an image";
    count *= extent;
  }
  return "";
}

static std::string checkOp(const TrainingOp &op) {
  const std::string subject = "op '" + op.name + "' ";
  for (auto [value, least, what] :
       {std::tuple{op.weights, int64_t{0}, "weights"},
        std::tuple{op.biases, int64_t{0}, "biases"},
        std::tuple{op.macs, int64_t{0}, "macs"},
        std::tuple{op.groups, int64_t{1}, "groups"},
        std::tuple{op.kernel[0], int64_t{1}, "kernel height"},
        std::tuple{op.kernel[1], int64_t{1}, "kernel width"},
        std::tuple{op.stride[0], int64_t{1}, "stride"},
        std::tuple{op.stride[1], int64_t{1}, "stride"},
        std::tuple{op.dilation[0], int64_t{1}, "dilation"},
        std::tuple{op.dilation[1], int64_t{1}, "dilation"}})
    if (value < least)
      return subject + "has " + what + " of " + std::to_string(value) +
             ", the least is " + std::to_string(least);
  if (op.weights > kMaximumElements || op.biases > kMaximumElements)
    return subject + "has more than " + std::to_string(kMaximumElements) +
           " parameters";
  const bool hasWeights = op.kind == TrainingKind::Convolution ||
                          op.kind == TrainingKind::TransposedConvolution ||
                          op.kind == TrainingKind::FullyConnected;
  if (hasWeights && op.weights == 0)
    return subject + "has no weights, a " + toString(op.kind) + " has some";
  if (op.operands.empty())
    return subject + "has no operand";
  return "";
}

std::string check(const TrainingNetwork &network) {
  const int count = static_cast<int>(network.tensors.size());
  std::vector<bool> isMade(count, false);
  bool hasInput = false;
  for (int i = 0; i < count; ++i) {
    if (std::string problem = checkTensor(network.tensors[i]); !problem.empty())
      return problem;
    isMade[i] = network.tensors[i].isInput;
    hasInput |= isMade[i];
  }
  if (!hasInput)
    return "the network has no input";
  for (const TrainingOp &op : network.ops) {
    if (std::string problem = checkOp(op); !problem.empty())
      return problem;
    for (int operand : op.operands)
      if (operand < 0 || operand >= count || !isMade[operand])
        return "op '" + op.name + "' reads a tensor that is not made before it";
    if (op.result < 0 || op.result >= count || isMade[op.result])
      return "op '" + op.name + "' makes a tensor that exists already";
    isMade[op.result] = true;
  }
  return "";
}

} // namespace snug::predict
