// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels that the test network does without: run from a plan, and plans of
// them that are refused.

#include "KernelsPlan.h"
#include "Targets.h"
#include "TestNetwork.h"
#include "snug/runtime/runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

namespace snug {
namespace testing {
namespace {

using runtime::Target;
using schema::View;

#define ASSERT_OK(expression)                                                  \
  do {                                                                         \
    const snug_status status_ = (expression);                                  \
    ASSERT_EQ(status_.code, SNUG_OK) << status_.message;                       \
  } while (false)

/// Channels last, like x; outside it is zero.
struct Picture {
  int height, width, channels;
  const float *data;
  double at(int y, int x, int c) const {
    return y < 0 || x < 0 || y >= height || x >= width
               ? 0.0
               : double(data[(y * width + x) * channels + c]);
  }
};

class KernelsPlanRun : public ::testing::TestWithParam<Target> {
protected:
  void SetUp() override {
    if (!whyNotRun(GetParam()).empty())
      GTEST_SKIP() << whyNotRun(GetParam());
    image = kernelsPlan(GetParam(), 2);
    ASSERT_OK(
        snug_plan_load_memory(image.data(), image.size(), nullptr, &plan));
    ASSERT_OK(snug_executor_create(plan, nullptr, &executor));
    const std::vector<float> values = testValues(kKernelsPlanInputs, 20, 1.0f);
    float *data = nullptr;
    ASSERT_OK(snug_executor_input(executor, 0, &data));
    std::copy(values.begin(), values.end(), data);
    x = {5, 4, 6, data};
    ASSERT_OK(snug_executor_run(executor));
  }
  void TearDown() override {
    snug_executor_release(executor);
    snug_plan_release(plan);
  }

  /// Compares an output of height x width x channels with expect(y, x, c).
  void expectOutput(int instruction, int height, int width, int channels,
                    const std::function<double(int, int, int)> &expect) {
    const float *data = nullptr;
    ASSERT_OK(snug_executor_output(executor, size_t(instruction), &data));
    const Picture actual = {height, width, channels, data};
    for (int y = 0; y < height; ++y)
      for (int column = 0; column < width; ++column)
        for (int c = 0; c < channels; ++c)
          ASSERT_NEAR(actual.at(y, column, c), expect(y, column, c), 1e-5)
              << "output " << instruction << " at " << y << " " << column << " "
              << c;
  }

