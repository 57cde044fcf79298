// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tests of the reference executor, op by op, against what ONNX Runtime 1.x
// gives for the ONNX operator of the same name; inputs count 1, 2, 3, ...
#include "snug/Reference/Reference.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <numeric>
#include <string>
#include <vector>

namespace {

/// Runs `body`, which computes %y of `type` out of the arguments, which count
/// from 1; empty after an error, which is in `errors`.
class ExecuteOpsTest : public ::testing::Test {
protected:
  ExecuteOpsTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          errors.push_back(diagnostic.str());
          return mlir::success();
        }) {
    context.loadDialect<snug::cnn::SnugDialect, mlir::func::FuncDialect>();
  }

  std::vector<float> run(const std::string &arguments, const std::string &body,
                         const std::string &type,
                         const std::vector<float> *input = nullptr) {
    module = mlir::parseSourceString<mlir::ModuleOp>(
        "func.func @f(" + arguments + ") -> " + type + " {\n" + body +
            "\nreturn %y : " + type + "\n}",
        &context);
    if (!module) {
      ADD_FAILURE() << (errors.empty() ? "no parse" : errors.front());
      return {};
    }
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    std::vector<std::vector<float>> inputs;
    for (mlir::Type argument : function.getArgumentTypes()) {
      std::vector<float> counting(
          llvm::cast<mlir::ShapedType>(argument).getNumElements());
      std::iota(counting.begin(), counting.end(), 1.0f);
      inputs.push_back(input ? *input : counting);
    }
    auto outputs = snug::reference::execute(function, inputs);
    return mlir::succeeded(outputs) ? outputs->front() : std::vector<float>();
  }

  static void expectNear(const std::vector<float> &found,
                         const std::vector<float> &wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t index = 0; index < wanted.size(); ++index)
      EXPECT_NEAR(found[index], wanted[index],
                  1e-5 * std::max(1.0f, std::abs(wanted[index])))
          << "element " << index;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler;
};

TEST_F(ExecuteOpsTest, TransposedConvolution) {
  expectNear(
      run("%x: tensor<1x2x2x2xf32>, %f: tensor<2x1x2x3xf32>",
          "%y = snug.conv_transpose2d %x filter %f strides [2, 1] pads [0, 1, "
          "1, 0] output_pads [1, 0] : (tensor<1x2x2x2xf32>, "
          "tensor<2x1x2x3xf32>) -> tensor<1x1x4x3xf32>",
          "tensor<1x1x4x3xf32>"),
      {86, 100, 60, 128, 142, 84, 122, 144, 84, 188, 210, 120});
  expectNear(
      run("%x: tensor<1x2x1x2xf32>, %f: tensor<2x2x1x2xf32>",
          "%b = snug.constant dense<[0.5, 1.0, 2.0, 3.0]> : tensor<4xf32>\n"
          "%y = snug.conv_transpose2d %x filter %f bias %b dilations [1, 2] "
          "groups 2 : (tensor<1x2x1x2xf32>, tensor<2x2x1x2xf32>, "
          "tensor<4xf32>) -> tensor<1x4x1x4xf32>",
          "tensor<1x4x1x4xf32>"),
      {1.5, 2.5, 2.5, 4.5, 4, 7, 5, 9, 17, 22, 20, 26, 24, 31, 27, 35});
}

TEST_F(ExecuteOpsTest, LocalResponseNormalization) {
  expectNear(run("%x: tensor<1x4x1x1xf32>",
                 "%y = snug.lrn %x size 3 alpha 0.5 beta 0.75 bias 1.0 : "
                 "tensor<1x4x1x1xf32>",
                 "tensor<1x4x1x1xf32>"),
             {0.634700656, 0.810720086, 0.799251914, 1.16721845});
}

