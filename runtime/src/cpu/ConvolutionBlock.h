// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The micro-kernel of convolutions and gemm: a block of pixels times a panel of
// output channels, accumulated in registers.
#ifndef SNUG_RUNTIME_SRC_CPU_CONVOLUTIONBLOCK_H
#define SNUG_RUNTIME_SRC_CPU_CONVOLUTIONBLOCK_H

#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

// Pixels of a block. Two vectors each, they leave registers for one vector of
// weights per accumulator column and one broadcast: 28 of 32 with AVX-512, 12
// of 16 with AVX2 and SSE, 16 of 32 with NEON.
#if SNUG_KERNEL_LANES == 16
constexpr int kMaxPixels = 14;
#elif SNUG_KERNEL_LANES == 8 || defined(__x86_64__) || defined(__i386__)
constexpr int kMaxPixels = 6;
#else
constexpr int kMaxPixels = 8;
#endif

/// Memory that will be read soon, fetched into the second-level cache while
/// blocks compute: a line now and then, so that a fetch never waits for others.
/// The compiler may not drop it, and a fetch never faults.
struct Ahead {
  static constexpr int64_t kLineBytes = 64;
  const char *next = nullptr, *end = nullptr;
  int64_t linesPerBlock = 0;
  int64_t toSecond = 0; ///< bytes to the other range

  /// Spreads `floats` floats from `begin` on over `blocks` blocks, and as many
  /// that lie `floatsToSecond` behind them, where that is not 0.
  void spread(const float *begin, int64_t floats, int64_t blocks,
              int64_t floatsToSecond = 0) {
    next = reinterpret_cast<const char *>(begin);
    end = reinterpret_cast<const char *>(begin + floats);
    toSecond = floatsToSecond * int64_t(sizeof(float));
    linesPerBlock = ceilDivide(end - next, blocks * kLineBytes);
  }
  SNUG_INLINE void fetchLine() {
    if (next < end) {
      __builtin_prefetch(next, /*rw=*/0, /*locality=*/2);
      if (toSecond)
        __builtin_prefetch(next + toSecond, /*rw=*/0, /*locality=*/2);
      next += kLineBytes;
    }
  }
  SNUG_INLINE void fetchLines(int64_t lines) {
    for (; lines > 0 && next < end; --lines)
      fetchLine();
  }
};

/// Lengths of runs that a block does not know when it is compiled.
constexpr int kAnyLength = 0;
constexpr int kAtBorder = -1; ///< and the first or last pixel lacks steps

/// One call of the micro-kernel. The reduction consists of `runCount` runs of
/// `length` inputs that lie one after another, as the channels under one kernel
/// row do; the pixel next to it reads the same run `pixelStep` floats later.
struct BlockCall {
  const float *const *runs; ///< first input of each run, but for `inputOffset`
  int64_t inputOffset;      ///< added to every run: the block's first pixel
  int64_t runCount;
  int64_t length;
  /// At a border, where there is one block: the first steps of every run that
  /// the first pixel leaves out, and the last ones that the last pixel does;
  /// together at most `length`.
  int64_t firstPixelLacks, lastPixelLacks;
  int64_t pixelStep;
  const float *weights;  ///< of the first run
  int64_t runWeightStep; ///< from one run's weights to the next one's
  int64_t panelStep;     ///< to the second panel, where a block spans two
  float *output;
  int64_t outputStep;    ///< between pixels
  int64_t blocks;        ///< so many blocks, side by side
  bool first;            ///< start from bias and residual, not from `output`
  bool last;             ///< apply the activation
  const float *bias;     ///< or null
  const float *residual; ///< or null
  int64_t residualStep;
  ShortActivation activation;
  Ahead *weightsAhead, *inputAhead;
};

