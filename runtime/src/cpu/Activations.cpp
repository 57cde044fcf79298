// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations on runs of floats: of unary kernels, and behind the kernels that
// leave one too long for their registers to values just stored.
//
// Numerics: those of VectorMath.h; the others round once per operation.
#include "Strided.h"
#include "VectorMath.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// A rectangle of floats: `rows` runs of `length`.
struct Rectangle {
  const float *from;
  int64_t fromStep;
  float *to;
  int64_t toStep;
  int64_t rows, length;
};

template <typename Function>
SNUG_INLINE void apply(const Rectangle &area, Function function) {
  for (int64_t row = 0; row < area.rows; ++row) {
    const float *from = area.from + row * area.fromStep;
    float *to = area.to + row * area.toStep;
    int64_t i = 0;
    for (; i + kLanes <= area.length; i += kLanes)
      store(to + i, function(load(from + i)));
    if (i < area.length) {
      const int left = static_cast<int>(area.length - i);
      storePartial(to + i, function(loadPartial(from + i, left)), left);
    }
  }
}

Vector hardSigmoid(Vector x, float alpha, float beta) {
  const Vector line = x * splat(alpha) + splat(beta);
  return atLeast(atMost(line, splat(1.0f)), zero());
}

/// The activation of every element. Chosen once, so that what loops is short.
void activateRectangle(const Rectangle &area, Activation activation,
                       float alpha, float beta) {
  switch (activation) {
  case Activation::None:
    return apply(area, [](Vector x) { return x; });
  case Activation::Relu:
    return apply(area, [](Vector x) { return atLeast(x, zero()); });
  case Activation::LeakyRelu:
    return apply(area, [=](Vector x) { return leakyRelu(x, alpha); });
  case Activation::Relu6:
    return apply(area, [](Vector x) { return clip(x, 0.0f, 6.0f); });
  case Activation::Clip:
    return apply(area, [=](Vector x) { return clip(x, alpha, beta); });
  case Activation::Sigmoid:
    return apply(area, [](Vector x) { return sigmoid(x); });
  case Activation::Silu:
    return apply(area, [](Vector x) { return silu(x); });
  case Activation::HardSigmoid:
    return apply(area, [=](Vector x) { return hardSigmoid(x, alpha, beta); });
  case Activation::HardSwish:
    return apply(area,
                 [](Vector x) { return x * hardSigmoid(x, 1.0f / 6, 0.5f); });
  case Activation::Tanh:
    return apply(area, [](Vector x) { return hyperbolicTangent(x); });
  case Activation::Elu:
    return apply(area, [=](Vector x) { return exponentialLinear(x, alpha); });
  case Activation::Exp:
    return apply(area, [](Vector x) { return exponential(x); });
  case Activation::Log:
    return apply(area, [](Vector x) { return logarithm(x); });
  case Activation::Sqrt:
    return apply(area, [](Vector x) { return squareRoot(x); });
  case Activation::Abs:
    return apply(area, [](Vector x) { return absolute(x); });
  case Activation::Neg:
    return apply(area, [](Vector x) { return negated(x); });
  case Activation::Reciprocal:
    return apply(area, [](Vector x) { return splat(1.0f) / x; });
  case Activation::Floor:
    return apply(area, [](Vector x) { return roundedDown(x); });
  case Activation::Ceil:
    return apply(area, [](Vector x) { return roundedUp(x); });
  case Activation::Erf:
    return apply(area, [](Vector x) { return errorFunction(x); });
  case Activation::Gelu:
    return apply(area, [](Vector x) { return gelu(x); });
  case Activation::Softplus:
    return apply(area, [](Vector x) { return softplus(x); });
  case Activation::Mish:
    return apply(area, [](Vector x) { return mish(x); });
  }
}

} // namespace

void activateStored(const Epilogue &epilogue, float *data, int64_t step,
                    int64_t rows, int64_t length) {
  if (epilogue.activation == Activation::None)
    return;
  if (step == length) {
    length *= rows;
    rows = 1;
  }
  activateRectangle({data, step, data, step, rows, length}, epilogue.activation,
                    epilogue.alpha, epilogue.beta);
}

uint64_t unary(const TensorView &input, const Epilogue &epilogue,
               const TensorView &output, ThreadPool &pool) {
  const TensorView *const views[] = {&output, &input};
  const LoopNest<2> nest = nestOf(views);
  const int64_t toStep = nest.innermost().steps[0];
  const int64_t fromStep = nest.innermost().steps[1];
  nest.forEachBlock(
      pool, kGrainElements,
      [&](const int64_t (&offsets)[2], int64_t rows, int64_t length) {
        const float *from = input.data + offsets[1];
        float *to = output.data + offsets[0];
        if (toStep == 1 && fromStep == 1) {
          activateRectangle(
              {from, nest.rowStep(1), to, nest.rowStep(0), rows, length},
              epilogue.activation, epilogue.alpha, epilogue.beta);
          return;
        }
        alignas(64) float chunk[kChunk];
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t i = 0; i < length; i += kChunk) {
            const int64_t count = minimum(kChunk, length - i);
            gatherRun(from + row * nest.rowStep(1) + i * fromStep, fromStep,
                      chunk, count);
            activateRectangle({chunk, 0, chunk, 0, 1, count},
                              epilogue.activation, epilogue.alpha,
                              epilogue.beta);
            scatterRun(chunk, to + row * nest.rowStep(0) + i * toStep, toStep,
                       count);
          }
      });
  return 0;
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
