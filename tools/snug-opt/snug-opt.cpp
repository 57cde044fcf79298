// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-opt: reads a module, runs passes on it, prints it.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Passes.h"
#include "snug/Pipeline/Pipeline.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);

  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, snug::cnn::SnugDialect,
                  snug::plan::PlanDialect>();
  mlir::registerTransformsPasses(); // canonicalize, cse, inline, ...
  snug::registerAllPasses();
  snug::registerPipelines();

  const std::string overview = mlir::registerCLIOptions(
      "snug-opt: runs passes on Snug's modules", registry);
  llvm::cl::opt<std::string> input(
      llvm::cl::Positional, llvm::cl::init("-"),
      llvm::cl::desc("<module; - or none: stdin>"));
  llvm::cl::opt<std::string> output(
      "o", llvm::cl::init("-"), llvm::cl::value_desc("file"),
      llvm::cl::desc("where to print; -: stdout"));
  // MLIR's own parser of these options leaves with 1, which means a bad input.
  if (!llvm::cl::ParseCommandLineOptions(argc, argv, overview, &llvm::errs()))
    return 2;
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, input, output, registry));
}
