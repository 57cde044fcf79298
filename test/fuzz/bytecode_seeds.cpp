// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes seeds of the bytecode reader's fuzz target: each module of the .mlir
// files that it is given, as bytecode, into a folder.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

int main(int argc, char **argv) {
  if (argc < 3) {
    llvm::errs() << "usage: " << argv[0] << " FOLDER MODULES.mlir...\n";
    return 2;
  }
  int number = 0;
  for (int index = 2; index < argc; ++index) {
    auto file = llvm::MemoryBuffer::getFile(argv[index]);
    if (!file) {
      llvm::errs() << "cannot read " << argv[index] << "\n";
      return 1;
    }
    llvm::SmallVector<llvm::StringRef> parts;
    (*file)->getBuffer().split(parts, "// -----");
    for (llvm::StringRef part : parts) {
      mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
      context.loadDialect<mlir::func::FuncDialect, snug::cnn::SnugDialect,
                          snug::plan::PlanDialect>();
      auto module = mlir::parseSourceString<mlir::ModuleOp>(
          part, mlir::ParserConfig(&context));
      if (!module)
        return 1; // told by the parser
      std::string problem;
      const std::string path =
          std::string(argv[1]) + "/" + std::to_string(number++) + ".mlirbc";
      auto output = mlir::openOutputFile(path, &problem);
      if (!output ||
          mlir::failed(mlir::writeBytecodeToFile(*module, output->os()))) {
        llvm::errs() << "cannot write " << path << ": " << problem << "\n";
        return 1;
      }
      output->keep();
    }
  }
  return 0;
}
