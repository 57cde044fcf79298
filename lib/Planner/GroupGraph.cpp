// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Edges from figures of groups, and shortest paths over them.
#include "GroupGraph.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <queue>
#include <thread>
#include <tuple>

namespace snug::planner {

using network::Figures;
using network::Network;
using network::Partition;
using network::Program;
using network::Schedule;
using network::Sharing;

namespace {

constexpr int64_t kUnreachable = std::numeric_limits<int64_t>::max();

/// Tiles along an axis: every small number, then ever fewer.
std::vector<int64_t> tileCounts(int64_t most) {
  std::vector<int64_t> counts;
  for (int64_t count : {1, 2, 3, 4, 5, 6, 8, 12, 16})
    if (count <= most)
      counts.push_back(count);
  return counts;
}

std::vector<Schedule> allGrids(const SearchOptions &options) {
  std::vector<Schedule> grids;
  for (int64_t rows : tileCounts(options.maxGridRows))
    for (int64_t columns : tileCounts(options.maxGridColumns))
      if (rows * columns > 1 && rows * columns <= options.maxTiles)
        grids.push_back(Schedule::grid(rows, columns));
  return grids;
}

/// Drops edges of one group that others are nowhere worse than; what is likely
/// of all of them is as much above the bounds.
void keepBest(std::vector<GroupEdge> &edges) {
  std::stable_sort(edges.begin(), edges.end(),
                   [](const GroupEdge &a, const GroupEdge &b) {
                     return std::tie(a.arena, a.macs, a.steps) <
                            std::tie(b.arena, b.macs, b.steps);
                   });
  size_t kept = 0;
  for (const GroupEdge &edge : edges) {
    bool isWorse = false;
    for (size_t k = 0; k < kept && !isWorse; ++k)
      isWorse = edges[k].macs <= edge.macs && edges[k].steps <= edge.steps;
    if (!isWorse)
      edges[kept++] = edge;
  }
  edges.resize(kept);
}

} // namespace

GroupGraph::GroupGraph(const Network &network, const Sharing &sharing,
                       const Program &untiled, const SearchOptions &options)
    : grids(allGrids(options)), options(options),
      residentWeights(options.weights == Weights::Resident
                          ? network.packedWeightBytes()
                          : 0),
      opCount(static_cast<int>(network.ops.size())) {
  limited = options.maxGroups >= 0 && options.maxGroups < opCount;
  mostGroups = limited ? static_cast<int>(options.maxGroups) : 0;
  addEdges(network, sharing, untiled);
  std::sort(edges.begin(), edges.end(),
            [](const GroupEdge &a, const GroupEdge &b) {
              return std::tie(a.opBegin, a.opEnd, a.grid) <
                     std::tie(b.opBegin, b.opEnd, b.grid);
            });
  firstEdge.assign(opCount + 1, 0);
  for (const GroupEdge &edge : edges)
    ++firstEdge[edge.opBegin + 1];
  for (int i = 0; i < opCount; ++i)
    firstEdge[i + 1] += firstEdge[i];
  weightLimit = weightLimits().back();
}

std::vector<int64_t> GroupGraph::weightLimits() const {
  std::vector<int64_t> limits;
  int64_t least = 0; // of any path: every op runs in some edge
  for (const GroupEdge &edge : edges) {
    limits.push_back(edge.weights);
    if (edge.grid < 0)
      least = std::max(least, edge.weights);
  }
  limits.push_back(0); // a network without ops
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  limits.erase(limits.begin(),
               std::lower_bound(limits.begin(), limits.end(), least));
  if (options.scope == BudgetScope::Arena)
    return {limits.back()};
  constexpr size_t most = 16;
  if (limits.size() <= most)
    return limits;
  std::vector<int64_t> some;
  for (size_t i = 0; i < most; ++i)
    some.push_back(limits[i * (limits.size() - 1) / (most - 1)]);
  return some;
}

void GroupGraph::addEdges(const Network &network, const Sharing &sharing,
                          const Program &untiled) {
  network::GroupFiguresOptions figureOptions;
  figureOptions.grids = grids;
  figureOptions.alignment = options.alignment;
  figureOptions.maxRecompute = options.maxRecompute;
  std::vector<int64_t> weightsBefore(opCount + 1, 0);
  for (int i = 0; i < opCount; ++i)
    weightsBefore[i + 1] = weightsBefore[i] + network.ops[i].packedWeightBytes;
  auto makeEdge = [&](int64_t begin, int64_t end, int grid,
                      const Figures &figures) {
    GroupEdge edge;
    edge.opBegin = static_cast<int>(begin);
    edge.opEnd = static_cast<int>(end);
    edge.grid = grid;
    edge.bound = roundUp(figures.peakBytes, options.arenaUnit);
    edge.likely = roundUp(figures.likelyBytes, options.arenaUnit);
    edge.arena = edge.bound;
    edge.macs = figures.macs;
    edge.steps = figures.steps;
    if (options.weights == Weights::Streamed)
      edge.weights =
          roundUp(weightsBefore[end] - weightsBefore[begin], options.arenaUnit);
    return edge;
  };
  network::GroupFigures first(network, sharing, untiled, figureOptions);
  for (int i = 0; i < opCount; ++i)
    edges.push_back(makeEdge(i, i + 1, -1, first.whole(i)));
  if (limited && mostGroups == 0)
    return;

  // Ends do not depend on each other, so several threads share them. What they
  // find is put together in one order, however many there are.
  std::vector<std::vector<GroupEdge>> edgesOfEnd(opCount + 1);
  std::vector<int64_t> weighedOfEnd(opCount + 1);
  auto weighEnd = [&](network::GroupFigures &all, int end) {
    std::vector<GroupEdge> &found = edgesOfEnd[end];
    std::vector<GroupEdge> group; // all grids of one
    auto finishGroup = [&] {
      keepBest(group);
      found.insert(found.end(), group.begin(), group.end());
      group.clear();
    };
    Figures whole;
    int wholeBegin = end;
    all.visitGroups(
        end, [&](int64_t begin, size_t grid, const Figures &figures) {
          ++weighedOfEnd[end];
          if (!group.empty() && group.back().opBegin != begin)
            finishGroup();
          for (; wholeBegin > begin; --wholeBegin) {
            const Figures &op = all.whole(wholeBegin - 1);
            whole.likelyBytes = std::max(whole.likelyBytes, op.likelyBytes);
            whole.macs += op.macs;
            whole.steps += op.steps;
          }
          const GroupEdge edge =
              makeEdge(begin, end, static_cast<int>(grid), figures);
          // Nothing is gained over running the same ops whole.
          if (edge.bound >= roundUp(whole.likelyBytes, options.arenaUnit) &&
              edge.macs >= whole.macs && edge.steps >= whole.steps)
            return;
          group.push_back(edge);
        });
    finishGroup();
  };
  // Short networks take less time than a thread takes to begin.
  constexpr int opsForThreads = 48;
  const int threadCount =
      opCount < opsForThreads
          ? 1
          : static_cast<int>(
                std::clamp(std::thread::hardware_concurrency(), 1U, 8U));
  std::atomic<int> next{opCount}; // the long walks first
  auto weighEnds = [&](network::GroupFigures &all) {
    for (int end = next--; end > 0; end = next--)
      weighEnd(all, end);
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < threadCount; ++i)
    threads.emplace_back([&] {
      network::GroupFigures own(network, sharing, untiled, figureOptions);
      weighEnds(own);
    });
  weighEnds(first);
  for (std::thread &thread : threads)
    thread.join();
  for (int end = 1; end <= opCount; ++end) {
    edges.insert(edges.end(), edgesOfEnd[end].begin(), edgesOfEnd[end].end());
    weighed += weighedOfEnd[end];
  }
}

void GroupGraph::useBounds() {
  for (GroupEdge &edge : edges)
    edge.arena = edge.bound;
}

void GroupGraph::useLikely() {
  for (GroupEdge &edge : edges)
    edge.arena = edge.likely;
}

void GroupGraph::raise(int index, int64_t bytes) {
  // What lies beside the group's tiles is the same on every grid.
  const GroupEdge &raised = edges[index];
  for (size_t e = firstEdge[raised.opBegin]; e < firstEdge[raised.opBegin + 1];
       ++e)
    if (edges[e].opEnd == raised.opEnd &&
        (edges[e].grid < 0) == (raised.grid < 0))
      edges[e].arena += bytes;
}

int64_t GroupGraph::need(int64_t arena, int64_t steps) const {
  if (options.scope == BudgetScope::Arena)
    return arena;
  return residentWeights + weightLimit + arena +
         runtimeOverhead(options, steps);
}

Partition GroupGraph::partition(const GroupPath &path) const {
  Partition partition;
  for (int index : path.edges)
    if (const GroupEdge &edge = edges[index]; edge.grid >= 0)
      partition.groups.push_back({edge.opBegin, edge.opEnd, grids[edge.grid]});
  return partition;
}

GroupGraph::Table GroupGraph::tabulate(int64_t arena,
                                       const Price &price) const {
  Table table;
  const size_t size = at(opCount, mostGroups) + 1;
  table.cost.assign(size, {kUnreachable, 0});
  table.edge.assign(size, -1);
  for (int groups = 0; groups <= mostGroups; ++groups) {
    table.cost[at(opCount, groups)] = {0, 0};
    for (int node = opCount - 1; node >= 0; --node) {
      Cost &best = table.cost[at(node, groups)];
      for (size_t e = firstEdge[node]; e < firstEdge[node + 1]; ++e) {
        const GroupEdge &edge = edges[e];
        const int behind = groupsBehind(groups, edge);
        if (edge.arena > arena || behind < 0 || !isUsable(edge))
          continue;
        const Cost &rest = table.cost[at(edge.opEnd, behind)];
        if (rest.first == kUnreachable)
          continue;
        const Cost cost{rest.first + price.macs * edge.macs +
                            price.steps * edge.steps,
                        rest.second + price.thenMacs * edge.macs +
                            price.thenSteps * edge.steps};
        if (cost < best) {
          best = cost;
          table.edge[at(node, groups)] = static_cast<int>(e);
        }
      }
    }
  }
  return table;
}

GroupPath GroupGraph::follow(const Table &table) const {
  GroupPath path;
  int groups = mostGroups;
  for (int node = 0; node < opCount;) {
    const int index = table.edge[at(node, groups)];
    const GroupEdge &edge = edges[index];
    path.edges.push_back(index);
    path.arena = std::max(path.arena, edge.arena);
    path.macs += edge.macs;
    path.steps += edge.steps;
    path.weights = std::max(path.weights, edge.weights);
    groups = groupsBehind(groups, edge);
    node = edge.opEnd;
  }
  return path;
}

std::optional<GroupPath> GroupGraph::cheapest(int64_t arena,
                                              const Price &price) const {
  const Table table = tabulate(arena, price);
  if (table.cost[at(0, mostGroups)].first == kUnreachable)
    return std::nullopt;
  return follow(table);
}

/// Arenas that some edge needs, ascending.
std::vector<int64_t> GroupGraph::arenasUpTo(int64_t most) const {
  std::vector<int64_t> arenas;
  for (const GroupEdge &edge : edges)
    if (edge.arena <= most && isUsable(edge))
      arenas.push_back(edge.arena);
  std::sort(arenas.begin(), arenas.end());
  arenas.erase(std::unique(arenas.begin(), arenas.end()), arenas.end());
  return arenas;
}

GroupPath GroupGraph::least() const {
  const std::vector<int64_t> arenas = arenasUpTo(kUnreachable);
  // The smallest arena, by bisection.
  size_t low = 0, high = arenas.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (cheapest(arenas[middle], work()))
      high = middle;
    else
      low = middle + 1;
  }
  if (options.scope == BudgetScope::Arena)
    return *cheapest(arenas[low], work());

