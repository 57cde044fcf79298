// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Slow executors of test networks.
#include "Network/Interpreter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace snug::network {

namespace {

const float kPoison = std::numeric_limits<float>::quiet_NaN();

/// Strided access to (part of) a tensor; strides count elements.
struct Array {
  float *data = nullptr;
  int64_t batch = 0, channels = 0, height = 0, width = 0;
  int64_t batchStride = 0, channelStride = 0, rowStride = 0, columnStride = 0;

  float &at(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return data[n * batchStride + c * channelStride + y * rowStride +
                x * columnStride];
  }
};

/// Pads before the input, as the op or the step states them.
struct Pads {
  int64_t top = 0, left = 0;
};

Array planarArray(const Tensor &tensor, float *data) {
  const int64_t plane = tensor.height * tensor.width;
  return {data,          tensor.batch, tensor.channels,
          tensor.height, tensor.width, tensor.channels * plane,
          plane,         tensor.width, 1};
}

/// Calls `visit(input element, kernel row, kernel column)` for every tap of an
/// output position that lies inside the input.
template <typename Visit>
void forEachTap(const Kernel &kernel, const Array &input, const Pads &pads,
                int64_t y, int64_t x, Visit visit) {
  for (int64_t ky = 0; ky < kernel.height.kernel; ++ky)
    for (int64_t kx = 0; kx < kernel.width.kernel; ++kx) {
      const int64_t iy =
          y * kernel.height.stride + ky * kernel.height.dilation - pads.top;
      const int64_t ix =
          x * kernel.width.stride + kx * kernel.width.dilation - pads.left;
      if (iy >= 0 && iy < input.height && ix >= 0 && ix < input.width)
        visit(iy, ix, ky, kx);
    }
}

float convolve(const Kernel &kernel, const Array &input, const Array &output,
               const Pads &pads, int64_t n, int64_t c, int64_t y, int64_t x) {
  const int64_t inputs = input.channels / kernel.groups;
  const int64_t first = c / (output.channels / kernel.groups) * inputs;
  double sum = kernel.bias[c];
  forEachTap(
      kernel, input, pads, y, x,
      [&](int64_t iy, int64_t ix, int64_t ky, int64_t kx) {
        for (int64_t i = 0; i < inputs; ++i)
          sum += static_cast<double>(input.at(n, first + i, iy, ix)) *
                 kernel.weights[((c * inputs + i) * kernel.height.kernel + ky) *
                                    kernel.width.kernel +
                                kx];
      });
  return static_cast<float>(sum);
}

/// Poison wins, as a maximum would hide it. No tap inside: 1, so that no
/// element of a tensor is zero and could be missed unnoticed.
float pool(bool isMax, const Kernel &kernel, const Array &input,
           const Pads &pads, int64_t n, int64_t c, int64_t y, int64_t x) {
  double sum = 0;
  float most = -std::numeric_limits<float>::infinity();
  int64_t count = 0;
  bool poisoned = false;
  forEachTap(kernel, input, pads, y, x,
             [&](int64_t iy, int64_t ix, int64_t, int64_t) {
               const float value = input.at(n, c, iy, ix);
               poisoned |= std::isnan(value);
               most = std::max(most, value);
               sum += value;
               ++count;
             });
  if (poisoned)
    return kPoison;
  if (count == 0)
    return 1;
  return isMax ? most : static_cast<float>(sum / static_cast<double>(count));
}

/// One output element of any op but a reshape.
float compute(const Op &op, const Kernel &kernel,
              const std::vector<Array> &inputs, const Array &output,
              const Pads &pads, int64_t n, int64_t c, int64_t y, int64_t x) {
  const Array &input = inputs[0];
  if (op.kind == "conv2d")
    return convolve(kernel, input, output, pads, n, c, y, x);
  if (op.kind == "max_pool2d" || op.kind == "avg_pool2d")
    return pool(op.kind == "max_pool2d", kernel, input, pads, n, c, y, x);
  if (op.kind == "leaky_relu") {
    const float value = input.at(n, c, y, x);
    return value < 0 ? value * 0.25f : value; // poison stays poison
  }
  if (op.kind == "add")
    return input.at(n, c, y, x) + inputs[1].at(n, c, y, x);
  if (op.kind == "gemm") {
    double sum = 0;
    for (int64_t i = 0; i < input.channels; ++i)
      sum += static_cast<double>(input.at(n, i, 0, 0)) *
             kernel.weights[i * output.channels + c];
    return static_cast<float>(sum);
  }
  // Global average pooling.
  double sum = 0;
  for (int64_t iy = 0; iy < input.height; ++iy)
    for (int64_t ix = 0; ix < input.width; ++ix)
      sum += input.at(n, c, iy, ix);
  return static_cast<float>(sum /
                            static_cast<double>(input.height * input.width));
}

template <typename Visit> void forEachElement(const Array &array, Visit visit) {
  for (int64_t n = 0; n < array.batch; ++n)
    for (int64_t c = 0; c < array.channels; ++c)
      for (int64_t y = 0; y < array.height; ++y)
        for (int64_t x = 0; x < array.width; ++x)
          visit(n, c, y, x);
}

void runOp(const Op &op, const Kernel &kernel, const std::vector<Array> &inputs,
           const Array &output, const Pads &pads) {
  if (op.kind == "reshape") {
    std::vector<float> flat;
    forEachElement(inputs[0], [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      flat.push_back(inputs[0].at(n, c, y, x));
    });
    size_t next = 0;
    forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      output.at(n, c, y, x) = flat[next++];
    });
    return;
  }
  forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
    output.at(n, c, y, x) =
        compute(op, kernel, inputs, output, pads, n, c, y, x);
  });
}

