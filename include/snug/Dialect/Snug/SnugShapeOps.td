// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect that move elements and compute nothing.
#ifndef SNUG_DIALECT_SNUG_SNUGSHAPEOPS
#define SNUG_DIALECT_SNUG_SNUGSHAPEOPS

include "snug/Dialect/Snug/SnugOpBase.td"

def Snug_ReshapeOp : Snug_LayerOp<"reshape", [
    Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "the same elements under another shape";
  let description = [{
    Elements keep their order, the last axis fastest.

    Constraints: both shapes have the same number of elements.

    ```mlir
    %1 = snug.reshape %0 : tensor<1x512x7x7xf32> -> tensor<1x25088xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Snug_TransposeOp : Snug_LayerOp<"transpose", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "axes in another order";
  let description = [{
    Axis i of the result is axis `permutation[i]` of the input.

    Constraints: `permutation` holds each axis once.

    ```mlir
    %1 = snug.transpose %0 permutation [0, 2, 3, 1] : (tensor<1x3x8x9xf32>) -> tensor<1x8x9x3xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    $input `permutation` $permutation attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Snug_ConcatOp : Snug_LayerOp<"concat", [
    Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getActivationOperands", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "tensors one behind the other along an axis";
  let description = [{
    Constraints: at least one operand; `axis` is at least zero and below the
    rank; all other extents are the same in each operand.

    ```mlir
    %2 = snug.concat %0, %1 axis 1 : (tensor<1x8x4x4xf32>, tensor<1x3x4x4xf32>) -> tensor<1x11x4x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Snug_Tensor>:$inputs, Snug_Integer:$axis);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Snug_SliceOp : Snug_LayerOp<"slice", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "every so many elements between two along each axis";
  let description = [{
    Element i of an axis of the result is element `start + i * step` of the
    input's, as long as that lies before `end` (behind it for a negative step).

    Constraints: one start, end and step an axis; a start is an element of the
    axis. With a positive step the end is at most the extent and above the start,
    with a negative one at least -1 (the axis' beginning is the last element
    taken) and below the start.

    ```mlir
    %1 = snug.slice %0 starts [0, 8, 7] ends [1, 16, -1] steps [1, 2, -1] : (tensor<1x32x8xf32>) -> tensor<1x4x8xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input, DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$ends,
                       DenseI64ArrayAttr:$steps);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    $input `starts` $starts `ends` $ends `steps` $steps
    attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Snug_PadOp : Snug_LayerOp<"pad", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "elements around a tensor";
  let description = [{
    `low` elements are added in front of each axis and `high` behind it: `value`
    (zero if left out), the tensor mirrored at its outermost element (`reflect`)
    or that element again (`edge`).

    Constraints: one `low` and `high` an axis, none negative; `reflect` adds fewer
    elements than the axis has; only `constant`, the mode if none is given, has a
    value, which is no NaN.

    ```mlir
    %1 = snug.pad %0 low [0, 0, 1, 1] high [0, 0, 2, 1] mode reflect : (tensor<1x3x8x8xf32>) -> tensor<1x3x11x10xf32>
    %2 = snug.pad %0 low [0, 0, 1, 1] high [0, 0, 2, 1] value 0.5 : (tensor<1x3x8x8xf32>) -> tensor<1x3x11x10xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DefaultValuedAttr<Snug_PadModeAttr, "::snug::cnn::PadMode::Constant">:$mode,
                       DefaultValuedAttr<F32Attr, "0.0f">:$value);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    $input `low` $low `high` $high (`mode` $mode^)? (`value` custom<ShortFloat>($value)^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Snug_ResizeOp : Snug_LayerOp<"resize", [
    Snug_ReceptiveField<["getAxisMap"]>, Snug_Cost<>]> {
  let summary = "an image resampled to other extents";
  let description = [{
    Row y of the result shows the input at row `scale * y + shift`, clamped to
    [0, rows - 1], and columns likewise: computed in double precision with one
    rounded product and one rounded sum. `nearest` takes the element there after
    `rounding`; `linear` interpolates between the two rows and columns around.
    Every coordinate transformation of ONNX's Resize but cropping comes down to
    this.

    Constraints: `scale` and `shift` are two finite numbers each (height, width),
    `scale` not negative; batch and channels stay; `linear` has no rounding.

    ```mlir
    %1 = snug.resize %0 mode nearest rounding floor scale [0.5, 0.5] shift [0.0, 0.0]
        : (tensor<1x8x5x5xf32>) -> tensor<1x8x10x10xf32>
    %2 = snug.resize %0 mode linear scale [0.5, 0.5] shift [-0.25, -0.25]
        : (tensor<1x8x5x5xf32>) -> tensor<1x8x10x10xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_ResizeModeAttr:$mode,
                       DefaultValuedAttr<Snug_NearestRoundingAttr,
                                         "::snug::cnn::NearestRounding::RoundPreferFloor">:$rounding,
                       DenseF64ArrayAttr:$scale, DenseF64ArrayAttr:$shift);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `mode` $mode (`rounding` $rounding^)?
    `scale` custom<ShortDoubles>($scale) `shift` custom<ShortDoubles>($shift)
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_DepthToSpaceOp : Snug_LayerOp<"depth_to_space", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap"]>, Snug_Cost<>]> {
  let summary = "channels laid out as blocks of pixels";
  let description = [{
    Element (c, y * block + i, x * block + j) of the result is element (d, y, x)
    of the input, where d is `(i * block + j) * C + c` for `dcr` (the mode if none
    is given) and `(c * block + i) * block + j` for `crd`, with C channels in the
    result.

    Constraints: `block` is at least one, its square divides the channels.

    ```mlir
    %1 = snug.depth_to_space %0 block 2 mode crd : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Integer:$block,
                       DefaultValuedAttr<Snug_DepthOrderAttr,
                                         "::snug::cnn::DepthOrder::DepthColumnRow">:$mode);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `block` $block (`mode` $mode^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_SpaceToDepthOp : Snug_LayerOp<"space_to_depth", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap"]>, Snug_Cost<>]> {
  let summary = "blocks of pixels laid out as channels";
  let description = [{
    Element ((i * block + j) * C + c, y, x) of the result is element
    (c, y * block + i, x * block + j) of the input of C channels: what
    `snug.depth_to_space` with `dcr` makes undone.

    Constraints: `block` is at least one and divides height and width.

    ```mlir
    %1 = snug.space_to_depth %0 block 2 : (tensor<1x3x8x8xf32>) -> tensor<1x12x4x4xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Integer:$block);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = "$input `block` $block attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Snug_ChannelShuffleOp : Snug_LayerOp<"channel_shuffle", [
    AllTypesMatch<["input", "result"]>, Snug_ReceptiveField<>, Snug_Cost<>]> {
  let summary = "channels of groups interleaved";
  let description = [{
    Channel `k * groups + g` of the result is channel `g * (C / groups) + k` of
    the input's C.

    Constraints: `groups` is at least one and divides C.

    ```mlir
    %1 = snug.channel_shuffle %0 groups 2 : tensor<1x116x28x28xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Integer:$groups);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = "$input `groups` $groups attr-dict `:` type($input)";
  let hasVerifier = 1;
}

#endif // SNUG_DIALECT_SNUG_SNUGSHAPEOPS
