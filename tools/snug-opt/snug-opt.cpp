// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-opt: reads a module, runs passes on it, prints it.
#include "tools/shared/InputFile.h"

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
#include "llvm/Support/Process.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

/// What MlirOptMain() does with a file, for a module that comes through a pipe:
/// it would leave its blobs where the parser refuses them.
static int runOnPipe(llvm::StringRef outputPath,
                     mlir::DialectRegistry &registry) {
  std::string problem;
  auto output = mlir::openOutputFile(outputPath, &problem);
  auto input = output ? snug::tool::openAlignedInput("-", problem) : nullptr;
  if (!input) {
    llvm::errs() << problem << "\n";
    return 1;
  }
  if (mlir::failed(
          mlir::MlirOptMain(output->os(), std::move(input), registry,
                            mlir::MlirOptMainConfig::createFromCLOptions())))
    return 1;
  output->keep();
  return 0;
}

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
  if (input != "-" || llvm::sys::Process::StandardInIsUserInput())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, input, output, registry));
  return runOnPipe(output, registry);
}
