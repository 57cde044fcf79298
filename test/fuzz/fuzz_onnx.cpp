// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fuzz target: whatever the bytes, importing them as an ONNX model gives a
// module that verifies, or at least one error.
#include "lib/Import/ONNX/GraphImporter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using namespace snug;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<cnn::SnugDialect, mlir::func::FuncDialect>();
  context.printOpOnDiagnostic(false);
  size_t errors = 0;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        errors += diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
        return mlir::success();
      });
  auto file =
      onnx_import::ModelFile::fromMemory(llvm::MemoryBuffer::getMemBufferCopy(
          llvm::StringRef(reinterpret_cast<const char *>(data), size)));
  if (!file)
    return 0;
  // Open dimensions of an input x are fixed; others are refused.
  ImportOptions options;
  if (size % 2)
    options.shapes["x"] = {1, 3, 8, 9};
  auto module = onnx_import::GraphImporter(context, **file, options).import();
  // Exactly one error, or a sound module.
  if (module ? mlir::failed(mlir::verify(*module)) || errors : errors != 1)
    std::abort();
  return 0;
}
