// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that the inference of result types shares between families of ops.
#include "SnugInference.h"

#include "snug/Network/Geometry.h"

#include <cmath>

using namespace mlir;

namespace snug::cnn {

LogicalResult checkNumbers(EmitError error, StringRef name,
                           ArrayRef<int64_t> numbers, size_t count,
                           int64_t least) {
  if (numbers.size() == count &&
      llvm::all_of(numbers, [&](int64_t number) { return number >= least; }))
    return success();
  return error() << "expected " << count << " " << name << " of at least "
                 << least << ", got [" << numbers << "]";
}

LogicalResult checkRanks(EmitError error,
                         ArrayRef<std::pair<Value, int>> ranks) {
  for (auto [value, rank] : ranks) {
    if (!value)
      continue;
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    const bool isStatic = detail::isStaticTensor(value.getType());
    if (rank < 0 && !isStatic)
      return error() << "expected a static tensor of f32, got "
                     << value.getType();
    if (rank >= 0 && (!isStatic || tensor.getRank() != rank))
      return error() << "expected a static " << rank << "-d tensor of f32, got "
                     << value.getType();
  }
  return success();
}

LogicalResult checkAxis(EmitError error, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return error() << "expected an axis in [0, " << rank << "), got " << axis;
}

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

InferredType makeType(EmitError error, MLIRContext *context,
                      ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  if (detail::isStaticTensor(type))
    return type;
  error() << "the bytes of the result " << type << " overflow 64 bits";
  return failure();
}

FailureOr<SmallVector<int64_t>>
broadcast(EmitError error, ArrayRef<int64_t> left, ArrayRef<int64_t> right) {
  const size_t rank = std::max(left.size(), right.size());
  SmallVector<int64_t> shape(rank, 1);
  for (size_t behind = 1; behind <= rank; ++behind) {
    const int64_t a = behind <= left.size() ? left[left.size() - behind] : 1;
    const int64_t b = behind <= right.size() ? right[right.size() - behind] : 1;
    if (a != b && a != 1 && b != 1) {
      error() << "cannot broadcast [" << left << "] and [" << right
              << "]: extents " << a << " and " << b
              << " on the same axis, expected equal ones or one of 1";
      return failure();
    }
    shape[rank - behind] = a == 1 ? b : a;
  }
  return shape;
}

LogicalResult verifyActivation(Operation *op, Activation activation,
                               const APFloat &alpha, const APFloat &beta) {
  // The bounds of clip may be infinite.
  const bool mayBeInfinite = activation == Activation::Clip;
  const int parameters = getParameterCount(activation);
  for (int index : {0, 1}) {
    const StringRef name = index == 0 ? "alpha" : "beta";
    const float value = (index == 0 ? alpha : beta).convertToFloat();
    if (index >= parameters && value != 0)
      return op->emitOpError()
             << "expected no " << name << " with "
             << stringifyActivation(activation) << ", got " << value;
    if (index < parameters &&
        (mayBeInfinite ? std::isnan(value) : !std::isfinite(value)))
      return op->emitOpError()
             << "expected " << name << " of " << stringifyActivation(activation)
             << " to be a " << (mayBeInfinite ? "" : "finite ")
             << "number, got " << value;
  }
  return success();
}

LogicalResult verifyResult(Operation *op, InferredType inferred) {
  if (failed(inferred))
    return failure();
  const RankedTensorType expected = *inferred;
  const auto got = cast<RankedTensorType>(op->getResult(0).getType());
  if (expected == got)
    return success();
  const ArrayRef<int64_t> wanted = expected.getShape(), shape = got.getShape();
  if (wanted.size() == 4 && shape.size() == 4 &&
      wanted.take_front(2) == shape.take_front(2))
    return op->emitOpError()
           << "expected output extent " << wanted[2] << "x" << wanted[3]
           << ", got " << shape[2] << "x" << shape[3];
  return op->emitOpError() << "expected result type " << expected << ", got "
                           << got;
}

} // namespace snug::cnn
