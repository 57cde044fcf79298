// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops need of their operands, and what they cost.
#include "snug/Dialect/Snug/SnugInterfaces.h"

#include "snug/Dialect/Snug/SnugOps.h"
#include "snug/Network/Network.h"

#include "snug/Dialect/Snug/SnugAttrInterfaces.cpp.inc"
#include "snug/Dialect/Snug/SnugOpInterfaces.cpp.inc"

using namespace mlir;
using snug::network::AxisMap;

namespace snug::cnn {

//===----------------------------------------------------------------------===//
// Helpers of the defaults
//===----------------------------------------------------------------------===//

bool detail::isStaticTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.getElementType().isF32() || tensor.getEncoding())
    return false;
  std::optional<int64_t> bytes = network::kElementBytes;
  for (int64_t extent : tensor.getShape()) {
    // Dynamic extents are negative.
    if (extent < 1)
      return false;
    bytes = network::checkedMultiply(*bytes, extent);
    if (!bytes)
      return false;
  }
  return true;
}

SmallVector<SpatialAxis> detail::spatialAxes(Type type) {
  if (cast<ShapedType>(type).getRank() != 4)
    return {};
  return {SpatialAxis::Height, SpatialAxis::Width};
}

int64_t detail::parameterBytes(Operation *op) {
  SmallVector<unsigned> activations;
  if (auto receptive = dyn_cast<ReceptiveFieldOpInterface>(op))
    activations = receptive.getActivationOperands();
  int64_t bytes = 0;
  for (OpOperand &operand : op->getOpOperands())
    if (!llvm::is_contained(activations, operand.getOperandNumber()))
      bytes += cast<ShapedType>(operand.get().getType()).getNumElements() *
               network::kElementBytes;
  return bytes;
}

LogicalResult detail::verifyCost(Operation *op) {
  // Traits are verified before the op's own verifier has seen its types.
  for (Type type : op->getOperandTypes())
    if (!isStaticTensor(type))
      return success();
  if (op->getNumResults() != 1 || !isStaticTensor(op->getResult(0).getType()))
    return success();
  const int64_t each = cast<CostOpInterface>(op).getMacsPerOutputElement();
  const int64_t elements =
      cast<ShapedType>(op->getResult(0).getType()).getNumElements();
  if (!network::checkedMultiply(each, elements))
    return op->emitOpError()
           << "has more multiply-accumulates than 64 bits hold: " << each
           << " for each of " << elements << " elements";
  return success();
}

//===----------------------------------------------------------------------===//
// Convolution and matrix product
//===----------------------------------------------------------------------===//

static int64_t extentAlong(Value value, SpatialAxis axis) {
  return cast<ShapedType>(value.getType())
      .getDimSize(axis == SpatialAxis::Height ? 2 : 3);
}

/// The window map of an op with strides and pads (top, left, bottom, right).
static AxisMap windowMap(int64_t kernel, ArrayRef<int64_t> strides,
                         int64_t dilation, ArrayRef<int64_t> pads,
                         SpatialAxis axis) {
  const int index = static_cast<int>(axis);
  return AxisMap::window(kernel, strides[index], dilation, pads[index],
                         pads[index + 2]);
}

AxisMap Conv2DOp::getAxisMap(unsigned operandIndex, SpatialAxis axis) {
  if (operandIndex != 0)
    return AxisMap::identity(); // the residual
  return windowMap(extentAlong(getFilter(), axis), getStrides(),
                   getDilations()[static_cast<int>(axis)], getPads(), axis);
}

SmallVector<unsigned> Conv2DOp::getActivationOperands() {
  if (!getResidual())
    return {0};
  return {0, getBias() ? 3u : 2u};
}

bool Conv2DOp::startsLayer() { return true; }

int64_t Conv2DOp::getMacsPerOutputElement() {
  // The filter's second extent is the input channels of one group.
  const ArrayRef<int64_t> filter = getFilter().getType().getShape();
  return filter[1] * filter[2] * filter[3];
}

AxisMap GemmOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> GemmOp::getTileableAxes() { return {}; }

int64_t GemmOp::getMacsPerOutputElement() {
  return getInput().getType().getDimSize(1);
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

AxisMap MaxPool2DOp::getAxisMap(unsigned, SpatialAxis axis) {
  const int index = static_cast<int>(axis);
  return windowMap(getKernel()[index], getStrides(), getDilations()[index],
                   getPads(), axis);
}

bool MaxPool2DOp::startsLayer() { return true; }

AxisMap AvgPool2DOp::getAxisMap(unsigned, SpatialAxis axis) {
  return windowMap(getKernel()[static_cast<int>(axis)], getStrides(),
                   /*dilation=*/1, getPads(), axis);
}

bool AvgPool2DOp::startsLayer() { return true; }

AxisMap GlobalAvgPoolOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> GlobalAvgPoolOp::getTileableAxes() { return {}; }

bool GlobalAvgPoolOp::startsLayer() { return true; }

//===----------------------------------------------------------------------===//
// Elementwise, shape and softmax
//===----------------------------------------------------------------------===//

int64_t BatchNormOp::getMacsPerOutputElement() { return 1; }

SmallVector<unsigned> BinaryOp::getActivationOperands() { return {0, 1}; }

AxisMap ReshapeOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> ReshapeOp::getTileableAxes() { return {}; }

/// Axis of the shape that `axis` is, in NCHW.
static int64_t dimension(SpatialAxis axis) {
  return axis == SpatialAxis::Height ? 2 : 3;
}

AxisMap SoftmaxOp::getAxisMap(unsigned, SpatialAxis axis) {
  return getAxis() == dimension(axis) ? AxisMap::wholeInput()
                                      : AxisMap::identity();
}

SmallVector<SpatialAxis> SoftmaxOp::getTileableAxes() {
  SmallVector<SpatialAxis> axes = detail::spatialAxes(getType());
  llvm::erase_if(
      axes, [&](SpatialAxis axis) { return getAxis() == dimension(axis); });
  return axes;
}

} // namespace snug::cnn
