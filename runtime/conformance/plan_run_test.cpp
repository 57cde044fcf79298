// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs plans through the C API, for every target; compares with plain loops.

#include "AllocationCount.h"
#include "Targets.h"
#include "TestNetwork.h"
#include "snug/runtime/runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

extern "C" int snugRunPlanFromC(const void *bytes, size_t size,
                                const float *input, size_t inputCount,
                                float *output, size_t outputCount,
                                char *message, size_t messageBytes);

namespace snug {
namespace testing {
namespace {

using runtime::Target;

/// Single precision, sums of at most 30 products: relative to the largest.
constexpr double kTolerance = 1e-5;

void expectClose(const float *actual, const std::vector<double> &expected) {
  double scale = 0;
  for (double value : expected)
    scale = std::max(scale, std::fabs(value));
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], kTolerance * scale)
        << "at " << i;
}

#define ASSERT_OK(expression)                                                  \
  do {                                                                         \
    const snug_status status_ = (expression);                                  \
    ASSERT_EQ(status_.code, SNUG_OK) << status_.message;                       \
  } while (false)

struct Plan {
  snug_plan *handle = nullptr;
  ~Plan() { snug_plan_release(handle); }
};
struct Executor {
  snug_executor *handle = nullptr;
  ~Executor() { snug_executor_release(handle); }
};

void fillInput(snug_executor *executor, const TestNetwork &network) {
  float *data = nullptr;
  ASSERT_OK(snug_executor_input(executor, 0, &data));
  std::memcpy(data, network.input.data(), network.input.size() * sizeof(float));
}

void expectOutputs(snug_executor *executor, const TestNetwork &network) {
  const float *data = nullptr;
  ASSERT_OK(snug_executor_output(executor, 0, &data));
  expectClose(data, network.features);
  ASSERT_OK(snug_executor_output(executor, 1, &data));
  expectClose(data, network.scores);
}

class PlanRun : public ::testing::TestWithParam<Target> {
protected:
  void SetUp() override {
    if (!whyNotRun(GetParam()).empty())
      GTEST_SKIP() << whyNotRun(GetParam());
  }
  void load(int threads) {
    image = network.plan(GetParam(), threads);
    ASSERT_OK(snug_plan_load_memory(image.data(), image.size(), nullptr,
                                    &plan.handle));
  }

