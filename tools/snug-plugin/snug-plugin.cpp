// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SnugPlugin.so: the dialects, passes and pipeline for a stock mlir-opt.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Passes.h"
#include "snug/Pipeline/Pipeline.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

extern "C" mlir::DialectPluginLibraryInfo mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Snug", SNUG_VERSION,
          [](mlir::DialectRegistry *registry) {
            registry->insert<mlir::func::FuncDialect, snug::cnn::SnugDialect,
                             snug::plan::PlanDialect>();
          }};
}

extern "C" mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "Snug", SNUG_VERSION, [] {
            snug::registerAllPasses();
            snug::registerPipelines();
          }};
}
