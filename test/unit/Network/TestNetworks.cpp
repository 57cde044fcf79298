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

int Builder::transposedConvolution(int x, int64_t outputChannels, Taps height,
                                   Taps width, int64_t groups) {
  auto map = [](const Taps &taps) {
    return AxisMap::transposedWindow(taps.kernel, taps.stride, taps.dilation,
                                     taps.padLow, taps.padHigh);
  };
  Tensor result = built.network.tensors[x];
  const int64_t taps = height.kernel * width.kernel * result.channels / groups;
  result.height = map(height).outputExtent(result.height).value_or(0);
  result.width = map(width).outputExtent(result.width).value_or(0);
  result.channels = outputChannels;
  Op &op = addOp("conv_transpose2d", {{x, map(height), map(width)}}, result,
                 {height, width, groups, draw(taps * outputChannels),
                  draw(outputChannels)});
  op.macsPerOutputElement = taps;
  op.startsLayer = true;
  return op.result;
}

int Builder::resize(int x, AxisMap height, AxisMap width, int64_t outputHeight,
                    int64_t outputWidth) {
  Kernel kernel;
  Tensor result = built.network.tensors[x];
  kernel.inputHeight = result.height;
  kernel.inputWidth = result.width;
  result.height = outputHeight;
  result.width = outputWidth;
  return addOp("resize", {{x, height, width}}, result, kernel).result;
}

int Builder::gate(int x, int gate) {
  return addOp("gate",
               {{x, {}, {}, /*inPlace=*/true},
                {gate, AxisMap::wholeInput(), AxisMap::wholeInput()}},
               built.network.tensors[x], {})
      .result;
}

int Builder::concat(const std::vector<int> &parts, Layout layout) {
  std::vector<Operand> operands;
  Tensor result = built.network.tensors[parts.front()];
  result.channels = 0;
  for (int part : parts) {
    Operand operand;
    operand.tensor = part;
    operand.layout = layout;
    operand.resultChannel = result.channels;
    operands.push_back(operand);
    result.channels += built.network.tensors[part].channels;
  }
  Op &op = addOp("concat", std::move(operands), result, {});
  op.copies = true;
  op.resultLayout = layout;
  return op.result;
}

int Builder::slice(int x, Interval channels) {
  Operand operand;
  operand.tensor = x;
  operand.channels = channels;
  Tensor result = built.network.tensors[x];
  result.channels = channels.size();
  Op &op = addOp("slice", {operand}, result, {});
  op.copies = true;
  return op.result;
}

int Builder::crop(int x, Interval rows, Interval columns) {
  Tensor result = built.network.tensors[x];
  Operand operand;
  operand.tensor = x;
  operand.height = AxisMap::crop(rows.begin, rows.size(), result.height);
  operand.width = AxisMap::crop(columns.begin, columns.size(), result.width);
  result.height = rows.size();
  result.width = columns.size();
  Op &op = addOp("crop", {operand}, result, {});
  op.copies = true;
  return op.result;
}

int Builder::reverse(int x) {
  Operand operand{x, AxisMap::wholeInput(), AxisMap::wholeInput()};
  operand.layout = Layout::Planar;
  Op &op = addOp("reverse", {operand}, built.network.tensors[x], {});
  op.resultLayout = Layout::Planar;
  return op.result;
}

int Builder::reshape(int x, int64_t channels, int64_t height, int64_t width) {
  Operand operand{x, AxisMap::wholeInput(), AxisMap::wholeInput()};
  operand.layout = Layout::Planar;
  Tensor result = built.network.tensors[x];
  result.channels = channels;
  result.height = height;
  result.width = width;
  Op &op = addOp("reshape", {operand}, result, {});
  op.resultLayout = Layout::Planar;
  op.copies = true;
  return op.result;
}

