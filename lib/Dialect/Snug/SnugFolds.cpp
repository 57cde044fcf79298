// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folders. None of them computes with weights: that is for passes, which say
// so.
#include "snug/Dialect/Snug/SnugDialect.h"

using namespace mlir;

namespace snug::cnn {

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return {};
}

} // namespace snug::cnn
