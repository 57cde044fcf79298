// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes down the time and memory that a training step needs.
#include "passes/AnnotateTraining/AnnotateTraining.h"

#include "snug/Analysis/TrainingAnalysis.h"
#include "snug/Predict/DeviceProfile.h"
#include "snug/Predict/TrainingModel.h"

#include "mlir/IR/Builders.h"

#include <cmath>

#define DEBUG_TYPE "snug-annotate-training"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_ANNOTATETRAININGPASS
#include "passes/AnnotateTraining/AnnotateTraining.h.inc"

namespace {

struct AnnotateTrainingPass
    : public impl::AnnotateTrainingPassBase<AnnotateTrainingPass> {
  using AnnotateTrainingPassBase::AnnotateTrainingPassBase;

  void runOnOperation() override {
    if (failed(annotate(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }

  LogicalResult annotate(func::FuncOp function) {
    if (batch < 1)
      return function.emitError("a batch has at least one image, got ")
             << batch.getValue();
    Result<predict::DeviceProfile> profile = predict::loadDeviceProfile(device);
    if (!profile)
      return function.emitError(profile.error().message);
    if (!profile->training)
      return function.emitError("the device '")
             << device.getValue()
             << "' has no model of training; fit one with snug fit training";
    FailureOr<TrainingFromIR> built = buildTrainingNetwork(function);
    if (failed(built))
      return failure();
    const predict::TrainingPrediction step =
        profile->training->predict(built->network, {batch}).front();

    Builder builder(&getContext());
    auto integer = [&](StringRef name, int64_t value) {
      return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
    };
    auto microseconds = [&](double ms) {
      return integer("latency_us", std::llround(ms * 1000));
    };
    // The forest knows no parts.
    if (step.memory)
      for (auto [op, kept, ms] :
           llvm::zip_equal(built->ops, step.memory->kept, step.latency->opMs))
        op->setAttr("snug.training",
                    builder.getDictionaryAttr(
                        {builder.getNamedAttr("keeps",
                                              builder.getStringAttr(kept.what)),
                         integer("kept", kept.bytes), microseconds(ms)}));
    SmallVector<NamedAttribute> figures = {
        integer("batch", batch), microseconds(step.latencyMs.value),
        integer("total", std::llround(step.neededMib * 1024 * 1024))};
    if (const auto &memory = step.memory)
      for (auto [name, bytes] :
           {std::pair{"weights", memory->weightBytes},
            std::pair{"gradients", memory->gradientBytes},
            std::pair{"optimizer_state", memory->optimizerBytes},
            std::pair{"saved_activations", memory->savedBytes},
            std::pair{"workspace", memory->workspaceBytes},
            std::pair{"runtime_overhead", memory->overheadBytes}})
        figures.push_back(integer(name, bytes));
    function->setAttr("snug.training", builder.getDictionaryAttr(figures));
    return success();
  }
};

} // namespace
} // namespace snug
