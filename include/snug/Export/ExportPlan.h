// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes plan files.
#ifndef SNUG_EXPORT_EXPORTPLAN_H
#define SNUG_EXPORT_EXPORTPLAN_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace snug {

/// Writes the module's only snug_plan.program as a plan file (header, program,
/// packed weights). Weights are packed piece by piece, so that no second
/// copy of them is held. Emits an error and fails where the module holds no or
/// several programs or anything else beside, memory is not planned, or a
/// segment's values are absent; something may have been written by then only
/// in the last case.
///
/// With `freeWeights` the elements of each weight are freed once they are
/// packed for the last time: the module is then good for its figures only.
mlir::LogicalResult exportPlan(mlir::ModuleOp module, llvm::raw_ostream &output,
                               bool freeWeights = false);

} // namespace snug

#endif // SNUG_EXPORT_EXPORTPLAN_H
