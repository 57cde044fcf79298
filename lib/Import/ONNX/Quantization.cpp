// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// QuantizeLinear and DequantizeLinear of computed tensors. Nothing is rounded
// here, but the bounds of the numbers stay: quantisers leave out a Relu where
// the bounds do what it does.
#include "GraphImporter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Least and largest number that an element can be, as far as the ops that
/// make it tell. `depth` limits how far it is followed.
std::pair<float, float> boundsOf(Value value, int depth = 6) {
  const std::pair<float, float> unknown{-kInfinity, kInfinity};
  mlir::Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return unknown;
  if (auto unary = llvm::dyn_cast<cnn::UnaryOp>(op)) {
    switch (unary.getKind()) {
    case cnn::Activation::Relu:
      return {0.0f,
              std::max(boundsOf(unary.getInput(), depth - 1).second, 0.0f)};
    case cnn::Activation::Relu6:
      return {0.0f, 6.0f};
    case cnn::Activation::Clip:
      return {unary.getAlpha().convertToFloat(),
              unary.getBeta().convertToFloat()};
    case cnn::Activation::Sigmoid:
    case cnn::Activation::HardSigmoid:
      return {0.0f, 1.0f};
    case cnn::Activation::Tanh:
      return {-1.0f, 1.0f};
    default:
      return unknown;
    }
  }
  if (llvm::isa<cnn::SoftmaxOp>(op))
    return {0.0f, 1.0f};
  if (!llvm::isa<cnn::MaxPool2DOp, cnn::GlobalMaxPoolOp, cnn::GlobalAvgPoolOp,
                 cnn::ReshapeOp, cnn::TransposeOp, cnn::SliceOp, cnn::ConcatOp,
                 cnn::ResizeOp, cnn::DepthToSpaceOp, cnn::SpaceToDepthOp,
                 cnn::IdentityOp, cnn::DropoutOp>(op))
    return unknown;
  std::pair<float, float> bounds{kInfinity, -kInfinity};
  for (Value operand : op->getOperands()) {
    const auto [lower, upper] = boundsOf(operand, depth - 1);
    bounds = {std::min(bounds.first, lower), std::max(bounds.second, upper)};
  }
  return bounds;
}

} // namespace

void GraphImporter::importQuantizeLinear(NodeReader &node) {
  node.checkOperands(2, 3);
  for (const char *attribute : {"axis", "saturate", "block_size", "precision"})
    node.ignore(attribute);
  const int64_t stated = node.integer("output_dtype", 0);
  Value input = activation(node, 0);
  std::optional<std::vector<float>> scales = node.realsOf(1, "scale");
  const ConstantTensor *zero =
      node.hasInput(2) ? node.tensor(2, "zero point") : nullptr;
  if (!input || !scales || (node.hasInput(2) && !zero))
    return;
  ElementType type = zero                        ? zero->type
                     : stated > 0 && stated < 64 ? ElementType(stated)
                                                 : onnx::TensorProto::UINT8;
  // Four bits are read as eight.
  int64_t least = 0, largest = 0;
  if (isInteger(type) && elementSize(type) <= 4)
    std::tie(least, largest) = integerLimits(type);
  ++quantizations;
  std::vector<float> zeros = zero && isInteger(type)
                                 ? zero->elements<float>()
                                 : std::vector<float>(scales->size(), 0.0f);
  if (scales->empty() || zeros.size() != scales->size())
    return node.malformed("it has " + Twine(scales->size()) + " scales and " +
                          Twine(zeros.size()) + " zero points");
  float lower = kInfinity, upper = -kInfinity;
  for (size_t index = 0; index < scales->size(); ++index) {
    const float scale = (*scales)[index];
    lower = std::min(lower, (float(least) - zeros[index]) * scale);
    upper = std::max(upper, (float(largest) - zeros[index]) * scale);
  }
  // Half a step beyond is rounded to the bound.
  const float step = *std::max_element(scales->begin(), scales->end());
  const auto known = boundsOf(input);
  const bool isBounded =
      known.first >= lower - step / 2 && known.second <= upper + step / 2;
  if (isBounded || !(lower < upper) || !std::isfinite(lower) ||
      !std::isfinite(upper))
    return setResult(node, identity(node, input));
  setResult(node, clip(node, input, lower, upper));
}

void GraphImporter::importDequantizeLinear(NodeReader &node) {
  node.checkOperands(2, 3);
  for (const char *attribute : {"axis", "block_size", "output_dtype"})
    node.ignore(attribute);
  Value input = activation(node, 0);
  if (!input)
    return;
  // Numbers that this importer made are in float already.
  mlir::Operation *op = input.getDefiningOp();
  if (!op || llvm::isa<cnn::OpaqueOp>(op))
    return node.unsupported("it dequantises what nothing here quantised");
  ++quantizations;
  setResult(node, identity(node, input));
}

} // namespace snug::onnx_import
