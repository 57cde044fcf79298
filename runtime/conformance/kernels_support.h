// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel tests share: targets, guarded buffers, random tensors.
#ifndef SNUG_RUNTIME_CONFORMANCE_KERNELS_SUPPORT_H
#define SNUG_RUNTIME_CONFORMANCE_KERNELS_SUPPORT_H

#include "Kernels.h"
#include "ThreadPool.h"
#include "snug/runtime/Catalogue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace snug {
namespace runtime {
namespace test {

/// A kernel table to be tested.
struct TestedTable {
  std::string name;
  Target target; ///< whose packed layout it reads
  const KernelTable *kernels;
};

inline void PrintTo(const TestedTable &table, std::ostream *out) {
  *out << table.name;
}

/// Every target, and the AVX-512 sources compiled for AVX2. Where the machine
/// or the build lacks one, `kernels` is null and its tests are skipped.
std::vector<TestedTable> testedTables();
std::string tableName(const ::testing::TestParamInfo<TestedTable> &info);

/// Where a buffer lies flush against an inaccessible page.
enum class Guard { AtStart, AtEnd };

/// Floats between two inaccessible pages, all not-a-number at first.
class GuardedBuffer {
public:
  GuardedBuffer(int64_t floats, Guard guard);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer &) = delete;
  GuardedBuffer &operator=(const GuardedBuffer &) = delete;

  float *data() const { return first; }
  int64_t size() const { return count; }

private:
  void *mapping;
  size_t mappedBytes;
  float *first;
  int64_t count;
};

/// splitmix64.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /// In [low, high].
  int between(int low, int high);
  bool oneIn(int n) { return between(1, n) == 1; }
  int pick(const std::vector<int> &from) {
    return from[between(0, int(from.size()) - 1)];
  }
  /// In [-1, 1).
  float value();

private:
  uint64_t state;
};

struct Extents {
  int batch, height, width, channels;
  int64_t elements() const {
    return int64_t(batch) * height * width * channels;
  }
};

/// Gaps between pixels, rows and images of a view, in floats.
struct Gaps {
  int pixel = 0, row = 0, batch = 0;
};
Gaps randomGaps(Random &random);

/// A channels-last tensor in a guarded buffer of exactly the view's range.
class Tensor {
public:
  Tensor(const Extents &extents, const Gaps &gaps, Guard guard);
  /// Row-major with channels outermost, as ONNX has it.
  static Tensor channelsFirst(const Extents &extents, Guard guard);
  /// Axes (0: batch, 1: rows, 2: pixels, 3: channels) from the outermost to the
  /// innermost, each with some floats between what it steps over.
  static Tensor ordered(const Extents &extents, const int (&order)[4], int gap,
                        Guard guard);
  static Tensor random(const Extents &extents, Random &random, Guard guard);
  Tensor(Tensor &&) = default;

  void fill(Random &random);
  float &at(int n, int y, int x, int c);
  float at(int n, int y, int x, int c) const;
  /// Elements outside the view that no longer have their initial bits.
  int64_t damaged() const;
  /// Whether both have the same bits everywhere.
  bool sameBits(const Tensor &other) const;

  TensorView view;

private:
  Tensor(const Extents &extents, int64_t batch, int64_t row, int64_t pixel,
         int64_t channel, Guard guard);
  std::unique_ptr<GuardedBuffer> buffer;
};

/// What a kernel wrote over its input is what it writes elsewhere.
void expectSameElements(const Tensor &inPlace, const Tensor &apart);

/// Packed floats in a guarded buffer of exactly their bytes.
struct Packed {
  Packed(int64_t bytes, Guard guard)
      : buffer(bytes / int64_t(sizeof(float)), guard) {}
  float *data() const { return buffer.data(); }
  GuardedBuffer buffer;
};

/// What a kernel should compute for one element, and the sum of the magnitudes
/// that it added up to get there.
struct Expected {
  double value;
  double magnitude;
};

double activate(double value, Activation activation, float alpha,
                float beta = 0.0f);
/// What an epilogue makes of a sum: the sum's error passes the activation,
/// whose slope is at most 2, and there is the activation's own.
Expected activated(const Expected &sum, const Epilogue &epilogue);
/// An activation of slope 2 at most, with parameters.
void randomActivation(Random &random, Epilogue *epilogue);

/// Compares all elements with expect(n, y, x, c); `terms` is the longest sum.
/// Tolerance: 2^-24 * (8 + 2 * sqrt(terms)) * magnitude.
template <typename Expect>
::testing::AssertionResult matches(const Tensor &actual, int64_t terms,
                                   Expect expect);

::testing::AssertionResult checkElement(double actual, const Expected &expected,
                                        int64_t terms, int n, int y, int x,
                                        int c);

template <typename Expect>
::testing::AssertionResult matches(const Tensor &actual, int64_t terms,
                                   Expect expect) {
  for (int n = 0; n < actual.view.batch; ++n)
    for (int y = 0; y < actual.view.height; ++y)
      for (int x = 0; x < actual.view.width; ++x)
        for (int c = 0; c < actual.view.channels; ++c) {
          const auto result = checkElement(
              actual.at(n, y, x, c), expect(n, y, x, c), terms, n, y, x, c);
          if (!result)
            return result;
        }
  if (int64_t damaged = actual.damaged())
    return ::testing::AssertionFailure()
           << damaged << " floats outside the output view were written";
  return ::testing::AssertionSuccess();
}

/// Thread pools of one, two and three threads.
ThreadPool &poolOf(int threads);

/// Where test number `i` lets its buffers end.
inline Guard alternate(int i) { return i % 2 ? Guard::AtStart : Guard::AtEnd; }

/// Runs a kernel with one, two and three threads on outputs that `make` makes;
/// the first is checked by the caller, the others must have its bits.
template <typename Make, typename Run>
Tensor runWithThreads(Make make, Run run) {
  Tensor output = make();
  run(output, poolOf(1));
  for (int threads = 2; threads <= 3; ++threads) {
    Tensor again = make();
    run(again, poolOf(threads));
    EXPECT_TRUE(output.sameBits(again))
        << threads << " threads give other bits";
  }
  return output;
}
template <typename Run>
Tensor runWithThreads(const Extents &extents, const Gaps &gaps, Guard guard,
                      Run run) {
  return runWithThreads([&] { return Tensor(extents, gaps, guard); }, run);
}

/// Extents of a picture of any usual kind.
Extents randomExtents(Random &random);

/// Tests that run for every table.
class KernelTest : public ::testing::TestWithParam<TestedTable> {
protected:
  void SetUp() override {
    if (!GetParam().kernels)
      GTEST_SKIP() << "this machine or build lacks " << GetParam().name;
  }
  const KernelTable &kernels() const { return *GetParam().kernels; }
  Target target() const { return GetParam().target; }
};

} // namespace test
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_KERNELS_SUPPORT_H
