// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// y = x W + b on the packed panels of a 1x1 convolution.
//
// One row (batch 1) is bound by reading W once: four panels are read side by
// side, each product summed in the order of the row. More rows are the pixels
// of a 1x1 convolution.
//
// Numerics: contracted multiply-adds; the error is bounded as for convolutions
// (Convolution.cpp), K being the length of a row of x.
#include "Vector.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Panels whose streams are read side by side: one stream alone keeps too few
/// reads of memory in flight, since prefetchers stop at the end of a page.
constexpr int kStreams = 4;
/// The products of a row and `Streams` panels, each `panelFloats` long.
template <int Streams>
void rowTimesPanels(const float *input, int64_t depth, const float *weights,
                    int64_t panelFloats, Vector (*result)[2]) {
  Vector sum[Streams][2] = {};
  for (int64_t k = 0; k < depth; ++k, weights += kPanel) {
    const Vector value = splat(input[k]);
    const float *panel = weights;
    SNUG_UNROLL
    for (int s = 0; s < Streams; ++s) {
      sum[s][0] += value * load(panel);
      sum[s][1] += value * load(panel + kLanes);
      panel += panelFloats;
    }
  }
  SNUG_UNROLL
  for (int s = 0; s < Streams; ++s)
    for (int v = 0; v < 2; ++v)
      result[s][v] = sum[s][v];
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
                      activate(sum, shortActivation(epilogue)), count);
}

} // namespace

uint64_t gemm(const TensorView &input, const float *weights,
              const Epilogue &epilogue, const TensorView &output,
              ThreadPool &pool) {
  const int64_t depth = input.channels;
  const int64_t columns = output.channels;
  if (int64_t(output.batch) * output.height * output.width > 1) {
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
    return convolution(pointwiseShape(rows, results), rows, weights,
                       rowEpilogue, results, nullptr, pool);
  }

  const float *residual = epilogue.residual ? epilogue.residual->data : nullptr;
  const int64_t panels = ceilDivide(columns, kPanel);
  const int64_t panelBytes = depth * kPanel * int64_t(sizeof(float));
  constexpr int64_t kGrainBytes = 32 * 1024;
  const int64_t bundles = ceilDivide(panels, kStreams);
  parallelPieces(
      pool, bundles, maximum<int64_t>(1, kGrainBytes / (panelBytes * kStreams)),
      [&](int64_t begin, int64_t end) {
        for (int64_t first = begin * kStreams;
             first < minimum(end * kStreams, panels); first += kStreams) {
          const int64_t count = minimum<int64_t>(kStreams, panels - first);
          const int64_t panelFloats = depth * kPanel;
          Vector sums[kStreams][2];
          const float *bundle = weights + first * panelFloats;
          if (count == kStreams) {
            rowTimesPanels<kStreams>(input.data, depth, bundle, panelFloats,
                                     sums);
          } else {
            for (int64_t s = 0; s < count; ++s)
              rowTimesPanels<1>(input.data, depth, bundle + s * panelFloats,
                                panelFloats, sums + s);
          }
          for (int64_t v = 0; v < 2 * count; ++v) {
            const int64_t channel = first * kPanel + v * kLanes;
            const int64_t left = columns - channel;
            const Vector sum = sums[v / 2][v % 2];
            if (left >= kLanes)
              finish<false>(sum, epilogue, residual, channel, output.data,
                            kLanes);
            else if (left > 0)
              finish<true>(sum, epilogue, residual, channel, output.data,
                           static_cast<int>(left));
          }
          const int64_t channels =
              minimum<int64_t>(columns - first * kPanel, count * kPanel);
          activateStored(behindRegisters(epilogue),
                         output.data + first * kPanel, channels, 1, channels);
        }
      });
  return uint64_t(depth) * uint64_t(columns);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
