// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect.
#ifndef SNUG_DIALECT_SNUG_SNUGOPS
#define SNUG_DIALECT_SNUG_SNUGOPS

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "snug/Dialect/Snug/SnugAttributes.td"
include "snug/Dialect/Snug/SnugDialect.td"
include "snug/Dialect/Snug/SnugEnums.td"
include "snug/Dialect/Snug/SnugInterfaces.td"
include "snug/Dialect/Snug/SnugTypes.td"

//===----------------------------------------------------------------------===//
// Attributes and traits that several ops share
//===----------------------------------------------------------------------===//

// I64Attr reads as uint64_t, which would hide negative numbers.
def Snug_Integer : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute">;
def Snug_OneByDefault : DefaultValuedAttr<Snug_Integer, "1">;
// One number for the height, one for the width.
def Snug_Strides : DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">;
def Snug_Dilations : DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">;
// Top, left, bottom, right.
def Snug_Pads : DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">;
def Snug_FusedActivation : DefaultValuedAttr<Snug_ActivationAttr, "::snug::cnn::Activation::None">;
def Snug_Slope : DefaultValuedAttr<F32Attr, "0.0f">;
def Snug_Epsilon : DefaultValuedAttr<F32Attr, "1.0e-5f">;

// The result type follows from operands and attributes. The op's own verifier
// compares it with the type that stands there, so the interface's check, which
// would say less about the reason, has nothing to do.
def Snug_InferResult : InferTypeOpAdaptorBase<[{
  static ::llvm::LogicalResult
  refineReturnTypes(::mlir::MLIRContext *, std::optional<::mlir::Location>, ::mlir::ValueRange,
                    ::mlir::DictionaryAttr, ::mlir::OpaqueProperties, ::mlir::RegionRange,
                    ::llvm::SmallVectorImpl<::mlir::Type> &) {
    return ::mlir::success();
  }
}]>;

class Snug_ReceptiveField<list<string> methods = []>
    : DeclareOpInterfaceMethods<Snug_ReceptiveFieldOpInterface, methods>;
class Snug_Cost<list<string> methods = []>
    : DeclareOpInterfaceMethods<Snug_CostOpInterface, methods>;

class Snug_Op<string mnemonic, list<Trait> traits = []>
    : Op<Snug_Dialect, mnemonic, traits>;

// A network's layer or a part of one: operands in, one tensor out.
class Snug_LayerOp<string mnemonic, list<Trait> traits = []>
    : Snug_Op<mnemonic, !listconcat([Pure], traits)>;

// A layer whose result has the type of its operands.
class Snug_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Snug_LayerOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)>;

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
    channel, the residual a tensor of the result's type.

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
                       Snug_FusedActivation:$activation, Snug_Slope:$slope);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `filter` $filter (`bias` $bias^)? (`residual` $residual^)?
    (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)? (`groups` $groups^)?
    (`activation` custom<Activation>($activation, $slope)^)?
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
                       Snug_FusedActivation:$activation, Snug_Slope:$slope);
  let results = (outs Snug_Matrix:$result);
  let assemblyFormat = [{
    $input `weight` $weight (`bias` $bias^)? (`transpose_weight` $transpose_weight^)?
    (`activation` custom<Activation>($activation, $slope)^)?
    attr-dict `:` functional-type(operands, results)
  }];
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
    The sum of the elements inside the input over their number, or over the
    kernel's size with `count_include_pad`.

    Constraints: those of `snug.max_pool2d`, without dilation.

    ```mlir
    %1 = snug.avg_pool2d %0 kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_include_pad
        : (tensor<1x8x9x9xf32>) -> tensor<1x8x5x5xf32>
    ```
  }];
  let arguments = (ins Snug_Image:$input, DenseI64ArrayAttr:$kernel, Snug_Strides:$strides,
                       Snug_Pads:$pads, UnitAttr:$count_include_pad);
  let results = (outs Snug_Image:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel (`strides` $strides^)? (`pads` $pads^)?
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

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

def Snug_BatchNormOp : Snug_LayerOp<"batch_norm", [
    AllTypesMatch<["input", "result"]>, AllTypesMatch<["scale", "shift", "mean", "variance"]>,
    Snug_ReceptiveField<>, Snug_Cost<["getMacsPerOutputElement"]>]> {
  let summary = "normalisation of each channel by known statistics";
  let description = [{
    `scale * (input - mean) / sqrt(variance + epsilon) + shift`, with one number
    of each a channel (axis 1).

    Constraints: `input` has a channel axis, the parameters are [C]; `epsilon` is
    finite and not negative.

    ```mlir
    %1 = snug.batch_norm %0 scale %scale shift %shift mean %mean variance %variance epsilon 0.001
        : (tensor<1x32x8x8xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input, Snug_Vector:$scale, Snug_Vector:$shift,
                       Snug_Vector:$mean, Snug_Vector:$variance, Snug_Epsilon:$epsilon);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    $input `scale` $scale `shift` $shift `mean` $mean `variance` $variance
    (`epsilon` custom<ShortFloat>($epsilon)^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Snug_UnaryOp : Snug_ElementwiseOp<"unary", [Snug_ReceptiveField<>, Snug_Cost<>]> {
  let summary = "activation function on each element";
  let description = [{
    `relu`: max(x, 0); `leaky_relu(slope)`: x where x >= 0, else slope * x;
    `relu6`: min(max(x, 0), 6).

    Constraints: the kind is not `none`; only `leaky_relu` has a slope, which is
    finite.

    ```mlir
    %1 = snug.unary leaky_relu(0.1) %0 : tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_ActivationAttr:$kind, Snug_Slope:$slope, Snug_Tensor:$input);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    custom<Activation>($kind, $slope) $input attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def Snug_BinaryOp : Snug_ElementwiseOp<"binary", [
    Snug_ReceptiveField<["getActivationOperands"]>, Snug_Cost<>]> {
  let summary = "function of two tensors, element by element";
  let description = [{
    Constraints: both operands have the result's type; nothing is broadcast.

    ```mlir
    %2 = snug.binary add %0, %1 : tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_BinaryKindAttr:$kind, Snug_Tensor:$left, Snug_Tensor:$right);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "`` $kind $left `,` $right attr-dict `:` type($left)";
}

def Snug_IdentityOp : Snug_ElementwiseOp<"identity", [Snug_ReceptiveField<>, Snug_Cost<>]> {
  let summary = "its input";
  let description = [{
    Kept as long as node names count; `snug-fold-identity` removes it.

    ```mlir
    %1 = snug.identity %0 : tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Snug_DropoutOp : Snug_ElementwiseOp<"dropout", [Snug_ReceptiveField<>, Snug_Cost<>]> {
  let summary = "dropout at inference: its input";
  let description = [{
    A dropout drops nothing at inference; `snug-fold-identity` removes it.

    ```mlir
    %1 = snug.dropout %0 : tensor<1x4096xf32>
    ```
  }];
  let arguments = (ins Snug_Tensor:$input);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

//===----------------------------------------------------------------------===//
// Shape and softmax
//===----------------------------------------------------------------------===//

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
