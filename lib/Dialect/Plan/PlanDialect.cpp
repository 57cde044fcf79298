// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registers the types and operations of the snug_plan dialect.
#include "snug/Dialect/Plan/PlanDialect.h"

using namespace mlir;
using namespace snug::plan;

#include "snug/Dialect/Plan/PlanDialect.cpp.inc"
#include "snug/Dialect/Plan/PlanEnums.cpp.inc"
#include "snug/Dialect/Plan/PlanInterfaces.cpp.inc"

void PlanDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "snug/Dialect/Plan/PlanOps.cpp.inc"
      >();
}
