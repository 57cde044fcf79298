// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tests of the reference executor on functions of the snug dialect.
#include "snug/Reference/Reference.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace {

using Tensors = std::vector<std::vector<float>>;

class ExecuteTest : public ::testing::Test {
protected:
  ExecuteTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          errors.push_back(diagnostic.str());
          return mlir::success();
        }) {
    context.loadDialect<snug::cnn::SnugDialect, mlir::func::FuncDialect>();
  }

  /// Runs the function of a module; empty after an error.
  Tensors run(const std::string &source, const Tensors &inputs) {
    module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
    if (!module) {
      ADD_FAILURE() << (errors.empty() ? "no parse" : errors.front());
      return {};
    }
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    auto outputs = snug::reference::execute(function, inputs);
    return mlir::succeeded(outputs) ? *outputs : Tensors();
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler;
};

const char *const convolutions = R"(
  func.func @main(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32> {
    %w = snug.constant dense<[[[[1.0, 2.0], [3.0, 4.0]]]]> : tensor<1x1x2x2xf32>
    %b = snug.constant dense<0.5> : tensor<1xf32>
    %r = snug.max_pool2d %x kernel [2, 2] : (tensor<1x1x2x2xf32>) -> tensor<1x1x1x1xf32>
    %y = snug.conv2d %x filter %w bias %b residual %r activation leaky_relu(0.5)
        : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
    return %y : tensor<1x1x1x1xf32>
  })";

TEST_F(ExecuteTest, Convolution) {
  // 1 + 4 + 9 + 16 + 0.5 + 4.
  EXPECT_EQ(run(convolutions, {{1, 2, 3, 4}}), (Tensors{{34.5f}}));
  // (-1 - 4 - 9 - 16 + 0.5 - 1) / 2.
  EXPECT_EQ(run(convolutions, {{-1, -2, -3, -4}}), (Tensors{{-15.25f}}));
}

TEST_F(ExecuteTest, FusedGroupsRunAsTheirBodyStands) {
  const char *source = R"(
    func.func @main(%x: tensor<1x1x4x1xf32>) -> (tensor<1x1x4x1xf32>, tensor<1x1x2x1xf32>) {
      %a = snug.unary relu %x : tensor<1x1x4x1xf32>
      %g = snug.fused_group(%in = %a) schedule(#snug.grid<tiles = [2, 1]>)
          : (tensor<1x1x4x1xf32>) -> tensor<1x1x2x1xf32> {
        %s = snug.binary add %in, %in : (tensor<1x1x4x1xf32>, tensor<1x1x4x1xf32>) -> tensor<1x1x4x1xf32>
        %p = snug.avg_pool2d %s kernel [2, 1] strides [2, 1]
            : (tensor<1x1x4x1xf32>) -> tensor<1x1x2x1xf32>
        snug.yield %p : tensor<1x1x2x1xf32>
      }
      return %a, %g : tensor<1x1x4x1xf32>, tensor<1x1x2x1xf32>
    })";
  EXPECT_EQ(run(source, {{-1, 2, 3, 4}}), (Tensors{{0, 2, 3, 4}, {2, 7}}));
}

TEST_F(ExecuteTest, ShapesChangeWithoutCopies) {
  const char *source = R"(
    func.func @main(%x: tensor<1x2x2x1xf32>) -> (tensor<1x4xf32>, tensor<1x2x2x1xf32>) {
      %i = snug.identity %x : tensor<1x2x2x1xf32>
      %d = snug.dropout %i : tensor<1x2x2x1xf32>
      %r = snug.reshape %d : tensor<1x2x2x1xf32> -> tensor<1x4xf32>
      %w = snug.constant dense<1.0> : tensor<4x4xf32>
      %g = snug.gemm %r weight %w : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
      %s = snug.softmax %g axis 1 : tensor<1x4xf32>
      return %s, %x : tensor<1x4xf32>, tensor<1x2x2x1xf32>
    })";
  EXPECT_EQ(run(source, {{1, 2, 3, 4}}),
            (Tensors{{0.25f, 0.25f, 0.25f, 0.25f}, {1, 2, 3, 4}}));
}

TEST_F(ExecuteTest, BatchNormAndGlobalPooling) {
  const char *source = R"(
    func.func @main(%x: tensor<1x2x1x2xf32>) -> tensor<1x2x1x1xf32> {
      %one = snug.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %zero = snug.constant dense<0.0> : tensor<2xf32>
      %variance = snug.constant dense<4.0> : tensor<2xf32>
      %n = snug.batch_norm %x scale %one shift %one mean %zero variance %variance epsilon 0.0
          : (tensor<1x2x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x1x2xf32>
      %p = snug.global_avg_pool %n : (tensor<1x2x1x2xf32>) -> tensor<1x2x1x1xf32>
      return %p : tensor<1x2x1x1xf32>
    })";
  // x / 2 + 1 and x + 2.
  EXPECT_EQ(run(source, {{2, 4, 6, 8}}), (Tensors{{2.5f, 9}}));
}

TEST_F(ExecuteTest, WrongInputsAreErrors) {
  EXPECT_TRUE(run(convolutions, {}).empty());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "the function takes 1 inputs, but 0 are given");
  EXPECT_TRUE(run(convolutions, {{1, 2, 3}}).empty());
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[1], "argument 0 has 4 elements, but 3 are given");
}

TEST_F(ExecuteTest, AbsentWeightsAreAnError) {
  const char *source = R"(
    func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
      %w = snug.constant dense_resource<__elided__> : tensor<2x2xf32>
      %g = snug.gemm %x weight %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
      return %g : tensor<1x2xf32>
    })";
  EXPECT_TRUE(run(source, {{1, 2}}).empty());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "the numbers of this constant are absent; execute a "
                       "module whose weights are not elided");
}

TEST_F(ExecuteTest, UnknownOpsAreErrors) {
  context.allowUnregisteredDialects();
  const char *source = R"(
    func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
      %y = "other.op"(%x) : (tensor<2xf32>) -> tensor<2xf32>
      return %y : tensor<2xf32>
    })";
  EXPECT_TRUE(run(source, {{1, 2}}).empty());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "the reference executor does not know 'other.op'");
}

TEST_F(ExecuteTest, FunctionsWithoutNumbersAreErrors) {
  EXPECT_TRUE(
      run("func.func private @main(%x: tensor<2xf32>) -> tensor<2xf32>", {})
          .empty());
  EXPECT_TRUE(run("func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> { "
                  "return %x : tensor<?xf32> }",
                  {{1, 2}})
                  .empty());
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], "the function has no body to execute");
  EXPECT_EQ(errors[1], "argument 0 is no float32 tensor of a static shape");
}

} // namespace
