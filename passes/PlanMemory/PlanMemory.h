// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-plan-memory.
#ifndef SNUG_PASSES_PLANMEMORY_H
#define SNUG_PASSES_PLANMEMORY_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "snug/Dialect/Plan/PlanDialect.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/PlanMemory/PlanMemory.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/PlanMemory/PlanMemory.h.inc"

} // namespace snug

#endif // SNUG_PASSES_PLANMEMORY_H
