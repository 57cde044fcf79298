// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-annotate-memory.
#ifndef SNUG_PASSES_ANNOTATEMEMORY_H
#define SNUG_PASSES_ANNOTATEMEMORY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/AnnotateMemory/AnnotateMemory.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/AnnotateMemory/AnnotateMemory.h.inc"

} // namespace snug

#endif // SNUG_PASSES_ANNOTATEMEMORY_H
