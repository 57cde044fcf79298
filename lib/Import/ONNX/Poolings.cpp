// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sliding windows: their attributes, and the pooling operators.
#include "GraphImporter.h"

#include "TensorData.h"

#include "snug/Network/Geometry.h"

#include <algorithm>

using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

std::optional<Window> GraphImporter::window(NodeReader &node, Value input,
                                            llvm::SmallVector<int64_t> kernel,
                                            bool dilated) {
  Window window;
  window.kernel = kernel;
  window.strides = node.extents("strides", 2, 1, 1);
  window.dilations = dilated ? node.extents("dilations", 2, 1, 1)
                             : llvm::SmallVector<int64_t>{1, 1};
  window.pads = node.extents("pads", 4, 0, 0);
  const std::string automatic = node.text("auto_pad", "NOTSET");
  for (int64_t extent : kernel)
    if (extent < 1 || extent > kMaximumExtent)
      node.malformed("its kernel is " + formatShape(kernel) +
                     ", expected extents of at least 1");
  const bool upper = automatic == "SAME_UPPER";
  if (!upper && automatic != "SAME_LOWER" && automatic != "VALID" &&
      automatic != "NOTSET")
    node.malformed("attribute 'auto_pad' is '" + automatic +
                   "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (automatic != "NOTSET" &&
      llvm::any_of(window.pads, [](int64_t pad) { return pad != 0; }))
    node.malformed("attributes 'pads' and 'auto_pad' contradict each other");
  if (node.failed())
    return std::nullopt;
  if (!input || automatic == "NOTSET" || automatic == "VALID")
    return window;

  // SAME: as many outputs as strides begin in the input; the window's taps that
  // this lacks are shared by both sides (onnx/defs/nn, ConvPoolShapeInference).
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t extent = shapeOf(input)[axis + 2];
    const int64_t stride = window.strides[axis];
    const int64_t taps = network::AxisMap::window(kernel[axis], stride,
                                                  window.dilations[axis], 0, 0)
                             .extent();
    const int64_t outputs = (extent + stride - 1) / stride;
    const int64_t lacking =
        std::max<int64_t>((outputs - 1) * stride + taps - extent, 0);
    window.pads[axis] = upper ? lacking / 2 : lacking - lacking / 2;
    window.pads[axis + 2] = lacking - window.pads[axis];
  }
  return window;
}

std::optional<llvm::SmallVector<int64_t>>
GraphImporter::poolingKernel(NodeReader &node) {
  std::optional<llvm::SmallVector<int64_t>> kernel =
      node.integers("kernel_shape");
  if (kernel && kernel->size() == 2)
    return kernel;
  for (const char *attribute : {"strides", "dilations", "pads", "auto_pad",
                                "ceil_mode", "count_include_pad"})
    node.ignore(attribute);
  if (kernel && (kernel->size() == 1 || kernel->size() == 3))
    node.unsupported(Twine(kernel->size()) +
                     "-D pooling is not supported, only 2-D");
  else if (kernel)
    node.malformed("attribute 'kernel_shape' holds " + Twine(kernel->size()) +
                   " values, expected 2");
  else if (!node.failed())
    node.malformed("attribute 'kernel_shape' is missing");
  return std::nullopt;
}

void GraphImporter::checkCeilMode(NodeReader &node, Value input,
                                  const Window &window) {
  if (node.opset() < 10 || !node.flag("ceil_mode", false) || !input)
    return;
  for (int axis = 0; axis < 2; ++axis) {
    network::AxisMap map = network::AxisMap::window(
        window.kernel[axis], window.strides[axis], window.dilations[axis],
        window.pads[axis], window.pads[axis + 2]);
    const int64_t extent = shapeOf(input)[axis + 2];
    // Rounding up is rounding down of an input that is up to one stride longer.
    if (map.outputExtent(extent) ==
        map.outputExtent(extent + window.strides[axis] - 1))
      continue;
    node.unsupported("attribute 'ceil_mode' is 1 and adds windows beyond the "
                     "input's border, which is not supported");
    return;
  }
}

void GraphImporter::importMaxPool(NodeReader &node) {
  node.checkOperands(1, 1, /*outputs=*/2);
  if (!node.output(1).empty() && uses.count(node.output(1).str()))
    node.unsupported("its second output, the indices, is used; only the first "
                     "is supported");
  if (node.opset() >= 8)
    node.ignore("storage_order"); // of the indices only
  std::optional<llvm::SmallVector<int64_t>> kernel = poolingKernel(node);
  if (!kernel)
    return;
  Value input = image(node, 0);
  std::optional<Window> window =
      this->window(node, input, *kernel, /*dilated=*/node.opset() >= 10);
  if (!window) {
    node.ignore("ceil_mode");
    return;
  }
  checkCeilMode(node, input, *window);
  if (!input || node.failed())
    return;
  cnn::MaxPool2DOp::Properties properties;
  properties.kernel = builder.getDenseI64ArrayAttr(window->kernel);
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  properties.dilations = builder.getDenseI64ArrayAttr(window->dilations);
  setResult(node, create<cnn::MaxPool2DOp>(node, input, properties));
}

void GraphImporter::importAveragePool(NodeReader &node) {
  node.checkOperands(1, 1);
  std::optional<llvm::SmallVector<int64_t>> kernel = poolingKernel(node);
  if (!kernel)
    return;
  const bool countIncludePad = node.flag("count_include_pad", false);
  Value input = image(node, 0);
  std::optional<Window> window =
      this->window(node, input, *kernel, /*dilated=*/node.opset() >= 19);
  if (!window) {
    node.ignore("ceil_mode");
    return;
  }
  if (llvm::any_of(window->dilations, [](int64_t step) { return step != 1; }))
    node.unsupported("attribute 'dilations' is " +
                     formatShape(window->dilations) +
                     "; dilated average pooling is not supported");
  checkCeilMode(node, input, *window);
  if (!input || node.failed())
    return;
  cnn::AvgPool2DOp::Properties properties;
  properties.kernel = builder.getDenseI64ArrayAttr(window->kernel);
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  if (countIncludePad)
    properties.count_include_pad = builder.getUnitAttr();
  setResult(node, create<cnn::AvgPool2DOp>(node, input, properties));
}

void GraphImporter::importGlobalAveragePool(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Value input = image(node, 0))
    setResult(node, create<cnn::GlobalAvgPoolOp>(node, input, {}));
}

} // namespace snug::onnx_import