TEST_F(ExecuteOpsTest, Resize) {
  expectNear(run("%x: tensor<1x1x2x3xf32>",
                 "%y = snug.resize %x mode linear scale [0.5, "
                 "0.6666666666666666] shift [-0.25, -0.16666666666666669] : "
                 "(tensor<1x1x2x3xf32>) -> tensor<1x1x4x4xf32>",
                 "tensor<1x1x4x4xf32>"),
             {1, 1.5, 2.16666651, 2.83333325, 1.75, 2.25, 2.91666651,
              3.58333349, 3.25, 3.75, 4.41666651, 5.08333302, 4, 4.5,
              5.16666698, 5.83333302});
  const std::string asymmetric =
      " scale [0.5, 0.5] shift [0.0, 0.0] : (tensor<1x1x2x3xf32>) -> "
      "tensor<1x1x4x6xf32>";
  expectNear(
      run("%x: tensor<1x1x2x3xf32>",
          "%y = snug.resize %x mode nearest rounding ceil" + asymmetric,
          "tensor<1x1x4x6xf32>"),
      {1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6, 6, 4, 5, 5, 6, 6, 6, 4, 5, 5, 6, 6, 6});
  expectNear(
      run("%x: tensor<1x1x2x3xf32>",
          "%y = snug.resize %x mode nearest" + asymmetric,
          "tensor<1x1x4x6xf32>"),
      {1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6});
  expectNear(
      run("%x: tensor<1x1x1x3xf32>",
          "%y = snug.resize %x mode nearest rounding round_prefer_ceil scale "
          "[1.0, 0.5] shift [0.0, 0.0] : (tensor<1x1x1x3xf32>) -> "
          "tensor<1x1x1x6xf32>",
          "tensor<1x1x1x6xf32>"),
      {1, 2, 2, 3, 3, 3});
}

TEST_F(ExecuteOpsTest, Pad) {
  expectNear(
      run("%x: tensor<2x3xf32>",
          "%y = snug.pad %x low [1, 2] high [1, 1] mode reflect : "
          "(tensor<2x3xf32>) -> tensor<4x6xf32>",
          "tensor<4x6xf32>"),
      {6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2});
  expectNear(run("%x: tensor<2x3xf32>",
                 "%y = snug.pad %x low [0, 2] high [1, 0] mode edge : "
                 "(tensor<2x3xf32>) -> tensor<3x5xf32>",
                 "tensor<3x5xf32>"),
             {1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 4, 4, 4, 5, 6});
  expectNear(run("%x: tensor<1x2xf32>",
                 "%y = snug.pad %x low [1, 0] high [0, 1] value 9.0 : "
                 "(tensor<1x2xf32>) -> tensor<2x3xf32>",
                 "tensor<2x3xf32>"),
             {9, 9, 9, 1, 2, 9});
}

TEST_F(ExecuteOpsTest, BlocksAndShuffles) {
  const std::string toSpace = " : (tensor<1x8x1x2xf32>) -> tensor<1x2x2x4xf32>";
  expectNear(run("%x: tensor<1x8x1x2xf32>",
                 "%y = snug.depth_to_space %x block 2 mode crd" + toSpace,
                 "tensor<1x2x2x4xf32>"),
             {1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12, 13, 15, 14, 16});
  expectNear(run("%x: tensor<1x8x1x2xf32>",
                 "%y = snug.depth_to_space %x block 2" + toSpace,
                 "tensor<1x2x2x4xf32>"),
             {1, 5, 2, 6, 9, 13, 10, 14, 3, 7, 4, 8, 11, 15, 12, 16});
  expectNear(run("%x: tensor<1x2x2x4xf32>",
                 "%y = snug.space_to_depth %x block 2 : (tensor<1x2x2x4xf32>) "
                 "-> tensor<1x8x1x2xf32>",
                 "tensor<1x8x1x2xf32>"),
             {1, 3, 9, 11, 2, 4, 10, 12, 5, 7, 13, 15, 6, 8, 14, 16});
  expectNear(run("%x: tensor<1x6x1x1xf32>",
                 "%y = snug.channel_shuffle %x groups 2 : tensor<1x6x1x1xf32>",
                 "tensor<1x6x1x1xf32>"),
             {1, 4, 2, 5, 3, 6});
}

