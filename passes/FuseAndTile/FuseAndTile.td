// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declares the pass snug-fuse-and-tile.
#ifndef SNUG_PASSES_FUSEANDTILE
#define SNUG_PASSES_FUSEANDTILE

include "mlir/Pass/PassBase.td"

def FuseAndTilePass : Pass<"snug-fuse-and-tile", "::mlir::func::FuncOp"> {
  let summary = "groups layers that run tile by tile, within a memory budget";
  let description = [{
    Requires: a function of the `snug` dialect without fused groups. Folded or
    not: batch norm and activation belong to the convolution before them.

    Guarantees: layers that run in tiles stand in `snug.fused_group` operations
    with a grid schedule; the values that the function computes are unchanged.
    With `groups`, those are the groups: `8:5x5,16:2x2` makes layers 0 to 7 one
    group on a 5x5 grid and layers 8 to 15 another on 2x2; `16:whole` runs them
    layer by layer. Without it, the fewest multiply-accumulates within
    `memory-budget` decide, over any groups of consecutive operations (at most
    `max-groups` of them) and every grid of 1 to 6, 8, 12 or 16 tiles along an
    axis and 64 together. Where the budget is kept without groups, and without a
    budget, nothing is grouped: first `allow_winograd` is taken from convolutions
    whose scratch stands in the way. Otherwise those that allow Winograd's kernel
    count with its scratch, and lose the permission only where no plan has room
    for it.

    Fails when: no such plan keeps the budget (the error tells the smallest
    budget that would do and the buffers to blame), the groups do not fit the
    network, or an option cannot be read.

    Example:

    ```mlir
    // snug-opt --snug-fuse-and-tile="groups=1:2x2"
    %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 2]>) ...
    ```
  }];
  let options = [
    Option<"memoryBudget", "memory-budget", "std::string", "\"\"",
           "bytes, as 32MiB; empty: no limit">,
    Option<"budgetScope", "budget-scope", "std::string", "\"process\"",
           "what the budget bounds: process or arena">,
    Option<"weights", "weights", "std::string", "\"resident\"",
           "which weights the budget counts: resident, all of them; streamed, those of the op or grid group that runs">,
    Option<"maxGroups", "max-groups", "int64_t", "-1",
           "groups at most; 0 groups nothing, -1 is no limit">,
    Option<"groups", "groups", "std::string", "\"\"",
           "explicit groups, as 8:5x5,16:2x2">,
    Option<"target", "target", "std::string", "\"host\"",
           "instruction set: host, portable, avx2, avx512">,
    Option<"threads", "threads", "int64_t", "1", "threads of the plan">,
    Option<"device", "device", "std::string", "\"generic-cpu\"",
           "device profile by name, or a .json file">
  ];
  let statistics = [
    Statistic<"candidates", "candidates", "groups and grids that the search weighed">
  ];
  let dependentDialects = ["::snug::cnn::SnugDialect"];
}

#endif // SNUG_PASSES_FUSEANDTILE
