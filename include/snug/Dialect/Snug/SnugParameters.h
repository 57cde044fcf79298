// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights and biases of layers: reading them, and making them compute more.
#ifndef SNUG_DIALECT_SNUG_SNUGPARAMETERS_H
#define SNUG_DIALECT_SNUG_SNUGPARAMETERS_H

#include "snug/Dialect/Snug/SnugConstants.h"

#include "mlir/IR/Operation.h"

#include <vector>

namespace snug::cnn {

/// `factor * x + offset`, one of each an output channel.
struct ChannelAffine {
  std::vector<double> factor, offset;
};

/// The numbers of a constant operand, or an error at `op` that calls the
/// operand `role`: it is no constant, or was printed without its numbers.
mlir::FailureOr<ConstantValues>
readParameter(mlir::Operation *op, mlir::Value value, llvm::StringRef role);

/// True for a conv2d, conv_transpose2d or gemm that computes nothing but its
/// product and bias, with constants, for one reader alone. False for null.
bool takesAffine(mlir::Operation *layer);

/// Gives a layer that takesAffine() the weights and the bias with which it
/// computes `affine` of its result, in double precision, rounded once; the
/// bias has `location`. New constants are resources where the weights were
/// one. Old ones that nobody else reads are erased, and freed if `references`
/// has counted who reads them. Fails with an error where weights or bias have
/// no numbers.
mlir::LogicalResult applyAffine(mlir::Operation *layer,
                                const ChannelAffine &affine,
                                mlir::Location location,
                                WeightReferences *references);

/// Erases the constant that defines `value` if nobody reads it, and frees its
/// elements if `references` says that nothing else has them.
void eraseUnusedConstant(mlir::Value value, WeightReferences *references);

} // namespace snug::cnn

#endif // SNUG_DIALECT_SNUG_SNUGPARAMETERS_H
