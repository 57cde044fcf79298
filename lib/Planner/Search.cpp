// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Search over all groups and grids: by figures first, then exactly.
//
// A partition is a path through the graph of groups (GroupGraph.h), whose
// figures bound its arena from below and are nearly always met. So the best
// path by figures is expanded and placed; only where placement costs more, or
// groups influence each other, are others tried.
#include "GroupGraph.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace snug::planner {

using network::Network;
using network::Partition;
using network::Program;
using network::Sharing;

namespace {

std::string checkOptions(const SearchOptions &options) {
  if (options.maxGroups < -1)
    return "max-groups=" + std::to_string(options.maxGroups) +
           ": give -1 for any number of groups, 0 for none, or a limit";
  if (options.maxGridRows < 1 || options.maxGridColumns < 1)
    return "the largest grid must have at least 1x1 tiles";
  if (options.alignment < 1 ||
      (options.alignment & (options.alignment - 1)) != 0)
    return "the alignment of buffers must be a power of two, not " +
           std::to_string(options.alignment);
  if (options.arenaUnit < 1 || options.arenaUnit % options.alignment != 0)
    return "the arena's unit of " + std::to_string(options.arenaUnit) +
           " bytes is no multiple of the alignment of buffers, " +
           std::to_string(options.alignment);
  return "";
}

/// A node takes the longer, the more buffers there are.
int64_t affordableNodes(int64_t most, const AllocationProblem &problem,
                        int64_t work) {
  const int64_t buffers = static_cast<int64_t>(problem.buffers.size());
  return std::min(most, work / std::max<int64_t>(1, buffers));
}

/// evaluate() for whoever knows the network's sharing.
Result<Plan> evaluatePartition(const Network &network, const Sharing &sharing,
                               const Partition &partition,
                               const SearchOptions &options) {
  Result<Program> program = network::expand(network, sharing, partition);
  if (!program)
    return program.error();
  const std::vector<int64_t> weights = weightBytes(network, partition, options);
  Plan plan;
  plan.partition = partition;
  plan.program = std::move(*program);
  Result<Placement> placement = place(
      plan.program, allocationProblem(network, plan.program, options.alignment),
      weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end()),
      options);
  if (!placement)
    return placement.error();
  plan.allocation = std::move(placement->allocation);
  plan.memory = placement->memory;
  return plan;
}

class Searcher {
public:
  Searcher(const Network &network, const SearchOptions &options)
      : network(network), sharing(network::findSharing(network)),
        options(options) {}

  Result<SearchResult> run();

private:
  int64_t need(const Plan &plan) const {
    return options.scope == BudgetScope::Arena ? plan.memory.arena
                                               : plan.memory.peak;
  }
  std::optional<Plan> fit(int64_t budget);
  std::optional<Plan> fitOnce(int64_t budget, int64_t boundMacs);
  std::optional<Plan> fitByRounds(int64_t budget);
  std::optional<Plan> fitByOrder(int64_t budget, int64_t belowMacs);
  Plan least();
  bool raiseArenas(const GroupPath &path, const Program &program);
  int64_t quickNeed(const GroupPath &path, const Program &program,
                    int64_t budget) const;
  Plan planOf(const GroupPath &path);
  std::vector<Culprit> culprits(const Plan &plan) const;

  const Network &network;
  const Sharing sharing;
  const SearchOptions &options;
  std::optional<GroupGraph> graph;
  std::string failure; ///< of an evaluation, which none should have
};

/// Expands, places and validates; the partition is legal.
Plan Searcher::planOf(const GroupPath &path) {
  Result<Plan> plan =
      evaluatePartition(network, sharing, graph->partition(path), options);
  if (plan)
    return std::move(*plan);
  failure = plan.error().message;
  return {};
}

/// Figures of edges to what they come to beside the path's other edges; false
/// where they are that already.
bool Searcher::raiseArenas(const GroupPath &path, const Program &program) {
  // Steps of groups and of ops, in the order of the path.
  std::vector<int> edgeOfGroup, edgeOfOp(network.ops.size(), -1);
  for (int index : path.edges) {
    const GroupEdge &edge = graph->edges[index];
    if (edge.grid >= 0)
      edgeOfGroup.push_back(index);
    else
      edgeOfOp[edge.opBegin] = index;
  }
  bool anyRaised = false;
  const std::vector<int64_t> live = program.liveBytes(options.alignment);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const network::Step &step = program.steps[i];
    const int index = step.group >= 0 ? edgeOfGroup[step.group]
                      : step.op >= 0  ? edgeOfOp[step.op]
                                      : -1;
    if (index < 0)
      continue; // a move; what it moves counts beside it
    const int64_t exact = roundUp(live[i], options.arenaUnit);
    if (exact <= graph->edges[index].arena)
      continue;
    graph->raise(index, exact - graph->edges[index].arena);
    anyRaised = true;
  }
  return anyRaised;
}

