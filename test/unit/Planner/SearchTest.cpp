// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The search against brute force, MAFAT's workload, and its plans as they run.
#include "snug/Planner/Search.h"

#include "Network/Interpreter.h"
#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <limits>

namespace snug::planner {
namespace {

using network::Network;
using network::Partition;
using network::Schedule;
using network::TestNetwork;

/// Every partition into grid groups, in their order; nothing where they are
/// more than `most`.
class AllPartitions {
public:
  AllPartitions(const Network &network, const SearchOptions &options,
                size_t most)
      : network(network), options(options), most(most) {
    add({}, 0);
  }

  std::vector<Partition> partitions;

private:
  void add(const Partition &before, int64_t op) {
    if (partitions.size() > most)
      return;
    const int64_t ops = static_cast<int64_t>(network.ops.size());
    if (op == ops) {
      partitions.push_back(before);
      return;
    }
    add(before, op + 1);
    if (options.maxGroups >= 0 &&
        static_cast<int64_t>(before.groups.size()) >= options.maxGroups)
      return;
    for (int64_t end = op + 1; end <= ops; ++end)
      for (int64_t rows = 1; rows <= options.maxGridRows; ++rows)
        for (int64_t columns = 1; columns <= options.maxGridColumns;
             ++columns) {
          const network::Group group{op, end, Schedule::grid(rows, columns)};
          if (rows * columns == 1 ||
              !network::checkGroup(network, group).empty())
            continue;
          Partition partition = before;
          partition.groups.push_back(group);
          add(partition, end);
        }
  }

