// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks a function op by op and runs the reference operators.
#include "snug/Reference/Reference.h"

#include "Operators.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using llvm::ArrayRef;
using mlir::failure;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::success;
using mlir::Value;

namespace snug::reference {
namespace {

std::vector<int64_t> shapeOf(Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape().vec();
}

double toDouble(const llvm::APFloat &value) { return value.convertToFloat(); }

/// Of an op with a fused activation.
template <typename OpTy> Epilogue epilogueOf(OpTy op) {
  return {op.getActivation(), toDouble(op.getAlpha()), toDouble(op.getBeta())};
}

Window makeWindow(ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                  ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  Window window;
  llvm::copy(kernel, window.kernel);
  llvm::copy(strides, window.strides);
  llvm::copy(dilations, window.dilations);
  llvm::copy(pads, window.pads);
  return window;
}

class Executor {
public:
  void bind(Value value, Tensor tensor) {
    // Nothing reads it again: its elements need not be kept.
    if (!value.use_empty())
      values[value] = {std::move(tensor), remainingUses(value)};
  }

  /// Runs all ops of `block` but the last, its terminator.
  LogicalResult run(mlir::Block &block) {
    for (mlir::Operation &op : block.without_terminator())
      if (mlir::failed(run(op)))
        return failure();
    return success();
  }

  /// The tensor of `value`, for one of its uses.
  Tensor take(Value value) {
    auto found = values.find(value);
    assert(found != values.end() && "used before it is computed");
    if (--found->second.uses > 0)
      return found->second.tensor;
    // Its last use: what it holds goes when the caller is done.
    Tensor tensor = std::move(found->second.tensor);
    values.erase(found);
    return tensor;
  }

private:
  struct Binding {
    Tensor tensor;
    int64_t uses = 0;
  };

  static int64_t remainingUses(Value value) {
    return std::distance(value.use_begin(), value.use_end());
  }

  LogicalResult run(mlir::Operation &op);
  LogicalResult runConstant(cnn::ConstantOp op);
  LogicalResult runGroup(cnn::FusedGroupOp op);
  Tensor runConv2D(cnn::Conv2DOp op);
  Tensor runConvTranspose2D(cnn::ConvTranspose2DOp op);
  /// Ops that only move elements, and resize; nothing for others.
  std::optional<Tensor> runMovement(mlir::Operation &op);

