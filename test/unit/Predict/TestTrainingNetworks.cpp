// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small networks for the tests of training models.
#include "Predict/TestTrainingNetworks.h"

namespace snug::predict::test {

TrainingNetwork convolutionAndRelu(int64_t filters, int64_t size) {
  TrainingNetwork network;
  network.name = "net";
  auto tensor = [&](const char *name, int64_t channels) {
    TrainingTensor tensor;
    tensor.name = name;
    tensor.shape = {channels, size, size};
    return tensor;
  };
  network.tensors = {tensor("image", 3), tensor("conv", filters),
                     tensor("relu", filters)};
  network.tensors[0].isInput = true;
  network.tensors[0].requiresGradient = false;
  network.tensors[2].isOutput = true;
  TrainingOp conv;
  conv.name = "conv";
  conv.kind = TrainingKind::Convolution;
  conv.mnemonic = "conv2d";
  conv.operands = {0};
  conv.result = 1;
  conv.kernel = {3, 3};
  conv.pads = {1, 1, 1, 1};
  conv.weights = filters * 3 * 3 * 3;
  conv.biases = filters;
  conv.macs = filters * size * size * 27;
  TrainingOp relu;
  relu.name = "relu";
  relu.kind = TrainingKind::Activation;
  relu.mnemonic = "relu";
  relu.operands = {1};
  relu.result = 2;
  relu.inPlace = true;
  network.ops = {conv, relu};
  return network;
}

} // namespace snug::predict::test
