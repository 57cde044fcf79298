// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds batch normalisation into the layer before it.
#include "passes/FoldBatchNorm/FoldBatchNorm.h"

#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Dialect/Snug/SnugParameters.h"

#include "llvm/ADT/SetVector.h"

#include <cmath>
#include <optional>
#include <vector>

#define DEBUG_TYPE "snug-fold-batch-norm"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "passes/FoldBatchNorm/FoldBatchNorm.h.inc"

namespace {

/// What a batch norm computes, or an error that names it.
FailureOr<cnn::ChannelAffine> readAffine(cnn::BatchNormOp op) {
  const std::pair<Value, StringRef> operands[] = {
      {op.getScale(), "scale"},
      {op.getShift(), "shift"},
      {op.getMean(), "mean"},
      {op.getVariance(), "variance"}};
  std::vector<double> read[4];
  for (auto [index, operand] : llvm::enumerate(operands)) {
    const FailureOr<cnn::ConstantValues> values =
        cnn::readParameter(op, operand.first, operand.second);
    if (failed(values))
      return failure();
    for (int64_t channel = 0; channel < values->size(); ++channel)
      read[index].push_back((*values)[channel]);
  }
  cnn::ChannelAffine affine;
  const double epsilon = op.getEpsilon().convertToFloat();
  for (auto [channel, variance] : llvm::enumerate(read[3])) {
    // Not "<= 0": that would let NaN pass.
    if (!(variance + epsilon > 0))
      return op.emitError()
             << cnn::describe(op) << " cannot be folded: channel " << channel
             << " has variance + epsilon = " << variance + epsilon
             << ", expected a positive number";
    const double factor = read[0][channel] / std::sqrt(variance + epsilon);
    affine.factor.push_back(factor);
    affine.offset.push_back(read[1][channel] - factor * read[2][channel]);
  }
  return affine;
}

/// Makes the layer compute what `op` does with its result.
LogicalResult fold(cnn::BatchNormOp op, Operation *layer,
                   const cnn::ChannelAffine &affine,
                   cnn::WeightReferences *references) {
  if (failed(cnn::applyAffine(layer, affine, op.getLoc(), references)))
    return failure();
  op.getResult().replaceAllUsesWith(layer->getResult(0));
  // A set: one constant may be several parameters.
  const llvm::SmallSetVector<Value, 8> parameters(op->operand_begin() + 1,
                                                  op->operand_end());
  op.erase();
  for (Value value : parameters)
    cnn::eraseUnusedConstant(value, references);
  return success();
}

struct FoldBatchNormPass
    : public impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  using FoldBatchNormPassBase::FoldBatchNormPassBase;

  void runOnOperation() override {
    SmallVector<cnn::BatchNormOp> ops;
    getOperation().walk([&](cnn::BatchNormOp op) { ops.push_back(op); });
    // Weights may be freed where no other function can refer to them.
    std::optional<cnn::WeightReferences> references;
    Block *siblings = getOperation()->getBlock();
    if (freeWeights && siblings && llvm::hasSingleElement(*siblings))
      references.emplace(getOperation());
    bool valid = true;
    for (cnn::BatchNormOp op : ops) {
      const FailureOr<cnn::ChannelAffine> affine = readAffine(op);
      if (failed(affine)) {
        valid = false;
        continue;
      }
      Operation *layer = op.getInput().getDefiningOp();
      if (cnn::takesAffine(layer))
        valid &= succeeded(
            fold(op, layer, *affine, references ? &*references : nullptr));
    }
    if (!valid)
      signalPassFailure();
  }
};

} // namespace
} // namespace snug