  const Network &network;
  const SearchOptions &options;
  size_t most;
};

/// Expands and places everything; nothing where that is too much.
std::vector<Plan> allPlans(const Network &network,
                           const SearchOptions &options) {
  constexpr size_t most = 1500;
  const AllPartitions all(network, options, most);
  std::vector<Plan> plans;
  if (all.partitions.size() > most)
    return plans;
  for (const Partition &partition : all.partitions) {
    auto plan = evaluate(network, partition, options);
    EXPECT_TRUE(plan) << plan.error().message;
    if (plan)
      plans.push_back(std::move(*plan));
  }
  return plans;
}

int64_t need(const Plan &plan, BudgetScope scope) {
  return scope == BudgetScope::Arena ? plan.memory.arena : plan.memory.peak;
}

/// The least of all plans by the stated order; the first wins ties.
template <typename Key>
const Plan *least(const std::vector<Plan> &plans, int64_t budget,
                  BudgetScope scope, Key key) {
  const Plan *best = nullptr;
  for (const Plan &plan : plans)
    if (need(plan, scope) <= budget && (!best || key(plan) < key(*best)))
      best = &plan;
  return best;
}

/// Says whether the answer is the very best; in any case it keeps the budget,
/// and names one that is kept.
bool isAsBruteForce(const Network &network, const SearchOptions &options,
                    const std::vector<Plan> &plans) {
  const int64_t budget = *options.budgetBytes;
  const auto result = search(network, options);
  EXPECT_TRUE(result);
  const Plan *best = least(plans, budget, options.scope, [](const Plan &plan) {
    return plan.program.macs();
  });
  if (result->plan) {
    EXPECT_NE(best, nullptr);
    EXPECT_LE(need(*result->plan, options.scope), budget);
    if (need(plans.front(), options.scope) <= budget) {
      EXPECT_TRUE(result->plan->partition.groups.empty());
      return true;
    }
    return result->plan->program.macs() == best->program.macs();
  }
  const Plan *smallest =
      least(plans, std::numeric_limits<int64_t>::max(), options.scope,
            [&](const Plan &plan) { return need(plan, options.scope); });
  EXPECT_GT(result->smallestBudgetBytes, budget);
  EXPECT_EQ(result->smallestBudgetBytes,
            need(result->smallestPlan, options.scope));
  EXPECT_FALSE(result->culprits.empty());
  return result->smallestBudgetBytes == need(*smallest, options.scope);
}

enum class Kind { Chain, Branches, Graph };
class SearchAgainstBruteForce : public ::testing::TestWithParam<Kind> {};

TEST_P(SearchAgainstBruteForce, RandomNetworks) {
  std::mt19937 random(21 + static_cast<unsigned>(GetParam()));
  int feasible = 0, infeasible = 0, worse = 0;
  for (unsigned seed = 0; seed < 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    network::RandomOptions shape;
    shape.branches = GetParam() == Kind::Branches;
    shape.maxExtent = 17;
    shape.maxOps = 4;
    Network network = GetParam() == Kind::Graph
                          ? network::randomGraph(seed + 900, 6).network
                          : network::randomNetwork(seed + 900, shape).network;
    SearchOptions options;
    if (seed % 2) {
      // Weights about as large as activations, so that either may decide.
      options.weights = Weights::Streamed;
      for (size_t i = 0; i < network.ops.size(); ++i)
        network.ops[i].packedWeightBytes =
            64 * static_cast<int64_t>((seed * 7919 + i * 104729) % 61);
    }
    options.maxGridRows = 1 + static_cast<int64_t>(random() % 3);
    options.maxGridColumns = 1 + static_cast<int64_t>(random() % 2);
    options.maxGroups =
        std::max(static_cast<int64_t>(random() % 6) - 3, int64_t{-1});
    // A coarse unit makes ties; small overhead per step makes steps matter.
    options.arenaUnit = random() % 2 ? 64 : 512;
    options.runtimeOverhead = [](int64_t steps) { return 1000 + 16 * steps; };
    const std::vector<Plan> plans = allPlans(network, options);
    if (plans.empty())
      continue;
    for (BudgetScope scope : {BudgetScope::Process, BudgetScope::Arena}) {
      options.scope = scope;
      int64_t smallest = std::numeric_limits<int64_t>::max();
      for (const Plan &plan : plans)
        smallest = std::min(smallest, need(plan, scope));
      const int64_t untiled = need(plans.front(), scope);
      const int64_t budgets[] = {
          0, smallest - 1, smallest,
          smallest + static_cast<int64_t>(random() % (untiled - smallest + 1)),
          untiled};
      for (int64_t budget : budgets) {
        options.budgetBytes = budget;
        worse += !isAsBruteForce(network, options, plans);
        ++(budget < smallest ? infeasible : feasible);
      }
    }
  }
  EXPECT_GT(feasible, 500);
  EXPECT_GT(infeasible, 400);
  // Figures bound what a graph of everything comes to, but with tensors in two
  // orders or in shared bytes they do not rank candidates without fail.
  EXPECT_LE(worse,
            GetParam() == Kind::Graph ? (feasible + infeasible) / 50 : 0);
}

std::string nameOf(const ::testing::TestParamInfo<Kind> &info) {
  return info.param == Kind::Chain      ? "Chains"
         : info.param == Kind::Branches ? "Branches"
                                        : "Graphs";
}

INSTANTIATE_TEST_SUITE_P(Search, SearchAgainstBruteForce,
                         ::testing::Values(Kind::Chain, Kind::Branches,
                                           Kind::Graph),
                         nameOf);

/// Runs a plan in an arena of exactly its predicted bytes, poisoned.
void expectRuns(const TestNetwork &test, const Plan &plan,
                const network::Values &inputs,
                const network::Values &expected) {
  const network::Execution execution = network::runProgram(
      test, plan.program, plan.allocation.offsets, plan.memory.arena, inputs);
  ASSERT_EQ(execution.error, "");
  ASSERT_EQ(execution.outputs, expected);
}

TEST(Search, EveryPlanRunsInThePredictedArena) {
  int64_t ran = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    network::RandomOptions shape;
    shape.maxOps = 3;
    const TestNetwork test = network::randomNetwork(seed + 300, shape);
    const network::Values inputs = network::randomInputs(test.network, seed);
    const network::Values expected = network::runReference(test, inputs);
    SearchOptions options;
    options.maxGridRows = options.maxGridColumns = 2;
    options.arenaUnit = 64;
    for (const Plan &plan : allPlans(test.network, options)) {
      ASSERT_NO_FATAL_FAILURE(expectRuns(test, plan, inputs, expected));
      EXPECT_EQ(plan.memory.arena,
                plan.memory.activations + plan.memory.workspace);
      EXPECT_LT(plan.memory.arena - plan.allocation.peak, options.arenaUnit);
      ++ran;
    }
    for (int64_t divisor : {1, 2, 4, 100}) {
      const auto untiled = evaluate(test.network, {}, options);
      options.scope = BudgetScope::Arena;
      options.budgetBytes = untiled->memory.arena / divisor;
      const auto result = search(test.network, options);
      ASSERT_TRUE(result);
      ASSERT_NO_FATAL_FAILURE(
          expectRuns(test, result->plan ? *result->plan : result->smallestPlan,
                     inputs, expected));
    }
  }
  EXPECT_GT(ran, 2000);
}

TEST(Search, MemoryFiguresByHand) {
  // 1 channel of 8x8 (256 bytes), conv to 2 channels (512) with 8 * 12 = 96
  // bytes of scratch (128 rounded), moved into the output (512). Live: 256 +
  // 512 + 128 = 896 in step 0, 1024 in step 1, the peak: no workspace there.
  network::Builder builder;
  const int x = builder.input(1, 1, 8, 8);
  builder.output(builder.convolution(x, 2, {3, 1, 1, 1, 1}));
  builder.workspacePerRow(12);
  builder.setWeightBytes(640);
  SearchOptions options;
  options.runtimeOverhead = [](int64_t steps) { return 100 * steps; };
  auto plan = evaluate(builder.network(), {}, options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->memory.weights, 640);
  EXPECT_EQ(plan->memory.workspace, 0);
  EXPECT_EQ(plan->memory.activations, 4096);
  EXPECT_EQ(plan->memory.arena, 4096);
  EXPECT_EQ(plan->memory.runtimeOverhead, 200);
  EXPECT_EQ(plan->memory.peak, 640 + 4096 + 200);
  // With 8 * 40 = 320 bytes of scratch step 0 is the peak: 256 + 512 + 320.
  builder.workspacePerRow(40);
  options.arenaUnit = 64;
  plan = evaluate(builder.network(), {}, options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->memory.workspace, 320);
  EXPECT_EQ(plan->memory.activations, 768);
  EXPECT_EQ(plan->memory.arena, 1088);
}

TEST(Search, NoBudgetIsTheUntiledNetwork) {
  const auto result = search(network::yolov2First16(), {});
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->plan);
  EXPECT_TRUE(result->plan->partition.groups.empty());
  EXPECT_EQ(result->candidates, 1);
}

