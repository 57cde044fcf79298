// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// y = x W + b on the packed panels of a 1x1 convolution.
//
// One row (batch 1) is bound by reading W once: each panel is one stream,
// summed in eight chains that are added in a fixed order. More rows are the
// pixels of a 1x1 convolution.
//
// Numerics: contracted multiply-adds; the error is bounded as for convolutions
// (Convolution.cpp), K being the length of a row of x.
#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Steps that are summed apart, so that the latency of a multiply-add does not
/// slow the stream down.
constexpr int kChains = 4;

void rowTimesPanel(const float *input, int64_t depth, const float *weights,
                   Vector (&result)[2]) {
  Vector sum[kChains][2] = {};
  int64_t k = 0;
  for (; k + kChains <= depth; k += kChains) {
    SNUG_UNROLL
    for (int chain = 0; chain < kChains; ++chain) {
      const Vector value = splat(input[k + chain]);
      sum[chain][0] += value * load(weights + (k + chain) * kPanel);
      sum[chain][1] += value * load(weights + (k + chain) * kPanel + kLanes);
    }
  }
  for (; k < depth; ++k) {
    const Vector value = splat(input[k]);
    sum[0][0] += value * load(weights + k * kPanel);
    sum[0][1] += value * load(weights + k * kPanel + kLanes);
  }
  for (int v = 0; v < 2; ++v)
    result[v] = (sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]);
}

/// Adds bias and residual, applies the activation and stores `count` channels.
template <bool Partial>
SNUG_INLINE void finish(Vector sum, const Epilogue &epilogue,
                        const float *residual, int64_t channel, float *output,
                        int count) {
  if (epilogue.bias)
    sum += loadBlock<Partial>(epilogue.bias + channel, count);
  if (residual)
    sum += loadBlock<Partial>(residual + channel, count);
  storeBlock<Partial>(output + channel,
                      activate(sum, epilogue.activation, epilogue.slope),
                      count);
}

} // namespace

uint64_t gemm(const TensorView &input, const float *weights,
              const Epilogue &epilogue, const TensorView &output,
              ThreadPool &pool) {
  const int64_t depth = input.channels;
  const int64_t columns = output.channels;
  if (int64_t(output.batch) * output.height * output.width > 1) {
    const WindowShape shape = {output.batch,
                               input.height,
                               input.width,
                               input.channels,
                               output.height,
                               output.width,
                               output.channels,
                               1,
                               1,
                               1,
                               1,
                               1,
                               1,
                               0,
                               0,
                               0,
                               0,
                               1};
    TensorView rows = input, results = output, residual = output;
    Epilogue rowEpilogue = epilogue;
    if (epilogue.residual) {
      residual = *epilogue.residual;
      rowEpilogue.residual = &residual;
    }
    // Rows of a matrix as the pixels of one picture.
    if (input.height == 1 && input.width == 1) {
      TensorView *const views[] = {&rows, &results, &residual};
      for (TensorView *view : views) {
        view->width = view->batch;
        view->pixelStride = view->batchStride;
        view->rowStride = view->width * view->pixelStride;
        view->batch = 1;
      }
    }
    return convolution(shape, rows, weights, rowEpilogue, results, nullptr,
                       pool);
  }

  const float *residual = epilogue.residual ? epilogue.residual->data : nullptr;
  const int64_t panels = ceilDivide(columns, kPanel);
  const int64_t panelBytes = depth * kPanel * int64_t(sizeof(float));
  constexpr int64_t kGrainBytes = 32 * 1024;
  parallelPieces(pool, panels, maximum<int64_t>(1, kGrainBytes / panelBytes),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t panel = begin; panel < end; ++panel) {
                     Vector sums[2];
                     rowTimesPanel(input.data, depth,
                                   weights + panel * depth * kPanel, sums);
                     for (int v = 0; v < 2; ++v) {
                       const int64_t channel = panel * kPanel + v * kLanes;
                       const int64_t left = columns - channel;
                       if (left >= kLanes)
                         finish<false>(sums[v], epilogue, residual, channel,
                                       output.data, kLanes);
                       else if (left > 0)
                         finish<true>(sums[v], epilogue, residual, channel,
                                      output.data, static_cast<int>(left));
                     }
                   }
                 });
  return uint64_t(depth) * uint64_t(columns);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
