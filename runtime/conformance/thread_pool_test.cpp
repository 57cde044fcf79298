// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The thread pool under stress: every index once, on valid slots, also with
// sleeping, late and outnumbered workers.

#include "ThreadPool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <unistd.h>
#include <vector>

namespace snug {
namespace testing {
namespace {

using runtime::ThreadPool;

class Pool : public ::testing::TestWithParam<int> {};

TEST_P(Pool, CallsEveryIndexOnce) {
  const int threads = GetParam();
  ThreadPool pool(threads);
  ASSERT_TRUE(pool.valid());
  ASSERT_EQ(pool.threads(), threads);
  std::vector<int> counts(64); // plain: the pool orders all accesses
  std::vector<int> slotBusy(static_cast<size_t>(threads));
  for (int job = 0; job < 3000; ++job) {
    const int64_t tasks = job % 65;
    std::fill(counts.begin(), counts.end(), 0);
    pool.forEach(tasks, [&](int64_t index, int thread) {
      ASSERT_GE(thread, 0);
      ASSERT_LT(thread, threads);
      // A slot is one thread's at a time, so this is no race.
      ASSERT_EQ(slotBusy[static_cast<size_t>(thread)]++, 0);
      ++counts[static_cast<size_t>(index)];
      --slotBusy[static_cast<size_t>(thread)];
    });
    for (size_t i = 0; i < counts.size(); ++i)
      ASSERT_EQ(counts[i], static_cast<int64_t>(i) < tasks ? 1 : 0)
          << "job " << job << " index " << i;
    if (job % 500 == 0)
      usleep(300); // long enough for workers to fall asleep
  }
}

TEST_P(Pool, IsFinishedWhenRunReturns) {
  ThreadPool pool(GetParam());
  for (int job = 0; job < 40; ++job) {
    int64_t done[16] = {};
    pool.forEach(16, [&](int64_t index, int) {
      if (index % 5 == 0)
        usleep(100); // the caller has to sleep for the last of them
      done[index] = index + job;
    });
    for (int64_t i = 0; i < 16; ++i)
      ASSERT_EQ(done[i], i + job);
  }
}

TEST_P(Pool, WorksBesideABusyThread) {
  std::atomic<bool> stop{false};
  std::thread busy([&stop] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  ThreadPool pool(GetParam());
  std::atomic<int64_t> sum{0};
  for (int job = 0; job < 500; ++job)
    pool.forEach(8, [&](int64_t index, int) { sum += index; });
  stop = true;
  busy.join();
  EXPECT_EQ(sum.load(), 500 * 28);
}

TEST_P(Pool, StartsAndEndsWithoutWork) {
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(GetParam());
    ASSERT_TRUE(pool.valid());
    if (i % 2)
      pool.forEach(3, [](int64_t, int) {});
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, ::testing::Values(1, 2, 3, 8));

TEST(PoolLimits, RefusesImpossibleCounts) {
  EXPECT_FALSE(ThreadPool(0).valid());
  EXPECT_FALSE(ThreadPool(-1).valid());
  EXPECT_FALSE(ThreadPool(1 << 20).valid());
}

} // namespace
} // namespace testing
} // namespace snug
