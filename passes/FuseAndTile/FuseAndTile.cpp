// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Groups layers that run tile by tile, within a memory budget.
#include "passes/FuseAndTile/FuseAndTile.h"

#include "snug/Analysis/MemoryReport.h"
#include "snug/Analysis/Sizes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include <optional>

#define DEBUG_TYPE "snug-fuse-and-tile"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FUSEANDTILEPASS
#include "passes/FuseAndTile/FuseAndTile.h.inc"

namespace {

struct FuseAndTilePass : public impl::FuseAndTilePassBase<FuseAndTilePass> {
  using FuseAndTilePassBase::FuseAndTilePassBase;

  void runOnOperation() override {
    if (failed(fuseAndTile(getOperation())))
      signalPassFailure();
  }

  /// A partition, or nothing where other kernels have to be tried.
  using Choice = FailureOr<std::optional<network::Partition>>;

  LogicalResult fuseAndTile(func::FuncOp function);
  Choice choose(func::FuncOp function, const NetworkFromIR &built,
                const TargetOptions &targetOptions);
  Choice searchPartition(func::FuncOp function, const NetworkFromIR &built,
                         const TargetOptions &targetOptions,
                         const planner::SearchOptions &options);
  static LogicalResult refuse(func::FuncOp function,
                              const network::Network &network,
                              const planner::SearchOptions &options,
                              const planner::SearchResult &result);
  FailureOr<bool> prepareUntiled(func::FuncOp function,
                                 const NetworkFromIR &built,
                                 const planner::SearchOptions &options);
  bool withdrawWinograd(const NetworkFromIR &built, const planner::Plan &plan,
                        const planner::SearchOptions &options);
  static void outline(const NetworkFromIR &built, const network::Group &group);

  // Of the function at hand.
  bool mayStayUntiled = true;         ///< with fewer permissions, perhaps
  std::vector<Operation *> withdrawn; ///< permissions, to stay untiled
  int withdrawals = 0;                ///< rounds of them after a search
};

} // namespace

/// What a budget bounds of a plan.
static int64_t needOf(const planner::Plan &plan,
                      const planner::SearchOptions &options) {
  return options.scope == planner::BudgetScope::Arena ? plan.memory.arena
                                                      : plan.memory.peak;
}

/// Whether streaming the weights would do, with the smallest budget for that;
/// empty where it makes no difference. `partition`: explicit groups, or null.
static Result<std::string>
describeStreaming(const network::Network &network,
                  const network::Partition *partition,
                  planner::SearchOptions options, int64_t neededNow) {
  if (options.scope == planner::BudgetScope::Arena ||
      options.weights == planner::Weights::Streamed)
    return std::string();
  const int64_t budget = *options.budgetBytes;
  options.weights = planner::Weights::Streamed;
  options.budgetBytes = 0;
  int64_t needed = 0;
  if (partition) {
    Result<planner::Plan> plan =
        planner::evaluate(network, *partition, options);
    if (!plan)
      return plan.error();
    needed = plan->memory.peak;
  } else {
    Result<planner::SearchResult> result = planner::search(network, options);
    if (!result)
      return result.error();
    needed = result->smallestBudgetBytes;
  }
  if (needed >= neededNow)
    return std::string();
  return std::string(needed <= budget
                         ? "--weights=streamed would do"
                         : "--weights=streamed would not do either") +
         ": its smallest budget is " + std::to_string(needed) + "B (" +
         formatBytes(needed) + ")";
}

/// The error of a budget that cannot be kept, with the buffers to blame.
static void emitInfeasible(func::FuncOp function,
                           const planner::SearchOptions &options,
                           const planner::SearchResult &result,
                           const std::string &streaming) {
  bool process = options.scope == planner::BudgetScope::Process;
  InFlightDiagnostic diagnostic =
      function.emitError("memory budget cannot be met: limit ")
      << formatBytes(*options.budgetBytes) << " for the "
      << (process ? "process" : "arena") << ", needed at least "
      << formatBytes(result.smallestBudgetBytes)
      << "; the smallest budget that would do is " << result.smallestBudgetBytes
      << "B (--memory-budget=" << result.smallestBudgetBytes << "B)";
  const planner::MemoryFigures &memory = result.smallestPlan.memory;
  if (process)
    diagnostic.attachNote()
        << "of these, weights take " << formatBytes(memory.weights)
        << ", the arena " << formatBytes(memory.arena)
        << " and the runtime itself " << formatBytes(memory.runtimeOverhead);
  if (!streaming.empty())
    diagnostic.attachNote() << streaming;
  constexpr size_t mostNotes = 4; // the largest buffers tell the story
  for (const planner::Culprit &culprit :
       ArrayRef(result.culprits).take_front(mostNotes))
    diagnostic.attachNote() << "live at the peak: " << culprit.name << ", "
                            << formatBytes(culprit.bytes);
}

/// Takes the permission to use Winograd's kernel; false where there is none to
/// make use of.
static bool withdraw(Operation *op) {
  auto convolution = dyn_cast<cnn::Conv2DOp>(op);
  if (!convolution || !convolution.getAllowWinograd() ||
      !runtime::hasWinograd(windowShape(convolution)))
    return false;
  convolution.setAllowWinograd(false);
  return true;
}

