// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that every operation has a kernel.
#include "passes/VerifyFolded/VerifyFolded.h"

#include "snug/Analysis/MergedExtents.h"
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

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static LogicalResult verifyOpaque(cnn::OpaqueOp op) {
  std::string name = op.getName().str();
  if (!op.getDomain().empty())
    name = op.getDomain().str() + "." + name;
  return op.emitError("operator ")
         << name
         << " has no kernel, so no plan can be made; 'snug estimate' analyses "
            "the model as it is, replace the node to run it";
}

/// What no kernel, and no few of them, compute.
static LogicalResult verifyExtents(Operation *op) {
  if (auto binary = dyn_cast<cnn::BinaryOp>(op);
      binary &&
      !mergeBroadcast(shapeOf(binary.getLeft()), shapeOf(binary.getRight()),
                      shapeOf(binary.getResult())))
    return op->emitError("repeats its operands along more axes in turn than a "
                         "kernel has; expand one of them before");
  if (auto reduce = dyn_cast<cnn::ReduceOp>(op);
      reduce && !mergeReduced(shapeOf(reduce.getInput()), reduce.getAxes()))
    return op->emitError("reduces axes that are no neighbours; reduce them one "
                         "after the other");
  if (auto matmul = dyn_cast<cnn::MatMulOp>(op);
      matmul &&
      !mergeMatMul(shapeOf(matmul.getLeft()), shapeOf(matmul.getRight())))
    return op->emitError("repeats matrices of one side for some of the other's "
                         "batches; expand the batch before");
  if (auto pad = dyn_cast<cnn::PadOp>(op);
      pad && !mergePad(shapeOf(pad.getInput()), pad.getLow(), pad.getHigh()))
    return op->emitError("pads more than three axes; pad them one after the "
                         "other");
  return success();
}

static LogicalResult verifyOp(Operation *op) {
  if (auto opaque = dyn_cast<cnn::OpaqueOp>(op))
    return verifyOpaque(opaque);
  if (isa<cnn::IdentityOp, cnn::DropoutOp>(op))
    return op->emitError("has no kernel; run snug-fold-identity before");
  if (failed(verifyExtents(op)))
    return failure();
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
