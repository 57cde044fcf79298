// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depth-first search over solutions in which nothing can be pushed down.
#include "PackingSearch.h"
#include "AllocationBound.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace snug::planner {

namespace {

uint64_t mix(uint64_t value) { // splitmix64's finalizer
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

} // namespace

void FailedStates::Key::add(uint64_t first, uint64_t second, uint64_t third) {
  const uint64_t a = mix(first * 0x9e3779b97f4a7c15 + 1);
  const uint64_t b = mix(a ^ (second * 0xd6e8feb86659fd93 + 2));
  const uint64_t c = mix(b + third * 0xa0761d6478bd642f + 3);
  low += c;
  high += mix(c ^ 0xe7037ed1a0b428db) ^ (a * b);
}

bool FailedStates::contains(const Key &key) const {
  if (slots.empty())
    return false;
  const Key &slot = slots[key.low & (slots.size() - 1)];
  return slot.low == key.low && slot.high == key.high;
}

void FailedStates::insert(const Key &key) {
  constexpr size_t mostSlots = size_t{1} << 21;
  if (2 * used >= slots.size() && slots.size() < mostSlots) {
    std::vector<Key> old(slots.empty() ? 1024 : 4 * slots.size());
    old.swap(slots);
    for (const Key &entry : old)
      if (entry.low != 0 || entry.high != 0)
        slots[entry.low & (slots.size() - 1)] = entry;
  }
  Key &slot = slots[key.low & (slots.size() - 1)];
  used += slot.low == 0 && slot.high == 0;
  slot = key;
}

void FailedStates::clear() {
  slots.clear();
  used = 0;
}

PackingSearch::PackingSearch(const Packing &packing)
    : packing(packing), count(packing.items.size()), words((count + 63) / 64) {}

int64_t PackingSearch::aboveAt(int64_t offset, int64_t distance,
                               bool paged) const {
  return paged ? roundUp(offset + distance, packing.page) : offset + distance;
}

/// Starts from nothing placed; false if that already shows a contradiction.
bool PackingSearch::prepare(int64_t capacityBytes) {
  states.assign(count, {});
  trail.clear();
  placedOrder.clear();
  causes.clear();
  conflict.assign(words, 0);
  delayed.clear();
  delayedConflicts.clear();
  touched.clear();
  isTouched.assign(packing.sections.size(), 0);
  capacities.clear();
  totals.clear();
  cuts.assign(packing.sections.size(), 0);
  sorted.clear();
  for (const Packing::Section &section : packing.sections) {
    sorted.push_back(section.members);
    capacities.push_back(packing.sectionCapacity(section, capacityBytes));
    totals.push_back(section.total);
  }
  for (size_t i = 0; i < count; ++i) {
    const Packing::Item &item = packing.items[i];
    states[i].least = item.fixed.value_or(0);
    states[i].most = packing.largestOffset(item, capacityBytes);
    if (item.fixed)
      states[i].most = std::min(states[i].most, *item.fixed);
    if (states[i].most < states[i].least)
      return false;
    countCuts(static_cast<int>(i), 1);
  }
  for (auto [a, b] : packing.links)
    countLink(a, b, 1);
  for (size_t i = 0; i < count; ++i)
    if (!packing.items[i].isTwin && !raiseTwins(static_cast<int>(i)))
      return false;
  for (size_t s = 0; s < packing.sections.size(); ++s)
    touch(static_cast<int>(s));
  return checkTouched();
}

void PackingSearch::countCuts(int index, int change) {
  const Packing::Item &item = packing.items[index];
  for (int s = item.firstSection; s + 1 < item.lastSection; ++s)
    cuts[s] += change;
}

/// Items that must not share a page hang together through time, while neither
/// is placed.
void PackingSearch::countLink(int a, int b, int change) {
  const Packing::Item &x = packing.items[a], &y = packing.items[b];
  const int first = std::min(x.firstSection, y.firstSection);
  const int last = std::max(x.lastSection, y.lastSection);
  for (int s = first; s + 1 < last; ++s)
    cuts[s] += change;
}

PackingSearch::Order PackingSearch::orderOfAttempt(int64_t attempt) {
  using Kind = Order::Kind;
  static const Order plain[] = {
      {Kind::TotalLengthArea, false}, {Kind::TotalAreaLength, false},
      {Kind::LengthAreaTotal, false}, {Kind::TotalLengthArea, true},
      {Kind::TotalAreaLength, true},  {Kind::SizeLength, true}};
  constexpr int64_t plainCount = std::size(plain);
  if (attempt < plainCount)
    return plain[attempt];
  const int64_t k = attempt - plainCount;
  return {k % 2 == 0 ? Kind::TotalLengthArea : Kind::TotalAreaLength,
          k / 2 % 2 == 0, k / 4 % 2 == 0 ? 0.2 : 0.6,
          static_cast<uint64_t>(attempt)};
}

void PackingSearch::sortCandidates(std::vector<int> &candidates) {
  using Key = std::tuple<double, double, double, int>;
  std::vector<Key> keys;
  for (int index : candidates) {
    const Packing::Item &item = packing.items[index];
    double blur = 1;
    if (order.noise > 0) // from [1 - noise / 2, 1 + noise / 2)
      blur +=
          order.noise *
          (static_cast<double>(mix(order.seed << 32 | index) >> 11) * 0x1p-53 -
           0.5);
    const double length =
        blur * (order.bySections ? item.lastSection - item.firstSection
                                 : static_cast<double>(item.end) -
                                       static_cast<double>(item.begin));
    const double size = blur * static_cast<double>(item.size);
    int64_t largest = 0;
    for (int s = item.firstSection; s < item.lastSection; ++s)
      largest = std::max(largest, totals[s]);
    const double total = static_cast<double>(largest);
    switch (order.kind) {
    case Order::LengthAreaTotal:
      keys.push_back({-length, -length * size, -total, index});
      break;
    case Order::TotalAreaLength:
      keys.push_back({-total, -length * size, -length, index});
      break;
    case Order::TotalLengthArea:
      keys.push_back({-total, -length, -length * size, index});
      break;
    case Order::SizeLength:
      keys.push_back({-size, -length, -total, index});
      break;
    }
  }
  std::sort(keys.begin(), keys.end());
  for (size_t i = 0; i < keys.size(); ++i)
    candidates[i] = std::get<3>(keys[i]);
}

void PackingSearch::touch(int section) {
  if (isTouched[section])
    return;
  isTouched[section] = 1;
  touched.push_back(section);
}

void PackingSearch::touchAll(const Packing::Item &item) {
  for (int s = item.firstSection; s < item.lastSection; ++s)
    touch(s);
}

void PackingSearch::remember(int index) {
  State &state = states[index];
  trail.push_back(
      {index, state.least, state.hole, state.cause, state.lastChange});
  state.lastChange = static_cast<int>(trail.size()) - 1;
}

void PackingSearch::undo(const Mark &mark) {
  for (; placedOrder.size() > mark.placed; placedOrder.pop_back())
    unplace(placedOrder.back());
  for (; trail.size() > mark.trail; trail.pop_back()) {
    State &state = states[trail.back().item];
    state.least = trail.back().least;
    state.hole = trail.back().hole;
    state.cause = trail.back().cause;
    state.lastChange = trail.back().previous;
  }
  causes.resize(mark.causes);
}

/// Adds a cause to the conflict.
void PackingSearch::blame(int cause) {
  if (cause == kNone)
    return;
  if (cause < static_cast<int>(count)) {
    conflict[cause / 64] |= uint64_t{1} << (cause % 64);
    return;
  }
  const uint64_t *set = causes.data() + (cause - count) * words;
  for (size_t w = 0; w < words; ++w)
    conflict[w] |= set[w];
}

/// The conflict as a cause.
int PackingSearch::rememberConflict() {
  const size_t number = causes.size() / words;
  causes.insert(causes.end(), conflict.begin(), conflict.end());
  return static_cast<int>(count + number);
}

/// Why a delayed item cannot lie lower than those in its way let it: it was
/// delayed, its neighbours lie where they lie, or cannot lie lower.
void PackingSearch::explainDelay(int index) {
  conflict.assign(words, 0);
  blame(index);
  blame(states[index].cause);
  for (const Packing::Neighbour &neighbour : packing.neighbours[index])
    blame(states[neighbour.item].placed ? neighbour.item
                                        : states[neighbour.item].cause);
}

/// Why a neighbour must lie above the item just placed: it was placed there,
/// and the neighbour cannot lie below. Of the bounds that say so, the earliest.
int PackingSearch::causeOfLyingAbove(int index,
                                     const Packing::Neighbour &neighbour) {
  const int64_t offset = states[index].least;
  auto fitsBelow = [&](int64_t least) {
    return aboveAt(least, neighbour.below, neighbour.paged) <= offset;
  };
  if (!fitsBelow(0))
    return index;
  const State &other = states[neighbour.item];
  int cause = other.cause;
  for (int change = other.lastChange;
       change != kNone && !fitsBelow(trail[change].least);
       change = trail[change].previous)
    cause = trail[change].cause;
  if (cause == kNone)
    return index;
  conflict.assign(words, 0);
  blame(index);
  blame(cause);
  return rememberConflict();
}

/// Twins lie above each other in a fixed order.
bool PackingSearch::raiseTwins(int index) {
  const Packing::Item &item = packing.items[index];
  return item.twin < 0 || states[item.twin].placed ||
         raise(item.twin, states[index].least + item.size, states[index].cause);
}

/// Bounds an unplaced item from below; false if it no longer fits.
bool PackingSearch::raise(int index, int64_t offset, int cause) {
  State &state = states[index];
  const Packing::Item &item = packing.items[index];
  if (item.alignment > 1)
    offset = roundUp(offset, item.alignment);
  if (offset <= state.least)
    return true;
  if (offset > state.most) {
    conflict.assign(words, 0);
    blame(cause);
    return false;
  }
  remember(index);
  state.least = offset;
  state.cause = cause;
  touchAll(item);
  return raiseTwins(index);
}

/// Fails where the members that cannot lie below some offset, together, do not
/// fit above it. Where they do not fit above the second lowest of these
/// offsets, the lowest must lie below all others.
bool PackingSearch::checkSection(int section) {
  std::vector<Packing::Member> &members = sorted[section];
  // They are nearly sorted from the last time.
  for (size_t k = 1; k < members.size(); ++k) {
    const Packing::Member moved = members[k];
    const int64_t least = states[moved.item].least;
    size_t to = k;
    for (; to > 0 && states[members[to - 1].item].least > least; --to)
      members[to] = members[to - 1];
    if (to != k)
      members[to] = moved;
  }
  const int64_t total = totals[section], capacity = capacities[section];
  int64_t above = 0, next = INT64_MAX;
  size_t first = members.size();
  for (size_t k = members.size(); k-- > 0;) {
    const State &state = states[members[k].item];
    if (state.placed)
      continue;
    above += members[k].size;
    if (state.least + above > capacity) {
      conflict.assign(words, 0);
      for (size_t i = k; i < members.size(); ++i)
        if (!states[members[i].item].placed)
          blame(states[members[i].item].cause);
      return false;
    }
    if (next != INT64_MAX && next + above > capacity &&
        next < state.least + members[k].size)
      first = k;
    else if (state.least + total <= capacity)
      break;
    next = state.least;
  }
  return first == members.size() || packing.sections[section].saved > 0 ||
         putFirst(section, first);
}

/// Raises all that come behind `first` in a section.
bool PackingSearch::putFirst(int section, size_t first) {
  const std::vector<Packing::Member> &members = sorted[section];
  conflict.assign(words, 0);
  for (size_t k = first; k < members.size(); ++k)
    if (!states[members[k].item].placed)
      blame(states[members[k].item].cause);
  const int cause = rememberConflict();
  const int64_t end = states[members[first].item].least + members[first].size;
  for (size_t k = first + 1; k < members.size(); ++k)
    if (const State &state = states[members[k].item];
        !state.placed && state.least < end)
      if (!raise(members[k].item, end, cause))
        return false;
  return true;
}

bool PackingSearch::dropTouched() {
  for (; !touched.empty(); touched.pop_back())
    isTouched[touched.back()] = 0;
  return false;
}

bool PackingSearch::checkTouched() {
  while (!touched.empty()) {
    const int section = touched.back();
    touched.pop_back();
    isTouched[section] = 0;
    if (!checkSection(section))
      return dropTouched();
  }
  return true;
}

/// Puts an item at its least offset. Whatever the answer, undo() takes it back.
bool PackingSearch::place(int index) {
  const Packing::Item &item = packing.items[index];
  State &state = states[index];
  state.placed = true;
  placedOrder.push_back(index);
  for (int s = item.firstSection; s < item.lastSection; ++s) {
    totals[s] -=
        item.sizes.empty() ? item.size : item.sizes[s - item.firstSection];
    touch(s);
  }
  countCuts(index, -1);
  if (!packing.links.empty())
    for (auto [a, b] : packing.links)
      if ((a == index && !states[b].placed) ||
          (b == index && !states[a].placed))
        countLink(a, b, -1);
  for (const Packing::Neighbour &neighbour : packing.neighbours[index]) {
    State &other = states[neighbour.item];
    if (other.placed)
      continue;
    if (other.hole >= 0) {
      if (state.least < aboveAt(other.hole, neighbour.below, neighbour.paged)) {
        remember(neighbour.item);
        other.hole = -1;
      } else if (packing.evenDistances) {
        // Nothing can get into that hole any more but the item itself.
        state.placed = false;
        explainDelay(neighbour.item);
        state.placed = true;
        return dropTouched();
      }
    }
    const int64_t least =
        roundUp(aboveAt(state.least, neighbour.above, neighbour.paged),
                packing.items[neighbour.item].alignment);
    if (least > other.least &&
        !raise(neighbour.item, least, causeOfLyingAbove(index, neighbour)))
      return dropTouched();
  }
  return checkTouched();
}

void PackingSearch::unplace(int index) {
  const Packing::Item &item = packing.items[index];
  if (!packing.links.empty())
    for (auto [a, b] : packing.links)
      if ((a == index && !states[b].placed) ||
          (b == index && !states[a].placed))
        countLink(a, b, 1);
  countCuts(index, 1);
  for (int s = item.firstSection; s < item.lastSection; ++s)
    totals[s] +=
        item.sizes.empty() ? item.size : item.sizes[s - item.firstSection];
  states[index].placed = false;
}

/// The item does not lie at `hole`: another that begins below its end there
/// keeps it from that, and it lies above one of those.
bool PackingSearch::delay(int index) {
  State &state = states[index];
  const Packing::Item &item = packing.items[index];
  if (item.fixed)
    return false;
  const int64_t hole = state.hole >= 0 ? state.hole : state.least;
  int64_t least = INT64_MAX;
  for (const Packing::Neighbour &neighbour : packing.neighbours[index]) {
    const State &other = states[neighbour.item];
    if (!other.placed &&
        other.least < aboveAt(hole, neighbour.above, neighbour.paged))
      least = std::min(least,
                       aboveAt(other.least, neighbour.below, neighbour.paged));
  }
  explainDelay(index);
  if (least == INT64_MAX)
    return false;
  if (state.hole < 0) {
    remember(index);
    state.hole = hole;
  }
  if (least > state.least && !raise(index, least, rememberConflict()))
    return dropTouched();
  return checkTouched();
}

/// The unplaced candidate of the least offset, by rank where they tie. Where
/// another may lie at that very offset only if it goes first, that one.
int PackingSearch::lowest(const std::vector<int> &candidates) const {
  int best = -1;
  for (int index : candidates) {
    if (states[index].placed)
      continue;
    if (best < 0 || states[index].least < states[best].least)
      best = index;
  }
  // Ties in a circle are not ours to solve, see Feasibility.
  bool moved = packing.tiesMatter && best >= 0;
  for (size_t turn = 0; moved && turn < count; ++turn) {
    moved = false;
    for (const Packing::Neighbour &neighbour : packing.neighbours[best])
      if (neighbour.below == 0 && !states[neighbour.item].placed &&
          states[neighbour.item].least == states[best].least) {
        best = neighbour.item;
        moved = true;
        break;
      }
  }
  return best;
}

/// Goes on after `item` was placed: where nothing unplaced crosses from one
/// section to the next any more, the sides are independent.
bool PackingSearch::solveParts(Range range, const std::vector<int> &candidates,
                               int item) {
  const Packing::Item &placed = packing.items[item];
  std::vector<int> ends;
  for (int s = placed.firstSection; s + 1 < placed.lastSection; ++s)
    if (cuts[s] == 0)
      ends.push_back(s + 1);
  if (ends.empty())
    return solve(range, candidates);
  ends.push_back(range.last);
  std::vector<std::vector<int>> parts(ends.size());
  for (int index : candidates)
    if (!states[index].placed)
      parts[std::upper_bound(ends.begin(), ends.end(),
                             packing.items[index].firstSection) -
            ends.begin()]
          .push_back(index);
  std::vector<size_t> partOrder;
  for (size_t k = 0; k < parts.size(); ++k)
    if (!parts[k].empty())
      partOrder.push_back(k);
  std::stable_sort(partOrder.begin(), partOrder.end(), [&](size_t a, size_t b) {
    return parts[a].size() < parts[b].size();
  });
  for (size_t k : partOrder) {
    sortCandidates(parts[k]);
    if (!solve({k == 0 ? range.first : ends[k - 1], ends[k]}, parts[k]))
      return false;
  }
  return true;
}

/// The failure of a state depends on all that bounds its items.
void PackingSearch::explainState(const std::vector<int> &candidates) {
  conflict.assign(words, 0);
  for (int index : candidates) {
    if (states[index].placed)
      continue;
    blame(states[index].cause);
    if (states[index].hole < 0)
      continue;
    blame(index);
    for (const Packing::Neighbour &neighbour : packing.neighbours[index])
      if (states[neighbour.item].placed)
        blame(neighbour.item);
  }
}

/// Whether the candidates can all be placed, given their bounds: nothing else
/// matters, so that a state that failed once need not be tried again.
bool PackingSearch::solve(Range range, const std::vector<int> &candidates) {
  FailedStates::Key key;
  key.add(count, range.first, range.last);
  for (int index : candidates)
    if (const State &state = states[index]; !state.placed)
      key.add(index, state.least, state.hole);
  if (failed.contains(key)) {
    explainState(candidates);
    return false;
  }
  if (search(range, candidates))
    return true;
  if (!stopped)
    failed.insert(key);
  return false;
}

/// Looking through very many candidates takes as long as several nodes.
int64_t PackingSearch::nodeCost(size_t candidates) {
  constexpr size_t few = 512, perNode = 32;
  return candidates <= few
             ? 1
             : 1 + static_cast<int64_t>((candidates - few) / perNode);
}

int64_t PackingSearch::leastCost() const {
  std::vector<int> crossing(packing.sections.size());
  for (const Packing::Item &item : packing.items)
    for (int s = item.firstSection; s + 1 < item.lastSection; ++s)
      ++crossing[s];
  std::vector<int64_t> starting(packing.sections.size());
  for (const Packing::Item &item : packing.items)
    ++starting[item.firstSection];
  int64_t largest = 0, part = 0;
  for (size_t s = 0; s < packing.sections.size(); ++s) {
    part += starting[s];
    largest = std::max(largest, part);
    if (crossing[s] == 0)
      part = 0;
  }
  return largest * nodeCost(static_cast<size_t>(largest));
}

bool PackingSearch::search(Range range, const std::vector<int> &candidates) {
  const Mark start = mark();
  const size_t firstDelayed = delayed.size();
  for (;;) {
    const int item = lowest(candidates);
    if (item < 0) {
      forgetDelayed(firstDelayed);
      return true;
    }
    remaining -= nodeCost(candidates.size());
    if (remaining < 0 || isLate()) {
      stopped = true;
      break;
    }
    if (states[item].hole < 0) {
      const Mark before = mark();
      if (place(item) && solveParts(range, candidates, item)) {
        forgetDelayed(firstDelayed);
        return true;
      }
      undo(before);
      if (stopped || !isBlamed(item))
        break;
      conflict[item / 64] &= ~(uint64_t{1} << (item % 64));
      blame(states[item].cause);
      delayed.push_back(item);
      delayedConflicts.insert(delayedConflicts.end(), conflict.begin(),
                              conflict.end());
    }
    if (!delay(item))
      break;
  }
  undo(start);
  // Neither at its offset nor above it: that depends on what both depend on.
  for (; delayed.size() > firstDelayed; forgetDelayed(delayed.size() - 1)) {
    const int item = delayed.back();
    if (!isBlamed(item))
      continue;
    conflict[item / 64] &= ~(uint64_t{1} << (item % 64));
    for (size_t w = 0; w < words; ++w)
      conflict[w] |= delayedConflicts[delayedConflicts.size() - words + w];
  }
  return false;
}

/// Looks at the clock now and then, if a time limit was asked for.
bool PackingSearch::isLate() {
  if (limit->deadline && ++sinceClock % 64 == 0 &&
      std::chrono::steady_clock::now() >= *limit->deadline)
    limit->expired = true;
  return limit->expired;
}

void PackingSearch::forgetDelayed(size_t size) {
  delayed.resize(size);
  delayedConflicts.resize(size * words);
}

SearchOutcome PackingSearch::attempt(const Order &order, int64_t capacityBytes,
                                     int64_t nodes, SearchLimits &limits) {
  limit = &limits;
  remaining = nodes;
  if (!prepare(capacityBytes))
    return SearchOutcome::Refuted;
  this->order = order;
  stopped = false;
  std::vector<std::vector<int>> parts;
  std::vector<Range> ranges;
  int first = 0;
  for (size_t s = 0; s < packing.sections.size(); ++s)
    if (cuts[s] == 0) {
      ranges.push_back({first, static_cast<int>(s) + 1});
      parts.push_back({});
      for (size_t i = 0; i < count; ++i)
        if (packing.items[i].firstSection >= first &&
            packing.items[i].firstSection <= static_cast<int>(s))
          parts.back().push_back(static_cast<int>(i));
      first = static_cast<int>(s) + 1;
    }
  for (size_t k = 0; k < parts.size(); ++k) {
    sortCandidates(parts[k]);
    if (!solve(ranges[k], parts[k]))
      return stopped ? SearchOutcome::Limit : SearchOutcome::Refuted;
  }
  offsets.clear();
  for (const State &state : states)
    offsets.push_back(state.least);
  return SearchOutcome::Found;
}

SearchOutcome PackingSearch::run(int64_t capacityBytes, int64_t nodes,
                                 SearchLimits &limits) {
  failed.clear();
  // Most attempts that succeed hardly ever turn back, so many short ones come
  // first; the failed states that they leave shorten the long ones.
  int64_t share = 4 * static_cast<int64_t>(count) + 16;
  nodes = std::min(nodes, limits.nodes);
  for (int64_t number = 0; nodes > 0 && !limits.expired; ++number) {
    const int64_t most = std::min(share, nodes);
    const SearchOutcome outcome =
        attempt(orderOfAttempt(number), capacityBytes, most, limits);
    const int64_t used = most - std::max<int64_t>(remaining, 0);
    nodes -= used;
    limits.nodes -= used;
    if (outcome != SearchOutcome::Limit)
      return outcome;
    if (number % 12 == 11)
      share *= 2;
  }
  return SearchOutcome::Limit;
}

} // namespace snug::planner
