// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise functions of two tensors, one of which may be repeated along any
// axis, then an activation.
//
// Numerics: one rounding per operation; pow is the C library's, but for
// squares. The larger or smaller of a number and not-a-number is not a number.
#include "Strided.h"
#include "VectorMath.h"

#include <math.h>

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

struct Sum {
  static SNUG_INLINE Vector of(Vector a, Vector b) { return a + b; }
};
struct PositiveSum {
  static SNUG_INLINE Vector of(Vector a, Vector b) {
    return atLeast(a + b, zero());
  }
};
struct Difference {
  static SNUG_INLINE Vector of(Vector a, Vector b) { return a - b; }
};
struct Product {
  static SNUG_INLINE Vector of(Vector a, Vector b) { return a * b; }
};
struct Quotient {
  static SNUG_INLINE Vector of(Vector a, Vector b) { return a / b; }
};
struct Larger {
  static SNUG_INLINE Vector of(Vector a, Vector b) {
    return a != a ? a : larger(a, b);
  }
};
struct Smaller {
  static SNUG_INLINE Vector of(Vector a, Vector b) {
    return a != a ? a : smaller(a, b);
  }
};
struct Power {
  static SNUG_INLINE Vector of(Vector a, Vector b) {
    for (int lane = 0; lane < kLanes; ++lane)
      a[lane] = b[lane] == 2.0f ? a[lane] * a[lane] : ::powf(a[lane], b[lane]);
    return a;
  }
};
struct ParametricRelu {
  static SNUG_INLINE Vector of(Vector a, Vector b) {
    return a < zero() ? a * b : a;
  }
};

/// `rows` runs of `length` elements; a side that repeats is one number a run.
struct Block {
  float *to;
  const float *left, *right;
  int64_t toRow, leftRow, rightRow;
  int64_t rows, length;
  bool leftRepeats, rightRepeats;
};

template <typename Function, bool LeftRepeats, bool RightRepeats>
__attribute__((noinline)) void runBlock(const Block &callersBlock) {
  // A copy, which no store can change for all the compiler knows.
  const Block block = callersBlock;
  for (int64_t row = 0; row < block.rows; ++row) {
    float *to = block.to + row * block.toRow;
    const float *left = block.left + row * block.leftRow;
    const float *right = block.right + row * block.rightRow;
    const Vector leftOnes = splat(*left), rightOnes = splat(*right);
    int64_t i = 0;
    for (; i + kLanes <= block.length; i += kLanes)
      store(to + i, Function::of(LeftRepeats ? leftOnes : load(left + i),
                                 RightRepeats ? rightOnes : load(right + i)));
    if (i < block.length) {
      const int count = static_cast<int>(block.length - i);
      storePartial(
          to + i,
          Function::of(LeftRepeats ? leftOnes : loadPartial(left + i, count),
                       RightRepeats ? rightOnes
                                    : loadPartial(right + i, count)),
          count);
    }
  }
}

using RunBlock = void (*)(const Block &);

template <typename Function>
RunBlock blockOf(bool leftRepeats, bool rightRepeats) {
  return leftRepeats    ? runBlock<Function, true, false>
         : rightRepeats ? runBlock<Function, false, true>
                        : runBlock<Function, false, false>;
}

/// At most one side repeats.
RunBlock pickBlock(BinaryKind kind, bool relu, bool leftRepeats,
                   bool rightRepeats) {
  switch (kind) {
  case BinaryKind::Add:
    return relu ? blockOf<PositiveSum>(leftRepeats, rightRepeats)
                : blockOf<Sum>(leftRepeats, rightRepeats);
  case BinaryKind::Sub:
    return blockOf<Difference>(leftRepeats, rightRepeats);
  case BinaryKind::Mul:
    return blockOf<Product>(leftRepeats, rightRepeats);
  case BinaryKind::Div:
    return blockOf<Quotient>(leftRepeats, rightRepeats);
  case BinaryKind::Max:
    return blockOf<Larger>(leftRepeats, rightRepeats);
  case BinaryKind::Min:
    return blockOf<Smaller>(leftRepeats, rightRepeats);
  case BinaryKind::Pow:
    return blockOf<Power>(leftRepeats, rightRepeats);
  case BinaryKind::PRelu:
    return blockOf<ParametricRelu>(leftRepeats, rightRepeats);
  }
  return nullptr;
}

