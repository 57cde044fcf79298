// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The snug_plan dialect: everything it declares.
#ifndef SNUG_DIALECT_PLAN_PLANDIALECT_H
#define SNUG_DIALECT_PLAN_PLANDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace snug::plan::detail {
/// Every operand of a kernel leads to a buffer.
llvm::LogicalResult verifyOperands(mlir::Operation *kernel);
} // namespace snug::plan::detail

#include "snug/Dialect/Plan/PlanDialect.h.inc"
#include "snug/Dialect/Plan/PlanEnums.h.inc"
#include "snug/Dialect/Plan/PlanInterfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "snug/Dialect/Plan/PlanTypes.h.inc"

#define GET_OP_CLASSES
#include "snug/Dialect/Plan/PlanOps.h.inc"

namespace snug::plan {

/// The buffer behind an operand of a kernel: of a view, a reinterpretation, or
/// the buffer itself. Verified operations always have one; null elsewhere.
BufferOp findBuffer(mlir::Value value);

} // namespace snug::plan

#endif // SNUG_DIALECT_PLAN_PLANDIALECT_H
