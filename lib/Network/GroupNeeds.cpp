// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one band of a group's results needs of every tensor, along one axis.
#include "GroupNeeds.h"

namespace snug::network {

GroupTensors::GroupTensors(const Network &network, const Sharing &sharing,
                           const Group &group) {
  numbers.assign(network.tensors.size(), -1);
  auto number = [&](int tensor) {
    if (numbers[tensor] < 0) {
      numbers[tensor] = static_cast<int>(tensors.size());
      tensors.push_back(tensor);
    }
    return numbers[tensor];
  };
  for (int64_t i = group.opBegin; i < group.opEnd; ++i) {
    const Op &op = network.ops[i];
    for (const Operand &operand : op.operands)
      operands.push_back(number(operand.tensor));
    results.push_back(number(op.result));
    isResult.push_back(network.tensors[op.result].isOutput ||
                       sharing.lastUse[op.result] >= group.opEnd);
  }
}

Needed neededOf(const Network &network, const Op &op, size_t index, Axis axis,
                const Interval &result) {
  const Operand &operand = op.operands[index];
  const int64_t extent = extentOf(network.tensors[operand.tensor], axis);
  if (operand.layout == Layout::Planar && !op.copies)
    return {{0, extent}, 0, 0};
  return mapOf(operand, axis).needed(result, extent);
}

AxisNeeds computeNeeds(const Network &network, const Group &group,
                       const GroupTensors &tensors, Axis axis, int64_t parts,
                       int64_t index) {
  AxisNeeds needs;
  needs.tensors.resize(tensors.tensors.size());
  needs.operands.resize(tensors.operands.size());
  size_t operandEnd = tensors.operands.size();
  for (int64_t i = group.opEnd - 1; i >= group.opBegin; --i) {
    const Op &op = network.ops[i];
    operandEnd -= op.operands.size();
    const int64_t position = i - group.opBegin;
    const int64_t extent = extentOf(network.tensors[op.result], axis);
    Interval &result = needs.tensors[tensors.results[position]];
    if (tensors.isResult[position])
      result = result.hull(splitPart(extent, parts, index));
    if (result.empty()) {
      needs.unusedOp = i;
      continue;
    }
    if (writesPlanar(op))
      result = {0, extent};
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const Needed needed = neededOf(network, op, k, axis, result);
      if (needed.interval.empty()) {
        needs.onlyPaddingOp = i;
        return needs;
      }
      needs.operands[operandEnd + k] = needed;
      Interval &whole = needs.tensors[tensors.operands[operandEnd + k]];
      whole = whole.hull(needed.interval);
    }
  }
  return needs;
}

} // namespace snug::network
