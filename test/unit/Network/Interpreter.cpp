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

/// What a kernel is told besides its views: the pads before the input, as the
/// op or the step states them, and where the views begin in their tensors.
struct Place {
  int64_t top = 0, left = 0;
  int64_t inputRow = 0, inputColumn = 0, outputRow = 0, outputColumn = 0;
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
void forEachTap(const Kernel &kernel, const Array &input, const Place &place,
                int64_t y, int64_t x, Visit visit) {
  for (int64_t ky = 0; ky < kernel.height.kernel; ++ky)
    for (int64_t kx = 0; kx < kernel.width.kernel; ++kx) {
      const int64_t iy =
          y * kernel.height.stride + ky * kernel.height.dilation - place.top;
      const int64_t ix =
          x * kernel.width.stride + kx * kernel.width.dilation - place.left;
      if (iy >= 0 && iy < input.height && ix >= 0 && ix < input.width)
        visit(iy, ix, ky, kx);
    }
}

float convolve(const Kernel &kernel, const Array &input, const Array &output,
               const Place &place, int64_t n, int64_t c, int64_t y, int64_t x) {
  const int64_t inputs = input.channels / kernel.groups;
  const int64_t first = c / (output.channels / kernel.groups) * inputs;
  double sum = kernel.bias[c];
  forEachTap(
      kernel, input, place, y, x,
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
           const Place &place, int64_t n, int64_t c, int64_t y, int64_t x) {
  double sum = 0;
  float most = -std::numeric_limits<float>::infinity();
  int64_t count = 0;
  bool poisoned = false;
  forEachTap(kernel, input, place, y, x,
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

/// Sum over the inputs that spread to an output position.
float convolveTransposed(const Kernel &kernel, const Array &input,
                         const Array &output, const Place &place, int64_t n,
                         int64_t c, int64_t y, int64_t x) {
  const int64_t outputs = output.channels / kernel.groups;
  const int64_t inputs = input.channels / kernel.groups;
  const int64_t first = c / outputs * inputs;
  double sum = kernel.bias[c];
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t iy = 0; iy < input.height; ++iy)
      for (int64_t ix = 0; ix < input.width; ++ix)
        for (int64_t ky = 0; ky < kernel.height.kernel; ++ky)
          for (int64_t kx = 0; kx < kernel.width.kernel; ++kx)
            if (iy * kernel.height.stride + ky * kernel.height.dilation -
                        place.top ==
                    y &&
                ix * kernel.width.stride + kx * kernel.width.dilation -
                        place.left ==
                    x)
              sum += static_cast<double>(input.at(n, first + i, iy, ix)) *
                     kernel.weights[(((first + i) * outputs + c % outputs) *
                                         kernel.height.kernel +
                                     ky) *
                                        kernel.width.kernel +
                                    kx];
  return static_cast<float>(sum);
}

/// The elements that an output position of a resample reads, with weights.
std::vector<std::pair<int64_t, double>>
samples(const AxisMap &map, int64_t extent, int64_t output) {
  double at = map.scale * static_cast<double>(output) + map.shift;
  at = std::max(0.0, std::min(at, static_cast<double>(extent - 1)));
  const int64_t below = static_cast<int64_t>(at);
  const double weight = at - static_cast<double>(below);
  if (map.mode == ResampleMode::Linear) {
    if (weight == 0)
      return {{below, 1}};
    return {{below, 1 - weight}, {below + 1, weight}};
  }
  bool up = false;
  switch (map.rounding) {
  case NearestRounding::PreferFloor:
    up = weight > 0.5;
    break;
  case NearestRounding::PreferCeil:
    up = weight >= 0.5;
    break;
  case NearestRounding::Floor:
    break;
  case NearestRounding::Ceil:
    up = weight > 0;
    break;
  }
  return {{below + (up ? 1 : 0), 1}};
}

float resample(const Operand &operand, const Kernel &kernel, const Array &input,
               const Place &place, int64_t n, int64_t c, int64_t y, int64_t x) {
  double sum = 0;
  for (auto [row, rowWeight] :
       samples(operand.height, kernel.inputHeight, y + place.outputRow))
    for (auto [column, columnWeight] :
         samples(operand.width, kernel.inputWidth, x + place.outputColumn))
      sum += rowWeight * columnWeight *
             static_cast<double>(input.at(n, c, row - place.inputRow,
                                          column - place.inputColumn));
  return static_cast<float>(sum);
}

/// One output element of any op that neither copies nor counts elements.
float compute(const Op &op, const Kernel &kernel,
              const std::vector<Array> &inputs, const Array &output,
              const Place &place, int64_t n, int64_t c, int64_t y, int64_t x) {
  const Array &input = inputs[0];
  if (op.kind == "conv2d")
    return convolve(kernel, input, output, place, n, c, y, x);
  if (op.kind == "max_pool2d" || op.kind == "avg_pool2d")
    return pool(op.kind == "max_pool2d", kernel, input, place, n, c, y, x);
  if (op.kind == "leaky_relu") {
    const float value = input.at(n, c, y, x);
    return value < 0 ? value * 0.25f : value; // poison stays poison
  }
  if (op.kind == "conv_transpose2d")
    return convolveTransposed(kernel, input, output, place, n, c, y, x);
  if (op.kind == "resize")
    return resample(op.operands[0], kernel, input, place, n, c, y, x);
  if (op.kind == "gate")
    return input.at(n, c, y, x) * inputs[1].at(n, c, 0, 0);
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
           const Array &output, const Place &place) {
  // Planar order forwards, or backwards.
  if (op.kind == "reshape" || op.kind == "reverse") {
    std::vector<float> flat;
    forEachElement(inputs[0], [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      flat.push_back(inputs[0].at(n, c, y, x));
    });
    if (op.kind == "reverse")
      std::reverse(flat.begin(), flat.end());
    size_t next = 0;
    forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      output.at(n, c, y, x) = flat[next++];
    });
    return;
  }
  if (op.copies) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      const Operand &operand = op.operands[k];
      const int64_t begin = operand.channels.begin;
      const int64_t count = operand.channels.empty() ? inputs[k].channels
                                                     : operand.channels.size();
      forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
        const int64_t from = c - operand.resultChannel;
        if (from >= 0 && from < count)
          output.at(n, c, y, x) =
              inputs[k].at(n, begin + from, y - operand.height.padLow,
                           x - operand.width.padLow);
      });
    }
    return;
  }
  forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
    output.at(n, c, y, x) =
        compute(op, kernel, inputs, output, place, n, c, y, x);
  });
}