  llvm::DenseMap<Value, Binding> values;
};

LogicalResult Executor::runConstant(cnn::ConstantOp op) {
  std::optional<cnn::ConstantValues> found =
      cnn::getConstantValues(op.getValue());
  if (!found)
    return op.emitError("the numbers of this constant are absent; execute a "
                        "module whose weights are not elided");
  if (!found->isSplat()) {
    // They stay with the context, which outlives this run.
    bind(op.getResult(),
         {shapeOf(op.getResult()), nullptr, found->getStored().data()});
    return success();
  }
  std::vector<float> elements(found->size(), (*found)[0]);
  bind(op.getResult(),
       makeTensor(shapeOf(op.getResult()), std::move(elements)));
  return success();
}

LogicalResult Executor::runGroup(cnn::FusedGroupOp op) {
  mlir::Block &block = op.getBlock();
  for (auto [argument, input] :
       llvm::zip_equal(block.getArguments(), op.getInputs()))
    bind(argument, take(input));
  if (mlir::failed(run(block)))
    return failure();
  for (auto [result, value] :
       llvm::zip_equal(op.getResults(), block.getTerminator()->getOperands()))
    bind(result, take(value));
  return success();
}

Tensor Executor::runConv2D(cnn::Conv2DOp op) {
  Tensor input = take(op.getInput()), filter = take(op.getFilter());
  std::optional<Tensor> bias, residual;
  if (op.getBias())
    bias = take(op.getBias());
  if (op.getResidual())
    residual = take(op.getResidual());
  Window window = makeWindow({filter.shape[2], filter.shape[3]},
                             op.getStrides(), op.getDilations(), op.getPads());
  return conv2d(input, filter, bias ? &*bias : nullptr,
                residual ? &*residual : nullptr, window, op.getGroups(),
                epilogueOf(op), shapeOf(op.getResult()));
}

Tensor Executor::runConvTranspose2D(cnn::ConvTranspose2DOp op) {
  Tensor input = take(op.getInput()), filter = take(op.getFilter());
  std::optional<Tensor> bias;
  if (op.getBias())
    bias = take(op.getBias());
  Window window = makeWindow({filter.shape[2], filter.shape[3]},
                             op.getStrides(), op.getDilations(), op.getPads());
  return convTranspose2d(input, filter, bias ? &*bias : nullptr, window,
                         op.getGroups(), epilogueOf(op),
                         shapeOf(op.getResult()));
}

std::optional<Tensor> Executor::runMovement(mlir::Operation &op) {
  std::vector<int64_t> shape = shapeOf(op.getResult(0));
  return llvm::TypeSwitch<mlir::Operation *, std::optional<Tensor>>(&op)
      .Case<cnn::ReshapeOp, cnn::IdentityOp, cnn::DropoutOp>([&](auto same) {
        Tensor tensor = take(same.getInput());
        tensor.shape = shape;
        return tensor;
      })
      .Case([&](cnn::TransposeOp transposeOp) {
        return transpose(take(transposeOp.getInput()),
                         transposeOp.getPermutation().vec(), shape);
      })
      .Case([&](cnn::ConcatOp concatOp) {
        std::vector<Tensor> inputs;
        for (Value input : concatOp.getInputs())
          inputs.push_back(take(input));
        return concat(inputs, concatOp.getAxis(), shape);
      })
      .Case([&](cnn::SliceOp sliceOp) {
        return slice(take(sliceOp.getInput()), sliceOp.getStarts().vec(),
                     sliceOp.getSteps().vec(), shape);
      })
      .Case([&](cnn::PadOp padOp) {
        return pad(take(padOp.getInput()), padOp.getLow().vec(),
                   padOp.getMode(), padOp.getValue().convertToFloat(), shape);
      })
      .Case([&](cnn::ResizeOp resizeOp) {
        return resize(take(resizeOp.getInput()), resizeOp.getMode(),
                      resizeOp.getRounding(), resizeOp.getScale().vec(),
                      resizeOp.getShift().vec(), shape);
      })
      .Case([&](cnn::DepthToSpaceOp space) {
        return depthToSpace(take(space.getInput()), space.getBlock(),
                            space.getMode(), shape);
      })
      .Case([&](cnn::SpaceToDepthOp depth) {
        return spaceToDepth(take(depth.getInput()), depth.getBlock(), shape);
      })
      .Case([&](cnn::ChannelShuffleOp shuffle) {
        return channelShuffle(take(shuffle.getInput()), shuffle.getGroups());
      })
      .Default([](mlir::Operation *) { return std::nullopt; });
}

LogicalResult Executor::run(mlir::Operation &op) {
  if (auto constant = llvm::dyn_cast<cnn::ConstantOp>(op))
    return runConstant(constant);
  if (auto group = llvm::dyn_cast<cnn::FusedGroupOp>(op))
    return runGroup(group);
  if (auto opaque = llvm::dyn_cast<cnn::OpaqueOp>(op))
    return opaque.emitError("the reference executor cannot run the operator '")
           << opaque.getName() << "', which this dialect does not have";

  std::optional<Tensor> result =
      llvm::TypeSwitch<mlir::Operation *, std::optional<Tensor>>(&op)
          .Case([&](cnn::Conv2DOp conv) { return runConv2D(conv); })
          .Case([&](cnn::ConvTranspose2DOp conv) {
            return runConvTranspose2D(conv);
          })
          .Case([&](cnn::MaxPool2DOp pool) {
            return maxPool2d(take(pool.getInput()),
                             makeWindow(pool.getKernel(), pool.getStrides(),
                                        pool.getDilations(), pool.getPads()),
                             shapeOf(pool.getResult()));
          })
          .Case([&](cnn::AvgPool2DOp pool) {
            return avgPool2d(take(pool.getInput()),
                             makeWindow(pool.getKernel(), pool.getStrides(),
                                        {1, 1}, pool.getPads()),
                             pool.getCountIncludePad(),
                             shapeOf(pool.getResult()));
          })
          .Case([&](cnn::GlobalAvgPoolOp pool) {
            return reduce(take(pool.getInput()), cnn::ReduceKind::Mean, {2, 3},
                          shapeOf(pool.getResult()));
          })
          .Case([&](cnn::GlobalMaxPoolOp pool) {
            return reduce(take(pool.getInput()), cnn::ReduceKind::Max, {2, 3},
                          shapeOf(pool.getResult()));
          })
          .Case([&](cnn::ReduceOp reduceOp) {
            return reduce(take(reduceOp.getInput()), reduceOp.getKind(),
                          reduceOp.getAxes().vec(),
                          shapeOf(reduceOp.getResult()));
          })
          .Case([&](cnn::BatchNormOp norm) {
            return batchNorm(take(norm.getInput()), take(norm.getScale()),
                             take(norm.getShift()), take(norm.getMean()),
                             take(norm.getVariance()),
                             toDouble(norm.getEpsilon()));
          })
          .Case([&](cnn::UnaryOp unaryOp) {
            return unary(take(unaryOp.getInput()),
                         {unaryOp.getKind(), toDouble(unaryOp.getAlpha()),
                          toDouble(unaryOp.getBeta())});
          })
          .Case([&](cnn::BinaryOp binaryOp) {
            Tensor left = take(binaryOp.getLeft());
            return binary(left, take(binaryOp.getRight()), binaryOp.getKind(),
                          epilogueOf(binaryOp), shapeOf(binaryOp.getResult()));
          })
          .Case([&](cnn::MatMulOp matmulOp) {
            Tensor left = take(matmulOp.getLeft());
            return matmul(left, take(matmulOp.getRight()),
                          shapeOf(matmulOp.getResult()));
          })
          .Case([&](cnn::GemmOp gemmOp) {
            Tensor input = take(gemmOp.getInput());
            Tensor weight = take(gemmOp.getWeight());
            std::optional<Tensor> bias;
            if (gemmOp.getBias())
              bias = take(gemmOp.getBias());
            return gemm(input, weight, bias ? &*bias : nullptr,
                        gemmOp.getTransposeWeight(), epilogueOf(gemmOp));
          })
          .Case([&](cnn::SoftmaxOp softmaxOp) {
            return softmax(take(softmaxOp.getInput()), softmaxOp.getAxis());
          })
          .Case([&](cnn::LrnOp lrnOp) {
            return lrn(take(lrnOp.getInput()), lrnOp.getSize(),
                       toDouble(lrnOp.getAlpha()), toDouble(lrnOp.getBeta()),
                       toDouble(lrnOp.getBias()));
          })
          .Default([&](mlir::Operation *) { return runMovement(op); });
  if (!result)
    return op.emitError("the reference executor does not know '")
           << op.getName() << "'";
  bind(op.getResult(0), std::move(*result));
  return success();
}

} // namespace

FailureOr<std::vector<std::vector<float>>>
execute(mlir::func::FuncOp function, ArrayRef<std::vector<float>> inputs) {
  if (function.isExternal())
    return function.emitError("the function has no body to execute");
  if (inputs.size() != function.getNumArguments())
    return function.emitError("the function takes ")
           << function.getNumArguments() << " inputs, but " << inputs.size()
           << " are given";
  Executor executor;
  for (auto [argument, elements] :
       llvm::zip_equal(function.getArguments(), inputs)) {
    auto type = llvm::dyn_cast<mlir::RankedTensorType>(argument.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
      return function.emitError("argument ")
             << argument.getArgNumber()
             << " is no float32 tensor of a static shape";
    if (static_cast<int64_t>(elements.size()) != type.getNumElements())
      return function.emitError("argument ")
             << argument.getArgNumber() << " has " << type.getNumElements()
             << " elements, but " << elements.size() << " are given";
    executor.bind(argument, {shapeOf(argument), nullptr, elements.data()});
  }
  mlir::Block &block = function.getBody().front();
  if (mlir::failed(executor.run(block)))
    return failure();
  std::vector<std::vector<float>> outputs;
  for (Value value : block.getTerminator()->getOperands()) {
    Tensor tensor = executor.take(value);
    outputs.emplace_back(tensor.data, tensor.data + tensor.elements());
  }
  return outputs;
}

} // namespace snug::reference