/// Fetches a line that will be written into the first-level cache: a store that
/// misses holds up those behind it.
SNUG_INLINE void fetchForWriting(const float *line) {
#if defined(__x86_64__) && defined(__AVX2__)
  __asm__ volatile("prefetchw (%0)" : : "r"(line));
#else
  __builtin_prefetch(line, /*rw=*/1, /*locality=*/3);
#endif
}

/// Keeps the steps of a reduction apart: compilers would otherwise load the
/// next step's weights early and run out of registers. Costs no instruction.
SNUG_INLINE void separateSteps() { __asm__ volatile("" : : : "memory"); }

/// Keeps what computes `value` in the order written where that is not assembly.
SNUG_INLINE void keepOrder(Vector &value) {
#if SNUG_KERNEL_LANES == 4 && defined(__SSE__)
  __asm__ volatile("" : "+x"(value));
#elif SNUG_KERNEL_LANES == 4 && defined(__aarch64__)
  __asm__ volatile("" : "+w"(value));
#else
  (void)value;
#endif
}

/// base[Pixels * pixelStep + Offset] in all lanes, Pixels < 3. This and
/// multiplyAdd() are volatile where they are assembly: they stay in the order
/// written, which needs one register for inputs. GCC on its own reads inputs
/// early, lets sums wander through the weights' registers, and spills one of
/// them in the inner loop. The address is written out since compilers compute
/// it with instructions of its own, which a processor that can take four a
/// cycle has no room for.
template <int Pixels, int Offset>
SNUG_INLINE Vector broadcast(const float *base, int64_t pixelStep) {
#if SNUG_KERNEL_LANES == 16 && defined(__AVX512F__)
#define SNUG_VECTOR_REGISTER "=v"
#elif SNUG_KERNEL_LANES == 8 && defined(__FMA__)
#define SNUG_VECTOR_REGISTER "=x"
#endif
#if defined(SNUG_VECTOR_REGISTER) && defined(__x86_64__)
  constexpr int kFloat = sizeof(float);
  Vector value;
  if (Pixels == 0)
    __asm__ volatile("vbroadcastss %c2(%1), %0"
                     : SNUG_VECTOR_REGISTER(value)
                     : "r"(base), "i"(Offset * kFloat));
  else
    __asm__ volatile("vbroadcastss %c3(%1,%2,%c4), %0"
                     : SNUG_VECTOR_REGISTER(value)
                     : "r"(base), "r"(pixelStep), "i"(Offset * kFloat),
                       "i"(Pixels == 0 ? kFloat : Pixels * kFloat));
  return value;
#else
  Vector value = splat(base[Pixels * pixelStep + Offset]);
  keepOrder(value);
  return value;
#endif
#undef SNUG_VECTOR_REGISTER
}

/// sum += a * b, the sum staying in its register.
SNUG_INLINE void multiplyAdd(Vector &sum, Vector a, Vector b) {
#if defined(__AVX512F__) && SNUG_KERNEL_LANES == 16
  __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#elif defined(__FMA__) && SNUG_KERNEL_LANES == 8
  __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
  sum += a * b;
  keepOrder(sum);
#endif
}

/// The products of pixels [Pixel, Last) with one vector row of weights.
template <int Pixel, int Last, int Offset, int Pixels, int Vectors>
struct ProductsOfPixels {
  static SNUG_INLINE void add(Vector (&sum)[Pixels][Vectors],
                              const float *const (&input)[(Pixels + 2) / 3],
                              int64_t pixelStep,
                              const Vector (&weight)[Vectors]) {
    const Vector value =
        broadcast<Pixel % 3, Offset>(input[Pixel / 3], pixelStep);
    SNUG_UNROLL
    for (int v = 0; v < Vectors; ++v)
      multiplyAdd(sum[Pixel][v], value, weight[v]);
    ProductsOfPixels<Pixel + 1, Last, Offset, Pixels, Vectors>::add(
        sum, input, pixelStep, weight);
  }
};
template <int Last, int Offset, int Pixels, int Vectors>
struct ProductsOfPixels<Last, Last, Offset, Pixels, Vectors> {
  static SNUG_INLINE void add(Vector (&)[Pixels][Vectors],
                              const float *const (&)[(Pixels + 2) / 3], int64_t,
                              const Vector (&)[Vectors]) {}
};

