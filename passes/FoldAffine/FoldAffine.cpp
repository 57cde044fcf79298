// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds sums and products with constants into the layer before them.
#include "passes/FoldAffine/FoldAffine.h"

#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Dialect/Snug/SnugParameters.h"

#include <optional>

#define DEBUG_TYPE "snug-fold-affine"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDAFFINEPASS
#include "passes/FoldAffine/FoldAffine.h.inc"

namespace {

/// The numbers of a constant that has one for each of `channels`, or one in
/// all, beside a tensor of `rank` axes whose second one is the channels;
/// nothing for other values.
std::optional<std::vector<double>> readChannels(Value value, int64_t rank,
                                                int64_t channels) {
  const std::optional<cnn::ConstantValues> values =
      cnn::getConstantValues(value);
  if (!values || (values->size() != 1 && values->size() != channels))
    return std::nullopt;
  const ArrayRef<int64_t> shape =
      cast<RankedTensorType>(value.getType()).getShape();
  for (auto [behind, extent] : llvm::enumerate(llvm::reverse(shape)))
    if (extent != 1 && rank - 1 - static_cast<int64_t>(behind) != 1)
      return std::nullopt;
  std::vector<double> numbers;
  for (int64_t channel = 0; channel < channels; ++channel)
    numbers.push_back((*values)[values->size() == 1 ? 0 : channel]);
  return numbers;
}

/// What `kind` does with a layer's result and the constant `numbers`, which is
/// its left operand where `isLeft`; nothing where that is no affine map.
std::optional<cnn::ChannelAffine> makeAffine(cnn::BinaryKind kind,
                                             const std::vector<double> &numbers,
                                             bool isLeft) {
  cnn::ChannelAffine affine;
  for (double number : numbers) {
    switch (kind) {
    case cnn::BinaryKind::Add:
      affine.factor.push_back(1);
      affine.offset.push_back(number);
      break;
    case cnn::BinaryKind::Sub:
      affine.factor.push_back(isLeft ? -1 : 1);
      affine.offset.push_back(isLeft ? number : -number);
      break;
    case cnn::BinaryKind::Mul:
      affine.factor.push_back(number);
      affine.offset.push_back(0);
      break;
    case cnn::BinaryKind::Div:
      if (isLeft || number == 0)
        return std::nullopt;
      affine.factor.push_back(1 / number);
      affine.offset.push_back(0);
      break;
    default:
      return std::nullopt;
    }
  }
  return affine;
}

LogicalResult fold(cnn::BinaryOp op, cnn::WeightReferences *references) {
  if (op.getActivation() != cnn::Activation::None)
    return success();
  for (bool isLeft : {false, true}) {
    const Value constant = isLeft ? op.getLeft() : op.getRight();
    const Value result = isLeft ? op.getRight() : op.getLeft();
    Operation *layer = result.getDefiningOp();
    if (!cnn::takesAffine(layer) || result.getType() != op.getType())
      continue;
    const std::optional<std::vector<double>> numbers = readChannels(
        constant, op.getType().getRank(), op.getType().getDimSize(1));
    if (!numbers)
      continue;
    const std::optional<cnn::ChannelAffine> affine =
        makeAffine(op.getKind(), *numbers, isLeft);
    if (!affine)
      continue;
    if (failed(cnn::applyAffine(layer, *affine, op.getLoc(), references)))
      return failure();
    op.getResult().replaceAllUsesWith(result);
    op.erase();
    cnn::eraseUnusedConstant(constant, references);
    return success();
  }
  return success();
}

struct FoldAffinePass : public impl::FoldAffinePassBase<FoldAffinePass> {
  using FoldAffinePassBase::FoldAffinePassBase;

  void runOnOperation() override {
    SmallVector<cnn::BinaryOp> ops;
    getOperation().walk([&](cnn::BinaryOp op) { ops.push_back(op); });
    // Weights may be freed where no other function can refer to them.
    std::optional<cnn::WeightReferences> references;
    Block *siblings = getOperation()->getBlock();
    if (freeWeights && siblings && llvm::hasSingleElement(*siblings))
      references.emplace(getOperation());
    bool valid = true;
    for (cnn::BinaryOp op : ops)
      valid &= succeeded(fold(op, references ? &*references : nullptr));
    if (!valid)
      signalPassFailure();
  }
};

} // namespace
} // namespace snug