  // More arena saves steps. Between two arenas, no need is below the smaller
  // one with the steps of the larger one.
  struct Range {
    size_t low, high;
  };
  std::vector<std::optional<GroupPath>> paths(arenas.size());
  auto path = [&](size_t index) -> const GroupPath & {
    if (!paths[index])
      paths[index] = cheapest(arenas[index], steps());
    return *paths[index];
  };
  std::vector<Range> ranges{{low, arenas.size() - 1}};
  GroupPath best = path(low);
  while (!ranges.empty()) {
    const Range range = ranges.back();
    ranges.pop_back();
    for (size_t index : {range.low, range.high})
      if (need(path(index)) < need(best))
        best = path(index);
    const size_t middle = (range.low + range.high) / 2;
    if (middle == range.low ||
        need(arenas[range.low + 1], path(range.high).steps) >=
            need(best) - need(best) / 2048)
      continue;
    ranges.push_back({middle, range.high});
    ranges.push_back({range.low, middle});
  }
  return leastWork(need(best)).value_or(best);
}

/// Of paths within an arena, one whose steps keep the budget too.
std::optional<GroupPath> GroupGraph::leastWorkWithin(int64_t arena,
                                                     int64_t budget) const {
  std::optional<GroupPath> best = cheapest(arena, steps());
  if (!best || need(*best) > budget)
    return std::nullopt;
  // Steps get dearer until there are few enough.
  int64_t tooCheap = 0, dear = 1;
  auto attempt = [&](int64_t price) {
    const std::optional<GroupPath> path = cheapest(arena, {1, price, 0, 1});
    if (need(*path) > budget)
      return false;
    if (path->macs < best->macs)
      best = path;
    return true;
  };
  constexpr int64_t dearest = int64_t{1} << 36;
  for (; dear < dearest && !attempt(dear); dear *= 8)
    tooCheap = dear;
  for (int i = 0; i < 6 && dear - tooCheap > 1; ++i) {
    const int64_t middle = tooCheap + (dear - tooCheap) / 2;
    (attempt(middle) ? dear : tooCheap) = middle;
  }
  return best;
}

