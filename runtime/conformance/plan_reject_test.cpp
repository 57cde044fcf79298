// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Damaged and hostile plans: each gives a status, none crashes.

#include "Targets.h"
#include "TestNetwork.h"
#include "snug/runtime/PlanFormat.h"
#include "snug/runtime/runtime.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <sys/mman.h>

namespace snug {
namespace testing {
namespace {

using runtime::PlanHeader;
using runtime::Target;
using schema::View;

// Places of the test network's instructions.
enum {
  kToNhwc,
  kFirstTop,
  kFirstLow,
  kPool,
  kDepth,
  kPoint,
  kSum,
  kAverage,
  kClip,
  kToNchw,
  kMean,
  kDense,
  kSoftmax
};

snug_status load(const PlanImage &image) {
  snug_plan *plan = nullptr;
  const snug_status status =
      snug_plan_load_memory(image.data(), image.size(), nullptr, &plan);
  EXPECT_EQ(plan != nullptr, status.code == SNUG_OK);
  snug_plan_release(plan);
  return status;
}

class Reject : public ::testing::Test {
protected:
  TestNetwork network;
  PlanImage good = network.plan(Target::Portable, 2);

  /// A copy of the good plan's bytes.
  PlanImage copy(size_t bytes) const {
    return PlanImage(
        std::vector<unsigned char>(good.data(), good.data() + bytes));
  }
  PlanImage copy() const { return copy(good.size()); }

  using Edit = std::function<void(schema::ProgramT &)>;
  void expectRefused(const char *what, const Edit &edit,
                     const std::string &message,
                     snug_status_code code = SNUG_INVALID_PLAN) {
    auto program = unpackProgram(good);
    edit(*program);
    const snug_status status = load(packPlan(*program, weightsOf(good)));
    EXPECT_EQ(status.code, code) << what << ": " << status.message;
    EXPECT_NE(std::string(status.message).find(message), std::string::npos)
        << what << ": " << status.message;
  }

