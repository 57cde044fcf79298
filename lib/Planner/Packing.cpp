// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns an allocation problem into items, sections and pairwise distances.
#include "Packing.h"
#include "AllocationBound.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace snug::planner {

namespace {

class PackingBuilder {
public:
  PackingBuilder(const AllocationProblem &problem,
                 const std::vector<bool> &together)
      : problem(problem), buffers(problem.buffers), together(together) {}
  std::optional<Packing> run();

private:
  bool formItems();
  bool isSpecial(int buffer) const { return special.count(buffer) != 0; }
  void chooseUnit();
  void measureItems();
  void findSections();
  void conflict(int x, int y);
  void findNeighbours();
  void addOverlapsAndSeparations();
  void findTwins();

  int64_t units(int64_t bytes) const {
    return roundUp(bytes, packing.unit) / packing.unit;
  }
  void relate(int below, int above, int64_t distance, bool paged = false);

  const AllocationProblem &problem;
  const std::vector<AllocationBuffer> &buffers;
  const std::vector<bool> &together;
  Packing packing;
  std::vector<int> itemOf; ///< by buffer, -1 for empty ones
  std::set<int> special;   ///< buffers of which overlaps or separations speak
  std::set<std::pair<int, int>> leave; ///< buffers that have an overlap
  /// By item: distances to items above it.
  std::vector<std::map<int, Packing::Neighbour>> related;
};

/// Joins the buffers that are together; false if they clash.
bool PackingBuilder::formItems() {
  std::vector<int> root = indices(buffers.size());
  auto find = [&](int b) {
    while (root[b] != b)
      b = root[b] = root[root[b]];
    return b;
  };
  for (size_t i = 0; i < problem.overlaps.size(); ++i) {
    const AllocationOverlap &overlap = problem.overlaps[i];
    if (buffers[overlap.input].bytes == 0 || buffers[overlap.output].bytes == 0)
      continue;
    special.insert({overlap.input, overlap.output});
    leave.insert(std::minmax(overlap.input, overlap.output));
    if (together[i])
      root[find(overlap.output)] = find(overlap.input);
  }
  for (const AllocationSeparation &separation : problem.separations)
    special.insert({separation.first, separation.second});
  itemOf.assign(buffers.size(), -1);
  std::map<int, int> itemOfRoot;
  for (int b : indices(buffers.size())) {
    if (buffers[b].bytes == 0)
      continue;
    auto [entry, isNew] =
        itemOfRoot.insert({find(b), static_cast<int>(packing.items.size())});
    if (isNew)
      packing.items.push_back({});
    itemOf[b] = entry->second;
    packing.items[entry->second].buffers.push_back(b);
  }
  for (const Packing::Item &item : packing.items)
    for (int a : item.buffers)
      for (int b : item.buffers)
        if (a < b && liveTogether(buffers[a], buffers[b]) &&
            !leave.count({a, b}))
          return false;
  for (size_t i = 0; i < problem.overlaps.size(); ++i) {
    // At one offset, yet not by its own leave: only with distance zero or less.
    const AllocationOverlap &overlap = problem.overlaps[i];
    const int item = itemOf[overlap.input];
    if (item >= 0 && item == itemOf[overlap.output] && !overlap.exact &&
        clampedDistance(problem, overlap) > 0)
      return false;
  }
  for (const AllocationSeparation &separation : problem.separations)
    if (itemOf[separation.first] >= 0 &&
        itemOf[separation.first] == itemOf[separation.second])
      return false;
  return true;
}

/// The largest number of bytes that divides every offset of a solution whose
/// buffers are pushed down as far as they go.
void PackingBuilder::chooseUnit() {
  int64_t least = INT64_MAX, most = 1;
  for (const Packing::Item &item : packing.items)
    for (int b : item.buffers) {
      least = std::min(least, buffers[b].alignment);
      most = std::max(most, buffers[b].alignment);
    }
  packing.unit = 1;
  if (packing.items.empty())
    return;
  packing.unit = least;
  if (least != most)
    return;
  int64_t common = 0;
  for (const Packing::Item &item : packing.items)
    for (int b : item.buffers) {
      common = std::gcd(common, roundUp(buffers[b].bytes, least));
      common = std::gcd(common, buffers[b].fixedOffset.value_or(0));
    }
  for (const AllocationOverlap &overlap : problem.overlaps)
    common = std::gcd(
        common, roundUp(std::max<int64_t>(clampedDistance(problem, overlap), 0),
                        least));
  if (!problem.separations.empty())
    common = std::gcd(common, problem.pageBytes);
  packing.unit = std::max(common, int64_t{1});
}

void PackingBuilder::measureItems() {
  packing.page = std::max<int64_t>(problem.pageBytes / packing.unit, 1);
  for (Packing::Item &item : packing.items) {
    item.begin = INT64_MAX;
    item.end = INT64_MIN;
    item.slackBytes = INT64_MAX;
    int64_t largest = 0;
    for (int b : item.buffers) {
      const AllocationBuffer &buffer = buffers[b];
      largest = std::max(largest, buffer.bytes);
      item.alignment =
          std::max(item.alignment, buffer.alignment / packing.unit);
      item.begin = std::min(item.begin, buffer.begin);
      item.end = std::max(item.end, buffer.end);
      if (buffer.fixedOffset)
        item.fixed = *buffer.fixedOffset / packing.unit;
    }
    item.size = units(largest);
    item.slackBytes = item.size * packing.unit - largest;
  }
}

void PackingBuilder::findSections() {
  std::vector<int64_t> times;
  std::map<int64_t, std::vector<int>> begins, ends;
  for (int b : indices(buffers.size())) {
    if (itemOf[b] < 0)
      continue;
    begins[buffers[b].begin].push_back(b);
    ends[buffers[b].end].push_back(b);
    times.push_back(buffers[b].begin);
    times.push_back(buffers[b].end);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  std::multimap<int64_t, int> savings;
  for (int i : indices(problem.overlaps.size()))
    savings.insert({buffers[problem.overlaps[i].output].begin, i});

  // Where overlaps save bytes, a section no longer stands for those within it.
  const bool all = !problem.overlaps.empty();
  std::set<int> live;
  bool grown = false;
  auto emit = [&](int64_t time) {
    Packing::Section section;
    std::map<int, int64_t> sizes;
    for (int b : live) {
      const int64_t size = units(buffers[b].bytes);
      sizes[itemOf[b]] = std::max(sizes[itemOf[b]], size);
      section.slackBytes =
          std::max(section.slackBytes, size * packing.unit - buffers[b].bytes);
    }
    for (auto [item, size] : sizes) {
      section.members.push_back({item, size});
      section.total += size;
    }
    auto [first, last] = savings.equal_range(time);
    for (auto it = first; it != last; ++it) {
      const AllocationOverlap &overlap = problem.overlaps[it->second];
      if (itemOf[overlap.input] >= 0 && itemOf[overlap.output] >= 0 &&
          itemOf[overlap.input] != itemOf[overlap.output] && !overlap.exact)
        section.saved += units(largestSaving(problem, overlap, packing.unit));
    }
    packing.sections.push_back(std::move(section));
  };
  std::vector<int> opened;
  for (size_t k = 0; k < times.size(); ++k) {
    if (auto it = ends.find(times[k]); it != ends.end()) {
      if (grown && !all)
        emit(times[k - 1]);
      grown = false;
      for (int b : it->second)
        live.erase(b);
    }
    if (auto it = begins.find(times[k]); it != begins.end()) {
      grown = true;
      live.insert(it->second.begin(), it->second.end());
    }
    if (all && !live.empty())
      emit(times[k]);
  }

  for (Packing::Item &item : packing.items)
    item.firstSection = -1;
  for (size_t s = 0; s < packing.sections.size(); ++s)
    for (const Packing::Member &member : packing.sections[s].members) {
      Packing::Item &item = packing.items[member.item];
      if (item.firstSection < 0)
        item.firstSection = static_cast<int>(s);
      item.lastSection = static_cast<int>(s) + 1;
      if (item.buffers.size() > 1)
        item.sizes.push_back(member.size);
    }
}

/// If both lie in a relation twice, the larger distance holds.
void PackingBuilder::relate(int below, int above, int64_t distance,
                            bool paged) {
  Packing::Neighbour &neighbour = related[below][above];
  neighbour.item = above;
  neighbour.above = std::max(neighbour.above, distance);
  neighbour.paged |= paged;
}

/// Two buffers that meet in time: their items conflict.
void PackingBuilder::conflict(int x, int y) {
  const int a = itemOf[x], b = itemOf[y];
  if (a == b || (!leave.empty() && leave.count(std::minmax(x, y))))
    return;
  const int64_t sizeOfX = units(buffers[x].bytes);
  const int64_t sizeOfY = units(buffers[y].bytes);
  if (special.empty()) { // no pair of items comes twice
    packing.neighbours[a].push_back({b, sizeOfX, sizeOfY});
    packing.neighbours[b].push_back({a, sizeOfY, sizeOfX});
    return;
  }
  relate(a, b, sizeOfX);
  relate(b, a, sizeOfY);
}

void PackingBuilder::findNeighbours() {
  related.resize(packing.items.size());
  packing.neighbours.resize(packing.items.size());
  std::vector<int> order = indices(buffers.size()), live;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return buffers[a].begin < buffers[b].begin;
  });
  for (int b : order) {
    if (itemOf[b] < 0)
      continue;
    live.erase(std::remove_if(live.begin(), live.end(),
                              [&](int other) {
                                return buffers[other].end <= buffers[b].begin;
                              }),
               live.end());
    for (int other : live)
      conflict(other, b);
    live.push_back(b);
  }
  addOverlapsAndSeparations();
  packing.evenDistances = special.empty();
  for (size_t i = 0; i < related.size(); ++i)
    for (auto [item, neighbour] : related[i]) {
      neighbour.below = related[item][static_cast<int>(i)].above;
      packing.tiesMatter |= neighbour.above == 0;
      packing.neighbours[i].push_back(neighbour);
    }
}

