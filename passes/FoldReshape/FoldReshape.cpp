// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Removes movements of elements that undo each other or move nothing.
#include "passes/FoldReshape/FoldReshape.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define DEBUG_TYPE "snug-fold-reshape"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDRESHAPEPASS
#include "passes/FoldReshape/FoldReshape.h.inc"

namespace {

/// True where axes of more than one element keep their order.
bool movesNothing(cnn::TransposeOp op) {
  const ArrayRef<int64_t> shape = op.getInput().getType().getShape();
  SmallVector<int64_t> moved;
  for (int64_t axis : op.getPermutation())
    if (shape[axis] != 1)
      moved.push_back(axis);
  return llvm::is_sorted(moved);
}

/// Folds `op` until it stays as it is; erases it where its input stands for it.
void fold(Operation *op) {
  for (;;) {
    SmallVector<OpFoldResult> results;
    if (failed(op->fold(results)))
      return;
    if (results.empty())
      continue; // changed in place
    op->getResult(0).replaceAllUsesWith(cast<Value>(results.front()));
    op->erase();
    return;
  }
}

struct FoldReshapePass : public impl::FoldReshapePassBase<FoldReshapePass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (auto transpose = dyn_cast<cnn::TransposeOp>(op);
          transpose && movesNothing(transpose)) {
        OpBuilder builder(op);
        auto reshape = cnn::ReshapeOp::create(
            builder, op->getLoc(), transpose.getType(), transpose.getInput());
        transpose.getResult().replaceAllUsesWith(reshape.getResult());
        op->erase();
        op = reshape;
      }
      if (isa<cnn::ReshapeOp, cnn::TransposeOp, cnn::SliceOp, cnn::PadOp,
              cnn::ConcatOp>(op))
        fold(op);
    });
    // From the end, so that what only a dead op reads is dead, too.
    getOperation().walk<WalkOrder::PostOrder, ReverseIterator>(
        [](Operation *op) {
          if (isOpTriviallyDead(op))
            op->erase();
        });
  }
};

} // namespace
} // namespace snug
