// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small network with every kernel: its plan, and plain loops that compute it.
#ifndef SNUG_RUNTIME_CONFORMANCE_TESTNETWORK_H
#define SNUG_RUNTIME_CONFORMANCE_TESTNETWORK_H

#include "PlanBuilder.h"

#include <cstdint>
#include <vector>

namespace snug {
namespace testing {

/// Input "image" 2x3x9x7; a 3x3 convolution to 10 channels with leaky ReLU on
/// two tiles (group 0), the second by Winograd's kernel, 2x2 max pooling, a 3x3
/// depthwise convolution with ReLU, a 1x1 convolution that adds the pooled
/// tensor as a residual, an addition, a 2x2 average pooling of stride 1, an
/// activation, then a global average, a dense layer to 5 values and softmax.
/// Outputs: "features", the activation's tensor (2x10x3x2), and "scores" (2x5).
class TestNetwork {
public:
  TestNetwork();

  static constexpr int kInputCount = 2 * 3 * 9 * 7;
  static constexpr int kFeatureCount = 2 * 10 * 3 * 2;
  static constexpr int kScoreCount = 2 * 5;

  PlanImage plan(runtime::Target target, int threads) const;

  std::vector<float> input; ///< NCHW
  /// What the plan should compute from `input`, in double.
  std::vector<double> features, scores;
  /// Multiply-accumulates of all calls.
  uint64_t macs = 0;

private:
  std::vector<float> firstWeights, firstBias, depthWeights, depthBias,
      pointWeights, denseWeights, denseBias;

  void compute();
};

/// Values in [-scale, scale), the same on every machine.
std::vector<float> testValues(size_t count, uint64_t seed, float scale);

} // namespace testing
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_TESTNETWORK_H
