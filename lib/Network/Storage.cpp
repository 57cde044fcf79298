// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Families of tensors that may share bytes, and where a partition lets them.
#include "snug/Network/Storage.h"

#include "Expander.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace snug::network {

namespace {

bool isIdentity(const AxisMap &map) {
  return map.form == AxisMap::Form::Window && map.taps == 1 &&
         map.stride == 1 && map.padLow == 0 && map.padHigh == 0;
}

/// Whether all of the operand's rows and columns stand in the result where they
/// stood.
bool keepsPlaces(const Operand &operand) {
  return isIdentity(operand.height) && isIdentity(operand.width);
}

int findRoot(std::vector<int> &parent, int tensor) {
  while (parent[tensor] != tensor)
    tensor = parent[tensor] = parent[parent[tensor]];
  return tensor;
}

/// Consecutive channels with the same content as channels of another tensor
/// that no op copied from elsewhere.
struct Content {
  int64_t begin = 0, size = 0; ///< in the tensor's or family's channels
  int source = -1;
  int64_t from = 0;
};

/// Channel lists of tensors and of families, both in ascending order.
using Contents = std::vector<Content>;

/// The union of `a` and of `b` moved by `shift`, neither empty; nothing where
/// they differ in a channel that both have.
std::optional<Contents> merge(const Contents &a, const Contents &b,
                              int64_t shift) {
  Contents merged;
  size_t i = 0, k = 0;
  int64_t done = std::min(a.front().begin, b.front().begin + shift);
  // What is left of the piece at `done` and behind.
  auto rest = [&](Content piece, int64_t moved) {
    piece.begin += moved;
    const int64_t cut = std::max<int64_t>(done - piece.begin, 0);
    return Content{piece.begin + cut, piece.size - cut, piece.source,
                   piece.from + cut};
  };
  while (i < a.size() || k < b.size()) {
    if (i < a.size() && a[i].begin + a[i].size <= done) {
      ++i;
      continue;
    }
    if (k < b.size() && b[k].begin + shift + b[k].size <= done) {
      ++k;
      continue;
    }
    if (i == a.size() || k == b.size()) {
      merged.push_back(i < a.size() ? rest(a[i], 0) : rest(b[k], shift));
    } else {
      const Content x = rest(a[i], 0), y = rest(b[k], shift);
      const Content &first = x.begin <= y.begin ? x : y;
      const Content &second = x.begin <= y.begin ? y : x;
      merged.push_back(first);
      if (first.begin == second.begin) {
        if (x.source != y.source || x.from != y.from)
          return std::nullopt;
        merged.back().size = std::min(x.size, y.size);
      } else {
        merged.back().size = std::min(first.size, second.begin - first.begin);
      }
    }
    done = merged.back().begin + merged.back().size;
  }
  return merged;
}

/// Grows families op by op.
class FamilyBuilder {
public:
  explicit FamilyBuilder(const Network &network)
      : network(network), contents(network.tensors.size()) {
    for (size_t i = 0; i < network.ops.size(); ++i)
      firstOperand.push_back(operandCount),
          operandCount += network.ops[i].operands.size();
    separate.resize(operandCount);
    describeContents();
  }

  void build(Sharing &sharing);
  /// By operand of the network: not to be tied.
  std::vector<bool> separate;
  size_t operandIndex(size_t op, size_t operand) const {
    return firstOperand[op] + operand;
  }

private:
  struct Family {
    Contents contents;
    std::vector<int> members;
    std::vector<int64_t> copies; ///< ops that copy and whose result is a member
  };

  void describeContents();
  bool mayTie(const Sharing &sharing, const Op &op, size_t operand) const;
  void tie(Sharing &sharing, const Op &op, size_t operand);
  bool wouldCopyOverItself(const Sharing &sharing, int to, int from,
                           int64_t shift) const;
  int familyOf(Sharing &sharing, int tensor);