TEST(Search, MafatsWorkload) {
  // 5x5/8/2x2 takes 10.5 MB of live bytes (whole input and output included).
  const Network network = network::yolov2First16();
  const auto partition = network::partitionByLayers(
      network, {{8, Schedule::grid(5, 5)}, {16, Schedule::grid(2, 2)}});
  SearchOptions options;
  const auto mafat = evaluate(network, *partition, options);
  ASSERT_TRUE(mafat);
  EXPECT_LE(mafat->memory.arena, 15000000);
  // Within that arena the search does not do more work than MAFAT's plan.
  options.scope = BudgetScope::Arena;
  options.budgetBytes = mafat->memory.arena;
  const auto result = search(network, options);
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->plan);
  EXPECT_LE(result->plan->program.macs(), mafat->program.macs());
  EXPECT_LE(result->plan->memory.arena, mafat->memory.arena);
  // The whole process within 64 MiB: 13.7 MB of weights and the arena.
  options.scope = BudgetScope::Process;
  options.budgetBytes = int64_t{64} << 20;
  options.runtimeOverhead = [](int64_t) { return int64_t{4} << 20; };
  const auto process = search(network, options);
  ASSERT_TRUE(process);
  ASSERT_TRUE(process->plan);
  EXPECT_EQ(process->plan->program.macs(), network.macs());
  EXPECT_LE(process->plan->memory.peak, *options.budgetBytes);
}

