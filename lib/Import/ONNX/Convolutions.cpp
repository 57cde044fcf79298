// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators with weights: Conv, BatchNormalization, Gemm, MatMul.
#include "GraphImporter.h"

#include "TensorData.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::MutableArrayRef;
using mlir::Value;

namespace snug::onnx_import {

void GraphImporter::importConv(NodeReader &node) {
  node.checkOperands(2, 3);
  const int64_t groups = node.integer("group", 1);
  std::optional<llvm::SmallVector<int64_t>> stated =
      node.integers("kernel_shape");
  Constant *filter = constant(node, 1, "filter");
  Value input = activation(node, 0);
  // The rank stands in the filter, else in the input.
  size_t rank = filter  ? filter->shape.size()
                : input ? shapeOf(input).size()
                        : 4;
  if (rank != 4) {
    for (const char *attribute : {"strides", "dilations", "pads", "auto_pad"})
      node.ignore(attribute);
    if (rank == 3 || rank == 5)
      return node.unsupported(llvm::Twine(rank - 2) +
                              "-D convolution is not supported, only 2-D");
    return node.malformed("its filter is " + formatShape(filter->shape) +
                          ", expected four dimensions");
  }
  llvm::SmallVector<int64_t> kernel{1, 1};
  if (filter)
    kernel.assign(filter->shape.begin() + 2, filter->shape.end());
  if (filter && stated && *stated != kernel)
    node.malformed("attribute 'kernel_shape' is " + formatShape(*stated) +
                   ", but the filter is " + formatShape(filter->shape));
  if (input && shapeOf(input).size() != 4)
    input = image(node, 0); // reports
  std::optional<Window> window =
      this->window(node, input, kernel, /*dilated=*/true);
  if (groups < 1 || groups > kMaximumExtent)
    node.malformed("attribute 'group' is " + llvm::Twine(groups) +
                   ", expected at least 1");
  if (!filter || node.failed())
    return;
  Value weights = parameter(node, *filter);
  Value bias;
  if (!node.input(2).empty()) {
    bias = vectorParameter(node, 2, "bias", filter->shape[0]);
    if (!bias)
      return;
  }
  if (!input || !weights || !window)
    return;

  cnn::Conv2DOp::Properties properties;
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.dilations = builder.getDenseI64ArrayAttr(window->dilations);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  properties.groups = builder.getI64IntegerAttr(groups);
  properties.activation =
      cnn::ActivationAttr::get(&context, cnn::Activation::None);
  properties.alpha = properties.beta = builder.getF32FloatAttr(0.0f);
  properties.operandSegmentSizes = {1, 1, bias ? 1 : 0, 0};
  llvm::SmallVector<Value> operands{input, weights};
  if (bias)
    operands.push_back(bias);
  setResult(node, create<cnn::Conv2DOp>(node, operands, properties));
}

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
    Constant *found = constant(node, int(index) + 1, role);
    if (!found)
      continue;
    operands.push_back(
        input ? vectorParameter(node, int(index) + 1, role, shapeOf(input)[1])
              : Value());
  }
  if (node.failed() || llvm::is_contained(operands, Value()) ||
      operands.size() != 5)
    return;
  cnn::BatchNormOp::Properties properties;
  properties.epsilon = builder.getF32FloatAttr(epsilon);
  setResult(node, create<cnn::BatchNormOp>(node, operands, properties,
                                           input.getType()));
}

void GraphImporter::importGemm(NodeReader &node) {
  node.checkOperands(node.opset() < 11 ? 3 : 2, 3);
  const float alpha = node.real("alpha", 1.0f);
  const float beta = node.real("beta", 1.0f);
  const bool transposeWeight = node.flag("transB", false);
  if (node.flag("transA", false))
    node.unsupported("attribute 'transA' is 1; a transposed input is not "
                     "supported");
  Value input = activation(node, 0);
  Constant *weight = constant(node, 1, "weight");
  const bool hasBias = !node.input(2).empty() && beta != 0.0f;
  Constant *bias = hasBias ? constant(node, 2, "bias") : nullptr;
  if (input && shapeOf(input).size() != 2)
    node.malformed("its input is " + formatShape(shapeOf(input)) +
                   ", expected two dimensions");
  if (weight && weight->shape.size() != 2)
    node.malformed("its weight '" + weight->name + "' has shape " +
                   formatShape(weight->shape) + ", expected two dimensions");
  if (node.failed() || !input || !weight || (hasBias && !bias))
    return;

  Value weights;
  if (alpha == 1.0f) {
    weights = parameter(node, *weight);
  } else if (std::optional<std::vector<float>> values = floats(node, *weight)) {
    weights =
        newParameter(node, weight->name + ".scaled", weight->shape,
                     [&](MutableArrayRef<float> elements) {
                       for (auto [to, from] : llvm::zip(elements, *values))
                         to = alpha * from;
                     });
  }
  if (!weights)
    return;
  llvm::SmallVector<Value> operands{input, weights};
  if (bias) {
    const int64_t rows = shapeOf(input)[0];
    const int64_t columns = weight->shape[transposeWeight ? 0 : 1];
    Value vector = biasVector(node, *bias, rows, columns, beta);
    if (!vector)
      return;
    operands.push_back(vector);
  }
  setResult(node, gemm(node, operands, transposeWeight));
}

Value GraphImporter::biasVector(NodeReader &node, Constant &bias, int64_t rows,
                                int64_t columns, float factor) {
  // It broadcasts to rows x columns; ours is one number a column.
  ArrayRef<int64_t> shape = bias.shape;
  const int64_t biasColumns = shape.empty() ? 1 : shape.back();
  const int64_t biasRows = shape.size() == 2 ? shape[0] : 1;
  if (shape.size() > 2 || (biasColumns != 1 && biasColumns != columns) ||
      (biasRows != 1 && biasRows != rows)) {
    node.malformed("its bias '" + bias.name + "' has shape " +
                   formatShape(shape) + ", which does not broadcast to " +
                   formatShape({rows, columns}));
    return {};
  }
  if (biasRows != 1) {
    node.unsupported("its bias '" + bias.name + "' has shape " +
                     formatShape(shape) +
                     "; only one that is the same for each row is supported");
    return {};
  }
  if (factor == 1.0f && shape.size() == 1 && biasColumns == columns)
    return parameter(node, bias);
  std::optional<std::vector<float>> values = floats(node, bias);
  if (!values)
    return {};
  return newParameter(node, bias.name + ".row", {columns},
                      [&](MutableArrayRef<float> elements) {
                        for (auto [index, element] : llvm::enumerate(elements))
                          element = factor *
                                    (*values)[values->size() == 1 ? 0 : index];
                      });
}

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

void GraphImporter::importMatMul(NodeReader &node) {
  node.checkOperands(2, 2);
  Value input = activation(node, 0);
  Constant *weight = constant(node, 1, "right side");
  if ((input && shapeOf(input).size() != 2) ||
      (weight && weight->shape.size() != 2))
    node.unsupported(
        "it multiplies " +
        (input ? formatShape(shapeOf(input)) : std::string("a tensor")) +
        " by " +
        (weight ? formatShape(weight->shape) : std::string("another")) +
        "; only matrices are supported");
  if (node.failed() || !input || !weight)
    return;
  if (Value weights = parameter(node, *weight))
    setResult(node, gemm(node, {input, weights}, /*transposeWeight=*/false));
}

} // namespace snug::onnx_import