std::optional<GroupPath> GroupGraph::leastWork(int64_t budget) const {
  const int64_t arena =
      options.scope == BudgetScope::Arena
          ? budget
          : budget - need(0, static_cast<int64_t>(opCount > 0));
  std::optional<GroupPath> best = cheapest(arena, work());
  if (!best)
    return std::nullopt;
  if (need(*best) > budget) {
    // Descending, until less work within a smaller arena is impossible.
    const std::vector<int64_t> arenas = arenasUpTo(arena);
    constexpr size_t mostAttempts = 16;
    const size_t stride = std::max<size_t>(arenas.size() / mostAttempts, 1);
    best.reset();
    for (size_t i = arenas.size(); i > 0; i -= std::min(i, stride)) {
      const std::optional<GroupPath> bound = cheapest(arenas[i - 1], work());
      if (!bound || (best && bound->macs >= best->macs))
        break;
      const std::optional<GroupPath> path =
          need(*bound) <= budget ? bound
                                 : leastWorkWithin(arenas[i - 1], budget);
      if (path && (!best || path->macs < best->macs))
        best = path;
    }
    return best;
  }
  // The smallest arena for that work, then the fewest steps within it.
  const std::vector<int64_t> arenas = arenasUpTo(best->arena);
  size_t low = 0, high = arenas.size() - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const std::optional<GroupPath> path = cheapest(arenas[middle], work());
    if (path && path->macs == best->macs && need(*path) <= budget) {
      best = path;
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return best;
}

void GroupGraph::enumerate(
    int64_t budget, int64_t partialPaths,
    const std::function<bool(const GroupPath &)> &accept) const {
  const Table byWork = tabulate(budget, work()),
              bySteps = tabulate(budget, steps());
  struct Partial {
    int64_t macs = 0; ///< with the least that is to come
    int64_t arena = 0, steps = 0;
    int node = 0, groups = 0, edge = -1;
    size_t before = 0; ///< the partial path without this edge
  };
  std::vector<Partial> all;
  auto isLater = [&](size_t a, size_t b) {
    return std::tie(all[a].macs, all[a].arena, all[a].steps, a) >
           std::tie(all[b].macs, all[b].arena, all[b].steps, b);
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(isLater)> queue(
      isLater);
  auto add = [&](Partial partial) {
    all.push_back(partial);
    queue.push(all.size() - 1);
  };
  const int64_t least = byWork.cost[at(0, mostGroups)].first;
  if (least == kUnreachable)
    return;
  add({least, 0, 0, 0, mostGroups, -1, 0});
  while (!queue.empty() && static_cast<int64_t>(all.size()) < partialPaths) {
    const size_t index = queue.top();
    queue.pop();
    const Partial partial = all[index];
    if (partial.node == opCount) {
      GroupPath path;
      path.arena = partial.arena;
      path.macs = partial.macs;
      path.steps = partial.steps;
      for (size_t i = index; all[i].edge >= 0; i = all[i].before) {
        path.edges.push_back(all[i].edge);
        path.weights = std::max(path.weights, edges[all[i].edge].weights);
      }
      std::reverse(path.edges.begin(), path.edges.end());
      if (accept(path))
        return;
      continue;
    }
    const int64_t done =
        partial.macs - byWork.cost[at(partial.node, partial.groups)].first;
    for (size_t e = firstEdge[partial.node]; e < firstEdge[partial.node + 1];
         ++e) {
      const GroupEdge &edge = edges[e];
      const int groups = groupsBehind(partial.groups, edge);
      if (edge.arena > budget || groups < 0 || !isUsable(edge))
        continue;
      const Cost &work = byWork.cost[at(edge.opEnd, groups)];
      if (work.first == kUnreachable)
        continue;
      Partial next;
      next.macs = done + edge.macs + work.first;
      next.arena = std::max(partial.arena, edge.arena);
      next.steps = partial.steps + edge.steps;
      next.node = edge.opEnd;
      next.groups = groups;
      next.edge = static_cast<int>(e);
      next.before = index;
      if (need(next.arena,
               next.steps + bySteps.cost[at(edge.opEnd, groups)].first) <=
          budget)
        add(next);
    }
  }
}

} // namespace snug::planner