/// Adds steps [Step, End) of the reduction to pixels [First, Last): one input
/// of every pixel times one vector row of weights. Every third pixel has a base
/// pointer; the two after it are reached by addressing modes.
template <int Step, int End, int First, int Last, int Pixels, int Vectors>
struct Steps {
  static SNUG_INLINE void add(Vector (&sum)[Pixels][Vectors],
                              const float *const (&input)[(Pixels + 2) / 3],
                              int64_t pixelStep, const float *weights,
                              const float *secondWeights) {
    separateSteps();
    if (Pixels < Vectors) {
      // Few pixels: their inputs stay, the weights pass through one register.
      Vector value[3] = {};
      if (First <= 0 && 0 < Last)
        value[0] = broadcast<0, Step>(input[0], pixelStep);
      if (First <= 1 && 1 < Last)
        value[1] = broadcast<1, Step>(input[0], pixelStep);
      if (First <= 2 && 2 < Last)
        value[2] = broadcast<2, Step>(input[0], pixelStep);
      SNUG_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        const float *from =
            v < 2 ? weights + v * kLanes : secondWeights + (v - 2) * kLanes;
        const Vector weight = load(from + Step * kPanel);
        SNUG_UNROLL
        for (int p = First; p < Last; ++p)
          multiplyAdd(sum[p][v], value[p % 3], weight);
      }
    } else {
      Vector weight[Vectors];
      SNUG_UNROLL
      for (int v = 0; v < Vectors; ++v)
        weight[v] = load(
            (v < 2 ? weights + v * kLanes : secondWeights + (v - 2) * kLanes) +
            Step * kPanel);
      ProductsOfPixels<First, Last, Step, Pixels, Vectors>::add(
          sum, input, pixelStep, weight);
    }
    Steps<Step + 1, End, First, Last, Pixels, Vectors>::add(
        sum, input, pixelStep, weights, secondWeights);
  }
};
template <int End, int First, int Last, int Pixels, int Vectors>
struct Steps<End, End, First, Last, Pixels, Vectors> {
  static SNUG_INLINE void add(Vector (&)[Pixels][Vectors],
                              const float *const (&)[(Pixels + 2) / 3], int64_t,
                              const float *, const float *) {}
};

/// Calls f(pixel, vector) for every accumulator, unrolled.
template <int Pixels, int Vectors, typename Function>
SNUG_INLINE void forEachSum(Function f) {
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p) {
    SNUG_UNROLL
    for (int v = 0; v < Vectors; ++v)
      f(p, v);
  }
}

/// Calls f(pixel, vector, pointer) for every accumulator with where it lies in
/// a tensor whose pixels are `step` floats apart. Each pixel's pointer is made
/// from the one before it when it is needed: compilers would keep all of them
/// on the stack.
template <int Pixels, int Vectors, typename Pointer, typename Function>
SNUG_INLINE void forEachPlace(Pointer at, int64_t step, Function f) {
  SNUG_UNROLL
  for (int p = 0; p < Pixels; ++p) {
    at = hideOrigin(at);
    SNUG_UNROLL
    for (int v = 0; v < Vectors; ++v)
      f(p, v, at + v * kLanes);
    at += step;
  }
}

/// Steps of the reduction that are unrolled; between them memory is fetched.
constexpr int64_t kStepsPerTurn = 4;

