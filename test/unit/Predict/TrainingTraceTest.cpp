// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a training step keeps and allocates, worked out by hand on small
// networks.
#include "Predict/TrainingTrace.h"

#include "snug/Predict/TrainingMemory.h"

#include "gtest/gtest.h"

using namespace snug::predict;

namespace {

/// Bytes of an image of 3 channels, and of one of 4: 8x8 pixels, float32.
constexpr int64_t kImage = 3 * 64 * 4, kFeatures = 4 * 64 * 4;

/// Builds networks of 8x8 images.
struct Builder {
  TrainingNetwork network;

  explicit Builder() {
    add({3, 8, 8});
    network.tensors[0].isInput = true;
    network.tensors[0].requiresGradient = false;
  }
  int add(std::vector<int64_t> shape) {
    TrainingTensor tensor;
    tensor.name = "t" + std::to_string(network.tensors.size());
    tensor.shape = std::move(shape);
    network.tensors.push_back(tensor);
    return static_cast<int>(network.tensors.size()) - 1;
  }
  int op(TrainingKind kind, const char *mnemonic, std::vector<int> operands,
         std::vector<int64_t> shape, bool inPlace = false) {
    TrainingOp op;
    op.name = mnemonic;
    op.kind = kind;
    op.mnemonic = mnemonic;
    op.operands = std::move(operands);
    op.result = add(std::move(shape));
    op.inPlace = inPlace;
    bool needsGradient = false;
    for (int operand : op.operands)
      needsGradient |= network.tensors[operand].requiresGradient;
    network.tensors[op.result].requiresGradient = needsGradient;
    network.ops.push_back(op);
    return op.result;
  }
  /// A convolution of 3x3 pixels to 4 channels.
  int conv(int from, int64_t groups = 1) {
    const int64_t channels = network.tensors[from].channels();
    const int made = op(TrainingKind::Convolution, "conv2d", {from}, {4, 8, 8});
    TrainingOp &op = network.ops.back();
    op.kernel = {3, 3};
    op.pads = {1, 1, 1, 1};
    op.groups = groups;
    op.weights = 4 * channels / groups * 9;
    network.tensors[made].requiresGradient = true;
    return made;
  }
  int norm(int from) {
    const int made = op(TrainingKind::BatchNormalization, "batch_norm", {from},
                        network.tensors[from].shape);
    network.ops.back().weights = network.ops.back().biases =
        network.tensors[from].channels();
    return made;
  }
  int relu(int from, bool inPlace) {
    return op(TrainingKind::Activation, "relu", {from},
              network.tensors[from].shape, inPlace);
  }

  const TrainingNetwork &done() {
    network.tensors.back().isOutput = true;
    EXPECT_EQ(check(network), "");
    return network;
  }
  /// What each op keeps of two images.
  std::vector<int64_t> kept() {
    std::vector<int64_t> bytes;
    for (const KeptForBackward &kept : keptForBackward(done(), 2))
      bytes.push_back(kept.bytes);
    return bytes;
  }
};

using Bytes = std::vector<int64_t>;

TEST(TrainingTraceTest, ActivationInPlaceSharesItsOperand) {
  Builder inPlace;
  inPlace.conv(inPlace.relu(inPlace.norm(inPlace.conv(0)), true));
  // conv: image; norm: its input, mean and deviation; relu: result; the second
  // convolution's input is the same tensor.
  EXPECT_EQ(inPlace.kept(),
            (Bytes{2 * kImage, 2 * kFeatures + 2 * 4 * 4, 2 * kFeatures, 0}));
  EXPECT_EQ(keptForBackward(inPlace.network, 2)[3].what, "input");

  Builder apart;
  apart.conv(apart.relu(apart.norm(apart.conv(0)), false));
  EXPECT_EQ(apart.kept(), inPlace.kept());
  // Only there is a tensor allocated for the result.
  EXPECT_EQ(traceTraining(apart.network).events.size(),
            traceTraining(inPlace.network).events.size() + 2);
}

TEST(TrainingTraceTest, ActivationsThatKeepTheirOperand) {
  Builder builder;
  const int from = builder.conv(0);
  builder.op(TrainingKind::Activation, "silu", {from}, {4, 8, 8});
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 2 * kFeatures}));
  EXPECT_EQ(keptForBackward(builder.network, 2)[1].what, "input");
}

TEST(TrainingTraceTest, ResidualAddKeepsNothing) {
  Builder builder;
  const int shortcut = builder.relu(builder.conv(0), true);
  const int sum =
      builder.op(TrainingKind::Add, "add",
                 {builder.norm(builder.conv(shortcut)), shortcut}, {4, 8, 8});
  builder.relu(sum, true);
  // conv, relu, conv (the relu's result again), norm, add, relu.
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 2 * kFeatures, 0,
                                   2 * kFeatures + 32, 0, 2 * kFeatures}));
}

TEST(TrainingTraceTest, ConcatCopiesAndKeepsNothing) {
  Builder builder;
  const int first = builder.conv(0), second = builder.conv(0);
  const int both =
      builder.op(TrainingKind::Concat, "concat", {first, second}, {8, 8, 8});
  builder.conv(builder.relu(both, true));
  // The image once; the parts not at all; what is made of both once.
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 0, 0, 4 * kFeatures, 0}));
}

