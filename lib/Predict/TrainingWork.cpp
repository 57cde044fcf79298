// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one training step of a network asks of a device.
#include "TrainingWork.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace snug::predict {

// Instructions of PyTorch's kernels of max pooling: an output divides its
// index into positions and visits its window; backward, an input pixel finds
// the windows it lies in and compares their indices of 64 bits.
constexpr double kPoolOutputInstructions = 100, kPoolTapInstructions = 12,
                 kPoolInputInstructions = 120, kPoolBackwardInstructions = 20;

/// Calls of the CPU and kernels of one op, forward and backward.
struct Launches {
  double units = 0, kernels = 0;
};

/// cuDNN's convolutions look for an algorithm and describe their tensors before
/// each of three passes; an element-by-element operator counts 1 forward and
/// 1.5 backward.
static Launches launchesOf(const TrainingOp &op) {
  const double bias = op.biases > 0 ? 1 : 0;
  switch (op.kind) {
  case TrainingKind::Convolution:
  case TrainingKind::TransposedConvolution:
    return {9 + 2 * bias, 3 + 2 * bias};
  case TrainingKind::FullyConnected:
    return {6, 4};
  case TrainingKind::BatchNormalization:
    return {5, 2};
  case TrainingKind::Activation:
    return {2.5, 2};
  case TrainingKind::Add:
  case TrainingKind::Multiply:
    return {1, 1};
  case TrainingKind::Concat:
    return {4, 2};
  case TrainingKind::Reshape:
    return {};
  case TrainingKind::Slice:
    return {1, 1};
  default:
    return {3, 2};
  }
}

/// An update with momentum and weight decay: four operators and the zeroing of
/// the gradient, for each tensor of parameters.
constexpr double kUpdateLaunches = 5;
/// Softmax and cross entropy, forward and backward.
constexpr Launches kLossLaunches = {6, 4};

static TiledExtent tiled(double extent) {
  auto up = [&](double tile) { return std::ceil(extent / tile) * tile; };
  return {up(32), up(64), up(128)};
}

static LayerClass classOf(const TrainingOp &op, const LayerWork &layer) {
  if (op.kind == TrainingKind::FullyConnected)
    return LayerClass::Pointwise;
  if (layer.groups > 1 && layer.inputChannels == 1)
    return LayerClass::Depthwise;
  if (layer.taps == 1)
    return LayerClass::Pointwise;
  const bool isPlain3x3 = op.kernel[0] == 3 && op.kernel[1] == 3 &&
                          op.stride[0] == 1 && op.stride[1] == 1 &&
                          op.dilation[0] == 1 && op.dilation[1] == 1;
  return isPlain3x3 && layer.groups == 1 ? LayerClass::Winograd
                                         : LayerClass::Direct;
}

static LayerWork layerOf(const TrainingNetwork &network, int index) {
  const TrainingOp &op = network.ops[index];
  const TrainingTensor *from = &network.tensors[op.operands.front()];
  const TrainingTensor *to = &network.tensors[op.result];
  LayerWork layer;
  layer.op = index;
  layer.hasInputGradient = from->requiresGradient;
  if (op.kind == TrainingKind::TransposedConvolution)
    std::swap(from, to);
  layer.inputElements = static_cast<double>(from->elements());
  layer.outputElements = static_cast<double>(to->elements());
  layer.filterElements = static_cast<double>(op.weights);
  if (op.kind == TrainingKind::FullyConnected) {
    layer.isFullyConnected = true;
    const double rows = std::max(1.0, static_cast<double>(op.macs) /
                                          static_cast<double>(op.weights));
    layer.inputPixels = layer.outputPixels = rows;
    layer.inputChannels = layer.inputElements / rows;
    layer.outputChannels = layer.outputElements / rows;
  } else {
    layer.groups = static_cast<double>(op.groups);
    layer.taps = static_cast<double>(op.kernel[0] * op.kernel[1]);
    layer.inputChannels = static_cast<double>(from->channels()) / layer.groups;
    layer.outputChannels = static_cast<double>(to->channels()) / layer.groups;
    layer.inputPixels = static_cast<double>(from->height() * from->width());
    layer.outputPixels = static_cast<double>(to->height() * to->width());
    layer.isStrided = op.stride[0] > 1 || op.stride[1] > 1;
    auto even = [](int64_t extent) {
      return static_cast<double>((extent + 1) / 2 * 2);
    };
    layer.tileExcess =
        even(to->height()) * even(to->width()) / layer.outputPixels;
  }
  layer.kind = classOf(op, layer);
  layer.tiledInputs = tiled(layer.inputChannels);
  layer.tiledOutputs = tiled(layer.outputChannels);
  layer.tiledWindow = tiled(layer.inputChannels * layer.taps);
  return layer;
}

/// Elements read and written forward and backward, as shares of the larger of
/// result and first operand.
struct Passes {
  double forward = 0, backward = 0;
};

