// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the inference of result types shares between families of ops: an
// overload inferType(Op::Adaptor, EmitError) for each op, and the interface's
// method and the verifier on top of it.
#ifndef SNUG_LIB_DIALECT_SNUG_SNUGINFERENCE_H
#define SNUG_LIB_DIALECT_SNUG_SNUGINFERENCE_H

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Diagnostics.h"

namespace snug::cnn {

using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;
using InferredType = mlir::FailureOr<mlir::RankedTensorType>;

/// Builders may ask for a type before defaults are filled in.
inline llvm::ArrayRef<int64_t> valueOr(mlir::DenseI64ArrayAttr attribute,
                                       llvm::ArrayRef<int64_t> otherwise) {
  return attribute ? attribute.asArrayRef() : otherwise;
}

/// `count` numbers, each at least `least`.
mlir::LogicalResult checkNumbers(EmitError error, llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> numbers, size_t count,
                                 int64_t least);
/// Every operand a static tensor of the rank that stands beside it, or of any
/// rank for -1; builders do not verify first.
mlir::LogicalResult
checkRanks(EmitError error, llvm::ArrayRef<std::pair<mlir::Value, int>> ranks);
/// At least zero and below `rank`.
mlir::LogicalResult checkAxis(EmitError error, int64_t axis, int64_t rank);

llvm::ArrayRef<int64_t> shapeOf(mlir::Value value);

/// The tensor of `shape`, or an error where its bytes overflow.
InferredType makeType(EmitError error, mlir::MLIRContext *context,
                      llvm::ArrayRef<int64_t> shape);

/// The shape that two shapes have after broadcasting.
mlir::FailureOr<llvm::SmallVector<int64_t>>
broadcast(EmitError error, llvm::ArrayRef<int64_t> left,
          llvm::ArrayRef<int64_t> right);

/// Parameters are those that `activation` has, and usable.
mlir::LogicalResult verifyActivation(mlir::Operation *op, Activation activation,
                                     const llvm::APFloat &alpha,
                                     const llvm::APFloat &beta);

/// One message about the result, as specific as it can be.
mlir::LogicalResult verifyResult(mlir::Operation *op, InferredType inferred);

template <typename Adaptor>
mlir::LogicalResult
inferTypes(mlir::MLIRContext *context, std::optional<mlir::Location> location,
           Adaptor op, llvm::SmallVectorImpl<mlir::Type> &types) {
  // Without a location nobody wants to hear the reason.
  std::optional<mlir::ScopedDiagnosticHandler> silence;
  if (!location)
    silence.emplace(context,
                    [](mlir::Diagnostic &) { return mlir::success(); });
  const mlir::Location where =
      location.value_or(mlir::UnknownLoc::get(context));
  const InferredType type =
      inferType(op, [&] { return mlir::emitError(where); });
  if (mlir::failed(type))
    return mlir::failure();
  types.push_back(*type);
  return mlir::success();
}

template <typename OpTy> mlir::LogicalResult verifyType(OpTy op) {
  typename OpTy::Adaptor adaptor(op->getOperands(), op);
  return verifyResult(op, inferType(adaptor, [&] { return op.emitOpError(); }));
}

} // namespace snug::cnn

/// The methods of an op whose result type inferType() gives.
#define SNUG_INFER(OP)                                                         \
  mlir::LogicalResult OP::inferReturnTypes(                                    \
      mlir::MLIRContext *context, std::optional<mlir::Location> location,      \
      Adaptor adaptor, llvm::SmallVectorImpl<mlir::Type> &types) {             \
    return inferTypes(context, location, adaptor, types);                      \
  }

#endif // SNUG_LIB_DIALECT_SNUG_SNUGINFERENCE_H
