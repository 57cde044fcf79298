// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise work over views of any strides: their axes merged and ordered so
// that the innermost loop is the longest run that all of them agree upon.
#ifndef SNUG_RUNTIME_SRC_CPU_STRIDED_H
#define SNUG_RUNTIME_SRC_CPU_STRIDED_H

#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Elements below which a piece of work is not worth another thread.
constexpr int64_t kGrainElements = 8 * 1024;
/// Elements that are computed at once: some arrays of them stay in the first
/// cache.
constexpr int64_t kChunk = 1024;

/// One loop over `Views` views; steps count floats, 0 where a view's one
/// element is repeated.
template <int Views> struct Loop {
  int64_t extent;
  int64_t steps[Views];
};

/// Nested loops, outermost first; view 0 decides their order.
template <int Views, int MaxLoops = 4> struct LoopNest {
  Loop<Views> loops[MaxLoops];
  int count = 0;

  /// Adds a loop inside those there are.
  void add(const Loop<Views> &loop) {
    if (loop.extent != 1)
      loops[count++] = loop;
  }
  /// Orders loops by view 0's steps and merges those that are one for all.
  void simplify() {
    const auto size = [](int64_t step) { return step < 0 ? -step : step; };
    for (int i = 1; i < count; ++i)
      for (int j = i;
           j > 0 && size(loops[j].steps[0]) > size(loops[j - 1].steps[0]);
           --j) {
        const Loop<Views> inner = loops[j];
        loops[j] = loops[j - 1];
        loops[j - 1] = inner;
      }
    int merged = 0;
    for (int i = 0; i < count; ++i) {
      bool together = merged > 0;
      for (int v = 0; v < Views && together; ++v)
        together =
            loops[merged - 1].steps[v] == loops[i].steps[v] * loops[i].extent;
      if (together) {
        loops[i].extent *= loops[merged - 1].extent;
        loops[merged - 1] = loops[i];
      } else {
        loops[merged++] = loops[i];
      }
    }
    count = merged;
    if (count == 0) {
      loops[0] = {1, {}};
      for (int v = 0; v < Views; ++v)
        loops[0].steps[v] = 1;
      count = 1;
    }
  }
  const Loop<Views> &innermost() const { return loops[count - 1]; }
  /// Runs of the innermost loop.
  int64_t runs() const {
    int64_t product = 1;
    for (int i = 0; i + 1 < count; ++i)
      product *= loops[i].extent;
    return product;
  }
  /// Steps between the runs of a block.
  int64_t rowStep(int view) const {
    return count > 1 ? loops[count - 2].steps[view] : 0;
  }

  /// Calls body(offsets, rows, length) for blocks of `rows` runs side by side,
  /// rowStep() apart, of `length` elements each, in parallel.
  template <typename Body>
  SNUG_INLINE void forEachBlock(ThreadPool &pool, int64_t grain,
                                Body body) const {
    const int64_t length = innermost().extent;
    const int64_t all = runs();
    if (all < 8) {
      // Few long runs: threads share each of them, in whole vectors.
      for (int64_t run = 0; run < all; ++run)
        parallelPieces(pool, ceilDivide(length, kLanes),
                       maximum<int64_t>(1, grain / kLanes),
                       [&](int64_t begin, int64_t end) {
                         int64_t offsets[Views];
                         locate(run, offsets);
                         for (int v = 0; v < Views; ++v)
                           offsets[v] += begin * kLanes * innermost().steps[v];
                         body(offsets, int64_t(1),
                              minimum(length, end * kLanes) - begin * kLanes);
                       });
      return;
    }
    const int64_t rows = loops[count - 2].extent;
    parallelPieces(pool, all, maximum<int64_t>(1, grain / length),
                   [&](int64_t begin, int64_t end) {
                     while (begin < end) {
                       int64_t offsets[Views];
                       locate(begin, offsets);
                       const int64_t some =
                           minimum(end - begin, rows - begin % rows);
                       body(offsets, some, length);
                       begin += some;
                     }
                   });
  }

private:
  /// Where run `index` begins in every view.
  void locate(int64_t index, int64_t (&offsets)[Views]) const {
    for (int v = 0; v < Views; ++v)
      offsets[v] = 0;
    for (int i = count - 2; i >= 0; --i) {
      const int64_t place = index % loops[i].extent;
      index /= loops[i].extent;
      for (int v = 0; v < Views; ++v)
        offsets[v] += place * loops[i].steps[v];
    }
  }
};

/// A view's four axes as loops of a nest; an extent of 1 is repeated.
template <int Views>
LoopNest<Views> nestOf(const TensorView *const (&views)[Views]) {
  const TensorView &first = *views[0];
  const int64_t extents[4] = {first.batch, first.height, first.width,
                              first.channels};
  LoopNest<Views> nest;
  for (int axis = 0; axis < 4; ++axis) {
    Loop<Views> loop;
    loop.extent = extents[axis];
    for (int v = 0; v < Views; ++v) {
      const TensorView &view = *views[v];
      const int64_t own[4] = {view.batch, view.height, view.width,
                              view.channels};
      const int64_t strides[4] = {view.batchStride, view.rowStride,
                                  view.pixelStride, view.channelStride};
      loop.steps[v] = own[axis] == 1 ? 0 : strides[axis];
    }
    nest.add(loop);
  }
  nest.simplify();
  return nest;
}

/// Copies `count` floats that are `step` apart, one after another.
SNUG_INLINE void gatherRun(const float *from, int64_t step, float *to,
                           int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = from[i * step];
}
SNUG_INLINE void scatterRun(const float *from, float *to, int64_t step,
                            int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i * step] = from[i];
}

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_STRIDED_H
