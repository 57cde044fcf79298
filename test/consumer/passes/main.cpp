// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a pass of an installed Snug on a module and prints it.
#include "snug/Dialect/Snug/SnugDialect.h"

#include "passes/FoldIdentity/FoldIdentity.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, snug::cnn::SnugDialect>();
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceFile<mlir::ModuleOp>(argc > 1 ? argv[1] : "-", &context);
  if (!module)
    return 1;
  mlir::PassManager manager(&context);
  manager.addNestedPass<mlir::func::FuncOp>(snug::createFoldIdentityPass());
  if (mlir::failed(manager.run(*module)))
    return 1;
  module->print(llvm::outs());
  return 0;
}
