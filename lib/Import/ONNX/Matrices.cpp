// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gemm and MatMul: snug.gemm where one side is known, snug.matmul else.
#include "GraphImporter.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

Value GraphImporter::gemm(NodeReader &node, ArrayRef<Value> operands,
                          bool transposeWeight) {
  cnn::GemmOp::Properties properties;
  if (transposeWeight)
    properties.transpose_weight = builder.getUnitAttr();
  properties.activation =
      cnn::ActivationAttr::get(&context, cnn::Activation::None);
  properties.alpha = properties.beta = builder.getF32FloatAttr(0.0f);
  return create<cnn::GemmOp>(node, operands, properties);
}

Value GraphImporter::matMul(NodeReader &node, Value left, Value right) {
  return create<cnn::MatMulOp>(node, {left, right}, {});
}

Value GraphImporter::scaledParameter(NodeReader &node, int index,
                                     StringRef role, float factor) {
  if (factor == 1.0f)
    return parameter(node, index, role);
  std::optional<std::vector<float>> values = node.realsOf(index, role);
  if (!values)
    return {};
  for (float &value : *values)
    value *= factor;
  return newParameter(node, (node.input(index) + ".scaled").str(),
                      node.tensor(index, role)->shape, *values);
}

/// alpha * left * right + bias; a bias that is no vector is left to the caller.
Value GraphImporter::gemmProduct(NodeReader &node, bool transposeLeft,
                                 bool transposeRight, float alpha, Value bias) {
  if (isConstant(node, 1)) {
    Value left = activation(node, 0);
    if (transposeLeft)
      left = transposeMatrices(node, left);
    Value weight = scaledParameter(node, 1, "weight", alpha);
    llvm::SmallVector<Value> operands{left, weight};
    if (bias)
      operands.push_back(bias);
    return gemm(node, operands, transposeRight);
  }
  Value right = activation(node, 1);
  if (isConstant(node, 0)) {
    // The other way round, as transposes of both: right' * left'.
    if (!transposeRight)
      right = transposeMatrices(node, right);
    Value weight = scaledParameter(node, 0, "left side", alpha);
    return transposeMatrices(
        node, gemm(node, {right, weight}, /*transposeWeight=*/!transposeLeft));
  }
  Value left = activation(node, 0);
  if (transposeLeft)
    left = transposeMatrices(node, left);
  if (transposeRight)
    right = transposeMatrices(node, right);
  Value result = matMul(node, left, right);
  if (alpha == 1.0f || !result)
    return result;
  return binary(node, cnn::BinaryKind::Mul, result,
                number(node, (node.name() + ".alpha").str(), alpha));
}

void GraphImporter::importGemm(NodeReader &node) {
  node.checkOperands(node.opset() < 11 ? 3 : 2, 3);
  const float alpha = node.real("alpha", 1.0f);
  const float beta = node.real("beta", 1.0f);
  const bool transposeLeft = node.flag("transA", false);
  const bool transposeRight = node.flag("transB", false);
  if (node.failed())
    return;
  Shape shapes[2];
  for (int index : {0, 1}) {
    if (isConstant(node, index)) {
      const ConstantTensor *tensor = node.tensor(index, "weight");
      if (!tensor)
        return;
      shapes[index] = tensor->shape;
    } else if (Value value = activation(node, index)) {
      shapes[index] = Shape(shapeOf(value));
    } else {
      return;
    }
    if (shapes[index].size() != 2)
      node.malformed(
          (index == 0 ? "its input" : "its weight '" + node.input(1) + "'") +
          (index == 0 ? " is " : " has shape ") + formatShape(shapes[index]) +
          ", expected two dimensions");
  }
  if (node.failed())
    return;
  const int64_t rows = shapes[0][transposeLeft ? 1 : 0];
  const int64_t columns = shapes[1][transposeRight ? 0 : 1];

  // One number a column is the product's own bias; others are added behind it.
  Value vector, summand;
  if (node.hasInput(2) && beta != 0.0f) {
    if (isConstant(node, 2)) {
      std::optional<std::vector<float>> values = node.realsOf(2, "bias");
      if (!values)
        return;
      const Shape shape = node.tensor(2, "bias")->shape;
      const bool fits =
          shape.size() <= 2 &&
          (shape.empty() || shape.back() == 1 || shape.back() == columns) &&
          (shape.size() < 2 || shape[0] == 1 || shape[0] == rows);
      if (!fits)
        return node.malformed(
            "its bias '" + node.input(2) + "' has shape " + formatShape(shape) +
            ", which does not broadcast to " + formatShape({rows, columns}));
      const bool isVector =
          (shape.size() < 2 || shape[0] == 1) && isConstant(node, 1);
      if (!isVector) {
        summand = scaledParameter(node, 2, "bias", beta);
      } else if (beta == 1.0f && shape.size() == 1 && shape[0] == columns) {
        vector = parameter(node, 2, "bias");
      } else {
        vector = newParameter(
            node, (node.input(2) + ".row").str(), columns,
            [&](llvm::MutableArrayRef<float> elements) {
              for (auto [index, element] : llvm::enumerate(elements))
                element = beta * (*values)[values->size() == 1 ? 0 : index];
            });
      }
    } else {
      summand = activation(node, 2);
      if (summand && beta != 1.0f)
        summand = binary(node, cnn::BinaryKind::Mul, summand,
                         number(node, (node.name() + ".beta").str(), beta));
    }
    if (!vector && !summand)
      return;
  }
  Value result =
      gemmProduct(node, transposeLeft, transposeRight, alpha, vector);
  if (summand && result)
    result = binary(node, cnn::BinaryKind::Add, result, summand);
  if (result && shapeOf(result) != ArrayRef<int64_t>({rows, columns}))
    return node.malformed("its bias does not broadcast to " +
                          formatShape({rows, columns}));
  setResult(node, result);
}