TEST_F(ExecuteOpsTest, AveragesCountWhatLiesInThePads) {
  expectNear(run("%x: tensor<1x1x4x4xf32>",
                 "%y = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads "
                 "[1, 1, 1, 1] ceil_pads [1, 1] count_include_pad : "
                 "(tensor<1x1x4x4xf32>) -> tensor<1x1x3x3xf32>",
                 "tensor<1x1x3x3xf32>"),
             {1.55555558, 3.33333325, 2, 6.33333349, 11, 6, 4.5, 7.5, 4});
}

TEST_F(ExecuteOpsTest, Products) {
  expectNear(run("%x: tensor<2x1x1x2xf32>, %z: tensor<3x2x1xf32>",
                 "%y = snug.matmul %x, %z : (tensor<2x1x1x2xf32>, "
                 "tensor<3x2x1xf32>) -> tensor<2x3x1x1xf32>",
                 "tensor<2x3x1x1xf32>"),
             {5, 11, 17, 11, 25, 39});
}

TEST_F(ExecuteOpsTest, SlicesConcatsAndTranspositions) {
  expectNear(run("%x: tensor<2x4xf32>",
                 "%y = snug.slice %x starts [1, 3] ends [-1, -1] steps [-1, "
                 "-2] : (tensor<2x4xf32>) -> tensor<2x2xf32>",
                 "tensor<2x2xf32>"),
             {8, 6, 4, 2});
  expectNear(run("%x: tensor<2x2xf32>, %z: tensor<2x1xf32>",
                 "%y = snug.concat %x, %z, %x axis 1 : (tensor<2x2xf32>, "
                 "tensor<2x1xf32>, tensor<2x2xf32>) -> tensor<2x5xf32>",
                 "tensor<2x5xf32>"),
             {1, 2, 1, 1, 2, 3, 4, 2, 3, 4});
  expectNear(run("%x: tensor<2x3x1xf32>",
                 "%y = snug.transpose %x permutation [2, 1, 0] : "
                 "(tensor<2x3x1xf32>) -> tensor<1x3x2xf32>",
                 "tensor<1x3x2xf32>"),
             {1, 4, 2, 5, 3, 6});
}

TEST_F(ExecuteOpsTest, Reductions) {
  const auto reduce = [&](const std::string &kind) {
    return run("%x: tensor<2x3x2xf32>",
               "%y = snug.reduce " + kind +
                   " %x axes [0, 2] : (tensor<2x3x2xf32>) -> tensor<3xf32>",
               "tensor<3xf32>");
  };
  expectNear(reduce("sum"), {18, 26, 34});
  expectNear(reduce("mean"), {4.5, 6.5, 8.5});
  expectNear(reduce("max"), {8, 10, 12});
  expectNear(reduce("min"), {1, 3, 5});
  expectNear(run("%x: tensor<1x2x1x2xf32>",
                 "%y = snug.global_max_pool %x : (tensor<1x2x1x2xf32>) -> "
                 "tensor<1x2x1x1xf32>",
                 "tensor<1x2x1x1xf32>"),
             {2, 4});
}

TEST_F(ExecuteOpsTest, Binaries) {
  const auto binary = [&](const std::string &kind) {
    return run("%x: tensor<2x1xf32>, %z: tensor<3xf32>",
               "%y = snug.binary " + kind +
                   " : (tensor<2x1xf32>, tensor<3xf32>) -> tensor<2x3xf32>",
               "tensor<2x3xf32>");
  };
  expectNear(binary("add %x, %z"), {2, 3, 4, 3, 4, 5});
  expectNear(binary("sub %x, %z"), {0, -1, -2, 1, 0, -1});
  expectNear(binary("mul %x, %z"), {1, 2, 3, 2, 4, 6});
  expectNear(binary("div %x, %z"), {1, 0.5, 1.0f / 3, 2, 1, 2.0f / 3});
  expectNear(binary("max %x, %z"), {1, 2, 3, 2, 2, 3});
  expectNear(binary("min %x, %z"), {1, 1, 1, 1, 2, 2});
  expectNear(binary("pow %x, %z"), {1, 1, 1, 2, 4, 8});
  expectNear(binary("sub %x, %z activation relu"), {0, 0, 0, 1, 0, 0});
  const std::vector<float> values = {-2, 3};
  expectNear(run("%x: tensor<2xf32>",
                 "%c = snug.constant dense<0.25> : tensor<f32>\n"
                 "%y = snug.binary prelu %x, %c : (tensor<2xf32>, "
                 "tensor<f32>) -> tensor<2xf32>",
                 "tensor<2xf32>", &values),
             {-0.5, 3});
}

