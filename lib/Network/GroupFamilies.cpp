// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Families of tensors that share bytes, in a group and beside it.
#include "GroupWalk.h"

#include <algorithm>
#include <limits>
#include <map>

namespace snug::network {

void GroupFigures::Walk::collectFamilies() {
  componentOf.assign(network.tensors.size(), -1);
  isLocal.assign(network.tensors.size(), false);
  for (size_t t = 0; t < network.tensors.size(); ++t) {
    const int family = sharing.family[t];
    if (family < 0)
      continue;
    if (families.size() <= static_cast<size_t>(family))
      families.resize(family + 1);
    families[family].members.push_back(static_cast<int>(t));
  }
  for (Family &family : families)
    std::stable_sort(
        family.members.begin(), family.members.end(),
        [&](int a, int b) { return sharing.channel[a] < sharing.channel[b]; });
  for (Family &family : families) {
    family.first = kNever;
    family.last = -1;
    for (int member : family.members) {
      family.first = std::min(family.first, maker[member]);
      family.last = std::max(family.last, lastUse[member]);
    }
  }
  for (int64_t i = 0; i < opCount; ++i) {
    const Op &op = network.ops[i];
    if (op.copies && sharing.family[op.result] >= 0)
      families[sharing.family[op.result]].copies.push_back(i);
    std::vector<int> touched;
    if (hasInPlace[i]) {
      touched.push_back(sharing.family[op.result]);
      for (const Operand &operand : op.operands)
        touched.push_back(sharing.family[operand.tensor]);
    }
    for (int family : touched)
      if (family >= 0 && (families[family].inPlace.empty() ||
                          families[family].inPlace.back() != i))
        families[family].inPlace.push_back(i);
  }
}

/// Which of a family's tensors are local to the tiles of the group at hand, by
/// the rules of placeTensors(), and which of those lie in one buffer.
void GroupFigures::Walk::placeFamily(Family &family) {
  for (int member : family.members)
    isLocal[member] = isInside(member) &&
                      (lastUse[member] < opEnd || movedTilewise[maker[member]]);
  auto inGroup = [&](int64_t op) { return op >= opBegin && op < opEnd; };
  for (size_t c = family.copies.size(); c-- > 0;) {
    const Op &op = network.ops[family.copies[c]];
    if (inGroup(family.copies[c]) && !isLocal[op.result])
      for (size_t k = 0; k < op.operands.size(); ++k)
        if (const int tensor = op.operands[k].tensor;
            isLocal[tensor] && isTied(sharing, network, op, k) &&
            copiedChannels(network, op, k).size() ==
                network.tensors[tensor].channels)
          isLocal[tensor] = false;
  }
  for (int64_t copy : family.copies) {
    const Op &op = network.ops[copy];
    bool isThere = inGroup(copy) && isLocal[op.result];
    for (size_t k = 0; isThere && k < op.operands.size(); ++k)
      isThere =
          !isLocal[op.operands[k].tensor] && isTied(sharing, network, op, k);
    if (isThere)
      isLocal[op.result] = false;
  }

  // Components by the ops that tie their tensors.
  std::vector<int> parent(family.members.size());
  std::map<int, int> numbers;
  for (size_t m = 0; m < family.members.size(); ++m) {
    parent[m] = static_cast<int>(m);
    numbers[family.members[m]] = static_cast<int>(m);
  }
  auto find = [&](int number) {
    while (parent[number] != number)
      number = parent[number];
    return number;
  };
  for (int64_t copy : family.copies) {
    const Op &op = network.ops[copy];
    if (!inGroup(copy))
      continue;
    const int64_t before = stepsOf[copy];
    stepsOf[copy] = 0;
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const int tensor = op.operands[k].tensor;
      const bool inPlace = isTied(sharing, network, op, k) &&
                           isLocal[tensor] == isLocal[op.result];
      stepsOf[copy] += inPlace ? 0 : 1;
      if (inPlace && isLocal[tensor])
        parent[find(numbers[tensor])] = find(numbers[op.result]);
    }
    stepsPerTile += stepsOf[copy] - before;
  }
  std::map<int, Component> components;
  for (size_t m = 0; m < family.members.size(); ++m) {
    const int member = family.members[m];
    componentOf[member] = -1;
    if (!isLocal[member])
      continue;
    Component &component = components[find(static_cast<int>(m))];
    const int64_t last = std::max(lastInside[maker[member]], maker[member]);
    const int64_t begin = sharing.channel[member];
    const int64_t end = begin + network.tensors[member].channels;
    if (component.members.empty()) {
      component.first = maker[member];
      component.last = last;
      component.channelBegin = begin;
      component.channels = end - begin;
    }
    component.members.push_back(member);
    component.first = std::min(component.first, maker[member]);
    component.last = std::max(component.last, last);
    component.channels =
        std::max(component.channels, end - component.channelBegin);
  }
  const std::vector<Component> before = std::move(family.local);
  family.local.clear();
  for (auto &[root, component] : components) {
    for (int member : component.members)
      componentOf[member] = static_cast<int>(family.local.size());
    family.local.push_back(std::move(component));
  }
  auto without = [](const std::vector<Component> &of,
                    const std::vector<Component> &others) {
    std::vector<Component> rest;
    for (const Component &component : of)
      if (std::find(others.begin(), others.end(), component) == others.end())
        rest.push_back(component);
    return rest;
  };
  family.added = without(family.local, before);
  family.dropped = without(before, family.local);
}

