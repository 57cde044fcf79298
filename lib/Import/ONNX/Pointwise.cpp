// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on each element, and those that do nothing at inference.
#include "GraphImporter.h"

#include "TensorData.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>

using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

std::string formatNumber(float number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", double(number));
  return text;
}

} // namespace

Value GraphImporter::unary(NodeReader &node, Value input, cnn::Activation kind,
                           float alpha) {
  cnn::UnaryOp::Properties properties;
  properties.kind = cnn::ActivationAttr::get(&context, kind);
  properties.alpha = builder.getF32FloatAttr(alpha);
  properties.beta = builder.getF32FloatAttr(0.0f);
  return create<cnn::UnaryOp>(node, input, properties, input.getType());
}

void GraphImporter::importRelu(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Value input = activation(node, 0))
    setResult(node, unary(node, input, cnn::Activation::Relu));
}

void GraphImporter::importLeakyRelu(NodeReader &node) {
  node.checkOperands(1, 1);
  const float alpha = node.real("alpha", 0.01f);
  if (Value input = activation(node, 0))
    setResult(node, unary(node, input, cnn::Activation::LeakyRelu, alpha));
}

void GraphImporter::importClip(NodeReader &node) {
  constexpr float largest = std::numeric_limits<float>::max();
  // Attributes up to operator set 10, inputs from 11 on.
  const bool byInputs = node.opset() >= 11;
  node.checkOperands(1, byInputs ? 3 : 1);
  std::optional<float> lower = -largest, upper = largest;
  if (byInputs) {
    if (!node.input(1).empty())
      lower = scalar(node, 1, "lower bound");
    if (!node.input(2).empty())
      upper = scalar(node, 2, "upper bound");
  } else {
    lower = node.real("min", -largest);
    upper = node.real("max", largest);
  }
  Value input = activation(node, 0);
  if (!lower || !upper)
    return;
  const bool unbounded = *upper >= largest;
  const bool isRelu = *lower == 0.0f && unbounded;
  const bool isRelu6 = *lower == 0.0f && *upper == 6.0f;
  const bool isIdentity = *lower <= -largest && unbounded;
  if (!isRelu && !isRelu6 && !isIdentity)
    node.unsupported("it clips to [" + formatNumber(*lower) + ", " +
                     formatNumber(*upper) +
                     "]; only [0, 6], [0, infinity] and no bounds are "
                     "supported");
  if (!input || node.failed())
    return;
  setResult(node, isIdentity ? create<cnn::IdentityOp>(node, input, {},
                                                       input.getType())
                             : unary(node, input,
                                     isRelu ? cnn::Activation::Relu
                                            : cnn::Activation::Relu6));
}

void GraphImporter::importAdd(NodeReader &node) {
  node.checkOperands(2, 2);
  Constant *first = findConstant(node.input(0));
  Constant *second = findConstant(node.input(1));
  if (first && second)
    return node.unsupported("it adds two constants; fold them before export");
  if (first || second)
    return importAddOfConstant(node, first ? 1 : 0, first ? 0 : 1);
  Value left = activation(node, 0);
  Value right = activation(node, 1);
  if (!left || !right)
    return;
  if (left.getType() != right.getType())
    return node.unsupported("it adds " + formatShape(shapeOf(left)) + " and " +
                            formatShape(shapeOf(right)) +
                            "; only equal shapes are supported");
  cnn::BinaryOp::Properties properties;
  properties.kind = cnn::BinaryKindAttr::get(&context, cnn::BinaryKind::Add);
  properties.activation =
      cnn::ActivationAttr::get(&context, cnn::Activation::None);
  properties.alpha = properties.beta = builder.getF32FloatAttr(0.0f);
  setResult(node, create<cnn::BinaryOp>(node, {left, right}, properties,
                                        left.getType()));
}

void GraphImporter::importAddOfConstant(NodeReader &node, int inputIndex,
                                        int constantIndex) {
  Constant *summand = constant(node, constantIndex, "summand");
  Value input = activation(node, inputIndex);
  if (!summand || !input)
    return;
  llvm::ArrayRef<int64_t> shape = shapeOf(input), given(summand->shape);
  // It must broadcast to one number a channel (axis 1).
  const int64_t rank = int64_t(shape.size());
  bool fits = rank >= 2 && int64_t(given.size()) <= rank;
  for (auto [distance, extent] : llvm::enumerate(llvm::reverse(given))) {
    const int64_t axis = rank - 1 - int64_t(distance);
    fits &= extent == 1 || (axis == 1 && extent == shape[1]);
  }
  if (!fits)
    return node.unsupported("it adds the constant '" + summand->name + "' of " +
                            formatShape(given) + " to " + formatShape(shape) +
                            "; only one number a channel is supported");
  std::optional<std::vector<float>> values = floats(node, *summand);
  if (!values)
    return;
  auto channels = [&](const Twine &suffix,
                      llvm::function_ref<float(size_t)> value) {
    return newParameter(node, (summand->name + suffix).str(), {shape[1]},
                        [&](llvm::MutableArrayRef<float> elements) {
                          for (auto [channel, element] :
                               llvm::enumerate(elements))
                            element = value(channel);
                        });
  };
  auto summandOf = [&](size_t channel) {
    return (*values)[values->size() == 1 ? 0 : channel];
  };
  // Behind a matrix product that nobody else reads it is the product's bias.
  auto product = input.getDefiningOp<cnn::GemmOp>();
  if (product && !product.getBias() &&
      uses[node.input(inputIndex).str()] == 1) {
    Value bias = channels("", summandOf);
    if (!bias)
      return;
    Value sum = gemm(node, {product.getInput(), product.getWeight(), bias},
                     product.getTransposeWeight());
    if (sum) {
      sum.getDefiningOp()->setLoc(product.getLoc());
      product.erase();
    }
    return setResult(node, sum);
  }
  // Elsewhere a batch norm that only shifts; the folding passes know it.
  Value one = channels(".one", [](size_t) { return 1.0f; });
  Value zero = channels(".zero", [](size_t) { return 0.0f; });
  Value shift = channels(".shift", summandOf);
  if (!one || !zero || !shift)
    return;
  cnn::BatchNormOp::Properties properties;
  properties.epsilon = builder.getF32FloatAttr(0.0f);
  setResult(node, create<cnn::BatchNormOp>(node, {input, one, shift, zero, one},
                                           properties, input.getType()));
}

void GraphImporter::importDropout(NodeReader &node) {
  const bool byInputs = node.opset() >= 12;
  node.checkOperands(1, byInputs ? 3 : 1, /*outputs=*/2);
  // The ratio and the seed are of training only.
  node.ignore(byInputs ? "seed" : "ratio");
  if (!node.output(1).empty() && uses.count(node.output(1).str()))
    node.unsupported("its second output, the mask, is used; only the first is "
                     "supported");
  if (Constant *training = constant(node, 2, "training mode")) {
    Result<bool> value = booleanScalar(*training->tensor, file);
    if (!value)
      node.malformed("its training mode '" + training->name +
                     "' cannot be used: " + value.error().message);
    else if (*value)
      node.unsupported(
          "it is in training mode; export the model for inference");
  }
  Value input = activation(node, 0);
  if (input && !node.failed())
    setResult(node, create<cnn::DropoutOp>(node, input, {}, input.getType()));
}

void GraphImporter::importIdentity(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Constant *source = findConstant(node.input(0))) {
    bindings[node.output(0).str()].constant = source;
    return;
  }
  if (Value input = activation(node, 0))
    setResult(node, create<cnn::IdentityOp>(node, input, {}, input.getType()));
}

} // namespace snug::onnx_import
