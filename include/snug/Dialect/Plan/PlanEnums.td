// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enumerations of the snug_plan dialect. Values equal the plan schema's.
#ifndef SNUG_DIALECT_PLAN_PLANENUMS
#define SNUG_DIALECT_PLAN_PLANENUMS

include "mlir/IR/EnumAttr.td"
include "snug/Dialect/Plan/PlanDialect.td"

class Plan_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::snug::plan";
}

def Plan_LayoutAttr : Plan_Enum<"Layout", "order of elements in a buffer", [
  I32EnumAttrCase<"ChannelsLast", 0, "channels_last">,
  I32EnumAttrCase<"Planar", 1, "planar">
]>;

def Plan_RoleAttr : Plan_Enum<"Role", "what a buffer is for", [
  I32EnumAttrCase<"Input", 0, "input">,
  I32EnumAttrCase<"Output", 1, "output">,
  I32EnumAttrCase<"Activation", 2, "activation">,
  I32EnumAttrCase<"Workspace", 3, "workspace">
]>;

// `alpha` and `beta` are parameters where they are named.
def Plan_ActivationAttr : Plan_Enum<"Activation", "activation in a kernel's epilogue", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Relu", 1, "relu">,
  I32EnumAttrCase<"LeakyRelu", 2, "leaky_relu">,     // slope alpha
  I32EnumAttrCase<"Relu6", 3, "relu6">,
  I32EnumAttrCase<"Clip", 4, "clip">,                // from alpha to beta
  I32EnumAttrCase<"Sigmoid", 5, "sigmoid">,
  I32EnumAttrCase<"Silu", 6, "silu">,
  I32EnumAttrCase<"HardSigmoid", 7, "hard_sigmoid">, // alpha * x + beta
  I32EnumAttrCase<"HardSwish", 8, "hard_swish">,
  I32EnumAttrCase<"Tanh", 9, "tanh">,
  I32EnumAttrCase<"Elu", 10, "elu">,                 // alpha * (exp(x) - 1)
  I32EnumAttrCase<"Exp", 11, "exp">,
  I32EnumAttrCase<"Log", 12, "log">,
  I32EnumAttrCase<"Sqrt", 13, "sqrt">,
  I32EnumAttrCase<"Abs", 14, "abs">,
  I32EnumAttrCase<"Neg", 15, "neg">,
  I32EnumAttrCase<"Reciprocal", 16, "reciprocal">,
  I32EnumAttrCase<"Floor", 17, "floor">,
  I32EnumAttrCase<"Ceil", 18, "ceil">,
  I32EnumAttrCase<"Erf", 19, "erf">,
  I32EnumAttrCase<"Gelu", 20, "gelu">,
  I32EnumAttrCase<"Softplus", 21, "softplus">,
  I32EnumAttrCase<"Mish", 22, "mish">
]>;

def Plan_BinaryKindAttr : Plan_Enum<"BinaryKind", "elementwise function of two views", [
  I32EnumAttrCase<"Add", 0, "add">,
  I32EnumAttrCase<"Sub", 1, "sub">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Div", 3, "div">,
  I32EnumAttrCase<"Max", 4, "max">,
  I32EnumAttrCase<"Min", 5, "min">,
  I32EnumAttrCase<"Pow", 6, "pow">,
  I32EnumAttrCase<"Prelu", 7, "prelu">
]>;

def Plan_PoolKindAttr : Plan_Enum<"PoolKind", "what a pooling kernel computes of its window", [
  I32EnumAttrCase<"Max", 0, "max">,
  I32EnumAttrCase<"Average", 1, "average">
]>;

def Plan_ReduceKindAttr : Plan_Enum<"ReduceKind", "what is left of all rows and columns", [
  I32EnumAttrCase<"Max", 0, "max">,
  I32EnumAttrCase<"Mean", 1, "mean">,
  I32EnumAttrCase<"Sum", 2, "sum">,
  I32EnumAttrCase<"Min", 3, "min">
]>;

def Plan_PadModeAttr : Plan_Enum<"PadMode", "what stands beyond the border", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"Reflect", 1, "reflect">,
  I32EnumAttrCase<"Edge", 2, "edge">
]>;

def Plan_ResizeModeAttr : Plan_Enum<"ResizeMode", "how a resize samples its input", [
  I32EnumAttrCase<"Nearest", 0, "nearest">,
  I32EnumAttrCase<"Linear", 1, "linear">
]>;

def Plan_RoundingAttr : Plan_Enum<"Rounding", "which element is the nearest one", [
  I32EnumAttrCase<"RoundPreferFloor", 0, "round_prefer_floor">,
  I32EnumAttrCase<"RoundPreferCeil", 1, "round_prefer_ceil">,
  I32EnumAttrCase<"Floor", 2, "floor">,
  I32EnumAttrCase<"Ceil", 3, "ceil">
]>;

def Plan_PackingAttr : Plan_Enum<"Packing", "how the kernel catalogue packs a segment", [
  I32EnumAttrCase<"Convolution", 0, "convolution">,
  I32EnumAttrCase<"Gemm", 1, "gemm">,
  I32EnumAttrCase<"TransposedGemm", 2, "transposed_gemm">,
  I32EnumAttrCase<"Bias", 3, "bias">,
  I32EnumAttrCase<"TransposedConvolution", 4, "transposed_convolution">,
  I32EnumAttrCase<"Constant", 5, "constant">,
  I32EnumAttrCase<"ChannelsLastConstant", 6, "channels_last_constant">
]>;

#endif // SNUG_DIALECT_PLAN_PLANENUMS