void GraphImporter::importMatMul(NodeReader &node) {
  node.checkOperands(2, 2);
  if (node.failed())
    return;
  Shape shapes[2];
  for (int index : {0, 1}) {
    if (isConstant(node, index)) {
      const ConstantTensor *tensor =
          node.tensor(index, index == 0 ? "left side" : "right side");
      if (!tensor)
        return;
      shapes[index] = tensor->shape;
    } else if (Value value = activation(node, index)) {
      shapes[index] = Shape(shapeOf(value));
    } else {
      return;
    }
  }
  const Shape &left = shapes[0], &right = shapes[1];
  const bool isLeftVector = left.size() == 1, isRightVector = right.size() == 1;
  const std::string what =
      "it multiplies " + formatShape(left) + " by " + formatShape(right);
  if (left.empty() || right.empty() ||
      left.back() != right[isRightVector ? 0 : right.size() - 2])
    return node.malformed(what + ", which do not fit");
  const int64_t depth = left.back();
  // A batch of one is none.
  auto isMatrix = [](ArrayRef<int64_t> shape) {
    return shape.size() <= 2 || product(shape.drop_back(2)) == 1;
  };
  auto matrixOf = [&](int index, bool isColumn) -> Value {
    Value weight =
        parameter(node, index, index == 0 ? "left side" : "right side");
    if (!weight || shapes[index].size() == 2)
      return weight;
    Shape shape(ArrayRef(shapes[index]).take_back(2));
    if (shape.size() == 1)
      shape.insert(isColumn ? shape.end() : shape.begin(), 1);
    return constantWithShape(weight, shape);
  };
  // The result's shape: the batch of both, rows of the left, columns of the
  // right; vectors have none.
  std::optional<Shape> batch = broadcastShape(
      node, ArrayRef(left).drop_back(std::min<size_t>(left.size(), 2)),
      ArrayRef(right).drop_back(std::min<size_t>(right.size(), 2)));
  if (!batch)
    return;
  Shape result = *batch;
  if (!isLeftVector)
    result.push_back(left[left.size() - 2]);
  if (!isRightVector)
    result.push_back(right.back());

  if (isConstant(node, 1) && isMatrix(right)) {
    const int64_t rows = product(left) / depth;
    Value flat = reshape(node, activation(node, 0), {rows, depth});
    Value made = gemm(node, {flat, matrixOf(1, /*isColumn=*/true)},
                      /*transposeWeight=*/false);
    if (!made)
      return;
    Value shaped = reshape(node, made, result);
    if (shaped != made)
      innerProducts.insert(made.getDefiningOp());
    return setResult(node, shaped);
  }
  if (isConstant(node, 0) && isMatrix(left)) {
    // right' * left', whose transpose is the result.
    Value flipped = activation(node, 1);
    if (!isRightVector)
      flipped = transposeMatrices(node, flipped);
    flipped = reshape(node, flipped, {product(right) / depth, depth});
    Value made = gemm(node, {flipped, matrixOf(0, /*isColumn=*/false)},
                      /*transposeWeight=*/true);
    if (!made)
      return;
    if (!isLeftVector && !isRightVector) {
      Shape turned = result;
      std::swap(turned[turned.size() - 2], turned.back());
      made = reshape(node, made, turned);
      made = transposeMatrices(node, made);
    }
    return setResult(node, made ? reshape(node, made, result) : made);
  }
  if (isConstant(node, 0) || isConstant(node, 1))
    return node.unsupported(what + ", of which one is a constant batch of "
                                   "matrices, which is not supported");
  Value a = activation(node, 0), b = activation(node, 1);
  if (isLeftVector)
    a = reshape(node, a, {1, depth});
  if (isRightVector)
    b = reshape(node, b, {depth, 1});
  Value made = matMul(node, a, b);
  setResult(node, made ? reshape(node, made, result) : made);
}

} // namespace snug::onnx_import
