// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The public functions of ONNX import.
#include "snug/Import/ONNX.h"

#include "GraphImporter.h"
#include "TensorData.h"

#include "llvm/ADT/StringExtras.h"

namespace snug {

Result<std::pair<std::string, std::vector<int64_t>>>
parseShapeOption(const std::string &text) {
  auto [name, dimensions] = llvm::StringRef(text).rsplit('=');
  const Error wrongForm{"--shape takes NAME=DIMENSIONS, for instance "
                        "input=1x3x608x608, but got '" +
                        text + "'"};
  if (name.empty() || name.size() == text.size() || dimensions.empty())
    return wrongForm;
  std::vector<int64_t> shape;
  llvm::SmallVector<llvm::StringRef> parts;
  dimensions.split(parts, 'x');
  for (llvm::StringRef part : parts) {
    int64_t extent = 0;
    if (!llvm::all_of(part, llvm::isDigit) || part.getAsInteger(10, extent))
      return wrongForm;
    if (extent < 1 || extent > onnx_import::kMaximumExtent)
      return Error{"a dimension in '" + text + "' is not in 1 to " +
                   std::to_string(onnx_import::kMaximumExtent)};
    shape.push_back(extent);
  }
  return std::make_pair(name.str(), shape);
}

Result<ImportOptions>
parseImportOptions(const std::vector<std::string> &shapes) {
  ImportOptions options;
  for (const std::string &text : shapes) {
    auto shape = parseShapeOption(text);
    if (!shape)
      return shape.error();
    if (!options.shapes.insert(*shape).second)
      return Error{"--shape is given twice for the input '" + shape->first +
                   "'"};
  }
  return options;
}

mlir::OwningOpRef<mlir::ModuleOp> importONNX(mlir::MLIRContext &context,
                                             llvm::StringRef path,
                                             const ImportOptions &options) {
  context.loadDialect<cnn::SnugDialect, mlir::func::FuncDialect>();
  auto file = onnx_import::ModelFile::open(path);
  if (!file) {
    mlir::emitError(mlir::NameLoc::get(
        mlir::StringAttr::get(&context, path == "-" ? "<stdin>" : path)))
        << file.error().message;
    return {};
  }
  return onnx_import::GraphImporter(context, **file, options).import();
}

} // namespace snug
