// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of convolutions, poolings and fully connected layers.
#include "passes/ConvertToPlan/Lowering.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace snug {

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

void Lowering::createConvolution(const Step &step, Operation *op,
                                 const runtime::WindowShape &window,
                                 ElementsAttr weights,
                                 FlatSymbolRefAttr biasSymbol,
                                 const Epilogue &epilogue, bool winograd) {
  FlatSymbolRefAttr symbol = segment(
      weights, nameOf(step) + ".weights", plan::Packing::Convolution,
      runtime::packedConvolutionBytes(target.target, window), window.groups);
  Value input = view(step.inputs[0]);
  Value residual = step.inputs.size() > 1 ? view(step.inputs[1]) : Value();
  Value output = view(step.output);
  Value workspace = step.workspace >= 0 ? buffer(step.workspace) : Value();
  create<plan::ConvolutionOp>(
      step, op->getLoc(), input, output, residual, workspace, symbol.getValue(),
      biasSymbol, ArrayRef<int64_t>{window.kernelHeight, window.kernelWidth},
      ArrayRef<int64_t>{window.strideHeight, window.strideWidth},
      ArrayRef<int64_t>{window.dilationHeight, window.dilationWidth},
      ArrayRef<int64_t>{step.padTop, step.padLeft, step.padBottom,
                        step.padRight},
      window.groups, epilogue.activation, epilogue.alpha, epilogue.beta,
      winograd);
}

LogicalResult Lowering::lower(const Step &step, cnn::Conv2DOp op) {
  FlatSymbolRefAttr biasSymbol = bias(op.getBias(), nameOf(step));
  createConvolution(step, op, windowShape(op),
                    op.getFilter().getDefiningOp<cnn::ConstantOp>().getValue(),
                    biasSymbol, epilogueOf(op),
                    kernelOf(op, network::shapeOf(built.network, step),
                             target) == runtime::KernelKind::Winograd);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::ConvTranspose2DOp op) {
  runtime::WindowShape window = windowShape(op);
  FlatSymbolRefAttr weights =
      segment(op.getFilter().getDefiningOp<cnn::ConstantOp>().getValue(),
              nameOf(step) + ".weights", plan::Packing::TransposedConvolution,
              runtime::packedTransposedConvolutionBytes(target.target, window),
              window.groups, op.getStrides(), op.getDilations());
  FlatSymbolRefAttr biasSymbol = bias(op.getBias(), nameOf(step));
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  // From places in whole tensors to places in the views.
  auto offset = [&](int axis, int64_t inputBegin, int64_t outputBegin) {
    return op.getPads()[axis] + outputBegin -
           inputBegin * op.getStrides()[axis];
  };
  const network::View &from = step.inputs[0], &to = step.output;
  Epilogue epilogue = epilogueOf(op);
  create<plan::TransposedConvolutionOp>(
      step, op.getLoc(), input, output, weights.getValue(), biasSymbol,
      ArrayRef<int64_t>{window.kernelHeight, window.kernelWidth},
      op.getStrides(), op.getDilations(),
      ArrayRef<int64_t>{offset(0, from.rows.begin, to.rows.begin),
                        offset(1, from.columns.begin, to.columns.begin)},
      window.groups, epilogue.activation, epilogue.alpha, epilogue.beta);
  return success();
}

