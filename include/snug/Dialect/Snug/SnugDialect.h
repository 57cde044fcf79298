// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The snug dialect: all that most users of it need.
#ifndef SNUG_DIALECT_SNUG_SNUGDIALECT_H
#define SNUG_DIALECT_SNUG_SNUGDIALECT_H

#include "mlir/IR/Dialect.h"

#include "snug/Dialect/Snug/SnugDialect.h.inc"

#include "snug/Dialect/Snug/SnugAttributes.h"
#include "snug/Dialect/Snug/SnugEnums.h"
#include "snug/Dialect/Snug/SnugInterfaces.h"
#include "snug/Dialect/Snug/SnugOps.h"

#include <string>

namespace snug::cnn {

/// Attributes on the function form of a network.
constexpr llvm::StringLiteral kModelAttrName = "snug.model"; ///< of the module
constexpr llvm::StringLiteral kNameAttrName = "snug.name"; ///< argument, result

/// Name of the ONNX node that `op` came from, "" where its location has none.
llvm::StringRef getNodeName(mlir::Operation *op);
/// For messages: "conv2d 'layer3/conv'", or "conv2d" without a name.
std::string describe(mlir::Operation *op);

} // namespace snug::cnn

#endif // SNUG_DIALECT_SNUG_SNUGDIALECT_H