  const Network &network;
  std::vector<Contents> contents; ///< by tensor
  std::vector<size_t> firstOperand;
  size_t operandCount = 0;
  std::vector<Family> families;
};

void FamilyBuilder::describeContents() {
  for (size_t t = 0; t < network.tensors.size(); ++t)
    contents[t] = {{0, network.tensors[t].channels, static_cast<int>(t), 0}};
  for (const Op &op : network.ops) {
    if (!op.copies || isReshape(op))
      continue;
    Contents of;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const Operand &operand = op.operands[k];
      const Interval copied = copiedChannels(network, op, k);
      if (!keepsPlaces(operand)) {
        of.push_back({operand.resultChannel, copied.size(), op.result,
                      operand.resultChannel});
        continue;
      }
      for (const Content &piece : contents[operand.tensor]) {
        const int64_t begin = std::max(piece.begin, copied.begin);
        const int64_t end = std::min(piece.begin + piece.size, copied.end);
        if (begin < end)
          of.push_back({operand.resultChannel + begin - copied.begin,
                        end - begin, piece.source,
                        piece.from + begin - piece.begin});
      }
    }
    std::sort(of.begin(), of.end(), [](const Content &a, const Content &b) {
      return a.begin < b.begin;
    });
    contents[op.result] = std::move(of);
  }
}

bool FamilyBuilder::mayTie(const Sharing &sharing, const Op &op,
                           size_t index) const {
  const Operand &operand = op.operands[index];
  const int64_t maker = sharing.maker[operand.tensor];
  return op.copies && op.resultLayout == Layout::ChannelsLast &&
         operand.layout == Layout::ChannelsLast && keepsPlaces(operand) &&
         maker >= 0 && network.ops[maker].resultLayout == Layout::ChannelsLast;
}

int FamilyBuilder::familyOf(Sharing &sharing, int tensor) {
  int &family = sharing.family[tensor];
  if (family < 0) {
    family = static_cast<int>(families.size());
    families.push_back({contents[tensor], {tensor}, {}});
    if (const int64_t maker = sharing.maker[tensor];
        maker >= 0 && network.ops[maker].copies)
      families.back().copies.push_back(maker);
  }
  return family;
}

/// Whether an op that is not in place, once `from` is part of `to` and has
/// moved by `shift` channels, would read channels of the buffer that it writes:
/// a concat of what holds the same twice may have one of them in place only.
bool FamilyBuilder::wouldCopyOverItself(const Sharing &sharing, int to,
                                        int from, int64_t shift) const {
  auto channel = [&](int tensor) {
    return sharing.channel[tensor] +
           (sharing.family[tensor] == from ? shift : 0);
  };
  auto isMember = [&](int tensor) {
    return sharing.family[tensor] == to || sharing.family[tensor] == from;
  };
  for (int family : {to, from})
    for (int64_t index : families[family].copies) {
      const Op &op = network.ops[index];
      for (size_t k = 0; k < op.operands.size(); ++k) {
        const Operand &operand = op.operands[k];
        if (!isMember(operand.tensor))
          continue;
        const Interval copied = copiedChannels(network, op, k);
        const int64_t source = channel(operand.tensor) + copied.begin;
        const int64_t target = channel(op.result) + operand.resultChannel;
        if (source != target && source < target + copied.size() &&
            target < source + copied.size())
          return true;
      }
    }
  return false;
}

void FamilyBuilder::tie(Sharing &sharing, const Op &op, size_t index) {
  const Operand &operand = op.operands[index];
  const int to = familyOf(sharing, op.result);
  const int from = familyOf(sharing, operand.tensor);
  if (to == from)
    return; // in place already, or in another place
  // The copied channels of the operand are those of the result.
  const int64_t shift = sharing.channel[op.result] + operand.resultChannel -
                        copiedChannels(network, op, index).begin -
                        sharing.channel[operand.tensor];
  std::optional<Contents> merged =
      merge(families[to].contents, families[from].contents, shift);
  if (!merged || wouldCopyOverItself(sharing, to, from, shift))
    return;
  families[to].contents = std::move(*merged);
  families[to].copies.insert(families[to].copies.end(),
                             families[from].copies.begin(),
                             families[from].copies.end());
  for (int member : families[from].members) {
    sharing.family[member] = to;
    sharing.channel[member] += shift;
    families[to].members.push_back(member);
  }
  families[from] = {};
}

