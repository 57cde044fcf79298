// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Enumerations of the snug dialect.
#ifndef SNUG_DIALECT_SNUG_SNUGENUMS
#define SNUG_DIALECT_SNUG_SNUGENUMS

include "mlir/IR/EnumAttr.td"
include "snug/Dialect/Snug/SnugDialect.td"

class Snug_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::snug::cnn";
  let genSpecializedAttr = 0;
}

class Snug_EnumAttr<Snug_Enum info, string mnemonic>
    : EnumAttr<Snug_Dialect, info, mnemonic> {
  let assemblyFormat = "$value";
}

def Snug_Activation : Snug_Enum<"Activation", "activation function", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Relu", 1, "relu">,
  I32EnumAttrCase<"LeakyRelu", 2, "leaky_relu">,
  I32EnumAttrCase<"Relu6", 3, "relu6">,
  I32EnumAttrCase<"Clip", 4, "clip">,
  I32EnumAttrCase<"Sigmoid", 5, "sigmoid">,
  I32EnumAttrCase<"Silu", 6, "silu">,
  I32EnumAttrCase<"HardSigmoid", 7, "hard_sigmoid">,
  I32EnumAttrCase<"HardSwish", 8, "hard_swish">,
  I32EnumAttrCase<"Tanh", 9, "tanh">,
  I32EnumAttrCase<"Elu", 10, "elu">,
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
def Snug_ActivationAttr : Snug_EnumAttr<Snug_Activation, "activation">;

def Snug_BinaryKind : Snug_Enum<"BinaryKind", "elementwise function of two tensors", [
  I32EnumAttrCase<"Add", 0, "add">,
  I32EnumAttrCase<"Sub", 1, "sub">,
  I32EnumAttrCase<"Mul", 2, "mul">,
  I32EnumAttrCase<"Div", 3, "div">,
  I32EnumAttrCase<"Max", 4, "max">,
  I32EnumAttrCase<"Min", 5, "min">,
  I32EnumAttrCase<"Pow", 6, "pow">,
  I32EnumAttrCase<"Prelu", 7, "prelu">
]>;
def Snug_BinaryKindAttr : Snug_EnumAttr<Snug_BinaryKind, "binary_kind">;

def Snug_ReduceKind : Snug_Enum<"ReduceKind", "function of all elements along axes", [
  I32EnumAttrCase<"Max", 0, "max">,
  I32EnumAttrCase<"Mean", 1, "mean">,
  I32EnumAttrCase<"Sum", 2, "sum">,
  I32EnumAttrCase<"Min", 3, "min">
]>;
def Snug_ReduceKindAttr : Snug_EnumAttr<Snug_ReduceKind, "reduce_kind">;

def Snug_PadMode : Snug_Enum<"PadMode", "what stands beyond the border", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"Reflect", 1, "reflect">,
  I32EnumAttrCase<"Edge", 2, "edge">
]>;
def Snug_PadModeAttr : Snug_EnumAttr<Snug_PadMode, "pad_mode">;

def Snug_ResizeMode : Snug_Enum<"ResizeMode", "what an element between others is", [
  I32EnumAttrCase<"Nearest", 0, "nearest">,
  I32EnumAttrCase<"Linear", 1, "linear">
]>;
def Snug_ResizeModeAttr : Snug_EnumAttr<Snug_ResizeMode, "resize_mode">;

def Snug_NearestRounding : Snug_Enum<"NearestRounding", "which of two neighbours is the nearest", [
  I32EnumAttrCase<"RoundPreferFloor", 0, "round_prefer_floor">,
  I32EnumAttrCase<"RoundPreferCeil", 1, "round_prefer_ceil">,
  I32EnumAttrCase<"Floor", 2, "floor">,
  I32EnumAttrCase<"Ceil", 3, "ceil">
]>;
def Snug_NearestRoundingAttr : Snug_EnumAttr<Snug_NearestRounding, "nearest_rounding">;

def Snug_DepthOrder : Snug_Enum<"DepthOrder", "order of the channels that become a block", [
  I32EnumAttrCase<"DepthColumnRow", 0, "dcr">,
  I32EnumAttrCase<"ColumnRowDepth", 1, "crd">
]>;
def Snug_DepthOrderAttr : Snug_EnumAttr<Snug_DepthOrder, "depth_order">;

#endif // SNUG_DIALECT_SNUG_SNUGENUMS
