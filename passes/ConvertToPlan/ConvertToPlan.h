// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-convert-to-plan.
#ifndef SNUG_PASSES_CONVERTTOPLAN_H
#define SNUG_PASSES_CONVERTTOPLAN_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/ConvertToPlan/ConvertToPlan.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/ConvertToPlan/ConvertToPlan.h.inc"

} // namespace snug

#endif // SNUG_PASSES_CONVERTTOPLAN_H
