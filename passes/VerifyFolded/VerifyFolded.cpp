// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that every operation has a kernel.
#include "passes/VerifyFolded/VerifyFolded.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"

#define DEBUG_TYPE "snug-verify-folded"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_VERIFYFOLDEDPASS
#include "passes/VerifyFolded/VerifyFolded.h.inc"

/// Every operand that is no activation is a constant with values.
static LogicalResult verifyParameters(cnn::ReceptiveFieldOpInterface op) {
  SmallVector<unsigned> activations = op.getActivationOperands();
  for (OpOperand &operand : op->getOpOperands()) {
    if (llvm::is_contained(activations, operand.getOperandNumber()))
      continue;
    if (!operand.get().getDefiningOp<cnn::ConstantOp>())
      return op->emitError("operand ")
             << operand.getOperandNumber()
             << " must be a constant: weights that are computed at run time "
                "cannot be packed";
    if (!cnn::getConstantValues(operand.get()))
      return op->emitError("operand ")
             << operand.getOperandNumber()
             << " has no values: the module was printed without its weights";
  }
  return success();
}

/// The kernels' epilogue knows only some activations.
static bool hasKernel(cnn::Activation activation) {
  return activation <= cnn::Activation::Relu6;
}

static LogicalResult verifyOp(Operation *op) {
  if (isa<cnn::ConvTranspose2DOp, cnn::MatMulOp, cnn::GlobalMaxPoolOp,
          cnn::ReduceOp, cnn::LrnOp, cnn::TransposeOp, cnn::ConcatOp,
          cnn::SliceOp, cnn::PadOp, cnn::ResizeOp, cnn::DepthToSpaceOp,
          cnn::SpaceToDepthOp, cnn::ChannelShuffleOp, cnn::OpaqueOp>(op))
    return op->emitError("has no kernel");
  if (auto binary = dyn_cast<cnn::BinaryOp>(op);
      binary && (binary.getKind() != cnn::BinaryKind::Add ||
                 binary.getLeft().getType() != binary.getRight().getType() ||
                 cast<cnn::ReceptiveFieldOpInterface>(op)
                         .getActivationOperands()
                         .size() != 2))
    return op->emitError("only a sum of two computed tensors of one type has a "
                         "kernel");
  if (auto pool = dyn_cast<cnn::AvgPool2DOp>(op);
      pool && llvm::any_of(pool.getCeilPads(), [](int64_t p) { return p; }))
    return op->emitError("has no kernel with ceil pads");
  for (auto activation : {StringRef("activation"), StringRef("kind")})
    if (auto kind = dyn_cast_or_null<cnn::ActivationAttr>(
            op->getAttrDictionary().get(activation));
        kind && !hasKernel(kind.getValue()))
      return op->emitError("activation ")
             << cnn::stringifyActivation(kind.getValue()) << " has no kernel";
  if (isa<cnn::IdentityOp, cnn::DropoutOp>(op))
    return op->emitError("has no kernel; run snug-fold-identity before");
  if (auto softmax = dyn_cast<cnn::SoftmaxOp>(op);
      softmax && softmax.getAxis() != 1)
    return op->emitError("softmax over axis ")
           << softmax.getAxis() << " has no kernel; only axis 1 (channels) has";
  if (auto geometry = dyn_cast<cnn::ReceptiveFieldOpInterface>(op))
    return verifyParameters(geometry);
  return success();
}

LogicalResult verifyFolded(func::FuncOp function) {
  bool isValid = true;
  function.walk([&](Operation *op) { isValid &= succeeded(verifyOp(op)); });
  return success(isValid);
}

namespace {

struct VerifyFoldedPass : public impl::VerifyFoldedPassBase<VerifyFoldedPass> {
  void runOnOperation() override {
    if (failed(verifyFolded(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace snug
