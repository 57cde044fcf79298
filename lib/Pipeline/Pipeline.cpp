// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases from an imported model to a program.
#include "snug/Pipeline/Pipeline.h"

#include "passes/AllowWinograd/AllowWinograd.h"
#include "passes/CombineActivations/CombineActivations.h"
#include "passes/CombineShuffles/CombineShuffles.h"
#include "passes/ConvertToPlan/ConvertToPlan.h"
#include "passes/FoldActivation/FoldActivation.h"
#include "passes/FoldAffine/FoldAffine.h"
#include "passes/FoldBatchNorm/FoldBatchNorm.h"
#include "passes/FoldIdentity/FoldIdentity.h"
#include "passes/FoldPad/FoldPad.h"
#include "passes/FoldReshape/FoldReshape.h"
#include "passes/FoldResidual/FoldResidual.h"
#include "passes/FuseAndTile/FuseAndTile.h"
#include "passes/PlanMemory/PlanMemory.h"
#include "passes/SeparateOutputs/SeparateOutputs.h"
#include "passes/VerifyFolded/VerifyFolded.h"
#include "passes/VerifyPlan/VerifyPlan.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace snug {

void populateFold(OpPassManager &manager, const PipelineOptions &options) {
  OpPassManager &functions = manager.nest<func::FuncOp>();
  functions.addPass(createFoldIdentityPass());
  functions.addPass(createFoldReshapePass());
  functions.addPass(createCombineShufflesPass());
  functions.addPass(createCombineActivationsPass());
  functions.addPass(createFoldPadPass());
  FoldAffinePassOptions affine;
  affine.freeWeights = options.freeWeights;
  FoldBatchNormPassOptions batchNorm;
  batchNorm.freeWeights = options.freeWeights;
  // A constant may be added before a batch norm as well as behind it.
  functions.addPass(createFoldAffinePass(affine));
  functions.addPass(createFoldBatchNormPass(batchNorm));
  functions.addPass(createFoldAffinePass(affine));
  // A residual sum comes before the activation in a kernel's epilogue, so it
  // has to be there first.
  functions.addPass(createFoldResidualPass());
  functions.addPass(createFoldActivationPass());
  functions.addPass(createSeparateOutputsPass());
  if (options.winograd)
    functions.addPass(createAllowWinogradPass());
}

void populateFuseAndTile(OpPassManager &manager,
                         const PipelineOptions &options) {
  FuseAndTilePassOptions pass;
  pass.memoryBudget = options.memoryBudget;
  pass.budgetScope = options.budgetScope;
  pass.weights = options.weights;
  pass.maxGroups = options.maxGroups;
  pass.groups = options.groups;
  pass.target = options.target;
  pass.threads = options.threads;
  pass.device = options.device;
  manager.addNestedPass<func::FuncOp>(createFuseAndTilePass(pass));
}

void populatePlan(OpPassManager &manager, const PipelineOptions &options) {
  ConvertToPlanPassOptions convert;
  convert.target = options.target;
  convert.threads = options.threads;
  manager.addPass(createConvertToPlanPass(convert));
  PlanMemoryPassOptions memory;
  memory.device = options.device;
  memory.weights = options.weights;
  manager.addPass(createPlanMemoryPass(memory));
  manager.addPass(createVerifyPlanPass());
}

void populateCompile(OpPassManager &manager, const PipelineOptions &options) {
  populateFold(manager, options);
  // Before a search that would be for nothing.
  manager.addNestedPass<func::FuncOp>(createVerifyFoldedPass());
  populateFuseAndTile(manager, options);
  populatePlan(manager, options);
}

namespace {

/// PipelineOptions as a textual pipeline takes them.
struct TextualOptions : public PassPipelineOptions<TextualOptions> {
  PipelineOptions defaults;
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("instruction set of the plan"),
                             llvm::cl::init(defaults.target)};
  Option<int64_t> threads{*this, "threads",
                          llvm::cl::desc("threads of the plan"),
                          llvm::cl::init(defaults.threads)};
  Option<std::string> device{*this, "device", llvm::cl::desc("device profile"),
                             llvm::cl::init(defaults.device)};
  Option<bool> winograd{*this, "winograd",
                        llvm::cl::desc("convolutions by Winograd's algorithm "
                                       "where that is faster"),
                        llvm::cl::init(defaults.winograd)};
  Option<std::string> memoryBudget{*this, "memory-budget",
                                   llvm::cl::desc("bytes, as 32MiB"),
                                   llvm::cl::init(defaults.memoryBudget)};
  Option<std::string> budgetScope{*this, "budget-scope",
                                  llvm::cl::desc("process or arena"),
                                  llvm::cl::init(defaults.budgetScope)};
  Option<std::string> weights{*this, "weights",
                              llvm::cl::desc("resident or streamed"),
                              llvm::cl::init(defaults.weights)};
  Option<int64_t> maxGroups{*this, "max-groups",
                            llvm::cl::desc("groups at most, -1: any number"),
                            llvm::cl::init(defaults.maxGroups)};
  Option<std::string> groups{*this, "groups", llvm::cl::desc("explicit groups"),
                             llvm::cl::init(defaults.groups)};
};

} // namespace

void registerPipelines() {
  PassPipelineRegistration<TextualOptions>(
      "snug-compile-pipeline",
      "from an imported model to a program that can be exported as a plan",
      [](OpPassManager &manager, const TextualOptions &text) {
        PipelineOptions options;
        options.target = text.target;
        options.threads = text.threads;
        options.device = text.device;
        options.winograd = text.winograd;
        options.memoryBudget = text.memoryBudget;
        options.budgetScope = text.budgetScope;
        options.weights = text.weights;
        options.maxGroups = text.maxGroups;
        options.groups = text.groups;
        populateCompile(manager, options);
      });
}

} // namespace snug
