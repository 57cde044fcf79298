// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Result types and verifiers of ops on tensors of any rank and of ops that only
// move elements.
#include "SnugInference.h"

#include <cmath>

using namespace mlir;

namespace snug::cnn {

//===----------------------------------------------------------------------===//
// Result types
//===----------------------------------------------------------------------===//

static InferredType inferType(BinaryOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getLeft(), -1}, {op.getRight(), -1}})))
    return failure();
  const FailureOr<SmallVector<int64_t>> shape =
      broadcast(error, shapeOf(op.getLeft()), shapeOf(op.getRight()));
  if (failed(shape))
    return failure();
  return makeType(error, op.getLeft().getContext(), *shape);
}

static InferredType inferType(ReduceOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), -1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> axes = valueOr(op.getAxesAttr(), {});
  if (axes.empty()) {
    error() << "expected at least one axis to reduce; without one it is a "
               "snug.identity";
    return failure();
  }
  for (int64_t axis : axes)
    if (failed(checkAxis(error, axis, input.size())))
      return failure();
  for (auto [axis, next] : llvm::zip(axes, axes.drop_front()))
    if (axis >= next) {
      error() << "expected axes in ascending order, each once, got [" << axes
              << "]";
      return failure();
    }
  SmallVector<int64_t> shape;
  for (auto [axis, extent] : llvm::enumerate(input)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      shape.push_back(extent);
    else if (op.getKeepDims())
      shape.push_back(1);
  }
  return makeType(error, op.getInput().getContext(), shape);
}

static InferredType inferType(TransposeOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), -1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> permutation = valueOr(op.getPermutationAttr(), {});
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, input.size()))) {
    error() << "expected a permutation of " << input.size() << " axes, got ["
            << permutation << "]";
    return failure();
  }
  SmallVector<int64_t> shape;
  for (int64_t axis : permutation)
    shape.push_back(input[axis]);
  return makeType(error, op.getInput().getContext(), shape);
}

static InferredType inferType(ConcatOp::Adaptor op, EmitError error) {
  if (op.getInputs().empty()) {
    error() << "expected at least one operand";
    return failure();
  }
  for (Value input : op.getInputs())
    if (failed(checkRanks(error, {{input, -1}})))
      return failure();
  SmallVector<int64_t> shape(shapeOf(op.getInputs().front()));
  const int64_t axis = op.getAxisAttr() ? op.getAxis() : -1;
  if (failed(checkAxis(error, axis, shape.size())))
    return failure();
  const SmallVector<int64_t> first = shape;
  for (auto [index, input] : llvm::enumerate(op.getInputs().drop_front())) {
    const ArrayRef<int64_t> next = shapeOf(input);
    SmallVector<int64_t> alike(next);
    if (next.size() == first.size())
      alike[axis] = first[axis];
    if (alike != first) {
      error() << "expected operands that differ along axis " << axis
              << " only, but operand " << index + 1 << " is [" << next
              << "] and the first one [" << first << "]";
      return failure();
    }
    const std::optional<int64_t> sum =
        network::checkedAdd(shape[axis], next[axis]);
    if (!sum) {
      error() << "the extent of axis " << axis << " overflows 64 bits";
      return failure();
    }
    shape[axis] = *sum;
  }
  return makeType(error, op.getInputs().front().getContext(), shape);
}

static InferredType inferType(SliceOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), -1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> starts = valueOr(op.getStartsAttr(), {});
  const ArrayRef<int64_t> ends = valueOr(op.getEndsAttr(), {});
  const ArrayRef<int64_t> steps = valueOr(op.getStepsAttr(), {});
  if (failed(checkNumbers(error, "starts", starts, input.size(), 0)) ||
      failed(checkNumbers(error, "ends", ends, input.size(), -1)))
    return failure();
  if (steps.size() != input.size() || llvm::is_contained(steps, 0)) {
    error() << "expected " << input.size() << " steps, none of them zero, got ["
            << steps << "]";
    return failure();
  }
  SmallVector<int64_t> shape;
  for (auto [axis, extent] : llvm::enumerate(input)) {
    const int64_t start = starts[axis], end = ends[axis], step = steps[axis];
    if (start >= extent || end > extent ||
        (step > 0 ? end <= start : end >= start)) {
      error() << "axis " << axis << " of " << extent
              << " elements cannot be sliced from " << start << " to " << end
              << " by steps of " << step
              << "; expected a start on the axis and an end beyond it in the "
                 "direction of the step";
      return failure();
    }
    shape.push_back(step > 0 ? (end - start - 1) / step + 1
                             // Divided first: -step may not be there.
                             : (end - start + 1) / step + 1);
  }
  return makeType(error, op.getInput().getContext(), shape);
}

static InferredType inferType(PadOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), -1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> low = valueOr(op.getLowAttr(), {});
  const ArrayRef<int64_t> high = valueOr(op.getHighAttr(), {});
  if (failed(checkNumbers(error, "low pads", low, input.size(), 0)) ||
      failed(checkNumbers(error, "high pads", high, input.size(), 0)))
    return failure();
  const bool reflects = op.getModeAttr() && op.getMode() == PadMode::Reflect;
  SmallVector<int64_t> shape;
  for (auto [axis, extent] : llvm::enumerate(input)) {
    if (reflects && std::max(low[axis], high[axis]) >= extent) {
      error() << "reflecting adds fewer elements than an axis has, but axis "
              << axis << " has " << extent << " and pads " << low[axis]
              << " and " << high[axis];
      return failure();
    }
    std::optional<int64_t> sum = network::checkedAdd(extent, low[axis]);
    if (sum)
      sum = network::checkedAdd(*sum, high[axis]);
    if (!sum) {
      error() << "the extent of axis " << axis << " overflows 64 bits";
      return failure();
    }
    shape.push_back(*sum);
  }
  return makeType(error, op.getInput().getContext(), shape);
}