struct Part {
  Interval rows, columns;
};

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
  bool lies(const View &view, Layout layout) const;
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
    if (buffer.bytes != tensor.batch * buffer.channels * buffer.rows.size() *
                            buffer.columns.size() * kElementBytes)
      return name + " has a wrong size";
  }
  return "";
}

std::string Interpreter::checkView(const View &view, int64_t step) const {
  const std::string name = "step " + std::to_string(step);
  if (view.buffer < 0 ||
      view.buffer >= static_cast<int>(program.buffers.size()) ||
      view.tensor < 0)
    return name + " names no buffer or tensor";
  const Buffer &buffer = program.buffers[view.buffer];
  if (buffer.tensor < 0)
    return name + " views workspace";
  const Tensor &tensor = test.network.tensors[view.tensor];
  const bool reshaped = isReshaped(test.network, program, view);
  if (reshaped && (buffer.bytes != tensor.bytes() ||
                   (buffer.layout != Layout::Planar &&
                    !test.network.tensors[buffer.tensor].ordersAgree())))
    return name + " reshapes what is not dense and in planar order";
  const Interval rows = reshaped ? Interval{0, tensor.height} : buffer.rows;
  const Interval columns =
      reshaped ? Interval{0, tensor.width} : buffer.columns;
  const Interval channels{0, reshaped ? tensor.channels : buffer.channels};
  if (view.rows.empty() || view.columns.empty() || view.channels.empty() ||
      !rows.contains(view.rows) || !columns.contains(view.columns) ||
      !channels.contains(view.channels))
    return name + " has a view that leaves its buffer";
  if (step < buffer.liveBegin || step >= buffer.liveEnd)
    return name + " uses a buffer outside its life";
  return "";
}

/// Whether a kernel may read or write the view in this order.
bool Interpreter::lies(const View &view, Layout layout) const {
  const Buffer &buffer = program.buffers[view.buffer];
  const Tensor &tensor = test.network.tensors[view.tensor];
  if (isReshaped(test.network, program, view))
    return layout == Layout::Planar || tensor.ordersAgree();
  return buffer.layout == layout ||
         (tensor.ordersAgree() && buffer.channels == tensor.channels);
}