int Builder::flatten(int x) {
  const Tensor &tensor = built.network.tensors[x];
  return reshape(x, tensor.channels * tensor.height * tensor.width, 1, 1);
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

void Builder::workspacePerRow(int64_t bytes, bool onlyEven) {
  built.network.ops.back().workspaceBytes = [=](const StepShape &shape) {
    return onlyEven && shape.outputHeight % 2 != 0 ? 0
                                                   : bytes * shape.outputHeight;
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
    if (chance(30)) {
      const int64_t words = between(1, 40);
      builder.workspacePerRow(words * 4, words % 2 == 0);
    }
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

/// Picks operands among all tensors so far, late ones more often.
class RandomGraphBuilder {
public:
  explicit RandomGraphBuilder(unsigned seed)
      : random(seed), builder(seed + 1) {}

  TestNetwork run(int64_t maxOps);

private:
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (most - least + 1));
  }
  bool chance(int64_t percent) { return between(1, 100) <= percent; }
  const Tensor &tensor(int x) { return builder.network().tensors[x]; }
  int pick() {
    const int count = static_cast<int>(builder.network().tensors.size());
    return chance(60)
               ? static_cast<int>(between(std::max(count - 3, 0), count - 1))
               : static_cast<int>(between(0, count - 1));
  }
  /// Tensors with the rows and columns of `x`, itself the first.
  std::vector<int> alike(int x, bool sameChannels);
  Interval part(int64_t extent) {
    const int64_t begin = between(0, extent - 1);
    return {begin, between(begin + 1, extent)};
  }
  Taps taps(int64_t extent);
  AxisMap resampling();
  int addConvolution(int x);
  int addTransposed(int x);
  int addReshape(int x);
  int addOp();

  std::mt19937 random;
  Builder builder;
};

std::vector<int> RandomGraphBuilder::alike(int x, bool sameChannels) {
  std::vector<int> found{x};
  for (size_t t = builder.network().tensors.size(); t-- > 0;) {
    const int other = static_cast<int>(t);
    if (other != x && tensor(other).height == tensor(x).height &&
        tensor(other).width == tensor(x).width &&
        (!sameChannels || tensor(other).channels == tensor(x).channels) &&
        chance(60))
      found.push_back(other);
  }
  if (chance(20))
    found.push_back(found[between(0, static_cast<int64_t>(found.size()) - 1)]);
  return found;
}

Taps RandomGraphBuilder::taps(int64_t extent) {
  if (chance(60))
    return chance(50) ? Taps{3, 1, 1, 1, 1} : Taps{};
  while (true) {
    Taps taps;
    taps.kernel = between(1, 3);
    taps.stride = between(1, 2);
    taps.dilation = between(1, 2);
    taps.padLow = between(0, 2);
    taps.padHigh = between(0, 2);
    const std::optional<int64_t> output = taps.map().outputExtent(extent);
    if (output && !taps.map().needed({0, *output}, extent).interval.empty())
      return taps;
  }
}

AxisMap RandomGraphBuilder::resampling() {
  return AxisMap::resample(
      chance(50) ? ResampleMode::Nearest : ResampleMode::Linear,
      static_cast<NearestRounding>(between(0, 3)),
      chance(50) ? 0.5 : static_cast<double>(between(1, 8)) / 5,
      chance(50) ? -0.25 : static_cast<double>(between(-4, 4)) / 8);
}

int RandomGraphBuilder::addConvolution(int x) {
  const Taps height = taps(tensor(x).height), width = taps(tensor(x).width);
  const int result = builder.convolution(x, between(1, 3), height, width);
  if (chance(20)) {
    const int64_t words = between(1, 40);
    builder.workspacePerRow(words * 4, words % 2 == 0);
  }
  return result;
}

int RandomGraphBuilder::addTransposed(int x) {
  auto taps = [&](int64_t extent) {
    while (true) {
      const Taps taps{between(1, 3), between(1, 3), between(1, 2),
                      between(0, 1), between(-1, 1)};
      const AxisMap map = AxisMap::transposedWindow(
          taps.kernel, taps.stride, taps.dilation, taps.padLow, taps.padHigh);
      const std::optional<int64_t> output = map.outputExtent(extent);
      if (output && !map.needed({0, *output}, extent).interval.empty())
        return taps;
    }
  };
  const Taps height = taps(tensor(x).height), width = taps(tensor(x).width);
  const int64_t groups = tensor(x).channels % 2 == 0 && chance(30) ? 2 : 1;
  return builder.transposedConvolution(x, groups * between(1, 2), height, width,
                                       groups);
}

int RandomGraphBuilder::addReshape(int x) {
  const Tensor of = tensor(x);
  switch (between(0, 2)) {
  case 0:
    return builder.flatten(x);
  case 1: // back to an image, if it is a vector
    return builder.reshape(x, 1, of.channels, of.height * of.width);
  default:
    return builder.reshape(x, of.height, of.width, of.channels);
  }
}

int RandomGraphBuilder::addOp() {
  const int x = pick();
  const Tensor of = tensor(x);
  switch (between(0, 15)) {
  case 0:
  case 1:
    return builder.concat(alike(x, false));
  case 2:
    return builder.slice(x, part(of.channels));
  case 3:
    return builder.crop(x, part(of.height), part(of.width));
  case 4:
    return addTransposed(x);
  case 5:
    return builder.resize(x, resampling(), resampling(),
                          std::min<int64_t>(between(1, 2 * of.height), 14),
                          std::min<int64_t>(between(1, 2 * of.width), 14));
  case 6:
    return builder.gate(
        x, builder.convolution(builder.globalAveragePool(x), of.channels, {}));
  case 7:
    return builder.reverse(x);
  case 8:
    return addReshape(x);
  case 9:
    return builder.concat(alike(x, false), Layout::Planar);
  case 10: {
    const std::vector<int> others = alike(x, true);
    return builder.add(x, others.back());
  }
  case 11:
  case 12:
    return builder.leakyRelu(x);
  default:
    return addConvolution(x);
  }
}

TestNetwork RandomGraphBuilder::run(int64_t maxOps) {
  const int64_t batch = chance(80) ? 1 : 2;
  const int64_t height = between(1, 9), width = between(1, 9);
  builder.input(batch, between(1, 4), height, width);
  if (chance(30))
    builder.input(batch, between(1, 4), height, width);
  const int64_t count = between(1, maxOps);
  while (static_cast<int64_t>(builder.network().ops.size()) < count)
    if (const int x = addOp(); tensor(x).elements() > 3000)
      break;
  // What nobody reads is an output, and some of the rest.
  std::vector<bool> isRead(builder.network().tensors.size());
  for (const Op &op : builder.network().ops)
    for (const Operand &operand : op.operands)
      isRead[operand.tensor] = true;
  for (size_t t = 0; t < isRead.size(); ++t)
    if (!tensor(static_cast<int>(t)).isInput && (!isRead[t] || chance(8)))
      builder.output(static_cast<int>(t));
  return builder.build();
}

} // namespace

TestNetwork randomGraph(unsigned seed, int64_t maxOps) {
  return RandomGraphBuilder(seed).run(maxOps);
}

TestNetwork randomNetwork(unsigned seed, const RandomOptions &options) {
  return RandomBuilder(seed, options).run();
}

} // namespace snug::network
