// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enumerations of the snug dialect.
#ifndef SNUG_DIALECT_SNUG_SNUGENUMS_H
#define SNUG_DIALECT_SNUG_SNUGENUMS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectImplementation.h"

#include "snug/Dialect/Snug/SnugEnums.h.inc"

namespace snug::cnn {

/// How many of `alpha` and `beta` an activation has: 0, 1 or 2.
int getParameterCount(Activation activation);

} // namespace snug::cnn

#endif // SNUG_DIALECT_SNUG_SNUGENUMS_H
