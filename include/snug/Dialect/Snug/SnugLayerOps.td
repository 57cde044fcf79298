// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect that compute with windows, weights or whole axes.
#ifndef SNUG_DIALECT_SNUG_SNUGLAYEROPS
#define SNUG_DIALECT_SNUG_SNUGLAYEROPS

include "snug/Dialect/Snug/SnugOpBase.td"

//===----------------------------------------------------------------------===//
// Convolution and matrix product
//===----------------------------------------------------------------------===//

def Snug_Conv2DOp : Snug_LayerOp<"conv2d", [
    AttrSizedOperandSegments, Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getActivationOperands", "startsLayer"]>,
    Snug_Cost<["getMacsPerOutputElement"]>]> {
  let summary = "two-dimensional convolution with bias, residual and activation";
  let description = [{
    `activation(conv(input, filter) + bias + residual)`: cross-correlation as in
    ONNX's Conv, zeros beyond the border. The bias is one number an output
    channel, the residual a tensor of the result's type. `allow_winograd` permits
    kernels that compute it by Winograd's algorithm, whose rounding differs, and
    demands none.

    Constraints: `input` [N, C, H, W], `filter` [O, C / groups, kh, kw], `bias`
    [O]; `groups` divides C and O; `strides`, `dilations` (height, width) are at
    least one, `pads` (top, left, bottom, right) at least zero; the dilated
    kernel fits the padded input. Each extent of the result is
    `(extent + pads - ((kernel - 1) * dilation + 1)) / stride + 1`, rounded down.

    ```mlir
    %1 = snug.conv2d %0 filter %filter bias %bias residual %skip
        strides [2, 2] pads [1, 1, 1, 1] dilations [1, 2] groups 2 activation relu
        : (tensor<1x8x9x9xf32>, tensor<4x4x3x3xf32>, tensor<4xf32>, tensor<1x4x5x4xf32>) -> tensor<1x4x5x4xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Filter:$filter,
                       Optional<Snug_Vector>:$bias, Optional<Snug_Image>:$residual,
                       Snug_Strides:$strides, Snug_Pads:$pads, Snug_Dilations:$dilations,
                       Snug_OneByDefault:$groups,
                       Snug_FusedActivation:$activation, Snug_Alpha:$alpha, Snug_Beta:$beta,
                       UnitAttr:$allow_winograd);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `filter` $filter (`bias` $bias^)? (`residual` $residual^)?
    (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)? (`groups` $groups^)?
    (`activation` custom<Activation>($activation, $alpha, $beta)^)?
    (`allow_winograd` $allow_winograd^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_ConvTranspose2DOp : Snug_LayerOp<"conv_transpose2d", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "startsLayer"]>,
    Snug_Cost<["getMacsPerOutputElement"]>]> {
  let summary = "two-dimensional transposed convolution with bias and activation";
  let description = [{
    `activation(conv_transpose(input, filter) + bias)` as in ONNX's
    ConvTranspose: tap (i, j) of the filter adds input (y, x) times itself to
    result (y * stride + i * dilation - top, x * stride + j * dilation - left).
    `output_pads` (height, width) lengthen the result at the bottom and right.

    Constraints: `input` [N, C, H, W], `filter` [C, O / groups, kh, kw], `bias`
    [O]; `groups` divides C; `strides`, `dilations` are at least one, `pads`
    (top, left, bottom, right) and `output_pads` at least zero. Each extent of
    the result is `(extent - 1) * stride + (kernel - 1) * dilation + 1 - pads +
    output_pad`, at least one. Multiply-accumulates of an element of the result:
    C / groups times the most taps that can meet it, `kernel / stride` along each
    axis, rounded up.

    ```mlir
    %1 = snug.conv_transpose2d %0 filter %filter bias %bias strides [2, 2] pads [1, 1, 1, 1] output_pads [1, 1]
        : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x4x10x10xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Filter:$filter, Optional<Snug_Vector>:$bias,
                       Snug_Strides:$strides, Snug_Pads:$pads, Snug_Dilations:$dilations,
                       Snug_OutputPads:$output_pads, Snug_OneByDefault:$groups,
                       Snug_FusedActivation:$activation, Snug_Alpha:$alpha, Snug_Beta:$beta);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `filter` $filter (`bias` $bias^)?
    (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)?
    (`output_pads` $output_pads^)? (`groups` $groups^)?
    (`activation` custom<Activation>($activation, $alpha, $beta)^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_GemmOp : Snug_LayerOp<"gemm", [
    Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>,
    Snug_Cost<["getMacsPerOutputElement"]>]> {
  let summary = "fully connected layer with bias and activation";
  let description = [{
    `activation(input * weight + bias)`. With `transpose_weight` the weight is
    held as [M, K], one row an output.

    Constraints: `input` [N, K], `weight` [K, M] or [M, K], `bias` [M]; the
    result is [N, M].

    ```mlir
    %1 = snug.gemm %0 weight %weight bias %bias transpose_weight activation relu
        : (tensor<1x512xf32>, tensor<10x512xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins Snug_Matrix:$input, Snug_Matrix:$weight, Optional<Snug_Vector>:$bias,
                       UnitAttr:$transpose_weight,
                       Snug_FusedActivation:$activation, Snug_Alpha:$alpha, Snug_Beta:$beta);
  let results = (outs Snug_Matrix:$result);
  let assemblyFormat = [{
    $input `weight` $weight (`bias` $bias^)? (`transpose_weight` $transpose_weight^)?
    (`activation` custom<Activation>($activation, $alpha, $beta)^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_MatMulOp : Snug_LayerOp<"matmul", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "getActivationOperands", "getTileableAxes"]>,
    Snug_Cost<["getMacsPerOutputElement"]>]> {
  let summary = "product of matrices that are both computed";
  let description = [{
    The last two axes are matrices, those before them a batch of them, as in
    NumPy's matmul. `snug.gemm` is the product with weights.

    Constraints: `left` [..., N, K], `right` [..., K, M], of rank two at least;
    the axes before are broadcast against each other.

    ```mlir
    %2 = snug.matmul %0, %1 : (tensor<8x16x32xf32>, tensor<32x4xf32>) -> tensor<8x16x4xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$left, Snug_Tensor:$right);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$left `,` $right attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

def Snug_MaxPool2DOp : Snug_LayerOp<"max_pool2d", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "startsLayer"]>, Snug_Cost<>]> {
  let summary = "largest element of each window";
  let description = [{
    Elements beyond the border never win.

    Constraints: `kernel`, `strides`, `dilations` are at least one, `pads` at
    least zero and below the dilated kernel, so that no window sees padding
    only; the extents of the result are those of `snug.conv2d`.

    ```mlir
    %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2]
        : (tensor<1x32x608x608xf32>) -> tensor<1x32x304x304xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, DenseI64ArrayAttr:$kernel, Snug_Strides:$strides,
                       Snug_Pads:$pads, Snug_Dilations:$dilations);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel
    (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_AvgPool2DOp : Snug_LayerOp<"avg_pool2d", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "startsLayer"]>, Snug_Cost<>]> {
  let summary = "mean of each window";
  let description = [{
    The sum of the elements inside the input over their number, with
    `count_include_pad` over the number of those and of the padding in `pads`.
    `ceil_pads` (bottom, right) is padding beyond `pads` that never counts: what
    ONNX's `ceil_mode` lets the last windows reach into.

    Constraints: those of `snug.max_pool2d`, without dilation, for `pads` and
    `ceil_pads` together; no window begins beyond the input and `pads` above and
    to the left of it.

    ```mlir
    %1 = snug.avg_pool2d %0 kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 0] count_include_pad
        : (tensor<1x8x10x9xf32>) -> tensor<1x8x6x5xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, DenseI64ArrayAttr:$kernel, Snug_Strides:$strides,
                       Snug_Pads:$pads, Snug_CeilPads:$ceil_pads, UnitAttr:$count_include_pad);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel (`strides` $strides^)? (`pads` $pads^)? (`ceil_pads` $ceil_pads^)?
    (`count_include_pad` $count_include_pad^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_GlobalAvgPoolOp : Snug_LayerOp<"global_avg_pool", [
    Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getTileableAxes", "startsLayer"]>, Snug_Cost<>]> {
  let summary = "mean of each channel";
  let description = [{
    Constraints: `input` [N, C, H, W] gives [N, C, 1, 1].

    ```mlir
    %1 = snug.global_avg_pool %0 : (tensor<1x512x7x7xf32>) -> tensor<1x512x1x1xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Snug_GlobalMaxPoolOp : Snug_LayerOp<"global_max_pool", [
    Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getTileableAxes", "startsLayer"]>, Snug_Cost<>]> {
  let summary = "largest element of each channel";
  let description = [{
    Constraints: `input` [N, C, H, W] gives [N, C, 1, 1].

    ```mlir
    %1 = snug.global_max_pool %0 : (tensor<1x512x7x7xf32>) -> tensor<1x512x1x1xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Along whole axes
//===----------------------------------------------------------------------===//

def Snug_ReduceOp : Snug_LayerOp<"reduce", [
    Snug_InferResult, Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "largest, smallest, mean or sum of the elements along axes";
  let description = [{
    Axes that are reduced vanish, or stay with an extent of one with `keep_dims`.

    Constraints: at least one axis, in ascending order, each at least zero and
    below the rank.

    ```mlir
    %1 = snug.reduce mean %0 axes [1, 2] keep_dims : (tensor<4x8x9xf32>) -> tensor<4x1x1xf32>
    ```
  }];
  let arguments = (ins Snug_ReduceKindAttr:$kind, Snug_Tensor:$input, DenseI64ArrayAttr:$axes,
                       UnitAttr:$keep_dims);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    `` $kind $input `axes` $axes (`keep_dims` $keep_dims^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_SoftmaxOp : Snug_ElementwiseOp<"softmax", [
    Snug_ReceptiveField<["getAxisMap", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "exponentials along one axis, their sum made one";
  let description = [{
    Constraints: `axis` is at least zero and below the rank.

    ```mlir
    %1 = snug.softmax %0 axis 1 : tensor<1x10xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input, Snug_Integer:$axis);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$input `axis` $axis attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Snug_LrnOp : Snug_LayerOp<"lrn", [
    AllTypesMatch<["input", "result"]>, Snug_ReceptiveField<>, Snug_Cost<>]> {
  let summary = "local response normalisation over neighbouring channels";
  let description = [{
    `input / (bias + alpha / size * sum) ^ beta`, where sum is that of the squares
    of the element and its neighbours in `size` channels: `(size - 1) / 2` before
    it, rounded down, and as many behind, rounded up, as far as there are any.

    Constraints: `size` is at least one; `alpha`, `beta`, `bias` are finite.

    ```mlir
    %1 = snug.lrn %0 size 5 alpha 0.0001 beta 0.75 bias 1.0 : tensor<1x96x55x55xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, Snug_Integer:$size, F32Attr:$alpha, F32Attr:$beta,
                       F32Attr:$bias);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `size` $size `alpha` custom<ShortFloat>($alpha) `beta` custom<ShortFloat>($beta)
    `bias` custom<ShortFloat>($bias) attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

#endif // SNUG_DIALECT_SNUG_SNUGLAYEROPS