  PlanImage image;
  snug_plan *plan = nullptr;
  snug_executor *executor = nullptr;
  Picture x = {0, 0, 0, nullptr};
};

TEST_P(KernelsPlanRun, EqualsPlainLoops) {
  const std::vector<float> filter = kernelsPlanFilter();
  expectOutput(kUpsample, 9, 7, 4, [&](int row, int column, int o) {
    double sum = 0.1 * (o + 1);
    for (int y = 0; y < 5; ++y)
      for (int w = 0; w < 4; ++w)
        for (int c = 0; c < 6; ++c) {
          const int ky = row + 1 - 2 * y, kx = column + 1 - 2 * w;
          if (ky >= 0 && ky < 3 && kx >= 0 && kx < 3)
            sum += x.at(y, w, c) *
                   double(filter[size_t(((c * 4 + o) * 3 + ky) * 3 + kx)]);
        }
    return std::tanh(sum);
  });
  expectOutput(kSmooth, 5, 4, 6, [&](int y, int w, int c) {
    return x.at(y, w, c) / (1 + std::exp(-x.at(y, w, c)));
  });
  const std::vector<float> scale = kernelsPlanScale();
  expectOutput(kScale, 5, 4, 6, [&](int y, int w, int c) {
    return std::min(std::max(x.at(y, w, c) * double(scale[size_t(c)]), -0.5),
                    0.75);
  });
  expectOutput(kInverse, 5, 4, 6,
               [&](int y, int w, int c) { return 1 - x.at(y, w, c); });
  expectOutput(kGate, 5, 4, 6, [&](int y, int w, int c) {
    double largest = -INFINITY;
    for (int row = 0; row < 5; ++row)
      for (int column = 0; column < 4; ++column)
        largest = std::max(largest, x.at(row, column, c));
    return x.at(y, w, c) * largest;
  });
  expectOutput(kNearest, 10, 8, 6,
               [&](int y, int w, int c) { return x.at(y / 2, w / 2, c); });
  expectOutput(kLinear, 6, 4, 6, [&](int y, int w, int c) {
    const double py = (y + 2) * 0.5 - 0.25, px = (w + 1) * 0.5 - 0.25;
    const int y0 = int(py), x0 = int(px);
    const double wy = py - y0, wx = px - x0;
    return (1 - wy) * ((1 - wx) * x.at(y0, x0, c) + wx * x.at(y0, x0 + 1, c)) +
           wy * ((1 - wx) * x.at(y0 + 1, x0, c) + wx * x.at(y0 + 1, x0 + 1, c));
  });
  expectOutput(kPadded, 6, 5, 6, [&](int y, int w, int c) {
    return x.at(std::abs(y - 1), w == 4 ? 2 : w, c);
  });
  expectOutput(kPlanes, 6, 5, 4,
               [&](int c, int y, int w) { return x.at(y, w, c); });
  expectOutput(kNormalised, 5, 4, 6, [&](int y, int w, int c) {
    double sum = 0;
    for (int k = std::max(0, c - 1); k <= std::min(5, c + 1); ++k)
      sum += x.at(y, w, k) * x.at(y, w, k);
    return x.at(y, w, c) / std::pow(1 + 2.0 / 3 * sum, 0.75);
  });
  expectOutput(kProducts, 20, 20, 1, [&](int i, int j, int) {
    double sum = 0;
    for (int c = 0; c < 6; ++c)
      sum += x.at(i / 4, i % 4, c) * x.at(j / 4, j % 4, c);
    return sum;
  });
  expectOutput(kShares, 6, 5, 4, [&](int c, int y, int w) {
    double sum = 0;
    for (int k = 0; k < 6; ++k)
      sum += std::exp(x.at(y, w, k));
    return std::exp(x.at(y, w, c)) / sum;
  });
  // The transposed convolution's most taps, and the products.
  EXPECT_EQ(snug_executor_executed_macs(executor),
            uint64_t(9 * 7 * 4 * 6 * 4 + 20 * 20 * 6));
}

INSTANTIATE_TEST_SUITE_P(Targets, KernelsPlanRun,
                         ::testing::Values(Target::Portable, Target::AVX2,
                                           Target::AVX512),
                         [](const ::testing::TestParamInfo<Target> &info) {
                           return std::string(runtime::targetName(info.param));
                         });

class KernelsPlanReject : public ::testing::Test {
protected:
  PlanImage good = kernelsPlan(Target::Portable, 1);

