// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on each element of one tensor or of several.
#include "GraphImporter.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <limits>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

//===----------------------------------------------------------------------===//
// Of one tensor
//===----------------------------------------------------------------------===//

void GraphImporter::importUnary(NodeReader &node) {
  node.checkOperands(1, 1);
  const StringRef op = node.node().op_type();
  using cnn::Activation;
  const auto kind = llvm::StringSwitch<Activation>(op)
                        .Case("Abs", Activation::Abs)
                        .Case("Ceil", Activation::Ceil)
                        .Case("Elu", Activation::Elu)
                        .Case("Erf", Activation::Erf)
                        .Case("Exp", Activation::Exp)
                        .Case("Floor", Activation::Floor)
                        .Case("HardSigmoid", Activation::HardSigmoid)
                        .Case("HardSwish", Activation::HardSwish)
                        .Case("LeakyRelu", Activation::LeakyRelu)
                        .Case("Log", Activation::Log)
                        .Case("Mish", Activation::Mish)
                        .Case("Neg", Activation::Neg)
                        .Case("Reciprocal", Activation::Reciprocal)
                        .Case("Relu", Activation::Relu)
                        .Case("Sigmoid", Activation::Sigmoid)
                        .Case("Softplus", Activation::Softplus)
                        .Case("Sqrt", Activation::Sqrt)
                        .Default(Activation::Tanh);
  float alpha = 0.0f, beta = 0.0f;
  if (kind == Activation::LeakyRelu)
    alpha = node.real("alpha", 0.01f);
  else if (kind == Activation::Elu)
    alpha = node.real("alpha", 1.0f);
  else if (kind == Activation::HardSigmoid) {
    alpha = node.real("alpha", 0.2f);
    beta = node.real("beta", 0.5f);
  }
  if (Value input = activation(node, 0))
    setResult(node, unary(node, input, kind, alpha, beta));
}

void GraphImporter::importClip(NodeReader &node) {
  constexpr float largest = std::numeric_limits<float>::max();
  // Attributes up to operator set 10, inputs from 11 on.
  const bool byInputs = node.opset() >= 11;
  node.checkOperands(1, byInputs ? 3 : 1);
  std::optional<float> bounds[] = {-kInfinity, kInfinity};
  Value computed[2];
  for (int side : {0, 1}) {
    const StringRef role = side == 0 ? "lower bound" : "upper bound";
    if (!byInputs)
      bounds[side] = node.real(side == 0 ? "min" : "max", *bounds[side]);
    else if (!node.hasInput(side + 1))
      continue;
    else if (isConstant(node, side + 1))
      bounds[side] = node.realOf(side + 1, role);
    else
      computed[side] = activation(node, side + 1);
  }
  Value input = activation(node, 0);
  if (!input || !bounds[0] || !bounds[1] || node.failed())
    return;
  // The numbers of no bound in older operator sets.
  if (*bounds[0] <= -largest)
    bounds[0] = -kInfinity;
  if (*bounds[1] >= largest)
    bounds[1] = kInfinity;
  if (!computed[0] && !computed[1])
    return setResult(node, clip(node, input, *bounds[0], *bounds[1]));
  for (int side : {0, 1})
    if (computed[side])
      input =
          binary(node, side == 0 ? cnn::BinaryKind::Max : cnn::BinaryKind::Min,
                 input, computed[side]);
    else
      input = clip(node, input, side == 0 ? *bounds[0] : -kInfinity,
                   side == 1 ? *bounds[1] : kInfinity);
  setResult(node, input);
}

void GraphImporter::importGelu(NodeReader &node) {
  node.checkOperands(1, 1);
  const std::string approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    node.malformed("attribute 'approximate' is '" + approximate +
                   "', expected none or tanh");
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  if (approximate == "none")
    return setResult(node, unary(node, input, cnn::Activation::Gelu));
  // 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
  auto with = [&](cnn::BinaryKind kind, Value value, float constant) {
    return binary(node, kind, value,
                  number(node, (node.name() + ".number").str(), constant));
  };
  using cnn::BinaryKind;
  Value square = binary(node, BinaryKind::Mul, input, input);
  Value inner = with(BinaryKind::Mul, square, 0.044715f);
  inner = with(BinaryKind::Add, inner, 1.0f);
  inner = binary(node, BinaryKind::Mul, inner, input);
  inner = with(BinaryKind::Mul, inner, std::sqrt(2.0f / 3.14159265f));
  Value outer = unary(node, inner, cnn::Activation::Tanh);
  outer = with(BinaryKind::Add, outer, 1.0f);
  outer = with(BinaryKind::Mul, outer, 0.5f);
  setResult(node, binary(node, BinaryKind::Mul, outer, input));
}