/// What a block fetches while it computes, a little in each turn: weights and
/// input that come later, and the outputs that it will store itself, unless it
/// has read them.
template <int Pixels, int Vectors> class BlockFetches {
public:
  SNUG_INLINE BlockFetches(const BlockCall &call, int64_t turns,
                           const float *output)
      : weights(*call.weightsAhead), input(*call.inputAhead), output(output),
        outputStep(call.outputStep), pixels(call.first ? Pixels : 0) {
    const int64_t lines = maximum(weights.linesPerBlock, input.linesPerBlock);
    linesPerTurn = lines > turns ? 2 : 1;
    // What the turns cannot take is fetched at once.
    weights.fetchLines(weights.linesPerBlock - linesPerTurn * turns);
    input.fetchLines(input.linesPerBlock - linesPerTurn * turns);
    left = maximum(pixels, lines);
  }
  SNUG_INLINE void turn() {
    if (left <= 0)
      return;
    left -= linesPerTurn;
    for (int64_t line = linesPerTurn; line > 0; --line) {
      weights.fetchLine();
      input.fetchLine();
      nextPixels(1);
    }
  }
  SNUG_INLINE void nextPixels(int64_t count) {
    constexpr int kVectorsInLine = Ahead::kLineBytes / sizeof(Vector);
    for (; pixels > 0 && count > 0; --pixels, --count) {
      SNUG_UNROLL
      for (int v = 0; v < Vectors; v += kVectorsInLine)
        fetchForWriting(output + v * kLanes);
      output += outputStep;
    }
  }

private:
  Ahead &weights, &input;
  const float *output;
  int64_t outputStep;
  int64_t pixels; ///< whose outputs are to be fetched
  int64_t linesPerTurn;
  int64_t left; ///< lines to be fetched in turns
};

/// Adds `steps` steps of a run to pixels [First, Last), `Unrolled` at a time,
/// and moves all pointers behind them.
template <int Unrolled, int First, int Last, int Pixels, int Vectors>
SNUG_INLINE void addSteps(int64_t steps, Vector (&sum)[Pixels][Vectors],
                          const float *(&input)[(Pixels + 2) / 3],
                          int64_t pixelStep, const float *&weights,
                          const float *&second,
                          BlockFetches<Pixels, Vectors> &fetches) {
  for (; steps >= Unrolled; steps -= Unrolled) {
    if (Unrolled == kStepsPerTurn)
      fetches.turn();
    Steps<0, Unrolled, First, Last, Pixels, Vectors>::add(sum, input, pixelStep,
                                                          weights, second);
    SNUG_UNROLL
    for (int base = 0; base < (Pixels + 2) / 3; ++base)
      input[base] += Unrolled;
    weights += Unrolled * kPanel;
    second += Unrolled * kPanel;
  }
}

