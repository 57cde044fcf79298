// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds lib/Predict's view of a network that is trained from IR.
#include "snug/Analysis/TrainingAnalysis.h"

#include "snug/Analysis/NetworkAnalysis.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;

namespace snug {

using predict::TrainingKind;
using predict::TrainingOp;
using predict::TrainingTensor;

namespace {

int64_t elementsOf(Value value) {
  return value ? cast<ShapedType>(value.getType()).getNumElements() : 0;
}

template <size_t count>
std::array<int64_t, count> toArray(ArrayRef<int64_t> values) {
  std::array<int64_t, count> array;
  std::copy_n(values.begin(), count, array.begin());
  return array;
}

template <typename Convolution>
void describeConvolution(Convolution conv, TrainingOp &op) {
  op.kernel = toArray<2>(conv.getFilter().getType().getShape().take_back(2));
  op.stride = toArray<2>(conv.getStrides());
  op.dilation = toArray<2>(conv.getDilations());
  op.pads = toArray<4>(conv.getPads());
  op.groups = conv.getGroups();
  op.weights = elementsOf(conv.getFilter());
  op.biases = elementsOf(conv.getBias());
}

template <typename Pooling> void describePooling(Pooling pool, TrainingOp &op) {
  op.kernel = toArray<2>(pool.getKernel());
  op.stride = toArray<2>(pool.getStrides());
  op.pads = toArray<4>(pool.getPads());
}

void describeGlobalPooling(Value input, TrainingOp &op) {
  op.kernel =
      toArray<2>(cast<ShapedType>(input.getType()).getShape().take_back(2));
}

TrainingKind kindOf(cnn::BinaryKind kind) {
  switch (kind) {
  case cnn::BinaryKind::Add:
  case cnn::BinaryKind::Sub:
    return TrainingKind::Add;
  case cnn::BinaryKind::Mul:
  case cnn::BinaryKind::Div:
    return TrainingKind::Multiply;
  default:
    return TrainingKind::Other;
  }
}

/// A mean over the pixels of an image is a global pooling.
bool isGlobalMean(cnn::ReduceOp reduce) {
  return reduce.getKind() == cnn::ReduceKind::Mean &&
         cast<ShapedType>(reduce.getInput().getType()).getRank() == 4 &&
         reduce.getAxes() == ArrayRef<int64_t>{2, 3};
}

/// Fills in kind, mnemonic, window and parameters.
void describe(Operation *operation, TrainingOp &op) {
  op.mnemonic = operation->getName().stripDialect().str();
  llvm::TypeSwitch<Operation *>(operation)
      .Case([&](cnn::Conv2DOp conv) {
        op.kind = TrainingKind::Convolution;
        describeConvolution(conv, op);
      })
      .Case([&](cnn::ConvTranspose2DOp conv) {
        op.kind = TrainingKind::TransposedConvolution;
        describeConvolution(conv, op);
      })
      .Case([&](cnn::GemmOp gemm) {
        op.kind = TrainingKind::FullyConnected;
        op.weights = elementsOf(gemm.getWeight());
        op.biases = elementsOf(gemm.getBias());
      })
      .Case([&](cnn::BatchNormOp norm) {
        op.kind = TrainingKind::BatchNormalization;
        op.weights = elementsOf(norm.getScale());
        op.biases = elementsOf(norm.getShift());
      })
      .Case([&](cnn::UnaryOp unary) {
        op.kind = TrainingKind::Activation;
        op.mnemonic = cnn::stringifyActivation(unary.getKind()).str();
      })
      .Case([&](cnn::BinaryOp binary) {
        op.kind = kindOf(binary.getKind());
        op.mnemonic = cnn::stringifyBinaryKind(binary.getKind()).str();
        if (binary.getKind() == cnn::BinaryKind::Prelu &&
            binary.getRight().getDefiningOp<cnn::ConstantOp>())
          op.weights = elementsOf(binary.getRight());
      })
      .Case([&](cnn::MaxPool2DOp pool) {
        op.kind = TrainingKind::Pooling;
        describePooling(pool, op);
        op.dilation = toArray<2>(pool.getDilations());
      })
      .Case([&](cnn::AvgPool2DOp pool) {
        op.kind = TrainingKind::AveragePooling;
        describePooling(pool, op);
      })
      .Case([&](cnn::GlobalMaxPoolOp pool) {
        op.kind = TrainingKind::Pooling;
        describeGlobalPooling(pool.getInput(), op);
      })
      .Case([&](cnn::GlobalAvgPoolOp pool) {
        op.kind = TrainingKind::GlobalAveragePooling;
        describeGlobalPooling(pool.getInput(), op);
      })
      .Case([&](cnn::ReduceOp reduce) {
        op.mnemonic += "_" + cnn::stringifyReduceKind(reduce.getKind()).str();
        if (!isGlobalMean(reduce))
          return;
        op.kind = TrainingKind::GlobalAveragePooling;
        describeGlobalPooling(reduce.getInput(), op);
      })
      .Case([&](cnn::ConcatOp) { op.kind = TrainingKind::Concat; })
      .Case([&](cnn::SliceOp) { op.kind = TrainingKind::Slice; })
      .Case([&](cnn::ReshapeOp) { op.kind = TrainingKind::Reshape; })
      .Case([&](cnn::DropoutOp) { op.kind = TrainingKind::Dropout; })
      .Case([&](cnn::SoftmaxOp) { op.kind = TrainingKind::Softmax; })
      .Case([&](cnn::ResizeOp) { op.kind = TrainingKind::Resize; })
      .Case([&](cnn::PadOp) { op.kind = TrainingKind::Pad; });
}

/// What a pass folded into the op; empty: nothing.
StringRef foldedPart(Operation *operation) {
  auto fused = [](auto op) -> StringRef {
    return op.getActivation() == cnn::Activation::None ? "" : "an activation";
  };
  return llvm::TypeSwitch<Operation *, StringRef>(operation)
      .Case([&](cnn::Conv2DOp conv) {
        return conv.getResidual() ? "a residual sum" : fused(conv);
      })
      .Case<cnn::ConvTranspose2DOp, cnn::GemmOp, cnn::BinaryOp>(fused)
      .Default([](Operation *) { return ""; });
}

/// True where an op computes across images, whatever its shapes are.
bool mixesBatch(Operation *operation) {
  return llvm::TypeSwitch<Operation *, bool>(operation)
      .Case([](cnn::TransposeOp op) { return op.getPermutation()[0] != 0; })
      .Case([](cnn::ConcatOp op) { return op.getAxis() == 0; })
      .Case([](cnn::SoftmaxOp op) { return op.getAxis() == 0; })
      .Case([](cnn::ReduceOp op) { return op.getAxes()[0] == 0; })
      .Default([](Operation *) { return false; });
}

/// Activations whose gradient PyTorch computes from their result alone, so that
/// they may write over their operand (derivatives.yaml: relu_, leaky_relu_,
/// hardtanh_, elu_).
bool mayRunInPlace(Operation *operation) {
  auto unary = dyn_cast<cnn::UnaryOp>(operation);
  if (!unary || !unary.getInput().hasOneUse())
    return false;
  switch (unary.getKind()) {
  case cnn::Activation::Relu:
  case cnn::Activation::Relu6:
  case cnn::Activation::Clip:
  case cnn::Activation::LeakyRelu:
  case cnn::Activation::Elu:
    break;
  default:
    return false;
  }
  // What made the operand may need it for its own gradient.
  Operation *producer = unary.getInput().getDefiningOp();
  return producer && !isa<cnn::UnaryOp, cnn::SoftmaxOp>(producer);
}

class Builder {
public:
  explicit Builder(func::FuncOp function) : function(function) {}