/// Selu is gamma * elu(x), Celu is alpha * elu(x / alpha).
void GraphImporter::importScaledElu(NodeReader &node) {
  node.checkOperands(1, 1);
  const bool isCelu = node.node().op_type() == "Celu";
  const float alpha =
      node.real("alpha", isCelu ? 1.0f : 1.67326319217681884765625f);
  const float gamma =
      isCelu ? alpha : node.real("gamma", 1.05070102214813232421875f);
  Value value = activation(node, 0);
  if (!value || node.failed())
    return;
  if (isCelu && !(alpha > 0.0f))
    return node.unsupported("attribute 'alpha' is not positive");
  auto scaled = [&](Value by, float factor) {
    return factor == 1.0f
               ? by
               : binary(node, cnn::BinaryKind::Mul, by,
                        number(node, (node.name() + ".factor").str(), factor));
  };
  if (isCelu)
    value = scaled(value, 1.0f / alpha);
  value = unary(node, value, cnn::Activation::Elu, isCelu ? 1.0f : alpha);
  setResult(node, scaled(value, gamma));
}

void GraphImporter::importSoftsign(NodeReader &node) {
  node.checkOperands(1, 1);
  Value input = activation(node, 0);
  if (!input)
    return;
  Value sum = binary(node, cnn::BinaryKind::Add,
                     unary(node, input, cnn::Activation::Abs),
                     number(node, (node.name() + ".one").str(), 1.0f));
  setResult(node, binary(node, cnn::BinaryKind::Div, input, sum));
}

void GraphImporter::importSwish(NodeReader &node) {
  node.checkOperands(1, 1);
  const float alpha = node.real("alpha", 1.0f);
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  if (alpha == 1.0f)
    return setResult(node, unary(node, input, cnn::Activation::Silu));
  Value gate = binary(node, cnn::BinaryKind::Mul, input,
                      number(node, (node.name() + ".alpha").str(), alpha));
  gate = unary(node, gate, cnn::Activation::Sigmoid);
  setResult(node, binary(node, cnn::BinaryKind::Mul, input, gate));
}

//===----------------------------------------------------------------------===//
// Of several tensors
//===----------------------------------------------------------------------===//

void GraphImporter::importPRelu(NodeReader &node) {
  node.checkOperands(2, 2);
  Value input = activation(node, 0);
  if (!input)
    return;
  if (isConstant(node, 1)) {
    const ConstantTensor *slope = node.tensor(1, "slope");
    if (!slope)
      return;
    if (slope->count() == 1 && slope->shape.size() <= shapeOf(input).size())
      if (std::optional<float> value = node.realOf(1, "slope"))
        return setResult(
            node, unary(node, input, cnn::Activation::LeakyRelu, *value));
  }
  Value result = binary(node, cnn::BinaryKind::Prelu, input, operand(node, 1));
  if (result && result.getType() != input.getType())
    return node.malformed("its slope does not broadcast to its input of " +
                          formatShape(shapeOf(input)));
  setResult(node, result);
}

void GraphImporter::importPow(NodeReader &node) {
  node.checkOperands(2, 2);
  if (isConstant(node, 0) || !isConstant(node, 1))
    return setResult(node, binary(node, cnn::BinaryKind::Pow, operand(node, 0),
                                  operand(node, 1)));
  Value input = activation(node, 0);
  const ConstantTensor *exponent = node.tensor(1, "exponent");
  if (!input || !exponent)
    return;
  // It may be of another type than the base.
  if (!isFloat(exponent->type) && !isInteger(exponent->type))
    return node.malformed("its exponent '" + node.input(1) +
                          "' cannot be used: its elements are " +
                          elementTypeName(exponent->type));
  const std::vector<float> values = exponent->elements<float>();
  if (values.size() == 1 && exponent->shape.size() <= shapeOf(input).size()) {
    if (values[0] == 1.0f)
      return setResult(node, identity(node, input));
    if (values[0] == 2.0f)
      return setResult(node, binary(node, cnn::BinaryKind::Mul, input, input));
    if (values[0] == 0.5f)
      return setResult(node, unary(node, input, cnn::Activation::Sqrt));
    if (values[0] == -1.0f)
      return setResult(node, unary(node, input, cnn::Activation::Reciprocal));
  }
  Value right = isFloat(exponent->type) ? parameter(node, 1, "exponent")
                                        : newParameter(node, node.input(1),
                                                       exponent->shape, values);
  setResult(node, binary(node, cnn::BinaryKind::Pow, input, right));
}