void FamilyBuilder::build(Sharing &sharing) {
  families.clear();
  sharing.family.assign(network.tensors.size(), -1);
  sharing.channel.assign(network.tensors.size(), 0);
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const Op &op = network.ops[i];
    for (size_t k = 0; op.copies && k < op.operands.size(); ++k)
      if (!separate[operandIndex(i, k)] && mayTie(sharing, op, k))
        tie(sharing, op, k);
  }
}

/// Live bytes of the untiled network op by op, as far as sharing bears on them.
struct LiveBytes {
  std::vector<int64_t> byOp;
  /// By root of tied tensors: their life.
  std::vector<Interval> lives;
  std::vector<int> roots; ///< by tensor

  int64_t peakOp(const Interval &life) const {
    return std::max_element(byOp.begin() + life.begin,
                            byOp.begin() + life.end) -
           byOp.begin();
  }
};

LiveBytes untiledLiveBytes(const Network &network, const Sharing &sharing) {
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  const size_t count = network.tensors.size();
  LiveBytes live;
  live.roots = placeTensors(network, sharing, {}).root;
  live.lives.resize(count);
  std::vector<Interval> channels(count);
  std::vector<int> members(count);
  for (size_t t = 0; t < count; ++t) {
    const int root = live.roots[t];
    const Tensor &tensor = network.tensors[t];
    channels[root] = channels[root].hull(
        {sharing.channel[t], sharing.channel[t] + tensor.channels});
    const int64_t begin = std::max<int64_t>(sharing.maker[t], 0);
    live.lives[root] = live.lives[root].hull(
        {begin,
         tensor.isOutput ? ops : std::max(sharing.lastUse[t], begin) + 1});
    ++members[root];
  }
  auto bytes = [&](int root) {
    const Tensor &tensor = network.tensors[root];
    return tensor.bytes() / tensor.channels * channels[root].size();
  };
  live.byOp.resize(static_cast<size_t>(ops) + 1);
  for (size_t t = 0; t < count; ++t)
    if (live.roots[t] == static_cast<int>(t)) {
      live.byOp[live.lives[t].begin] += bytes(static_cast<int>(t));
      live.byOp[live.lives[t].end] -= bytes(static_cast<int>(t));
    }
  for (size_t i = 1; i < live.byOp.size(); ++i)
    live.byOp[i] += live.byOp[i - 1];
  live.byOp.pop_back();
  // What runs in place counts once.
  for (int64_t i = 0; i < ops; ++i) {
    const Op &op = network.ops[i];
    auto isAlone = [&](int tensor) { return members[live.roots[tensor]] == 1; };
    if (std::any_of(op.operands.begin(), op.operands.end(),
                    [&](const Operand &operand) {
                      return operand.inPlace && isAlone(operand.tensor) &&
                             live.lives[operand.tensor].end == i + 1;
                    }) &&
        isAlone(op.result))
      live.byOp[i] -= bytes(op.result);
  }
  return live;
}

/// Unties operands that make a family hold bytes at its worst moment that
/// copying would not.
class Untying {
public:
  Untying(const Network &network, Sharing &sharing)
      : network(network), sharing(sharing), builder(network) {}

  void run() {
    builder.build(sharing);
    live = untiledLiveBytes(network, sharing);
    for (size_t root = 0; root < network.tensors.size();)
      if (!improve(static_cast<int>(root)))
        ++root;
  }

private:
  /// Ties of the ops of a family's buffer for which it is partly written and
  /// partly not yet, or partly read no more, at op `at`.
  std::vector<size_t> tiesAcross(int root, int64_t at) const;
  bool improve(int root);

