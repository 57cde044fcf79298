// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one band of a group's output needs of every tensor, along one axis.
#ifndef SNUG_LIB_NETWORK_GROUPNEEDS_H
#define SNUG_LIB_NETWORK_GROUPNEEDS_H

#include "snug/Network/Network.h"
#include "snug/Network/Schedule.h"

#include <vector>

namespace snug::network {

enum class Axis { Rows, Columns };

/// Tile geometry is separable: which rows a tile needs depends on its row in
/// the grid alone. So a grid of n x m tiles takes n + m of these.
struct AxisNeeds {
  /// By tensor of the network: the hull of what the group's ops need of it;
  /// empty where they do not touch it.
  std::vector<Interval> tensors;
  /// By operand, ops of the group in order.
  std::vector<Needed> operands;
  /// First op found (backwards) that would read nothing but padding of an
  /// operand; -1: none. Where it is set, the rest is incomplete.
  int64_t onlyPaddingOp = -1;
  /// Op whose result the group's last op does not depend on; -1: none.
  int64_t unusedOp = -1;
};

/// Needs of the interval `output` of the last op's result.
AxisNeeds computeNeeds(const Network &network, const Group &group, Axis axis,
                       const Interval &output);

/// Extent of a tensor along an axis.
inline int64_t extentOf(const Tensor &tensor, Axis axis) {
  return axis == Axis::Rows ? tensor.height : tensor.width;
}
/// Axis map of an operand.
inline const AxisMap &mapOf(const Operand &operand, Axis axis) {
  return axis == Axis::Rows ? operand.height : operand.width;
}

/// True for ops that write their result in planar order.
inline bool writesPlanar(const Op &op) {
  return op.resultLayout == Layout::Planar;
}

} // namespace snug::network

#endif // SNUG_LIB_NETWORK_GROUPNEEDS_H
