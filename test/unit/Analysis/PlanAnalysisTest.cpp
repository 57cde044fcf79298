// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is read off a program: lifetimes, names, reuses, and its memory map.
#include "snug/Analysis/PlanAnalysis.h"

#include "snug/Analysis/MemoryMap.h"
#include "snug/Dialect/Plan/WeightLayout.h"
#include "snug/runtime/Catalogue.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace snug;

namespace {

// x -> unary -> a -> add(a, a) -> b -> softmax -> y; `spare` is never touched.
constexpr llvm::StringLiteral kChain = R"(
snug_plan.program @net target "portable" threads 1 arena 4096 attributes {
    groups = [{ops = ["u", "s", "m"], schedule = "1x1", arena = 192 : i64}],
    predicted = {weights = 0 : i64, activations = 4096 : i64, workspace = 0 : i64, runtime_overhead = 7 : i64,
                 arena = 4096 : i64, peak = 4103 : i64, network_macs = 0 : i64, executed_macs = 0 : i64},
    addresses = {peak = 192 : i64, lower_bound = 128 : i64, nodes = 5 : i64}} {
  %x = snug_plan.buffer input "x" shape [1, 4] offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  %a = snug_plan.buffer activation offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  %b = snug_plan.buffer activation offset 0 : !snug_plan.buffer<1x1x1x4, channels_last>
  %y = snug_plan.buffer output "y" shape [1, 4] offset 128 : !snug_plan.buffer<1x1x1x4, channels_last>
  %spare = snug_plan.buffer activation offset 0 : !snug_plan.buffer<1x1x1x4, channels_last>
  %0 = snug_plan.view %x[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %1 = snug_plan.view %a[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %2 = snug_plan.view %b[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %3 = snug_plan.view %y[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  snug_plan.unary %0 to %1 activation relu {group = 0 : i64, tile = 0 : i64} : <1x1x1x4, channels_last> to <1x1x1x4, channels_last> loc("u")
  snug_plan.binary add left %1 : !snug_plan.view<1x1x1x4, channels_last> right %1 : !snug_plan.view<1x1x1x4, channels_last> to %2 {group = 0 : i64, tile = 0 : i64} : <1x1x1x4, channels_last> loc("s")
  snug_plan.softmax %2 to %3 {group = 0 : i64} : <1x1x1x4, channels_last> to <1x1x1x4, channels_last> loc("m")
}
)";

class PlanAnalysis : public ::testing::Test {
protected:
  PlanAnalysis() {
    context.loadDialect<plan::PlanDialect>();
    module = parseSourceString<ModuleOp>(kChain, &context);
  }
  plan::ProgramOp program() {
    return *module->getOps<plan::ProgramOp>().begin();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

TEST_F(PlanAnalysis, LifetimesNamesAndReuses) {
  ASSERT_TRUE(module);
  PlanBuffers buffers = collectBuffers(program());
  EXPECT_EQ(buffers.names,
            (std::vector<std::string>{"x", "'u' tile 0", "'s' tile 0", "y",
                                      "buffer 4"}));
  const int64_t lives[][2] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {0, 1}};
  ASSERT_EQ(buffers.program.buffers.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(buffers.program.buffers[i].liveBegin, lives[i][0]) << i;
    EXPECT_EQ(buffers.program.buffers[i].liveEnd, lives[i][1]) << i;
  }
  // Each result may take the buffer before it; the sum reads `a` twice.
  ASSERT_EQ(buffers.program.reuses.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(buffers.program.reuses[i].step, i);
    EXPECT_EQ(buffers.program.reuses[i].input, i);
    EXPECT_EQ(buffers.program.reuses[i].output, i + 1);
  }
}

TEST_F(PlanAnalysis, MemoryMap) {
  ASSERT_TRUE(module);
  const MemoryMap map = mapMemory(program());
  EXPECT_EQ(map.model, "net");
  EXPECT_EQ(map.steps,
            (std::vector<std::string>{"unary 'u', tile 0", "binary 's', tile 0",
                                      "softmax 'm'"}));
  // 64 rounded bytes: x or a, and spare; then a or b; then b or y.
  EXPECT_EQ(map.liveBytes, (std::vector<int64_t>{128, 64, 64}));
  EXPECT_EQ(map.peakStep, 0);
  EXPECT_EQ(map.peak, 192);
  EXPECT_EQ(map.lowerBound, 128);
  EXPECT_EQ(map.nodes, 5);
  EXPECT_EQ(map.memory.runtimeOverhead, 7);
  ASSERT_EQ(map.arena.size(), 5u);
  EXPECT_EQ(map.arena[3].kind, "output");
  EXPECT_EQ(map.arena[3].offset, 128);
  EXPECT_EQ(map.arena[3].bytes, 16);
}

/// A convolution, two tiles of a group that read two other segments, and one
/// that shares the first's.
TEST_F(PlanAnalysis, WeightsOfOpsAndGridGroupsLieOnPagesOfTheirOwn) {
  auto convolution = [](const std::string &weights,
                        const std::string &attributes) {
    return "snug_plan.convolution %0 to %1 weights @" + weights +
           " kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] " +
           attributes +
           " : <1x1x1x4, channels_last> to <1x1x1x4, channels_last>\n";
  };
  const std::string text =
      std::string("snug_plan.program @net target \"portable\" threads 1 "
                  "attributes {groups = [{ops = [], schedule = \"whole\"}, "
                  "{ops = [], schedule = \"2x1\"}]} {\n") +
      "snug_plan.segment @a packing convolution bytes 5000 = dense<1.0> : "
      "tensor<4x4x1x1xf32>\n"
      "snug_plan.segment @b packing convolution bytes 64 = dense<1.0> : "
      "tensor<4x4x1x1xf32>\n"
      "snug_plan.segment @c packing convolution bytes 4096 = dense<1.0> : "
      "tensor<4x4x1x1xf32>\n"
      "%x = snug_plan.buffer input \"x\" shape [1, 4] : "
      "!snug_plan.buffer<1x1x1x4, channels_last>\n"
      "%y = snug_plan.buffer output \"y\" shape [1, 4] : "
      "!snug_plan.buffer<1x1x1x4, channels_last>\n"
      "%0 = snug_plan.view %x[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, "
      "channels_last>\n"
      "%1 = snug_plan.view %y[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, "
      "channels_last>\n" +
      convolution("a", "{group = 0 : i64}") +
      convolution("b", "{group = 1 : i64, tile = 0 : i64}") +
      convolution("c", "{group = 1 : i64, tile = 0 : i64}") +
      convolution("b", "{group = 1 : i64, tile = 1 : i64}") +
      convolution("c", "{group = 1 : i64, tile = 1 : i64}") +
      "snug_plan.softmax %0 to %1 : <1x1x1x4, channels_last> to <1x1x1x4, "
      "channels_last>\n" +
      convolution("c", "") + convolution("a", "") + "}";
  module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  const plan::WeightLayout resident = plan::layOutWeights(program());
  EXPECT_EQ(llvm::ArrayRef(resident.offsets),
            llvm::ArrayRef<int64_t>({0, 5056, 5120}));
  EXPECT_EQ(resident.peakBytes, 5056 + 64 + 4096);
  EXPECT_EQ(resident.fileBytes, 12288);
  EXPECT_TRUE(resident.ranges.empty());

  program().setStreamWeights(true);
  const plan::WeightLayout streamed = plan::layOutWeights(program());
  // What the group reads lies together, from a page on.
  EXPECT_EQ(llvm::ArrayRef(streamed.offsets),
            llvm::ArrayRef<int64_t>({0, 8192, 8256}));
  EXPECT_EQ(streamed.fileBytes, 16384);
  EXPECT_EQ(streamed.peakBytes, 8192);
  const int64_t ranges[][4] = {
      {0, 1, 0, 8192}, {1, 5, 8192, 8192}, {6, 7, 8192, 8192}, {7, 8, 0, 8192}};
  ASSERT_EQ(streamed.ranges.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(streamed.ranges[i].begin, ranges[i][0]) << i;
    EXPECT_EQ(streamed.ranges[i].end, ranges[i][1]) << i;
    EXPECT_EQ(streamed.ranges[i].offset, ranges[i][2]) << i;
    EXPECT_EQ(streamed.ranges[i].bytes, ranges[i][3]) << i;
  }
  EXPECT_EQ(
      llvm::ArrayRef(streamed.residentBytes(8)),
      llvm::ArrayRef<int64_t>({8192, 8192, 8192, 8192, 8192, 0, 8192, 8192}));
}

/// A residual may be written over, unless the convolution also reads it as its
/// input.
TEST_F(PlanAnalysis, ResidualInPlace) {
  module = parseSourceString<ModuleOp>(R"(
    snug_plan.program @net target "portable" threads 1 {
      snug_plan.segment @w packing convolution bytes 1024 = dense<1.0> : tensor<4x4x1x1xf32>
      %x = snug_plan.buffer input "x" shape [1, 4] : !snug_plan.buffer<1x1x1x4, channels_last>
      %a = snug_plan.buffer activation : !snug_plan.buffer<1x1x1x4, channels_last>
      %y = snug_plan.buffer output "y" shape [1, 4] : !snug_plan.buffer<1x1x1x4, channels_last>
      %0 = snug_plan.view %x[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
      %1 = snug_plan.view %a[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
      %2 = snug_plan.view %y[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
      snug_plan.convolution %0 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x1x1x4, channels_last> to <1x1x1x4, channels_last>
      snug_plan.convolution %1 to %2 residual %0 : !snug_plan.view<1x1x1x4, channels_last> weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x1x1x4, channels_last> to <1x1x1x4, channels_last>
      %again = snug_plan.buffer output "z" shape [1, 4] : !snug_plan.buffer<1x1x1x4, channels_last>
      %3 = snug_plan.view %again[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
      snug_plan.convolution %1 to %3 residual %1 : !snug_plan.view<1x1x1x4, channels_last> weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x1x1x4, channels_last> to <1x1x1x4, channels_last>
    }
  )",
                                       &context);
  ASSERT_TRUE(module);
  PlanBuffers buffers = collectBuffers(program());
  ASSERT_EQ(buffers.program.reuses.size(), 1u);
  EXPECT_EQ(buffers.program.reuses[0].step, 1);
  EXPECT_EQ(buffers.names[buffers.program.reuses[0].input], "x");
  EXPECT_EQ(buffers.names[buffers.program.reuses[0].output], "y");
  EXPECT_TRUE(runtime::runsInPlace(runtime::KernelKind::Convolution, 1));
  EXPECT_FALSE(runtime::runsInPlace(runtime::KernelKind::Convolution, 0));
}

/// The dialect and the kernel catalogue say the same of what runs in place.
TEST_F(PlanAnalysis, InPlaceAsTheCatalogueSays) {
  ASSERT_TRUE(module);
  const runtime::KernelKind kinds[] = {runtime::KernelKind::Unary,
                                       runtime::KernelKind::Binary,
                                       runtime::KernelKind::Softmax};
  PlanBuffers buffers = collectBuffers(program());
  ASSERT_EQ(buffers.kernels.size(), 3u);
  for (auto [kernel, kind] : llvm::zip_equal(buffers.kernels, kinds)) {
    size_t inputs = 0;
    while (runtime::runsInPlace(kind, static_cast<int>(inputs)))
      ++inputs;
    EXPECT_EQ(kernel.getInPlaceInputs().size(), inputs);
  }
}
