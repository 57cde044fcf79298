// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of elementwise functions, of what runs over channels or other axes,
// and of matrix products.
#include "passes/ConvertToPlan/Lowering.h"

using namespace mlir;

namespace snug {

/// Shape as NCHW where a constant of lower rank is broadcast against an image
/// or a matrix; a matrix has height and width one.
static Extents alignedExtents(ArrayRef<int64_t> shape, int64_t rank) {
  SmallVector<int64_t, 4> aligned(rank - shape.size(), 1);
  llvm::append_range(aligned, shape);
  if (rank == 2)
    return {aligned[0], 1, 1, aligned[1]};
  return {aligned[0], aligned[2], aligned[3], aligned[1]};
}

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(const Step &step, cnn::UnaryOp op) {
  Value input, output;
  if (isPlanar(step)) {
    // No axis matters.
    Extents row = {1, 1, 1, op.getType().getNumElements()};
    input = viewAs(step.inputs[0], row);
    output = viewAs(step.output, row);
  } else {
    input = view(step.inputs[0]);
    output = view(step.output);
  }
  Epilogue epilogue = Epilogue::make(op.getKind(), op.getAlpha(), op.getBeta());
  create<plan::UnaryOp>(step, op.getLoc(), input, output, epilogue.activation,
                        epilogue.alpha, epilogue.beta);
  return success();
}

/// The constant side of a binary kernel: a segment in the order in which the
/// kernel reads it, and where the step's part of it begins.
Lowering::ConstantView Lowering::constantView(const Step &step, Value constant,
                                              const Extents &merged,
                                              int64_t rank) {
  ElementsAttr value = constant.getDefiningOp<cnn::ConstantOp>().getValue();
  ConstantView result;
  plan::Packing packing = plan::Packing::Constant;
  result.extents = merged;
  if (!isPlanar(step)) {
    result.extents = alignedExtents(shapeOf(constant), rank);
    auto [batch, height, width, channels] = result.extents;
    // Else both orders are the same.
    if (channels > 1 && height * width > 1) {
      packing = plan::Packing::ChannelsLastConstant;
      value = cnn::reshapeConstant(value, {batch, channels, height, width});
    }
  }
  result.strides = {result.extents[1] * result.extents[2] * result.extents[3],
                    result.extents[2] * result.extents[3], result.extents[3],
                    1};
  if (!isPlanar(step)) {
    // The part that this tile meets, where rows or columns are not repeated.
    auto take = [&](int axis, const network::Interval &part) {
      if (result.extents[axis] == 1)
        return;
      result.begin += part.begin * result.strides[axis];
      result.extents[axis] = part.size();
    };
    take(1, step.output.rows);
    take(2, step.output.columns);
  }
  result.segment = segment(value, nameOf(step) + ".constant", packing,
                           value.getNumElements() * network::kElementBytes);
  return result;
}

LogicalResult Lowering::lower(const Step &step, cnn::BinaryOp op) {
  // snug-verify-folded has refused what comes down to no four extents, here
  // and below.
  BroadcastExtents merged;
  if (isPlanar(step))
    merged = *mergeBroadcast(shapeOf(op.getLeft()), shapeOf(op.getRight()),
                             shapeOf(op.getResult()));
  const int64_t rank = op.getType().getRank();
  size_t next = 0;
  ConstantView constant;
  auto operand = [&](Value value, const Extents &extents) -> Value {
    if (value.getDefiningOp<cnn::ConstantOp>()) {
      constant = constantView(step, value, extents, rank);
      return nullptr;
    }
    const network::View &from = step.inputs[next++];
    return isPlanar(step) ? viewAs(from, extents) : view(from);
  };
  Value left = operand(op.getLeft(), merged.left);
  Value right = operand(op.getRight(), merged.right);
  Value output =
      isPlanar(step) ? viewAs(step.output, merged.result) : view(step.output);
  Epilogue epilogue = epilogueOf(op);
  IntegerAttr begin;
  DenseI64ArrayAttr extents, strides;
  if (constant.segment) {
    begin = builder.getI64IntegerAttr(constant.begin);
    extents = builder.getDenseI64ArrayAttr(constant.extents);
    strides = builder.getDenseI64ArrayAttr(constant.strides);
  }
  create<plan::BinaryOp>(
      step, op.getLoc(),
      *plan::symbolizeBinaryKind(static_cast<uint32_t>(op.getKind())), left,
      right, output, constant.segment, begin, extents, strides,
      epilogue.activation, epilogue.alpha, epilogue.beta);
  return success();
}

//===----------------------------------------------------------------------===//
// Over channels or another axis
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(const Step &step, cnn::SoftmaxOp op) {
  Value input, output;
  if (isPlanar(step)) {
    AxisExtents split =
        splitAround(op.getType().getShape(), op.getAxis(), op.getAxis() + 1);
    // Planar order: what is inside the axis are the pixels of a channel.
    Extents extents = {split.outer, split.inner, 1, split.middle};
    input = viewAs(step.inputs[0], extents, plan::Layout::Planar);
    output = viewAs(step.output, extents, plan::Layout::Planar);
  } else {
    input = view(step.inputs[0]);
    output = view(step.output);
  }
  create<plan::SoftmaxOp>(step, op.getLoc(), input, output);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::LrnOp op) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  create<plan::LrnOp>(step, op.getLoc(), input, output, op.getSize(),
                      op.getAlpha(), op.getBeta(), op.getBias());
  return success();
}

void Lowering::createReduce(const Step &step, Operation *op,
                            plan::ReduceKind kind) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  create<plan::ReduceOp>(step, op->getLoc(), kind, input, output);
}

LogicalResult Lowering::lower(const Step &step, cnn::GlobalAvgPoolOp op) {
  createReduce(step, op, plan::ReduceKind::Mean);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::GlobalMaxPoolOp op) {
  createReduce(step, op, plan::ReduceKind::Max);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::ReduceOp op) {
  plan::ReduceKind kind =
      *plan::symbolizeReduceKind(static_cast<uint32_t>(op.getKind()));
  if (!isPlanar(step)) {
    createReduce(step, op, kind);
    return success();
  }
  AxisExtents merged = *mergeReduced(shapeOf(op.getInput()), op.getAxes());
  Value input =
      viewAs(step.inputs[0], {merged.outer, merged.middle, 1, merged.inner});
  Value output = viewAs(step.output, {merged.outer, 1, 1, merged.inner});
  create<plan::ReduceOp>(step, op.getLoc(), kind, input, output);
  return success();
}

//===----------------------------------------------------------------------===//
// Matrix products of activations
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(const Step &step, cnn::MatMulOp op) {
  MatMulExtents merged =
      *mergeMatMul(shapeOf(op.getLeft()), shapeOf(op.getRight()));
  Value left =
      viewAs(step.inputs[0], {merged.leftBatch, merged.rows, merged.inner, 1});
  Value right = viewAs(step.inputs[1],
                       {merged.rightBatch, merged.inner, merged.columns, 1});
  Value output =
      viewAs(step.output, {merged.batch, merged.rows, merged.columns, 1});
  create<plan::MatMulOp>(step, op.getLoc(), left, right, output);
  return success();
}

} // namespace snug
