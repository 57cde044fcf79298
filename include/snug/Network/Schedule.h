// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Schedules of groups, and the partition of a network into groups.
#ifndef SNUG_NETWORK_SCHEDULE_H
#define SNUG_NETWORK_SCHEDULE_H

#include "snug/Network/Network.h"
#include "snug/Network/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace snug::network {

/// How a group runs. Whole: op by op on full tensors. Grid: the output is cut
/// into rows x columns tiles, each tile runs through all ops, its halo
/// recomputed (fused tile partitioning; MAFAT, arXiv 2107.06960, section 2).
struct Schedule {
  enum class Kind { Whole, Grid } kind = Kind::Whole;
  int64_t rows = 1, columns = 1; ///< tiles of a grid

  static Schedule whole() { return {}; }
  static Schedule grid(int64_t rows, int64_t columns) {
    return {Kind::Grid, rows, columns};
  }
  bool isWhole() const { return kind == Kind::Whole; }
  bool operator==(const Schedule &other) const {
    return kind == other.kind && rows == other.rows && columns == other.columns;
  }
};

/// "whole" or "5x5".
std::string toString(const Schedule &schedule);

/// One entry of the option `groups`: layers up to `endLayer` (exclusive).
struct GroupSpec {
  int64_t endLayer = 0;
  Schedule schedule;
};

/// Parses "8:5x5,16:2x2" or "16:whole". Ends must increase, grids be at least
/// 1x1 (1x1 means a grid of one tile). `stripesN` is refused by name: it comes
/// later.
Result<std::vector<GroupSpec>> parseGroups(const std::string &text);

/// Ops [opBegin, opEnd) run together under a schedule.
struct Group {
  int64_t opBegin = 0, opEnd = 0;
  Schedule schedule;
};

/// Disjoint groups in ascending order; ops in none run whole.
struct Partition {
  std::vector<Group> groups;
};

/// End (exclusive) of the ops that a group takes whose layers end at `endLayer`
/// (1 to layerCount()): ops behind its last layer belong to it up to the first
/// that needs its whole input (a flatten, a fully connected layer).
int64_t groupOpEnd(const Network &network, int64_t endLayer);

/// Groups by layer numbers to groups of ops: a group takes its layers with the
/// batch norms and activations behind them. Error where an end exceeds the
/// network's layers, or checkGroup() refuses a group.
Result<Partition> partitionByLayers(const Network &network,
                                    const std::vector<GroupSpec> &groups);

/// Empty, or why these ops cannot be one group under this schedule: a grid has
/// more tiles along an axis than one of its results (tensors that are used
/// behind it, network outputs) has rows or columns, in a tile an op would read
/// only padding, a grid holds an op on which no result depends, that writes in
/// planar order, that reads in planar order what the group makes, or whose cost
/// is not known, or a grid of several tiles holds an op that needs the whole of
/// a tensor that the group makes. The network must be well formed.
std::string checkGroup(const Network &network, const Group &group);

} // namespace snug::network

#endif // SNUG_NETWORK_SCHEDULE_H
