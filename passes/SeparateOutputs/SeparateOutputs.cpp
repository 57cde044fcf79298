// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every output of a network a tensor of its own.
#include "passes/SeparateOutputs/SeparateOutputs.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"

#define DEBUG_TYPE "snug-separate-outputs"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_SEPARATEOUTPUTSPASS
#include "passes/SeparateOutputs/SeparateOutputs.h.inc"

namespace {

struct SeparateOutputsPass
    : public impl::SeparateOutputsPassBase<SeparateOutputsPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    llvm::DenseSet<Value> taken(function.getArguments().begin(),
                                function.getArguments().end());
    Operation *terminator = function.getBody().back().getTerminator();
    OpBuilder builder(terminator);
    for (OpOperand &output : terminator->getOpOperands()) {
      if (output.get().getDefiningOp<cnn::ConstantOp>() ||
          taken.insert(output.get()).second)
        continue;
      // Named after the output that it makes.
      Location location = terminator->getLoc();
      if (auto name = function.getResultAttrOfType<StringAttr>(
              output.getOperandNumber(), cnn::kNameAttrName))
        location = NameLoc::get(name);
      output.set(cnn::UnaryOp::create(
          builder, location, output.get().getType(), cnn::Activation::LeakyRelu,
          llvm::APFloat(1.0f), llvm::APFloat(0.0f), output.get()));
    }
  }
};

} // namespace
} // namespace snug
