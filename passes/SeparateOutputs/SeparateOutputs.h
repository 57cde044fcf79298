// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-separate-outputs.
#ifndef SNUG_PASSES_SEPARATEOUTPUTS_H
#define SNUG_PASSES_SEPARATEOUTPUTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace snug {

#define GEN_PASS_DECL
#include "passes/SeparateOutputs/SeparateOutputs.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/SeparateOutputs/SeparateOutputs.h.inc"

} // namespace snug

#endif // SNUG_PASSES_SEPARATEOUTPUTS_H
