// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-combine-shuffles.
#ifndef SNUG_PASSES_COMBINESHUFFLES_H
#define SNUG_PASSES_COMBINESHUFFLES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace snug {

#define GEN_PASS_DECL
#include "passes/CombineShuffles/CombineShuffles.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/CombineShuffles/CombineShuffles.h.inc"

} // namespace snug

#endif // SNUG_PASSES_COMBINESHUFFLES_H
