// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one band of a group's results needs of every tensor, along one axis.
#ifndef SNUG_LIB_NETWORK_GROUPNEEDS_H
#define SNUG_LIB_NETWORK_GROUPNEEDS_H

#include "snug/Network/Storage.h"

#include <vector>

namespace snug::network {

enum class Axis { Rows, Columns };

/// A group's tensors, numbered from 0 as its ops touch them, so that what is
/// kept per tile is as small as the group.
struct GroupTensors {
  GroupTensors(const Network &network, const Sharing &sharing,
               const Group &group);

  std::vector<int> tensors;  ///< by number: index into Network::tensors
  std::vector<int> numbers;  ///< by tensor; -1: not touched
  std::vector<int> operands; ///< numbers, ops of the group in order
  std::vector<int> results;  ///< numbers, by op of the group
  /// By op of the group: its result is used behind the group, or is a network
  /// output.
  std::vector<bool> isResult;
};

/// Tile geometry is separable: which rows a tile needs depends on its row in
/// the grid alone. So a grid of n x m tiles takes n + m of these.
struct AxisNeeds {
  /// By number: the hull of what the group's ops need of it, and of the band's
  /// share of it where it is a result.
  std::vector<Interval> tensors;
  /// By operand, ops of the group in order.
  std::vector<Needed> operands;
  /// First op found (backwards) that would read nothing but padding of an
  /// operand; -1: none. Where it is set, the rest is incomplete.
  int64_t onlyPaddingOp = -1;
  /// Op on whose result no result of the group depends; -1: none.
  int64_t unusedOp = -1;
};

/// Needs of band `index` of `parts` into which every result is split().
AxisNeeds computeNeeds(const Network &network, const Group &group,
                       const GroupTensors &tensors, Axis axis, int64_t parts,
                       int64_t index);

/// Extent of a tensor along an axis.
inline int64_t extentOf(const Tensor &tensor, Axis axis) {
  return axis == Axis::Rows ? tensor.height : tensor.width;
}
/// Axis map of an operand.
inline const AxisMap &mapOf(const Operand &operand, Axis axis) {
  return axis == Axis::Rows ? operand.height : operand.width;
}

/// What an op needs of an operand for the interval `result`. What is planar is
/// read whole, except to copy a part of it.
Needed neededOf(const Network &network, const Op &op, size_t operand, Axis axis,
                const Interval &result);

/// True where an operand that is made inside a group keeps it from being cut
/// into `parts` along the axis.
inline bool needsWhole(const Operand &operand, Axis axis, int64_t parts) {
  return operand.layout == Layout::Planar ||
         (parts > 1 && mapOf(operand, axis).isWhole());
}
/// True for ops that write their result in planar order.
inline bool writesPlanar(const Op &op) {
  return op.resultLayout == Layout::Planar;
}

/// checkGroup() for whoever knows the network's sharing.
std::string checkGroup(const Network &network, const Sharing &sharing,
                       const Group &group);

} // namespace snug::network

#endif // SNUG_LIB_NETWORK_GROUPNEEDS_H