  FailureOr<TrainingFromIR> build() {
    if (!function.getBody().hasOneBlock())
      return function.emitError(
          "a network is a function with a body of one block");
    if (auto model = function->getParentOp()->getAttrOfType<StringAttr>(
            cnn::kModelAttrName))
      result.network.name = model.str();
    if (failed(checkKnown()) || failed(addInputs()))
      return failure();
    for (Operation &operation : function.getBody().front())
      if (!isa<cnn::ConstantOp, func::ReturnOp>(operation) &&
          failed(addOp(&operation)))
        return failure();
    for (Value output :
         function.getBody().front().getTerminator()->getOperands()) {
      auto known = tensorOf.find(output);
      if (known != tensorOf.end())
        result.network.tensors[known->second].isOutput = true;
    }
    if (std::string problem = predict::check(result.network); !problem.empty())
      return function.emitError(problem);
    return std::move(result);
  }

private:
  /// One error for all ops that nothing is known of.
  LogicalResult checkKnown() {
    SmallVector<Operation *> unknown;
    for (Operation &operation : function.getBody().front()) {
      if (isa<cnn::FusedGroupOp>(operation) || !foldedPart(&operation).empty())
        return operation.emitError(
                   "training is estimated of the network as it was imported, "
                   "but ")
               << (isa<cnn::FusedGroupOp>(operation)
                       ? "layers were fused"
                       : foldedPart(&operation) + " was folded in")
               << " here; run snug-annotate-training before the passes that "
                  "fold and fuse";
      if (isa<cnn::OpaqueOp>(operation) ||
          (!isa<cnn::ConstantOp, func::ReturnOp>(operation) &&
           !isa<cnn::CostOpInterface>(operation)))
        unknown.push_back(&operation);
    }
    if (unknown.empty())
      return success();
    auto opaque = dyn_cast<cnn::OpaqueOp>(unknown.front());
    const size_t others = unknown.size() - 1;
    InFlightDiagnostic diagnostic =
        unknown.front()->emitError("what training it takes is not known: ")
        << "operator '"
        << (opaque ? opaque.getName()
                   : unknown.front()->getName().getStringRef())
        << "' is not supported";
    if (others > 0)
      diagnostic << ", nor " << (others == 1 ? "is " : "are ") << others
                 << (others == 1 ? " node" : " nodes") << " behind it";
    return diagnostic << "; export the model with other operators, or without "
                         "this part";
  }

