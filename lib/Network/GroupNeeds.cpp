// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one band of a group's output needs of every tensor, along one axis.
#include "GroupNeeds.h"

namespace snug::network {

AxisNeeds computeNeeds(const Network &network, const Group &group, Axis axis,
                       const Interval &output) {
  AxisNeeds needs;
  needs.tensors.resize(network.tensors.size());
  size_t operandEnd = 0;
  for (int64_t i = group.opBegin; i < group.opEnd; ++i)
    operandEnd += network.ops[i].operands.size();
  needs.operands.resize(operandEnd);

  needs.tensors[network.ops[group.opEnd - 1].result] = output;
  for (int64_t i = group.opEnd - 1; i >= group.opBegin; --i) {
    const Op &op = network.ops[i];
    operandEnd -= op.operands.size();
    Interval &result = needs.tensors[op.result];
    if (result.empty()) {
      needs.unusedOp = i;
      continue;
    }
    // The order of a reshape's elements has nothing to do with tiles.
    if (writesPlanar(op))
      result = {0, extentOf(network.tensors[op.result], axis)};
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const Operand &operand = op.operands[k];
      const Needed needed =
          mapOf(operand, axis)
              .needed(result, extentOf(network.tensors[operand.tensor], axis));
      if (needed.interval.empty()) {
        needs.onlyPaddingOp = i;
        return needs;
      }
      needs.operands[operandEnd + k] = needed;
      Interval &whole = needs.tensors[operand.tensor];
      whole = whole.hull(needed.interval);
    }
  }
  return needs;
}

} // namespace snug::network
