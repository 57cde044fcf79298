// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes down the bytes that each operation needs and the peak.
#include "passes/AnnotateMemory/AnnotateMemory.h"

#include "snug/Analysis/MemoryReport.h"

#include "mlir/IR/Builders.h"

#define DEBUG_TYPE "snug-annotate-memory"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_ANNOTATEMEMORYPASS
#include "passes/AnnotateMemory/AnnotateMemory.h.inc"

/// A dictionary of named integers.
static DictionaryAttr
dictionary(Builder &builder, ArrayRef<std::pair<StringRef, int64_t>> entries) {
  SmallVector<NamedAttribute> attributes;
  for (auto [name, value] : entries)
    attributes.push_back(
        builder.getNamedAttr(name, builder.getI64IntegerAttr(value)));
  return builder.getDictionaryAttr(attributes);
}

namespace {

struct AnnotateMemoryPass
    : public impl::AnnotateMemoryPassBase<AnnotateMemoryPass> {
  using AnnotateMemoryPassBase::AnnotateMemoryPassBase;

  void runOnOperation() override {
    if (failed(annotate(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }

  LogicalResult annotate(func::FuncOp function) {
    Result<TargetOptions> targetOptions = parseTargetOptions(target, threads);
    if (!targetOptions)
      return function.emitError(targetOptions.error().message);
    Result<predict::DeviceProfile> profile = predict::loadDeviceProfile(device);
    if (!profile)
      return function.emitError(profile.error().message);
    FailureOr<NetworkFromIR> built = buildNetwork(function, *targetOptions);
    if (failed(built))
      return failure();
    Result<planner::Plan> plan = planner::evaluate(
        built->network, built->partition,
        planningOptions(built->network, *targetOptions, *profile));
    if (!plan)
      return function.emitError(plan.error().message);
    MemoryReport report = reportMemory(*built, *plan);

    Builder builder(&getContext());
    for (auto [op, memory] : llvm::zip_equal(built->ops, report.ops))
      op->setAttr("snug.memory",
                  dictionary(builder, {{"input", memory.inputBytes},
                                       {"output", memory.outputBytes},
                                       {"weights", memory.weightBytes},
                                       {"workspace", memory.workspaceBytes},
                                       {"live", memory.liveBytes}}));
    DictionaryAttr peak =
        dictionary(builder, {{"live", report.peakLiveBytes},
                             {"arena", report.figures.arena},
                             {"process", report.figures.peak}});
    SmallVector<NamedAttribute> withOp(peak.getValue());
    withOp.push_back(
        builder.getNamedAttr("op", builder.getStringAttr(report.peakOp)));
    function->setAttr("snug.peak", builder.getDictionaryAttr(withOp));
    return success();
  }
};

} // namespace
} // namespace snug
