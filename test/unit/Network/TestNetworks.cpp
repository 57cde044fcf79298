// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks for tests: built by hand or at random, with real weights.
#include "Network/TestNetworks.h"

#include <algorithm>

namespace snug::network {

Op &Builder::addOp(const std::string &kind, std::vector<Operand> operands,
                   Tensor result, Kernel kernel) {
  Op op;
  op.name = kind + std::to_string(built.network.ops.size());
  op.kind = kind;
  op.operands = std::move(operands);
  op.result = static_cast<int>(built.network.tensors.size());
  result.name = op.name + "_out";
  result.isInput = result.isOutput = false;
  built.network.tensors.push_back(result);
  built.network.ops.push_back(std::move(op));
  built.kernels.push_back(std::move(kernel));
  return built.network.ops.back();
}

std::vector<float> Builder::draw(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float &value : values)
    value = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 1000;
  return values;
}

/// The result of a window over `x`; extents of 0 where it does not fit.
Tensor Builder::window(int x, const Taps &height, const Taps &width) {
  Tensor result = built.network.tensors[x];
  result.height = height.map().outputExtent(result.height).value_or(0);
  result.width = width.map().outputExtent(result.width).value_or(0);
  return result;
}

int Builder::input(int64_t batch, int64_t channels, int64_t height,
                   int64_t width) {
  Tensor tensor;
  tensor.name = "in" + std::to_string(built.network.tensors.size());
  tensor.batch = batch;
  tensor.channels = channels;
  tensor.height = height;
  tensor.width = width;
  tensor.isInput = true;
  built.network.tensors.push_back(tensor);
  return static_cast<int>(built.network.tensors.size()) - 1;
}

int Builder::convolution(int x, int64_t outputChannels, Taps height, Taps width,
                         int64_t groups) {
  const int64_t channels = built.network.tensors[x].channels / groups;
  Tensor result = window(x, height, width);
  result.channels = outputChannels;
  const int64_t taps = height.kernel * width.kernel * channels;
  Op &op = addOp("conv2d", {{x, height.map(), width.map()}}, result,
                 {height, width, groups, draw(taps * outputChannels),
                  draw(outputChannels)});
  op.macsPerOutputElement = taps;
  op.startsLayer = true;
  return op.result;
}

int Builder::maxPool(int x, Taps height, Taps width) {
  Op &op = addOp("max_pool2d", {{x, height.map(), width.map()}},
                 window(x, height, width), {height, width, 1, {}, {}});
  op.startsLayer = true;
  return op.result;
}

int Builder::averagePool(int x, Taps height, Taps width) {
  Op &op = addOp("avg_pool2d", {{x, height.map(), width.map()}},
                 window(x, height, width), {height, width, 1, {}, {}});
  op.startsLayer = true;
  return op.result;
}

int Builder::globalAveragePool(int x) {
  Tensor result = built.network.tensors[x];
  result.height = result.width = 1;
  Op &op =
      addOp("global_avg_pool",
            {{x, AxisMap::wholeInput(), AxisMap::wholeInput()}}, result, {});
  op.startsLayer = true;
  return op.result;
}

int Builder::leakyRelu(int x) {
  return addOp("leaky_relu", {{x, {}, {}, /*inPlace=*/true}},
               built.network.tensors[x], {})
      .result;
}

int Builder::add(int a, int b) {
  return addOp("add", {{a, {}, {}, /*inPlace=*/true}, {b, {}, {}, true}},
               built.network.tensors[a], {})
      .result;
}

int Builder::flatten(int x) {
  Tensor result = built.network.tensors[x];
  result.channels *= result.height * result.width;
  result.height = result.width = 1;
  Op &op = addOp("reshape", {{x, AxisMap::wholeInput(), AxisMap::wholeInput()}},
                 result, {});
  op.resultLayout = Layout::Planar;
  return op.result;
}

int Builder::gemm(int x, int64_t features) {
  Tensor result = built.network.tensors[x];
  const int64_t inputs = result.channels;
  result.channels = features;
  Op &op = addOp("gemm", {{x, AxisMap::wholeInput(), AxisMap::wholeInput()}},
                 result, {{}, {}, 1, draw(inputs * features), {}});
  op.macsPerOutputElement = inputs;
  return op.result;
}

void Builder::workspacePerRow(int64_t bytes) {
  built.network.ops.back().workspaceBytes = [bytes](const StepShape &shape) {
    return bytes * shape.outputHeight;
  };
}

