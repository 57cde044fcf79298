// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect: all of them, by family.
#ifndef SNUG_DIALECT_SNUG_SNUGOPS
#define SNUG_DIALECT_SNUG_SNUGOPS

include "snug/Dialect/Snug/SnugElementwiseOps.td"
include "snug/Dialect/Snug/SnugLayerOps.td"
include "snug/Dialect/Snug/SnugOpBase.td"
include "snug/Dialect/Snug/SnugShapeOps.td"

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

def Snug_ConstantOp : Snug_Op<"constant", [
    Pure, ConstantLike, AllTypesMatch<["value", "result"]>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "parameters of the network";
  let description = [{
    A tensor of known numbers: `dense_resource` for weights, which are large and
    must never be copied or printed by accident, `dense` in small examples.

    Constraints: the attribute is `dense` or `dense_resource`; a resource that is
    present holds exactly the tensor's bytes, aligned to 4. (A resource may be
    absent where a module was printed without its weights.)

    ```mlir
    %0 = snug.constant dense_resource<conv0.weight> : tensor<32x3x3x3xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Foreign operations
//===----------------------------------------------------------------------===//

def Snug_OpaqueOp : Snug_Op<"opaque", [
    Pure,
    Snug_ReceptiveField<["getAxisMap", "getActivationOperands", "getTileableAxes"]>,
    Snug_Cost<["isCostKnown"]>]> {
  let summary = "a node of the model that this dialect has no operation for";
  let description = [{
    Kept as it is, so that a network with foreign parts can be analysed: `name` is
    the ONNX operator, `domain` its domain, `node` the serialized NodeProto. It
    needs all of its operands for any part of a result, its work is unknown, and
    nothing executes it.

    Constraints: a name, and at least one result.

    ```mlir
    %2 = snug.opaque "GridSample"(%0, %1) node "..."
        : (tensor<1x3x8x8xf32>, tensor<1x4x4x2xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<Snug_Tensor>:$inputs,
                       DefaultValuedAttr<StrAttr, [{""}]>:$domain,
                       DefaultValuedAttr<StrAttr, [{""}]>:$node);
  let results = (outs Variadic<Snug_Tensor>:$outputs);
  let assemblyFormat = [{
    $name `(` $inputs `)` (`domain` $domain^)? (`node` $node^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Fused groups
//===----------------------------------------------------------------------===//

def Snug_FusedGroupOp : Snug_Op<"fused_group", [
    IsolatedFromAbove, RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "layers that run under one schedule";
  let description = [{
    The layers of the group and their constants on full-size tensors, exactly as
    they stood outside. What a group computes never depends on its schedule,
    which says how it runs: `#snug.whole` or `#snug.grid<tiles = [5, 5]>`.

    Constraints: the block's arguments have the operands' types, `snug.yield`
    the results' types; the block holds ops of this dialect and no further
    group; a grid has at most as many tiles as each result has rows and columns.

    ```mlir
    %1 = snug.fused_group(%in = %0) schedule(#snug.grid<tiles = [2, 2]>)
        : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32> {
      %2 = snug.max_pool2d %in kernel [2, 2] strides [2, 2]
          : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32>
      snug.yield %2 : tensor<1x1x4x4xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Snug_Tensor>:$inputs, Snug_ScheduleAttrInterface:$schedule);
  let results = (outs Variadic<Snug_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block &getBlock() { return getBody().front(); }
    ::snug::cnn::YieldOp getYield();
  }];
}

def Snug_YieldOp : Snug_Op<"yield", [Pure, Terminator, HasParent<"FusedGroupOp">]> {
  let summary = "the results of a fused group";
  let arguments = (ins Variadic<Snug_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // SNUG_DIALECT_SNUG_SNUGOPS