/// Bytes of the channels that some counted member has.
template <typename Counts>
int64_t GroupFigures::Walk::unionBytes(const Family &family,
                                       const Counts &counts) const {
  int64_t channels = 0, done = std::numeric_limits<int64_t>::min();
  int any = -1;
  for (int member : family.members) {
    if (!counts(member))
      continue;
    const int64_t begin = sharing.channel[member];
    const int64_t end = begin + network.tensors[member].channels;
    if (end > done)
      channels += end - std::max(begin, done);
    done = std::max(done, end);
    any = member;
  }
  return any < 0 ? 0 : channelBytes(any, channels);
}

/// Full buffers of families during the group: at least the channels that are
/// made and will be read; with all other ops whole, the buffers that tied
/// tensors share.
void GroupFigures::Walk::sumUpFamilies() {
  familyBytes = likelyBytes = 0;
  familyBehind = 0;
  familyResults.clear();
  familyDead.clear();
  for (const Family &family : families) {
    if (family.members.empty() || family.first >= opEnd ||
        family.last < opBegin)
      continue;
    auto isFull = [&](int member) {
      return !isInside(member) || !isLocal[member];
    };
    auto isLive = [&](int member) {
      return maker[member] < opBegin
                 ? lastUse[member] >= opBegin
                 : isFull(member) && maker[member] < opEnd &&
                       lastUse[member] >= opEnd;
    };
    const int64_t bytes = unionBytes(family, isLive);
    if (bytes == 0)
      continue;
    familyBytes += bytes;
    const int64_t behind = unionBytes(family, [&](int member) {
      return isLive(member) && lastUse[member] >= opEnd;
    });
    familyBehind += behind;
    // Before the group, and what its ops add to that, in their order.
    std::vector<int64_t> makers;
    int64_t firstDeath = kNever;
    for (int member : family.members) {
      if (isLive(member) && isInside(member))
        makers.push_back(maker[member]);
      if (isLive(member) && lastUse[member] < opEnd)
        firstDeath = std::min(firstDeath, lastUse[member]);
    }
    std::sort(makers.begin(), makers.end());
    int64_t written = makers.empty() ? bytes : unionBytes(family, [&](int m) {
      return isLive(m) && maker[m] < opBegin;
    });
    for (int64_t at : makers) {
      const int64_t now = unionBytes(family, [&](int member) {
        return isLive(member) && maker[member] <= at;
      });
      familyResults.push_back({at, now - written});
      written = now;
    }
    // From the first death on, only what is used behind the group: no more
    // than there is.
    if (firstDeath < opEnd && behind < bytes)
      familyDead.push_back({firstDeath + 1, bytes - behind});

    // The largest tensors take those that lie within them.
    std::vector<int> full;
    for (int member : family.members)
      if (isFull(member))
        full.push_back(member);
    std::stable_sort(full.begin(), full.end(), [&](int a, int b) {
      return network.tensors[a].channels > network.tensors[b].channels;
    });
    int64_t shared = 0;
    std::vector<bool> taken(full.size());
    for (size_t a = 0; a < full.size(); ++a) {
      if (taken[a])
        continue;
      int64_t first = maker[full[a]], last = lastUse[full[a]];
      const int64_t begin = sharing.channel[full[a]],
                    end = begin + network.tensors[full[a]].channels;
      for (size_t b = a + 1; b < full.size(); ++b) {
        const int64_t at = sharing.channel[full[b]];
        if (taken[b] || at < begin ||
            at + network.tensors[full[b]].channels > end)
          continue;
        taken[b] = true;
        first = std::min(first, maker[full[b]]);
        last = std::max(last, lastUse[full[b]]);
      }
      if (first < opEnd && last >= opBegin)
        shared += channelBytes(full[a], end - begin);
    }
    likelyBytes += std::max<int64_t>(shared - bytes, 0);
  }
}

/// Adds what families come to for the group at hand to what is kept by op, or
/// takes it away.
void GroupFigures::Walk::applyFamilies(int sign) {
  for (auto [op, bytes] : familyResults)
    resultBytes[op] += sign * bytes;
  for (auto [op, bytes] : familyDead)
    deadBytes[op] += sign * bytes;
}

} // namespace snug::network