Network yolov2First16(bool unfolded) {
  struct Layer {
    int64_t channels, kernel; ///< 0 channels: max pooling 2x2, stride 2
  };
  const Layer layers[] = {{32, 3},  {0, 2},   {64, 3},  {0, 2},
                          {128, 3}, {64, 1},  {128, 3}, {0, 2},
                          {256, 3}, {128, 1}, {256, 3}, {0, 2},
                          {512, 3}, {256, 1}, {512, 3}, {256, 1}};
  Builder builder;
  int x = builder.input(1, 3, 608, 608);
  for (const Layer &layer : layers) {
    if (layer.channels == 0) {
      x = builder.maxPool(x, {2, 2, 1, 0, 0});
      continue;
    }
    const int64_t pad = layer.kernel / 2;
    const int64_t taps =
        layer.kernel * layer.kernel * builder.network().tensors[x].channels;
    x = builder.convolution(x, layer.channels, {layer.kernel, 1, 1, pad, pad});
    builder.setWeightBytes(taps * layer.channels * kElementBytes);
    if (unfolded)
      x = builder.leakyRelu(builder.leakyRelu(x));
  }
  builder.output(x);
  return builder.network();
}

namespace {

class RandomBuilder {
public:
  RandomBuilder(unsigned seed, const RandomOptions &options)
      : options(options), random(seed), builder(seed + 1) {}

  TestNetwork run();

private:
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  }
  bool chance(int64_t percent) { return between(1, 100) <= percent; }
  /// A window that fits over `extent` and never reads only padding.
  Taps taps(int64_t extent);
  int addLayer(int x);
  int addBranch(int x);

  const RandomOptions &options;
  std::mt19937 random;
  Builder builder;
};

Taps RandomBuilder::taps(int64_t extent) {
  while (true) {
    Taps taps;
    taps.kernel = between(1, 4);
    taps.stride = between(1, 3);
    taps.dilation = chance(70) ? 1 : between(2, 3);
    const int64_t reach = (taps.kernel - 1) * taps.dilation;
    taps.padLow = between(0, std::min<int64_t>(reach + 1, 3));
    taps.padHigh = between(0, std::min<int64_t>(reach + 1, 3));
    const std::optional<int64_t> output = taps.map().outputExtent(extent);
    if (output && !taps.map().needed({0, *output}, extent).interval.empty())
      return taps;
  }
}

int RandomBuilder::addLayer(int x) {
  const Tensor tensor = builder.network().tensors[x];
  const Taps height = taps(tensor.height), width = taps(tensor.width);
  switch (between(0, 5)) {
  case 0:
    return builder.maxPool(x, height, width);
  case 1:
    return builder.averagePool(x, height, width);
  default: {
    const int64_t groups = tensor.channels % 2 == 0 && chance(30) ? 2 : 1;
    x = builder.convolution(x, groups * between(1, 3), height, width, groups);
    if (chance(30))
      builder.workspacePerRow(between(1, 40) * 4);
    builder.setWeightBytes(between(1, 4) * 64);
    return chance(40) ? builder.leakyRelu(x) : x;
  }
  }
}

/// x, or its sum with an earlier tensor of the same shape.
int RandomBuilder::addBranch(int x) {
  const Tensor tensor = builder.network().tensors[x];
  for (int i = 0; i < x; ++i) {
    const Tensor &other = builder.network().tensors[i];
    if (other.channels == tensor.channels && other.height == tensor.height &&
        other.width == tensor.width && chance(60))
      return builder.add(i, x);
  }
  const int copy =
      builder.convolution(x, tensor.channels, {3, 1, 1, 1, 1}, {1, 1, 1, 0, 0});
  return builder.add(x, copy);
}

TestNetwork RandomBuilder::run() {
  int x = builder.input(chance(80) ? 1 : 2, between(1, 4),
                        between(1, options.maxExtent),
                        between(1, options.maxExtent));
  const int64_t count = between(1, options.maxOps);
  for (int64_t i = 0; i < count; ++i) {
    x = options.branches && chance(25) ? addBranch(x) : addLayer(x);
    if (options.branches && chance(7) && i + 1 < count)
      builder.output(x);
  }
  if (options.barriers && chance(30)) {
    x = chance(50) ? builder.globalAveragePool(x) : x;
    x = builder.flatten(x);
    x = chance(60) ? builder.gemm(x, between(1, 5)) : x;
  }
  builder.output(x);
  return builder.build();
}

} // namespace

TestNetwork randomNetwork(unsigned seed, const RandomOptions &options) {
  return RandomBuilder(seed, options).run();
}

} // namespace snug::network
