// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module from text, for tests that ask its ops something.
#ifndef SNUG_TEST_UNIT_DIALECT_PARSEDMODULE_H
#define SNUG_TEST_UNIT_DIALECT_PARSEDMODULE_H

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace snug::test {

/// A context that knows the dialects of a network, and a module in it.
struct ParsedModule {
  explicit ParsedModule(llvm::StringRef text) {
    context.loadDialect<cnn::SnugDialect, mlir::func::FuncDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << "the text of the test cannot be parsed";
  }

  /// All ops of one kind, in order.
  template <typename OpTy> std::vector<OpTy> all() {
    std::vector<OpTy> ops;
    module->walk([&](OpTy op) { ops.push_back(op); });
    return ops;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace snug::test

#endif // SNUG_TEST_UNIT_DIALECT_PARSEDMODULE_H
