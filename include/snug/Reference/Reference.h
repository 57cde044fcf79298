// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference executor: what a network of the `snug` dialect computes.
#ifndef SNUG_REFERENCE_REFERENCE_H
#define SNUG_REFERENCE_REFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace snug::reference {

/// Runs `function`, op by op, on float32 tensors in ONNX order (row-major,
/// NCHW); one input for each argument, one output for each result. Sums are
/// formed in double and rounded once an op. Fused groups run as their body
/// stands, whatever their schedule.
///
/// Slow and plain: the truth that other results are compared with. Emits an
/// error and fails where inputs do not fit the arguments, an op is unknown or
/// weights are absent (elided).
mlir::FailureOr<std::vector<std::vector<float>>>
execute(mlir::func::FuncOp function, llvm::ArrayRef<std::vector<float>> inputs);

} // namespace snug::reference

#endif // SNUG_REFERENCE_REFERENCE_H
