// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The thread pool: workers may join a job late or not at all, so a worker that
// the system does not schedule never holds a job up.

#include "ThreadPool.h"

#include "Memory.h"

#include <atomic>
#include <new>
#include <pthread.h>
#include <time.h>

#if defined(__linux__) && !defined(SNUG_POOL_PORTABLE_WAIT)
#define SNUG_POOL_FUTEX 1
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#define SNUG_POOL_FUTEX 0
#include <condition_variable>
#include <mutex>
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace snug {
namespace runtime {

namespace {

// The job word: how many workers are inside the job, whether they may still
// enter, and a count of jobs. The count wraps; that costs a worker at most one
// job it might have helped with.
constexpr uint32_t kInsideMask = 0xfff;
constexpr uint32_t kOpen = 0x1000;
constexpr uint32_t kJobStep = 0x2000;
constexpr uint32_t jobNumber(uint32_t word) { return word / kJobStep; }

constexpr int64_t kSpinNanoseconds = 20000;
constexpr size_t kLine = 128; // two cache lines: neighbours are prefetched

int64_t nowNanoseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
}

inline void pauseProcessor() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield" ::: "memory");
#endif
}

/// Sleeps while a word has an expected value. Wake-ups may be spurious. As with
/// a futex, a waiter either sees the changed word or is woken.
class WaitWord {
public:
  std::atomic<uint32_t> value{0};

#if SNUG_POOL_FUTEX
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t),
                "the kernel reads the word itself");
  void wait(uint32_t expected) {
    syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr,
            0);
  }
  void wake(int waiters) {
    syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, waiters, nullptr, nullptr,
            0);
  }
#else
  void wait(uint32_t expected) {
    std::unique_lock<std::mutex> lock(mutex);
    if (value.load() == expected)
      changed.wait(lock);
  }
  void wake(int) {
    // Taking the lock orders the change of the word before any later check.
    {
      std::lock_guard<std::mutex> lock(mutex);
    }
    changed.notify_all();
  }

private:
  std::mutex mutex;
  std::condition_variable changed;
#endif
};

/// Whether every thread of the pool can have a processor of its own; if not,
/// spinning only takes time from the thread that is waited for.
bool enoughProcessors(int threads) {
#if SNUG_POOL_FUTEX
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
    return CPU_COUNT(&allowed) >= threads;
#endif
  (void)threads;
  return true;
}

} // namespace

struct ThreadPool::State {
  struct Worker {
    State *state = nullptr;
    int slot = 0;
    pthread_t thread;
  };

  int threads = 1;
  int started = 0; // workers, without the caller
  bool valid = false;
  int64_t spinNanoseconds = 0;
  Worker *workers = nullptr;
  Allocator allocator;

  // Written by the caller while the job word is closed and nobody is inside.
  Task task = nullptr;
  void *context = nullptr;
  int64_t tasks = 0;

  char padBeforeJob[kLine];
  WaitWord job;
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  char padBeforeNext[kLine];
  std::atomic<int64_t> next{0};
  char padBeforeDone[kLine];
  WaitWord callerWaits; // 1: the caller sleeps until nobody is inside
  char padAtEnd[kLine];

  /// Spins, at most for the pool's time, until `condition` holds.
  template <typename Condition> bool spinUntil(Condition condition) const {
    if (condition())
      return true;
    if (spinNanoseconds == 0)
      return false;
    const int64_t end = nowNanoseconds() + spinNanoseconds;
    do {
      for (int i = 0; i < 16; ++i) {
        pauseProcessor();
        if (condition())
          return true;
      }
    } while (nowNanoseconds() < end);
    return false;
  }

