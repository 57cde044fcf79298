// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the axis maps of ops say that an interval of the result needs, against
// the reference executor: with everything else of the operand overwritten, the
// interval stays as it was.
#include "snug/Reference/Reference.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

using namespace snug;

namespace {

struct Case {
  const char *name;
  const char *source; ///< a function of images and one op besides constants
  /// True where the map may be wider than it has to be (it is whole).
  bool whole = false;
};

const Case cases[] = {
    {"conv", R"(
  func.func @f(%x: tensor<1x2x9x7xf32>, %r: tensor<1x2x4x5xf32>) -> tensor<1x2x4x5xf32> {
    %f = snug.constant dense<0.5> : tensor<2x2x3x2xf32>
    %y = snug.conv2d %x filter %f residual %r strides [2, 1] pads [1, 0, 0, 0] dilations [1, 2]
        : (tensor<1x2x9x7xf32>, tensor<2x2x3x2xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x4x5xf32>
    return %y : tensor<1x2x4x5xf32>
  })"},
    {"conv_transpose", R"(
  func.func @f(%x: tensor<1x2x5x4xf32>) -> tensor<1x1x11x6xf32> {
    %f = snug.constant dense<0.5> : tensor<2x1x3x2xf32>
    %y = snug.conv_transpose2d %x filter %f strides [2, 1] pads [1, 0, 0, 0] dilations [1, 2] output_pads [1, 0]
        : (tensor<1x2x5x4xf32>, tensor<2x1x3x2xf32>) -> tensor<1x1x11x6xf32>
    return %y : tensor<1x1x11x6xf32>
  })"},
    {"conv_transpose with gaps", R"(
  func.func @f(%x: tensor<1x2x5x4xf32>) -> tensor<1x1x13x10xf32> {
    %f = snug.constant dense<0.5> : tensor<2x1x1x2xf32>
    %y = snug.conv_transpose2d %x filter %f strides [3, 3] pads [0, 1, 0, 0]
        : (tensor<1x2x5x4xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x13x10xf32>
    return %y : tensor<1x1x13x10xf32>
  })"},
    {"avg_pool with ceil pads", R"(
  func.func @f(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x5x5xf32> {
    %y = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 1] count_include_pad
        : (tensor<1x1x8x8xf32>) -> tensor<1x1x5x5xf32>
    return %y : tensor<1x1x5x5xf32>
  })"},
    {"slice", R"(
  func.func @f(%x: tensor<1x2x9x8xf32>) -> tensor<1x1x3x5xf32> {
    %y = snug.slice %x starts [0, 1, 2, 3] ends [1, 2, 9, 8] steps [1, 1, 3, 1]
        : (tensor<1x2x9x8xf32>) -> tensor<1x1x3x5xf32>
    return %y : tensor<1x1x3x5xf32>
  })"},
    {"slice backwards", R"(
  func.func @f(%x: tensor<1x2x9x8xf32>) -> tensor<1x1x9x8xf32> {
    %y = snug.slice %x starts [0, 1, 8, 0] ends [1, 2, -1, 8] steps [1, 1, -1, 1]
        : (tensor<1x2x9x8xf32>) -> tensor<1x1x9x8xf32>
    return %y : tensor<1x1x9x8xf32>
  })",
     true},
    {"pad", R"(
  func.func @f(%x: tensor<1x2x5x4xf32>) -> tensor<1x3x9x4xf32> {
    %y = snug.pad %x low [0, 1, 3, 0] high [0, 0, 1, 0] value 2.0 : (tensor<1x2x5x4xf32>) -> tensor<1x3x9x4xf32>
    return %y : tensor<1x3x9x4xf32>
  })"},
    {"pad by reflection", R"(
  func.func @f(%x: tensor<1x2x5x4xf32>) -> tensor<1x2x9x4xf32> {
    %y = snug.pad %x low [0, 0, 3, 0] high [0, 0, 1, 0] mode reflect : (tensor<1x2x5x4xf32>) -> tensor<1x2x9x4xf32>
    return %y : tensor<1x2x9x4xf32>
  })",
     true},
    {"resize nearest", R"(
  func.func @f(%x: tensor<1x1x5x6xf32>) -> tensor<1x1x13x4xf32> {
    %y = snug.resize %x mode nearest scale [0.38461538461538464, 1.5] shift [-0.3076923076923077, 0.25]
        : (tensor<1x1x5x6xf32>) -> tensor<1x1x13x4xf32>
    return %y : tensor<1x1x13x4xf32>
  })"},
    {"resize linear", R"(
  func.func @f(%x: tensor<1x1x5x6xf32>) -> tensor<1x1x10x11xf32> {
    %y = snug.resize %x mode linear scale [0.5, 0.5] shift [-0.25, 0.0] : (tensor<1x1x5x6xf32>) -> tensor<1x1x10x11xf32>
    return %y : tensor<1x1x10x11xf32>
  })"},
    {"depth_to_space", R"(
  func.func @f(%x: tensor<1x9x4x3xf32>) -> tensor<1x1x12x9xf32> {
    %y = snug.depth_to_space %x block 3 mode crd : (tensor<1x9x4x3xf32>) -> tensor<1x1x12x9xf32>
    return %y : tensor<1x1x12x9xf32>
  })"},
    {"space_to_depth", R"(
  func.func @f(%x: tensor<1x1x12x9xf32>) -> tensor<1x9x4x3xf32> {
    %y = snug.space_to_depth %x block 3 : (tensor<1x1x12x9xf32>) -> tensor<1x9x4x3xf32>
    return %y : tensor<1x9x4x3xf32>
  })"},
    {"channel_shuffle", R"(
  func.func @f(%x: tensor<1x6x4x3xf32>) -> tensor<1x6x4x3xf32> {
    %y = snug.channel_shuffle %x groups 2 : tensor<1x6x4x3xf32>
    return %y : tensor<1x6x4x3xf32>
  })"},
    {"concat of channels", R"(
  func.func @f(%x: tensor<1x2x4x3xf32>, %z: tensor<1x1x4x3xf32>) -> tensor<1x3x4x3xf32> {
    %y = snug.concat %x, %z axis 1 : (tensor<1x2x4x3xf32>, tensor<1x1x4x3xf32>) -> tensor<1x3x4x3xf32>
    return %y : tensor<1x3x4x3xf32>
  })"},
    {"concat of rows", R"(
  func.func @f(%x: tensor<1x2x4x3xf32>, %z: tensor<1x2x1x3xf32>) -> tensor<1x2x5x3xf32> {
    %y = snug.concat %x, %z axis 2 : (tensor<1x2x4x3xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x5x3xf32>
    return %y : tensor<1x2x5x3xf32>
  })",
     true},
    {"binary with a gate", R"(
  func.func @f(%x: tensor<1x2x4x3xf32>, %g: tensor<1x2x1x1xf32>, %r: tensor<1x1x4x1xf32>) -> tensor<1x2x4x3xf32> {
    %0 = snug.binary mul %x, %g : (tensor<1x2x4x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x4x3xf32>
    %y = snug.binary add %0, %r : (tensor<1x2x4x3xf32>, tensor<1x1x4x1xf32>) -> tensor<1x2x4x3xf32>
    return %y : tensor<1x2x4x3xf32>
  })",
     true},
    {"softmax", R"(
  func.func @f(%x: tensor<1x2x4x3xf32>) -> tensor<1x2x4x3xf32> {
    %y = snug.softmax %x axis 1 : tensor<1x2x4x3xf32>
    return %y : tensor<1x2x4x3xf32>
  })"},
    {"lrn", R"(
  func.func @f(%x: tensor<1x5x4x3xf32>) -> tensor<1x5x4x3xf32> {
    %y = snug.lrn %x size 3 alpha 0.1 beta 0.75 bias 1.0 : tensor<1x5x4x3xf32>
    return %y : tensor<1x5x4x3xf32>
  })"},
};

/// Calls `body(index of the element, its coordinate along `axis`)`.
template <typename Body>
void forEachAlong(llvm::ArrayRef<int64_t> shape, int axis, Body body) {
  int64_t behind = 1;
  for (size_t next = axis + 1; next < shape.size(); ++next)
    behind *= shape[next];
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  for (int64_t index = 0; index < count; ++index)
    body(index, index / behind % shape[axis]);
}

class AxisMapTest : public ::testing::TestWithParam<Case> {};

TEST_P(AxisMapTest, NeedsNothingElse) {
  mlir::MLIRContext context;
  context.loadDialect<cnn::SnugDialect, mlir::func::FuncDialect>();
  auto module =
      mlir::parseSourceString<mlir::ModuleOp>(GetParam().source, &context);
  ASSERT_TRUE(module);
  auto function = *module->getOps<mlir::func::FuncOp>().begin();
  std::vector<std::vector<float>> inputs;
  for (mlir::Type type : function.getArgumentTypes()) {
    const int64_t count = llvm::cast<mlir::ShapedType>(type).getNumElements();
    std::vector<float> &input = inputs.emplace_back(count);
    for (int64_t index = 0; index < count; ++index)
      input[index] = float((index * 7 + 3) % 11) + 0.25f;
  }
  auto whole = reference::execute(function, inputs);
  ASSERT_TRUE(mlir::succeeded(whole));

  const auto resultShape =
      llvm::cast<mlir::ShapedType>(function.getResultTypes()[0]).getShape();
  for (mlir::BlockArgument argument : function.getArguments()) {
    const unsigned number = argument.getArgNumber();
    mlir::OpOperand &use = *argument.use_begin();
    auto op = llvm::cast<cnn::ReceptiveFieldOpInterface>(use.getOwner());
    const auto shape =
        llvm::cast<mlir::ShapedType>(argument.getType()).getShape();
    for (cnn::SpatialAxis axis :
         {cnn::SpatialAxis::Height, cnn::SpatialAxis::Width}) {
      const int dim = axis == cnn::SpatialAxis::Height ? 2 : 3;
      const network::AxisMap map = op.getAxisMap(use.getOperandNumber(), axis);
      EXPECT_TRUE(!map.isWhole() || GetParam().whole) << "axis " << dim;
      for (int64_t begin = 0; begin < resultShape[dim]; ++begin)
        for (int64_t end = begin + 1; end <= resultShape[dim]; ++end) {
          const network::Interval needed =
              map.needed({begin, end}, shape[dim]).interval;
          std::vector<std::vector<float>> poisoned = inputs;
          forEachAlong(shape, dim, [&](int64_t index, int64_t place) {
            if (place < needed.begin || place >= needed.end)
              poisoned[number][index] = 1.0e6f;
          });
          auto part = reference::execute(function, poisoned);
          ASSERT_TRUE(mlir::succeeded(part));
          forEachAlong(resultShape, dim, [&](int64_t index, int64_t place) {
            if (place >= begin && place < end) {
              EXPECT_EQ((*part)[0][index], (*whole)[0][index])
                  << "axis " << dim << ", [" << begin << ", " << end
                  << ") needs [" << needed.begin << ", " << needed.end
                  << ") of argument " << number;
            }
          });
        }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, AxisMapTest, ::testing::ValuesIn(cases),
                         [](const ::testing::TestParamInfo<Case> &info) {
                           std::string name = info.param.name;
                           for (char &letter : name)
                             if (letter == ' ')
                               letter = '_';
                           return name;
                         });

} // namespace