TEST_F(ExecuteOpsTest, Activations) {
  const std::vector<float> x = {-3.5, -1, -0.25, 0, 0.5, 2, 7};
  const auto unary = [&](const std::string &kind) {
    return run("%x: tensor<7xf32>",
               "%y = snug.unary " + kind + " %x : tensor<7xf32>",
               "tensor<7xf32>", &x);
  };
  expectNear(unary("clip(-1.0, inf)"), {-1, -1, -0.25, 0, 0.5, 2, 7});
  expectNear(unary("sigmoid"), {0.0293121934, 0.268941432, 0.437823504, 0.5,
                                0.622459292, 0.880797088, 0.999088943});
  expectNear(unary("silu"), {-0.102592811, -0.268941402, -0.109455861, 0,
                             0.311229676, 1.76159406, 6.99362278});
  expectNear(unary("hard_sigmoid(0.3, 0.4)"), {0, 0.1, 0.325, 0.4, 0.55, 1, 1});
  expectNear(unary("hard_swish"),
             {0, -0.333333313, -0.114583336, 0, 0.291666657, 1.66666675, 7});
  expectNear(unary("tanh"), {-0.998177946, -0.761594176, -0.244918659, 0,
                             0.462117165, 0.964027584, 0.999998331});
  expectNear(unary("elu(0.5)"),
             {-0.484901309, -0.316060275, -0.110599607, 0, 0.5, 2, 7});
  expectNear(unary("exp"), {0.0301973838, 0.36787945, 0.778800786, 1,
                            1.64872122, 7.38905621, 1096.63318});
  expectNear(unary("abs"), {3.5, 1, 0.25, 0, 0.5, 2, 7});
  expectNear(unary("neg"), {3.5, 1, 0.25, 0, -0.5, -2, -7});
  expectNear(unary("floor"), {-4, -1, -1, 0, 0, 2, 7});
  expectNear(unary("ceil"), {-3, -1, 0, 0, 1, 2, 7});
  expectNear(unary("erf"), {-0.999999285, -0.842700779, -0.276326388, 0,
                            0.520499885, 0.995322287, 1});
  expectNear(unary("gelu"), {-0.00081422925, -0.158655256, -0.100323416, 0,
                             0.345731229, 1.95449972, 7});
  expectNear(unary("softplus"),
             {0.0297504216, 0.313261688, 0.575939476, 0.693147182, 0.974076986,
              2.12692809, 7.00091124});
  expectNear(unary("mish"), {-0.10409575, -0.30340144, -0.129926965, 0,
                             0.375245243, 1.943959, 6.99998903});
  const std::vector<float> positive = {0.25, 1, 4};
  const auto ofPositive = [&](const std::string &kind) {
    return run("%x: tensor<3xf32>",
               "%y = snug.unary " + kind + " %x : tensor<3xf32>",
               "tensor<3xf32>", &positive);
  };
  expectNear(ofPositive("sqrt"), {0.5, 1, 2});
  expectNear(ofPositive("reciprocal"), {4, 1, 0.25});
  expectNear(ofPositive("log"), {-1.38629436, 0, 1.38629436});
}

TEST_F(ExecuteOpsTest, ForeignOperatorsAreRefused) {
  EXPECT_TRUE(run("%x: tensor<3xf32>",
                  "%y = snug.opaque \"Foo\"(%x) : (tensor<3xf32>) -> "
                  "tensor<3xf32>",
                  "tensor<3xf32>")
                  .empty());
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0], "the reference executor cannot run the operator 'Foo', "
                       "which this dialect does not have");
}

} // namespace
