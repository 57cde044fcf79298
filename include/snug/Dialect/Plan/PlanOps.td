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
    With `stream_weights` the segments that a kernel reads are mapped before it
    runs and released behind it, those of a grid group for as long as its tiles
    run.

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
                       OptionalAttr<ArrayAttr>:$groups,
                       UnitAttr:$stream_weights);
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
    [output channels, input channels / groups, height, width], those of a
    transposed convolution as [input channels, output channels / groups, height,
    width], gemm weights as [inputs, outputs] or transposed, biases as
    [channels], other constants in any shape. They are packed when the plan is
    written; `bytes` is what that takes, rounded up to 64. Weights of a
    transposed convolution are packed for its strides and dilations. A `constant` stays
    in row-major order, a `channels_last_constant` turns from [N, C, H, W] into
    [N, H, W, C].

    ```mlir
    snug_plan.segment @conv_weights packing convolution bytes 4608 groups 1 = dense<...> : tensor<32x3x3x3xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_PackingAttr:$packing,
                       ConfinedAttr<Plan_Integer, [IntPositive]>:$bytes,
                       DefaultValuedAttr<Plan_Integer, "1">:$convolution_groups,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                       ElementsAttr:$value);
  let assemblyFormat = [{
    $sym_name `packing` $packing `bytes` $bytes (`groups` $convolution_groups^)?
    (`strides` $strides^)? (`dilations` $dilations^)? attr-dict `=` $value
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
  let summary = "some rows, columns and channels of a buffer";
  let description = [{
    `row`, `column` and `channel` are where the view begins, counted from the
    buffer's first element; its extents stand in its type.

    ```mlir
    %1 = snug_plan.view %0[0, 16] : <1x32x32x8, channels_last> -> <1x16x16x8, channels_last>
    %2 = snug_plan.view %0[0, 0, 4] : <1x32x32x8, channels_last> -> <1x32x32x4, channels_last>
    ```
  }];
  let arguments = (ins Plan_BufferType:$buffer, Plan_Integer:$row, Plan_Integer:$column,
                       DefaultValuedAttr<Plan_Integer, "0">:$channel);
  let results = (outs Plan_ViewType:$result);
  let assemblyFormat = [{
    $buffer `[` $row `,` $column (`,` $channel^)? `]` attr-dict `:` type($buffer) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Plan_ReinterpretOp : Plan_Op<"reinterpret", [HasParent<"ProgramOp">, Pure]> {
  let summary = "the same bytes under other extents";
  let description = [{
    Elements keep their places, so flattening a planar tensor moves nothing, and
    a tensor of any rank is read as the four extents that a kernel knows. The
    result is the same buffer, live where this value is used.

    ```mlir
    %1 = snug_plan.reinterpret %0 : <1x1x1x25088, planar> -> <1x7x7x512, planar>
    %2 = snug_plan.reinterpret %0 : <1x1x1x25088, planar> -> <7x7x1x512, channels_last>
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

// What a kernel says of its segments is checked with the program's symbol table
// at hand: a lookup on its own would walk the program for every kernel.
def Plan_UsesSegments : DeclareOpInterfaceMethods<SymbolUserOpInterface>;

// Group and tile of a kernel: which part of a fused group it belongs to.
defvar placement = (ins OptionalAttr<Plan_Integer>:$group, OptionalAttr<Plan_Integer>:$tile);
defvar window = (ins DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
                     DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads);
defvar epilogue = (ins DefaultValuedAttr<Plan_ActivationAttr, "Activation::None">:$activation,
                       DefaultValuedAttr<F32Attr, "0.0f">:$alpha,
                       DefaultValuedAttr<F32Attr, "0.0f">:$beta);

