// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small fixed pool: the calling thread and `threads - 1` workers.
#ifndef SNUG_RUNTIME_SRC_CORE_THREADPOOL_H
#define SNUG_RUNTIME_SRC_CORE_THREADPOOL_H

#include <cstdint>
#include <type_traits>

struct snug_allocator;

namespace snug {
namespace runtime {

/// Workers spin for a bounded time (about 20 microseconds) between jobs, then
/// sleep on a futex (elsewhere: a condition variable). Running a job allocates
/// nothing. One job at a time, from one calling thread.
class ThreadPool {
public:
  /// `task` is called with every index in [0, tasks) once, on any thread;
  /// `thread` is in [0, threads()): the slot of per-thread workspace.
  using Task = void (*)(void *context, int64_t index, int thread);

  /// The pool's own state comes from `allocator`, which must outlive it; null:
  /// malloc and free.
  explicit ThreadPool(int threads, const snug_allocator *allocator = nullptr);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// False where a worker could not be started; run() then must not be called.
  bool valid() const;
  int threads() const;
  /// Returns when all tasks have ended. Indices are handed out dynamically.
  void run(int64_t tasks, Task task, void *context);

  /// The same for a callable `f(int64_t index, int thread)`.
  template <typename Function>
  void forEach(int64_t tasks, Function &&function) {
    using Callable = typename std::remove_reference<Function>::type;
    struct Call {
      static void invoke(void *context, int64_t index, int thread) {
        (*static_cast<Callable *>(context))(index, thread);
      }
    };
    run(tasks, &Call::invoke, &function);
  }

private:
  struct State;
  State *state;
};

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_THREADPOOL_H
