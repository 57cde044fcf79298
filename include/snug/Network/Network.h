// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A network as plain structs: tensors, ops, their geometry, work and bytes.
#ifndef SNUG_NETWORK_NETWORK_H
#define SNUG_NETWORK_NETWORK_H

#include "snug/Network/Geometry.h"
#include "snug/Network/Result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace snug::network {

/// Bytes of one element: float32.
constexpr int64_t kElementBytes = 4;

/// Order of a tensor's elements in memory.
enum class Layout {
  ChannelsLast, ///< NHWC: what most kernels work on
  Planar        ///< NCHW, as ONNX counts: network inputs and outputs, tensors
                ///< that are no images
};

/// A tensor of activations, float32. An image [N, C, H, W] stands as it is;
/// other ranks are counted so that planar order is ONNX's: [N, F] has channels
/// F, height and width 1; [F] channels F; [a, b, c] batch a, channels b, width
/// c; from rank 5 on, batch, channels, height and the product of the rest.
struct Tensor {
  std::string name;
  int64_t batch = 1, channels = 1, height = 1, width = 1;
  bool isInput = false;  ///< of the network: lies in ONNX order (NCHW)
  bool isOutput = false; ///< of the network: wanted in ONNX order (NCHW)

  int64_t elements() const { return batch * channels * height * width; }
  int64_t bytes() const { return elements() * kElementBytes; }
  /// True where channels-last and ONNX order are the same sequence of bytes.
  bool ordersAgree() const { return channels == 1 || height * width == 1; }
};

/// An operand: a tensor, and what an output interval needs of it.
struct Operand {
  int tensor = -1; ///< index into Network::tensors
  AxisMap height, width;
  /// The kernel may write the result over this operand: it reads each element
  /// before it writes the one in its place, and needs it no more.
  bool inPlace = false;
  /// The order in which the kernel reads it. What is planar is read whole.
  Layout layout = Layout::ChannelsLast;
  /// Of an op that only copies: which of its channels are copied (empty: all),
  /// and where in the result's channels they go.
  Interval channels = {};
  int64_t resultChannel = 0;
};

/// Extents of one execution of an op: a whole tensor or one tile.
struct StepShape {
  int64_t batch = 1;
  int64_t inputHeight = 0, inputWidth = 0; ///< of operand 0's view
  int64_t outputHeight = 0, outputWidth = 0;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
};

/// An operation with one result.
struct Op {
  std::string name; ///< of the ONNX node it came from
  std::string kind; ///< mnemonic, e.g. "conv2d"
  std::vector<Operand> operands;
  int result = -1; ///< index into Network::tensors
  /// The order in which the kernel writes the result. What is planar is written
  /// whole.
  Layout resultLayout = Layout::ChannelsLast;
  /// The result's elements are elements of the operands: a concat of channels,
  /// a slice or crop, or (one planar operand and a planar result of as many
  /// elements) a reshape. expand() lets tensors share storage where it can and
  /// copies operand by operand elsewhere.
  bool copies = false;
  /// Multiply-accumulates for one element of the result.
  int64_t macsPerOutputElement = 0;
  /// False for operations that nothing is known of: their work counts as
  /// nothing, and no grid takes them in.
  bool costKnown = true;
  int64_t parameterBytes = 0;    ///< as in the model
  int64_t packedWeightBytes = 0; ///< as the runtime holds them, 64-byte rounded
  int weightSegments = 0;        ///< segments that these bytes take in a plan
  /// Of these, what ops before it have already: parameters that several ops
  /// use are in a plan once.
  int64_t sharedWeightBytes = 0;
  int sharedWeightSegments = 0;
  /// Kernels that one step takes in a plan, at most: of the whole op, and of
  /// one tile, which may begin and end inside a block or a border.
  int kernels = 1, tileKernels = 1;
  /// True for convolutions and poolings: a layer begins here (darknet's count).
  bool startsLayer = false;
  /// Bound on the kernel's scratch bytes for an execution; null: none.
  std::function<int64_t(const StepShape &)> workspaceBytes;
};

/// Ops in topological order, which is the order of execution.
struct Network {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Op> ops;

  /// Layers as darknet counts them: convolutions and poolings. Ops before the
  /// first one belong to layer 0, others to the layer before them.
  int64_t layerCount() const;
  /// First op of `layer`; ops.size() for layer == layerCount().
  int64_t layerBegin(int64_t layer) const;
  /// Multiply-accumulates of the untiled network.
  int64_t macs() const;
  /// What several ops share counts once.
  int64_t packedWeightBytes() const;
  int64_t weightSegments() const;
};

/// Empty, or the reason why the network is malformed: an index out of range, a
/// tensor with two producers or used before it is made, an extent that is not
/// positive or whose bytes overflow, a result that contradicts its axis maps.
std::string check(const Network &network);

} // namespace snug::network

#endif // SNUG_NETWORK_NETWORK_H