  TestNetwork network;
  PlanImage image;
  Plan plan;
  Executor executor; // released before the plan and the bytes
};

TEST_P(PlanRun, EqualsPlainLoopsForEveryThreadCount) {
  std::vector<float> reference;
  for (int threads : {1, 2, 3, 7}) {
    PlanImage bytes = network.plan(GetParam(), threads); // outlives the plan
    Plan loaded;
    Executor created;
    ASSERT_OK(snug_plan_load_memory(bytes.data(), bytes.size(), nullptr,
                                    &loaded.handle));
    EXPECT_EQ(snug_plan_threads(loaded.handle), threads);
    ASSERT_OK(snug_executor_create(loaded.handle, nullptr, &created.handle));
    for (int run = 0; run < 3; ++run) {
      fillInput(created.handle, network);
      ASSERT_OK(snug_executor_run(created.handle));
      expectOutputs(created.handle, network);
    }
    const float *data = nullptr;
    ASSERT_OK(snug_executor_output(created.handle, 0, &data));
    const std::vector<float> values(data, data + TestNetwork::kFeatureCount);
    if (reference.empty())
      reference = values;
    EXPECT_EQ(values, reference) << "results depend on the thread count";
  }
}

TEST_P(PlanRun, ReportsWorkAndSizes) {
  load(1);
  ASSERT_OK(snug_executor_create(plan.handle, nullptr, &executor.handle));
  EXPECT_EQ(snug_executor_executed_macs(executor.handle), 0u);
  fillInput(executor.handle, network);
  ASSERT_OK(snug_executor_run(executor.handle));
  EXPECT_EQ(snug_executor_executed_macs(executor.handle), network.macs);
  EXPECT_EQ(snug_executor_arena_bytes(executor.handle),
            snug_plan_arena_bytes(plan.handle));
  EXPECT_EQ(snug_executor_profile_count(executor.handle), 0u);
  EXPECT_STREQ(snug_plan_target(plan.handle), runtime::targetName(GetParam()));
}

TEST_P(PlanRun, FalsifiedPredictionsDifferFromTheRun) {
  PlanImage honest = network.plan(GetParam(), 1);
  auto program = unpackProgram(honest);
  program->predicted->executed_macs += 1;
  program->predicted->network_macs = 1;
  program->predicted->arena = 4096;
  program->predicted->peak = 4096;
  image = packPlan(*program, weightsOf(honest));
  ASSERT_OK(
      snug_plan_load_memory(image.data(), image.size(), nullptr, &plan.handle));
  ASSERT_OK(snug_executor_create(plan.handle, nullptr, &executor.handle));
  fillInput(executor.handle, network);
  ASSERT_OK(snug_executor_run(executor.handle));
  const snug_prediction predicted = snug_plan_prediction(plan.handle);
  EXPECT_EQ(snug_executor_executed_macs(executor.handle), network.macs);
  EXPECT_NE(snug_executor_executed_macs(executor.handle),
            predicted.executed_macs);
  EXPECT_NE(snug_executor_arena_bytes(executor.handle), predicted.arena);
  EXPECT_GT(snug_executor_arena_bytes(executor.handle), 4096u);
}

TEST_P(PlanRun, StaysInsideACallersPoisonedArena) {
  load(2);
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = snug_plan_arena_bytes(plan.handle);
  const size_t usable = (bytes + page - 1) / page * page;
  unsigned char *mapping =
      static_cast<unsigned char *>(mmap(nullptr, usable + 2 * page, PROT_NONE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(mapping, MAP_FAILED);
  ASSERT_EQ(mprotect(mapping + page, usable, PROT_READ | PROT_WRITE), 0);
  for (size_t shift : {size_t{0}, usable - bytes}) {
    Executor guarded;
    snug_executor_options options;
    snug_executor_options_init(&options);
    options.arena = mapping + page + shift;
    options.arena_bytes = bytes;
    std::memset(options.arena, 0xff, bytes);
    ASSERT_OK(snug_executor_create(plan.handle, &options, &guarded.handle));
    float *data = nullptr;
    ASSERT_OK(snug_executor_input(guarded.handle, 0, &data));
    const unsigned char *place = reinterpret_cast<unsigned char *>(data);
    EXPECT_GE(place, mapping + page + shift);
    EXPECT_LT(place, mapping + page + shift + bytes);
    fillInput(guarded.handle, network);
    ASSERT_OK(snug_executor_run(guarded.handle));
    expectOutputs(guarded.handle, network);
  }
  munmap(mapping, usable + 2 * page);
}

TEST_P(PlanRun, ProfilesEveryInstruction) {
  load(1);
  snug_executor_options options;
  snug_executor_options_init(&options);
  options.profile = 1;
  ASSERT_OK(snug_executor_create(plan.handle, &options, &executor.handle));
  EXPECT_EQ(snug_executor_profile_count(executor.handle), 0u);
  fillInput(executor.handle, network);
  ASSERT_OK(snug_executor_run(executor.handle));
  ASSERT_EQ(snug_executor_profile_count(executor.handle),
            snug_plan_instruction_count(plan.handle));
  uint64_t macs = 0, end = 0;
  for (size_t i = 0; i < snug_executor_profile_count(executor.handle); ++i) {
    snug_profile_record record;
    ASSERT_OK(snug_executor_profile_record(executor.handle, i, &record));
    macs += record.macs;
    EXPECT_GE(record.start_ns, end);
    end = record.start_ns + record.duration_ns;
    if (i == 2) {
      EXPECT_STREQ(record.name, "first");
      EXPECT_EQ(record.kernel,
                std::string("winograd/") + runtime::targetName(GetParam()));
      EXPECT_EQ(record.group, 0);
      EXPECT_EQ(record.tile, 1);
      EXPECT_EQ(record.macs, 2u * 4 * 7 * 10 * 27);
    }
  }
  EXPECT_EQ(macs, network.macs);
}

/// Counts what a caller's allocator hands out and takes back.
struct Counted {
  size_t live = 0, calls = 0;
  static void *allocate(void *context, size_t bytes) {
    Counted *self = static_cast<Counted *>(context);
    ++self->live;
    ++self->calls;
    return std::malloc(bytes);
  }
  static void release(void *context, void *pointer) {
    if (pointer)
      --static_cast<Counted *>(context)->live;
    std::free(pointer);
  }
};

TEST_P(PlanRun, AllocatesNothingAfterPrepare) {
  Counted counted;
  const snug_allocator allocator = {&counted, &Counted::allocate,
                                    &Counted::release};
  image = network.plan(GetParam(), 3);
  ASSERT_OK(snug_plan_load_memory(image.data(), image.size(), &allocator,
                                  &plan.handle));
  for (int profile : {0, 1}) {
    snug_executor_options options;
    snug_executor_options_init(&options);
    options.allocator = &allocator;
    options.profile = profile;
    Executor created;
    ASSERT_OK(snug_executor_create(plan.handle, &options, &created.handle));
    fillInput(created.handle, network);
    const size_t callsBefore = counted.calls;
    const uint64_t allocationsBefore = allocationCount();
    snug_status status = snug_executor_run(created.handle);
    status = snug_executor_run(created.handle);
    const uint64_t allocationsAfter = allocationCount();
    ASSERT_OK(status);
    EXPECT_EQ(counted.calls, callsBefore);
    EXPECT_EQ(allocationsAfter, allocationsBefore);
  }
  EXPECT_EQ(counted.live, 1u) << "only the plan's handle is left";
  snug_plan_release(plan.handle);
  plan.handle = nullptr;
  EXPECT_EQ(counted.live, 0u);
}

TEST_P(PlanRun, AFlippedWeightByteIsNoCrash) {
  load(1);
  for (size_t i = 0; i < image.size() - image.weightsOffset(); i += 97) {
    image.data()[image.weightsOffset() + i] ^= 0x80;
    Plan loaded;
    Executor created;
    ASSERT_OK(snug_plan_load_memory(image.data(), image.size(), nullptr,
                                    &loaded.handle));
    ASSERT_OK(snug_executor_create(loaded.handle, nullptr, &created.handle));
    fillInput(created.handle, network);
    ASSERT_OK(snug_executor_run(created.handle));
  }
}

/// Writes a plan to a file, which is gone at the end.
class PlanFile {
public:
  explicit PlanFile(const PlanImage &image)
      : path(::testing::TempDir() + "snug-plan-XXXXXX") {
    const int file = mkstemp(&path[0]);
    EXPECT_GE(file, 0);
    close(file);
    image.write(path);
  }
  ~PlanFile() { unlink(path.c_str()); }
  std::string path;
};

TEST_P(PlanRun, StreamedWeightsGiveEqualResults) {
  load(2);
  const PlanImage streamed = streamedPlan(image);
  const PlanFile file(streamed);
  uint64_t largest = 0;
  {
    const auto program = unpackProgram(streamed);
    std::map<uint32_t, uint64_t> mapped;
    for (const schema::WeightRange &range : program->weight_ranges)
      largest = std::max(largest, mapped[range.begin()] += range.bytes());
  }
  Plan loaded;
  ASSERT_OK(snug_plan_load(file.path.c_str(), nullptr, &loaded.handle));
  EXPECT_EQ(snug_plan_streams_weights(loaded.handle), 1);
  for (int profile : {0, 1}) {
    snug_executor_options options;
    snug_executor_options_init(&options);
    options.profile = profile;
    // Two executors of one plan map the same weights at places of their own.
    Executor one, other;
    ASSERT_OK(snug_executor_create(loaded.handle, &options, &one.handle));
    ASSERT_OK(snug_executor_create(loaded.handle, &options, &other.handle));
    EXPECT_EQ(snug_executor_weight_bytes(one.handle), 0u);
    for (snug_executor *executor :
         {one.handle, other.handle, one.handle, other.handle}) {
      fillInput(executor, network);
      const uint64_t allocationsBefore = allocationCount();
      const snug_status status = snug_executor_run(executor);
      const uint64_t allocationsAfter = allocationCount();
      ASSERT_OK(status);
      EXPECT_EQ(allocationsAfter, allocationsBefore);
      expectOutputs(executor, network);
      EXPECT_EQ(snug_executor_executed_macs(executor), network.macs);
    }
    EXPECT_EQ(snug_executor_weight_bytes(one.handle), largest);
    EXPECT_LT(largest, streamed.size() - streamed.weightsOffset());
    EXPECT_EQ(snug_executor_profile_count(one.handle),
              profile ? snug_plan_instruction_count(loaded.handle) : 0u);
  }
  // From memory they are where the caller has them.
  Plan inMemory;
  Executor created;
  ASSERT_OK(snug_plan_load_memory(streamed.data(), streamed.size(), nullptr,
                                  &inMemory.handle));
  ASSERT_OK(snug_executor_create(inMemory.handle, nullptr, &created.handle));
  fillInput(created.handle, network);
  ASSERT_OK(snug_executor_run(created.handle));
  expectOutputs(created.handle, network);
}

TEST_P(PlanRun, RunsFromC) {
  image = network.plan(GetParam(), 1);
  std::vector<float> scores(TestNetwork::kScoreCount);
  char message[512] = "";
  EXPECT_EQ(snugRunPlanFromC(image.data(), image.size(), network.input.data(),
                             network.input.size(), scores.data(), scores.size(),
                             message, sizeof(message)),
            0)
      << message;
  expectClose(scores.data(), network.scores);
}

INSTANTIATE_TEST_SUITE_P(Targets, PlanRun,
                         ::testing::Values(Target::Portable, Target::AVX2,
                                           Target::AVX512),
                         [](const ::testing::TestParamInfo<Target> &info) {
                           return std::string(runtime::targetName(info.param));
                         });

TEST(AllocationCount, SeesAllocations) {
  const uint64_t before = allocationCount();
  std::vector<int> *kept = new std::vector<int>(100);
  const uint64_t after = allocationCount();
  delete kept;
  EXPECT_GT(after, before);
}

class Api : public ::testing::Test {
protected:
  void SetUp() override {
    image = network.plan(Target::Portable, 1);
    ASSERT_OK(snug_plan_load_memory(image.data(), image.size(), nullptr,
                                    &plan.handle));
  }
  TestNetwork network;
  PlanImage image;
  Plan plan;
};

TEST_F(Api, AnswersAboutThePlan) {
  EXPECT_STREQ(snug_plan_model(plan.handle), "test");
  ASSERT_EQ(snug_plan_input_count(plan.handle), 1u);
  ASSERT_EQ(snug_plan_output_count(plan.handle), 2u);
  snug_tensor_info info;
  ASSERT_OK(snug_plan_input_info(plan.handle, 0, &info));
  EXPECT_STREQ(info.name, "image");
  ASSERT_EQ(info.rank, 4u);
  EXPECT_EQ(info.shape[1], 3);
  EXPECT_EQ(info.bytes, TestNetwork::kInputCount * sizeof(float));
  ASSERT_OK(snug_plan_output_info(plan.handle, 1, &info));
  EXPECT_STREQ(info.name, "scores");
  EXPECT_EQ(info.rank, 2u);
  ASSERT_EQ(snug_plan_group_count(plan.handle), 1u);
  snug_group_info group;
  ASSERT_OK(snug_plan_group_info(plan.handle, 0, &group));
  EXPECT_STREQ(group.schedule, "2x1");
  EXPECT_EQ(group.op_count, 1u);
  EXPECT_EQ(group.arena_bytes, 4096u);
  EXPECT_STREQ(snug_plan_group_op(plan.handle, 0, 0), "first");
  EXPECT_EQ(snug_plan_group_op(plan.handle, 0, 1), nullptr);
  EXPECT_EQ(snug_plan_group_op(plan.handle, 1, 0), nullptr);
}

TEST_F(Api, RefusesBadArguments) {
  snug_tensor_info info;
  snug_group_info group;
  EXPECT_EQ(snug_plan_input_info(plan.handle, 1, &info).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_plan_output_info(plan.handle, 2, &info).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_plan_input_info(plan.handle, 0, nullptr).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_plan_group_info(plan.handle, 1, &group).code,
            SNUG_INVALID_ARGUMENT);
  snug_plan *other = nullptr;
  EXPECT_EQ(snug_plan_load(nullptr, nullptr, &other).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_plan_load("nowhere.snug", nullptr, nullptr).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_plan_load("nowhere.snug", nullptr, &other).code,
            SNUG_NOT_FOUND);
  EXPECT_EQ(snug_plan_load("/", nullptr, &other).code, SNUG_IO_ERROR);
  EXPECT_EQ(snug_plan_load_memory(image.data() + 64, image.size() - 64, nullptr,
                                  &other)
                .code,
            SNUG_INVALID_ARGUMENT);
  const snug_allocator half = {nullptr, &Counted::allocate, nullptr};
  EXPECT_EQ(
      snug_plan_load_memory(image.data(), image.size(), &half, &other).code,
      SNUG_INVALID_ARGUMENT);

  Executor executor;
  snug_executor_options options;
  EXPECT_EQ(snug_executor_create(nullptr, nullptr, &executor.handle).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_executor_create(plan.handle, nullptr, nullptr).code,
            SNUG_INVALID_ARGUMENT);
  std::memset(&options, 0, sizeof(options));
  EXPECT_EQ(snug_executor_create(plan.handle, &options, &executor.handle).code,
            SNUG_INVALID_ARGUMENT);
  snug_executor_options_init(&options);
  alignas(64) static unsigned char small[4096];
  options.arena = small;
  options.arena_bytes = sizeof(small);
  EXPECT_EQ(snug_executor_create(plan.handle, &options, &executor.handle).code,
            SNUG_INVALID_ARGUMENT);
  options.arena = small + 4;
  options.arena_bytes = uint64_t{1} << 40;
  EXPECT_EQ(snug_executor_create(plan.handle, &options, &executor.handle).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_executor_run(nullptr).code, SNUG_INVALID_ARGUMENT);
  ASSERT_OK(snug_executor_create(plan.handle, nullptr, &executor.handle));
  float *data = nullptr;
  const float *result = nullptr;
  snug_profile_record record;
  EXPECT_EQ(snug_executor_input(executor.handle, 1, &data).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_executor_output(executor.handle, 2, &result).code,
            SNUG_INVALID_ARGUMENT);
  EXPECT_EQ(snug_executor_profile_record(executor.handle, 0, &record).code,
            SNUG_INVALID_ARGUMENT);
  snug_plan_release(nullptr);
  snug_executor_release(nullptr);
  snug_executor_options_init(nullptr);
}

/// An allocator that gives memory only so many times.
struct Limited {
  int left;
  static void *allocate(void *context, size_t bytes) {
    return static_cast<Limited *>(context)->left-- > 0 ? std::malloc(bytes)
                                                       : nullptr;
  }
  static void release(void *, void *pointer) { std::free(pointer); }
};

TEST_F(Api, SurvivesAFailingAllocator) {
  Limited limited = {0};
  const snug_allocator allocator = {&limited, &Limited::allocate,
                                    &Limited::release};
  snug_plan *other = nullptr;
  EXPECT_EQ(
      snug_plan_load_memory(image.data(), image.size(), &allocator, &other)
          .code,
      SNUG_OUT_OF_MEMORY);
  EXPECT_EQ(other, nullptr);
  snug_executor_options options;
  snug_executor_options_init(&options);
  options.allocator = &allocator;
  options.profile = 1;
  bool created = false;
  int allowed = 0;
  for (; allowed < 20 && !created; ++allowed) {
    limited.left = allowed;
    Executor executor;
    const snug_status status =
        snug_executor_create(plan.handle, &options, &executor.handle);
    created = status.code == SNUG_OK;
    if (!created) {
      EXPECT_EQ(status.code, SNUG_OUT_OF_MEMORY) << status.message;
      EXPECT_EQ(executor.handle, nullptr);
    }
  }
  EXPECT_TRUE(created);
  EXPECT_GE(allowed, 4) << "handle, pool, calls and profile are allocated";
}

} // namespace
} // namespace testing
} // namespace snug