  void work(int slot) {
    const int64_t count = tasks;
    for (;;) {
      const int64_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= count)
        return;
      task(context, index, slot);
    }
  }

  void workerLoop(int slot) {
    uint32_t lastJob = 0;
    for (;;) {
      // Wait for an open job that this worker has not seen the end of.
      auto ready = [this, &lastJob] {
        const uint32_t word = job.value.load(std::memory_order_acquire);
        return stop.load() || ((word & kOpen) && jobNumber(word) != lastJob);
      };
      while (!spinUntil(ready)) {
        sleepers.fetch_add(1);
        const uint32_t word = job.value.load();
        const bool idle =
            !stop.load() && !((word & kOpen) && jobNumber(word) != lastJob);
        if (idle)
          job.wait(word);
        sleepers.fetch_sub(1);
      }
      if (stop.load())
        return;

      // Enter while the job is open; the caller waits for whoever is inside.
      uint32_t word = job.value.load(std::memory_order_relaxed);
      bool inside = false;
      while (!inside && (word & kOpen))
        inside = job.value.compare_exchange_weak(word, word + 1,
                                                 std::memory_order_acq_rel,
                                                 std::memory_order_relaxed);
      if (!inside)
        continue;
      lastJob = jobNumber(word);
      work(slot);
      const uint32_t left = job.value.fetch_sub(1) - 1;
      if ((left & (kInsideMask | kOpen)) == 0 && callerWaits.value.exchange(0))
        callerWaits.wake(1);
    }
  }

  static void *workerMain(void *argument) {
    const Worker *worker = static_cast<Worker *>(argument);
    worker->state->workerLoop(worker->slot);
    return nullptr;
  }

  bool start() {
    workers = static_cast<Worker *>(
        allocator.allocate(sizeof(Worker) * (threads - 1)));
    if (!workers)
      return false;
    for (int i = 0; i < threads - 1; ++i) {
      new (&workers[i]) Worker;
      workers[i].state = this;
      workers[i].slot = i + 1;
      if (pthread_create(&workers[i].thread, nullptr, &workerMain,
                         &workers[i]) != 0)
        return false;
      ++started;
    }
    return true;
  }

  ~State() {
    stop.store(true);
    job.value.fetch_add(kJobStep);
    job.wake(threads);
    for (int i = 0; i < started; ++i)
      pthread_join(workers[i].thread, nullptr);
    allocator.release(workers);
  }
};

ThreadPool::ThreadPool(int threads, const snug_allocator *allocator)
    : state(nullptr) {
  const Allocator memory(allocator);
  void *place = memory.allocate(sizeof(State));
  if (!place)
    return;
  state = new (place) State;
  state->allocator = memory;
  // The number inside a job must fit its bits; plans allow fewer threads.
  if (threads < 1 || threads > static_cast<int>(kInsideMask))
    return;
  state->threads = threads;
  state->spinNanoseconds = enoughProcessors(threads) ? kSpinNanoseconds : 0;
  state->valid = threads == 1 || state->start();
}

ThreadPool::~ThreadPool() {
  if (!state)
    return;
  const Allocator memory = state->allocator;
  state->~State();
  memory.release(state);
}

bool ThreadPool::valid() const { return state && state->valid; }

int ThreadPool::threads() const { return state ? state->threads : 0; }

void ThreadPool::run(int64_t tasks, Task task, void *context) {
  State &s = *state;
  if (s.threads == 1 || tasks <= 1) {
    for (int64_t i = 0; i < tasks; ++i)
      task(context, i, 0);
    return;
  }
  s.task = task;
  s.context = context;
  s.tasks = tasks;
  s.next.store(0, std::memory_order_relaxed);
  // Nobody is inside and the word is closed, so only this thread changes it.
  const uint32_t word = s.job.value.load(std::memory_order_relaxed);
  s.job.value.store((word + kJobStep) | kOpen);
  // Sequentially consistent on both sides: a worker that is not counted here
  // sees the new word before it sleeps.
  if (s.sleepers.load() > 0) {
    const int64_t helpers = tasks - 1;
    s.job.wake(helpers < s.threads ? static_cast<int>(helpers) : s.threads);
  }

  s.work(0);

  s.job.value.fetch_and(~kOpen);
  auto empty = [&s] {
    return (s.job.value.load(std::memory_order_acquire) & kInsideMask) == 0;
  };
  while (!s.spinUntil(empty)) {
    s.callerWaits.value.store(1);
    if ((s.job.value.load() & kInsideMask) != 0)
      s.callerWaits.wait(1);
  }
}

} // namespace runtime
} // namespace snug
