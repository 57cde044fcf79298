// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration of the snug dialect, the attributes of a network's function
// form, and the names of nodes.
#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include "snug/Dialect/Snug/SnugDialect.cpp.inc"
#include "snug/Dialect/Snug/SnugEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "snug/Dialect/Snug/SnugAttributes.cpp.inc"

using namespace mlir;

namespace snug::cnn {

void SnugDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "snug/Dialect/Snug/SnugOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "snug/Dialect/Snug/SnugAttributes.cpp.inc"
      >();
}

Operation *SnugDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location location) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type || !detail::isStaticTensor(type))
    return nullptr;
  return ConstantOp::create(builder, location, type, elements);
}

static LogicalResult verifyName(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != kNameAttrName)
    return success();
  auto name = dyn_cast<StringAttr>(attribute.getValue());
  if (!name || name.empty())
    return op->emitError() << "expected '" << kNameAttrName
                           << "' to be the name of a network input or output";
  return success();
}

LogicalResult SnugDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (attribute.getName() == kModelAttrName &&
      !(isa<ModuleOp>(op) && isa<StringAttr>(attribute.getValue())))
    return op->emitError() << "expected '" << kModelAttrName
                           << "' to be a string on a module";
  if (attribute.getName() == kNameAttrName)
    return op->emitError() << "expected '" << kNameAttrName
                           << "' on an argument or a result of a function";
  return success();
}

LogicalResult SnugDialect::verifyRegionArgAttribute(Operation *op,
                                                    unsigned /*regionIndex*/,
                                                    unsigned /*argIndex*/,
                                                    NamedAttribute attribute) {
  return verifyName(op, attribute);
}

LogicalResult SnugDialect::verifyRegionResultAttribute(
    Operation *op, unsigned /*regionIndex*/, unsigned /*resultIndex*/,
    NamedAttribute attribute) {
  return verifyName(op, attribute);
}

static StringRef nameIn(Location location) {
  if (auto named = dyn_cast<NameLoc>(location))
    return named.getName().getValue();
  // Where ops were merged, the first name stands for all of them.
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = nameIn(part); !name.empty())
        return name;
  return "";
}

StringRef getNodeName(Operation *op) { return nameIn(op->getLoc()); }

std::string describe(Operation *op) {
  std::string text = op->getName().stripDialect().str();
  if (StringRef name = getNodeName(op); !name.empty())
    text += (" '" + name + "'").str();
  return text;
}

} // namespace snug::cnn