  const Network &network;
  Sharing &sharing;
  FamilyBuilder builder;
  LiveBytes live;
};

std::vector<size_t> Untying::tiesAcross(int root, int64_t at) const {
  std::vector<size_t> ties;
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const Op &op = network.ops[i];
    if (!op.copies || live.roots[op.result] != root)
      continue;
    const int64_t index = static_cast<int64_t>(i);
    std::vector<size_t> ofOp;
    bool isAcross = false;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const int tensor = op.operands[k].tensor;
      if (live.roots[tensor] != root || !isTied(sharing, network, op, k))
        continue;
      const bool waits = sharing.maker[tensor] <= at && index > at;
      const bool lingers = sharing.lastUse[tensor] <= at && index < at &&
                           !network.tensors[tensor].isOutput;
      isAcross |= waits || lingers;
      ofOp.push_back(builder.operandIndex(i, k));
    }
    if (isAcross)
      ties.insert(ties.end(), ofOp.begin(), ofOp.end());
  }
  return ties;
}

bool Untying::improve(int root) {
  const Interval life = live.lives[root];
  if (live.roots[root] != root || sharing.family[root] < 0)
    return false;
  const int64_t at = live.peakOp(life);
  const std::vector<size_t> ties = tiesAcross(root, at);
  if (ties.empty())
    return false;
  for (size_t tie : ties)
    builder.separate[tie] = true;
  const Sharing before = sharing;
  builder.build(sharing);
  LiveBytes now = untiledLiveBytes(network, sharing);
  // A copy takes time: it must be worth it, or lower the network's peak.
  const bool isPeak =
      live.byOp[at] == *std::max_element(live.byOp.begin(), live.byOp.end());
  const int64_t enough = isPeak ? live.byOp[at] : live.byOp[at] / 16 * 15;
  if (now.byOp[now.peakOp(life)] < enough) {
    live = std::move(now);
    return true;
  }
  for (size_t tie : ties)
    builder.separate[tie] = false;
  sharing = before;
  return false;
}

void findPlanarRoots(const Network &network, Sharing &sharing) {
  const size_t count = network.tensors.size();
  sharing.planarRoot.resize(count);
  std::iota(sharing.planarRoot.begin(), sharing.planarRoot.end(), 0);
  sharing.rootInput.assign(count, -1);
  sharing.rootOutput.assign(count, -1);
  for (size_t t = 0; t < count; ++t) {
    if (network.tensors[t].isInput)
      sharing.rootInput[t] = static_cast<int>(t);
    if (network.tensors[t].isOutput)
      sharing.rootOutput[t] = static_cast<int>(t);
  }
  for (const Op &op : network.ops) {
    if (!isReshape(op))
      continue;
    const int root = sharing.planarRoot[op.operands[0].tensor];
    const bool isOutput = network.tensors[op.result].isOutput;
    if (isOutput &&
        (sharing.rootInput[root] >= 0 || sharing.rootOutput[root] >= 0))
      continue;
    sharing.planarRoot[op.result] = root;
    if (isOutput)
      sharing.rootOutput[root] = op.result;
  }
}

} // namespace

bool isReshape(const Op &op) {
  return op.copies && op.resultLayout == Layout::Planar &&
         op.operands.size() == 1 && op.operands[0].height.isWhole();
}

Interval copiedChannels(const Network &network, const Op &op, size_t index) {
  const Operand &operand = op.operands[index];
  return operand.channels.empty()
             ? Interval{0, network.tensors[operand.tensor].channels}
             : operand.channels;
}

bool isTied(const Sharing &sharing, const Network &network, const Op &op,
            size_t index) {
  const Operand &operand = op.operands[index];
  const int family = sharing.family[op.result];
  return op.copies && family >= 0 && sharing.family[operand.tensor] == family &&
         sharing.channel[op.result] + operand.resultChannel ==
             sharing.channel[operand.tensor] +
                 copiedChannels(network, op, index).begin;
}

