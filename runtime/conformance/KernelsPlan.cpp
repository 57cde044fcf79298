// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the plan of the kernels that the test network does without.

#include "KernelsPlan.h"
#include "TestNetwork.h"

namespace snug {
namespace testing {

std::vector<float> kernelsPlanFilter() {
  return testValues(6 * 4 * 9, 21, 0.5f);
}
std::vector<float> kernelsPlanScale() { return testValues(6, 22, 2.0f); }

PlanImage kernelsPlan(runtime::Target target, int threads) {
  using schema::Activation;
  using schema::View;
  PlanBuilder plan(target, threads);
  const View x = plan.channelsLast(1, 5, 4, 6);
  plan.input("x", x);
  const auto result = [&](const char *name, int n, int h, int w, int c) {
    const View view = plan.channelsLast(n, h, w, c);
    plan.output(name, view);
    plan.program.outputs.back()->shape = {n, h, w, c};
    return view;
  };

  const View upsampled = result("upsample", 1, 9, 7, 4);
  schema::TransposedConvolutionT &upsample =
      plan.transposedConvolution("upsample", x, upsampled, window(3, 2, 0), 1,
                                 kernelsPlanFilter(), {0.1f, 0.2f, 0.3f, 0.4f});
  upsample.row_offset = upsample.column_offset = 1;
  upsample.activation = Activation::Tanh;

  plan.unary("smooth", x, result("smooth", 1, 5, 4, 6), Activation::Silu);

  const View perChannel(0, 1, 1, 1, 6, 6, 6, 6, 1);
  schema::BinaryT &scale =
      plan.binary("scale", x, perChannel, result("scale", 1, 5, 4, 6),
                  schema::BinaryKind::Mul);
  scale.right_constant = plan.constant("scale", kernelsPlanScale());
  scale.activation = Activation::Clip;
  scale.alpha = -0.5f;
  scale.beta = 0.75f;

  const View one(0, 1, 1, 1, 1, 1, 1, 1, 1);
  schema::BinaryT &inverse =
      plan.binary("inverse", one, x, result("inverse", 1, 5, 4, 6),
                  schema::BinaryKind::Sub);
  inverse.left_constant = plan.constant("one", {1.0f});

  const View largest = plan.channelsLast(1, 1, 1, 6);
  plan.reduce("largest", x, largest, schema::ReduceKind::Max);
  plan.binary("gate", x, largest, result("gate", 1, 5, 4, 6),
              schema::BinaryKind::Mul);

  const auto resize = [&](const char *name, const View &out,
                          schema::ResizeMode mode, int row, int column) {
    schema::ResizeT kernel;
    kernel.input = copied(x);
    kernel.output = copied(out);
    kernel.mode = mode;
    kernel.scale_height = kernel.scale_width = 0.5;
    kernel.shift_height = kernel.shift_width =
        mode == schema::ResizeMode::Linear ? -0.25 : 0.0;
    kernel.rounding = schema::NearestRounding::Floor;
    kernel.input_height = 5;
    kernel.input_width = 4;
    kernel.output_row = row;
    kernel.output_column = column;
    plan.append(name, std::move(kernel));
  };
  resize("nearest", result("nearest", 1, 10, 8, 6), schema::ResizeMode::Nearest,
         0, 0);
  resize("linear", result("linear", 1, 6, 4, 6), schema::ResizeMode::Linear, 2,
         1);

  schema::PadT pad;
  pad.input = copied(x);
  pad.output = copied(result("padded", 1, 6, 5, 6));
  pad.top = pad.right = 1;
  pad.mode = schema::PadMode::Reflect;
  plan.append("padded", std::move(pad));

  const View planes = result("planes", 1, 6, 5, 4);
  schema::RearrangeT rearrange;
  rearrange.input_offset = x.offset();
  rearrange.output_offset = planes.offset();
  rearrange.extents = {6, 5, 4};
  rearrange.input_strides = {1, 24, 6};
  rearrange.output_strides = {20, 4, 1};
  plan.append("planes", std::move(rearrange));

  schema::LocalResponseNormalizationT normalised;
  normalised.input = copied(x);
  normalised.output = copied(result("normalised", 1, 5, 4, 6));
  normalised.size = 3;
  normalised.alpha = 2.0f;
  normalised.beta = 0.75f;
  normalised.bias = 1.0f;
  plan.append("normalised", std::move(normalised));

  schema::MatMulT products;
  products.left.reset(new View(x.offset(), 1, 20, 6, 1, 120, 6, 1, 1));
  products.right.reset(new View(x.offset(), 1, 6, 20, 1, 120, 1, 6, 1));
  const View square = result("products", 1, 20, 20, 1);
  products.output = copied(square);
  plan.append("products", std::move(products));

  const View planesAsPicture(planes.offset(), 1, 5, 4, 6, 120, 4, 1, 20);
  const View shares = result("shares", 1, 6, 5, 4);
  plan.softmax("shares", planesAsPicture,
               View(shares.offset(), 1, 5, 4, 6, 120, 4, 1, 20));
  return plan.build();
}

} // namespace testing
} // namespace snug
