// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes seeds of the plan loader's fuzz target into the folder that it is
// given: two plans that have every kernel between them, the same with streamed
// weights, and some kernels alone.
#include "KernelsPlan.h"
#include "TestNetwork.h"

#include <cstdio>
#include <string>

using namespace snug;
using namespace snug::testing;

namespace {

void write(const std::string &folder, const std::string &name,
           const PlanImage &image) {
  image.write(folder + "/" + name + ".snug");
}

PlanImage small(int kernel) {
  PlanBuilder builder(runtime::Target::Portable, 1);
  const schema::View in = builder.channelsLast(1, 4, 3, 2);
  const schema::View out = kernel == 3 ? builder.channelsLast(1, 1, 1, 2)
                                       : builder.channelsLast(1, 4, 3, 2);
  builder.input("x", in);
  builder.output("y", out);
  const std::vector<float> weights = testValues(2 * 2 * 9, 1, 1.0f);
  switch (kernel) {
  case 0:
    builder.move("m", in, out);
    break;
  case 1:
    builder.convolution("c", in, out, window(3, 1, 1), 1, weights, {1, 2});
    break;
  case 2:
    builder.pool("p", in, out, window(3, 1, 1), schema::PoolKind::Average);
    break;
  case 3:
    builder.reduce("g", in, out, schema::ReduceKind::Mean);
    break;
  case 4:
    builder.unary("u", in, out, schema::Activation::Relu6);
    break;
  case 5:
    builder.binary("a", in, in, out, schema::BinaryKind::Add);
    break;
  default:
    builder.convolution("d", in, out, window(3, 1, 1), 2,
                        testValues(2 * 9, 1, 1.0f), {});
    break;
  }
  return builder.build();
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const TestNetwork network;
  write(argv[1], "all", network.plan(runtime::Target::Portable, 1));
  write(argv[1], "all-host", network.plan(runtime::hostTarget(), 2));
  write(argv[1], "others", kernelsPlan(runtime::Target::Portable, 1));
  write(argv[1], "others-host", kernelsPlan(runtime::hostTarget(), 2));
  write(argv[1], "streamed",
        streamedPlan(network.plan(runtime::Target::Portable, 1)));
  write(argv[1], "others-streamed",
        streamedPlan(kernelsPlan(runtime::hostTarget(), 1)));
  for (int kernel = 0; kernel < 7; ++kernel)
    write(argv[1], "kernel" + std::to_string(kernel), small(kernel));
  return 0;
}