class Interpreter {
public:
  Interpreter(const TestNetwork &test, const Program &program,
              const std::vector<int64_t> &offsets, int64_t arenaBytes)
      : test(test), program(program), offsets(offsets),
        arena(static_cast<size_t>(arenaBytes / kElementBytes), kPoison) {}

  Execution run(const Values &inputs);

private:
  std::string checkBuffers() const;
  std::string checkView(const View &view, int64_t step) const;
  std::string checkStep(int64_t index) const;
  void runStep(int64_t index);
  bool isSharedAt(int buffer, int64_t step) const;
  void poison(const Buffer &buffer);
  Array array(const View &view);
  float *address(int buffer) {
    return arena.data() + offsets[buffer] / kElementBytes;
  }

  const TestNetwork &test;
  const Program &program;
  const std::vector<int64_t> &offsets;
  std::vector<float> arena;
};

std::string Interpreter::checkBuffers() const {
  const int64_t bytes = static_cast<int64_t>(arena.size()) * kElementBytes;
  for (size_t i = 0; i < program.buffers.size(); ++i) {
    const Buffer &buffer = program.buffers[i];
    const std::string name = "buffer " + std::to_string(i);
    if (offsets[i] < 0 || offsets[i] + buffer.bytes > bytes)
      return name + " leaves the arena";
    if (buffer.liveBegin < 0 || buffer.liveBegin >= buffer.liveEnd ||
        buffer.liveEnd > static_cast<int64_t>(program.steps.size()))
      return name + " has no proper lifetime";
    if (buffer.tensor < 0)
      continue;
    const Tensor &tensor = test.network.tensors[buffer.tensor];
    if (buffer.bytes != tensor.batch * tensor.channels * buffer.rows.size() *
                            buffer.columns.size() * kElementBytes)
      return name + " has a wrong size";
  }
  return "";
}

std::string Interpreter::checkView(const View &view, int64_t step) const {
  const std::string name = "step " + std::to_string(step);
  if (view.buffer < 0 ||
      view.buffer >= static_cast<int>(program.buffers.size()))
    return name + " names no buffer";
  const Buffer &buffer = program.buffers[view.buffer];
  if (buffer.tensor < 0 || view.rows.empty() || view.columns.empty() ||
      !buffer.rows.contains(view.rows) ||
      !buffer.columns.contains(view.columns))
    return name + " has a view that leaves its buffer";
  if (step < buffer.liveBegin || step >= buffer.liveEnd)
    return name + " uses a buffer outside its life";
  return "";
}

std::string Interpreter::checkStep(int64_t index) const {
  const Step &step = program.steps[index];
  for (const View &view : step.inputs)
    if (std::string why = checkView(view, index); !why.empty())
      return why;
  if (std::string why = checkView(step.output, index); !why.empty())
    return why;
  const std::string name = "step " + std::to_string(index);
  if (step.op < 0) {
    const View &from = step.inputs[0];
    if (!(from.rows == step.output.rows) ||
        !(from.columns == step.output.columns) ||
        program.buffers[from.buffer].tensor !=
            program.buffers[step.output.buffer].tensor)
      return name + " moves something into something else";
    return "";
  }
  const Op &op = test.network.ops[step.op];
  if (program.buffers[step.output.buffer].tensor != op.result)
    return name + " writes another tensor than its op's";
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Buffer &buffer = program.buffers[step.inputs[i].buffer];
    if (buffer.tensor != op.operands[i].tensor)
      return name + " reads another tensor than its op";
    if (buffer.layout != Layout::ChannelsLast)
      return name + " reads a planar buffer";
  }
  return "";
}

void Interpreter::poison(const Buffer &buffer) {
  float *begin = address(static_cast<int>(&buffer - program.buffers.data()));
  std::fill(begin, begin + buffer.bytes / kElementBytes, kPoison);
}

