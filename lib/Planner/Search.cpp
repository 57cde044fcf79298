// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exact search over MAFAT's space of groups and grids.
//
// Two groups on 36 grids each, cut anywhere, are tens of thousands of
// partitions, too many to expand and place one by one. But what happens while a
// group runs does not depend on the other group's grid: work, steps and live
// bytes of a partition follow from figures of its parts, and these are taken
// from expansions of one partition per part and schedule. The live bytes bound
// the arena from below, so only candidates that may still win are expanded and
// placed.
#include "SearchSpace.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace snug::planner {

using network::Network;
using network::Partition;
using network::Program;

namespace {

std::string checkOptions(const SearchOptions &options) {
  if (options.maxGroups < 0 || options.maxGroups > 2)
    return "max-groups=" + std::to_string(options.maxGroups) +
           ": the search cuts a network into 0, 1 or 2 groups; choose one of "
           "these";
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

/// Ranks candidates by exact arenas, computed only for those that may win.
class Searcher {
public:
  Searcher(const Network &network, const SearchOptions &options)
      : network(network), options(options), space(network, options) {}

  Result<SearchResult> run();

private:
  /// Compared in order; the lowest wins.
  using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>;
  /// The candidate's rank if its arena were `arena`: by work within a budget,
  /// by need where nothing fits.
  Key rank(const Candidate &candidate, int64_t arena, bool byNeed) const {
    const int64_t need = candidate.costBound - candidate.arenaBound + arena;
    return {byNeed ? need : 0, candidate.figures.macs, arena,
            candidate.figures.steps, candidate.index};
  }
  int64_t arena(const Candidate &candidate);
  const Candidate *best(int64_t budget, bool byNeed);
  std::vector<Culprit> culprits(const Plan &plan) const;

  const Network &network;
  const SearchOptions &options;
  SearchSpace space;
  std::map<int64_t, int64_t> arenas; ///< by candidate index, once computed
};

int64_t Searcher::arena(const Candidate &candidate) {
  auto [known, isNew] = arenas.insert({candidate.index, 0});
  if (isNew) {
    Result<Program> program = network::expand(network, candidate.partition);
    AllocationOptions limits;
    limits.capacity = candidate.arenaBound;
    limits.nodeLimit = options.candidateNodes;
    // Building names costs more than placing the buffers.
    const AllocationSolution solution = options.allocate(
        allocationProblem(*program, options.alignment), limits);
    known->second = roundUp(solution.peak, options.arenaUnit);
  }
  return known->second;
}

/// The candidate of the lowest rank among those within `budget`, or null.
/// Ranks with the arena's bound in place of the arena are lower bounds of
/// ranks, so once they reach the best exact rank, nothing better follows.
const Candidate *Searcher::best(int64_t budget, bool byNeed) {
  std::vector<std::pair<Key, const Candidate *>> order;
  for (const Candidate &candidate : space.candidates)
    if (candidate.costBound <= budget)
      order.push_back(
          {rank(candidate, candidate.arenaBound, byNeed), &candidate});
  std::sort(order.begin(), order.end());
  const Candidate *found = nullptr;
  Key foundRank;
  for (const auto &[lowest, candidate] : order) {
    if (found && foundRank <= lowest)
      break;
    const int64_t exact = arena(*candidate);
    const Key exactRank = rank(*candidate, exact, byNeed);
    if (candidate->costBound - candidate->arenaBound + exact <= budget &&
        (!found || exactRank < foundRank)) {
      found = candidate;
      foundRank = exactRank;
    }
  }
  return found;
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
  result.candidates = static_cast<int64_t>(space.candidates.size());
  constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();
  const int64_t budget = options.budgetBytes.value_or(unlimited);
  const Candidate *chosen = options.budgetBytes ? best(budget, /*byNeed=*/false)
                                                : &space.candidates.front();
  const bool fits = chosen != nullptr;
  if (!fits)
    chosen = best(unlimited, /*byNeed=*/true);
  Result<Plan> plan = evaluate(network, chosen->partition, options);
  if (!plan)
    return plan.error();
  if (fits) {
    result.plan = std::move(*plan);
    return result;
  }
  result.smallestBudgetBytes = options.scope == BudgetScope::Process
                                   ? plan->memory.peak
                                   : plan->memory.arena;
  result.culprits = culprits(*plan);
  result.smallestPlan = std::move(*plan);
  return result;
}

} // namespace

Result<Placement> place(const Program &program,
                        const AllocationProblem &problem, int64_t weightBytes,
                        const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  if (std::string why = check(problem); !why.empty())
    return Error{why};
  Placement placement;
  AllocationOptions limits;
  limits.nodeLimit = options.planNodes;
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
  memory.runtimeOverhead =
      runtimeOverhead(options, static_cast<int64_t>(program.steps.size()));
  memory.peak = memory.weights + memory.arena + memory.runtimeOverhead;
  return placement;
}

Result<Plan> evaluate(const Network &network, const Partition &partition,
                      const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  Result<Program> program = network::expand(network, partition);
  if (!program)
    return program.error();
  Plan plan;
  plan.partition = partition;
  plan.program = std::move(*program);
  Result<Placement> placement = place(
      plan.program, allocationProblem(network, plan.program, options.alignment),
      network.packedWeightBytes(), options);
  if (!placement)
    return placement.error();
  plan.allocation = std::move(placement->allocation);
  plan.memory = placement->memory;
  return plan;
}

Result<SearchResult> search(const Network &network,
                            const SearchOptions &options) {
  if (std::string why = checkOptions(options); !why.empty())
    return Error{why};
  if (std::string why = network::check(network); !why.empty())
    return Error{why};
  if (!options.budgetBytes) {
    SearchOptions untiled = options;
    untiled.maxGroups = 0;
    return Searcher(network, untiled).run();
  }
  return Searcher(network, options).run();
}

} // namespace snug::planner