/// The same for all convolutions; appends those that had it to `ops`.
static bool withdrawAll(const NetworkFromIR &built,
                        std::vector<Operation *> &ops) {
  const size_t before = ops.size();
  for (Operation *op : built.ops)
    if (withdraw(op))
      ops.push_back(op);
  return ops.size() > before;
}

static void allow(const std::vector<Operation *> &ops) {
  for (Operation *op : ops)
    cast<cnn::Conv2DOp>(op).setAllowWinograd(true);
}

/// The same for all convolutions whose scratch is live at the peak of `plan`;
/// appends them to `ops`.
static bool withdrawAtPeak(const NetworkFromIR &built,
                           const planner::Plan &plan, int64_t alignment,
                           std::vector<Operation *> &ops) {
  const size_t before = ops.size();
  const network::Program &program = plan.program;
  for (int index : program.liveBuffers(program.peakStep(alignment))) {
    const network::Buffer &buffer = program.buffers[index];
    if (buffer.role != network::Buffer::Role::Workspace)
      continue;
    Operation *op = built.ops[program.steps[buffer.liveBegin].op];
    if (withdraw(op))
      ops.push_back(op);
  }
  return ops.size() > before;
}

/// Whether other permissions have to be tried first: nothing is tiled where the
/// budget is kept without the scratch at the peak.
FailureOr<bool>
FuseAndTilePass::prepareUntiled(func::FuncOp function,
                                const NetworkFromIR &built,
                                const planner::SearchOptions &options) {
  if (!options.budgetBytes || !mayStayUntiled)
    return false;
  Result<planner::Plan> plan = planner::evaluate(built.network, {}, options);
  if (!plan) {
    function.emitError(plan.error().message);
    return failure();
  }
  if (needOf(*plan, options) <= *options.budgetBytes)
    return false;
  if (withdrawAtPeak(built, *plan, options.alignment, withdrawn))
    return true;
  // In vain: the search has them all to choose from.
  mayStayUntiled = false;
  allow(withdrawn);
  return !withdrawn.empty();
}

/// No room for the scratch of Winograd's kernels: takes the permission from the
/// convolutions whose scratch is live at the peak of `plan`, the smallest there
/// is; where there is none, or after some rounds, from all. False where nobody
/// could make use of it.
bool FuseAndTilePass::withdrawWinograd(const NetworkFromIR &built,
                                       const planner::Plan &plan,
                                       const planner::SearchOptions &options) {
  constexpr int kMostRounds = 8; // each is a search
  std::vector<Operation *> forGood;
  if (++withdrawals <= kMostRounds &&
      withdrawAtPeak(built, plan, options.alignment, forGood))
    return true;
  return withdrawAll(built, forGood);
}

FuseAndTilePass::Choice FuseAndTilePass::searchPartition(
    func::FuncOp function, const NetworkFromIR &built,
    const TargetOptions &targetOptions, const planner::SearchOptions &options) {
  const network::Network &network = built.network;
  FailureOr<bool> again = prepareUntiled(function, built, options);
  if (failed(again))
    return failure();
  if (*again)
    return std::optional<network::Partition>();
  Result<planner::SearchResult> result = planner::search(network, options);
  if (!result) {
    function.emitError(result.error().message);
    return failure();
  }
  candidates += result->candidates;
  if (result->plan)
    return std::optional(result->plan->partition);
  // What cannot be kept without any scratch is refused at once.
  std::vector<Operation *> all;
  if (withdrawals == 0 && withdrawAll(built, all)) {
    FailureOr<NetworkFromIR> direct = buildNetwork(function, targetOptions);
    if (failed(direct))
      return failure();
    Result<planner::SearchResult> without =
        planner::search(direct->network, options);
    if (!without) {
      function.emitError(without.error().message);
      return failure();
    }
    candidates += without->candidates;
    if (!without->plan)
      return refuse(function, direct->network, options, *without);
    allow(all);
  }
  if (withdrawWinograd(built, result->smallestPlan, options))
    return std::optional<network::Partition>();
  return refuse(function, network, options, *result);
}

/// Says why there is no plan.
LogicalResult FuseAndTilePass::refuse(func::FuncOp function,
                                      const network::Network &network,
                                      const planner::SearchOptions &options,
                                      const planner::SearchResult &result) {
  Result<std::string> streaming =
      describeStreaming(network, nullptr, options, result.smallestBudgetBytes);
  if (!streaming) {
    function.emitError(streaming.error().message);
    return failure();
  }
  emitInfeasible(function, options, result, *streaming);
  return failure();
}

