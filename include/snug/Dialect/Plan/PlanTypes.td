// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of the snug_plan dialect: buffers, workspaces and views.
#ifndef SNUG_DIALECT_PLAN_PLANTYPES
#define SNUG_DIALECT_PLAN_PLANTYPES

include "mlir/IR/AttrTypeBase.td"
include "snug/Dialect/Plan/PlanDialect.td"
include "snug/Dialect/Plan/PlanEnums.td"

class Plan_Type<string name, string typeMnemonic> : TypeDef<Plan_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Plan_BufferType : Plan_Type<"Buffer", "buffer"> {
  let summary = "float32 elements in the arena";
  let description = [{
    Extents are always batch x height x width x channels, whatever the layout.

    ```mlir
    !snug_plan.buffer<1x152x152x64, channels_last>
    ```
  }];
  let parameters = (ins "int64_t":$batch, "int64_t":$height, "int64_t":$width,
                        "int64_t":$channels, "::snug::plan::Layout":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of all elements.
    int64_t getBytes() const { return 4 * getBatch() * getHeight() * getWidth() * getChannels(); }
  }];
}

def Plan_WorkspaceType : Plan_Type<"Workspace", "workspace"> {
  let summary = "scratch bytes of one kernel call";
  let parameters = (ins "int64_t":$bytes);
  let assemblyFormat = "`<` $bytes `>`";
  let genVerifyDecl = 1;
}

def Plan_ViewType : Plan_Type<"View", "view"> {
  let summary = "all batches of some rows, columns and channels of a buffer";
  let description = [{
    ```mlir
    !snug_plan.view<1x16x16x64, channels_last>
    ```
  }];
  let parameters = (ins "int64_t":$batch, "int64_t":$height, "int64_t":$width,
                        "int64_t":$channels, "::snug::plan::Layout":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // SNUG_DIALECT_PLAN_PLANTYPES
