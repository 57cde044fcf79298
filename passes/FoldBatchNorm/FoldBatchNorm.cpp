// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds batch normalisation into the convolution before it.
#include "passes/FoldBatchNorm/FoldBatchNorm.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#define DEBUG_TYPE "snug-fold-batch-norm"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "passes/FoldBatchNorm/FoldBatchNorm.h.inc"

namespace {

/// `factor * x + offset` for each channel: what a batch norm computes.
struct Affine {
  std::vector<double> factor, mean, shift;
};

using Fill = function_ref<void(MutableArrayRef<float>)>;

/// The values of a constant operand, or an error at `op` that names the
/// operand.
FailureOr<cnn::ConstantValues> readConstant(Operation *op, Value value,
                                            StringRef operand) {
  auto constant = value.getDefiningOp<cnn::ConstantOp>();
  if (!constant)
    return op->emitError() << cnn::describe(op) << " cannot be folded: its "
                           << operand
                           << " is not a constant; export the network for "
                              "inference, with its statistics as initializers";
  std::optional<cnn::ConstantValues> values =
      cnn::getConstantValues(constant.getValue());
  if (!values)
    return op->emitError() << cnn::describe(op) << " cannot be folded: its "
                           << operand
                           << " has no values; use a module that was printed "
                              "with its weights";
  return *values;
}

FailureOr<Affine> readAffine(cnn::BatchNormOp op) {
  Affine affine;
  const std::pair<Value, StringRef> operands[] = {
      {op.getScale(), "scale"},
      {op.getShift(), "shift"},
      {op.getMean(), "mean"},
      {op.getVariance(), "variance"}};
  std::vector<double> read[4];
  for (auto [index, operand] : llvm::enumerate(operands)) {
    const FailureOr<cnn::ConstantValues> values =
        readConstant(op, operand.first, operand.second);
    if (failed(values))
      return failure();
    for (int64_t channel = 0; channel < values->size(); ++channel)
      read[index].push_back((*values)[channel]);
  }
  const double epsilon = op.getEpsilon().convertToFloat();
  for (auto [channel, variance] : llvm::enumerate(read[3])) {
    // Not "<= 0": that would let NaN pass.
    if (!(variance + epsilon > 0))
      return op.emitError()
             << cnn::describe(op) << " cannot be folded: channel " << channel
             << " has variance + epsilon = " << variance + epsilon
             << ", expected a positive number";
    affine.factor.push_back(read[0][channel] / std::sqrt(variance + epsilon));
  }
  affine.shift = std::move(read[1]);
  affine.mean = std::move(read[2]);
  return affine;
}

/// A constant of `type` like `model`: a resource where `model` is one.
Value makeConstant(OpBuilder &builder, Location location, RankedTensorType type,
                   ElementsAttr model, StringRef suffix, Fill fill) {
  ElementsAttr value;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(model)) {
    const std::string name = (resource.getRawHandle().getKey() + suffix).str();
    value = cnn::makeWeights(type, name, fill);
  } else {
    std::vector<float> elements(type.getNumElements());
    fill(elements);
    value = DenseElementsAttr::get(type, ArrayRef<float>(elements));
  }
  return cnn::ConstantOp::create(builder, location, type, value);
}

void eraseUnusedConstant(Value value, cnn::WeightReferences *references) {
  if (!value.use_empty())
    return;
  if (auto constant = value.getDefiningOp<cnn::ConstantOp>()) {
    const Attribute weights = constant.getValue();
    constant.erase();
    if (references)
      references->drop(weights);
  }
}

/// True where `conv` computes nothing but a convolution with known parameters,
/// for this batch norm alone.
bool canTake(cnn::Conv2DOp conv) {
  return conv && conv.getResult().hasOneUse() && !conv.getResidual() &&
         conv.getActivation() == cnn::Activation::None &&
         conv.getFilter().getDefiningOp<cnn::ConstantOp>() &&
         (!conv.getBias() || conv.getBias().getDefiningOp<cnn::ConstantOp>());
}

/// Scales filter and bias of `conv` by what `op` computes. Frees the weights
/// that this replaces if `references` has counted who reads them.
LogicalResult fold(cnn::BatchNormOp op, cnn::Conv2DOp conv,
                   const Affine &affine, cnn::WeightReferences *references) {
  const FailureOr<cnn::ConstantValues> filter =
      readConstant(conv, conv.getFilter(), "filter");
  if (failed(filter))
    return failure();
  std::optional<cnn::ConstantValues> bias;
  if (conv.getBias()) {
    const FailureOr<cnn::ConstantValues> values =
        readConstant(conv, conv.getBias(), "bias");
    if (failed(values))
      return failure();
    bias = *values;
  }
  const Value oldFilter = conv.getFilter(), oldBias = conv.getBias();
  const RankedTensorType filterType = conv.getFilter().getType();
  const ElementsAttr model =
      oldFilter.getDefiningOp<cnn::ConstantOp>().getValue();
  const int64_t channels = filterType.getDimSize(0);
  const int64_t taps = filterType.getNumElements() / channels;

  OpBuilder builder(conv);
  const Value newFilter =
      makeConstant(builder, oldFilter.getLoc(), filterType, model, ".folded",
                   [&](MutableArrayRef<float> elements) {
                     for (int64_t channel = 0; channel < channels; ++channel)
                       for (int64_t tap = 0; tap < taps; ++tap) {
                         const int64_t index = channel * taps + tap;
                         elements[index] = static_cast<float>(
                             affine.factor[channel] * (*filter)[index]);
                       }
                   });
  const Value newBias = makeConstant(
      builder, op.getLoc(), op.getShift().getType(), model, ".folded_bias",
      [&](MutableArrayRef<float> elements) {
        for (int64_t channel = 0; channel < channels; ++channel) {
          const double before = bias ? (*bias)[channel] : 0.0;
          elements[channel] = static_cast<float>(
              affine.factor[channel] * (before - affine.mean[channel]) +
              affine.shift[channel]);
        }
      });
  conv.getFilterMutable().assign(newFilter);
  conv.getBiasMutable().assign(newBias);
  op.getResult().replaceAllUsesWith(conv.getResult());
  // A set: one constant may be several parameters, the bias among them.
  llvm::SmallSetVector<Value, 8> replaced(op->operand_begin() + 1,
                                          op->operand_end());
  replaced.insert(oldFilter);
  if (oldBias)
    replaced.insert(oldBias);
  op.erase();
  for (Value value : replaced)
    eraseUnusedConstant(value, references);
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
      const FailureOr<Affine> affine = readAffine(op);
      if (failed(affine)) {
        valid = false;
        continue;
      }
      auto conv = op.getInput().getDefiningOp<cnn::Conv2DOp>();
      if (canTake(conv))
        valid &= succeeded(
            fold(op, conv, *affine, references ? &*references : nullptr));
    }
    if (!valid)
      signalPassFailure();
  }
};

} // namespace
} // namespace snug
