// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interfaces of the snug_plan dialect.
#ifndef SNUG_DIALECT_PLAN_PLANINTERFACES
#define SNUG_DIALECT_PLAN_PLANINTERFACES

include "mlir/IR/OpBase.td"

def Plan_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::snug::plan";
  let description = [{
    One instruction of the program: a kernel called once.
  }];
  let verify = [{ return ::snug::plan::detail::verifyOperands($_op); }];
  let methods = [
    InterfaceMethod<"Multiply-accumulates of this call, padding taps included.",
                    "int64_t", "getMacs", (ins), "", "return 0;">,
    InterfaceMethod<[{Inputs that the kernel may write its output over: it reads each element before
                      it writes the one in its place.}],
                    "::llvm::SmallVector<::mlir::Value>", "getInPlaceInputs", (ins), "", "return {};">,
    InterfaceMethod<"The view that the kernel writes.", "::mlir::Value", "getOutputView", (ins), "",
                    "return $_op.getOutput();">,
    InterfaceMethod<"Index of the fused group, or -1.", "int64_t", "getGroupIndex", (ins), "",
                    "auto index = $_op.getGroup(); return index ? static_cast<int64_t>(*index) : -1;">,
    InterfaceMethod<"Index of the tile in its group, or -1.", "int64_t", "getTileIndex", (ins), "",
                    "auto index = $_op.getTile(); return index ? static_cast<int64_t>(*index) : -1;">
  ];
}

#endif // SNUG_DIALECT_PLAN_PLANINTERFACES
