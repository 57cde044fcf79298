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
  I32EnumAttrCase<"Relu6", 3, "relu6">
]>;
def Snug_ActivationAttr : Snug_EnumAttr<Snug_Activation, "activation">;

def Snug_BinaryKind : Snug_Enum<"BinaryKind", "elementwise function of two tensors", [
  I32EnumAttrCase<"Add", 0, "add">
]>;
def Snug_BinaryKindAttr : Snug_EnumAttr<Snug_BinaryKind, "binary_kind">;

#endif // SNUG_DIALECT_SNUG_SNUGENUMS
