// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug_plan dialect.
#ifndef SNUG_DIALECT_PLAN_PLANOPS
#define SNUG_DIALECT_PLAN_PLANOPS

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "snug/Dialect/Plan/PlanDialect.td"
include "snug/Dialect/Plan/PlanEnums.td"
include "snug/Dialect/Plan/PlanInterfaces.td"
include "snug/Dialect/Plan/PlanTypes.td"

// I64Attr reads as uint64_t, which would hide negative numbers.
def Plan_Integer : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute">;

class Plan_Op<string mnemonic, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Program, segments, buffers, views
//===----------------------------------------------------------------------===//

def Plan_ProgramOp : Plan_Op<"program", [IsolatedFromAbove, NoTerminator, SingleBlock, Symbol, SymbolTable]> {
  let summary = "a program for one target and thread count";
  let description = [{
    Segments, buffers, views and kernels in order of execution. `arena` is the
    length of the arena in bytes, known once memory is planned; `predicted` is
    what the compiler promises of a run, in bytes and multiply-accumulates;
    `addresses` tells the peak of the buffers' offsets and a lower bound of it.

    ```mlir
    snug_plan.program @net target "avx2" threads 1 {
      %0 = snug_plan.buffer input "x" shape [1, 3, 8, 8] : !snug_plan.buffer<1x8x8x3, planar>
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$target,
                       ConfinedAttr<Plan_Integer, [IntPositive]>:$threads,
                       OptionalAttr<Plan_Integer>:$arena,
                       OptionalAttr<DictionaryAttr>:$predicted,
                       OptionalAttr<DictionaryAttr>:$addresses,
                       OptionalAttr<ArrayAttr>:$groups);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `target` $target `threads` $threads (`arena` $arena^)?
    attr-dict-with-keyword $body
  }];
  let extraClassDeclaration = [{
    ::mlir::Block &getBlock() { return getBody().front(); }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Plan_SegmentOp : Plan_Op<"segment", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "constant parameters, packed by the kernel catalogue";
  let description = [{
    Holds the values as the model has them: convolution weights as
    [output channels, input channels / groups, height, width], gemm weights as
    [inputs, outputs] or transposed, biases as [channels]. They are packed when
    the plan is written; `bytes` is what that takes, rounded up to 64.

    ```mlir
    snug_plan.segment @conv_weights packing convolution bytes 4608 groups 1 = dense<...> : tensor<32x3x3x3xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_PackingAttr:$packing,
                       ConfinedAttr<Plan_Integer, [IntPositive]>:$bytes,
                       DefaultValuedAttr<Plan_Integer, "1">:$convolution_groups,
                       ElementsAttr:$value);
  let assemblyFormat = [{
    $sym_name `packing` $packing `bytes` $bytes (`groups` $convolution_groups^)? attr-dict `=` $value
  }];
  let extraClassDeclaration = [{
    /// Bytes in a plan file, where every segment begins at a multiple of 64.
    int64_t getFileBytes() { return (getBytes() + 63) / 64 * 64; }
  }];
  let hasVerifier = 1;
}

def Plan_BufferOp : Plan_Op<"buffer", [HasParent<"ProgramOp">]> {
  let summary = "bytes in the arena";
  let description = [{
    Live from the first kernel that touches it to the last; inputs from the
    program's start, outputs to its end. `offset` is given by
    `snug-plan-memory`. Inputs and outputs have the name and the shape that the
    model gives them.

    ```mlir
    %0 = snug_plan.buffer input "image" shape [1, 3, 8, 8] offset 0 : !snug_plan.buffer<1x8x8x3, planar>
    %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x16, channels_last>
    %2 = snug_plan.buffer workspace : !snug_plan.workspace<4096>
    ```
  }];
  let arguments = (ins Plan_RoleAttr:$role, OptionalAttr<StrAttr>:$name,
                       OptionalAttr<DenseI64ArrayAttr>:$shape,
                       OptionalAttr<Plan_Integer>:$offset);
  let results = (outs AnyTypeOf<[Plan_BufferType, Plan_WorkspaceType]>:$result);
  let assemblyFormat = [{
    $role ($name^)? (`shape` $shape^)? (`offset` $offset^)? attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    /// Bytes of the buffer or workspace.
    int64_t getBytes();
  }];
  let hasVerifier = 1;
}

def Plan_ViewOp : Plan_Op<"view", [HasParent<"ProgramOp">, Pure]> {
  let summary = "some rows and columns of a buffer";
  let description = [{
    `row` and `column` are where the view begins, counted from the buffer's
    first element; its extents stand in its type.

    ```mlir
    %1 = snug_plan.view %0[0, 16] : <1x32x32x8, channels_last> -> <1x16x16x8, channels_last>
    ```
  }];
  let arguments = (ins Plan_BufferType:$buffer, Plan_Integer:$row, Plan_Integer:$column);
  let results = (outs Plan_ViewType:$result);
  let assemblyFormat = [{
    $buffer `[` $row `,` $column `]` attr-dict `:` type($buffer) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Plan_ReinterpretOp : Plan_Op<"reinterpret", [HasParent<"ProgramOp">, Pure]> {
  let summary = "the same bytes under other extents";
  let description = [{
    A planar buffer is a tensor's elements in ONNX order, so flattening it moves
    nothing. The result is the same buffer, live where this value is used.

    ```mlir
    %1 = snug_plan.reinterpret %0 : <1x1x1x25088, planar> -> <1x7x7x512, planar>
    ```
  }];
  let arguments = (ins Plan_BufferType:$buffer);
  let results = (outs Plan_BufferType:$result);
  let assemblyFormat = "$buffer attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

class Plan_KernelOp<string mnemonic, list<string> methods = [], list<Trait> traits = []>
    : Plan_Op<mnemonic, [HasParent<"ProgramOp">,
        DeclareOpInterfaceMethods<Plan_KernelOpInterface, methods>] # traits> {
  let hasVerifier = 1;
}

// Group and tile of a kernel: which part of a fused group it belongs to.
defvar placement = (ins OptionalAttr<Plan_Integer>:$group, OptionalAttr<Plan_Integer>:$tile);
defvar window = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                     DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads);
defvar epilogue = (ins DefaultValuedAttr<Plan_ActivationAttr, "Activation::None">:$activation,
                       DefaultValuedAttr<F32Attr, "0.0f">:$slope);

def Plan_MoveOp : Plan_KernelOp<"move"> {
  let summary = "copies a view, changing layout";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $input `to` $output attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_ConvolutionOp : Plan_KernelOp<"convolution", ["getMacs", "getInPlaceInputs"], [AttrSizedOperandSegments]> {
  let summary = "direct or depthwise convolution of a view";
  let description = [{
    output = activation(convolution + bias + residual). `pads` are the padding
    taps around this call's input view: top, left, bottom, right. The output may
    lie exactly on the residual.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      Optional<Plan_ViewType>:$residual, Optional<Plan_WorkspaceType>:$workspace,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias),
      window, (ins DefaultValuedAttr<Plan_Integer, "1">:$convolution_groups), epilogue, placement);
  let assemblyFormat = [{
    $input `to` $output (`residual` $residual^ `:` qualified(type($residual)))?
    (`workspace` $workspace^ `:` qualified(type($workspace)))?
    `weights` $weights (`bias` $bias^)?
    `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads
    (`groups` $convolution_groups^)? (`activation` $activation^)? (`slope` $slope^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_PoolOp : Plan_KernelOp<"pool"> {
  let summary = "max or average pooling of a view";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      Plan_PoolKindAttr:$kind), window,
      (ins DefaultValuedAttr<BoolAttr, "false">:$count_include_pad), placement);
  let assemblyFormat = [{
    $kind $input `to` $output
    `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_GlobalAveragePoolOp : Plan_KernelOp<"global_average_pool"> {
  let summary = "mean over all rows and columns";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $input `to` $output attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_GemmOp : Plan_KernelOp<"gemm", ["getMacs"]> {
  let summary = "fully connected layer: output = activation(input W + bias)";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias), epilogue, placement);
  let assemblyFormat = [{
    $input `to` $output `weights` $weights (`bias` $bias^)?
    (`activation` $activation^)? (`slope` $slope^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_UnaryOp : Plan_KernelOp<"unary", ["getInPlaceInputs"]> {
  let summary = "an activation on its own";
  let description = [{
    The output may lie exactly on the input.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output), epilogue, placement);
  let assemblyFormat = [{
    $input `to` $output (`activation` $activation^)? (`slope` $slope^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_AddOp : Plan_KernelOp<"add", ["getInPlaceInputs"]> {
  let summary = "sum of two views, then an activation";
  let description = [{
    The output may lie exactly on either input.
  }];
  let arguments = !con((ins Plan_ViewType:$left, Plan_ViewType:$right, Plan_ViewType:$output),
                       epilogue, placement);
  let assemblyFormat = [{
    $left `,` $right `to` $output (`activation` $activation^)? (`slope` $slope^)?
    attr-dict `:` type($left) `,` type($right) `to` type($output)
  }];
}

def Plan_SoftmaxOp : Plan_KernelOp<"softmax", ["getInPlaceInputs"]> {
  let summary = "softmax over channels";
  let description = [{
    The output may lie exactly on the input.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $input `to` $output attr-dict `:` type($input) `to` type($output)
  }];
}

#endif // SNUG_DIALECT_PLAN_PLANOPS
