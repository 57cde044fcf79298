// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on whole channels and axes: BatchNormalization, LRN, softmax,
// reductions.
#include "GraphImporter.h"

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

void GraphImporter::importBatchNormalization(NodeReader &node) {
  node.checkOperands(5, 5, /*outputs=*/5);
  const float epsilon = node.real("epsilon", 1e-5f);
  node.ignore("momentum"); // of training only
  if (node.opset() < 9 && !node.flag("spatial", true))
    node.unsupported("attribute 'spatial' is 0; only statistics of whole "
                     "channels are supported");
  bool training = node.opset() >= 14 && node.flag("training_mode", false);
  // Before operator set 14 further outputs ask for training.
  for (int index = 1; index < node.node().output_size(); ++index)
    training |= !node.output(index).empty();
  if (training)
    node.unsupported("it is in training mode; export the model for inference");

  Value input = activation(node, 0);
  if (input && shapeOf(input).size() < 2) {
    node.malformed("its input is " + formatShape(shapeOf(input)) +
                   ", which has no channels");
    return;
  }
  static constexpr const char *roles[] = {"scale", "shift", "mean", "variance"};
  llvm::SmallVector<Value> operands{input};
  for (auto [index, role] : llvm::enumerate(roles)) {
    if (!input)
      (void)node.tensor(int(index) + 1, role); // reports
    else
      operands.push_back(
          vectorParameter(node, int(index) + 1, role, shapeOf(input)[1]));
  }
  if (node.failed() || !input)
    return;
  cnn::BatchNormOp::Properties properties;
  properties.epsilon = builder.getF32FloatAttr(epsilon);
  setResult(node, create<cnn::BatchNormOp>(node, operands, properties,
                                           input.getType()));
}

void GraphImporter::importLRN(NodeReader &node) {
  node.checkOperands(1, 1);
  const float alpha = node.real("alpha", 1e-4f),
              beta = node.real("beta", 0.75f), bias = node.real("bias", 1.0f);
  const int64_t size = node.integer("size", 0);
  if (size < 1 && !node.failed())
    node.malformed("attribute 'size' is " + Twine(size) +
                   ", expected at least 1");
  Value input = image(node, 0);
  if (!input || node.failed())
    return;
  cnn::LrnOp::Properties properties;
  properties.size = builder.getI64IntegerAttr(size);
  properties.alpha = builder.getF32FloatAttr(alpha);
  properties.beta = builder.getF32FloatAttr(beta);
  properties.bias = builder.getF32FloatAttr(bias);
  setImageResult(node,
                 create<cnn::LrnOp>(node, input, properties, input.getType()));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

Value GraphImporter::softmax(NodeReader &node, Value input, int64_t axis,
                             bool logarithm) {
  if (!input)
    return {};
  if (!logarithm) {
    cnn::SoftmaxOp::Properties properties;
    properties.axis = builder.getI64IntegerAttr(axis);
    return create<cnn::SoftmaxOp>(node, input, properties, input.getType());
  }
  // x - max - log(sum(exp(x - max))): the logarithm of a softmax would be lost
  // where that is too small for a float.
  const Reduction along{{axis}, /*keepDims=*/true};
  Value distance = binary(node, cnn::BinaryKind::Sub, input,
                          reduce(node, cnn::ReduceKind::Max, input, along));
  Value sum = reduce(node, cnn::ReduceKind::Sum,
                     unary(node, distance, cnn::Activation::Exp), along);
  return binary(node, cnn::BinaryKind::Sub, distance,
                unary(node, sum, cnn::Activation::Log));
}

void GraphImporter::importSoftmax(NodeReader &node) {
  node.checkOperands(1, 1);
  const bool alongOneAxis = node.opset() >= 13;
  const bool logarithm = node.node().op_type() == "LogSoftmax";
  const int64_t axis = node.integer("axis", alongOneAxis ? -1 : 1);
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  const Shape shape(shapeOf(input));
  const auto rank = int64_t(shape.size());
  std::optional<int64_t> first = normalizedAxis(node, axis, rank, rank - 1);
  if (!first)
    return;
  // Before operator set 13 the axes from `first` on count as one.
  ArrayRef<int64_t> behind = ArrayRef(shape).drop_front(*first + 1);
  if (alongOneAxis || product(behind) == 1)
    return setResult(node, softmax(node, input, *first, logarithm));
  Value matrix = reshape(node, input,
                         {product(ArrayRef(shape).take_front(*first)),
                          shape[*first] * product(behind)});
  Value result = softmax(node, matrix, 1, logarithm);
  setResult(node, result ? reshape(node, result, shape) : result);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value GraphImporter::reduce(NodeReader &node, cnn::ReduceKind kind, Value input,
                            const Reduction &reduction) {
  if (!input)
    return {};
  const ArrayRef<int64_t> shape = shapeOf(input);
  // Over the pixels of an image it is a pooling.
  const bool isGlobal =
      shape.size() == 4 && reduction.axes == Shape{2, 3} &&
      (kind == cnn::ReduceKind::Mean || kind == cnn::ReduceKind::Max);
  if (isGlobal) {
    Value pooled = kind == cnn::ReduceKind::Mean
                       ? create<cnn::GlobalAvgPoolOp>(node, input, {})
                       : create<cnn::GlobalMaxPoolOp>(node, input, {});
    return pooled ? reshape(node, pooled, reducedShape(shape, reduction))
                  : pooled;
  }
  cnn::ReduceOp::Properties properties;
  properties.kind = cnn::ReduceKindAttr::get(&context, kind);
  properties.axes = builder.getDenseI64ArrayAttr(reduction.axes);
  if (reduction.keepDims)
    properties.keep_dims = builder.getUnitAttr();
  return create<cnn::ReduceOp>(node, input, properties);
}

void GraphImporter::importReduction(NodeReader &node) {
  const StringRef op = node.node().op_type();
  const int64_t since = reductionAxesSince(op);
  node.checkOperands(1, node.opset() >= since ? 2 : 1);
  Value input = activation(node, 0);
  const auto rank = int64_t(input ? shapeOf(input).size() : 4);
  std::optional<Reduction> reduction = reductionOf(node, rank, since);
  if (!input || !reduction || node.failed())
    return;
  // What is done to the elements comes first, even where nothing is reduced.
  if (op == "ReduceL1")
    input = unary(node, input, cnn::Activation::Abs);
  else if (op == "ReduceL2" || op == "ReduceSumSquare")
    input = binary(node, cnn::BinaryKind::Mul, input, input);
  const cnn::ReduceKind kind = op == "ReduceMax"    ? cnn::ReduceKind::Max
                               : op == "ReduceMin"  ? cnn::ReduceKind::Min
                               : op == "ReduceMean" ? cnn::ReduceKind::Mean
                                                    : cnn::ReduceKind::Sum;
  Value result = reduction->axes.empty()
                     ? identity(node, input)
                     : reduce(node, kind, input, *reduction);
  if (op == "ReduceL2")
    result = unary(node, result, cnn::Activation::Sqrt);
  setResult(node, result);
}

} // namespace snug::onnx_import