/// Bytes that the program takes in the budget's scope, placed with less effort
/// than a plan is once it keeps the budget.
int64_t Searcher::quickNeed(const GroupPath &path, const Program &program,
                            int64_t budget) const {
  int64_t other = 0;
  if (options.scope == BudgetScope::Process)
    other = graph->weights(path) + runtimeOverhead(options, program.kernels());
  AllocationOptions limits;
  limits.arenaUnit = options.arenaUnit;
  limits.capacity = std::max<int64_t>(budget - other, 0) / options.arenaUnit *
                    options.arenaUnit;
  // Where live bytes alone exceed the budget, nothing need be placed; and
  // building names would cost more than placing the buffers.
  int64_t arena = program.peakLiveBytes(options.alignment);
  if (arena <= *limits.capacity) {
    const AllocationProblem problem =
        allocationProblem(program, options.alignment);
    limits.nodeLimit =
        affordableNodes(options.candidateNodes, problem, 200'000'000);
    arena = options.allocate(problem, limits).peak;
  }
  return other + roundUp(arena, options.arenaUnit);
}

/// The best path by figures; where it comes to more than they say, again with
/// better figures, or with the gap of its placement deducted. `leastMacs` is
/// the least that any plan within the budget could do.
std::optional<Plan> Searcher::fitByRounds(int64_t budget) {
  std::optional<Plan> found;
  constexpr int mostRounds = 6;
  int64_t limit = budget;
  for (int round = 0; round < mostRounds && !found; ++round) {
    const std::optional<GroupPath> path = graph->leastWork(limit);
    if (!path)
      break;
    const Result<Program> program =
        network::expand(network, sharing, graph->partition(*path));
    const int64_t quick = quickNeed(*path, *program, budget);
    if (quick <= budget)
      if (Plan plan = planOf(*path); need(plan) <= budget)
        found = std::move(plan);
    if (!found && !raiseArenas(*path, *program))
      limit = graph->need(*path) - std::max<int64_t>(1, (quick - budget) / 2);
  }
  return found;
}

/// Candidates in the order of their work, until one fits. Finds what the rounds
/// miss in small networks, where a few bytes make the difference.
std::optional<Plan> Searcher::fitByOrder(int64_t budget, int64_t belowMacs) {
  std::optional<Plan> found;
  constexpr int64_t mostPartialPaths = 200'000;
  int64_t steps = 20'000; // of all that are expanded together
  graph->enumerate(budget, mostPartialPaths, [&](const GroupPath &path) {
    steps -= path.steps + 100;
    if (path.macs >= belowMacs || steps < 0)
      return true;
    const Result<Program> program =
        network::expand(network, sharing, graph->partition(path));
    if (quickNeed(path, *program, budget) > budget)
      return false;
    if (Plan plan = planOf(path); need(plan) <= budget)
      found = std::move(plan);
    return found.has_value();
  });
  return found;
}

/// The best of all limits of streamed weights: smaller ones leave more of the
/// budget to the arena, larger ones allow more groups.
std::optional<Plan> Searcher::fit(int64_t budget) {
  struct Attempt {
    int64_t boundMacs, limit;
  };
  std::vector<Attempt> attempts;
  graph->useBounds();
  for (int64_t limit : graph->weightLimits()) {
    graph->limitWeights(limit);
    if (const std::optional<GroupPath> bound = graph->leastWork(budget))
      attempts.push_back({bound->macs, limit});
  }
  std::stable_sort(attempts.begin(), attempts.end(),
                   [](const Attempt &a, const Attempt &b) {
                     return a.boundMacs < b.boundMacs;
                   });
  std::optional<Plan> best;
  for (const Attempt &attempt : attempts) {
    if (best && best->program.macs() <= attempt.boundMacs)
      break;
    graph->limitWeights(attempt.limit);
    std::optional<Plan> plan = fitOnce(budget, attempt.boundMacs);
    if (plan && (!best || plan->program.macs() < best->program.macs()))
      best = std::move(plan);
  }
  return best;
}

/// Under the limit of weights that holds now; no plan does less work than the
/// bound.
std::optional<Plan> Searcher::fitOnce(int64_t budget, int64_t boundMacs) {
  graph->useLikely();
  std::optional<Plan> plan = fitByRounds(budget);
  graph->useBounds();
  if (plan && plan->program.macs() <= boundMacs)
    return plan;
  if (!plan) {
    plan = fitByRounds(budget);
    graph->useBounds();
  }
  const int64_t belowMacs =
      plan ? plan->program.macs() : std::numeric_limits<int64_t>::max();
  if (std::optional<Plan> better = fitByOrder(budget, belowMacs))
    return better;
  return plan;
}

