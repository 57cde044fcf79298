// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-fold-identity.
#ifndef SNUG_PASSES_FOLDIDENTITY_H
#define SNUG_PASSES_FOLDIDENTITY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace snug {

#define GEN_PASS_DECL
#include "passes/FoldIdentity/FoldIdentity.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/FoldIdentity/FoldIdentity.h.inc"

} // namespace snug

#endif // SNUG_PASSES_FOLDIDENTITY_H
