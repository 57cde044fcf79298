// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every op of the dialect on real values: planned, exported, run and compared
// with the reference executor, as a whole network and inside tiles.
#include "PlannedNetwork.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

using namespace snug;

namespace {

/// Whether the ops may run in tiles of a group, with the op before them in the
/// group or not.
enum class Tiles { None, Outside, Inside };

/// Ops between two elementwise ones.
struct Case {
  const char *name;
  const char *input;  ///< shape of %x, which an op computes
  const char *result; ///< shape of %r
  const char *ops;    ///< from %x to %r
  Tiles tiles = Tiles::Inside;
};

std::ostream &operator<<(std::ostream &stream, const Case &of) {
  return stream << of.name;
}

/// The ops in a group on a grid, or as they are.
std::string networkOf(const Case &of, const char *grid) {
  const std::string input = std::string("tensor<") + of.input + "xf32>";
  const std::string result = std::string("tensor<") + of.result + "xf32>";
  auto before = [&](const std::string &from, const std::string &to) {
    return "  " + to + " = snug.unary tanh " + from + " : " + input + "\n";
  };
  const std::string ops = std::string("  ") + of.ops +
                          "\n  %y = snug.unary leaky_relu(0.5) %r : " + result +
                          "\n";
  const std::string head =
      "func.func @main(%arg: " + input + ") -> " + result + " {\n";
  if (!grid)
    return head + before("%arg", "%x") + ops + "  return %y : " + result +
           "\n}\n";
  const std::string schedule = std::string(") schedule(#snug.grid<tiles = [") +
                               grid + "]>) : (" + input + ") -> " + result +
                               " {\n";
  return head +
         (of.tiles == Tiles::Outside
              ? before("%arg", "%before") +
                    "  %group = snug.fused_group(%x = %before" + schedule
              : "  %group = snug.fused_group(%in = %arg" + schedule +
                    before("%in", "%x")) +
         ops + "  snug.yield %y : " + result +
         "\n  }\n  return %group : " + result + "\n}\n";
}

class Kernels : public ::testing::TestWithParam<Case> {};

// Images that can be cut first.
const Case kCases[] = {
    {"convolution", "2x3x7x9", "2x3x4x5",
     "%f = snug.constant dense<[[[[0.5, -1.0, 0.25], [1.0, 0.125, -0.5], "
     "[0.75, -0.25, 1.5]]], [[[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.125, "
     "-0.75, -1.0]]], [[[-0.5, 0.75, 1.0], [0.25, -0.125, 0.5], [2.0, 1.0, "
     "-1.0]]]]> : tensor<3x1x3x3xf32>\n"
     "  %r = snug.conv2d %x filter %f strides [2, 2] pads [1, 1, 1, 1] groups "
     "3 activation silu : (tensor<2x3x7x9xf32>, tensor<3x1x3x3xf32>) -> "
     "tensor<2x3x4x5xf32>"},
    {"transposed_convolution", "1x3x5x6", "1x2x10x12",
     "%f = snug.constant dense<[[[[0.5, -1.0, 0.25], [1.0, 0.125, -0.5], "
     "[0.75, -0.25, 1.5]], [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.125, "
     "-0.75, -1.0]]], [[[-0.5, 0.75, 1.0], [0.25, -0.125, 0.5], [2.0, 1.0, "
     "-1.0]], [[0.5, -1.0, 0.25], [1.0, 0.125, -0.5], [0.75, -0.25, 1.5]]], "
     "[[[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.125, -0.75, -1.0]], [[0.5, "
     "-1.0, 0.25], [1.0, 0.125, -0.5], [0.75, -0.25, 1.5]]]]> : "
     "tensor<3x2x3x3xf32>\n"
     "  %b = snug.constant dense<[0.5, -0.25]> : tensor<2xf32>\n"
     "  %r = snug.conv_transpose2d %x filter %f bias %b strides [2, 2] pads "
     "[1, 1, 1, 1] output_pads [1, 1] activation relu : (tensor<1x3x5x6xf32>, "
     "tensor<3x2x3x3xf32>, tensor<2xf32>) -> tensor<1x2x10x12xf32>"},
    {"max_pool", "1x3x7x8", "1x3x4x4",
     "%r = snug.max_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] : "
     "(tensor<1x3x7x8xf32>) -> tensor<1x3x4x4xf32>"},
    {"avg_pool", "1x3x7x8", "1x3x4x4",
     "%r = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] : "
     "(tensor<1x3x7x8xf32>) -> tensor<1x3x4x4xf32>"},
    {"avg_pool_counting", "1x3x10x9", "1x3x6x5",
     "%r = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] "
     "ceil_pads [1, 0] count_include_pad : (tensor<1x3x10x9xf32>) -> "
     "tensor<1x3x6x5xf32>"},
    {"lrn", "1x7x4x5", "1x7x4x5",
     "%r = snug.lrn %x size 5 alpha 0.5 beta 0.75 bias 1.0 : "
     "tensor<1x7x4x5xf32>"},
    {"add_itself", "1x3x4x5", "1x3x4x5",
     "%r = snug.binary mul %x, %x activation sigmoid : (tensor<1x3x4x5xf32>, "
     "tensor<1x3x4x5xf32>) -> tensor<1x3x4x5xf32>"},
    {"add_per_channel", "1x3x4x5", "1x3x4x5",
     "%c = snug.constant dense<[[[0.5]], [[-1.0]], [[2.0]]]> : "
     "tensor<3x1x1xf32>\n"
     "  %r = snug.binary add %x, %c : (tensor<1x3x4x5xf32>, "
     "tensor<3x1x1xf32>) -> tensor<1x3x4x5xf32>"},
    {"number_minus", "1x3x4x5", "1x3x4x5",
     "%c = snug.constant dense<1.0> : tensor<f32>\n"
     "  %r = snug.binary sub %c, %x : (tensor<f32>, tensor<1x3x4x5xf32>) -> "
     "tensor<1x3x4x5xf32>"},
    {"constant_image", "1x2x3x4", "1x2x3x4",
     "%c = snug.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], "
     "[9.0, 10.0, 11.0, 12.0]], [[-1.0, -2.0, -3.0, -4.0], [-5.0, -6.0, -7.0, "
     "-8.0], [0.5, 0.25, 0.125, 0.75]]]]> : tensor<1x2x3x4xf32>\n"
     "  %r = snug.binary mul %x, %c : (tensor<1x2x3x4xf32>, "
     "tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>"},
    {"constant_rows", "1x2x3x4", "1x2x3x4",
     "%c = snug.constant dense<[[1.0], [5.0], [9.0]]> : tensor<3x1xf32>\n"
     "  %r = snug.binary div %x, %c : (tensor<1x2x3x4xf32>, tensor<3x1xf32>) "
     "-> tensor<1x2x3x4xf32>"},
    {"prelu", "1x3x4x5", "1x3x4x5",
     "%c = snug.constant dense<[[[0.5]], [[-1.0]], [[2.0]]]> : "
     "tensor<3x1x1xf32>\n"
     "  %r = snug.binary prelu %x, %c : (tensor<1x3x4x5xf32>, "
     "tensor<3x1x1xf32>) -> tensor<1x3x4x5xf32>"},
    {"softmax_channels", "2x5x3x4", "2x5x3x4",
     "%r = snug.softmax %x axis 1 : tensor<2x5x3x4xf32>"},
    {"concat_channels", "1x3x4x5", "1x8x4x5",
     "%a = snug.unary sigmoid %x : tensor<1x3x4x5xf32>\n"
     "  %s = snug.slice %x starts [0, 1, 0, 0] ends [1, 3, 4, 5] steps [1, 1, "
     "1, 1] : (tensor<1x3x4x5xf32>) -> tensor<1x2x4x5xf32>\n"
     "  %r = snug.concat %a, %s, %x axis 1 : (tensor<1x3x4x5xf32>, "
     "tensor<1x2x4x5xf32>, tensor<1x3x4x5xf32>) -> tensor<1x8x4x5xf32>"},
    // A block of dense layers: each reads what those before it wrote.
    {"dense_block", "1x3x4x5", "1x9x4x5",
     "%f = snug.constant dense<0.25> : tensor<3x3x3x3xf32>\n"
     "  %h = snug.constant dense<-0.125> : tensor<3x6x1x1xf32>\n"
     "  %a = snug.conv2d %x filter %f pads [1, 1, 1, 1] : "
     "(tensor<1x3x4x5xf32>, tensor<3x3x3x3xf32>) -> tensor<1x3x4x5xf32>\n"
     "  %b = snug.concat %x, %a axis 1 : (tensor<1x3x4x5xf32>, "
     "tensor<1x3x4x5xf32>) -> tensor<1x6x4x5xf32>\n"
     "  %c = snug.conv2d %b filter %h : (tensor<1x6x4x5xf32>, "
     "tensor<3x6x1x1xf32>) -> tensor<1x3x4x5xf32>\n"
     "  %r = snug.concat %b, %c axis 1 : (tensor<1x6x4x5xf32>, "
     "tensor<1x3x4x5xf32>) -> tensor<1x9x4x5xf32>"},
    {"shuffle_block", "1x4x4x5", "1x8x4x5",
     "%a = snug.channel_shuffle %x groups 2 : tensor<1x4x4x5xf32>\n"
     "  %r = snug.concat %x, %a axis 1 : (tensor<1x4x4x5xf32>, "
     "tensor<1x4x4x5xf32>) -> tensor<1x8x4x5xf32>"},
    {"crop", "2x3x7x9", "2x3x4x5",
     "%r = snug.slice %x starts [0, 0, 1, 3] ends [2, 3, 5, 8] steps [1, 1, 1, "
     "1] : (tensor<2x3x7x9xf32>) -> tensor<2x3x4x5xf32>"},
    {"strided_slice", "2x3x7x9", "2x2x3x4",
     "%r = snug.slice %x starts [0, 0, 1, 1] ends [2, 3, 7, 9] steps [1, 2, 2, "
     "2] : (tensor<2x3x7x9xf32>) -> tensor<2x2x3x4xf32>"},
    {"channel_shuffle", "2x6x3x4", "2x6x3x4",
     "%r = snug.channel_shuffle %x groups 2 : tensor<2x6x3x4xf32>"},
    {"space_to_depth", "1x3x6x8", "1x12x3x4",
     "%r = snug.space_to_depth %x block 2 : (tensor<1x3x6x8xf32>) -> "
     "tensor<1x12x3x4xf32>"},
    {"depth_to_space", "2x18x3x2", "2x2x9x6",
     "%r = snug.depth_to_space %x block 3 : (tensor<2x18x3x2xf32>) -> "
     "tensor<2x2x9x6xf32>"},
    {"depth_to_space_crd", "1x12x3x4", "1x3x6x8",
     "%r = snug.depth_to_space %x block 2 mode crd : (tensor<1x12x3x4xf32>) -> "
     "tensor<1x3x6x8xf32>"},
    {"resize_nearest", "1x3x5x4", "1x3x10x8",
     "%r = snug.resize %x mode nearest rounding floor scale [0.5, 0.5] shift "
     "[0.0, 0.0] : (tensor<1x3x5x4xf32>) -> tensor<1x3x10x8xf32>"},
    {"resize_linear", "1x3x5x4", "1x3x8x7",
     "%r = snug.resize %x mode linear scale [0.625, 0.5] shift [-0.1875, "
     "-0.25] : (tensor<1x3x5x4xf32>) -> tensor<1x3x8x7xf32>"},
    {"pad_constant", "1x2x4x5", "1x3x7x8",
     "%r = snug.pad %x low [0, 0, 1, 1] high [0, 1, 2, 2] value 0.5 : "
     "(tensor<1x2x4x5xf32>) -> tensor<1x3x7x8xf32>"},
    {"pad_reflect", "1x2x4x5", "1x2x8x8",
     "%r = snug.pad %x low [0, 0, 1, 2] high [0, 0, 3, 1] mode reflect : "
     "(tensor<1x2x4x5xf32>) -> tensor<1x2x8x8xf32>",
     Tiles::Outside},
    {"pad_edge", "1x2x4x5", "1x3x8x8",
     "%r = snug.pad %x low [0, 1, 1, 2] high [0, 0, 3, 1] mode edge : "
     "(tensor<1x2x4x5xf32>) -> tensor<1x3x8x8xf32>",
     Tiles::Outside},

    // Barriers: whole networks alone.
    {"global_avg_pool", "2x3x4x5", "2x3x1x1",
     "%r = snug.global_avg_pool %x : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x3x1x1xf32>",
     Tiles::None},
    {"global_max_pool", "2x3x4x5", "2x3x1x1",
     "%r = snug.global_max_pool %x : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x3x1x1xf32>",
     Tiles::None},
    {"gate", "2x3x4x5", "2x3x4x5",
     "%p = snug.global_avg_pool %x : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x3x1x1xf32>\n"
     "  %g = snug.unary hard_sigmoid(0.2, 0.5) %p : tensor<2x3x1x1xf32>\n"
     "  %r = snug.binary mul %x, %g : (tensor<2x3x4x5xf32>, "
     "tensor<2x3x1x1xf32>) -> tensor<2x3x4x5xf32>",
     Tiles::None},
    {"gemm", "2x3", "2x4",
     "%w = snug.constant dense<[[1.0, 2.0, -3.0, 0.5], [0.25, -1.0, 2.0, 1.0], "
     "[0.5, 0.75, -0.25, 3.0]]> : tensor<3x4xf32>\n"
     "  %r = snug.gemm %x weight %w activation gelu : (tensor<2x3xf32>, "
     "tensor<3x4xf32>) -> tensor<2x4xf32>",
     Tiles::None},
    {"reduce_pixels", "2x3x4x5", "2x3",
     "%r = snug.reduce max %x axes [2, 3] : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x3xf32>",
     Tiles::None},
    {"reduce_channels", "2x3x4x5", "2x1x4x5",
     "%r = snug.reduce mean %x axes [1] keep_dims : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x1x4x5xf32>",
     Tiles::None},
    {"reduce_rows", "2x3x4x5", "2x3x5",
     "%r = snug.reduce sum %x axes [2] : (tensor<2x3x4x5xf32>) -> "
     "tensor<2x3x5xf32>",
     Tiles::None},
    {"reduce_batch", "2x3x4", "3x4",
     "%r = snug.reduce min %x axes [0] : (tensor<2x3x4xf32>) -> "
     "tensor<3x4xf32>",
     Tiles::None},
    {"softmax_columns", "2x5x3x4", "2x5x3x4",
     "%r = snug.softmax %x axis 3 : tensor<2x5x3x4xf32>", Tiles::None},
    {"softmax_rank_three", "2x5x3", "2x5x3",
     "%r = snug.softmax %x axis 1 : tensor<2x5x3xf32>", Tiles::None},
    {"softmax_last", "2x3x4x5x6", "2x3x4x5x6",
     "%r = snug.softmax %x axis 4 : tensor<2x3x4x5x6xf32>", Tiles::None},
    {"reshape", "2x3x4x5", "2x4x15",
     "%r = snug.reshape %x : tensor<2x3x4x5xf32> -> tensor<2x4x15xf32>",
     Tiles::None},
    {"reshape_and_back", "2x3x4x5", "2x3x4x5",
     "%a = snug.reshape %x : tensor<2x3x4x5xf32> -> tensor<6x20xf32>\n"
     "  %b = snug.softmax %a axis 1 : tensor<6x20xf32>\n"
     "  %r = snug.reshape %b : tensor<6x20xf32> -> tensor<2x3x4x5xf32>",
     Tiles::None},
    {"reshape_to_image", "1x24x5", "1x3x4x3",
     "%a = snug.slice %x starts [0, 2, 1] ends [1, 18, 4] steps [1, 1, 1] : "
     "(tensor<1x24x5xf32>) -> tensor<1x16x3xf32>\n"
     "  %b = snug.reshape %a : tensor<1x16x3xf32> -> tensor<1x3x8x2xf32>\n"
     "  %r = snug.max_pool2d %b kernel [2, 2] strides [2, 1] pads [0, 1, 0, 1] "
     ": (tensor<1x3x8x2xf32>) -> tensor<1x3x4x3xf32>",
     Tiles::None},
    {"transpose_to_nhwc", "2x3x4x5", "2x4x5x3",
     "%r = snug.transpose %x permutation [0, 2, 3, 1] : (tensor<2x3x4x5xf32>) "
     "-> tensor<2x4x5x3xf32>",
     Tiles::None},
    {"transpose_to_nchw", "2x4x5x3", "2x3x4x5",
     "%r = snug.transpose %x permutation [0, 3, 1, 2] : (tensor<2x4x5x3xf32>) "
     "-> tensor<2x3x4x5xf32>",
     Tiles::None},
    {"transpose_all", "2x3x4x5x2", "5x2x2x4x3",
     "%r = snug.transpose %x permutation [3, 0, 4, 2, 1] : "
     "(tensor<2x3x4x5x2xf32>) -> tensor<5x2x2x4x3xf32>",
     Tiles::None},
    {"concat_rows", "1x3x4x5", "1x3x9x5",
     "%a = snug.slice %x starts [0, 0, 3, 0] ends [1, 3, 4, 5] steps [1, 1, 1, "
     "1] : (tensor<1x3x4x5xf32>) -> tensor<1x3x1x5xf32>\n"
     "  %b = snug.unary sigmoid %x : tensor<1x3x4x5xf32>\n"
     "  %r = snug.concat %b, %a, %x axis 2 : (tensor<1x3x4x5xf32>, "
     "tensor<1x3x1x5xf32>, tensor<1x3x4x5xf32>) -> tensor<1x3x9x5xf32>",
     Tiles::None},
    {"concat_rank_three", "1x3x4", "1x3x10",
     "%a = snug.slice %x starts [0, 0, 1] ends [1, 3, 3] steps [1, 1, 1] : "
     "(tensor<1x3x4xf32>) -> tensor<1x3x2xf32>\n"
     "  %r = snug.concat %x, %a, %x axis 2 : (tensor<1x3x4xf32>, "
     "tensor<1x3x2xf32>, tensor<1x3x4xf32>) -> tensor<1x3x10xf32>",
     Tiles::None},
    {"concat_vectors", "2x3", "2x8",
     "%a = snug.slice %x starts [0, 1] ends [2, 3] steps [1, 1] : "
     "(tensor<2x3xf32>) -> tensor<2x2xf32>\n"
     "  %r = snug.concat %x, %a, %x axis 1 : (tensor<2x3xf32>, "
     "tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>",
     Tiles::None},
    {"slice_backwards", "1x3x7x5", "1x3x3x5",
     "%r = snug.slice %x starts [0, 2, 6, 4] ends [1, -1, 0, -1] steps [1, -1, "
     "-2, -1] : (tensor<1x3x7x5xf32>) -> tensor<1x3x3x5xf32>",
     Tiles::None},
    {"slice_batch", "3x2x3x4", "2x2x3x4",
     "%r = snug.slice %x starts [1, 0, 0, 0] ends [3, 2, 3, 4] steps [1, 1, 1, "
     "1] : (tensor<3x2x3x4xf32>) -> tensor<2x2x3x4xf32>",
     Tiles::None},
    {"pad_rank_three", "2x3x4", "2x4x7",
     "%r = snug.pad %x low [0, 1, 1] high [0, 0, 2] mode edge : "
     "(tensor<2x3x4xf32>) -> tensor<2x4x7xf32>",
     Tiles::None},
    {"pad_batch", "2x3x2x2", "3x3x2x2",
     "%r = snug.pad %x low [1, 0, 0, 0] high [0, 0, 0, 0] value -1.0 : "
     "(tensor<2x3x2x2xf32>) -> tensor<3x3x2x2xf32>",
     Tiles::None},
    {"binary_outer", "4x1", "4x7",
     "%c = snug.constant dense<[1.0, 2.0, 3.0, 4.0, 0.5, 0.25, 7.0]> : "
     "tensor<7xf32>\n"
     "  %r = snug.binary pow %c, %x : (tensor<7xf32>, tensor<4x1xf32>) -> "
     "tensor<4x7xf32>",
     Tiles::None},
    {"binary_rank_five", "2x3x4x5x2", "2x3x4x5x2",
     "%s = snug.slice %x starts [0, 0, 1, 0, 0] ends [2, 3, 2, 5, 2] steps [1, "
     "1, 1, 1, 1] : (tensor<2x3x4x5x2xf32>) -> tensor<2x3x1x5x2xf32>\n"
     "  %r = snug.binary max %x, %s : (tensor<2x3x4x5x2xf32>, "
     "tensor<2x3x1x5x2xf32>) -> tensor<2x3x4x5x2xf32>",
     Tiles::None},
    {"binary_planar_constant", "1x3x4x5", "1x4x5x3",
     "%t = snug.transpose %x permutation [0, 2, 3, 1] : (tensor<1x3x4x5xf32>) "
     "-> tensor<1x4x5x3xf32>\n"
     "  %c = snug.constant dense<[1.0, -2.0, 3.0]> : tensor<3xf32>\n"
     "  %r = snug.binary mul %t, %c : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> "
     "tensor<1x4x5x3xf32>",
     Tiles::None},
    {"matmul", "2x3x4", "2x3x3",
     "%t = snug.transpose %x permutation [0, 2, 1] : (tensor<2x3x4xf32>) -> "
     "tensor<2x4x3xf32>\n"
     "  %r = snug.matmul %x, %t : (tensor<2x3x4xf32>, tensor<2x4x3xf32>) -> "
     "tensor<2x3x3xf32>",
     Tiles::None},
    {"batch_norm_rank_three", "2x3x4", "2x3x4",
     "%s = snug.constant dense<[1.0, -2.0, 3.0]> : tensor<3xf32>\n"
     "  %v = snug.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>\n"
     "  %r = snug.batch_norm %x scale %s shift %v mean %s variance %v : "
     "(tensor<2x3x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, "
     "tensor<3xf32>) -> tensor<2x3x4xf32>",
     Tiles::None},
};

} // namespace

TEST_P(Kernels, Whole) {
  EXPECT_EQ(runBesideReference(networkOf(GetParam(), nullptr)), "");
  EXPECT_EQ(runBesideReference(networkOf(GetParam(), nullptr), 2), "");
}

TEST_P(Kernels, InTiles) {
  if (GetParam().tiles == Tiles::None)
    GTEST_SKIP() << "not in tiles";
  for (const char *grid : {"1, 1", "2, 1", "1, 3", "3, 2"})
    EXPECT_EQ(runBesideReference(networkOf(GetParam(), grid)), "") << grid;
}

INSTANTIATE_TEST_SUITE_P(All, Kernels, ::testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });
