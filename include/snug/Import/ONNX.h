// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The way in: an ONNX file becomes a module of the `snug` dialect.
#ifndef SNUG_IMPORT_ONNX_H
#define SNUG_IMPORT_ONNX_H

#include "snug/Network/Result.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace snug {

struct ImportOptions {
  /// Shapes of network inputs by name, outermost dimension first. They fill
  /// dimensions that the file leaves open and may not contradict the others.
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Fills the outermost dimension of inputs that leave it open and have no
  /// shape above.
  std::optional<int64_t> batch;
  /// Weights get their shapes alone, and zeros for elements: analyses that ask
  /// for no element take neither the time nor the memory of reading them.
  bool shapesOnly = false;
};

/// Parses one `--shape` option, "input=1x3x608x608". The name may hold any
/// character; the last `=` ends it. Dimensions are 1 to 2147483647.
Result<std::pair<std::string, std::vector<int64_t>>>
parseShapeOption(const std::string &text);

/// Parses all of them. Error: one that cannot be read, or two for one input.
Result<ImportOptions>
parseImportOptions(const std::vector<std::string> &shapes);

/// Reads an ONNX model (`path`, or standard input for "-") into a module with
/// one function `main`: tensors are float32 with static shapes, NCHW; weights
/// are resources named after their initializers; each op's location is the
/// name of its node. Operator sets 7 and newer are understood
/// (docs/Operators.md). Nodes of other operators or forms become snug.opaque
/// where the shapes of their results are known, and one warning has a note for
/// each; others warn of quantised networks and of smaller floats.
///
/// On failure emits exactly one error, with a note for each unsupported or
/// malformed node and attribute of the whole file, and returns null.
mlir::OwningOpRef<mlir::ModuleOp> importONNX(mlir::MLIRContext &context,
                                             llvm::StringRef path,
                                             const ImportOptions &options = {});

} // namespace snug

#endif // SNUG_IMPORT_ONNX_H
