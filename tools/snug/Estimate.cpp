// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug estimate: work and memory of a network before anything is compiled.
#include "Commands.h"
#include "MemoryMapPage.h"
#include "Model.h"
#include "Report.h"

#include "snug/Network/Schedule.h"

using namespace mlir;

namespace snug::tool {

/// An imported network has no groups: all its ops run whole.
static GroupReport describeWhole(const network::Network &network,
                                 const planner::Plan &plan) {
  GroupReport group;
  for (const network::Op &op : network.ops)
    group.ops.push_back(op.name);
  group.schedule = network::toString(network::Schedule::whole());
  group.arenaBytes = plan.program.peakLiveBytes(runtime::kBufferAlignment);
  return group;
}

int runEstimate(const EstimateOptions &options) {
  Progress progress;
  Session session;
  progress.show("reading " + options.model.model);
  OwningOpRef<ModuleOp> module = session.import(options.model);
  if (!module)
    return session.getImportFailure();
  progress.show("folding");
  PipelineOptions pipeline = options.pipeline;
  pipeline.freeWeights = true;
  if (failed(session.run(*module, [&](OpPassManager &manager) {
        populateFold(manager, pipeline);
      })))
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
  progress.show("assigning addresses");
  FailureOr<NetworkFromIR> built = buildNetwork(*function, *target);
  if (failed(built))
    return kBadInput;
  planner::SearchOptions planning =
      planningOptions(built->network, *target, *device);
  Result<planner::Weights> weights = parseWeights(pipeline.weights);
  if (!weights) {
    reportError(weights.error().message);
    return kBadInput;
  }
  planning.weights = *weights;
  Result<planner::Plan> plan =
      planner::evaluate(built->network, built->partition, planning);
  if (!plan) {
    reportError(plan.error().message);
    return kBadInput;
  }
  MemoryReport memory = reportMemory(*built, *plan);

  PlanReport report;
  report.model = built->network.name;
  report.target = runtime::targetName(target->target);
  report.threads = target->threads;
  report.memory = memory.figures;
  const MemoryMap map = mapMemory(built->network, *plan, planning);
  report.addresses = describeAddresses(map);
  report.networkMacs = memory.networkMacs;
  report.executedMacs = memory.executedMacs;
  report.groups = {describeWhole(built->network, *plan)};
  printReport(report);
  printOps(memory);
  if (!options.csvFile.empty() && !writeOpsCsv(memory, options.csvFile))
    return kBadInput;
  if (!options.memoryMapFile.empty() &&
      !writeMemoryMapPage(map, options.memoryMapFile))
    return kBadInput;
  if (options.jsonFile.empty())
    return kSuccess;
  nlohmann::ordered_json document =
      toJson(report, {{"target", options.pipeline.target},
                      {"threads", options.pipeline.threads},
                      {"device", options.pipeline.device},
                      {"winograd", options.pipeline.winograd},
                      {"weights", options.pipeline.weights}});
  document.update(opsToJson(memory));
  if (!options.memoryMapFile.empty())
    document["memory_map"] = toJson(map);
  return writeJson(document, options.jsonFile) ? kSuccess : kBadInput;
}

} // namespace snug::tool
