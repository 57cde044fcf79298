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

def Plan_ActivationAttr : Plan_Enum<"Activation", "activation in a kernel's epilogue", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Relu", 1, "relu">,
  I32EnumAttrCase<"LeakyRelu", 2, "leaky_relu">,
  I32EnumAttrCase<"Relu6", 3, "relu6">
]>;

def Plan_PoolKindAttr : Plan_Enum<"PoolKind", "what a pooling kernel computes of its window", [
  I32EnumAttrCase<"Max", 0, "max">,
  I32EnumAttrCase<"Average", 1, "average">
]>;

def Plan_PackingAttr : Plan_Enum<"Packing", "how the kernel catalogue packs a segment", [
  I32EnumAttrCase<"Convolution", 0, "convolution">,
  I32EnumAttrCase<"Gemm", 1, "gemm">,
  I32EnumAttrCase<"TransposedGemm", 2, "transposed_gemm">,
  I32EnumAttrCase<"Bias", 3, "bias">
]>;

#endif // SNUG_DIALECT_PLAN_PLANENUMS
