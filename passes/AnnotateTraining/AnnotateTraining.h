// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-annotate-training.
#ifndef SNUG_PASSES_ANNOTATETRAINING_H
#define SNUG_PASSES_ANNOTATETRAINING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/AnnotateTraining/AnnotateTraining.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/AnnotateTraining/AnnotateTraining.h.inc"

} // namespace snug

#endif // SNUG_PASSES_ANNOTATETRAINING_H
