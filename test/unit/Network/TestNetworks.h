// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks for tests: built by hand or at random, with real weights.
#ifndef SNUG_TEST_UNIT_NETWORK_TESTNETWORKS_H
#define SNUG_TEST_UNIT_NETWORK_TESTNETWORKS_H

#include "snug/Network/Network.h"

#include <random>
#include <string>
#include <vector>

namespace snug::network {

/// One axis of a window.
struct Taps {
  int64_t kernel = 1, stride = 1, dilation = 1, padLow = 0, padHigh = 0;

  AxisMap map() const {
    return AxisMap::window(kernel, stride, dilation, padLow, padHigh);
  }
};

/// What an op computes, as far as Network does not say.
struct Kernel {
  Taps height, width;
  int64_t groups = 1;
  /// Convolution: OIHW; transposed: [in][out / groups][h][w]; gemm: [in][out].
  std::vector<float> weights;
  std::vector<float> bias;                 ///< convolutions: by output channel
  int64_t inputHeight = 0, inputWidth = 0; ///< resize: of the whole input
};

/// A network and what its ops compute.
struct TestNetwork {
  Network network;
  std::vector<Kernel> kernels; ///< one per op
};

/// Adds ops one by one; every function returns the index of the new tensor.
/// Weights are drawn from a seed, so that equal calls build equal networks.
class Builder {
public:
  explicit Builder(unsigned seed = 1) : random(seed) {}

  int input(int64_t batch, int64_t channels, int64_t height, int64_t width);
  int convolution(int x, int64_t outputChannels, Taps height, Taps width,
                  int64_t groups = 1);
  int convolution(int x, int64_t outputChannels, Taps both) {
    return convolution(x, outputChannels, both, both);
  }
  int maxPool(int x, Taps height, Taps width);
  int maxPool(int x, Taps both) { return maxPool(x, both, both); }
  int averagePool(int x, Taps height, Taps width);
  int globalAveragePool(int x);
  int leakyRelu(int x);
  int add(int a, int b);
  int transposedConvolution(int x, int64_t outputChannels, Taps height,
                            Taps width, int64_t groups = 1);
  int resize(int x, AxisMap height, AxisMap width, int64_t outputHeight,
             int64_t outputWidth);
  /// x times the first pixel of `gate`, channel by channel: all of the gate is
  /// read for any part of the result.
  int gate(int x, int gate);
  /// Concat of channels; in planar order, a kernel's that counts elements.
  int concat(const std::vector<int> &parts,
             Layout layout = Layout::ChannelsLast);
  int slice(int x, Interval channels);
  int crop(int x, Interval rows, Interval columns);
  /// Elements in reverse planar order: a kernel that reads and writes it.
  int reverse(int x);
  /// Elements in planar order under other extents.
  int reshape(int x, int64_t channels, int64_t height, int64_t width);
  /// To [batch, features]: channels, height and width in this order.
  int flatten(int x);
  int gemm(int x, int64_t features);
  void output(int x) { built.network.tensors[x].isOutput = true; }
  /// Gives the last op scratch: `bytes` for every row of its output, with
  /// `onlyEven` none for outputs of an odd number of rows.
  void workspacePerRow(int64_t bytes, bool onlyEven = false);
  void setWeightBytes(int64_t bytes) {
    built.network.ops.back().packedWeightBytes = bytes;
  }

  const Network &network() const { return built.network; }
  TestNetwork build() { return built; }

private:
  Op &addOp(const std::string &kind, std::vector<Operand> operands,
            Tensor result, Kernel kernel);
  Tensor window(int x, const Taps &height, const Taps &width);
  std::vector<float> draw(int64_t count);

  TestNetwork built;
  std::mt19937 random;
};

/// YOLOv2's layers 0 to 15 (darknet's yolov2.cfg) at 608 x 608: names of
/// tensors and ops count up. With `unfolded`, batch norms and activations are
/// stand-in ops of their own. Nothing runs it here.
Network yolov2First16(bool unfolded = false);

/// What a random network may hold.
struct RandomOptions {
  int64_t maxOps = 5;
  int64_t maxExtent = 13;
  bool branches = true; ///< residual adds, several outputs
  bool barriers = true; ///< a tail that needs its whole input
};

/// A well-formed random network: windows of any stride, dilation and pads,
/// batches, channel groups, workspace.
TestNetwork randomNetwork(unsigned seed, const RandomOptions &options = {});

/// A well-formed random graph of everything: concats, slices and crops of and
/// among convolutions, transposed ones, resizes, gates, sums, kernels that work
/// in planar order, reshapes; several inputs and outputs, some used further on.
TestNetwork randomGraph(unsigned seed, int64_t maxOps = 12);

} // namespace snug::network

#endif // SNUG_TEST_UNIT_NETWORK_TESTNETWORKS_H
