// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attributes and classes that several ops of the snug dialect share.
#ifndef SNUG_DIALECT_SNUG_SNUGOPBASE
#define SNUG_DIALECT_SNUG_SNUGOPBASE

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

// I64Attr reads as uint64_t, which would hide negative numbers.
def Snug_Integer : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute">;
def Snug_OneByDefault : DefaultValuedAttr<Snug_Integer, "1">;
// One number for the height, one for the width.
def Snug_Strides : DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">;
def Snug_Dilations : DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">;
// Top, left, bottom, right.
def Snug_Pads : DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">;
// Height, width.
def Snug_OutputPads : DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0}">;
// Bottom, right.
def Snug_CeilPads : DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0}">;
def Snug_FusedActivation : DefaultValuedAttr<Snug_ActivationAttr, "::snug::cnn::Activation::None">;
// Parameters of the activation; zero where it has none.
def Snug_Alpha : DefaultValuedAttr<F32Attr, "0.0f">;
def Snug_Beta : DefaultValuedAttr<F32Attr, "0.0f">;
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

#endif // SNUG_DIALECT_SNUG_SNUGOPBASE