void PackingBuilder::addOverlapsAndSeparations() {
  for (const AllocationOverlap &overlap : problem.overlaps) {
    const int input = itemOf[overlap.input], output = itemOf[overlap.output];
    if (input < 0 || output < 0 || input == output)
      continue;
    const int64_t ahead =
        overlap.exact ? buffers[overlap.output].bytes
                      : std::max<int64_t>(clampedDistance(problem, overlap), 0);
    relate(input, output, units(buffers[overlap.input].bytes));
    relate(output, input, units(ahead));
  }
  for (const AllocationSeparation &separation : problem.separations) {
    const int a = itemOf[separation.first], b = itemOf[separation.second];
    if (a < 0 || b < 0)
      continue;
    relate(a, b, units(buffers[separation.first].bytes), /*paged=*/true);
    relate(b, a, units(buffers[separation.second].bytes), /*paged=*/true);
    packing.links.push_back({a, b});
  }
}

/// Equal items can be swapped in any solution, so their order may be chosen.
void PackingBuilder::findTwins() {
  std::map<std::vector<int64_t>, int> last;
  for (size_t i = 0; i < packing.items.size(); ++i) {
    Packing::Item &item = packing.items[i];
    if (item.fixed || item.buffers.size() > 1 || isSpecial(item.buffers[0]))
      continue;
    const std::vector<int64_t> key = {item.firstSection, item.lastSection,
                                      item.size, item.alignment,
                                      item.slackBytes};
    auto [entry, isNew] = last.insert({key, static_cast<int>(i)});
    if (isNew)
      continue;
    packing.items[entry->second].twin = static_cast<int>(i);
    item.isTwin = true;
    entry->second = static_cast<int>(i);
  }
}

std::optional<Packing> PackingBuilder::run() {
  if (!formItems())
    return std::nullopt;
  chooseUnit();
  measureItems();
  for (const Packing::Item &item : packing.items) {
    if (item.fixed && *item.fixed % item.alignment != 0)
      return std::nullopt;
    for (int b : item.buffers)
      if (item.fixed && buffers[b].fixedOffset &&
          *buffers[b].fixedOffset / packing.unit != *item.fixed)
        return std::nullopt;
  }
  findSections();
  findNeighbours();
  findTwins();
  return std::move(packing);
}

} // namespace

int64_t Packing::largestOffset(const Item &item, int64_t capacityBytes) const {
  const int64_t bytes = item.size * unit - item.slackBytes;
  if (bytes > capacityBytes)
    return -1;
  return (capacityBytes - bytes) / unit / item.alignment * item.alignment;
}

int64_t Packing::sectionCapacity(const Section &section,
                                 int64_t capacityBytes) const {
  return (capacityBytes + section.slackBytes) / unit + section.saved;
}

std::optional<Packing> makePacking(const AllocationProblem &problem,
                                   const std::vector<bool> &together) {
  return PackingBuilder(problem, together).run();
}

} // namespace snug::planner
