// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sliding windows: their attributes, and the pooling operators.
#include "GraphImporter.h"

#include "snug/Network/Geometry.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

std::optional<Window> GraphImporter::window(NodeReader &node,
                                            ArrayRef<int64_t> kernel,
                                            int64_t spatialAxes, bool dilated) {
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = node.extents("strides", spatialAxes, 1, 1);
  window.dilations = dilated ? node.extents("dilations", spatialAxes, 1, 1)
                             : Shape(spatialAxes, 1);
  window.pads = node.extents("pads", 2 * spatialAxes, 0, 0);
  if (spatialAxes == 1) {
    window.strides.insert(window.strides.begin(), 1);
    window.dilations.insert(window.dilations.begin(), 1);
    window.pads = {0, window.pads[0], 0, window.pads[1]};
  }
  window.automatic = node.text("auto_pad", "NOTSET");
  for (int64_t extent : kernel)
    if (extent < 1 || extent > kMaximumExtent)
      node.malformed("its kernel is " + formatShape(kernel) +
                     ", expected extents of at least 1");
  if (window.automatic != "SAME_UPPER" && window.automatic != "SAME_LOWER" &&
      window.automatic != "VALID" && window.automatic != "NOTSET")
    node.malformed("attribute 'auto_pad' is '" + window.automatic +
                   "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (window.automatic != "NOTSET" &&
      llvm::any_of(window.pads, [](int64_t pad) { return pad != 0; }))
    node.malformed("attributes 'pads' and 'auto_pad' contradict each other");
  if (node.failed())
    return std::nullopt;
  return window;
}

void GraphImporter::padAutomatically(Window &window, Value input) {
  if (window.automatic == "NOTSET" || window.automatic == "VALID")
    return;
  // SAME: as many outputs as strides begin in the input; the window's taps that
  // this lacks are shared by both sides (onnx/defs/nn, ConvPoolShapeInference).
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t extent = shapeOf(input)[axis + 2];
    const int64_t stride = window.strides[axis];
    const int64_t taps = network::AxisMap::window(window.kernel[axis], stride,
                                                  window.dilations[axis], 0, 0)
                             .extent();
    const int64_t outputs = (extent + stride - 1) / stride;
    const int64_t lacking =
        std::max<int64_t>((outputs - 1) * stride + taps - extent, 0);
    window.pads[axis] =
        window.automatic == "SAME_UPPER" ? lacking / 2 : lacking - lacking / 2;
    window.pads[axis + 2] = lacking - window.pads[axis];
  }
}

std::optional<Shape> GraphImporter::poolingKernel(NodeReader &node) {
  std::optional<Shape> kernel = node.integers("kernel_shape");
  const int64_t axes = rankOf(node, 0) - 2;
  if (kernel && int64_t(kernel->size()) == axes && (axes == 1 || axes == 2)) {
    kernel->insert(kernel->begin(), 2 - axes, 1);
    return kernel;
  }
  for (const char *attribute : {"strides", "dilations", "pads", "auto_pad",
                                "ceil_mode", "count_include_pad"})
    node.ignore(attribute);
  if (kernel && axes == 3 && kernel->size() == 3)
    node.unsupported("3-D pooling is not supported, only that of one and two "
                     "dimensions");
  else if (kernel)
    node.malformed("attribute 'kernel_shape' holds " + Twine(kernel->size()) +
                   " values, expected " + Twine(axes));
  else if (!node.failed())
    node.malformed("attribute 'kernel_shape' is missing");
  return std::nullopt;
}

Shape GraphImporter::ceilPads(NodeReader &node, Value input,
                              const Window &window) {
  Shape added{0, 0};
  if (node.opset() < 10 || !node.flag("ceil_mode", false) || !input ||
      window.automatic == "SAME_UPPER" || window.automatic == "SAME_LOWER")
    return added;
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t extent = shapeOf(input)[axis + 2];
    const int64_t stride = window.strides[axis], low = window.pads[axis];
    const network::AxisMap map = network::AxisMap::window(
        window.kernel[axis], stride, window.dilations[axis], low,
        window.pads[axis + 2]);
    // Rounding up is rounding down of an input that is up to one stride longer.
    std::optional<int64_t> outputs = map.outputExtent(extent + stride - 1);
    if (!outputs)
      continue;
    // The last window has to begin inside the input or the pads before it.
    if ((*outputs - 1) * stride >= extent + low)
      --*outputs;
    added[axis] = std::max<int64_t>((*outputs - 1) * stride + map.extent() -
                                        (extent + low + window.pads[axis + 2]),
                                    0);
  }
  return added;
}

void GraphImporter::importMaxPool(NodeReader &node) {
  node.checkOperands(1, 1, /*outputs=*/2);
  if (!node.output(1).empty() && uses.count(node.output(1)))
    node.unsupported("its second output, the indices, is used; only the first "
                     "is supported");
  if (node.opset() >= 8)
    node.ignore("storage_order"); // of the indices only
  std::optional<Shape> kernel = poolingKernel(node);
  if (!kernel)
    return;
  const int64_t axes = rankOf(node, 0) - 2;
  Value input = image(node, 0);
  std::optional<Window> window =
      this->window(node, *kernel, axes, /*dilated=*/node.opset() >= 10);
  if (!window || !input) {
    node.ignore("ceil_mode");
    return;
  }
  padAutomatically(*window, input);
  const Shape added = ceilPads(node, input, *window);
  window->pads[2] += added[0];
  window->pads[3] += added[1];
  if (node.failed())
    return;
  cnn::MaxPool2DOp::Properties properties;
  properties.kernel = builder.getDenseI64ArrayAttr(window->kernel);
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  properties.dilations = builder.getDenseI64ArrayAttr(window->dilations);
  setImageResult(node, create<cnn::MaxPool2DOp>(node, input, properties));
}

void GraphImporter::importAveragePool(NodeReader &node) {
  node.checkOperands(1, 1);
  std::optional<Shape> kernel = poolingKernel(node);
  if (!kernel)
    return;
  const int64_t axes = rankOf(node, 0) - 2;
  const bool countIncludePad = node.flag("count_include_pad", false);
  Value input = image(node, 0);
  std::optional<Window> window =
      this->window(node, *kernel, axes, /*dilated=*/node.opset() >= 19);
  if (!window || !input) {
    node.ignore("ceil_mode");
    return;
  }
  if (llvm::any_of(window->dilations, [](int64_t step) { return step != 1; }))
    node.unsupported("attribute 'dilations' is " +
                     formatShape(ArrayRef(window->dilations).take_back(axes)) +
                     "; dilated average pooling is not supported");
  padAutomatically(*window, input);
  const Shape added = ceilPads(node, input, *window);
  if (node.failed())
    return;
  cnn::AvgPool2DOp::Properties properties;
  properties.kernel = builder.getDenseI64ArrayAttr(window->kernel);
  properties.strides = builder.getDenseI64ArrayAttr(window->strides);
  properties.pads = builder.getDenseI64ArrayAttr(window->pads);
  properties.ceil_pads = builder.getDenseI64ArrayAttr(added);
  if (countIncludePad)
    properties.count_include_pad = builder.getUnitAttr();
  setImageResult(node, create<cnn::AvgPool2DOp>(node, input, properties));
}

void GraphImporter::importGlobalAveragePool(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Value input = image(node, 0))
    setImageResult(node, create<cnn::GlobalAvgPoolOp>(node, input, {}));
}

void GraphImporter::importGlobalMaxPool(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Value input = image(node, 0))
    setImageResult(node, create<cnn::GlobalMaxPoolOp>(node, input, {}));
}

} // namespace snug::onnx_import
