// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The test network's plan, and the same network in plain loops over NCHW.

#include "TestNetwork.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace snug {
namespace testing {

namespace {

/// A dense NCHW tensor in double.
struct Tensor {
  int n, c, h, w;
  std::vector<double> values;

  Tensor(int n, int c, int h, int w)
      : n(n), c(c), h(h), w(w),
        values(static_cast<size_t>(n) * c * h * w, 0.0) {}
  double &at(int b, int k, int y, int x) {
    return values[((static_cast<size_t>(b) * c + k) * h + y) * w + x];
  }
  bool inside(int y, int x) const { return y >= 0 && y < h && x >= 0 && x < w; }
};

template <typename Function> void forEach(Tensor &t, Function function) {
  for (int b = 0; b < t.n; ++b)
    for (int k = 0; k < t.c; ++k)
      for (int y = 0; y < t.h; ++y)
        for (int x = 0; x < t.w; ++x)
          function(b, k, y, x);
}

Tensor convolve(Tensor &in, int outputs, int kernel, int pad, int groups,
                const std::vector<float> &weights,
                const std::vector<float> &bias) {
  Tensor out(in.n, outputs, in.h + 2 * pad - kernel + 1,
             in.w + 2 * pad - kernel + 1);
  const int perGroup = in.c / groups;
  forEach(out, [&](int b, int k, int y, int x) {
    double sum = bias.empty() ? 0.0 : static_cast<double>(bias[k]);
    for (int i = 0; i < perGroup; ++i)
      for (int ky = 0; ky < kernel; ++ky)
        for (int kx = 0; kx < kernel; ++kx) {
          const int yy = y + ky - pad, xx = x + kx - pad;
          const size_t tap =
              ((static_cast<size_t>(k) * perGroup + i) * kernel + ky) * kernel +
              kx;
          if (in.inside(yy, xx))
            sum += in.at(b, k / (outputs / groups) * perGroup + i, yy, xx) *
                   static_cast<double>(weights[tap]);
        }
    out.at(b, k, y, x) = sum;
  });
  return out;
}

} // namespace

std::vector<float> testValues(size_t count, uint64_t seed, float scale) {
  std::vector<float> values(count);
  for (float &value : values) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    const float unit = static_cast<float>(seed >> 40) / 16777216.0f;
    value = (2.0f * unit - 1.0f) * scale;
  }
  return values;
}

TestNetwork::TestNetwork()
    : input(testValues(kInputCount, 1, 1.0f)),
      firstWeights(testValues(10 * 3 * 9, 2, 0.4f)),
      firstBias(testValues(10, 3, 0.5f)),
      depthWeights(testValues(10 * 9, 4, 0.5f)),
      depthBias(testValues(10, 5, 0.5f)),
      pointWeights(testValues(10 * 10, 6, 0.4f)),
      denseWeights(testValues(10 * 5, 7, 0.8f)),
      denseBias(testValues(5, 8, 0.5f)) {
  compute();
}

void TestNetwork::compute() {
  Tensor image(2, 3, 9, 7);
  image.values.assign(input.begin(), input.end());
  Tensor first = convolve(image, 10, 3, 1, 1, firstWeights, firstBias);
  macs += 2 * 10 * 9 * 7 * 27;
  for (double &v : first.values)
    v = v < 0 ? v * static_cast<double>(0.1f) : v;
  Tensor pooled(2, 10, 4, 3);
  forEach(pooled, [&](int b, int k, int y, int x) {
    double best = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < 4; ++i)
      best = std::max(best, first.at(b, k, 2 * y + i / 2, 2 * x + i % 2));
    pooled.at(b, k, y, x) = best;
  });
  Tensor depth = convolve(pooled, 10, 3, 1, 10, depthWeights, depthBias);
  macs += 2 * 10 * 4 * 3 * 9;
  for (double &v : depth.values)
    v = std::max(v, 0.0);
  Tensor point = convolve(depth, 10, 1, 0, 1, pointWeights, {});
  macs += 2 * 10 * 4 * 3 * 10;
  Tensor sum(2, 10, 4, 3);
  for (size_t i = 0; i < sum.values.size(); ++i)
    sum.values[i] = point.values[i] + pooled.values[i] + depth.values[i];
  Tensor average(2, 10, 3, 2);
  forEach(average, [&](int b, int k, int y, int x) {
    double total = 0;
    for (int i = 0; i < 4; ++i)
      total += sum.at(b, k, y + i / 2, x + i % 2);
    average.at(b, k, y, x) = std::min(std::max(total / 4, 0.0), 6.0);
  });
  features = average.values;
  scores.assign(kScoreCount, 0.0);
  macs += 2 * 10 * 5;
  for (int b = 0; b < 2; ++b) {
    double total = 0;
    for (int j = 0; j < 5; ++j) {
      double value = static_cast<double>(denseBias[j]);
      for (int k = 0; k < 10; ++k) {
        double mean = 0;
        for (int i = 0; i < 6; ++i)
          mean += average.at(b, k, i / 2, i % 2) / 6;
        value += mean * static_cast<double>(denseWeights[k * 5 + j]);
      }
      scores[b * 5 + j] = std::exp(value);
      total += scores[b * 5 + j];
    }
    for (int j = 0; j < 5; ++j)
      scores[b * 5 + j] /= total;
  }
}