def Plan_MoveOp : Plan_KernelOp<"move"> {
  let summary = "copies a view, changing layout";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $input `to` $output attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_ConvolutionOp : Plan_KernelOp<"convolution", ["getMacs", "getInPlaceInputs"],
    [AttrSizedOperandSegments, Plan_UsesSegments]> {
  let summary = "direct, depthwise or Winograd convolution of a view";
  let description = [{
    output = activation(convolution + bias + residual). `pads` are the padding
    taps around this call's input view: top, left, bottom, right. The output may
    lie exactly on the residual. `winograd` names that kernel, for windows of
    3x3 without strides, dilations and groups; it needs a workspace.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      Optional<Plan_ViewType>:$residual, Optional<Plan_WorkspaceType>:$workspace,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias),
      window, (ins DefaultValuedAttr<Plan_Integer, "1">:$convolution_groups), epilogue,
      (ins UnitAttr:$winograd), placement);
  let assemblyFormat = [{
    $input `to` $output (`residual` $residual^ `:` qualified(type($residual)))?
    (`workspace` $workspace^ `:` qualified(type($workspace)))?
    `weights` $weights (`bias` $bias^)?
    `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads
    (`groups` $convolution_groups^)? (`activation` $activation^)? (`alpha` $alpha^)? (`beta` $beta^)?
    (`winograd` $winograd^)? attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_TransposedConvolutionOp : Plan_KernelOp<"transposed_convolution", ["getMacs"],
    [Plan_UsesSegments]> {
  let summary = "transposed convolution of a view";
  let description = [{
    Row `i` of the input's view adds, with tap `k`, to row
    `i * stride + k * dilation - offsets[0]` of the output's view where that
    exists; columns alike with `offsets[1]`. Then bias and activation.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias,
      DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations,
      DenseI64ArrayAttr:$offsets, DefaultValuedAttr<Plan_Integer, "1">:$convolution_groups),
      epilogue, placement);
  let assemblyFormat = [{
    $input `to` $output `weights` $weights (`bias` $bias^)?
    `kernel` $kernel `strides` $strides `dilations` $dilations `offsets` $offsets
    (`groups` $convolution_groups^)?
    (`activation` $activation^)? (`alpha` $alpha^)? (`beta` $beta^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_PoolOp : Plan_KernelOp<"pool"> {
  let summary = "max or average pooling of a view";
  let description = [{
    An average is taken over the elements inside the view or, with
    `count_include_pad`, also over the padding above and left of it and over
    `counted` [bottom, right] rows and columns behind it.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      Plan_PoolKindAttr:$kind), window,
      (ins DefaultValuedAttr<BoolAttr, "false">:$count_include_pad,
           DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0}">:$counted), placement);
  let assemblyFormat = [{
    $kind $input `to` $output
    `kernel` $kernel `strides` $strides `dilations` $dilations `pads` $pads (`counted` $counted^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_ReduceOp : Plan_KernelOp<"reduce"> {
  let summary = "largest, smallest, mean or sum over all rows and columns";
  let arguments = !con((ins Plan_ReduceKindAttr:$kind, Plan_ViewType:$input, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $kind $input `to` $output attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_GemmOp : Plan_KernelOp<"gemm", ["getMacs"], [Plan_UsesSegments]> {
  let summary = "fully connected layer: output = activation(input W + bias)";
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias), epilogue, placement);
  let assemblyFormat = [{
    $input `to` $output `weights` $weights (`bias` $bias^)?
    (`activation` $activation^)? (`alpha` $alpha^)? (`beta` $beta^)?
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
    $input `to` $output (`activation` $activation^)? (`alpha` $alpha^)? (`beta` $beta^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_BinaryOp : Plan_KernelOp<"binary", ["getInPlaceInputs"], [
    AttrSizedOperandSegments, Plan_UsesSegments]> {
  let summary = "function of two views, or of a view and a constant, then an activation";
  let description = [{
    Each extent of an operand is the output's, or one: that element then stands
    for all along the axis. A constant is a segment, read from element
    `constant_begin` on with `constant_extents` and `constant_strides` (batch,
    height, width, channels). The output may lie exactly on an operand of its
    own extents.

    ```mlir
    snug_plan.binary add left %1 : !snug_plan.view<1x8x8x4, channels_last> right %2 : !snug_plan.view<1x8x8x4, channels_last>
        to %3 : <1x8x8x4, channels_last>
    snug_plan.binary mul left %1 : !snug_plan.view<1x8x8x4, channels_last>
        constant @scale begin 0 extents [1, 1, 1, 4] strides [4, 4, 4, 1] to %3 : <1x8x8x4, channels_last>
    ```
  }];
  let arguments = !con((ins Plan_BinaryKindAttr:$kind,
      Optional<Plan_ViewType>:$left, Optional<Plan_ViewType>:$right, Plan_ViewType:$output,
      OptionalAttr<FlatSymbolRefAttr>:$constant,
      OptionalAttr<Plan_Integer>:$constant_begin,
      OptionalAttr<DenseI64ArrayAttr>:$constant_extents,
      OptionalAttr<DenseI64ArrayAttr>:$constant_strides), epilogue, placement);
  let assemblyFormat = [{
    $kind (`left` $left^ `:` qualified(type($left)))? (`right` $right^ `:` qualified(type($right)))?
    (`constant` $constant^ `begin` $constant_begin `extents` $constant_extents `strides` $constant_strides)?
    `to` $output (`activation` $activation^)? (`alpha` $alpha^)? (`beta` $beta^)?
    attr-dict `:` type($output)
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

def Plan_LrnOp : Plan_KernelOp<"lrn"> {
  let summary = "local response normalisation over channels";
  let description = [{
    output = input / (bias + alpha / size * sum of squares)^beta, the sum over
    `size` channels around each.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output, Plan_Integer:$size,
      F32Attr:$alpha, F32Attr:$beta, F32Attr:$bias), placement);
  let assemblyFormat = [{
    $input `to` $output `size` $size `alpha` $alpha `beta` $beta `bias` $bias
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_MatMulOp : Plan_KernelOp<"matmul", ["getMacs"]> {
  let summary = "products of matrices that are both computed at run time";
  let description = [{
    A view holds one matrix a batch: height is its rows, width its columns. One
    matrix on either side stands for all.
  }];
  let arguments = !con((ins Plan_ViewType:$left, Plan_ViewType:$right, Plan_ViewType:$output), placement);
  let assemblyFormat = [{
    $left `,` $right `to` $output attr-dict `:` type($left) `,` type($right) `to` type($output)
  }];
}

//===----------------------------------------------------------------------===//
// Kernels that copy or resample
//===----------------------------------------------------------------------===//

def Plan_ResizeOp : Plan_KernelOp<"resize"> {
  let summary = "nearest or linear sampling of rows and columns";
  let description = [{
    Output row `r` of the whole tensor samples input row `scale[0] * r +
    shift[0]`, clamped to the input; columns alike. `input_extents` are the rows
    and columns of the whole input, `input_begin` and `output_begin` where the
    views begin in the whole tensors.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output, Plan_ResizeModeAttr:$mode,
      DefaultValuedAttr<Plan_RoundingAttr, "Rounding::RoundPreferFloor">:$rounding,
      DenseF64ArrayAttr:$scale, DenseF64ArrayAttr:$shift, DenseI64ArrayAttr:$input_extents,
      DenseI64ArrayAttr:$input_begin, DenseI64ArrayAttr:$output_begin), placement);
  let assemblyFormat = [{
    $mode $input `to` $output (`rounding` $rounding^)? `scale` $scale `shift` $shift
    `of` $input_extents `from` $input_begin `at` $output_begin
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_PadOp : Plan_KernelOp<"pad"> {
  let summary = "a view with elements around it";
  let description = [{
    `pads` are top, left, bottom, right, front and back (channels), counted
    around the input's view; `reflect` and `edge` see that view alone.
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output, Plan_PadModeAttr:$mode,
      DenseI64ArrayAttr:$pads, DefaultValuedAttr<F32Attr, "0.0f">:$value), placement);
  let assemblyFormat = [{
    $mode $input `to` $output `pads` $pads (`value` $value^)?
    attr-dict `:` type($input) `to` type($output)
  }];
}

def Plan_RearrangeOp : Plan_KernelOp<"rearrange"> {
  let summary = "a copy of a regular pattern";
  let description = [{
    For every index below `extents` (1 to 8 of them), the element at
    `input_begin + sum of index * input_strides` of the input's buffer is copied
    to `output_begin + sum of index * output_strides` of the output's. Both views
    cover whole buffers; places and strides count elements of the buffers as
    they lie in memory. Input strides may be zero or negative.

    ```mlir
    snug_plan.rearrange %1 to %2 extents [3, 5] input 0 [1, 3] output 0 [5, 1]
        : <1x5x1x3, channels_last> to <1x3x1x5, channels_last>
    ```
  }];
  let arguments = !con((ins Plan_ViewType:$input, Plan_ViewType:$output, DenseI64ArrayAttr:$extents,
      Plan_Integer:$input_begin, DenseI64ArrayAttr:$input_strides,
      Plan_Integer:$output_begin, DenseI64ArrayAttr:$output_strides), placement);
  let assemblyFormat = [{
    $input `to` $output `extents` $extents `input` $input_begin $input_strides
    `output` $output_begin $output_strides
    attr-dict `:` type($input) `to` type($output)
  }];
}

#endif // SNUG_DIALECT_PLAN_PLANOPS