FuseAndTilePass::Choice
FuseAndTilePass::choose(func::FuncOp function, const NetworkFromIR &built,
                        const TargetOptions &targetOptions) {
  auto refuse = [&](const Error &error) {
    function.emitError(error.message);
    return failure();
  };
  Result<predict::DeviceProfile> profile = predict::loadDeviceProfile(device);
  if (!profile)
    return refuse(profile.error());
  planner::SearchOptions options =
      planningOptions(built.network, targetOptions, *profile);
  options.maxGroups = maxGroups;
  if (budgetScope != "process" && budgetScope != "arena")
    return refuse({"unknown budget-scope '" + budgetScope +
                   "'; known are process, arena"});
  options.scope = budgetScope == "arena" ? planner::BudgetScope::Arena
                                         : planner::BudgetScope::Process;
  Result<planner::Weights> mode = parseWeights(weights);
  if (!mode)
    return refuse(mode.error());
  options.weights = *mode;
  if (!memoryBudget.empty()) {
    Result<int64_t> bytes = parseBytes(memoryBudget);
    if (!bytes)
      return refuse(bytes.error());
    options.budgetBytes = *bytes;
  }
  if (groups.empty())
    return searchPartition(function, built, targetOptions, options);

  Result<std::vector<network::GroupSpec>> specs = network::parseGroups(groups);
  if (!specs)
    return refuse(specs.error());
  Result<network::Partition> partition =
      network::partitionByLayers(built.network, *specs);
  if (!partition)
    return refuse(partition.error());
  if (options.budgetBytes) {
    // Explicit groups are kept as they are; a budget then only checks them.
    Result<planner::Plan> plan =
        planner::evaluate(built.network, *partition, options);
    if (!plan)
      return refuse(plan.error());
    const int64_t needed = needOf(*plan, options);
    if (needed > *options.budgetBytes) {
      if (withdrawWinograd(built, *plan, options))
        return std::optional<network::Partition>();
      Result<std::string> streaming =
          describeStreaming(built.network, &*partition, options, needed);
      if (!streaming)
        return refuse(streaming.error());
      return refuse({"groups=" + groups + " need " + formatBytes(needed) +
                     ", the limit is " + formatBytes(*options.budgetBytes) +
                     "; the smallest budget that would do is " +
                     std::to_string(needed) +
                     "B, or leave out groups to search others" +
                     (streaming->empty() ? "" : "; " + *streaming)});
    }
  }
  return std::optional(std::move(*partition));
}

/// Moves the ops of a group, with copies of the constants that they use, into a
/// snug.fused_group in the last op's place. What is used behind the group is a
/// result of it.
void FuseAndTilePass::outline(const NetworkFromIR &built,
                              const network::Group &group) {
  // An op with several results stands in the network once for each of them.
  llvm::SetVector<Operation *> ops;
  for (int64_t i = group.opBegin; i < group.opEnd; ++i)
    ops.insert(built.ops[i]);
  llvm::SetVector<Operation *> constants;
  llvm::SetVector<Value> inputs;
  SmallVector<Value> results;
  SmallVector<Type> resultTypes;
  SmallVector<Location> locations;
  for (Operation *op : ops) {
    locations.push_back(op->getLoc());
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (isa_and_nonnull<cnn::ConstantOp>(producer))
        constants.insert(producer);
      else if (!producer || !ops.contains(producer))
        inputs.insert(operand);
    }
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !ops.contains(user); })) {
        results.push_back(result);
        resultTypes.push_back(result.getType());
      }
  }

  Operation *last = ops.back();
  OpBuilder builder(last);
  auto fused = cnn::FusedGroupOp::create(
      builder, builder.getFusedLoc(locations), resultTypes,
      inputs.getArrayRef(),
      cnn::makeScheduleAttr(builder.getContext(), group.schedule));
  Block *body = builder.createBlock(&fused.getBody());
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  for (Operation *constant : constants)
    builder.clone(*constant, mapping);
  for (Operation *op : ops)
    builder.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (Value result : results)
    yielded.push_back(mapping.lookup(result));
  cnn::YieldOp::create(builder, last->getLoc(), yielded);
  for (auto [result, outer] : llvm::zip_equal(results, fused.getResults()))
    result.replaceAllUsesWith(outer);
  for (Operation *op : llvm::reverse(ops.getArrayRef()))
    op->erase();
  for (Operation *constant : constants)
    if (constant->use_empty())
      constant->erase();
}

LogicalResult FuseAndTilePass::fuseAndTile(func::FuncOp function) {
  Result<TargetOptions> targetOptions = parseTargetOptions(target, threads);
  if (!targetOptions)
    return function.emitError(targetOptions.error().message);
  for (auto group : function.getOps<cnn::FusedGroupOp>())
    return group.emitError("the network has fused groups already; "
                           "snug-fuse-and-tile runs once");
  mayStayUntiled = true;
  withdrawn.clear();
  withdrawals = 0;
  while (true) {
    FailureOr<NetworkFromIR> built = buildNetwork(function, *targetOptions);
    if (failed(built))
      return failure();
    Choice partition = choose(function, *built, *targetOptions);
    if (failed(partition))
      return failure();
    if (!*partition)
      continue; // with fewer permissions
    for (const network::Group &group : (*partition)->groups)
      if (!group.schedule.isWhole())
        outline(*built, group);
    return success();
  }
}

} // namespace snug