/// A batch norm on its own is a depthwise 1x1 convolution: its weights and
/// biases are the scale and shift that the statistics come down to.
LogicalResult Lowering::lower(const Step &step, cnn::BatchNormOp op) {
  auto [cached, isNew] = normParameters.try_emplace(op);
  const std::string &name = nameOf(step);
  if (isNew) {
    auto scale = cnn::getConstantValues(op.getScale());
    auto shift = cnn::getConstantValues(op.getShift());
    auto mean = cnn::getConstantValues(op.getMean());
    auto variance = cnn::getConstantValues(op.getVariance());
    if (!scale || !shift || !mean || !variance)
      return op.emitError("statistics must be constants with values");
    int64_t channels = scale->size();
    double epsilon = op.getEpsilon().convertToDouble();
    auto factor = [&](int64_t c) {
      return (*scale)[c] /
             std::sqrt(static_cast<double>((*variance)[c]) + epsilon);
    };
    Type element = builder.getF32Type();
    cached->second.first =
        cnn::makeWeights(RankedTensorType::get({channels, 1, 1, 1}, element),
                         name + ".weights", [&](MutableArrayRef<float> values) {
                           for (int64_t c = 0; c < channels; ++c)
                             values[c] = static_cast<float>(factor(c));
                         });
    cached->second.second =
        cnn::makeWeights(RankedTensorType::get({channels}, element),
                         name + ".bias", [&](MutableArrayRef<float> values) {
                           for (int64_t c = 0; c < channels; ++c)
                             values[c] = static_cast<float>(
                                 (*shift)[c] - (*mean)[c] * factor(c));
                         });
  }
  auto [weights, shift] = cached->second;
  FlatSymbolRefAttr biasSymbol =
      segment(shift, name + ".bias", plan::Packing::Bias,
              runtime::packedBiasBytes(shift.getNumElements()));
  createConvolution(step, op, windowShape(op), weights, biasSymbol, Epilogue());
  return success();
}

//===----------------------------------------------------------------------===//
// Poolings
//===----------------------------------------------------------------------===//

void Lowering::createPool(const Step &step, Operation *op, plan::PoolKind kind,
                          ArrayRef<int64_t> window, ArrayRef<int64_t> strides,
                          ArrayRef<int64_t> dilations, bool countIncludePad,
                          ArrayRef<int64_t> counted) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  create<plan::PoolOp>(step, op->getLoc(), input, output, kind, window, strides,
                       dilations,
                       ArrayRef<int64_t>{step.padTop, step.padLeft,
                                         step.padBottom, step.padRight},
                       countIncludePad, counted);
}

LogicalResult Lowering::lower(const Step &step, cnn::MaxPool2DOp op) {
  createPool(step, op, plan::PoolKind::Max, op.getKernel(), op.getStrides(),
             op.getDilations(), false, {0, 0});
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::AvgPool2DOp op) {
  // Of the padding behind this part of the input, what belongs to the op's own
  // pads counts.
  const network::View &from = step.inputs[0];
  ArrayRef<int64_t> shape = op.getInput().getType().getShape();
  auto counted = [&](int64_t extent, int64_t pad, int64_t end, int64_t behind) {
    return op.getCountIncludePad()
               ? std::clamp<int64_t>(extent + pad - end, 0, behind)
               : 0;
  };
  createPool(
      step, op, plan::PoolKind::Average, op.getKernel(), op.getStrides(),
      {1, 1}, op.getCountIncludePad(),
      {counted(shape[2], op.getPads()[2], from.rows.end, step.padBottom),
       counted(shape[3], op.getPads()[3], from.columns.end, step.padRight)});
  return success();
}

//===----------------------------------------------------------------------===//
// Fully connected layers
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(const Step &step, cnn::GemmOp op) {
  const std::string &name = nameOf(step);
  int64_t inputs = op.getInput().getType().getShape()[1];
  int64_t outputs = op.getResult().getType().getShape()[1];
  FlatSymbolRefAttr weights =
      segment(op.getWeight().getDefiningOp<cnn::ConstantOp>().getValue(),
              name + ".weights",
              op.getTransposeWeight() ? plan::Packing::TransposedGemm
                                      : plan::Packing::Gemm,
              runtime::packedGemmBytes(target.target, inputs, outputs));
  FlatSymbolRefAttr biasSymbol = bias(op.getBias(), name);
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  Epilogue epilogue = epilogueOf(op);
  create<plan::GemmOp>(step, op->getLoc(), input, output, weights.getValue(),
                       biasSymbol, epilogue.activation, epilogue.alpha,
                       epilogue.beta);
  return success();
}

} // namespace snug
