// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the snug dialect on each element.
#ifndef SNUG_DIALECT_SNUG_SNUGELEMENTWISEOPS
#define SNUG_DIALECT_SNUG_SNUGELEMENTWISEOPS

include "snug/Dialect/Snug/SnugOpBase.td"

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
    | kind | of x |
    |---|---|
    | `relu` | max(x, 0) |
    | `leaky_relu(alpha)` | x where x >= 0, else alpha * x |
    | `relu6` | min(max(x, 0), 6) |
    | `clip(alpha, beta)` | min(max(x, alpha), beta); either may be `inf` or `-inf` |
    | `sigmoid` | 1 / (1 + exp(-x)) |
    | `silu` | x * sigmoid(x) |
    | `hard_sigmoid(alpha, beta)` | max(0, min(1, alpha * x + beta)) |
    | `hard_swish` | x * max(0, min(1, x / 6 + 0.5)) |
    | `tanh` | the hyperbolic tangent |
    | `elu(alpha)` | x where x >= 0, else alpha * (exp(x) - 1) |
    | `exp`, `log`, `sqrt`, `abs`, `neg`, `reciprocal`, `floor`, `ceil`, `erf` | as in C |
    | `gelu` | 0.5 * x * (1 + erf(x / sqrt(2))) |
    | `softplus` | log(exp(x) + 1) |
    | `mish` | x * tanh(softplus(x)) |

    Constraints: the kind is not `none`; parameters that a kind has are finite
    (the bounds of `clip` no NaN), others are left out.

    ```mlir
    %1 = snug.unary leaky_relu(0.1) %0 : tensor<1x32x8x8xf32>
    %2 = snug.unary clip(-1.0, inf) %1 : tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_ActivationAttr:$kind, Snug_Alpha:$alpha, Snug_Beta:$beta,
                       Snug_Tensor:$input);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    custom<Activation>($kind, $alpha, $beta) $input attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def Snug_BinaryOp : Snug_LayerOp<"binary", [
    Snug_InferResult,
    Snug_ReceptiveField<["getAxisMap", "getActivationOperands", "getTileableAxes"]>, Snug_Cost<>]> {
  let summary = "function of two tensors, element by element, and activation";
  let description = [{
    `activation(left kind right)`: `add`, `sub`, `mul`, `div`, `max`, `min`, `pow`
    (left to the power of right) and `prelu` (left where left >= 0, else left *
    right). Shapes are aligned at their last axis; an axis that is missing or has
    an extent of one is repeated, as in NumPy. An operand may be a
    `snug.constant`, which is a parameter then.

    Constraints: extents on the same axis are equal or one of them is one.

    ```mlir
    %2 = snug.binary add %0, %1 activation relu
        : (tensor<1x32x8x8xf32>, tensor<1x32x8x8xf32>) -> tensor<1x32x8x8xf32>
    %3 = snug.binary mul %2, %gate : (tensor<1x32x8x8xf32>, tensor<1x32x1x1xf32>) -> tensor<1x32x8x8xf32>
    ```
  }];
  let arguments = (ins Snug_BinaryKindAttr:$kind, Snug_Tensor:$left, Snug_Tensor:$right,
                       Snug_FusedActivation:$activation, Snug_Alpha:$alpha, Snug_Beta:$beta);
  let results = (outs Snug_Tensor:$result);
  let assemblyFormat = [{
    `` $kind $left `,` $right (`activation` custom<Activation>($activation, $alpha, $beta)^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
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

#endif // SNUG_DIALECT_SNUG_SNUGELEMENTWISEOPS
