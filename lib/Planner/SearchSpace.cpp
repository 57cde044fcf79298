// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds MAFAT's space of groups and grids with figures for every candidate.
#include "SearchSpace.h"

namespace snug::planner {

using network::Network;
using network::Partition;
using network::Program;
using network::Schedule;

PartFigures SearchSpace::figures(const Partition &partition) const {
  // Every caller has asked checkGroup() before.
  const Result<Program> program = network::expand(network, partition);
  const std::vector<int64_t> live = program->liveBytes(options.alignment);
  PartFigures parts;
  for (size_t i = 0; i < program->steps.size(); ++i)
    parts[program->steps[i].group + 1] +=
        Figures{live[i], program->steps[i].macs, 1};
  return parts;
}

void SearchSpace::add(Partition partition, Figures figures) {
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
int64_t SearchSpace::prefixLayers() const {
  auto hasBarrier = [](const network::Op &op) {
    return std::any_of(op.operands.begin(), op.operands.end(),
                       [](const network::Operand &operand) {
                         return operand.height.isWhole() || operand.width.isWhole();
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

std::vector<SearchSpace::Choice> SearchSpace::choices(int64_t opBegin,
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

void SearchSpace::build() {
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

void SearchSpace::addOneGroup(int64_t opEnd) {
  for (const Choice &choice : choices(0, opEnd)) {
    Partition partition{{{0, opEnd, choice.schedule}}};
    const PartFigures parts = figures(partition);
    Figures sum = parts[0];
    sum += parts[1];
    add(std::move(partition), sum);
  }
}

/// True where a network input is read before and behind `opCut`.
bool SearchSpace::readsInputOnBothSides(int64_t opCut) const {
  std::vector<bool> before(network.tensors.size());
  for (size_t i = 0; i < network.ops.size(); ++i)
    for (const network::Operand &operand : network.ops[i].operands) {
      if (static_cast<int64_t>(i) < opCut)
        before[operand.tensor] = network.tensors[operand.tensor].isInput;
      else if (before[operand.tensor])
        return true;
    }
  return false;
}

/// A tensor that crosses from one part to another lies in one full buffer that
/// is live throughout the other parts between its first and its last use,
/// whatever their schedules are. The one thing that a part hands on beside is
/// whether a network input has been copied into channels-last order, and that
/// depends only on whether the part ran whole or as a grid. So the first
/// group's figures are its own; the second's are taken behind a first group of
/// either kind; those of the ops behind, behind two groups of either kind.
void SearchSpace::addTwoGroups(int64_t opCut, int64_t opEnd) {
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
  const bool kindMatters = readsInputOnBothSides(opCut);
  for (Choice &choice : second)
    for (int a : {0, 1})
      if (a == 1 && firstOf[0] && !kindMatters)
        choice.figures[1] = choice.figures[0];
      else if (firstOf[a])
        choice.figures[a] = figures(partition(*firstOf[a], choice))[2];

  for (const Choice &a : first)
    for (const Choice &b : second) {
      Figures sum = behind[kind(a)][kind(b)];
      sum += a.figures[0];
      sum += b.figures[kind(a)];
      add(partition(a, b), sum);
    }
}

} // namespace snug::planner