Array Interpreter::array(const View &view) {
  const Buffer &buffer = program.buffers[view.buffer];
  const Tensor &tensor = test.network.tensors[buffer.tensor];
  const int64_t rows = buffer.rows.size(), columns = buffer.columns.size();
  Array array;
  array.batch = tensor.batch;
  array.channels = tensor.channels;
  array.height = view.rows.size();
  array.width = view.columns.size();
  array.batchStride = tensor.channels * rows * columns;
  const bool planar = buffer.layout == Layout::Planar;
  array.channelStride = planar ? rows * columns : 1;
  array.rowStride = planar ? columns : columns * tensor.channels;
  array.columnStride = planar ? 1 : tensor.channels;
  array.data = address(view.buffer) +
               (view.rows.begin - buffer.rows.begin) * array.rowStride +
               (view.columns.begin - buffer.columns.begin) * array.columnStride;
  return array;
}

/// True where a step's result lies on the buffer, or the buffer, as a result,
/// on what the step reads.
bool Interpreter::isSharedAt(int buffer, int64_t step) const {
  return std::any_of(
      program.reuses.begin(), program.reuses.end(), [&](const Reuse &reuse) {
        return reuse.step == step &&
               (reuse.input == buffer || reuse.output == buffer) &&
               offsets[reuse.input] == offsets[reuse.output];
      });
}

void Interpreter::runStep(int64_t index) {
  const Step &step = program.steps[index];
  for (size_t i = 0; i < program.buffers.size(); ++i) {
    const Buffer &buffer = program.buffers[i];
    const int number = static_cast<int>(i);
    const bool begins = buffer.liveBegin == index &&
                        buffer.role != Buffer::Role::Input &&
                        !isSharedAt(number, index);
    const bool ended =
        buffer.liveEnd == index && !isSharedAt(number, index - 1);
    if (begins || ended)
      poison(buffer);
  }
  std::vector<Array> inputs;
  for (const View &view : step.inputs)
    inputs.push_back(array(view));
  const Array output = array(step.output);
  if (step.op < 0)
    forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      output.at(n, c, y, x) = inputs[0].at(n, c, y, x);
    });
  else
    runOp(test.network.ops[step.op], test.kernels[step.op], inputs, output,
          {step.padTop, step.padLeft});
  if (step.workspace >= 0)
    poison(program.buffers[step.workspace]);
}

Execution Interpreter::run(const Values &inputs) {
  Execution result;
  result.error = checkBuffers();
  for (size_t i = 0; i < program.buffers.size(); ++i) {
    const Buffer &buffer = program.buffers[i];
    if (result.error.empty() && buffer.role == Buffer::Role::Input)
      std::memcpy(address(static_cast<int>(i)), inputs.at(buffer.tensor).data(),
                  static_cast<size_t>(buffer.bytes));
  }
  const int64_t steps = static_cast<int64_t>(program.steps.size());
  for (int64_t i = 0; i < steps && result.error.empty(); ++i) {
    result.error = checkStep(i);
    if (result.error.empty())
      runStep(i);
  }
  for (size_t i = 0; i < program.buffers.size(); ++i) {
    const Buffer &buffer = program.buffers[i];
    if (!result.error.empty() || buffer.role != Buffer::Role::Output)
      continue;
    const float *begin = address(static_cast<int>(i));
    result.outputs[buffer.tensor] =
        std::vector<float>(begin, begin + buffer.bytes / kElementBytes);
  }
  return result;
}

} // namespace

Values randomInputs(const Network &network, unsigned seed) {
  std::mt19937 random(seed);
  Values inputs;
  for (size_t i = 0; i < network.tensors.size(); ++i)
    if (network.tensors[i].isInput)
      for (int64_t k = 0; k < network.tensors[i].elements(); ++k)
        inputs[static_cast<int>(i)].push_back(
            static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 500);
  return inputs;
}

Values runReference(const TestNetwork &test, const Values &inputs) {
  const Network &network = test.network;
  Values all = inputs, outputs;
  auto whole = [&](int tensor) {
    return planarArray(network.tensors[tensor], all.at(tensor).data());
  };
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const Op &op = network.ops[i];
    all[op.result].resize(
        static_cast<size_t>(network.tensors[op.result].elements()));
    std::vector<Array> operands;
    for (const Operand &operand : op.operands)
      operands.push_back(whole(operand.tensor));
    const Kernel &kernel = test.kernels[i];
    runOp(op, kernel, operands, whole(op.result),
          {kernel.height.padLow, kernel.width.padLow});
  }
  for (size_t i = 0; i < network.tensors.size(); ++i)
    if (network.tensors[i].isOutput)
      outputs[static_cast<int>(i)] = all.at(static_cast<int>(i));
  return outputs;
}

Execution runProgram(const TestNetwork &test, const Program &program,
                     const std::vector<int64_t> &offsets, int64_t arenaBytes,
                     const Values &inputs) {
  return Interpreter(test, program, offsets, arenaBytes).run(inputs);
}

Execution runProgram(const TestNetwork &test, const Program &program,
                     const Values &inputs) {
  std::vector<int64_t> offsets;
  int64_t end = 0;
  for (const Buffer &buffer : program.buffers) {
    offsets.push_back(end);
    end += (buffer.bytes + kElementBytes - 1) / kElementBytes * kElementBytes;
  }
  return runProgram(test, program, offsets, end, inputs);
}

} // namespace snug::network
