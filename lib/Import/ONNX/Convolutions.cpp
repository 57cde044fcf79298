// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conv and ConvTranspose.
#include "GraphImporter.h"

#include "snug/Network/Geometry.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

/// The filter as an operand of four dimensions, and its shape; reports others.
Value GraphImporter::filter(NodeReader &node, int64_t rank, Shape &shape) {
  const ConstantTensor *tensor = node.tensor(1, "filter");
  if (!tensor)
    return {};
  shape = tensor->shape;
  if (int64_t(shape.size()) != rank) {
    node.malformed("its filter is " + formatShape(shape) + ", expected " +
                   (rank == 3 ? "three" : "four") + " dimensions");
    return {};
  }
  Value weights = parameter(node, 1, "filter");
  if (rank == 3) {
    shape.insert(shape.begin() + 2, 1);
    weights = constantWithShape(weights, shape);
  }
  return weights;
}

void GraphImporter::importConv(NodeReader &node) {
  node.checkOperands(2, 3);
  const int64_t groups = node.integer("group", 1);
  std::optional<Shape> stated = node.integers("kernel_shape");
  Value input = activation(node, 0);
  // The rank stands in the input, else in the filter.
  const ConstantTensor *tensor = node.tensor(1, "filter");
  const auto rank = int64_t(input    ? shapeOf(input).size()
                            : tensor ? tensor->shape.size()
                                     : 4);
  if (rank != 3 && rank != 4) {
    for (const char *attribute : {"strides", "dilations", "pads", "auto_pad"})
      node.ignore(attribute);
    if (rank == 5)
      return node.unsupported("3-D convolution is not supported, only those of "
                              "one and two dimensions");
    return node.malformed("its input is " +
                          (input ? formatShape(shapeOf(input)) : "unknown") +
                          ", expected three or four dimensions");
  }
  Shape shape;
  Value weights = tensor ? filter(node, rank, shape) : Value();
  Shape kernel{1, 1};
  if (weights)
    kernel.assign(shape.begin() + 2, shape.end());
  if (weights && stated &&
      ArrayRef<int64_t>(*stated) != ArrayRef(kernel).take_back(rank - 2))
    node.malformed("attribute 'kernel_shape' is " + formatShape(*stated) +
                   ", but the filter is " + formatShape(tensor->shape));
  std::optional<Window> window =
      this->window(node, kernel, rank - 2, /*dilated=*/true);
  if (groups < 1 || groups > kMaximumExtent)
    node.malformed("attribute 'group' is " + Twine(groups) +
                   ", expected at least 1");
  if (!weights || !window || node.failed())
    return;
  Value bias;
  if (node.hasInput(2)) {
    bias = vectorParameter(node, 2, "bias", shape[0]);
    if (!bias)
      return;
  }
  input = image(node, 0);
  if (!input)
    return;
  padAutomatically(*window, input);
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
  setImageResult(node, create<cnn::Conv2DOp>(node, operands, properties));
}

void GraphImporter::importConvTranspose(NodeReader &node) {
  node.checkOperands(2, 3);
  const int64_t groups = node.integer("group", 1);
  std::optional<Shape> stated = node.integers("kernel_shape");
  std::optional<Shape> outputShape = node.integers("output_shape");
  Value input = activation(node, 0);
  const int64_t rank = input ? int64_t(shapeOf(input).size()) : 4;
  if (rank != 3 && rank != 4) {
    for (const char *attribute :
         {"strides", "dilations", "pads", "auto_pad", "output_padding"})
      node.ignore(attribute);
    if (rank == 5)
      return node.unsupported("3-D convolution is not supported, only those of "
                              "one and two dimensions");
    return node.malformed("its input is " + formatShape(shapeOf(input)) +
                          ", expected three or four dimensions");
  }
  const int64_t axes = rank - 2;
  Shape shape;
  Value weights = filter(node, rank, shape);
  Shape kernel{1, 1};
  if (weights)
    kernel.assign(shape.begin() + 2, shape.end());
  if (weights && stated &&
      ArrayRef<int64_t>(*stated) != ArrayRef(kernel).take_back(axes))
    node.malformed("attribute 'kernel_shape' is " + formatShape(*stated) +
                   ", but the filter is " + formatShape(shape));
  std::optional<Window> window =
      this->window(node, kernel, axes, /*dilated=*/true);
  Shape outputPads = node.extents("output_padding", axes, 0, 0);
  outputPads.insert(outputPads.begin(), 2 - axes, 0);
  if (outputShape) {
    // Some exporters write batch and channels in front.
    if (int64_t(outputShape->size()) == rank)
      outputShape->erase(outputShape->begin(), outputShape->begin() + 2);
    if (int64_t(outputShape->size()) != axes ||
        llvm::any_of(*outputShape, [](int64_t extent) {
          return extent < 1 || extent > kMaximumExtent;
        })) {
      node.malformed("attribute 'output_shape' is " +
                     formatShape(*outputShape) + ", expected " + Twine(axes) +
                     " positive extents");
      return;
    }
    outputShape->insert(outputShape->begin(), 2 - axes, 1);
  }
  if (groups < 1 || groups > kMaximumExtent)
    node.malformed("attribute 'group' is " + Twine(groups) +
                   ", expected at least 1");
  if (!weights || !window || node.failed())
    return;
  Value bias;
  if (node.hasInput(2)) {
    std::optional<int64_t> channels =
        network::checkedMultiply(shape[1], groups);
    bias = channels ? vectorParameter(node, 2, "bias", *channels) : Value();
    if (!bias)
      return;
  }
  input = image(node, 0);
  if (!input)
    return;
  // Where the result's extents are stated, they tell the pads.
  const bool isSame =
      window->automatic == "SAME_UPPER" || window->automatic == "SAME_LOWER";
  for (int axis = 0; axis < 2 && (outputShape || isSame); ++axis) {
    const int64_t extent = shapeOf(input)[axis + 2];
    const int64_t stride = window->strides[axis];
    const int64_t taps = network::AxisMap::window(kernel[axis], stride,
                                                  window->dilations[axis], 0, 0)
                             .extent();
    const int64_t wanted = outputShape ? (*outputShape)[axis] : extent * stride;
    const std::optional<int64_t> sum =
        network::checkedAdd((extent - 1) * stride, taps);
    if (!sum)
      return node.malformed("its result's extents leave 64 bits");
    const int64_t natural = *sum + outputPads[axis];
    const int64_t total = std::max<int64_t>(natural - wanted, 0);
    const int64_t less = total / 2, more = total - less;
    const bool isUpper = window->automatic == "SAME_UPPER";
    window->pads[axis] = isUpper ? less : more;
    window->pads[axis + 2] = isUpper ? more : less;
    outputPads[axis] += std::max<int64_t>(wanted - natural, 0);
  }
  cnn::ConvTranspose2DOp::Properties properties;
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.dilations = builder.getDenseI64ArrayAttr(window->dilations);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  properties.output_pads = builder.getDenseI64ArrayAttr(outputPads);
  properties.groups = builder.getI64IntegerAttr(groups);
  properties.activation =
      cnn::ActivationAttr::get(&context, cnn::Activation::None);
  properties.alpha = properties.beta = builder.getF32FloatAttr(0.0f);
  llvm::SmallVector<Value> operands{input, weights};
  if (bias)
    operands.push_back(bias);
  setImageResult(node,
                 create<cnn::ConvTranspose2DOp>(node, operands, properties));
}

} // namespace snug::onnx_import
