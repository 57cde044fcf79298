// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Schedules as text, groups by layer numbers, and which groups are legal.
#include "snug/Network/Schedule.h"

#include "GroupNeeds.h"

#include <charconv>

namespace snug::network {

namespace {

std::string quoted(const std::string &text) { return "'" + text + "'"; }

/// A positive number that is the whole of `text`; nothing otherwise.
std::optional<int64_t> parsePositive(const std::string &text) {
  int64_t value = 0;
  const char *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < 1)
    return std::nullopt;
  return value;
}

Result<Schedule> parseSchedule(const std::string &text,
                               const std::string &entry) {
  if (text == "whole")
    return Schedule::whole();
  if (text.compare(0, 7, "stripes") == 0)
    return Error{"group " + quoted(entry) +
                 ": stripes are not supported yet; use a grid such as '5x5', "
                 "or 'whole'"};
  const size_t cross = text.find('x');
  if (cross != std::string::npos) {
    const std::optional<int64_t> rows = parsePositive(text.substr(0, cross)),
                                 columns =
                                     parsePositive(text.substr(cross + 1));
    if (rows && columns)
      return Schedule::grid(*rows, *columns);
  }
  return Error{
      "group " + quoted(entry) + ": schedule " + quoted(text) +
      " is neither a grid of at least 1x1, such as '5x5', nor 'whole'"};
}

/// True where the op needs all of an operand for any part of its result, or
/// writes all of its result at once.
bool isBarrier(const Op &op) {
  for (const Operand &operand : op.operands)
    if (needsWhole(operand, Axis::Rows, 2) ||
        needsWhole(operand, Axis::Columns, 2))
      return true;
  return writesPlanar(op) || !op.costKnown;
}

std::string grouped(const Network &network, const Group &group) {
  return "the group from op " + quoted(network.ops[group.opBegin].name) +
         " to op " + quoted(network.ops[group.opEnd - 1].name);
}

/// An op that no grid takes in: it writes in planar order, nothing is known of
/// it, or it reads in planar order what is made inside the group; or that a
/// grid of several tiles cannot cross, because it needs the whole of such a
/// tensor.
std::string checkBarriers(const Network &network, const Sharing &sharing,
                          const Group &group) {
  auto refuse = [&](const Op &op, const std::string &why) {
    return grouped(network, group) + " cannot be cut into tiles: op " +
           quoted(op.name) + " " + why +
           "; end the group before it, or begin it behind";
  };
  for (int64_t i = group.opBegin; i < group.opEnd; ++i) {
    const Op &op = network.ops[i];
    if (!op.costKnown)
      return refuse(op, "of kind " + quoted(op.kind) + " is unknown");
    if (writesPlanar(op))
      return refuse(op, "makes its whole result at once");
    for (const Operand &operand : op.operands)
      if (sharing.maker[operand.tensor] >= group.opBegin &&
          (needsWhole(operand, Axis::Rows, group.schedule.rows) ||
           needsWhole(operand, Axis::Columns, group.schedule.columns)))
        return refuse(op, "needs its whole input");
  }
  return "";
}

int64_t partsAlong(const Schedule &grid, Axis axis) {
  return axis == Axis::Rows ? grid.rows : grid.columns;
}

/// A result with fewer rows or columns than the grid.
std::string checkExtents(const Network &network, const Group &group,
                         const GroupTensors &tensors, Axis axis) {
  const int64_t parts = partsAlong(group.schedule, axis);
  const std::string what = axis == Axis::Rows ? "rows" : "columns";
  for (int64_t i = group.opEnd - 1; i >= group.opBegin; --i) {
    const Tensor &result = network.tensors[network.ops[i].result];
    const int64_t extent = extentOf(result, axis);
    if (tensors.isResult[i - group.opBegin] && (parts < 1 || parts > extent))
      return grouped(network, group) + " cannot be cut into " +
             std::to_string(parts) + " " + what + " of tiles: its output " +
             quoted(result.name) + " has " + std::to_string(extent) + " " +
             what;
  }
  return "";
}

std::string checkNeeds(const Network &network, const Group &group,
                       const GroupTensors &tensors, Axis axis) {
  const int64_t parts = partsAlong(group.schedule, axis);
  for (int64_t part = 0; part < parts; ++part) {
    const AxisNeeds needs =
        computeNeeds(network, group, tensors, axis, parts, part);
    if (needs.onlyPaddingOp >= 0)
      return grouped(network, group) + ": in a tile, op " +
             quoted(network.ops[needs.onlyPaddingOp].name) +
             " would read nothing but padding; use fewer tiles";
    if (needs.unusedOp >= 0)
      return grouped(network, group) + ": its results do not depend on op " +
             quoted(network.ops[needs.unusedOp].name) + "; remove that op";
  }
  return "";
}

} // namespace

