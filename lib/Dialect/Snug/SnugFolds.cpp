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

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  const ArrayRef<int64_t> permutation = getPermutation();
  if (llvm::is_sorted(permutation))
    return getInput();
  if (auto inner = getInput().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> both;
    for (int64_t axis : permutation)
      both.push_back(inner.getPermutation()[axis]);
    getInputMutable().assign(inner.getInput());
    setPermutation(both);
    return getResult();
  }
  return {};
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1)
    return getInputs().front();
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  // A step of -1 over all of an axis turns it around.
  if (getInput().getType() == getType() &&
      llvm::all_of(llvm::zip(getType().getShape(), getSteps()), [](auto axis) {
        return std::get<0>(axis) == 1 || std::get<1>(axis) > 0;
      }))
    return getInput();
  return {};
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

} // namespace snug::cnn
