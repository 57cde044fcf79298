// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops need of their operands, and what they cost.
#include "snug/Dialect/Snug/SnugInterfaces.h"

#include "snug/Dialect/Snug/SnugOps.h"
#include "snug/Network/Network.h"

#include "snug/Dialect/Snug/SnugAttrInterfaces.cpp.inc"
#include "snug/Dialect/Snug/SnugOpInterfaces.cpp.inc"

#include <numeric>

using namespace mlir;
using snug::network::AxisMap;

namespace snug::cnn {

//===----------------------------------------------------------------------===//
// Helpers of the defaults
//===----------------------------------------------------------------------===//

bool detail::isStaticTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.getElementType().isF32() || tensor.getEncoding() ||
      tensor.getRank() > kMaximumRank)
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

/// Operands that a snug.constant does not define; all where it defines all.
static SmallVector<unsigned> computedOperands(Operation *op) {
  SmallVector<unsigned> computed;
  for (OpOperand &operand : op->getOpOperands())
    if (!operand.get().getDefiningOp<ConstantOp>())
      computed.push_back(operand.getOperandNumber());
  if (computed.empty())
    llvm::append_range(computed, llvm::seq(op->getNumOperands()));
  return computed;
}

static SmallVector<unsigned> allOperands(Operation *op) {
  return llvm::to_vector(llvm::seq(op->getNumOperands()));
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

AxisMap ConvTranspose2DOp::getAxisMap(unsigned, SpatialAxis axis) {
  const int index = static_cast<int>(axis);
  return AxisMap::transposedWindow(
      extentAlong(getFilter(), axis), getStrides()[index],
      getDilations()[index], getPads()[index],
      getPads()[index + 2] - getOutputPads()[index]);
}

bool ConvTranspose2DOp::startsLayer() { return true; }

int64_t ConvTranspose2DOp::getMacsPerOutputElement() {
  const ArrayRef<int64_t> filter = getFilter().getType().getShape();
  // Taps that meet one element are `stride` apart in the result, and whole
  // dilations: so many kernel positions.
  const auto taps = [&](int axis) {
    const int64_t stride = getStrides()[axis];
    const int64_t step = stride / std::gcd(stride, getDilations()[axis]);
    return (filter[2 + axis] - 1) / step + 1;
  };
  return filter[0] / getGroups() * taps(0) * taps(1);
}

AxisMap GemmOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> GemmOp::getTileableAxes() { return {}; }

int64_t GemmOp::getMacsPerOutputElement() {
  return getInput().getType().getDimSize(1);
}

AxisMap MatMulOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<unsigned> MatMulOp::getActivationOperands() {
  return allOperands(*this);
}

SmallVector<SpatialAxis> MatMulOp::getTileableAxes() { return {}; }

int64_t MatMulOp::getMacsPerOutputElement() {
  return getLeft().getType().getShape().back();
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
  const int index = static_cast<int>(axis);
  const ArrayRef<int64_t> pads = getPads();
  return AxisMap::window(getKernel()[index], getStrides()[index],
                         /*dilation=*/1, pads[index],
                         pads[index + 2] + getCeilPads()[index]);
}

bool AvgPool2DOp::startsLayer() { return true; }

AxisMap GlobalAvgPoolOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> GlobalAvgPoolOp::getTileableAxes() { return {}; }

bool GlobalAvgPoolOp::startsLayer() { return true; }

AxisMap GlobalMaxPoolOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> GlobalMaxPoolOp::getTileableAxes() { return {}; }

bool GlobalMaxPoolOp::startsLayer() { return true; }

//===----------------------------------------------------------------------===//
// Elementwise and along axes
//===----------------------------------------------------------------------===//

/// Axis of the shape that `axis` is, in NCHW.
static int64_t dimension(SpatialAxis axis) {
  return axis == SpatialAxis::Height ? 2 : 3;
}

/// True for an image, whose axes can be cut.
static bool isImage(Value value) {
  return cast<ShapedType>(value.getType()).getRank() == 4;
}

int64_t BatchNormOp::getMacsPerOutputElement() { return 1; }

AxisMap BinaryOp::getAxisMap(unsigned operandIndex, SpatialAxis axis) {
  const Value operand = getOperand(operandIndex);
  if (operand.getType() == getType())
    return AxisMap::identity();
  // What is broadcast is read whole, an image along its axes of one element.
  return isImage(operand) && isImage(getResult()) &&
                 extentAlong(operand, axis) == extentAlong(getResult(), axis)
             ? AxisMap::identity()
             : AxisMap::wholeInput();
}

SmallVector<unsigned> BinaryOp::getActivationOperands() {
  return computedOperands(*this);
}

SmallVector<SpatialAxis> BinaryOp::getTileableAxes() {
  return detail::spatialAxes(getType());
}

AxisMap ReduceOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> ReduceOp::getTileableAxes() { return {}; }

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

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

AxisMap ReshapeOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> ReshapeOp::getTileableAxes() { return {}; }

AxisMap TransposeOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<SpatialAxis> TransposeOp::getTileableAxes() { return {}; }

AxisMap ConcatOp::getAxisMap(unsigned, SpatialAxis axis) {
  return isImage(getResult()) && getAxis() != dimension(axis)
             ? AxisMap::identity()
             : AxisMap::wholeInput();
}

SmallVector<unsigned> ConcatOp::getActivationOperands() {
  return allOperands(*this);
}

SmallVector<SpatialAxis> ConcatOp::getTileableAxes() {
  SmallVector<SpatialAxis> axes = detail::spatialAxes(getType());
  llvm::erase_if(
      axes, [&](SpatialAxis axis) { return getAxis() == dimension(axis); });
  return axes;
}

AxisMap SliceOp::getAxisMap(unsigned, SpatialAxis axis) {
  // Backwards, a tile would have to be turned around, too.
  const int64_t dim = dimension(axis);
  if (!isImage(getResult()) || getSteps()[dim] < 0)
    return AxisMap::wholeInput();
  return AxisMap::crop(getStarts()[dim], extentAlong(getResult(), axis),
                       extentAlong(getInput(), axis), getSteps()[dim]);
}

SmallVector<SpatialAxis> SliceOp::getTileableAxes() {
  return detail::spatialAxes(getType());
}

AxisMap PadOp::getAxisMap(unsigned, SpatialAxis axis) {
  if (!isImage(getResult()))
    return AxisMap::wholeInput();
  const int64_t low = getLow()[dimension(axis)];
  const int64_t high = getHigh()[dimension(axis)];
  if (low == 0 && high == 0)
    return AxisMap::identity();
  // Mirrored elements come from inside the input, not from the window.
  return getMode() == PadMode::Constant ? AxisMap::window(1, 1, 1, low, high)
                                        : AxisMap::wholeInput();
}

SmallVector<SpatialAxis> PadOp::getTileableAxes() {
  return detail::spatialAxes(getType());
}

static network::NearestRounding convertRounding(NearestRounding rounding) {
  switch (rounding) {
  case NearestRounding::RoundPreferFloor:
    return network::NearestRounding::PreferFloor;
  case NearestRounding::RoundPreferCeil:
    return network::NearestRounding::PreferCeil;
  case NearestRounding::Floor:
    return network::NearestRounding::Floor;
  case NearestRounding::Ceil:
    return network::NearestRounding::Ceil;
  }
  llvm_unreachable("a rounding that lib/Network does not have");
}

AxisMap ResizeOp::getAxisMap(unsigned, SpatialAxis axis) {
  const int index = static_cast<int>(axis);
  return AxisMap::resample(
      getMode() == ResizeMode::Nearest ? network::ResampleMode::Nearest
                                       : network::ResampleMode::Linear,
      convertRounding(getRounding()), getScale()[index], getShift()[index]);
}

AxisMap DepthToSpaceOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::transposedWindow(getBlock(), getBlock(), 1, 0, 0);
}

AxisMap SpaceToDepthOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::window(getBlock(), getBlock(), 1, 0, 0);
}

//===----------------------------------------------------------------------===//
// Foreign operations
//===----------------------------------------------------------------------===//

AxisMap OpaqueOp::getAxisMap(unsigned, SpatialAxis) {
  return AxisMap::wholeInput();
}

SmallVector<unsigned> OpaqueOp::getActivationOperands() {
  return computedOperands(*this);
}

SmallVector<SpatialAxis> OpaqueOp::getTileableAxes() { return {}; }

bool OpaqueOp::isCostKnown() { return false; }

} // namespace snug::cnn
