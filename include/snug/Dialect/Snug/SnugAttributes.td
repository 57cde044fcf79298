// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attributes of the snug dialect: the schedules of fused groups.
#ifndef SNUG_DIALECT_SNUG_SNUGATTRIBUTES
#define SNUG_DIALECT_SNUG_SNUGATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "snug/Dialect/Snug/SnugDialect.td"
include "snug/Dialect/Snug/SnugInterfaces.td"

class Snug_ScheduleAttr<string name, string attrMnemonic>
    : AttrDef<Snug_Dialect, name, [DeclareAttrInterfaceMethods<Snug_ScheduleAttrInterface>]> {
  let mnemonic = attrMnemonic;
}

def Snug_WholeAttr : Snug_ScheduleAttr<"Whole", "whole"> {
  let summary = "layer by layer on full tensors";
}

def Snug_GridAttr : Snug_ScheduleAttr<"Grid", "grid"> {
  let summary = "independent tiles, halos recomputed";
  let description = [{
    The group's output is cut into rows x columns tiles; each runs through all
    layers (fused tile partitioning). `#snug.grid<tiles = [5, 4]>` is 5 tiles
    from top to bottom and 4 from left to right.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` `tiles` `=` `[` $rows `,` $columns `]` `>`";
  let genVerifyDecl = 1;
}

#endif // SNUG_DIALECT_SNUG_SNUGATTRIBUTES