/// Runs a block and activates what it stored while that is in the cache.
void runInPieces(const Block &block, RunBlock run, const Epilogue &behind) {
  if (behind.activation == Activation::None) {
    run(block);
    return;
  }
  const int64_t rowsAtOnce = maximum<int64_t>(1, kChunk / block.length);
  const int64_t lengthAtOnce = minimum(kChunk, block.length);
  const int64_t leftStep = block.leftRepeats ? 0 : 1;
  const int64_t rightStep = block.rightRepeats ? 0 : 1;
  for (int64_t row = 0; row < block.rows; row += rowsAtOnce)
    for (int64_t i = 0; i < block.length; i += lengthAtOnce) {
      Block piece = block;
      piece.to += row * block.toRow + i;
      piece.left += row * block.leftRow + i * leftStep;
      piece.right += row * block.rightRow + i * rightStep;
      piece.rows = minimum(rowsAtOnce, block.rows - row);
      piece.length = minimum(lengthAtOnce, block.length - i);
      run(piece);
      activateStored(behind, piece.to, piece.toRow, piece.rows, piece.length);
    }
}

} // namespace

uint64_t binary(BinaryKind kind, const TensorView &left,
                const TensorView &right, const Epilogue &epilogue,
                const TensorView &output, ThreadPool &pool) {
  const TensorView *const views[] = {&output, &left, &right};
  const LoopNest<3> nest = nestOf(views);
  const Loop<3> &inner = nest.innermost();
  const int64_t toStep = inner.steps[0];
  const int64_t leftStep = inner.steps[1], rightStep = inner.steps[2];
  // Sums with relu are frequent enough for code of their own.
  const bool relu =
      kind == BinaryKind::Add && epilogue.activation == Activation::Relu;
  Epilogue behind = epilogue;
  if (relu)
    behind.activation = Activation::None;
  // Runs that are contiguous or one number are read where they are; others by
  // way of the stack.
  const bool direct = toStep == 1 && (leftStep == 1 || rightStep == 1) &&
                      (leftStep == 0 || leftStep == 1) &&
                      (rightStep == 0 || rightStep == 1);
  const bool leftRepeats = direct && leftStep == 0;
  const bool rightRepeats = direct && rightStep == 0;
  const RunBlock run = pickBlock(kind, relu, leftRepeats, rightRepeats);
  nest.forEachBlock(
      pool, kGrainElements,
      [&](const int64_t (&offsets)[3], int64_t rows, int64_t length) {
        float *to = output.data + offsets[0];
        const float *a = left.data + offsets[1];
        const float *b = right.data + offsets[2];
        if (direct) {
          runInPieces({to, a, b, nest.rowStep(0), nest.rowStep(1),
                       nest.rowStep(2), rows, length, leftRepeats,
                       rightRepeats},
                      run, behind);
          return;
        }
        alignas(64) float leftChunk[kChunk], rightChunk[kChunk];
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t i = 0; i < length; i += kChunk) {
            const int64_t count = minimum(kChunk, length - i);
            gatherRun(a + row * nest.rowStep(1) + i * leftStep, leftStep,
                      leftChunk, count);
            gatherRun(b + row * nest.rowStep(2) + i * rightStep, rightStep,
                      rightChunk, count);
            run({leftChunk, leftChunk, rightChunk, 0, 0, 0, 1, count, false,
                 false});
            activateStored(behind, leftChunk, 0, 1, count);
            scatterRun(leftChunk, to + row * nest.rowStep(0) + i * toStep,
                       toStep, count);
          }
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
