// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect.
#ifndef SNUG_DIALECT_SNUG_SNUGOPS_H
#define SNUG_DIALECT_SNUG_SNUGOPS_H

#include "snug/Dialect/Snug/SnugAttributes.h"
#include "snug/Dialect/Snug/SnugEnums.h"
#include "snug/Dialect/Snug/SnugInterfaces.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace snug::cnn {
class YieldOp;
} // namespace snug::cnn

#define GET_OP_CLASSES
#include "snug/Dialect/Snug/SnugOps.h.inc"

#endif // SNUG_DIALECT_SNUG_SNUGOPS_H
