// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of nodes, and types that builders infer.
#include "ParsedModule.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace snug::cnn;
using snug::test::ParsedModule;

TEST(SnugDialect, NodeNamesAreLocations) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<2xf32>) {
      %0 = snug.identity %x : tensor<2xf32> loc("a/b")
      %1 = snug.identity %0 : tensor<2xf32> loc(fused["c.mlir":1:1, "d", "e"])
      %2 = snug.identity %1 : tensor<2xf32> loc(unknown)
      return
    })mlir");
  const std::vector<IdentityOp> ops = parsed.all<IdentityOp>();
  ASSERT_EQ(ops.size(), 3u);
  EXPECT_EQ(getNodeName(ops[0]), "a/b");
  EXPECT_EQ(getNodeName(ops[1]), "d");
  EXPECT_EQ(getNodeName(ops[2]), "");
  EXPECT_EQ(describe(ops[0]), "identity 'a/b'");
  EXPECT_EQ(describe(ops[2]), "identity");
}

TEST(SnugDialect, BuildersInferTypesAndFillInDefaults) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<1x3x9x9xf32>, %f: tensor<4x3x3x3xf32>, %w: tensor<3x5xf32>, %m: tensor<2x3xf32>) {
      return
    })mlir");
  auto function = parsed.all<func::FuncOp>().at(0);
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  const Location location = builder.getUnknownLoc();
  auto conv = Conv2DOp::create(
      builder, location, function.getArgument(0), function.getArgument(1),
      /*bias=*/Value(), /*residual=*/Value(), /*strides=*/{2, 2},
      /*pads=*/{1, 1, 1, 1}, /*dilations=*/{1, 1}, /*groups=*/1,
      Activation::Relu, /*alpha=*/APFloat(0.0f), /*beta=*/APFloat(0.0f));
  EXPECT_EQ(conv.getType().getShape(), ArrayRef<int64_t>({1, 4, 5, 5}));
  EXPECT_EQ(conv.getActivation(), Activation::Relu);
  auto pool = MaxPool2DOp::create(builder, location, conv.getResult(), {2, 2});
  EXPECT_EQ(pool.getType().getShape(), ArrayRef<int64_t>({1, 4, 4, 4}));
  EXPECT_EQ(pool.getStrides(), ArrayRef<int64_t>({1, 1}));
  EXPECT_EQ(pool.getPads(), ArrayRef<int64_t>({0, 0, 0, 0}));
  auto gemm = GemmOp::create(builder, location, function.getArgument(3),
                             function.getArgument(2), /*bias=*/Value(),
                             /*transpose_weight=*/false, Activation::None,
                             /*alpha=*/APFloat(0.0f), /*beta=*/APFloat(0.0f));
  EXPECT_EQ(gemm.getType().getShape(), ArrayRef<int64_t>({2, 5}));
  EXPECT_TRUE(succeeded(parsed.module->verify()));
}

TEST(SnugDialect, InferenceFailsWithAReason) {
  ParsedModule parsed(R"mlir(
    func.func @f(%x: tensor<1x3x2x2xf32>, %y: tensor<1x3x?x2xf32>, %f: tensor<4x3x3x3xf32>) {
      return
    })mlir");
  auto function = parsed.all<func::FuncOp>().at(0);
  std::string message;
  ScopedDiagnosticHandler handler(&parsed.context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
  });
  auto infer = [&](unsigned input, std::optional<Location> location) {
    SmallVector<Type> types;
    const Value operands[] = {function.getArgument(input),
                              function.getArgument(2)};
    Conv2DOp::Properties properties;
    properties.setOperandSegmentSizes({1, 1, 0, 0});
    return Conv2DOp::inferReturnTypes(&parsed.context, location, operands,
                                      DictionaryAttr(), &properties, {}, types);
  };
  EXPECT_TRUE(failed(infer(0, UnknownLoc::get(&parsed.context))));
  EXPECT_EQ(message,
            "the dilated kernel's height of 3 exceeds the padded input's 2");
  message.clear();
  EXPECT_TRUE(failed(infer(1, UnknownLoc::get(&parsed.context))));
  EXPECT_EQ(message,
            "expected a static 4-d tensor of f32, got 'tensor<1x3x?x2xf32>'");
  message.clear();
  EXPECT_TRUE(failed(infer(0, std::nullopt)));
  EXPECT_EQ(message, "");
}
