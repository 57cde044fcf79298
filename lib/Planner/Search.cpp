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
#include "snug/Planner/Search.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>

namespace snug::planner {

using network::Group;
using network::Network;
using network::Partition;
using network::Program;
using network::Schedule;

namespace {

int64_t roundUp(int64_t bytes, int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

int64_t runtimeOverhead(const SearchOptions &options, int64_t steps) {
  return options.runtimeOverhead ? options.runtimeOverhead(steps) : 0;
}

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

/// What a run of steps does; sums and maxima of it describe a whole program.
struct Figures {
  int64_t liveBytes = 0; ///< most at any of its steps
  int64_t macs = 0;
  int64_t steps = 0;

  Figures &operator+=(const Figures &other) {
    liveBytes = std::max(liveBytes, other.liveBytes);
    macs += other.macs;
    steps += other.steps;
    return *this;
  }
};

/// Figures of the parts of a program: outside groups, first and second group.
using PartFigures = std::array<Figures, 3>;

PartFigures figuresByPart(const Program &program, int64_t alignment) {
  PartFigures parts;
  const std::vector<int64_t> live = program.liveBytes(alignment);
  for (size_t i = 0; i < program.steps.size(); ++i)
    parts[program.steps[i].group + 1] +=
        Figures{live[i], program.steps[i].macs, 1};
  return parts;
}

/// A partition of the space, and what is known of it without expanding it.
struct Candidate {
  int64_t index = 0; ///< in the order of the space
  Partition partition;
  Figures figures;
  int64_t arenaBound = 0; ///< no arena for it is smaller
  int64_t costBound = 0;  ///< the same in the budget's scope
};

/// Builds all candidates with their figures.
class Space {
public:
  Space(const Network &network, const SearchOptions &options)
      : network(network), options(options) {
    build();
  }

  std::vector<Candidate> candidates;

private:
  /// Schedules of one part, each with its figures by the other part's kind.
  struct Choice {
    Schedule schedule;
    std::array<Figures, 2> figures;
  };

  void build();
  void addOneGroup(int64_t opEnd);
  void addTwoGroups(int64_t opCut, int64_t opEnd);
  int64_t prefixLayers() const;
  std::vector<Choice> choices(int64_t opBegin, int64_t opEnd) const;
  PartFigures figures(const Partition &partition) const {
    Result<Program> program = network::expand(network, partition);
    return figuresByPart(*program, options.alignment);
  }
  void add(Partition partition, Figures figures);

  const Network &network;
  const SearchOptions &options;
};

void Space::add(Partition partition, Figures figures) {
  Candidate candidate;
  candidate.index = static_cast<int64_t>(candidates.size());
  candidate.partition = std::move(partition);
  candidate.figures = figures;
  candidate.arenaBound = roundUp(figures.liveBytes, options.arenaUnit);
  candidate.costBound = candidate.arenaBound;
  if (options.scope == BudgetScope::Process)
    candidate.costBound +=
        network.packedWeightBytes() + runtimeOverhead(options, figures.steps);
  candidates.push_back(std::move(candidate));
}

/// Number of layers before the first op that needs its whole input.
int64_t Space::prefixLayers() const {
  auto hasBarrier = [](const network::Op &op) {
    return std::any_of(op.operands.begin(), op.operands.end(),
                       [](const network::Operand &operand) {
                         return operand.height.whole || operand.width.whole;
                       });
  };
  const int64_t barrier =
      std::find_if(network.ops.begin(), network.ops.end(), hasBarrier) -
      network.ops.begin();
  int64_t layers = 0;
  while (layers < network.layerCount() &&
         network::groupOpEnd(network, layers + 1) <= barrier)
    ++layers;
  return layers;
}

std::vector<Space::Choice> Space::choices(int64_t opBegin,
                                          int64_t opEnd) const {
  const network::Tensor &output =
      network.tensors[network.ops[opEnd - 1].result];
  std::vector<Choice> result;
  auto consider = [&](const Schedule &schedule) {
    if (network::checkGroup(network, {opBegin, opEnd, schedule}).empty())
      result.push_back({schedule, {}});
  };
  consider(Schedule::whole());
  for (int64_t rows = 1; rows <= std::min(options.maxGridRows, output.height);
       ++rows)
    for (int64_t columns = 1;
         columns <= std::min(options.maxGridColumns, output.width); ++columns)
      consider(Schedule::grid(rows, columns));
  return result;
}

void Space::build() {
  PartFigures untiled = figures({});
  add({}, untiled[0]);
  const int64_t layers = options.maxGroups > 0 ? prefixLayers() : 0;
  if (layers == 0)
    return;
  const int64_t opEnd = network::groupOpEnd(network, layers);
  addOneGroup(opEnd);
  for (int64_t cut = 1; options.maxGroups > 1 && cut < layers; ++cut)
    addTwoGroups(network.layerBegin(cut), opEnd);
}

void Space::addOneGroup(int64_t opEnd) {
  for (const Choice &choice : choices(0, opEnd)) {
    Partition partition{{{0, opEnd, choice.schedule}}};
    const PartFigures parts = figures(partition);
    Figures sum = parts[0];
    sum += parts[1];
    add(std::move(partition), sum);
  }
}

/// A tensor that crosses from one part to another lies in one full buffer that
/// is live throughout the other parts between its first and its last use,
/// whatever their schedules are. The one thing that a part hands on beside is
/// whether a network input has been copied into channels-last order, and that
/// depends only on whether the part ran whole or as a grid. So the first
/// group's figures are its own; the second's are taken behind a first group of
/// either kind; those of the ops behind, behind two groups of either kind.
void Space::addTwoGroups(int64_t opCut, int64_t opEnd) {
  std::vector<Choice> first = choices(0, opCut), second = choices(opCut, opEnd);
  auto kind = [](const Choice &choice) {
    return choice.schedule.isWhole() ? 0 : 1;
  };
  auto partition = [&](const Choice &a, const Choice &b) {
    return Partition{{{0, opCut, a.schedule}, {opCut, opEnd, b.schedule}}};
  };
  // The first choice of each kind stands for its kind.
  std::array<const Choice *, 2> firstOf{}, secondOf{};
  for (const Choice &choice : first)
    if (!firstOf[kind(choice)])
      firstOf[kind(choice)] = &choice;
  for (const Choice &choice : second)
    if (!secondOf[kind(choice)])
      secondOf[kind(choice)] = &choice;

  std::array<std::array<Figures, 2>, 2> behind;
  for (int a : {0, 1})
    for (int b : {0, 1})
      if (firstOf[a] && secondOf[b])
        behind[a][b] = figures(partition(*firstOf[a], *secondOf[b]))[0];
  for (Choice &choice : first)
    choice.figures[0] = figures({{{0, opCut, choice.schedule}}})[1];
  for (Choice &choice : second)
    for (int a : {0, 1})
      if (firstOf[a])
        choice.figures[a] = figures(partition(*firstOf[a], choice))[2];

  for (const Choice &a : first)
    for (const Choice &b : second) {
      Figures sum = behind[kind(a)][kind(b)];
      sum += a.figures[0];
      sum += b.figures[kind(a)];
      add(partition(a, b), sum);
    }
}

/// The search itself: exact arenas, computed for candidates that may win.
class Searcher {
public:
  Searcher(const Network &network, const SearchOptions &options)
      : network(network), options(options), space(network, options) {}

  Result<SearchResult> run();

private:
  /// Largest first, so that a key compares as the candidate ranks.
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
  Space space;
  std::map<int64_t, int64_t> arenas; ///< by candidate index, once computed
};

/// Problem without names: building them costs more than placing the buffers.
AllocationProblem namelessProblem(const Program &program, int64_t alignment) {
  AllocationProblem problem;
  problem.buffers.reserve(program.buffers.size());
  for (const network::Buffer &buffer : program.buffers)
    problem.buffers.push_back(
        {"", buffer.bytes, alignment, buffer.liveBegin, buffer.liveEnd});
  return problem;
}

int64_t Searcher::arena(const Candidate &candidate) {
  auto [known, isNew] = arenas.insert({candidate.index, 0});
  if (isNew) {
    Result<Program> program = network::expand(network, candidate.partition);
    known->second = roundUp(
        options.allocate(namelessProblem(*program, options.alignment)).peak,
        options.arenaUnit);
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
  for (const AllocationBuffer &buffer : problem.buffers)
    if (buffer.begin <= step && step < buffer.end)
      live.push_back({buffer.name, buffer.bytes});
  std::stable_sort(
      live.begin(), live.end(),
      [](const Culprit &a, const Culprit &b) { return a.bytes > b.bytes; });
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
  const AllocationProblem problem =
      allocationProblem(network, plan.program, options.alignment);
  if (std::string why = check(problem); !why.empty())
    return Error{why};
  plan.allocation = options.allocate(problem);
  if (std::string why = verify(problem, plan.allocation); !why.empty())
    return Error{"the address assignment is broken: " + why};

  MemoryFigures &memory = plan.memory;
  const int64_t step = plan.program.peakStep(options.alignment);
  for (const network::Buffer &buffer : plan.program.buffers)
    if (buffer.role == network::Buffer::Role::Workspace &&
        buffer.liveBegin <= step && step < buffer.liveEnd)
      memory.workspace += roundUp(buffer.bytes, options.alignment);
  memory.weights = network.packedWeightBytes();
  memory.arena = roundUp(plan.allocation.peak, options.arenaUnit);
  memory.activations = memory.arena - memory.workspace;
  memory.runtimeOverhead =
      runtimeOverhead(options, static_cast<int64_t>(plan.program.steps.size()));
  memory.peak = memory.weights + memory.arena + memory.runtimeOverhead;
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
