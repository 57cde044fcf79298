// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers that are not about extents; extents are in SnugShapes.cpp.
#include "snug/Dialect/Snug/SnugDialect.h"

#include "SnugAssembly.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

#define GET_OP_CLASSES
#include "snug/Dialect/Snug/SnugOps.cpp.inc"

using namespace mlir;

namespace snug::cnn {

LogicalResult ConstantOp::verify() {
  if (isa<DenseElementsAttr>(getValue()))
    return success();
  auto resource = dyn_cast<DenseResourceElementsAttr>(getValue());
  if (!resource)
    return emitOpError() << "expected dense or dense_resource elements, got "
                         << getValue();
  const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob) // printed without its weights
    return success();
  const int64_t bytes =
      getType().getNumElements() * static_cast<int64_t>(sizeof(float));
  if (static_cast<int64_t>(blob->getData().size()) != bytes)
    return emitOpError() << "resource '" << resource.getRawHandle().getKey()
                         << "' holds " << blob->getData().size()
                         << " bytes, but " << getType() << " has " << bytes;
  if (blob->getDataAlignment() % alignof(float) != 0)
    return emitOpError() << "resource '" << resource.getRawHandle().getKey()
                         << "' is aligned to " << blob->getDataAlignment()
                         << " bytes, but float32 needs " << alignof(float);
  return success();
}

LogicalResult BatchNormOp::verify() {
  const RankedTensorType input = getInput().getType();
  if (input.getRank() < 2)
    return emitOpError() << "expected an input with a channel axis, got "
                         << input;
  const int64_t channels = input.getDimSize(1);
  if (getScale().getType().getDimSize(0) != channels)
    return emitOpError() << "expected parameters of " << channels
                         << " channels, got "
                         << getScale().getType().getDimSize(0);
  const float epsilon = getEpsilon().convertToFloat();
  if (!std::isfinite(epsilon) || epsilon < 0)
    return emitOpError() << "expected a finite epsilon of at least zero, got "
                         << epsilon;
  return success();
}

LogicalResult OpaqueOp::verify() {
  if (getName().empty())
    return emitOpError() << "expected the name of an ONNX operator";
  if (getNumResults() == 0)
    return emitOpError() << "expected at least one result";
  return success();
}

//===----------------------------------------------------------------------===//
// Fused groups
//===----------------------------------------------------------------------===//

YieldOp FusedGroupOp::getYield() {
  return cast<YieldOp>(getBlock().getTerminator());
}

LogicalResult FusedGroupOp::verify() {
  if (getNumResults() == 0)
    return emitOpError() << "expected at least one result";
  const network::Schedule schedule = getSchedule().getSchedule();
  if (schedule.isWhole() || (schedule.rows == 1 && schedule.columns == 1))
    return success();
  for (Type type : getResultTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    if (tensor.getRank() != 4)
      return emitOpError() << "a grid of " << network::toString(schedule)
                           << " tiles needs images as results, got " << tensor;
    if (schedule.rows > tensor.getDimSize(2) ||
        schedule.columns > tensor.getDimSize(3))
      return emitOpError() << "a grid of " << network::toString(schedule)
                           << " tiles exceeds the result's extent "
                           << tensor.getDimSize(2) << "x"
                           << tensor.getDimSize(3);
  }
  return success();
}

LogicalResult FusedGroupOp::verifyRegions() {
  Block &block = getBlock();
  if (!llvm::equal(block.getArgumentTypes(), getInputs().getTypes()))
    return emitOpError() << "expected block arguments of types "
                         << getInputs().getTypes() << ", got "
                         << block.getArgumentTypes();
  for (Operation &op : block) {
    if (!isa_and_nonnull<SnugDialect>(op.getDialect()))
      return op.emitOpError()
             << "stands in a fused group, which holds only ops of snug";
    if (isa<FusedGroupOp>(op))
      return op.emitOpError() << "stands in another fused group";
  }
  // The only terminator that snug has.
  YieldOp yield = getYield();
  if (!llvm::equal(yield.getValues().getTypes(), getResultTypes()))
    return yield.emitOpError()
           << "expected operands of the group's result types "
           << getResultTypes() << ", got " << yield.getValues().getTypes();
  return success();
}

} // namespace snug::cnn
