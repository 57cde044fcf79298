// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interfaces of the snug dialect: what analyses and passes ask of an op, so
// that none of them has to know its name.
#ifndef SNUG_DIALECT_SNUG_SNUGINTERFACES
#define SNUG_DIALECT_SNUG_SNUGINTERFACES

include "mlir/IR/OpBase.td"

def Snug_ReceptiveFieldOpInterface : OpInterface<"ReceptiveFieldOpInterface"> {
  let cppNamespace = "::snug::cnn";
  let description = [{
    Which part of its operands an op reads for a part of its result. All
    geometry is in the axis maps (lib/Network); an op only says which map holds.
    The op has one result, or none of its axes can be cut (`snug.opaque`). The
    defaults are those of an elementwise op on one tensor.
  }];
  let methods = [
    InterfaceMethod<[{
      The input interval that an output interval needs along `axis`, for an
      operand out of getActivationOperands().
    }], "::snug::network::AxisMap", "getAxisMap",
    (ins "unsigned":$operandIndex, "::snug::cnn::SpatialAxis":$axis), "",
    [{ return ::snug::network::AxisMap::identity(); }]>,
    InterfaceMethod<[{
      Indices of the operands that are activations, in ascending order. All
      others are parameters, of which every output element needs everything.
    }], "::llvm::SmallVector<unsigned>", "getActivationOperands", (ins), "",
    [{ return {0u}; }]>,
    InterfaceMethod<[{
      Axes along which the result may be computed piece by piece. Every other
      axis is a barrier inside fused groups.
    }], "::llvm::SmallVector<::snug::cnn::SpatialAxis>", "getTileableAxes", (ins), "",
    [{ return ::snug::cnn::detail::spatialAxes($_op->getResult(0).getType()); }]>,
    InterfaceMethod<[{
      True where a layer begins in darknet's count: convolutions and poolings.
    }], "bool", "startsLayer", (ins), "", [{ return false; }]>
  ];
}

def Snug_CostOpInterface : OpInterface<"CostOpInterface"> {
  let cppNamespace = "::snug::cnn";
  let description = [{
    Work and parameter bytes of an op. Every tap of every output element counts,
    padding taps included.
  }];
  let methods = [
    InterfaceMethod<"False for an op whose work nobody knows: its figures are bounds from below.",
                    "bool", "isCostKnown", (ins), "", [{ return true; }]>,
    InterfaceMethod<"Multiply-accumulates for one element of the result.",
                    "int64_t", "getMacsPerOutputElement", (ins), "", [{ return 0; }]>,
    InterfaceMethod<"Multiply-accumulates of the whole op.",
                    "int64_t", "getMacs", (ins), [{
      return $_op.getMacsPerOutputElement() *
             ::llvm::cast<::mlir::ShapedType>($_op->getResult(0).getType()).getNumElements();
    }]>,
    InterfaceMethod<"Bytes of the operands that are parameters, as in the model.",
                    "int64_t", "getParameterBytes", (ins), [{
      return ::snug::cnn::detail::parameterBytes($_op.getOperation());
    }]>
  ];
  let verify = [{ return ::snug::cnn::detail::verifyCost($_op); }];
}

def Snug_ScheduleAttrInterface : AttrInterface<"ScheduleAttrInterface"> {
  let cppNamespace = "::snug::cnn";
  let description = [{
    How a fused group runs. A schedule never changes what a group computes.
  }];
  let methods = [
    InterfaceMethod<"The schedule as lib/Network and the planner know it.",
                    "::snug::network::Schedule", "getSchedule">
  ];
}

#endif // SNUG_DIALECT_SNUG_SNUGINTERFACES
