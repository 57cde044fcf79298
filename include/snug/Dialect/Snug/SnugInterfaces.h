// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interfaces of the snug dialect, and the helpers that their defaults use.
#ifndef SNUG_DIALECT_SNUG_SNUGINTERFACES_H
#define SNUG_DIALECT_SNUG_SNUGINTERFACES_H

#include "snug/Network/Geometry.h"
#include "snug/Network/Schedule.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

namespace snug::cnn {

/// The axes of an image that can be cut: axes 2 and 3 of NCHW.
enum class SpatialAxis { Height = 0, Width = 1 };

/// Tensors have at most as many axes: what taking an image's blocks apart
/// needs.
constexpr int64_t kMaximumRank = 6;

namespace detail {

/// True for ranked float32 tensors without encoding, of at most kMaximumRank
/// axes, whose extents are all known and at least one, and whose bytes fit
/// int64_t.
bool isStaticTensor(mlir::Type type);
/// Height and width for an image, nothing for other ranks.
llvm::SmallVector<SpatialAxis> spatialAxes(mlir::Type type);
/// Bytes of the operands that ReceptiveFieldOpInterface does not call
/// activations.
int64_t parameterBytes(mlir::Operation *op);
/// Refuses an op whose multiply-accumulates overflow int64_t.
llvm::LogicalResult verifyCost(mlir::Operation *op);

} // namespace detail
} // namespace snug::cnn

#include "snug/Dialect/Snug/SnugAttrInterfaces.h.inc"
#include "snug/Dialect/Snug/SnugOpInterfaces.h.inc"

#endif // SNUG_DIALECT_SNUG_SNUGINTERFACES_H
