// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Assembly and invariants of the snug_plan dialect's types.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Geometry.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace snug::plan;

#define GET_TYPEDEF_CLASSES
#include "snug/Dialect/Plan/PlanTypes.cpp.inc"

void PlanDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "snug/Dialect/Plan/PlanTypes.cpp.inc"
      >();
}

/// Prints `<1x8x8x3, planar>`.
template <typename Extents>
static void printExtents(AsmPrinter &printer, Extents type) {
  printer << '<' << type.getBatch() << 'x' << type.getHeight() << 'x'
          << type.getWidth() << 'x' << type.getChannels() << ", "
          << stringifyLayout(type.getLayout()) << '>';
}

/// Parses what printExtents() prints.
template <typename Extents> static Type parseExtents(AsmParser &parser) {
  SmallVector<int64_t> extents;
  StringRef keyword;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(extents, /*allowDynamic=*/false,
                                /*withTrailingX=*/false) ||
      parser.parseComma() || parser.parseKeyword(&keyword) ||
      parser.parseGreater())
    return {};
  std::optional<Layout> layout = symbolizeLayout(keyword);
  if (extents.size() != 4 || !layout) {
    parser.emitError(location, "expected batch x height x width x channels and "
                               "a layout, as in <1x8x8x3, planar>");
    return {};
  }
  return parser.getChecked<Extents>(location, parser.getContext(), extents[0],
                                    extents[1], extents[2], extents[3],
                                    *layout);
}

/// Extents are positive and their bytes fit into 64 bits.
static LogicalResult verifyExtents(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t batch, int64_t height, int64_t width,
                                   int64_t channels) {
  std::optional<int64_t> bytes = 4;
  for (int64_t extent : {batch, height, width, channels}) {
    if (extent <= 0)
      return emitError() << "extents must be positive, got " << extent;
    bytes = snug::network::checkedMultiply(*bytes, extent);
    if (!bytes)
      return emitError() << "the bytes of " << batch << "x" << height << "x"
                         << width << "x" << channels
                         << " elements exceed 64 bits";
  }
  return success();
}

void BufferType::print(AsmPrinter &printer) const {
  printExtents(printer, *this);
}
Type BufferType::parse(AsmParser &parser) {
  return parseExtents<BufferType>(parser);
}
LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t batch, int64_t height, int64_t width,
                                 int64_t channels, Layout) {
  return verifyExtents(emitError, batch, height, width, channels);
}

void ViewType::print(AsmPrinter &printer) const {
  printExtents(printer, *this);
}
Type ViewType::parse(AsmParser &parser) {
  return parseExtents<ViewType>(parser);
}
LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t batch, int64_t height, int64_t width,
                               int64_t channels, Layout) {
  return verifyExtents(emitError, batch, height, width, channels);
}

LogicalResult
WorkspaceType::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t bytes) {
  if (bytes <= 0)
    return emitError() << "a workspace has at least one byte, got " << bytes;
  return success();
}
