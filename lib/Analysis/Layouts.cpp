// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The choice of layouts.
#include "snug/Analysis/Layouts.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace snug {

using network::Layout;

/// Images, and matrices [N, F]: what kernels take as it is.
static bool isNatural(RankedTensorType type) {
  return type.getRank() == 4 || type.getRank() == 2;
}

static RankedTensorType resultType(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType());
}

static OpLayouts uniform(size_t operands, Layout layout) {
  OpLayouts layouts;
  layouts.operands.assign(operands, layout);
  layouts.result = layout;
  return layouts;
}

/// The layout of an op that can work in either.
static Layout following(Operation *op, ArrayRef<WrittenTensor> activations) {
  for (const WrittenTensor &operand : activations)
    if (!isNatural(operand.type) ||
        operand.type.getRank() != resultType(op).getRank())
      return Layout::Planar;
  const WrittenTensor &first = activations.front();
  return first.isInput ? Layout::ChannelsLast : first.layout;
}

/// True where the op takes a range of elements along each axis, all of the
/// batch.
static bool isCrop(cnn::SliceOp op) {
  RankedTensorType type = resultType(op);
  return isNatural(type) &&
         type.getDimSize(0) == op.getInput().getType().getDimSize(0) &&
         op.getStarts()[0] == 0 &&
         llvm::all_of(op.getSteps(), [](int64_t step) { return step == 1; });
}

OpLayouts chooseLayouts(Operation *op, ArrayRef<WrittenTensor> activations) {
  const size_t count = activations.size();
  auto follow = [&] { return uniform(count, following(op, activations)); };
  auto planar = [&] { return uniform(count, Layout::Planar); };
  return llvm::TypeSwitch<Operation *, OpLayouts>(op)
      .Case<cnn::UnaryOp, cnn::BinaryOp, cnn::IdentityOp, cnn::DropoutOp>(
          [&](auto) { return follow(); })
      .Case([&](cnn::SoftmaxOp softmax) {
        return softmax.getAxis() == 1 ? follow() : planar();
      })
      .Case([&](cnn::ReduceOp reduce) {
        RankedTensorType type = activations.front().type;
        const bool overPixels = type.getRank() == 4 &&
                                reduce.getAxes() == ArrayRef<int64_t>({2, 3});
        OpLayouts layouts = planar();
        if (overPixels && !(activations.front().layout == Layout::Planar &&
                            !activations.front().isInput))
          layouts = uniform(count, Layout::ChannelsLast);
        return layouts;
      })
      .Case([&](cnn::ConcatOp concat) {
        OpLayouts layouts = follow();
        layouts.copies =
            concat.getAxis() == 1 && layouts.result == Layout::ChannelsLast;
        return layouts;
      })
      .Case([&](cnn::SliceOp slice) {
        OpLayouts layouts = follow();
        layouts.copies =
            isCrop(slice) && layouts.result == Layout::ChannelsLast;
        return layouts;
      })
      .Case([&](cnn::PadOp pad) {
        return pad.getLow()[0] == 0 && pad.getHigh()[0] == 0 ? follow()
                                                             : planar();
      })
      .Case([&](cnn::ReshapeOp) {
        OpLayouts layouts = planar();
        layouts.copies = true;
        return layouts;
      })
      .Case([&](cnn::TransposeOp transpose) {
        OpLayouts layouts = planar();
        if (isNatural(activations.front().type))
          layouts.operands[0] = activations.front().layout;
        if (transpose.getPermutation() == ArrayRef<int64_t>({0, 3, 1, 2}))
          layouts.result = Layout::ChannelsLast;
        return layouts;
      })
      .Case<cnn::MatMulOp, cnn::OpaqueOp>([&](auto) { return planar(); })
      .Default(
          [&](Operation *) { return uniform(count, Layout::ChannelsLast); });
}

} // namespace snug
