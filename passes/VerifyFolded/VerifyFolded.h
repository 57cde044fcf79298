// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-verify-folded.
#ifndef SNUG_PASSES_VERIFYFOLDED_H
#define SNUG_PASSES_VERIFYFOLDED_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/VerifyFolded/VerifyFolded.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/VerifyFolded/VerifyFolded.h.inc"

/// What the pass checks: succeeds if every operation of `function` has a
/// kernel.
mlir::LogicalResult verifyFolded(mlir::func::FuncOp function);

} // namespace snug

#endif // SNUG_PASSES_VERIFYFOLDED_H
