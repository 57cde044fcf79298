// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// New weights and biases from old ones.
#include "snug/Dialect/Snug/SnugParameters.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"

#include <optional>
#include <string>

using namespace mlir;

namespace snug::cnn {

FailureOr<ConstantValues> readParameter(Operation *op, Value value,
                                        StringRef role) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return op->emitError() << describe(op) << " cannot be folded: its " << role
                           << " is not a constant; export the network for "
                              "inference, with its statistics as initializers";
  std::optional<ConstantValues> values = getConstantValues(constant.getValue());
  if (!values)
    return op->emitError() << describe(op) << " cannot be folded: its " << role
                           << " has no values; use a module that was printed "
                              "with its weights";
  return *values;
}

void eraseUnusedConstant(Value value, WeightReferences *references) {
  if (!value.use_empty())
    return;
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    const Attribute weights = constant.getValue();
    constant.erase();
    if (references)
      references->drop(weights);
  }
}

namespace {

/// A layer's weights and bias, and which weight belongs to which channel.
struct Layer {
  OpOperand *weights = nullptr;
  MutableOperandRange bias;
  int64_t channels = 0;
  /// Index of the weight -> output channel:
  /// index / groupStride * groupSize + index / stride % groupSize.
  int64_t groupStride = 0, groupSize = 0, stride = 0;

  int64_t channelOf(int64_t index) const {
    return index / groupStride * groupSize + index / stride % groupSize;
  }
};

bool isConstant(Value value) {
  return !value || value.getDefiningOp<ConstantOp>();
}

template <typename OpTy> bool takes(OpTy layer, Value weights) {
  return layer.getResult().hasOneUse() &&
         layer.getActivation() == Activation::None && isConstant(weights) &&
         isConstant(layer.getBias());
}

Layer describeLayer(Operation *op) {
  return llvm::TypeSwitch<Operation *, Layer>(op)
      .Case([](Conv2DOp conv) {
        // [O, C / groups, kh, kw]
        const RankedTensorType filter = conv.getFilter().getType();
        const int64_t channels = filter.getDimSize(0);
        const int64_t taps = filter.getNumElements() / channels;
        return Layer{&conv.getFilterMutable(),
                     conv.getBiasMutable(),
                     channels,
                     filter.getNumElements(),
                     channels,
                     taps};
      })
      .Case([](ConvTranspose2DOp conv) {
        // [C, O / groups, kh, kw]: the C of one group lie together.
        const RankedTensorType filter = conv.getFilter().getType();
        const int64_t perGroup = filter.getDimSize(1);
        return Layer{&conv.getFilterMutable(),
                     conv.getBiasMutable(),
                     perGroup * conv.getGroups(),
                     filter.getNumElements() / conv.getGroups(),
                     perGroup,
                     filter.getDimSize(2) * filter.getDimSize(3)};
      })
      .Case([](GemmOp gemm) {
        const RankedTensorType weight = gemm.getWeight().getType();
        const bool transposed = gemm.getTransposeWeight();
        const int64_t channels = weight.getDimSize(transposed ? 0 : 1);
        return Layer{&gemm.getWeightMutable(),
                     gemm.getBiasMutable(),
                     channels,
                     weight.getNumElements(),
                     channels,
                     transposed ? weight.getDimSize(1) : 1};
      });
}

/// A constant of `type` like `model`: a resource where `model` is one.
Value makeConstant(OpBuilder &builder, Location location, RankedTensorType type,
                   ElementsAttr model, StringRef suffix,
                   function_ref<void(MutableArrayRef<float>)> fill) {
  ElementsAttr value;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(model)) {
    const std::string name = (resource.getRawHandle().getKey() + suffix).str();
    value = makeWeights(type, name, fill);
  } else {
    std::vector<float> elements(type.getNumElements());
    fill(elements);
    value = DenseElementsAttr::get(type, ArrayRef<float>(elements));
  }
  return ConstantOp::create(builder, location, type, value);
}

} // namespace

bool takesAffine(Operation *layer) {
  return layer &&
         llvm::TypeSwitch<Operation *, bool>(layer)
             .Case([](Conv2DOp conv) {
               return takes(conv, conv.getFilter()) && !conv.getResidual();
             })
             .Case([](ConvTranspose2DOp conv) {
               return takes(conv, conv.getFilter());
             })
             .Case([](GemmOp gemm) { return takes(gemm, gemm.getWeight()); })
             .Default([](Operation *) { return false; });
}

LogicalResult applyAffine(Operation *op, const ChannelAffine &affine,
                          Location location, WeightReferences *references) {
  Layer layer = describeLayer(op);
  const Value oldWeights = layer.weights->get();
  const Value oldBias = layer.bias.empty() ? Value() : layer.bias[0].get();
  const FailureOr<ConstantValues> weights =
      readParameter(op, oldWeights, isa<GemmOp>(op) ? "weight" : "filter");
  if (failed(weights))
    return failure();
  std::optional<ConstantValues> bias;
  if (oldBias) {
    const FailureOr<ConstantValues> values = readParameter(op, oldBias, "bias");
    if (failed(values))
      return failure();
    bias = *values;
  }
  const ElementsAttr model = oldWeights.getDefiningOp<ConstantOp>().getValue();
  const auto weightsType = cast<RankedTensorType>(oldWeights.getType());

  OpBuilder builder(op);
  const Value newWeights = makeConstant(
      builder, oldWeights.getLoc(), weightsType, model, ".folded",
      [&](MutableArrayRef<float> elements) {
        for (auto [index, element] : llvm::enumerate(elements))
          element = static_cast<float>(
              affine.factor[layer.channelOf(static_cast<int64_t>(index))] *
              (*weights)[static_cast<int64_t>(index)]);
      });
  const Value newBias = makeConstant(
      builder, location,
      RankedTensorType::get({layer.channels}, weightsType.getElementType()),
      model, ".folded_bias", [&](MutableArrayRef<float> elements) {
        for (int64_t channel = 0; channel < layer.channels; ++channel)
          elements[channel] = static_cast<float>(
              affine.factor[channel] * (bias ? (*bias)[channel] : 0.0) +
              affine.offset[channel]);
      });
  layer.weights->set(newWeights);
  layer.bias.assign(newBias);
  eraseUnusedConstant(oldWeights, references);
  if (oldBias && oldBias != oldWeights)
    eraseUnusedConstant(oldBias, references);
  return success();
}

} // namespace snug::cnn