  using Edit = std::function<void(schema::ProgramT &)>;
  void expectRefused(const std::string &message, const Edit &edit,
                     snug_status_code code = SNUG_INVALID_PLAN) {
    auto program = unpackProgram(good);
    edit(*program);
    const PlanImage image = packPlan(*program, weightsOf(good));
    snug_plan *plan = nullptr;
    const snug_status status =
        snug_plan_load_memory(image.data(), image.size(), nullptr, &plan);
    snug_plan_release(plan);
    EXPECT_EQ(status.code, code) << message << ": " << status.message;
    EXPECT_NE(std::string(status.message).find(message), std::string::npos)
        << message << ": " << status.message;
  }
};

/// The only kernel of its kind, or the first one.
template <typename KernelT> KernelT &find(schema::ProgramT &program) {
  for (auto &instruction : program.instructions)
    if (instruction->kernel.type ==
        schema::KernelUnionTraits<KernelT>::enum_value)
      return *static_cast<KernelT *>(instruction->kernel.value);
  throw std::runtime_error("no such kernel");
}

void reshape(std::unique_ptr<View> &v, int n, int h, int w, int c) {
  v.reset(new View(v->offset(), n, h, w, c, v->batch_stride(), v->row_stride(),
                   v->pixel_stride(), v->channel_stride()));
}

const int kFarDown = std::numeric_limits<int>::min();
const int kFarUp = std::numeric_limits<int>::max();

TEST_F(KernelsPlanReject, TransposedConvolutions) {
  const auto change =
      [&](const char *message,
          std::function<void(schema::TransposedConvolutionT &)> edit) {
        expectRefused(message, [&](schema::ProgramT &p) {
          edit(find<schema::TransposedConvolutionT>(p));
        });
      };
  for (int offset : {kFarDown, -(1 << 21), 1 << 21, kFarUp}) {
    change("offset",
           [=](schema::TransposedConvolutionT &k) { k.row_offset = offset; });
    change("offset", [=](schema::TransposedConvolutionT &k) {
      k.column_offset = offset;
    });
  }
  const int steps[][6] = {{0, 3, 2, 2, 1, 1},       {3, 3, 0, 2, 1, 1},
                          {3, 3, 2, 2, -1, 1},      {3, kFarUp, 2, 2, 1, 1},
                          {3, 3, 2, kFarUp, 1, 1},  {3, 3, 2, 2, kFarUp, 1},
                          {3, 3, 2, 2, 1 << 19, 2}, {kFarDown, 3, 2, 2, 1, 1}};
  for (const auto &s : steps)
    change("instruction 0 'upsample'", [&](schema::TransposedConvolutionT &k) {
      k.window.reset(
          new schema::Window(s[0], s[1], s[2], s[3], s[4], s[5], 0, 0, 0, 0));
    });
  change("padding", [](schema::TransposedConvolutionT &k) {
    k.window.reset(new schema::Window(3, 3, 2, 2, 1, 1, 1, 1, 0, 0));
  });
  change("bytes of weights", [](schema::TransposedConvolutionT &k) {
    k.window.reset(new schema::Window(3, 7, 2, 2, 1, 1, 0, 0, 0, 0));
  });
  for (int groups : {0, -1, 4, kFarDown})
    change("groups",
           [=](schema::TransposedConvolutionT &k) { k.groups = groups; });
  change("batch", [](schema::TransposedConvolutionT &k) {
    reshape(k.input, 2, 5, 2, 6);
  });
  change("bias", [](schema::TransposedConvolutionT &k) { k.bias = 1000; });
  change("over its own input", [](schema::TransposedConvolutionT &k) {
    k.output.reset(new View(k.input->offset() + 4, 1, 9, 7, 4, 252, 28, 4, 1));
  });
}

TEST_F(KernelsPlanReject, Operands) {
  const auto scale = [&](const char *message,
                         std::function<void(schema::BinaryT &)> edit,
                         snug_status_code code = SNUG_INVALID_PLAN) {
    expectRefused(
        message, [&](schema::ProgramT &p) { edit(find<schema::BinaryT>(p)); },
        code);
  };
  scale("repeated", [](schema::BinaryT &k) { reshape(k.left, 1, 2, 4, 6); });
  scale("repeated", [](schema::BinaryT &k) {
    k.right.reset(new View(0, 1, 1, 1, 3, 6, 6, 6, 1));
  });
  for (int constant : {-2, 1000, kFarDown})
    scale("constant", [=](schema::BinaryT &k) { k.right_constant = constant; });
  // A constant may begin inside its segment, but not leave it.
  scale("segment's 24 bytes", [](schema::BinaryT &k) {
    k.right.reset(new View(4, 1, 1, 1, 6, 6, 6, 6, 1));
  });
  scale("segment's 24 bytes", [](schema::BinaryT &k) {
    k.right.reset(new View(0, 1, 1, 4, 6, 6, 6, 6, 1));
  });
  scale("segment's length", [](schema::BinaryT &k) {
    k.right.reset(
        new View(0, 1, 1, 1, 6, 6, 6, 6, std::numeric_limits<int64_t>::max()));
  });
  scale(
      "binary kind number 8",
      [](schema::BinaryT &k) { k.kind = static_cast<schema::BinaryKind>(8); },
      SNUG_UNSUPPORTED);
  scale(
      "activation number 23",
      [](schema::BinaryT &k) {
        k.activation = static_cast<schema::Activation>(23);
      },
      SNUG_UNSUPPORTED);
  // Where an operand is repeated, the output may not lie on it.
  expectRefused("second input", [](schema::ProgramT &p) {
    for (auto &instruction : p.instructions)
      if (instruction->name == "gate") {
        schema::BinaryT &k = *instruction->kernel.AsBinary();
        k.output.reset(new View(k.right->offset(), 1, 5, 4, 6, 120, 24, 6, 1));
      }
  });
  expectRefused(
      "reduction number 4",
      [](schema::ProgramT &p) {
        find<schema::ReduceT>(p).kind = static_cast<schema::ReduceKind>(4);
      },
      SNUG_UNSUPPORTED);
}

TEST_F(KernelsPlanReject, Resizes) {
  const auto change = [&](const char *message,
                          std::function<void(schema::ResizeT &)> edit,
                          snug_status_code code = SNUG_INVALID_PLAN) {
    expectRefused(
        message, [&](schema::ProgramT &p) { edit(find<schema::ResizeT>(p)); },
        code);
  };
  for (double scale : {-0.5, double(NAN), double(INFINITY), 1e300})
    change("scale", [=](schema::ResizeT &k) { k.scale_height = scale; });
  for (double shift : {double(NAN), -double(INFINITY), 1e300})
    change("shift", [=](schema::ResizeT &k) { k.shift_width = shift; });
  change("reads rows", [](schema::ResizeT &k) {
    k.input_height = 6;
    k.scale_height = 0.6;
  });
  change("reads columns", [](schema::ResizeT &k) {
    k.input_width = 5;
    k.input_column = 1;
  });
  for (int row : {-1, 1, kFarUp, kFarDown})
    change("begin", [=](schema::ResizeT &k) { k.input_row = row; });
  for (int row : {-1, kFarUp, kFarDown})
    change("begin", [=](schema::ResizeT &k) { k.output_row = row; });
  for (int height : {0, 4, kFarUp, kFarDown})
    change("begin", [=](schema::ResizeT &k) { k.input_height = height; });
  change("channels",
         [](schema::ResizeT &k) { reshape(k.output, 1, 10, 8, 5); });
  change(
      "resize mode number 2",
      [](schema::ResizeT &k) { k.mode = static_cast<schema::ResizeMode>(2); },
      SNUG_UNSUPPORTED);
  change(
      "rounding number 4",
      [](schema::ResizeT &k) {
        k.rounding = static_cast<schema::NearestRounding>(4);
      },
      SNUG_UNSUPPORTED);
}

TEST_F(KernelsPlanReject, Pads) {
  const auto change = [&](const char *message,
                          std::function<void(schema::PadT &)> edit,
                          snug_status_code code = SNUG_INVALID_PLAN) {
    expectRefused(
        message, [&](schema::ProgramT &p) { edit(find<schema::PadT>(p)); },
        code);
  };
  for (int pad : {-1, 2, kFarUp, kFarDown}) {
    change("rows", [=](schema::PadT &k) { k.top = pad; });
    change("columns", [=](schema::PadT &k) { k.right = pad; });
    change("channels", [=](schema::PadT &k) { k.back = pad; });
  }
  change("reflects", [](schema::PadT &k) {
    k.input.reset(new View(k.input->offset(), 1, 1, 4, 6, 120, 24, 6, 1));
    k.top = 5;
  });
  change("batch", [](schema::PadT &k) { reshape(k.input, 2, 5, 2, 6); });
  change(
      "pad mode number 3",
      [](schema::PadT &k) { k.mode = static_cast<schema::PadMode>(3); },
      SNUG_UNSUPPORTED);
}

TEST_F(KernelsPlanReject, Rearrangements) {
  const auto change = [&](const char *message,
                          std::function<void(schema::RearrangeT &)> edit) {
    expectRefused(message, [&](schema::ProgramT &p) {
      edit(find<schema::RearrangeT>(p));
    });
  };
  const int64_t most = std::numeric_limits<int64_t>::max();
  const int64_t least = std::numeric_limits<int64_t>::min();
  change("0 extents", [](schema::RearrangeT &k) { k.extents.clear(); });
  change("9 extents", [](schema::RearrangeT &k) { k.extents.assign(9, 1); });
  change("2 input strides",
         [](schema::RearrangeT &k) { k.input_strides.pop_back(); });
  change("4 output strides",
         [](schema::RearrangeT &k) { k.output_strides.push_back(1); });
  for (uint32_t extent : {0u, 0x80000000u, 0xffffffffu})
    change("extents must be",
           [=](schema::RearrangeT &k) { k.extents[1] = extent; });
  for (int64_t stride : {most, least, int64_t{1} << 40})
    change("stride",
           [=](schema::RearrangeT &k) { k.input_strides[0] = stride; });
  change("leave the arena",
         [](schema::RearrangeT &k) { k.input_strides[0] = -10; });
  change("leave the arena",
         [](schema::RearrangeT &k) { k.extents[0] = 100000; });
  change("overlap", [](schema::RearrangeT &k) { k.output_strides[1] = 3; });
  change("overlap", [](schema::RearrangeT &k) { k.output_strides[0] = 0; });
  change("no float", [](schema::RearrangeT &k) { k.output_offset += 2; });
  change("no float", [](schema::RearrangeT &k) {
    k.input_offset = std::numeric_limits<uint64_t>::max() - 3;
  });
  change("over its own input",
         [](schema::RearrangeT &k) { k.output_offset = k.input_offset; });
}

TEST_F(KernelsPlanReject, NormalisationsAndProducts) {
  for (int size : {0, -1, kFarDown, kFarUp})
    expectRefused("window", [=](schema::ProgramT &p) {
      find<schema::LocalResponseNormalizationT>(p).size = size;
    });
  expectRefused("over its own input", [](schema::ProgramT &p) {
    auto &k = find<schema::LocalResponseNormalizationT>(p);
    k.output = copied(*k.input);
  });
  const auto change = [&](const char *message,
                          std::function<void(schema::MatMulT &)> edit) {
    expectRefused(message,
                  [&](schema::ProgramT &p) { edit(find<schema::MatMulT>(p)); });
  };
  change("multiplies 20x5 by 6x20",
         [](schema::MatMulT &k) { reshape(k.left, 1, 20, 5, 1); });
  change("into 19x20",
         [](schema::MatMulT &k) { reshape(k.output, 1, 19, 20, 1); });
  change("2 by 1 matrices into 1", [](schema::MatMulT &k) {
    k.left.reset(new View(k.left->offset(), 2, 20, 6, 1, 120, 6, 1, 1));
  });
  change("several channels", [](schema::MatMulT &k) {
    k.output.reset(new View(k.output->offset(), 1, 20, 10, 2, 400, 20, 2, 1));
  });
}

/// Random changes under a good checksum: refused, or run.
TEST_F(KernelsPlanReject, MutationsUnderARecomputedChecksumNeverCrash) {
  uint64_t state = 4711;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % below;
  };
  int refused = 0, ran = 0;
  for (int i = 0; i < 6000; ++i) {
    PlanImage image(
        std::vector<unsigned char>(good.data(), good.data() + good.size()));
    const int changes = 1 + static_cast<int>(random(3));
    for (int change = 0; change < changes; ++change) {
      const size_t place = 64 + random(good.programBytes());
      static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
      if (random(2))
        image.data()[place] ^= static_cast<unsigned char>(1 << random(8));
      else
        image.data()[place] = values[random(sizeof(values))];
    }
    image.seal();
    snug_plan *plan = nullptr;
    if (snug_plan_load_memory(image.data(), image.size(), nullptr, &plan)
            .code != SNUG_OK) {
      ++refused;
      continue;
    }
    snug_executor *executor = nullptr;
    if (snug_plan_arena_bytes(plan) <= (1 << 24) &&
        snug_executor_create(plan, nullptr, &executor).code == SNUG_OK) {
      EXPECT_EQ(snug_executor_run(executor).code, SNUG_OK);
      ++ran;
    }
    snug_executor_release(executor);
    snug_plan_release(plan);
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(ran, 100);
}

} // namespace
} // namespace testing
} // namespace snug