PlanImage TestNetwork::plan(runtime::Target target, int threads) const {
  using schema::Activation;
  using schema::PoolKind;
  using schema::View;
  PlanBuilder plan(target, threads);
  const View image = plan.channelsFirst(2, 9, 7, 3);
  const View last = plan.channelsLast(2, 9, 7, 3);
  const View first = plan.channelsLast(2, 9, 7, 10);
  const View pooled = plan.channelsLast(2, 4, 3, 10);
  const View depth = plan.channelsLast(2, 4, 3, 10);
  const View point = plan.channelsLast(2, 4, 3, 10);
  const View average = plan.channelsLast(2, 3, 2, 10);
  const View featureMap = plan.channelsFirst(2, 3, 2, 10);
  const View mean = plan.channelsLast(2, 1, 1, 10);
  const View dense = plan.channelsLast(2, 1, 1, 5);
  const View score = plan.channelsLast(2, 1, 1, 5);
  plan.input("image", image);
  plan.output("features", featureMap);
  plan.output("scores", score);
  plan.program.outputs.back()->shape = {2, 5};

  plan.move("to_nhwc", image, last);
  // Rows 0 to 4 and 5 to 8 of the first layer: each tile reads the rows it
  // needs, and has padding only where the tensor ends.
  View topIn(last.offset(), 2, 6, 7, 3, last.batch_stride(), last.row_stride(),
             3, 1);
  View topOut(first.offset(), 2, 5, 7, 10, first.batch_stride(),
              first.row_stride(), 10, 1);
  View lowIn(last.offset() + 4 * 4 * static_cast<uint64_t>(last.row_stride()),
             2, 5, 7, 3, last.batch_stride(), last.row_stride(), 3, 1);
  View lowOut(first.offset() +
                  5 * 4 * static_cast<uint64_t>(first.row_stride()),
              2, 4, 7, 10, first.batch_stride(), first.row_stride(), 10, 1);
  schema::Window top(3, 3, 1, 1, 1, 1, 1, 1, 0, 1);
  schema::Window low(3, 3, 1, 1, 1, 1, 0, 1, 1, 1);
  plan.convolution("first", topIn, topOut, top, 1, firstWeights, firstBias,
                   Activation::LeakyRelu);
  plan.runByWinograd(plan.convolution("first", lowIn, lowOut, low, 1,
                                      firstWeights, firstBias,
                                      Activation::LeakyRelu));
  std::unique_ptr<schema::GroupT> group(new schema::GroupT);
  group->ops = {"first"};
  group->schedule = "2x1";
  group->arena_bytes = 4096;
  plan.program.groups.push_back(std::move(group));
  for (int tile = 0; tile < 2; ++tile) {
    plan.program.instructions[static_cast<size_t>(1 + tile)]->group = 0;
    plan.program.instructions[static_cast<size_t>(1 + tile)]->tile = tile;
  }
  plan.pool("pool", first, pooled, window(2, 2, 0), PoolKind::Max);
  plan.convolution("depth", pooled, depth, window(3, 1, 1), 10, depthWeights,
                   depthBias, Activation::Relu);
  plan.convolution("point", depth, point, window(1, 1, 0), 1, pointWeights, {},
                   Activation::None, &pooled);
  plan.binary("sum", point, depth, point, schema::BinaryKind::Add); // in place
  plan.pool("average", point, average, window(2, 1, 0), PoolKind::Average);
  plan.unary("clip", average, average, Activation::Relu6); // in place
  plan.move("to_nchw", average, featureMap);
  plan.reduce("mean", average, mean, schema::ReduceKind::Mean);
  plan.gemm("dense", mean, dense, denseWeights, denseBias);
  plan.softmax("softmax", dense, score);

  schema::PredictionT &predicted = *plan.program.predicted;
  predicted.network_macs = macs;
  predicted.executed_macs = macs;
  PlanImage image2 = plan.build();
  predicted.arena = plan.program.arena_bytes;
  predicted.activations = plan.program.arena_bytes;
  predicted.weights = plan.program.weight_bytes;
  predicted.runtime_overhead = 3 << 20;
  predicted.peak =
      predicted.arena + predicted.weights + predicted.runtime_overhead;
  image2 = plan.build();
  return image2;
}

} // namespace testing
} // namespace snug
