// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A network as it is trained, what was measured of it, and what is predicted.
#ifndef SNUG_PREDICT_TRAINING_H
#define SNUG_PREDICT_TRAINING_H

#include "snug/Network/Result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace snug::predict {

/// A tensor of activations, float32.
struct TrainingTensor {
  std::string name;
  /// Outermost extent first, without the batch axis where there is one.
  std::vector<int64_t> shape;
  bool hasBatch = true;
  bool isInput = false;  ///< of the network
  bool isOutput = false; ///< of the network
  /// False for inputs and what is made of them before the first parameter: no
  /// gradient flows there, and no op keeps anything for it.
  bool requiresGradient = true;

  /// Elements of one image; 1 for a scalar.
  int64_t elements() const;
  /// The last two extents of an image [C, H, W] and its channels; 1 where the
  /// tensor has fewer axes ([F] has F channels).
  int64_t channels() const;
  int64_t height() const;
  int64_t width() const;
};

/// What an op does, as far as training cares.
enum class TrainingKind {
  Convolution,
  TransposedConvolution,
  BatchNormalization,
  Activation, ///< of one tensor, element by element
  Pooling,    ///< the largest of each window
  AveragePooling,
  GlobalAveragePooling,
  FullyConnected,
  Add,      ///< of two tensors, or of one and a constant; subtraction too
  Multiply, ///< likewise; division too
  Concat,
  Slice,   ///< a part of a tensor: PyTorch makes a view
  Reshape, ///< a view: flatten, squeeze, unsqueeze
  Dropout,
  Softmax,
  Resize,
  Pad,
  Other
};

/// "convolution", "batch normalization", ...
const char *toString(TrainingKind kind);

/// One op of the network. Nothing is folded: batch norms and activations are
/// ops of their own.
struct TrainingOp {
  std::string name; ///< of the ONNX node it came from
  TrainingKind kind = TrainingKind::Other;
  std::string mnemonic; ///< "conv2d", "relu", "add", ...: says which of a kind
  /// Indices into TrainingNetwork::tensors. Constants are not listed: a
  /// multiplication with a constant has one operand.
  std::vector<int> operands;
  int result = -1; ///< index into TrainingNetwork::tensors

  // Of windows: height, width; pads are top, left, bottom, right.
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 4> pads = {0, 0, 0, 0};
  int64_t groups = 1;

  /// Elements of the parameters that are trained: filters, matrices, the scale
  /// of a batch norm; and biases, the shift of a batch norm.
  int64_t weights = 0;
  int64_t biases = 0;
  /// An activation that writes over its operand, as ReLU(inplace=True): nothing
  /// else reads the operand, and its gradient follows from the result alone.
  bool inPlace = false;
  /// Multiply-accumulates of the forward pass for one image.
  int64_t macs = 0;
};

/// Ops in topological order. The batch axis is open: figures for a batch size
/// are its multiples of those for one image.
struct TrainingNetwork {
  std::string name;
  std::vector<TrainingTensor> tensors;
  std::vector<TrainingOp> ops;

  /// Elements of all parameters that are trained.
  int64_t parameters() const;
};

/// Empty, or the reason why the network is malformed: an index out of range, a
/// tensor with two producers or used before it is made, an extent that is not
/// positive, elements that overflow, no input, an op that lacks what its kind
/// has.
std::string check(const TrainingNetwork &network);

/// What is known of a device; models do without what is absent.
struct TrainingDevice {
  std::string name;
  std::optional<double> peakGflops;   ///< float32, 10^9 operations a second
  std::optional<double> bandwidthGBs; ///< of memory, 10^9 bytes a second
  /// Memory that a training step can take before the device swaps or fails.
  std::optional<double> memoryMib;
};

/// A measurement of one training step (forward, loss, backward, update).
struct TrainingSample {
  const TrainingNetwork *network = nullptr; ///< not owned
  int64_t batch = 0;
  std::optional<double> latencyMs;
  std::optional<double> memoryMib;
  double weight = 1;
};

/// A figure and the interval in which it lies in four of five cases.
struct Estimate {
  double value = 0, low = 0, high = 0;
};

/// Predicted time of one training step.
struct LatencyPrediction {
  double ms = 0;
  /// Share of each op of the network, all passes; the rest of `ms` belongs to
  /// none (launches of the loss, the update).
  std::vector<double> opMs;
  /// Times by category, which add up to `ms`.
  std::vector<std::pair<std::string, double>> parts;
};

/// What an op keeps from its forward pass for its backward pass.
struct KeptForBackward {
  int64_t bytes = 0;
  std::string what; ///< "input", "result", "indices", ...; empty: nothing
};

/// Predicted memory of one training step by category, in bytes.
struct MemoryPrediction {
  int64_t weightBytes = 0;    ///< parameters and buffers
  int64_t gradientBytes = 0;  ///< of the parameters
  int64_t optimizerBytes = 0; ///< momentum
  int64_t savedBytes = 0;     ///< activations kept for the backward pass
  int64_t workspaceBytes = 0; ///< scratch, gradients of activations, and what
                              ///< the allocator holds besides
  int64_t overheadBytes = 0;  ///< of the process before the first tensor
  /// What of all these the device cannot hold: it swaps, and is seen to take so
  /// much less.
  int64_t swappedBytes = 0;
  std::vector<KeptForBackward> kept; ///< of each op of the network

  /// The sum of all categories: says whether the step fits.
  int64_t neededBytes() const {
    return weightBytes + gradientBytes + optimizerBytes + savedBytes +
           workspaceBytes + overheadBytes;
  }
  /// As a measurement would find it.
  int64_t totalBytes() const { return neededBytes() - swappedBytes; }
  double totalMib() const {
    return static_cast<double>(totalBytes()) / (1024.0 * 1024.0);
  }
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAINING_H