std::string toString(const Schedule &schedule) {
  if (schedule.isWhole())
    return "whole";
  return std::to_string(schedule.rows) + "x" + std::to_string(schedule.columns);
}

Result<std::vector<GroupSpec>> parseGroups(const std::string &text) {
  std::vector<GroupSpec> groups;
  size_t begin = 0;
  while (true) {
    const size_t comma = text.find(',', begin);
    const std::string entry = text.substr(begin, comma - begin);
    const size_t colon = entry.find(':');
    const std::optional<int64_t> end =
        colon == std::string::npos ? std::nullopt
                                   : parsePositive(entry.substr(0, colon));
    if (!end)
      return Error{"group " + quoted(entry) +
                   ": expected the number of the layer behind the group, a "
                   "colon and a schedule, as in '8:5x5'"};
    const int64_t previous = groups.empty() ? 0 : groups.back().endLayer;
    if (*end <= previous)
      return Error{"group " + quoted(entry) + " ends at layer " +
                   std::to_string(*end) + ", but the group before it ends at " +
                   std::to_string(previous) + "; ends must increase"};
    Result<Schedule> schedule = parseSchedule(entry.substr(colon + 1), entry);
    if (!schedule)
      return schedule.error();
    groups.push_back({*end, *schedule});
    if (comma == std::string::npos)
      return groups;
    begin = comma + 1;
  }
}

int64_t groupOpEnd(const Network &network, int64_t endLayer) {
  const int64_t end = network.layerBegin(endLayer);
  bool inLayer = false;
  for (int64_t i = network.layerBegin(endLayer - 1); i < end; ++i) {
    if (inLayer && isBarrier(network.ops[i]))
      return i;
    inLayer |= network.ops[i].startsLayer;
  }
  return end;
}

Result<Partition> partitionByLayers(const Network &network,
                                    const std::vector<GroupSpec> &groups) {
  const int64_t layers = network.layerCount();
  Partition partition;
  int64_t beginLayer = 0;
  for (const GroupSpec &spec : groups) {
    const std::string name =
        quoted(std::to_string(spec.endLayer) + ":" + toString(spec.schedule));
    if (spec.endLayer <= beginLayer)
      return Error{"group " + name + " has no layers; ends must increase"};
    if (spec.endLayer > layers)
      return Error{"group " + name + " ends at layer " +
                   std::to_string(spec.endLayer) + ", but the network has " +
                   std::to_string(layers) +
                   " layers (convolutions and poolings)"};
    const Group group{network.layerBegin(beginLayer),
                      groupOpEnd(network, spec.endLayer), spec.schedule};
    if (std::string why = checkGroup(network, group); !why.empty())
      return Error{"group " + name + ": " + why};
    partition.groups.push_back(group);
    beginLayer = spec.endLayer;
  }
  return partition;
}

std::string checkGroup(const Network &network, const Group &group) {
  return checkGroup(network, findUses(network), group);
}

std::string checkGroup(const Network &network, const Sharing &sharing,
                       const Group &group) {
  if (group.opBegin < 0 || group.opBegin >= group.opEnd ||
      group.opEnd > static_cast<int64_t>(network.ops.size()))
    return "a group of ops [" + std::to_string(group.opBegin) + ", " +
           std::to_string(group.opEnd) + ") is empty or outside the network";
  if (group.schedule.isWhole())
    return "";
  const GroupTensors tensors(network, sharing, group);
  for (Axis axis : {Axis::Rows, Axis::Columns})
    if (std::string why = checkExtents(network, group, tensors, axis);
        !why.empty())
      return why;
  if (std::string why = checkBarriers(network, sharing, group); !why.empty())
    return why;
  for (Axis axis : {Axis::Rows, Axis::Columns})
    if (std::string why = checkNeeds(network, group, tensors, axis);
        !why.empty())
      return why;
  return "";
}

} // namespace snug::network
