// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fuzz target: bytecode with our dialects is read, verified, printed and
// written as a plan, or refused.
//
// The bytecode reader is MLIR's, which does not promise to survive damaged
// files; what is found in our dialects' own readers, verifiers and exporter is
// ours. See docs/Debugging.md for what is left out.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Export/ExportPlan.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Text goes to another parser.
  static const unsigned char magic[] = {'M', 'L', 0xef, 'R'};
  if (size < sizeof(magic) || std::memcmp(data, magic, sizeof(magic)) != 0)
    return 0;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<mlir::func::FuncDialect, snug::cnn::SnugDialect,
                      snug::plan::PlanDialect>();
  context.printOpOnDiagnostic(false);
  mlir::ScopedDiagnosticHandler handler(
      &context, [](mlir::Diagnostic &) { return mlir::success(); });
  void *aligned = nullptr;
  if (posix_memalign(&aligned, 64, size) != 0)
    return 0;
  std::memcpy(aligned, data, size);
  {
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::parseSourceString<mlir::ModuleOp>(
            llvm::StringRef(static_cast<const char *>(aligned), size),
            mlir::ParserConfig(&context));
    if (module) {
      std::string text;
      llvm::raw_string_ostream stream(text);
      module->print(stream);
      llvm::raw_null_ostream plan;
      (void)snug::exportPlan(*module, plan);
    }
  }
  std::free(aligned);
  return 0;
}
