// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds additions into the convolution before them.
#include "passes/FoldResidual/FoldResidual.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#define DEBUG_TYPE "snug-fold-residual"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDRESIDUALPASS
#include "passes/FoldResidual/FoldResidual.h.inc"

namespace {

/// True where `value`, an operand in the block of `conv`, is there when `conv`
/// runs.
bool isBefore(Value value, cnn::Conv2DOp conv) {
  Operation *definition = value.getDefiningOp();
  return !definition || definition->getBlock() != conv->getBlock() ||
         definition->isBeforeInBlock(conv);
}

/// Makes `residual` an operand of the convolution that computes `sum`.
bool foldInto(Value sum, Value residual, cnn::BinaryOp addition) {
  auto conv = sum.getDefiningOp<cnn::Conv2DOp>();
  if (!conv || conv->getBlock() != addition->getBlock() ||
      !conv.getResult().hasOneUse() || conv.getResidual() ||
      conv.getActivation() != cnn::Activation::None ||
      addition.getActivation() != cnn::Activation::None ||
      sum.getType() != addition.getType() ||
      residual.getType() != addition.getType() || !isBefore(residual, conv))
    return false;
  conv.getResidualMutable().assign(residual);
  addition.getResult().replaceAllUsesWith(conv.getResult());
  addition.erase();
  return true;
}

struct FoldResidualPass : public impl::FoldResidualPassBase<FoldResidualPass> {
  void runOnOperation() override {
    getOperation().walk([](cnn::BinaryOp addition) {
      if (addition.getKind() != cnn::BinaryKind::Add)
        return;
      if (!foldInto(addition.getLeft(), addition.getRight(), addition))
        foldInto(addition.getRight(), addition.getLeft(), addition);
    });
  }
};

} // namespace
} // namespace snug
