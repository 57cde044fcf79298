// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers, work and bytes of a network, and the check that it is well formed.
#include "snug/Network/Network.h"

#include "GroupNeeds.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace snug::network {

namespace {

std::string quoted(const std::string &name) { return "'" + name + "'"; }

/// Largest extent, stride or pad: with it, geometry never leaves int64_t.
constexpr int64_t kLargestExtent = int64_t{1} << 30;

bool inRange(int64_t value, int64_t least) {
  return value >= least && value <= kLargestExtent;
}

/// Bytes of the tensor, or nothing where they leave int64_t.
std::optional<int64_t> checkedBytes(const Tensor &tensor) {
  std::optional<int64_t> bytes = kElementBytes;
  for (int64_t extent :
       {tensor.batch, tensor.channels, tensor.height, tensor.width})
    if (bytes)
      bytes = checkedMultiply(*bytes, extent);
  return bytes;
}

std::string checkMap(const Network &network, const Op &op, size_t index,
                     Axis axis) {
  const Operand &operand = op.operands[index];
  const AxisMap &map = mapOf(operand, axis);
  if (map.isWhole() || (operand.layout == Layout::Planar && !op.copies))
    return "";
  auto refuse = [&](const std::string &why) {
    return "op " + quoted(op.name) + ": the " +
           (axis == Axis::Rows ? "height" : "width") + " map of operand " +
           std::to_string(index) + " " + why;
  };
  if (map.form == AxisMap::Form::Resample)
    return map.scale >= 0 && std::isfinite(map.scale) &&
                   std::isfinite(map.shift)
               ? ""
               : refuse("has a scale below 0, or a scale or shift that is no "
                        "number");
  if (!inRange(map.taps, 1) || !inRange(map.stride, 1) ||
      !inRange(map.dilation, 1) ||
      (map.taps - 1) * map.dilation >= kLargestExtent ||
      !inRange(map.padLow, -kLargestExtent) ||
      !inRange(map.padHigh, -kLargestExtent))
    return refuse("has a stride, window, dilation or pad out of range");
  const int64_t input = extentOf(network.tensors[operand.tensor], axis);
  const int64_t output = extentOf(network.tensors[op.result], axis);
  const std::optional<int64_t> expected = map.outputExtent(input);
  if (!expected && map.form == AxisMap::Form::TransposedWindow)
    return refuse("has pads that leave no output");
  if (!expected)
    return refuse("has a window of " + std::to_string(map.extent()) +
                  " elements, which exceeds the padded input of " +
                  std::to_string(input + map.padLow + map.padHigh));
  if (*expected != output)
    return refuse("gives " + std::to_string(*expected) +
                  " elements, but the result has " + std::to_string(output));
  if (map.needed({0, output}, input).interval.empty())
    return refuse("reads nothing but padding");
  return "";
}

std::string checkTensor(const Tensor &tensor) {
  for (int64_t extent :
       {tensor.batch, tensor.channels, tensor.height, tensor.width})
    if (!inRange(extent, 1))
      return "tensor " + quoted(tensor.name) + " has an extent of " +
             std::to_string(extent) +
             "; extents must be positive and at most 2^30";
  if (!checkedBytes(tensor))
    return "tensor " + quoted(tensor.name) +
           " has more bytes than 64 bits can count";
  if (tensor.isInput && tensor.isOutput)
    return "tensor " + quoted(tensor.name) +
           " is an input and an output of the network at once; put an "
           "operation between them";
  return "";
}

/// What expand() relies on in ops that copy.
std::string checkCopies(const Network &network, const Op &op) {
  if (!op.copies)
    return "";
  const std::string name = "op " + quoted(op.name);
  const Tensor &result = network.tensors[op.result];
  if (op.macsPerOutputElement != 0 || op.workspaceBytes)
    return name + " only copies, but has work or workspace";
  if (isReshape(op)) {
    const Operand &operand = op.operands[0];
    if (operand.layout != Layout::Planar || !operand.width.isWhole())
      return name + ": a reshape has one operand, which it reads whole and in "
                    "planar order";
    if (result.elements() != network.tensors[operand.tensor].elements())
      return name + " changes the number of elements";
    return "";
  }
  std::vector<Interval> copied;
  for (size_t k = 0; k < op.operands.size(); ++k) {
    const Operand &operand = op.operands[k];
    const std::string which = name + ": operand " + std::to_string(k);
    const Tensor &tensor = network.tensors[operand.tensor];
    for (Axis axis : {Axis::Rows, Axis::Columns})
      if (const AxisMap &map = mapOf(operand, axis);
          map.form != AxisMap::Form::Window || map.taps != 1 ||
          map.stride != 1 || map.padLow > 0 || map.padHigh > 0)
        return which + " is not copied as it is or cropped";
    const Interval channels = copiedChannels(network, op, k);
    if (tensor.batch != result.batch ||
        !Interval{0, tensor.channels}.contains(channels))
      return which + " has no such batch or channels";
    copied.push_back(
        {operand.resultChannel, operand.resultChannel + channels.size()});
  }
  std::sort(
      copied.begin(), copied.end(),
      [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
  int64_t done = 0;
  for (const Interval &channels : copied) {
    if (channels.begin != done)
      return name + " does not copy each channel of its result once";
    done = channels.end;
  }
  return done == result.channels
             ? ""
             : name + " does not copy each channel of its result once";
}

} // namespace

int64_t Network::layerCount() const {
  int64_t count = 0;
  for (const Op &op : ops)
    count += op.startsLayer ? 1 : 0;
  return count;
}

int64_t Network::layerBegin(int64_t layer) const {
  int64_t seen = -1;
  for (size_t i = 0; i < ops.size(); ++i) {
    seen += ops[i].startsLayer ? 1 : 0;
    if (ops[i].startsLayer && seen == layer)
      return layer == 0 ? 0 : static_cast<int64_t>(i);
  }
  return static_cast<int64_t>(ops.size());
}

int64_t Network::macs() const {
  int64_t sum = 0;
  for (const Op &op : ops)
    sum += op.macsPerOutputElement * tensors[op.result].elements();
  return sum;
}

int64_t Network::packedWeightBytes() const {
  int64_t sum = 0;
  for (const Op &op : ops)
    sum += op.packedWeightBytes - op.sharedWeightBytes;
  return sum;
}

int64_t Network::weightSegments() const {
  int64_t sum = 0;
  for (const Op &op : ops)
    sum += op.weightSegments - op.sharedWeightSegments;
  return sum;
}

std::string check(const Network &network) {
  if (network.ops.empty())
    return "the network has no operations";
  std::optional<int64_t> bytes = 0, macs = 0, weights = 0;
  const int64_t tensorCount = static_cast<int64_t>(network.tensors.size());
  std::vector<bool> made(network.tensors.size());
  for (int64_t i = 0; i < tensorCount; ++i) {
    const Tensor &tensor = network.tensors[i];
    if (std::string why = checkTensor(tensor); !why.empty())
      return why;
    made[i] = tensor.isInput;
    bytes = checkedAdd(*bytes, tensor.bytes());
    if (!bytes)
      return "the tensors together have more bytes than 64 bits can count";
  }

  for (const Op &op : network.ops) {
    const std::string name = "op " + quoted(op.name);
    auto inNetwork = [&](int64_t index) {
      return index >= 0 && index < tensorCount;
    };
    if (!inNetwork(op.result))
      return name + " has no result among the network's tensors";
    if (op.operands.empty())
      return name + " has no operands; fold constants before planning";
    const Tensor &result = network.tensors[op.result];
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const int tensor = op.operands[k].tensor;
      if (!inNetwork(tensor))
        return name + ": operand " + std::to_string(k) +
               " is none of the network's tensors";
      if (!made[tensor])
        return name + " reads tensor " + quoted(network.tensors[tensor].name) +
               " before it is made";
      for (Axis axis : {Axis::Rows, Axis::Columns})
        if (std::string why = checkMap(network, op, k, axis); !why.empty())
          return why;
    }
    if (made[op.result])
      return name + " makes tensor " + quoted(result.name) +
             ", which is made or given before";
    made[op.result] = true;
    if (std::string why = checkCopies(network, op); !why.empty())
      return why;
    if (op.macsPerOutputElement < 0 || op.parameterBytes < 0 ||
        op.packedWeightBytes < op.sharedWeightBytes ||
        op.weightSegments < op.sharedWeightSegments ||
        op.sharedWeightBytes < 0 || op.sharedWeightSegments < 0)
      return name + " has negative work or bytes";
    const std::optional<int64_t> work =
        checkedMultiply(op.macsPerOutputElement, result.elements());
    macs = work ? checkedAdd(*macs, *work) : std::nullopt;
    weights = checkedAdd(*weights, op.packedWeightBytes);
    if (!macs || !weights)
      return name + ": work or bytes exceed what 64 bits can count";
  }
  for (int64_t i = 0; i < tensorCount; ++i)
    if (network.tensors[i].isOutput && !made[i])
      return "output " + quoted(network.tensors[i].name) + " is never made";
  return "";
}

} // namespace snug::network
