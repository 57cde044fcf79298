// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-fold-reshape.
#ifndef SNUG_PASSES_FOLDRESHAPE_H
#define SNUG_PASSES_FOLDRESHAPE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace snug {

#define GEN_PASS_DECL
#include "passes/FoldReshape/FoldReshape.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/FoldReshape/FoldReshape.h.inc"

} // namespace snug

#endif // SNUG_PASSES_FOLDRESHAPE_H
