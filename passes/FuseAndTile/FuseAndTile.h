// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pass snug-fuse-and-tile.
#ifndef SNUG_PASSES_FUSEANDTILE_H
#define SNUG_PASSES_FUSEANDTILE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>
#include <string>

namespace snug {

#define GEN_PASS_DECL
#include "passes/FuseAndTile/FuseAndTile.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/FuseAndTile/FuseAndTile.h.inc"

} // namespace snug

#endif // SNUG_PASSES_FUSEANDTILE_H