TEST(Search, StreamedWeightsAreThoseOfAnOpOrGridGroup) {
  Network network = network::yolov2First16();
  SearchOptions options;
  int64_t all = 0, largest = 0;
  for (network::Op &op : network.ops) {
    all += op.packedWeightBytes;
    largest = std::max(largest, op.packedWeightBytes);
  }
  auto weightsOf = [&](const Partition &partition) {
    const auto plan = evaluate(network, partition, options);
    EXPECT_TRUE(plan);
    const std::vector<int64_t> byOp = weightBytes(network, partition, options);
    EXPECT_EQ(plan->memory.weights,
              *std::max_element(byOp.begin(), byOp.end()));
    EXPECT_EQ(plan->memory.peak, plan->memory.weights + plan->memory.arena +
                                     plan->memory.runtimeOverhead);
    return plan->memory.weights;
  };
  EXPECT_EQ(weightsOf({}), all);
  options.weights = Weights::Streamed;
  EXPECT_EQ(weightsOf({}), (largest + 4095) / 4096 * 4096);
  const int64_t ops = static_cast<int64_t>(network.ops.size());
  // A group that is whole is no more than its ops; tiles need all of them.
  EXPECT_EQ(weightsOf({{{0, ops, Schedule::whole()}}}), weightsOf({}));
  EXPECT_EQ(weightsOf({{{0, ops, Schedule::grid(2, 2)}}}),
            (all + 4095) / 4096 * 4096);
  // What all weights leave too little for is kept without them.
  options.budgetBytes = all + (int64_t{4} << 20);
  const auto streamed = search(network, options);
  ASSERT_TRUE(streamed);
  ASSERT_TRUE(streamed->plan);
  EXPECT_LE(streamed->plan->memory.peak, *options.budgetBytes);
  options.weights = Weights::Resident;
  const auto resident = search(network, options);
  ASSERT_TRUE(resident);
  EXPECT_FALSE(resident->plan);
  // The smallest budget is kept, a byte less is not.
  options.weights = Weights::Streamed;
  options.budgetBytes = 0;
  const int64_t smallest = search(network, options)->smallestBudgetBytes;
  options.budgetBytes = smallest;
  EXPECT_TRUE(search(network, options)->plan);
  *options.budgetBytes -= 1;
  EXPECT_FALSE(search(network, options)->plan);
}

TEST(Search, InfeasibleSaysWhatWouldDo) {
  const Network network = network::yolov2First16(/*unfolded=*/true);
  SearchOptions options;
  options.scope = BudgetScope::Arena;
  options.budgetBytes = 1000000;
  const auto result = search(network, options);
  ASSERT_TRUE(result);
  ASSERT_FALSE(result->plan);
  EXPECT_EQ(result->smallestBudgetBytes, result->smallestPlan.memory.arena);
  // The whole input is the largest of what is live.
  ASSERT_FALSE(result->culprits.empty());
  EXPECT_EQ(result->culprits[0].name, "input 'in0'");
  EXPECT_EQ(result->culprits[0].bytes, 608 * 608 * 3 * 4);
  for (size_t i = 1; i < result->culprits.size(); ++i)
    EXPECT_LE(result->culprits[i].bytes, result->culprits[i - 1].bytes);
  // It would do indeed, and a byte less would not.
  options.budgetBytes = result->smallestBudgetBytes;
  EXPECT_TRUE(search(network, options)->plan);
  *options.budgetBytes -= 1;
  EXPECT_FALSE(search(network, options)->plan);
}

TEST(Search, TakesWellUnderHalfASecond) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "built without optimization";
#endif
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "built with a sanitizer";
#endif
  // Processor time, since tests share the machine; 0.05 to 0.1 s are usual.
  const Network network = network::yolov2First16(/*unfolded=*/true);
  SearchOptions options;
  options.budgetBytes = 0;
  const std::clock_t begin = std::clock();
  ASSERT_TRUE(search(network, options));
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.5);
}

AllocationSolution everythingAtZero(const AllocationProblem &problem,
                                    const AllocationOptions &) {
  AllocationSolution solution;
  solution.offsets.assign(problem.buffers.size(), 0);
  for (const AllocationBuffer &buffer : problem.buffers)
    solution.peak = std::max(solution.peak, buffer.bytes);
  return solution;
}

TEST(Search, ABrokenAllocatorIsCaught) {
  SearchOptions options;
  options.allocate = everythingAtZero;
  const auto plan = evaluate(network::yolov2First16(), {}, options);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("overlap and both live at"),
            std::string::npos)
      << plan.error().message;
  options.budgetBytes = 100000000;
  EXPECT_FALSE(search(network::yolov2First16(), options));
}

void expectError(const Network &network, const SearchOptions &options,
                 const std::string &part) {
  const auto result = search(network, options);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(part), std::string::npos)
      << result.error().message;
}

TEST(Search, BadOptionsAndNetworks) {
  const Network network = network::yolov2First16();
  expectError({}, {}, "no operations");
  SearchOptions options;
  options.maxGroups = -2;
  expectError(network, options, "max-groups=-2");
  options = {};
  options.maxGridRows = 0;
  expectError(network, options, "at least 1x1");
  options = {};
  options.alignment = 48;
  expectError(network, options, "power of two, not 48");
  options = {};
  options.arenaUnit = 100;
  expectError(network, options, "no multiple of the alignment");
}

} // namespace
} // namespace snug::planner