static Passes passesOf(const TrainingOp &op) {
  const auto operands = static_cast<double>(op.operands.size());
  switch (op.kind) {
  case TrainingKind::BatchNormalization:
    return {3, 5}; // reads twice: statistics, then values
  case TrainingKind::GlobalAveragePooling:
    return {1, 1};
  case TrainingKind::Add:
    return {operands + 1, 0}; // gradients pass through
  case TrainingKind::Multiply:
    return {operands + 1, operands > 1 ? 4.0 : 2.0};
  case TrainingKind::Concat:
    return {2, 2};
  case TrainingKind::Reshape:
    return {0, 0};
  case TrainingKind::Slice:
    return {0, 3};
  case TrainingKind::Dropout:
  case TrainingKind::Softmax:
    return {3, 3};
  default:
    return {2, 3};
  }
}

static bool hasProducts(const TrainingOp &op) {
  return op.kind == TrainingKind::Convolution ||
         op.kind == TrainingKind::TransposedConvolution ||
         op.kind == TrainingKind::FullyConnected;
}

static double poolInstructions(const TrainingOp &op, double inputs,
                               double outputs) {
  const auto taps = static_cast<double>(op.kernel[0] * op.kernel[1]);
  return outputs * (kPoolOutputInstructions + kPoolTapInstructions * taps +
                    kPoolBackwardInstructions * taps) +
         inputs * kPoolInputInstructions;
}

static PassWork passOf(const TrainingNetwork &network, int index) {
  const TrainingOp &op = network.ops[index];
  const TrainingTensor &result = network.tensors[op.result];
  const TrainingTensor &operand = network.tensors[op.operands.front()];
  const auto outputs = static_cast<double>(result.elements());
  const auto inputs = static_cast<double>(operand.elements());
  if (hasProducts(op)) // adding biases; their gradients
    return {index, PassClass::Elementwise, op.biases > 0 ? 3 * outputs : 0};
  if (op.kind == TrainingKind::Pooling ||
      op.kind == TrainingKind::AveragePooling)
    return {index, PassClass::Pooling, poolInstructions(op, inputs, outputs)};
  const Passes passes = passesOf(op);
  const PassClass kind =
      op.kind == TrainingKind::BatchNormalization ? PassClass::Normalization
      : op.kind == TrainingKind::Activation       ? PassClass::Activation
                                                  : PassClass::Elementwise;
  return {
      index, kind,
      std::max(inputs, outputs) *
          (passes.forward + (result.requiresGradient ? passes.backward : 0))};
}

/// Gradients of a tensor that several ops read are added up, each with two
/// reads and a write.
static std::vector<double> gradientSums(const TrainingNetwork &network) {
  std::vector<double> readers(network.tensors.size(), 0);
  for (const TrainingOp &op : network.ops)
    for (int operand : op.operands)
      ++readers[operand];
  for (size_t i = 0; i < readers.size(); ++i) {
    const TrainingTensor &tensor = network.tensors[i];
    readers[i] =
        tensor.requiresGradient && readers[i] > 1
            ? 3 * (readers[i] - 1) * static_cast<double>(tensor.elements())
            : 0;
  }
  return readers;
}

/// 64 bits of Fowler, Noll and Vo's hash 1a over what pruning leaves alone.
static std::string topologyOf(const TrainingNetwork &network) {
  uint64_t hash = 14695981039346656037u;
  auto add = [&](int64_t value) {
    for (int byte = 0; byte < 8; ++byte) {
      hash ^= static_cast<uint64_t>(value >> (8 * byte)) & 0xff;
      hash *= 1099511628211u;
    }
  };
  for (const TrainingOp &op : network.ops) {
    add(static_cast<int64_t>(op.kind));
    for (int64_t value : {op.kernel[0], op.kernel[1], op.stride[0],
                          op.stride[1], op.dilation[0], op.dilation[1]})
      add(value);
    add(op.groups > 1);
    for (int operand : op.operands)
      add(operand);
    add(op.result);
    const TrainingTensor &result = network.tensors[op.result];
    add(result.height());
    add(result.width());
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(hash));
  return text;
}

TrainingWork trainingWork(const TrainingNetwork &network) {
  TrainingWork work;
  work.launchUnits = kLossLaunches.units;
  work.kernels = kLossLaunches.kernels;
  const std::vector<double> sums = gradientSums(network);
  for (int index = 0; index < static_cast<int>(network.ops.size()); ++index) {
    const TrainingOp &op = network.ops[index];
    if (hasProducts(op))
      work.layers.push_back(layerOf(network, index));
    work.passes.push_back(passOf(network, index));
    if (sums[op.result] > 0)
      work.passes.push_back({index, PassClass::Elementwise, sums[op.result]});
    const double tensors =
        (op.weights > 0 ? 1.0 : 0.0) + (op.biases > 0 ? 1.0 : 0.0);
    const Launches launches = launchesOf(op);
    work.launchUnits += launches.units + kUpdateLaunches * tensors;
    work.kernels += launches.kernels + kUpdateLaunches * tensors;
  }
  for (const PassWork &pass : work.passes)
    work.passTotals[static_cast<size_t>(pass.kind)] += pass.perImage;
  work.parameters = static_cast<double>(network.parameters());
  work.topology = topologyOf(network);
  return work;
}

} // namespace snug::predict