/// A constant that is added to each column of a matrix product that nobody else
/// reads is the product's bias.
bool GraphImporter::addToProduct(NodeReader &node, Value input, int index) {
  const ConstantTensor *summand = node.tensor(index, "summand");
  if (!summand || uses[node.input(1 - index)] != 1)
    return false;
  auto product = input.getDefiningOp<cnn::GemmOp>();
  if (auto turned = input.getDefiningOp<cnn::ReshapeOp>())
    if (innerProducts.contains(turned.getInput().getDefiningOp()))
      product = turned.getInput().getDefiningOp<cnn::GemmOp>();
  if (!product || product.getBias())
    return false;
  const int64_t columns = shapeOf(product.getResult())[1];
  const ArrayRef<int64_t> shape = shapeOf(input);
  const Shape given = summand->shape;
  if (shape.back() != columns || given.size() > shape.size() || given.empty() ||
      given.back() != columns || onnx_import::product(given) != columns)
    return false;
  Value bias = constantWithShape(parameter(node, index, "summand"), {columns});
  if (!bias)
    return false;
  bias.getDefiningOp()->moveBefore(product);
  product->insertOperands(2, bias);
  setResult(node, input);
  return true;
}

void GraphImporter::importArithmetic(NodeReader &node) {
  node.checkOperands(2, 2);
  const StringRef op = node.node().op_type();
  const bool isConstantLeft = isConstant(node, 0);
  const int constantIndex = isConstantLeft ? 0 : isConstant(node, 1) ? 1 : -1;
  Value left = isConstantLeft ? Value() : activation(node, 0);
  Value right = constantIndex == 1 ? Value() : activation(node, 1);
  if (op == "Add" && constantIndex >= 0 && (left || right) &&
      node.node().attribute_size() == 0 &&
      addToProduct(node, left ? left : right, constantIndex))
    return;
  if (constantIndex == 1 && left && (op == "Sub" || op == "Div")) {
    // x - c is x + -c, x / c is x * 1/c: what folds into weights.
    std::optional<std::vector<float>> values = node.realsOf(1, "input 1");
    if (!values)
      return;
    const bool isDivision = op == "Div";
    const bool isInvertible = llvm::all_of(*values, [&](float value) {
      return !isDivision || std::isnormal(1.0f / value);
    });
    if (isInvertible) {
      for (float &value : *values)
        value = isDivision ? 1.0f / value : -value;
      right = newParameter(
          node, (node.input(1) + (isDivision ? ".inverse" : ".negative")).str(),
          node.tensor(1, "input 1")->shape, *values);
      return setResult(
          node,
          binary(node, isDivision ? cnn::BinaryKind::Mul : cnn::BinaryKind::Add,
                 left, right));
    }
  }
  if (constantIndex == 0)
    left = parameter(node, 0, "input 0");
  else if (constantIndex == 1)
    right = parameter(node, 1, "input 1");
  if (!left || !right)
    return;
  // Where the order does not matter, the constant is the right side.
  if (constantIndex == 0 && (op == "Add" || op == "Mul"))
    std::swap(left, right);
  const auto kind = llvm::StringSwitch<cnn::BinaryKind>(op)
                        .Case("Add", cnn::BinaryKind::Add)
                        .Case("Sub", cnn::BinaryKind::Sub)
                        .Case("Mul", cnn::BinaryKind::Mul)
                        .Default(cnn::BinaryKind::Div);
  setResult(node, binary(node, kind, left, right));
}

void GraphImporter::importVariadic(NodeReader &node) {
  const int count = node.inputCount();
  node.checkOperands(1, std::max(count, 1));
  const StringRef op = node.node().op_type();
  // The order does not matter: computed tensors first, so that each op has one.
  llvm::SmallVector<int> order;
  for (bool constants : {false, true})
    for (int index = 0; index < count; ++index)
      if (isConstant(node, index) == constants)
        order.push_back(index);
  const auto kind = llvm::StringSwitch<cnn::BinaryKind>(op)
                        .Case("Max", cnn::BinaryKind::Max)
                        .Case("Min", cnn::BinaryKind::Min)
                        .Default(cnn::BinaryKind::Add);
  Value result = order.empty() ? Value() : activation(node, order[0]);
  for (int index : llvm::drop_begin(order)) {
    if (!result)
      return;
    // A bound that is one number.
    if (isConstant(node, index) && kind != cnn::BinaryKind::Add) {
      const ConstantTensor *bound = node.tensor(index, "bound");
      if (!bound)
        return;
      if (isFloat(bound->type) && bound->count() == 1 &&
          bound->shape.size() <= shapeOf(result).size()) {
        const float value = bound->elements<float>()[0];
        if (!std::isnan(value)) {
          result = kind == cnn::BinaryKind::Max
                       ? clip(node, result, value, kInfinity)
                       : clip(node, result, -kInfinity, value);
          continue;
        }
      }
    }
    result = binary(node, kind, result, operand(node, index));
  }
  if (count == 1)
    result = identity(node, result);
  else if (op == "Mean")
    result = binary(node, cnn::BinaryKind::Mul, result,
                    number(node, (node.name() + ".share").str(),
                           1.0f / static_cast<float>(count)));
  setResult(node, result);
}

} // namespace snug::onnx_import
