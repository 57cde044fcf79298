// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds activations into the layer before them.
#include "passes/FoldActivation/FoldActivation.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "snug-fold-activation"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDACTIVATIONPASS
#include "passes/FoldActivation/FoldActivation.h.inc"

namespace {

/// Moves `activation` into `layer` where it is free to take it.
template <typename Layer> void foldInto(Layer layer, cnn::UnaryOp activation) {
  if (!layer.getResult().hasOneUse() ||
      layer.getActivation() != cnn::Activation::None)
    return;
  layer.setActivation(activation.getKind());
  layer.setAlphaAttr(activation.getAlphaAttr());
  layer.setBetaAttr(activation.getBetaAttr());
  activation.getResult().replaceAllUsesWith(layer.getResult());
  activation.erase();
}

struct FoldActivationPass
    : public impl::FoldActivationPassBase<FoldActivationPass> {
  void runOnOperation() override {
    getOperation().walk([](cnn::UnaryOp activation) {
      Operation *before = activation.getInput().getDefiningOp();
      if (!before)
        return;
      llvm::TypeSwitch<Operation *>(before)
          .Case<cnn::Conv2DOp, cnn::ConvTranspose2DOp, cnn::GemmOp,
                cnn::BinaryOp>(
              [&](auto layer) { foldInto(layer, activation); });
    });
  }
};

} // namespace
} // namespace snug