  using HeaderEdit = std::function<void(PlanHeader &)>;
  void expectHeaderRefused(const char *what, const HeaderEdit &edit,
                           const std::string &message,
                           snug_status_code code = SNUG_INVALID_PLAN) {
    PlanImage image = copy();
    PlanHeader header;
    std::memcpy(&header, image.data(), sizeof(header));
    edit(header);
    std::memcpy(image.data(), &header, sizeof(header));
    if (header.weightsOffset <= image.size())
      image.seal();
    const snug_status status = load(image);
    EXPECT_EQ(status.code, code) << what << ": " << status.message;
    EXPECT_NE(std::string(status.message).find(message), std::string::npos)
        << what << ": " << status.message;
  }
};

schema::InstructionT &at(schema::ProgramT &program, int index) {
  return *program.instructions[static_cast<size_t>(index)];
}

using ViewPlace = std::unique_ptr<View>;

/// Changes one figure of a view.
void setOffset(ViewPlace &v, uint64_t offset) {
  v.reset(new View(offset, v->batch(), v->height(), v->width(), v->channels(),
                   v->batch_stride(), v->row_stride(), v->pixel_stride(),
                   v->channel_stride()));
}
void setExtents(ViewPlace &v, int n, int h, int w, int c) {
  v.reset(new View(v->offset(), n, h, w, c, v->batch_stride(), v->row_stride(),
                   v->pixel_stride(), v->channel_stride()));
}
void setStrides(ViewPlace &v, int64_t n, int64_t h, int64_t w, int64_t c) {
  v.reset(new View(v->offset(), v->batch(), v->height(), v->width(),
                   v->channels(), n, h, w, c));
}

TEST_F(Reject, TheGoodPlanIsAccepted) {
  const snug_status status = load(good);
  EXPECT_EQ(status.code, SNUG_OK) << status.message;
}

TEST_F(Reject, NamesThatLieInEachOther) {
  // Each number is the length of the string behind it, and all strings end in
  // the last number, which is zero: names by the thousand, each nearly as long
  // as the file.
  constexpr uint32_t kNumber = sizeof(uint32_t), kNumbers = 3000, kNames = 2000;
  std::string nested;
  for (uint32_t i = 1; i < kNumbers; ++i) {
    const uint32_t length = (kNumbers - 1 - i) * kNumber + 2;
    nested.append(reinterpret_cast<const char *>(&length), kNumber);
  }
  nested.append(kNumber, '\0');
  auto program = unpackProgram(good);
  const size_t outputs = program->outputs.size();
  for (uint32_t i = 0; i < kNames; ++i) {
    program->outputs.emplace_back(
        new schema::TensorBindingT(*program->outputs[0]));
    program->outputs.back()->name = i == 0 ? nested : std::to_string(i);
  }
  PlanImage image = packPlan(*program, weightsOf(good));
  const auto &bindings =
      *schema::GetProgram(image.data() + sizeof(PlanHeader))->outputs();
  auto nameField = [&](size_t i) {
    const auto *binding = reinterpret_cast<const flatbuffers::Table *>(
        bindings.Get(static_cast<flatbuffers::uoffset_t>(outputs + i)));
    return const_cast<uint8_t *>(
        binding->GetAddressOf(schema::TensorBinding::VT_NAME));
  };
  const uint8_t *string =
      nameField(0) +
      flatbuffers::ReadScalar<flatbuffers::uoffset_t>(nameField(0));
  for (size_t i = 1; i < kNames; ++i)
    flatbuffers::WriteScalar(nameField(i),
                             static_cast<flatbuffers::uoffset_t>(
                                 string + i * kNumber - nameField(i)));
  image.seal();
  const snug_status status = load(image);
  EXPECT_EQ(status.code, SNUG_INVALID_PLAN);
  EXPECT_NE(std::string(status.message).find("names of outputs take"),
            std::string::npos)
      << status.message;
}

TEST_F(Reject, EveryFlippedHeaderBit) {
  PlanImage image = copy();
  for (size_t byte = 0; byte < sizeof(PlanHeader); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      image.data()[byte] ^= static_cast<unsigned char>(1 << bit);
      EXPECT_NE(load(image).code, SNUG_OK) << "byte " << byte << " bit " << bit;
      image.data()[byte] ^= static_cast<unsigned char>(1 << bit);
    }
}

TEST_F(Reject, EveryFlippedProgramByte) {
  PlanImage image = copy();
  for (size_t byte = sizeof(PlanHeader); byte < image.weightsOffset(); ++byte) {
    const unsigned char flip = static_cast<unsigned char>(1 << (byte % 8));
    image.data()[byte] ^= flip;
    ASSERT_EQ(load(image).code, SNUG_INVALID_PLAN) << "byte " << byte;
    image.data()[byte] ^= flip;
  }
}

TEST_F(Reject, Truncations) {
  for (size_t bytes = 0; bytes < good.size();
       bytes += bytes < 200 ? 1 : good.size() / 300 + 1)
    ASSERT_EQ(load(copy(bytes)).code, SNUG_INVALID_PLAN) << bytes << " bytes";
  ASSERT_EQ(load(copy(good.size() - 1)).code, SNUG_INVALID_PLAN);
  EXPECT_NE(std::string(load(copy(good.size() - 1)).message).find("truncated"),
            std::string::npos);
  std::vector<unsigned char> longer(good.data(), good.data() + good.size());
  longer.push_back(0);
  EXPECT_EQ(load(PlanImage(longer)).code, SNUG_INVALID_PLAN);
}

TEST_F(Reject, HostileHeaders) {
  const uint64_t huge = std::numeric_limits<uint64_t>::max();
  expectHeaderRefused(
      "newer version", [](PlanHeader &h) { h.version = 7; },
      "version 7 is newer than version 5", SNUG_UNSUPPORTED);
  expectHeaderRefused(
      "older version",
      [](PlanHeader &h) { h.version = runtime::kPlanVersion - 1; },
      "version 4 is older than version 5", SNUG_UNSUPPORTED);
  expectHeaderRefused(
      "version 0", [](PlanHeader &h) { h.version = 0; }, "damaged");
  expectHeaderRefused(
      "magic", [](PlanHeader &h) { h.magic[0] = 'X'; }, "not a snug plan");
  expectHeaderRefused(
      "header length", [](PlanHeader &h) { h.headerBytes = 65; }, "damaged");
  expectHeaderRefused(
      "program offset", [](PlanHeader &h) { h.programOffset = 128; },
      "damaged");
  for (uint64_t bytes :
       {uint64_t{0}, huge, huge - 63, uint64_t{1} << 31, uint64_t{1} << 63})
    expectHeaderRefused(
        "program length",
        [bytes](PlanHeader &h) {
          h.programBytes = bytes;
          h.weightsOffset = (sizeof(h) + bytes + 4095) / 4096 * 4096;
        },
        "");
  for (uint64_t offset : {uint64_t{0}, uint64_t{64}, huge, huge - 4095})
    expectHeaderRefused(
        "weights offset",
        [offset](PlanHeader &h) {
          h.weightsOffset = offset;
          h.weightsBytes = h.fileBytes - offset;
        },
        "");
  expectHeaderRefused(
      "weights length", [](PlanHeader &h) { h.weightsBytes -= 64; }, "damaged");
  expectHeaderRefused(
      "file length", [](PlanHeader &h) { h.fileBytes += 64; }, "truncated");
  expectHeaderRefused(
      "short program", [](PlanHeader &h) { h.programBytes = 40; }, "");
}

TEST_F(Reject, HostileProgramFigures) {
  expectRefused(
      "unknown target",
      [](schema::ProgramT &p) { p.target = static_cast<schema::Target>(9); },
      "target number 9", SNUG_UNSUPPORTED);
  for (int threads : {0, -1, 257, std::numeric_limits<int>::max()})
    expectRefused(
        "threads", [=](schema::ProgramT &p) { p.threads = threads; },
        "threads");
  for (uint64_t bytes : {uint64_t{0}, uint64_t{4097}, uint64_t{1} << 50,
                         std::numeric_limits<uint64_t>::max()})
    expectRefused(
        "arena", [=](schema::ProgramT &p) { p.arena_bytes = bytes; }, "arena");
  expectRefused(
      "small arena", [](schema::ProgramT &p) { p.arena_bytes = 4096; },
      "arena's 4096 bytes");
  expectRefused(
      "weights", [](schema::ProgramT &p) { p.weight_bytes += 64; }, "weights");
}

TEST_F(Reject, TargetsThatThisMachineLacks) {
  if (runtime::hostTarget() == Target::AVX512)
    GTEST_SKIP() << "this machine has all targets";
  const snug_status status = load(network.plan(Target::AVX512, 1));
  EXPECT_EQ(status.code, SNUG_UNSUPPORTED);
  const std::string host = runtime::targetName(runtime::hostTarget());
  EXPECT_EQ(status.message, "plan is made for avx512, but this machine runs " +
                                host +
                                " at most; compile the model with --target=" +
                                runtime::targetName(bestTarget()));
}

TEST_F(Reject, HostileBindings) {
  expectRefused(
      "no name", [](schema::ProgramT &p) { p.inputs[0]->name = ""; },
      "no name");
  expectRefused(
      "rank", [](schema::ProgramT &p) { p.inputs[0]->shape.assign(9, 1); },
      "9 dimensions");
  for (int64_t extent :
       {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
        std::numeric_limits<int64_t>::max()})
    expectRefused(
        "extent", [=](schema::ProgramT &p) { p.inputs[0]->shape[1] = extent; },
        "input 'image'");
  expectRefused(
      "size", [](schema::ProgramT &p) { p.outputs[0]->bytes += 4; },
      "output 'features'");
  expectRefused(
      "overflowing shape",
      [](schema::ProgramT &p) {
        p.inputs[0]->shape = {int64_t{1} << 31, int64_t{1} << 31, 1};
        p.inputs[0]->bytes = 0;
      },
      "input 'image'");
  for (uint64_t offset : {uint64_t{4}, uint64_t{1} << 39,
                          std::numeric_limits<uint64_t>::max() - 63})
    expectRefused(
        "offset", [=](schema::ProgramT &p) { p.outputs[1]->offset = offset; },
        "output 'scores'");
  expectRefused(
      "equal names",
      [](schema::ProgramT &p) { p.outputs[1]->name = "features"; },
      "two outputs named 'features'");
  expectRefused(
      "overlapping inputs",
      [](schema::ProgramT &p) {
        p.inputs.emplace_back(new schema::TensorBindingT);
        p.inputs[1]->name = "other";
        p.inputs[1]->shape = {1};
        p.inputs[1]->bytes = 4;
        p.inputs[1]->offset = p.inputs[0]->offset + 64;
      },
      "overlap");
}

TEST_F(Reject, HostileSegments) {
  const auto set = [](schema::ProgramT &p, uint64_t offset, uint64_t bytes) {
    p.segments[0]->range.reset(new schema::Range(offset, bytes));
  };
  const uint64_t huge = std::numeric_limits<uint64_t>::max();
  expectRefused(
      "misaligned", [=](schema::ProgramT &p) { set(p, 4, 64); }, "segment 0");
  expectRefused(
      "past the end",
      [=](schema::ProgramT &p) { set(p, 0, p.weight_bytes + 1); }, "segment 0");
  expectRefused(
      "offset past the end",
      [=](schema::ProgramT &p) {
        set(p, (p.weight_bytes + 127) / 64 * 64, 64);
      },
      "segment 0");
  expectRefused(
      "overflow", [=](schema::ProgramT &p) { set(p, huge - 63, 128); },
      "segment 0");
  expectRefused(
      "wrong size", [=](schema::ProgramT &p) { set(p, 0, 64); },
      "instruction 1 'first'");
  expectRefused(
      "missing weights",
      [](schema::ProgramT &p) {
        at(p, kPoint).kernel.AsConvolution()->weights = 1000;
      },
      "segment 1000");
  for (int bias : {-2, 1000})
    expectRefused(
        "missing bias",
        [=](schema::ProgramT &p) {
          at(p, kDense).kernel.AsGemm()->bias = bias;
        },
        "bias");
  expectRefused(
      "bias of another size",
      [](schema::ProgramT &p) {
        schema::ConvolutionT &k = *at(p, kFirstTop).kernel.AsConvolution();
        k.bias = static_cast<int>(k.weights);
      },
      "bytes of bias");
}

TEST_F(Reject, HostileWeightRanges) {
  good = streamedPlan(good);
  ASSERT_EQ(load(good).code, SNUG_OK);
  using Range = schema::WeightRange;
  const auto ranges = unpackProgram(good)->weight_ranges;
  ASSERT_GE(ranges.size(), 4u);
  const auto expect = [&](const char *what, size_t index, Range range,
                          const std::string &message) {
    expectRefused(
        what, [=](schema::ProgramT &p) { p.weight_ranges[index] = range; },
        message);
  };
  const Range first = ranges[0], second = ranges[1];
  const uint64_t end = weightsOf(good).size();
  const uint64_t huge = ~uint64_t{0} / 4096 * 4096;
  expect("no instruction", 0, Range(1, 1, first.offset(), first.bytes()),
         "instructions [1, 1)");
  expect("instructions past the end", 0,
         Range(first.begin(), 1000, first.offset(), first.bytes()),
         "instructions [1, 1000)");
  expect("misaligned", 0, Range(first.begin(), first.end(), 64, first.bytes()),
         "weight range 0");
  expect("part of a page", 0,
         Range(first.begin(), first.end(), first.offset(), 64),
         "weight range 0");
  expect("nothing", 0, Range(first.begin(), first.end(), first.offset(), 0),
         "weight range 0");
  expect("past the end", 0, Range(first.begin(), first.end(), end, 4096),
         "weight range 0");
  expect("overflow", 0, Range(first.begin(), first.end(), huge, 8192),
         "weight range 0");
  expect("the same place twice", 1, first, "weight range 1 overlaps");
  expect(
      "another end", 1,
      Range(second.begin(), second.end() + 1, second.offset(), second.bytes()),
      "weight range 1 overlaps");
  expect("the order of instructions", 0, ranges.back(), "overlaps or precedes");
  // Each instruction needs its own.
  expect("too early", 0, Range(0, 1, first.offset(), first.bytes()),
         "instruction 1 'first' uses segment 0 for its weights");
  expect("another segment's", 0,
         Range(first.begin(), first.end(), end - 4096, 4096), "");
  for (size_t i = 0; i < ranges.size(); ++i)
    expectRefused(
        "a missing range",
        [=](schema::ProgramT &p) {
          p.weight_ranges.erase(p.weight_ranges.begin() +
                                static_cast<ptrdiff_t>(i));
        },
        "which no weight range maps for it");
  expectRefused(
      "ranges of resident weights",
      [](schema::ProgramT &p) { p.stream_weights = false; },
      "does not stream them");
  expectRefused(
      "none", [](schema::ProgramT &p) { p.weight_ranges.clear(); },
      "uses segment 0");
}

// The verifier would walk over the one list for each group that refers to it:
// the time of a load grew with the square of the file.
TEST_F(Reject, OneGroupManyTimes) {
  constexpr size_t kCount = 20000;
  auto program = unpackProgram(good);
  program->groups.resize(kCount);
  for (auto &group : program->groups)
    if (!group)
      group.reset(new schema::GroupT);
  program->groups.back()->ops.assign(kCount, "op");
  PlanImage image = packPlan(*program, weightsOf(good));
  EXPECT_EQ(load(image).code, SNUG_OK);

  const auto *groups =
      schema::GetProgram(image.data() + sizeof(PlanHeader))->groups();
  unsigned char *offsets =
      image.data() +
      (groups->Data() - static_cast<const uint8_t *>(image.data()));
  const unsigned char *last =
      reinterpret_cast<const unsigned char *>(groups->Get(kCount - 1));
  for (size_t i = 0; i < kCount; ++i) {
    unsigned char *place = offsets + i * sizeof(flatbuffers::uoffset_t);
    const auto offset = static_cast<flatbuffers::uoffset_t>(last - place);
    std::memcpy(place, &offset, sizeof(offset));
  }
  image.seal();
  const snug_status status = load(image);
  EXPECT_EQ(status.code, SNUG_INVALID_PLAN) << status.message;
}

TEST_F(Reject, HostileViews) {
  const auto first = [](schema::ProgramT &p) -> schema::ConvolutionT & {
    return *at(p, kFirstTop).kernel.AsConvolution();
  };
  const int64_t most = std::numeric_limits<int64_t>::max();
  for (int extent : {0, -1, std::numeric_limits<int>::min(),
                     std::numeric_limits<int>::max()})
    for (int axis = 0; axis < 4; ++axis)
      expectRefused(
          "extents",
          [=](schema::ProgramT &p) {
            int e[4] = {2, 6, 7, 3};
            e[axis] = extent;
            setExtents(first(p).input, e[0], e[1], e[2], e[3]);
          },
          "extents must be in");
  for (uint64_t offset :
       {uint64_t{1} << 30, std::numeric_limits<uint64_t>::max() - 3})
    expectRefused(
        "offset past the arena",
        [=](schema::ProgramT &p) { setOffset(first(p).output, offset); },
        "past the arena");
  expectRefused(
      "odd offset",
      [=](schema::ProgramT &p) {
        setOffset(first(p).output, first(p).output->offset() + 2);
      },
      "multiple of a float");
  for (int axis = 0; axis < 4; ++axis)
    for (int64_t stride : {int64_t{-1}, std::numeric_limits<int64_t>::min(),
                           most, most / 2, int64_t{1} << 33})
      expectRefused(
          "strides",
          [=](schema::ProgramT &p) {
            int64_t s[4] = {9 * 7 * 3, 7 * 3, 3, 1};
            s[axis] = stride;
            setStrides(first(p).input, s[0], s[1], s[2], s[3]);
          },
          "instruction 1 'first'");
  expectRefused(
      "all strides",
      [=](schema::ProgramT &p) {
        setStrides(first(p).input, most, most, most, most);
      },
      "arena's length");
  expectRefused(
      "stride over one element",
      [=](schema::ProgramT &p) {
        setStrides(at(p, kMean).kernel.AsReduce()->output, 10, most, 10, 1);
      },
      "over height");
  expectRefused(
      "channel stride",
      [=](schema::ProgramT &p) { setStrides(first(p).input, 3, 8, 1, 60); },
      "channel stride 60");
  expectRefused(
      "overlapping elements",
      [=](schema::ProgramT &p) {
        setStrides(first(p).output, 9 * 7 * 10, 7 * 10, 9, 1);
      },
      "overlap");
  expectRefused(
      "one place for all",
      [](schema::ProgramT &p) {
        setStrides(at(p, kToNchw).kernel.AsMove()->output, 0, 0, 0, 0);
      },
      "overlap");
  expectRefused(
      "over its input",
      [=](schema::ProgramT &p) {
        setOffset(first(p).output, first(p).input->offset() + 64);
      },
      "over its own input");
  expectRefused(
      "softmax shifted",
      [](schema::ProgramT &p) {
        schema::SoftmaxT &k = *at(p, kSoftmax).kernel.AsSoftmax();
        k.output.reset(new View(*k.input));
        setOffset(k.output, k.input->offset() + 4);
      },
      "over its own input");
  expectRefused(
      "unary shifted",
      [](schema::ProgramT &p) {
        schema::UnaryT &k = *at(p, kClip).kernel.AsUnary();
        setOffset(k.output, k.input->offset() + 4);
      },
      "over its own input");
  expectRefused(
      "residual shifted",
      [](schema::ProgramT &p) {
        schema::ConvolutionT &k = *at(p, kPoint).kernel.AsConvolution();
        k.residual.reset(new View(*k.output));
        setOffset(k.residual, k.output->offset() + 4);
      },
      "second input");
}

TEST_F(Reject, HostileGeometry) {
  const auto conv = [](schema::ProgramT &p) -> schema::ConvolutionT & {
    return *at(p, kDepth).kernel.AsConvolution();
  };
  // Good is kernel 3, stride 1, dilation 1, pads 1.
  const int wrong[][10] = {{0, 3, 1, 1, 1, 1, 1, 1, 1, 1},
                           {3, -3, 1, 1, 1, 1, 1, 1, 1, 1},
                           {3, 3, 0, 1, 1, 1, 1, 1, 1, 1},
                           {3, 3, 1, -1, 1, 1, 1, 1, 1, 1},
                           {3, 3, 1, 1, 0, 1, 1, 1, 1, 1},
                           {3, 3, 1, 1, 1, 1, -1, 3, 1, 1},
                           {3, 3, 1, 1, 1, 1, 1, 1, 1, 2},
                           {3, 3, 2, 1, 1, 1, 1, 1, 1, 1},
                           {3, 3, 1, 1, 2, 1, 1, 1, 1, 1},
                           {5, 3, 1, 1, 1, 1, 1, 1, 1, 1},
                           {1 << 30, 3, 1, 1, 1, 1, 1, 1, 1, 1},
                           {3, 3, 1, 1, 1 << 30, 1, 1, 1, 1, 1},
                           {3, 3, 1, 1, 1, 1, 1 << 30, 1, 1, 1},
                           {3, 3, 1 << 30, 1, 1, 1, 1, 1, 1, 1}};
  for (const auto &w : wrong)
    expectRefused(
        "window",
        [&](schema::ProgramT &p) {
          conv(p).window.reset(new schema::Window(
              w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]));
        },
        "instruction 4 'depth'");
  for (int groups : {0, -1, 3, 11, std::numeric_limits<int>::min()})
    expectRefused(
        "groups", [=](schema::ProgramT &p) { conv(p).groups = groups; },
        "groups");
  expectRefused(
      "other groups", [&](schema::ProgramT &p) { conv(p).groups = 1; },
      "bytes of weights");
  expectRefused(
      "residual extents",
      [](schema::ProgramT &p) {
        setExtents(at(p, kPoint).kernel.AsConvolution()->residual, 2, 4, 2, 10);
      },
      "residual");
  expectRefused(
      "pool channels",
      [](schema::ProgramT &p) {
        setExtents(at(p, kPool).kernel.AsPool()->output, 2, 4, 3, 9);
      },
      "pools 10 channels into 9");
  expectRefused(
      "batch",
      [](schema::ProgramT &p) {
        setExtents(at(p, kPool).kernel.AsPool()->output, 1, 4, 3, 10);
      },
      "batch");
  expectRefused(
      "move extents",
      [](schema::ProgramT &p) {
        setExtents(at(p, kToNhwc).kernel.AsMove()->input, 2, 9, 6, 3);
      },
      "extents differ");
  expectRefused(
      "addition extents",
      [](schema::ProgramT &p) {
        setExtents(at(p, kSum).kernel.AsBinary()->right, 2, 4, 2, 10);
      },
      "cannot be repeated");
  expectRefused(
      "global average",
      [](schema::ProgramT &p) {
        setExtents(at(p, kMean).kernel.AsReduce()->output, 2, 1, 1, 9);
      },
      "one pixel");
  expectRefused(
      "gemm rows",
      [](schema::ProgramT &p) {
        setExtents(at(p, kDense).kernel.AsGemm()->output, 1, 1, 1, 5);
      },
      "rows of channels");
  expectRefused(
      "gemm size",
      [](schema::ProgramT &p) {
        setExtents(at(p, kDense).kernel.AsGemm()->input, 2, 1, 1, 1);
      },
      "bytes of weights");
  for (int index : {int{kFirstTop}, int{kClip}})
    expectRefused(
        "activation",
        [=](schema::ProgramT &p) {
          const auto unknown = static_cast<schema::Activation>(200);
          if (index == kClip)
            at(p, index).kernel.AsUnary()->activation = unknown;
          else
            at(p, index).kernel.AsConvolution()->activation = unknown;
        },
        "activation number 200", SNUG_UNSUPPORTED);
  expectRefused(
      "pool kind",
      [](schema::ProgramT &p) {
        at(p, kPool).kernel.AsPool()->kind = static_cast<schema::PoolKind>(2);
      },
      "pool kind number 2", SNUG_UNSUPPORTED);
  for (int group : {-2, 1, std::numeric_limits<int>::max()})
    expectRefused(
        "group", [=](schema::ProgramT &p) { at(p, kPool).group = group; },
        "names group");
  expectRefused(
      "tile", [](schema::ProgramT &p) { at(p, kPool).tile = -2; }, "tile");
}

TEST_F(Reject, HostileWorkspaces) {
  const auto set = [](schema::ProgramT &p, uint64_t offset, uint64_t bytes) {
    at(p, kPoint).kernel.AsConvolution()->workspace.reset(
        new schema::Range(offset, bytes));
  };
  const uint64_t huge = std::numeric_limits<uint64_t>::max();
  expectRefused(
      "past the arena", [=](schema::ProgramT &p) { set(p, p.arena_bytes, 64); },
      "workspace");
  expectRefused(
      "overflow", [=](schema::ProgramT &p) { set(p, huge - 63, 64); },
      "workspace");
  expectRefused(
      "misaligned", [=](schema::ProgramT &p) { set(p, 4, 64); }, "workspace");
}

TEST_F(Reject, WinogradWhereItIsNot) {
  const auto edit = [](schema::ProgramT &p) -> schema::ConvolutionT & {
    return *at(p, kFirstLow).kernel.AsConvolution();
  };
  expectRefused(
      "no workspace", [=](schema::ProgramT &p) { edit(p).workspace.reset(); },
      "bytes of workspace but has 0");
  expectRefused(
      "short workspace",
      [=](schema::ProgramT &p) {
        schema::Range &range = *edit(p).workspace;
        range = schema::Range(range.offset(), range.bytes() - 64);
      },
      "bytes of workspace but has");
  for (auto view :
       {&schema::ConvolutionT::input, &schema::ConvolutionT::output})
    expectRefused(
        "workspace on a tensor",
        [=](schema::ProgramT &p) {
          schema::ConvolutionT &k = edit(p);
          *k.workspace = schema::Range((k.*view)->offset() / 64 * 64,
                                       k.workspace->bytes());
        },
        "that overlaps its tensors");
  for (int index : {int{kPoint}, int{kDepth}})
    expectRefused(
        "another window, groups",
        [=](schema::ProgramT &p) {
          at(p, index).kernel.AsConvolution()->winograd = true;
        },
        "which is for convolutions of 3x3 taps");
}

TEST_F(Reject, AnUnknownKernelIsNamed) {
  auto program = unpackProgram(good);
  PlanImage image = packPlan(*program, weightsOf(good));
  // The union's type is one byte; find it by changing bytes of its value that
  // leave the buffer sound.
  bool refused = false;
  const auto *instruction =
      schema::GetProgram(image.data() + sizeof(PlanHeader))
          ->instructions()
          ->Get(kSoftmax);
  unsigned char *type = const_cast<unsigned char *>(
      reinterpret_cast<const flatbuffers::Table *>(instruction)
          ->GetAddressOf(schema::Instruction::VT_KERNEL_TYPE));
  ASSERT_NE(type, nullptr);
  for (unsigned char number : {0, 9, 255}) {
    *type = number;
    image.seal();
    const snug_status status = load(image);
    EXPECT_NE(status.code, SNUG_OK);
    refused |= status.code == SNUG_UNSUPPORTED;
  }
  EXPECT_TRUE(refused);
}

/// Random changes under a good checksum: refused, or run inside guard pages.
TEST_F(Reject, MutationsUnderARecomputedChecksumNeverCrash) {
  uint64_t state = 12345;
  const auto random = [&state](uint64_t below) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % below;
  };
  int refused = 0, ran = 0;
  for (int i = 0; i < 6000; ++i) {
    PlanImage image = copy();
    const int changes = 1 + static_cast<int>(random(3));
    for (int change = 0; change < changes; ++change) {
      const size_t place = sizeof(PlanHeader) + random(good.programBytes());
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
    // Huge arenas are memory's question, not the verifier's.
    const size_t bytes = snug_plan_arena_bytes(plan);
    if (bytes <= (1 << 24)) {
      unsigned char *mapping = static_cast<unsigned char *>(
          mmap(nullptr, bytes + 2 * 4096, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      ASSERT_NE(mapping, MAP_FAILED);
      ASSERT_EQ(mprotect(mapping + 4096, bytes, PROT_READ | PROT_WRITE), 0);
      snug_executor_options options;
      snug_executor_options_init(&options);
      options.arena = mapping + 4096;
      options.arena_bytes = bytes;
      snug_executor *executor = nullptr;
      if (snug_executor_create(plan, &options, &executor).code == SNUG_OK) {
        EXPECT_EQ(snug_executor_run(executor).code, SNUG_OK);
        ++ran;
      }
      snug_executor_release(executor);
      munmap(mapping, bytes + 2 * 4096);
    }
    snug_plan_release(plan);
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(ran, 100) << "strings and predictions may change";
}

} // namespace
} // namespace testing
} // namespace snug
