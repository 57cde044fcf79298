// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Custom parts of the assembly of snug ops.
#ifndef SNUG_LIB_DIALECT_SNUG_SNUGASSEMBLY_H
#define SNUG_LIB_DIALECT_SNUG_SNUGASSEMBLY_H

#include "snug/Dialect/Snug/SnugAttributes.h"
#include "snug/Dialect/Snug/SnugEnums.h"

#include "mlir/IR/OpImplementation.h"

namespace snug::cnn {

/// A float32 with as few digits as bring it back: 0.1, 1.0e-05, inf, -inf.
mlir::ParseResult parseShortFloat(mlir::OpAsmParser &parser,
                                  mlir::FloatAttr &value);
void printShortFloat(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                     mlir::FloatAttr value);

/// The same for an array of doubles: [0.5, -0.25].
mlir::ParseResult parseShortDoubles(mlir::OpAsmParser &parser,
                                    mlir::DenseF64ArrayAttr &values);
void printShortDoubles(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                       mlir::DenseF64ArrayAttr values);

/// "relu", "leaky_relu(0.1)", "clip(0.0, 6.0)": the parameters that it has.
mlir::ParseResult parseActivation(mlir::OpAsmParser &parser,
                                  ActivationAttr &activation,
                                  mlir::FloatAttr &alpha,
                                  mlir::FloatAttr &beta);
void printActivation(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                     ActivationAttr activation, mlir::FloatAttr alpha,
                     mlir::FloatAttr beta);

} // namespace snug::cnn

#endif // SNUG_LIB_DIALECT_SNUG_SNUGASSEMBLY_H
