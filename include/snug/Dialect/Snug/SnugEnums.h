// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enumerations of the snug dialect.
#ifndef SNUG_DIALECT_SNUG_SNUGENUMS_H
#define SNUG_DIALECT_SNUG_SNUGENUMS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectImplementation.h"

#include "snug/Dialect/Snug/SnugEnums.h.inc"

#endif // SNUG_DIALECT_SNUG_SNUGENUMS_H
