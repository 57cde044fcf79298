// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Figures of ops that run whole; groups are the walk's.
#include "snug/Network/GroupFigures.h"

#include "GroupWalk.h"

#include <algorithm>
#include <limits>
#include <map>

namespace snug::network {

GroupFigures::GroupFigures(const Network &network, const Sharing &sharing,
                           const Program &untiled, GroupFiguresOptions options)
    : network(network), sharing(sharing), options(std::move(options)),
      walk(std::make_unique<Walk>(network, sharing, this->options)) {
  sumUpWholeOps(untiled);
}

GroupFigures::~GroupFigures() = default;

/// A move into another order serves the op behind it; one into an output of the
/// network, the op before it.
void GroupFigures::sumUpWholeOps(const Program &untiled) {
  wholeOps.resize(network.ops.size());
  const std::vector<int64_t> live = untiled.liveBytes(options.alignment);
  const int64_t steps = static_cast<int64_t>(untiled.steps.size());
  std::vector<int> serves(untiled.steps.size(), -1);
  int op = -1;
  for (int64_t i = steps; i-- > 0;) {
    if (untiled.steps[i].op >= 0)
      op = untiled.steps[i].op;
    serves[i] = op;
  }
  op = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const Step &step = untiled.steps[i];
    if (step.op >= 0)
      op = step.op;
    if (step.op < 0 &&
        untiled.buffers[step.output.buffer].role == Buffer::Role::Output)
      serves[i] = op;
    Figures &figures = wholeOps[serves[i]];
    figures.likelyBytes = std::max(figures.likelyBytes, live[i]);
    figures.peakBytes = std::max(
        figures.peakBytes, live[i] - unneededBytes(untiled, i, serves[i]));
    figures.macs += step.macs;
    figures.steps += step.kernels;
  }
}

/// Bytes of shared buffers that are live at a step for the sake of tensors that
/// could lie elsewhere: all but those of the channels that are made by then and
/// will be read.
int64_t GroupFigures::unneededBytes(const Program &untiled, int64_t step,
                                    int64_t op) const {
  int64_t bytes = 0;
  std::map<int, std::vector<Interval>> channels; // by family
  for (const Buffer &buffer : untiled.buffers)
    if (buffer.tensor >= 0 && sharing.family[buffer.tensor] >= 0 &&
        buffer.layout == Layout::ChannelsLast && buffer.liveBegin <= step &&
        step < buffer.liveEnd) {
      bytes += buffer.bytes;
      channels[sharing.family[buffer.tensor]];
    }
  // Of a tensor that lies there in both orders, one would do.
  std::map<int, int> count;
  for (const Buffer &buffer : untiled.buffers)
    if (buffer.tensor >= 0 && buffer.liveBegin <= step &&
        step < buffer.liveEnd && sharing.family[buffer.tensor] < 0 &&
        ++count[sharing.planarRoot[buffer.tensor]] > 1)
      bytes += buffer.bytes;
  std::map<int, int64_t> pixelBytes;
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    const int family = sharing.family[t];
    if (family < 0 || sharing.maker[t] > op ||
        (sharing.lastUse[t] < op && !network.tensors[t].isOutput))
      continue;
    const Tensor &tensor = network.tensors[t];
    pixelBytes[family] =
        tensor.batch * tensor.height * tensor.width * kElementBytes;
    channels[family].push_back(
        {sharing.channel[t], sharing.channel[t] + tensor.channels});
  }
  for (auto &[family, intervals] : channels) {
    std::sort(
        intervals.begin(), intervals.end(),
        [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
    int64_t done = std::numeric_limits<int64_t>::min();
    for (const Interval &interval : intervals) {
      const int64_t begin = std::max(interval.begin, done);
      if (interval.end > begin)
        bytes -= (interval.end - begin) * pixelBytes[family];
      done = std::max(done, interval.end);
    }
  }
  return std::max<int64_t>(bytes, 0);
}

void GroupFigures::visitGroups(int64_t opEnd, const Visitor &visit) {
  walk->visit(opEnd, visit);
}

} // namespace snug::network