/// `Pixels` output pixels by `Vectors` vectors of output channels (four: two
/// panels). `Length` is the run's length where it is known, else kAnyLength, or
/// kAtBorder where the first or the last pixel lacks steps.
template <int Pixels, int Vectors, int Length>
__attribute__((noinline)) void block(const BlockCall &call) {
  constexpr int kBases = (Pixels + 2) / 3;
  const int64_t pixelStep = call.pixelStep;
  // Copies, since stores of floats might change `call` for all the compiler
  // knows.
  const int64_t outputStep = call.outputStep;
  const int64_t residualStep = call.residualStep;
  const ShortActivation activation = call.activation;
  const bool first = call.first, last = call.last;
  float *output = call.output;
  const float *residual = call.residual;
  int64_t inputOffset = call.inputOffset;
  for (int64_t blocks = call.blocks; blocks > 0; --blocks) {
    BlockFetches<Pixels, Vectors> fetches(
        call, Length ? 0 : call.runCount * (call.length / kStepsPerTurn),
        output);
    Vector sum[Pixels][Vectors];
    if (first) {
      Vector bias[Vectors];
      SNUG_UNROLL
      for (int v = 0; v < Vectors; ++v)
        bias[v] = call.bias ? load(call.bias + v * kLanes) : zero();
      forEachSum<Pixels, Vectors>(
          [&](int p, int v) SNUG_INLINE_LAMBDA { sum[p][v] = bias[v]; });
      // Before anything is stored: the output may lie on the residual.
      if (residual)
        forEachPlace<Pixels, Vectors>(
            residual, residualStep,
            [&](int p, int v, const float *at)
                SNUG_INLINE_LAMBDA { sum[p][v] += load(at); });
    } else {
      forEachPlace<Pixels, Vectors>(
          output, outputStep,
          [&](int p, int v, const float *at)
              SNUG_INLINE_LAMBDA { sum[p][v] = load(at); });
    }

    const int64_t runCount = call.runCount;
    for (int64_t run = 0; run < runCount; ++run) {
      const float *input[kBases];
      input[0] = hideOrigin(call.runs[run] + inputOffset);
      SNUG_UNROLL
      for (int base = 1; base < kBases; ++base)
        input[base] = hideOrigin(input[base - 1] + 3 * pixelStep);
      const float *weights = call.weights + run * call.runWeightStep;
      const float *second = Vectors > 2 ? weights + call.panelStep : weights;
      if (Length > 0) {
        fetches.nextPixels((Pixels + 2) / 3);
        Steps<0, (Length > 0 ? Length : 0), 0, Pixels, Pixels, Vectors>::add(
            sum, input, pixelStep, weights, second);
        continue;
      }
      if (Length == kAnyLength) {
        const int64_t rest = call.length % kStepsPerTurn;
        addSteps<kStepsPerTurn, 0, Pixels>(call.length - rest, sum, input,
                                           pixelStep, weights, second, fetches);
        addSteps<1, 0, Pixels>(rest, sum, input, pixelStep, weights, second,
                               fetches);
        continue;
      }
      // There are few blocks at borders: no code for several steps at once.
      addSteps<1, 1, Pixels>(call.firstPixelLacks, sum, input, pixelStep,
                             weights, second, fetches);
      addSteps<1, 0, Pixels>(call.length - call.firstPixelLacks -
                                 call.lastPixelLacks,
                             sum, input, pixelStep, weights, second, fetches);
      addSteps<1, 0, Pixels - 1>(call.lastPixelLacks, sum, input, pixelStep,
                                 weights, second, fetches);
    }

    if (last) {
      // The activation is chosen once for the block, not once for every vector.
      if (activation.activation == Activation::LeakyRelu) {
        forEachSum<Pixels, Vectors>([&](int p, int v) SNUG_INLINE_LAMBDA {
          sum[p][v] = gentleLeakyRelu(sum[p][v], activation.alpha);
        });
      } else if (activation.activation == Activation::Relu) {
        forEachSum<Pixels, Vectors>([&](int p, int v) SNUG_INLINE_LAMBDA {
          sum[p][v] = atLeast(sum[p][v], zero());
        });
      } else if (activation.activation == Activation::Clip) {
        forEachSum<Pixels, Vectors>([&](int p, int v) SNUG_INLINE_LAMBDA {
          sum[p][v] = clip(sum[p][v], activation.alpha, activation.beta);
        });
      }
    }
    forEachPlace<Pixels, Vectors>(
        output, outputStep, [&](int p, int v, float *at) SNUG_INLINE_LAMBDA {
          store(at, sum[p][v]);
        });
    inputOffset += Pixels * pixelStep;
    output += Pixels * outputStep;
    if (residual)
      residual += Pixels * residualStep;
  }
}

/// Calls the block of `pixels` pixels, 1 <= pixels <= Pixels.
template <int Vectors, int Length, int Pixels = kMaxPixels>
struct BlockOfPixels {
  static void run(int64_t pixels, const BlockCall &call) {
    if (pixels == Pixels)
      block<Pixels, Vectors, Length>(call);
    else
      BlockOfPixels<Vectors, Length, Pixels - 1>::run(pixels, call);
  }
};
template <int Vectors, int Length> struct BlockOfPixels<Vectors, Length, 0> {
  static void run(int64_t, const BlockCall &) {}
};

} // namespace
} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CPU_CONVOLUTIONBLOCK_H
