// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-verify-plan.
#ifndef SNUG_PASSES_VERIFYPLAN_H
#define SNUG_PASSES_VERIFYPLAN_H

#include "snug/Dialect/Plan/PlanDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/VerifyPlan/VerifyPlan.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/VerifyPlan/VerifyPlan.h.inc"

/// What the pass checks: succeeds if every buffer of `program` has a good
/// address.
mlir::LogicalResult verifyPlan(plan::ProgramOp program);

} // namespace snug

#endif // SNUG_PASSES_VERIFYPLAN_H
