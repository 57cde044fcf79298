// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The catalogue: targets, packed layouts and sizes.
#include "kernels_support.h"

#include <numeric>

namespace snug {
namespace runtime {
namespace test {
namespace {

const Target kTargets[] = {Target::Portable, Target::AVX2, Target::AVX512};

WindowShape convolutionShape(int inputs, int outputs, int kernel, int groups) {
  WindowShape s;
  s.inputChannels = inputs;
  s.outputChannels = outputs;
  s.kernelHeight = s.kernelWidth = kernel;
  s.groups = groups;
  return s;
}

TEST(Catalogue, TargetNames) {
  for (Target target : kTargets) {
    Target parsed;
    ASSERT_TRUE(parseTarget(targetName(target), &parsed));
    EXPECT_EQ(parsed, target);
  }
  Target host;
  ASSERT_TRUE(parseTarget("host", &host));
  EXPECT_EQ(host, hostTarget());
  EXPECT_FALSE(parseTarget("AVX2", &host));
  EXPECT_FALSE(parseTarget("", &host));
  EXPECT_FALSE(parseTarget(nullptr, &host));
  ASSERT_NE(kernelTable(Target::Portable), nullptr);
#ifdef SNUG_ALL_KERNELS
  EXPECT_NE(kernelTable(hostTarget()), nullptr);
#endif
  for (Target target : kTargets) {
    const KernelTable *table = kernelTable(target);
    EXPECT_TRUE(!table || table->target == target) << targetName(target);
  }
}

TEST(Catalogue, KernelOfAConvolution) {
  EXPECT_EQ(convolutionKernel(convolutionShape(8, 8, 3, 8)),
            KernelKind::Depthwise);
  EXPECT_EQ(convolutionKernel(convolutionShape(8, 16, 3, 8)),
            KernelKind::Convolution);
  EXPECT_EQ(convolutionKernel(convolutionShape(1, 1, 3, 1)),
            KernelKind::Convolution);
}

WindowShape winogradShape(int channels, int extent) {
  WindowShape s = convolutionShape(channels, channels, 3, 1);
  s.inputHeight = s.inputWidth = s.outputHeight = s.outputWidth = extent;
  s.padTop = s.padLeft = s.padBottom = s.padRight = 1;
  return s;
}

TEST(Catalogue, WinogradIsForPlainThreeByThree) {
  const WindowShape plain = winogradShape(64, 56);
  EXPECT_TRUE(hasWinograd(plain));
  int32_t WindowShape::*const others[] = {
      &WindowShape::kernelHeight,   &WindowShape::kernelWidth,
      &WindowShape::strideHeight,   &WindowShape::strideWidth,
      &WindowShape::dilationHeight, &WindowShape::dilationWidth,
      &WindowShape::groups};
  for (auto member : others) {
    WindowShape other = plain;
    other.*member = 2;
    EXPECT_FALSE(hasWinograd(other));
    EXPECT_FALSE(winogradPays(Target::AVX2, other));
    EXPECT_EQ(workspaceBytes(Target::AVX2, KernelKind::Winograd, other, 1), 0);
  }
}

TEST(Catalogue, WinogradPaysForManyTiles) {
  for (Target target : kTargets) {
    EXPECT_TRUE(winogradPays(target, winogradShape(64, 56)));
    EXPECT_TRUE(winogradPays(target, winogradShape(512, 14)));
    // One tile of 16 outputs, of which 9 are wanted; filters would cost most.
    EXPECT_FALSE(winogradPays(target, winogradShape(512, 3)));
    EXPECT_FALSE(winogradPays(target, winogradShape(64, 1)));
    EXPECT_FALSE(winogradPays(target, winogradShape(3, 224)));
  }
}

/// 64 channels: 36 planes of 14 x 14 tiles would be 1.8 MB, so blocks have 113
/// tiles. There are four panels; two and three threads take halves and thirds.
TEST(Catalogue, WorkspaceOfWinograd) {
  const WindowShape s = winogradShape(64, 56);
  const int64_t inputs = 36 * (113 * 64 + 16);
  for (int threads = 1; threads <= 3; ++threads) {
    const int64_t tiles = (113 + threads - 1) / threads;
    const int64_t thread = 36 * (64 * 16 + 16) + 36 * (tiles * 16 + 16);
    EXPECT_EQ(workspaceBytes(Target::AVX2, KernelKind::Winograd, s, threads),
              (inputs + threads * thread) * 4);
  }
  EXPECT_EQ(workspaceBytes(Target::AVX2, KernelKind::Convolution, s, 1), 0);
  // Larger extents never need less.
  for (Target target : kTargets)
    for (int threads = 1; threads <= 3; ++threads) {
      int64_t last = 0;
      for (int extent = 1; extent < 70; ++extent) {
        const int64_t bytes = workspaceBytes(
            target, KernelKind::Winograd, winogradShape(64, extent), threads);
        EXPECT_GE(bytes, last) << extent << " with " << threads << " threads";
        last = bytes;
      }
    }
}

TEST(Catalogue, PackedBytes) {
  // 64 outputs: two panels of 32, four of 16, eight of 8; nothing is added.
  for (Target target : kTargets)
    EXPECT_EQ(packedConvolutionBytes(target, convolutionShape(32, 64, 3, 1)),
              32 * 64 * 9 * 4);
  // 17 outputs are 32, 32 and 24; 5 inputs a group.
  const WindowShape odd = convolutionShape(10, 34, 1, 2);
  EXPECT_EQ(packedConvolutionBytes(Target::AVX512, odd), 2 * 32 * 5 * 4);
  EXPECT_EQ(packedConvolutionBytes(Target::AVX2, odd), 2 * 32 * 5 * 4);
  EXPECT_EQ(packedConvolutionBytes(Target::Portable, odd), 2 * 24 * 5 * 4);
  // 13 channels are 16, 16 and 16 lanes; 9 taps.
  for (Target target : kTargets)
    EXPECT_EQ(packedConvolutionBytes(target, convolutionShape(13, 13, 3, 13)),
              16 * 9 * 4);
  // One panel of 8 and one step: 32 bytes, a segment of 64.
  EXPECT_EQ(packedGemmBytes(Target::Portable, 1, 3), 64);
  EXPECT_EQ(packedGemmBytes(Target::AVX512, 100, 33), 64 * 100 * 4);
  EXPECT_EQ(packedBiasBytes(1), 64);
  EXPECT_EQ(packedBiasBytes(17), 128);
}

TEST(Catalogue, WorkspaceOfImpossibleShapes) {
  WindowShape huge = winogradShape(INT32_MAX, INT32_MAX);
  huge.batch = INT32_MAX;
  for (Target target : kTargets) {
    EXPECT_GT(workspaceBytes(target, KernelKind::Winograd, huge, INT32_MAX),
              INT64_C(1) << 40);
    EXPECT_EQ(
        workspaceBytes(target, KernelKind::Winograd, winogradShape(8, 0), 1),
        0);
  }
}

TEST(Catalogue, SizesOfImpossibleShapesSaturate) {
  WindowShape huge = convolutionShape(INT32_MAX, INT32_MAX, INT32_MAX, 1);
  for (Target target : kTargets) {
    EXPECT_GT(packedConvolutionBytes(target, huge), INT64_MAX / 2);
    EXPECT_EQ(packedConvolutionBytes(target, huge) % 64, 0);
    EXPECT_GT(packedGemmBytes(target, INT64_MAX, INT64_MAX), INT64_MAX / 2);
    EXPECT_EQ(packedConvolutionBytes(target, convolutionShape(0, 4, 3, 1)), 0);
    EXPECT_EQ(packedConvolutionBytes(target, convolutionShape(4, 4, 3, 0)), 0);
  }
  EXPECT_GT(packedBiasBytes(INT64_MAX), INT64_MAX / 2);
  EXPECT_GT(programBytesBound(INT64_MAX, INT64_MAX), INT64_MAX / 2);
}

/// Every weight has one place, in the documented order; the rest is zero.
TEST(Catalogue, PackedLayout) {
  const WindowShape s = convolutionShape(6, 10, 2, 2);
  std::vector<float> oihw(10 * 3 * 4);
  std::iota(oihw.begin(), oihw.end(), 1.0f);
  for (Target target : kTargets) {
    const int panel = target == Target::AVX512 ? 32
                      : target == Target::AVX2 ? 16
                                               : 8;
    const int64_t bytes = packedConvolutionBytes(target, s);
    std::vector<float> packed(size_t(bytes) / 4, -1.0f);
    packConvolution(target, s, oihw.data(), packed.data());
    size_t at = 0;
    for (int group = 0; group < 2; ++group)
      for (int tap = 0; tap < 4; ++tap)
        for (int input = 0; input < 3; ++input)
          for (int lane = 0; lane < panel; ++lane, ++at) {
            const int output = group * 5 + lane;
            ASSERT_EQ(packed[at],
                      lane < 5 ? oihw[size_t((output * 3 + input) * 4 + tap)]
                               : 0.0f);
          }
    for (; at < packed.size(); ++at)
      EXPECT_EQ(packed[at], 0.0f);
  }
}

/// 6 groups of 4: lanes of several groups side by side, one input of each group
/// a step.
TEST(Catalogue, PackedLayoutOfSmallGroups) {
  const WindowShape s = convolutionShape(24, 24, 2, 6);
  std::vector<float> oihw(24 * 4 * 4);
  std::iota(oihw.begin(), oihw.end(), 1.0f);
  for (Target target : kTargets) {
    const int lanes = target == Target::AVX512 ? 16
                      : target == Target::AVX2 ? 8
                                               : 4;
    const int channels = (24 + lanes - 1) / lanes * lanes;
    const int64_t bytes = packedConvolutionBytes(target, s);
    EXPECT_EQ(bytes, channels * 4 * 4 * 4);
    std::vector<float> packed(size_t(bytes) / 4, -1.0f);
    packConvolution(target, s, oihw.data(), packed.data());
    size_t at = 0;
    for (int first = 0; first < 24; first += lanes)
      for (int tap = 0; tap < 4; ++tap)
        for (int input = 0; input < 4; ++input)
          for (int lane = 0; lane < lanes; ++lane, ++at) {
            const int output = first + lane;
            ASSERT_EQ(packed[at],
                      output < 24 ? oihw[size_t((output * 4 + input) * 4 + tap)]
                                  : 0.0f);
          }
  }
}

TEST(Catalogue, GemmPackingTakesBothOrders) {
  // W[k][n] = 10 k + n, once as given and once transposed.
  std::vector<float> straight(3 * 5), transposed(3 * 5);
  for (int k = 0; k < 3; ++k)
    for (int n = 0; n < 5; ++n)
      straight[size_t(k * 5 + n)] = transposed[size_t(n * 3 + k)] =
          float(10 * k + n);
  for (Target target : kTargets) {
    const size_t floats = size_t(packedGemmBytes(target, 3, 5)) / 4;
    std::vector<float> a(floats, -1.0f), b(floats, -2.0f);
    packGemm(target, 3, 5, straight.data(), 5, 1, a.data());
    packGemm(target, 3, 5, transposed.data(), 1, 3, b.data());
    EXPECT_EQ(a, b);
    EXPECT_EQ(a[1], 1.0f);
    EXPECT_EQ(a[5], 0.0f);
  }
}

TEST(Catalogue, ProgramBytesGrowLinearly) {
  EXPECT_EQ(programBytesBound(0, 0) % kPageBytes, 0);
  EXPECT_GE(programBytesBound(500, 40), 500 * 900);
  EXPECT_LE(programBytesBound(500, 40), 500 * 1024 + 64 * 1024);
}

} // namespace
} // namespace test
} // namespace runtime
} // namespace snug
