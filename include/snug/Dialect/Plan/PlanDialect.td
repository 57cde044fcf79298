// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The snug_plan dialect: a straight-line program of kernels on buffers.
#ifndef SNUG_DIALECT_PLAN_PLANDIALECT
#define SNUG_DIALECT_PLAN_PLANDIALECT

include "mlir/IR/OpBase.td"

def Plan_Dialect : Dialect {
  let name = "snug_plan";
  let cppNamespace = "::snug::plan";
  let summary = "straight-line programs of kernels on statically placed buffers";
  let description = [{
    A program is what the runtime executes: buffers with a layout and, once
    memory is planned, an offset in one arena; views of them; and kernels with
    static shapes, in order. Everything is decided here: which tile of which
    layer runs when, on which bytes, for which instruction set and how many
    threads. The dialect knows the runtime's kernels and nothing of ONNX.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerTypes();
  }];
}

#endif // SNUG_DIALECT_PLAN_PLANDIALECT