/// The plan of the smallest budget. None is found below that, so that what is
/// refused and what is named agree.
Plan Searcher::least() {
  GroupPath path;
  int64_t likely = std::numeric_limits<int64_t>::max(), bound = likely;
  for (int64_t limit : graph->weightLimits()) {
    graph->limitWeights(limit);
    graph->useLikely();
    const GroupPath least = graph->least();
    if (const int64_t needed = graph->need(least); needed < likely) {
      likely = needed;
      path = least;
    }
    graph->useBounds();
    bound = std::min(bound, graph->need(graph->least()));
  }
  Plan plan = planOf(path);
  auto improve = [&](int64_t budget) {
    std::optional<Plan> smaller = fit(budget);
    if (smaller)
      plan = std::move(*smaller);
    return smaller.has_value();
  };
  while (failure.empty() && need(plan) > bound && improve(need(plan) - 1))
    // Far from the bound, in larger strides.
    while (need(plan) > bound && improve((need(plan) + bound) / 2)) {
    }
  return plan;
}

std::vector<Culprit> Searcher::culprits(const Plan &plan) const {
  const int64_t step = plan.program.peakStep(options.alignment);
  const AllocationProblem problem =
      allocationProblem(network, plan.program, options.alignment);
  std::vector<Culprit> live;
  for (int buffer : plan.program.liveBuffers(step))
    live.push_back(
        {problem.buffers[buffer].name, problem.buffers[buffer].bytes});
  // Equal ones by name, so that their order is fixed.
  std::sort(live.begin(), live.end(), [](const Culprit &a, const Culprit &b) {
    return std::tie(b.bytes, a.name) < std::tie(a.bytes, b.name);
  });
  return live;
}

Result<SearchResult> Searcher::run() {
  SearchResult result;
  result.candidates = 1;
  Result<Plan> untiled = evaluatePartition(network, sharing, {}, options);
  if (!untiled)
    return untiled.error();
  if (!options.budgetBytes || need(*untiled) <= *options.budgetBytes) {
    result.plan = std::move(*untiled);
    return result;
  }
  Plan smallest = std::move(*untiled);
  if (options.maxGroups != 0) {
    graph.emplace(network, sharing, smallest.program, options);
    result.candidates += graph->weighed;
    result.plan = fit(*options.budgetBytes);
    if (!result.plan) {
      Plan plan = least();
      // With gaps of placement, doing nothing may still take less.
      if (std::make_tuple(need(plan), plan.program.macs()) <
          std::make_tuple(need(smallest), smallest.program.macs()))
        smallest = std::move(plan);
      if (need(smallest) <= *options.budgetBytes)
        result.plan = std::move(smallest);
    }
    if (!failure.empty())
      return Error{failure};
    if (result.plan)
      return result;
  }
  result.smallestBudgetBytes = need(smallest);
  result.culprits = culprits(smallest);
  result.smallestPlan = std::move(smallest);
  return result;
}

} // namespace

std::vector<int64_t> weightBytes(const Network &network,
                                 const Partition &partition,
                                 const SearchOptions &options) {
  if (options.weights == Weights::Resident)
    return std::vector<int64_t>(network.ops.size(),
                                network.packedWeightBytes());
  std::vector<int64_t> bytes;
  for (const network::Op &op : network.ops)
    bytes.push_back(roundUp(op.packedWeightBytes, options.arenaUnit));
  // Grid groups keep theirs from their first tile to the last.
  for (const network::Group &group : partition.groups) {
    if (group.schedule.isWhole())
      continue;
    int64_t together = 0;
    for (int64_t op = group.opBegin; op < group.opEnd; ++op)
      together += network.ops[op].packedWeightBytes;
    std::fill(bytes.begin() + group.opBegin, bytes.begin() + group.opEnd,
              roundUp(together, options.arenaUnit));
  }
  return bytes;
}

Result<Placement> place(const Program &program,
                        const AllocationProblem &problem, int64_t weightBytes,
                        const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  if (std::string why = check(problem); !why.empty())
    return Error{why};
  Placement placement;
  AllocationOptions limits;
  limits.arenaUnit = options.arenaUnit;
  limits.nodeLimit = affordableNodes(options.planNodes, problem, 1'000'000'000);
  placement.allocation = options.allocate(problem, limits);
  if (std::string why = verify(problem, placement.allocation); !why.empty())
    return Error{"the address assignment is broken: " + why};

  MemoryFigures &memory = placement.memory;
  const int64_t step = program.peakStep(options.alignment);
  for (int index : program.liveBuffers(step))
    if (const network::Buffer &buffer = program.buffers[index];
        buffer.role == network::Buffer::Role::Workspace)
      memory.workspace += roundUp(buffer.bytes, options.alignment);
  memory.weights = weightBytes;
  memory.arena = roundUp(placement.allocation.peak, options.arenaUnit);
  memory.activations = memory.arena - memory.workspace;
  memory.runtimeOverhead = runtimeOverhead(options, program.kernels());
  memory.peak = memory.weights + memory.arena + memory.runtimeOverhead;
  return placement;
}

Result<Plan> evaluate(const Network &network, const Partition &partition,
                      const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  if (std::string why = network::check(network); !why.empty())
    return Error{why};
  return evaluatePartition(network, network::findSharing(network), partition,
                           options);
}

Result<SearchResult> search(const Network &network,
                            const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  if (std::string why = network::check(network); !why.empty())
    return Error{why};
  return Searcher(network, options).run();
}

} // namespace snug::planner