TEST(TrainingTraceTest, PoolingKeepsIndicesOfEightBytes) {
  Builder builder;
  builder.op(TrainingKind::Pooling, "max_pool2d",
             {builder.relu(builder.conv(0), true)}, {4, 4, 4});
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 2 * kFeatures, 2 * 4 * 16 * 8}));
  EXPECT_EQ(keptForBackward(builder.network, 2)[2].what, "input, indices");
}

TEST(TrainingTraceTest, AveragePoolings) {
  Builder builder;
  const int from = builder.conv(0);
  builder.op(TrainingKind::GlobalAveragePooling, "global_avg_pool", {from},
             {4, 1, 1});
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 0}));
  Builder windows;
  windows.op(TrainingKind::AveragePooling, "avg_pool2d", {windows.conv(0)},
             {4, 4, 4});
  EXPECT_EQ(windows.kept(), (Bytes{2 * kImage, 2 * kFeatures}));
}

TEST(TrainingTraceTest, DropoutKeepsAMaskOfOneByte) {
  Builder builder;
  const int from = builder.relu(builder.conv(0), true);
  builder.conv(builder.op(TrainingKind::Dropout, "dropout", {from}, {4, 8, 8}));
  EXPECT_EQ(builder.kept(),
            (Bytes{2 * kImage, 2 * kFeatures, 2 * 4 * 64, 2 * kFeatures}));
  EXPECT_EQ(keptForBackward(builder.network, 2)[2].what, "mask");
}

TEST(TrainingTraceTest, DepthwiseConvolutionKeepsItsInputAndTakesNoScratch) {
  Builder builder;
  builder.conv(builder.conv(0), 4);
  EXPECT_EQ(builder.kept(), (Bytes{2 * kImage, 2 * kFeatures}));
  int64_t scratches = 0;
  for (const TrainingTrace::Event &event : traceTraining(builder.done()).events)
    scratches += event.kind == TrainingTrace::EventKind::Scratch;
  EXPECT_EQ(scratches, 1); // of the first convolution's weights
}

TEST(TrainingTraceTest, MultiplyReshapeAndFullyConnected) {
  Builder builder;
  const int left = builder.conv(0), right = builder.conv(0);
  const int product =
      builder.op(TrainingKind::Multiply, "mul", {left, right}, {4, 8, 8});
  const int twice =
      builder.op(TrainingKind::Multiply, "mul", {product}, {4, 8, 8});
  const int flat = builder.op(TrainingKind::Reshape, "reshape", {twice}, {256});
  builder.op(TrainingKind::FullyConnected, "gemm", {flat}, {10});
  builder.network.ops.back().weights = 2560;
  builder.network.ops.back().biases = 10;
  EXPECT_EQ(builder.kept(),
            (Bytes{2 * kImage, 0, 4 * kFeatures, 0, 0, 2 * kFeatures}));
  EXPECT_TRUE(traceTraining(builder.network).usesMatrixLibrary);
}

TEST(TrainingTraceTest, NothingIsKeptBeforeTheFirstParameter) {
  Builder builder;
  const int scaled =
      builder.op(TrainingKind::Activation, "silu", {0}, {3, 8, 8});
  builder.conv(scaled);
  EXPECT_EQ(builder.kept(), (Bytes{0, 2 * kImage}));
}

TEST(TrainingTraceTest, PersistentBytes) {
  Builder builder;
  builder.norm(builder.conv(0));
  const TrainingTrace trace = traceTraining(builder.done());
  // 108 filters' elements, scale and shift of 4 channels.
  EXPECT_EQ(trace.gradients.fixed, (108 + 4 + 4) * 4);
  // Besides, running mean and variance, and a count.
  EXPECT_EQ(trace.weights.fixed, (108 + 4 + 4) * 4 + 2 * 4 * 4 + 8);
  EXPECT_EQ(trace.weights.perImage, 0);
}

TEST(TrainingTraceTest, PeakOfAStep) {
  // One convolution without bias, at 1024 images: the output has 1 MiB, the
  // image 768 KiB. Filters, gradients and momentum take 512 bytes each, the
  // classes 8 KiB.
  Builder builder;
  builder.conv(0);
  const TrainingTrace trace = traceTraining(builder.done());
  const int64_t output = 1024 * kFeatures, image = 1024 * kImage;
  const int64_t persistent = 3 * 512 + image + 8 * 1024;
  // Output, logarithms of its softmax, gradients of those and of the output.
  EXPECT_EQ(replay(trace, 1024, false).liveBytes, persistent + 4 * output);
  // F(2x2, 3x3): 16 values for each of 16 tiles and 3 + 4 channels, and of
  // filters; beside output and gradient, and 512 bytes for new filters'.
  const int64_t scratch = 16 * 4 * (1024 * 16 * (3 + 4) + 3 * 4);
  const int64_t rounded = (scratch + 511) / 512 * 512;
  EXPECT_EQ(replay(trace, 1024, true).liveBytes,
            persistent + 2 * output + 512 + rounded);
}

TEST(TrainingTraceTest, HugeBatchesDoNotOverflow) {
  Builder builder;
  builder.conv(0);
  builder.network.tensors[0].shape = {3, int64_t{1} << 19, int64_t{1} << 19};
  builder.network.tensors[1].shape = {4, int64_t{1} << 19, int64_t{1} << 19};
  const TracePeak peak =
      replay(traceTraining(builder.done()), int64_t{1} << 30, true);
  EXPECT_EQ(peak.reservedBytes, int64_t{1} << 60);
}

} // namespace