  int addTensor(Value value, std::string name, bool hasBatch) {
    TrainingTensor tensor;
    tensor.name = std::move(name);
    ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
    tensor.shape.assign(shape.begin() + (hasBatch ? 1 : 0), shape.end());
    tensor.hasBatch = hasBatch;
    const int index = static_cast<int>(result.network.tensors.size());
    result.network.tensors.push_back(std::move(tensor));
    tensorOf[value] = index;
    return index;
  }

  LogicalResult addInputs() {
    for (auto [index, argument] : llvm::enumerate(function.getArguments())) {
      ArrayRef<int64_t> shape = cast<ShapedType>(argument.getType()).getShape();
      const std::string name = inputName(function, index);
      if (shape.size() < 2)
        return function.emitError("input '")
               << name << "' has no batch axis: it has " << shape.size()
               << " axes; export the network with images along the first axis";
      if (index == 0)
        batch = shape[0];
      else if (shape[0] != batch)
        return function.emitError("input '")
               << name << "' has " << shape[0]
               << " images along its first axis, the input before it has "
               << batch << "; export both with one batch size";
      TrainingTensor &tensor =
          result.network.tensors[addTensor(argument, name, true)];
      tensor.isInput = true;
      tensor.requiresGradient = false;
    }
    return success();
  }

  LogicalResult addOp(Operation *operation) {
    if (isa<cnn::IdentityOp>(operation)) {
      tensorOf[operation->getResult(0)] = tensorOf[operation->getOperand(0)];
      return success();
    }
    TrainingOp op;
    op.name = cnn::getNodeName(operation).str();
    if (op.name.empty())
      op.name = operation->getName().stripDialect().str() + "_" +
                std::to_string(result.network.ops.size());
    describe(operation, op);
    bool hasBatch = false, requiresGradient = op.weights + op.biases > 0;
    for (Value operand : operation->getOperands()) {
      auto known = tensorOf.find(operand);
      if (known == tensorOf.end())
        continue; // a constant
      op.operands.push_back(known->second);
      const TrainingTensor &tensor = result.network.tensors[known->second];
      hasBatch |= tensor.hasBatch;
      requiresGradient |= tensor.requiresGradient;
    }
    Value made = operation->getResult(0);
    ArrayRef<int64_t> shape = cast<ShapedType>(made.getType()).getShape();
    if (hasBatch &&
        (shape.empty() || shape[0] != batch || mixesBatch(operation)))
      return operation->emitError("the batch axis ends here: ")
             << "the result is not one of " << batch
             << (batch == 1 ? " image" : " images")
             << " along the first axis; a network can be trained in batches "
                "where each op keeps them apart";
    op.inPlace = mayRunInPlace(operation);
    op.macs = cast<cnn::CostOpInterface>(operation).getMacs() / batch;
    op.result = addTensor(made, op.name, hasBatch);
    result.network.tensors[op.result].requiresGradient = requiresGradient;
    result.network.ops.push_back(std::move(op));
    result.ops.push_back(operation);
    return success();
  }

  func::FuncOp function;
  TrainingFromIR result;
  llvm::DenseMap<Value, int> tensorOf;
  int64_t batch = 1;
};

} // namespace

FailureOr<TrainingFromIR> buildTrainingNetwork(func::FuncOp function) {
  return Builder(function).build();
}

} // namespace snug
