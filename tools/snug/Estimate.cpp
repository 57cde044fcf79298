// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug estimate: the memory of a network before anything is compiled.
#include "Commands.h"
#include "Model.h"
#include "Report.h"

#include "snug/Network/Schedule.h"

using namespace mlir;

namespace snug::tool {

/// Groups as the network's partition has them; ops in none run whole.
static std::vector<GroupReport> describeGroups(const network::Network &network,
                                               const planner::Plan &plan) {
  std::vector<GroupReport> groups;
  auto list = [&](int64_t begin, int64_t end, const std::string &schedule) {
    GroupReport group;
    for (int64_t i = begin; i < end; ++i)
      group.ops.push_back(network.ops[i].name);
    group.schedule = schedule;
    group.arenaBytes = plan.memory.arena;
    if (begin != end)
      groups.push_back(std::move(group));
  };
  list(0, static_cast<int64_t>(network.ops.size()),
       network::toString(network::Schedule::whole()));
  return groups;
}

int runEstimate(const EstimateOptions &options) {
  Progress progress;
  Session session;
  progress.show("reading " + options.model.model);
  OwningOpRef<ModuleOp> module = session.import(options.model);
  if (!module)
    return session.getImportFailure();
  if (failed(session.run(
          *module, [](OpPassManager &manager) { populateFold(manager); })))
    return kBadInput;
  Result<TargetOptions> target =
      parseTargetOptions(options.pipeline.target, options.pipeline.threads);
  Result<predict::DeviceProfile> device =
      predict::loadDeviceProfile(options.pipeline.device);
  if (!target || !device) {
    reportError(!target ? target.error().message : device.error().message);
    return kBadInput;
  }
  FailureOr<func::FuncOp> function = findNetworkFunction(*module);
  if (failed(function))
    return kBadInput;
  FailureOr<NetworkFromIR> built = buildNetwork(*function, *target);
  if (failed(built))
    return kBadInput;
  Result<planner::Plan> plan =
      planner::evaluate(built->network, built->partition,
                        planningOptions(built->network, *target, *device));
  if (!plan) {
    reportError(plan.error().message);
    return kBadInput;
  }
  Result<MemoryReport> memory = reportMemory(built->network, *plan);
  if (!memory) {
    reportError(memory.error().message);
    return kBadInput;
  }

  PlanReport report;
  report.model = built->network.name;
  report.target = runtime::targetName(target->target);
  report.threads = target->threads;
  report.memory = memory->figures;
  report.networkMacs = memory->networkMacs;
  report.executedMacs = memory->executedMacs;
  report.groups = describeGroups(built->network, *plan);
  printReport(report);
  printOps(*memory);
  if (options.jsonFile.empty())
    return kSuccess;
  nlohmann::ordered_json document =
      toJson(report, {{"target", options.pipeline.target},
                      {"threads", options.pipeline.threads},
                      {"device", options.pipeline.device}});
  document.update(opsToJson(*memory));
  return writeJson(document, options.jsonFile) ? kSuccess : kBadInput;
}

} // namespace snug::tool