Sharing findUses(const Network &network) {
  Sharing sharing;
  const size_t count = network.tensors.size();
  sharing.maker.assign(count, -1);
  sharing.lastUse.assign(count, -1);
  for (size_t i = 0; i < network.ops.size(); ++i) {
    const Op &op = network.ops[i];
    sharing.maker[op.result] = sharing.lastUse[op.result] =
        static_cast<int64_t>(i);
    for (const Operand &operand : op.operands)
      sharing.lastUse[operand.tensor] = static_cast<int64_t>(i);
  }
  return sharing;
}

Sharing findSharing(const Network &network) {
  Sharing sharing = findUses(network);
  const size_t count = network.tensors.size();
  findPlanarRoots(network, sharing);
  Untying(network, sharing).run();
  if (std::all_of(sharing.family.begin(), sharing.family.end(),
                  [](int family) { return family < 0; }))
    return sharing;
  // Moves and workspace have a say too: as a whole, sharing must pay.
  Sharing none = sharing;
  none.family.assign(count, -1);
  none.channel.assign(count, 0);
  return Expander(network, sharing).run({}).peakLiveBytes(1) <=
                 Expander(network, none).run({}).peakLiveBytes(1)
             ? sharing
             : none;
}

Placement placeTensors(const Network &network, const Sharing &sharing,
                       const Partition &partition) {
  Placement placement;
  std::vector<int> &home = placement.home;
  home.assign(network.tensors.size(), -1);
  for (size_t g = 0; g < partition.groups.size(); ++g) {
    const Group &group = partition.groups[g];
    if (group.schedule.isWhole())
      continue;
    for (int64_t i = group.opBegin; i < group.opEnd; ++i) {
      const Op &op = network.ops[i];
      const Tensor &result = network.tensors[op.result];
      const bool isPlanar = op.resultLayout == Layout::Planar;
      const bool isRead = sharing.lastUse[op.result] > i;
      const bool isFull = isPlanar ||
                          sharing.lastUse[op.result] >= group.opEnd ||
                          (result.isOutput && (result.ordersAgree() || isRead));
      home[op.result] = isFull ? -1 : static_cast<int>(g);
    }
    auto isLocal = [&](int tensor) {
      return home[tensor] == static_cast<int>(g);
    };
    for (int64_t i = group.opEnd - 1; i >= group.opBegin; --i) {
      const Op &op = network.ops[i];
      for (size_t k = 0; op.copies && k < op.operands.size(); ++k) {
        const int tensor = op.operands[k].tensor;
        if (!isLocal(op.result) && isLocal(tensor) &&
            isTied(sharing, network, op, k) &&
            copiedChannels(network, op, k).size() ==
                network.tensors[tensor].channels)
          home[tensor] = -1;
      }
    }
    for (int64_t i = group.opBegin; i < group.opEnd; ++i) {
      const Op &op = network.ops[i];
      bool isThere = op.copies && isLocal(op.result);
      for (size_t k = 0; isThere && k < op.operands.size(); ++k)
        isThere =
            home[op.operands[k].tensor] < 0 && isTied(sharing, network, op, k);
      if (isThere)
        home[op.result] = -1;
    }
  }

  std::vector<int> &root = placement.root;
  root.resize(network.tensors.size());
  std::iota(root.begin(), root.end(), 0);
  for (const Op &op : network.ops)
    for (size_t k = 0; op.copies && k < op.operands.size(); ++k)
      if (const int tensor = op.operands[k].tensor;
          home[tensor] == home[op.result] && isTied(sharing, network, op, k))
        root[findRoot(root, tensor)] = findRoot(root, op.result);
  for (size_t t = 0; t < root.size(); ++t)
    root[t] = findRoot(root, static_cast<int>(t));
  return placement;
}

} // namespace snug::network