/// The square of a block's extent, or an error.
static FailureOr<int64_t> checkBlock(EmitError error, IntegerAttr block) {
  const int64_t extent = block ? block.getInt() : 0;
  std::optional<int64_t> square;
  if (extent >= 1)
    square = network::checkedMultiply(extent, extent);
  if (square)
    return *square;
  error() << "expected a block of at least 1, whose square fits 64 bits, got "
          << extent;
  return failure();
}

static InferredType inferType(DepthToSpaceOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), 4}})))
    return failure();
  const FailureOr<int64_t> square = checkBlock(error, op.getBlockAttr());
  if (failed(square))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const int64_t block = op.getBlock();
  if (input[1] % *square != 0) {
    error() << "expected channels that are a multiple of " << *square
            << ", the square of the block, got " << input[1];
    return failure();
  }
  // What the channels lose the image gains: nothing can overflow.
  return makeType(
      error, op.getInput().getContext(),
      {input[0], input[1] / *square, input[2] * block, input[3] * block});
}

static InferredType inferType(SpaceToDepthOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), 4}})))
    return failure();
  const FailureOr<int64_t> square = checkBlock(error, op.getBlockAttr());
  if (failed(square))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const int64_t block = op.getBlock();
  if (input[2] % block != 0 || input[3] % block != 0) {
    error() << "expected height and width that are multiples of the block of "
            << block << ", got " << input[2] << "x" << input[3];
    return failure();
  }
  return makeType(
      error, op.getInput().getContext(),
      {input[0], input[1] * *square, input[2] / block, input[3] / block});
}

SNUG_INFER(BinaryOp)
SNUG_INFER(ReduceOp)
SNUG_INFER(TransposeOp)
SNUG_INFER(ConcatOp)
SNUG_INFER(SliceOp)
SNUG_INFER(PadOp)
SNUG_INFER(DepthToSpaceOp)
SNUG_INFER(SpaceToDepthOp)

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

LogicalResult BinaryOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifyActivation(*this, getActivation(), getAlpha(), getBeta());
}

LogicalResult ReduceOp::verify() { return verifyType(*this); }

LogicalResult TransposeOp::verify() { return verifyType(*this); }

LogicalResult ConcatOp::verify() { return verifyType(*this); }

LogicalResult SliceOp::verify() { return verifyType(*this); }

LogicalResult DepthToSpaceOp::verify() { return verifyType(*this); }

LogicalResult SpaceToDepthOp::verify() { return verifyType(*this); }

LogicalResult UnaryOp::verify() {
  if (getKind() == Activation::None)
    return emitOpError() << "expected an activation, got none";
  return verifyActivation(*this, getKind(), getAlpha(), getBeta());
}

LogicalResult PadOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  if (getValue().isNaN())
    return emitOpError() << "expected a value that is a number, got NaN";
  if (getMode() != PadMode::Constant && !getValue().isPosZero())
    return emitOpError() << "only mode constant has a value, got one with "
                         << stringifyPadMode(getMode());
  return success();
}

LogicalResult ResizeOp::verify() {
  const RankedTensorType input = getInput().getType(), result = getType();
  if (input.getShape().take_front(2) != result.getShape().take_front(2))
    return emitOpError() << "expected a result of " << input.getDimSize(0)
                         << " images of " << input.getDimSize(1)
                         << " channels like the input, got " << result;
  const auto isFinite = [](double number) { return std::isfinite(number); };
  if (getScale().size() != 2 || !llvm::all_of(getScale(), isFinite) ||
      llvm::any_of(getScale(), [](double scale) { return scale < 0; }))
    return emitOpError() << "expected 2 finite scales of at least zero, got ["
                         << getScale() << "]";
  if (getShift().size() != 2 || !llvm::all_of(getShift(), isFinite))
    return emitOpError() << "expected 2 finite shifts, got [" << getShift()
                         << "]";
  if (getMode() != ResizeMode::Nearest &&
      getRounding() != NearestRounding::RoundPreferFloor)
    return emitOpError() << "only mode nearest rounds, got "
                         << stringifyNearestRounding(getRounding()) << " with "
                         << stringifyResizeMode(getMode());
  return success();
}

LogicalResult ChannelShuffleOp::verify() {
  const int64_t channels = getType().getDimSize(1);
  if (getGroups() < 1 || channels % getGroups() != 0)
    return emitOpError() << "expected groups that divide " << channels
                         << " channels, got " << getGroups();
  return success();
}

LogicalResult LrnOp::verify() {
  if (getSize() < 1)
    return emitOpError() << "expected a size of at least 1, got " << getSize();
  for (auto [name, number] : {std::pair("alpha", getAlpha()),
                              {"beta", getBeta()},
                              {"bias", getBias()}})
    if (!number.isFinite())
      return emitOpError() << "expected a finite " << name << ", got "
                           << number.convertToFloat();
  return success();
}

LogicalResult SoftmaxOp::verify() {
  return checkAxis([&] { return emitOpError(); }, getAxis(),
                   getType().getRank());
}

LogicalResult ReshapeOp::verify() {
  const int64_t before = getInput().getType().getNumElements();
  const int64_t after = getType().getNumElements();
  if (before != after)
    return emitOpError() << "expected a shape of " << before
                         << " elements, got " << getType() << " with " << after;
  return success();
}

} // namespace snug::cnn