std::string Interpreter::checkStep(int64_t index) const {
  const Step &step = program.steps[index];
  for (const View &view : step.inputs)
    if (std::string why = checkView(view, index); !why.empty())
      return why;
  if (std::string why = checkView(step.output, index); !why.empty())
    return why;
  const std::string name = "step " + std::to_string(index);
  const View &from = step.inputs[0];
  if (step.op < 0 || step.operand >= 0) {
    if (from.rows.size() != step.output.rows.size() ||
        from.columns.size() != step.output.columns.size() ||
        from.channels.size() != step.output.channels.size())
      return name + " copies something into something else";
    if (from.buffer == step.output.buffer &&
        from.channels.begin < step.output.channels.end &&
        step.output.channels.begin < from.channels.end)
      return name + " copies channels over themselves";
    if (step.op < 0)
      return from.tensor == step.output.tensor &&
                     from.rows == step.output.rows &&
                     from.columns == step.output.columns
                 ? ""
                 : name + " moves something into something else";
  }
  const Op &op = test.network.ops[step.op];
  if (op.copies != (step.operand >= 0))
    return name + " copies, or does not, unlike its op";
  if (step.operand >= 0)
    return from.tensor == op.operands[step.operand].tensor
               ? ""
               : name + " copies another tensor than its operand";
  if (step.output.tensor != op.result)
    return name + " writes another tensor than its op's";
  if (!lies(step.output, op.resultLayout))
    return name + " writes in another order than its op";
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    if (step.inputs[i].tensor != op.operands[i].tensor)
      return name + " reads another tensor than its op";
    if (!lies(step.inputs[i], op.operands[i].layout))
      return name + " reads in another order than its op";
  }
  return "";
}

void Interpreter::poison(const Buffer &buffer) {
  float *begin = address(static_cast<int>(&buffer - program.buffers.data()));
  std::fill(begin, begin + buffer.bytes / kElementBytes, kPoison);
}

Array Interpreter::array(const View &view) {
  const Buffer &buffer = program.buffers[view.buffer];
  const Tensor &tensor = test.network.tensors[view.tensor];
  Array array;
  array.batch = tensor.batch;
  array.channels = view.channels.size();
  array.height = view.rows.size();
  array.width = view.columns.size();
  const bool reshaped = isReshaped(test.network, program, view);
  const Part held = reshaped ? Part{{0, tensor.height}, {0, tensor.width}}
                             : Part{buffer.rows, buffer.columns};
  const int64_t rows = held.rows.size(), columns = held.columns.size();
  const int64_t channels = reshaped ? tensor.channels : buffer.channels;
  const bool planar = reshaped || buffer.layout == Layout::Planar;
  array.batchStride = channels * rows * columns;
  array.channelStride = planar ? rows * columns : 1;
  array.rowStride = planar ? columns : columns * channels;
  array.columnStride = planar ? 1 : channels;
  array.data = address(view.buffer) +
               view.channels.begin * array.channelStride +
               (view.rows.begin - held.rows.begin) * array.rowStride +
               (view.columns.begin - held.columns.begin) * array.columnStride;
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
  if (step.op < 0 || step.operand >= 0)
    forEachElement(output, [&](int64_t n, int64_t c, int64_t y, int64_t x) {
      output.at(n, c, y, x) = inputs[0].at(n, c, y, x);
    });
  else
    runOp(test.network.ops[step.op], test.kernels[step.op], inputs, output,
          {step.padTop, step.padLeft, step.inputs[0].rows.begin,
           step.inputs[0].columns.begin, step.output.rows.begin,
           step.output.columns.begin});
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
          {kernel.height.padLow, kernel.width.padLow, 0, 0, 0, 0});
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
  // A result lies on one input at most. What takes an input's place inherits
  // the place that the input itself has taken over.
  for (size_t i = 0; i < program.reuses.size(); ++i)
    if (const Reuse &reuse = program.reuses[i];
        i == 0 || reuse.step != program.reuses[i - 1].step)
      offsets[reuse.output] = offsets[reuse.input];
  return runProgram(test, program, offsets, end, inputs);
}

} // namespace snug::network
