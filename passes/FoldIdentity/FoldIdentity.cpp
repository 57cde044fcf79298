// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Removes operations that return their input.
#include "passes/FoldIdentity/FoldIdentity.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#define DEBUG_TYPE "snug-fold-identity"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDIDENTITYPASS
#include "passes/FoldIdentity/FoldIdentity.h.inc"

namespace {

struct FoldIdentityPass : public impl::FoldIdentityPassBase<FoldIdentityPass> {
  void runOnOperation() override {
    // The walk is in post order, so that the op at hand may be erased.
    getOperation().walk([](Operation *op) {
      if (!isa<cnn::IdentityOp, cnn::DropoutOp>(op))
        return;
      op->getResult(0).replaceAllUsesWith(op->getOperand(0));
      op->erase();
    });
  }
};

} // namespace
} // namespace snug
