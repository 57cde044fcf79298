// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug compile: an ONNX model to a plan file.
#include "Commands.h"
#include "MemoryMapPage.h"
#include "Model.h"
#include "Report.h"
#include "Runner.h"

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Export/ExportPlan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace snug::tool {

/// What a planned program says of itself.
static PlanReport describe(plan::ProgramOp program, const MemoryMap &map) {
  auto integer = [](DictionaryAttr from, StringRef name) {
    return from.getAs<IntegerAttr>(name).getInt();
  };
  PlanReport report;
  report.model = map.model;
  report.target = program.getTarget().str();
  report.threads = program.getThreads();
  DictionaryAttr predicted = program.getPredictedAttr();
  report.memory = map.memory;
  report.addresses = describeAddresses(map);
  report.networkMacs = integer(predicted, "network_macs");
  report.executedMacs = integer(predicted, "executed_macs");
  for (Attribute attribute : program.getGroupsAttr()) {
    auto from = cast<DictionaryAttr>(attribute);
    GroupReport group;
    for (Attribute name : from.getAs<ArrayAttr>("ops"))
      group.ops.push_back(cast<StringAttr>(name).str());
    group.schedule = from.getAs<StringAttr>("schedule").str();
    group.arenaBytes = integer(from, "arena");
    report.groups.push_back(std::move(group));
  }
  auto convolutions = program.getOps<plan::ConvolutionOp>();
  report.convolutionKernels = llvm::range_size(convolutions);
  report.winogradKernels = llvm::count_if(
      convolutions, [](plan::ConvolutionOp op) { return op.getWinograd(); });
  return report;
}

int runCompile(const CompileOptions &options) {
  Progress progress;
  Session session;
  progress.show("reading " + options.model.model);
  OwningOpRef<ModuleOp> module = session.import(options.model);
  if (!module)
    return session.getImportFailure();
  progress.show("planning");
  PipelineOptions passes = options.pipeline;
  // A reproducer is the module as it was before.
  passes.freeWeights = options.crashReproducer.empty();
  if (failed(session.run(
          *module,
          [&](OpPassManager &manager) { populateCompile(manager, passes); },
          options.crashReproducer))) {
    if (options.crashReproducer.empty())
      llvm::errs() << "  note: --crash-reproducer=FILE writes the pass that "
                      "failed and what it was given, for snug-opt\n";
    return kBadInput;
  }
  progress.show("writing " + options.output);
  auto write = [&](llvm::raw_ostream &stream) {
    return succeeded(exportPlan(*module, stream, /*freeWeights=*/true));
  };
  if (!writeFile(options.output, write))
    return kBadInput;
  // What the runtime would refuse is no plan; a device file cannot be read
  // back.
  if (llvm::sys::fs::is_regular_file(options.output))
    if (const std::string refusal = runner::checkPlan(options.output);
        !refusal.empty()) {
      llvm::sys::fs::remove(options.output);
      progress.clear();
      reportError("the plan was not kept, since it could not be loaded: " +
                  refusal);
      return kBadInput;
    }

  auto program = *module->getOps<plan::ProgramOp>().begin();
  const MemoryMap map = mapMemory(program);
  PlanReport report = describe(program, map);
  printReport(report);
  if (!options.memoryMapFile.empty() &&
      !writeMemoryMapPage(map, options.memoryMapFile))
    return kBadInput;
  if (options.jsonFile.empty())
    return kSuccess;
  const PipelineOptions &pipeline = options.pipeline;
  nlohmann::ordered_json used = {{"target", pipeline.target},
                                 {"threads", pipeline.threads},
                                 {"device", pipeline.device},
                                 {"winograd", pipeline.winograd},
                                 {"memory_budget", pipeline.memoryBudget},
                                 {"budget_scope", pipeline.budgetScope},
                                 {"weights", pipeline.weights},
                                 {"max_groups", pipeline.maxGroups},
                                 {"groups", pipeline.groups}};
  nlohmann::ordered_json document = toJson(report, std::move(used));
  if (!options.memoryMapFile.empty())
    document["memory_map"] = toJson(map);
  return writeJson(document, options.jsonFile) ? kSuccess : kBadInput;
}

} // namespace snug::tool
