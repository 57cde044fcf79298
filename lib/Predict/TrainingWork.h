// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one training step of a network asks of a device.
#ifndef SNUG_LIB_PREDICT_TRAININGWORK_H
#define SNUG_LIB_PREDICT_TRAININGWORK_H

#include "snug/Predict/Training.h"

#include <array>
#include <string>
#include <vector>

namespace snug::predict {

/// How the products of a layer are computed.
enum class LayerClass {
  Pointwise, ///< 1x1 convolutions and fully connected layers
  Winograd,  ///< 3x3, stride 1: Winograd's algorithm or a direct product
  Direct,    ///< other windows
  Depthwise  ///< one input channel each
};

/// An extent of a matrix product, rounded up to tiles of 32, 64 and 128.
struct TiledExtent {
  double by32 = 0, by64 = 0, by128 = 0;
};

/// A layer with products: three for one image, forward, for the gradient of
/// its input and for that of its filters. A transposed convolution counts as
/// the convolution that it turns round.
struct LayerWork {
  int op = 0;
  LayerClass kind = LayerClass::Direct;
  bool isFullyConnected = false;
  bool hasInputGradient = true;
  /// Of one group.
  double inputChannels = 0, outputChannels = 0;
  TiledExtent tiledInputs, tiledOutputs, tiledWindow; ///< window x inputs
  double groups = 1, taps = 1;
  double inputPixels = 0, outputPixels = 0; ///< of one image
  bool isStrided = false;
  double inputElements = 0, outputElements = 0; ///< of one image
  double filterElements = 0;
  /// Share by which a map grows that is cut into tiles of 2x2.
  double tileExcess = 1;
};

/// Work that grows with the batch and nothing else.
enum class PassClass { Normalization, Activation, Pooling, Elementwise };
constexpr size_t kPassClasses = 4;

/// Elements that an op reads and writes for one image, in all passes; for
/// Pooling, instructions.
struct PassWork {
  int op = 0;
  PassClass kind = PassClass::Elementwise;
  double perImage = 0;
};

struct TrainingWork {
  std::vector<LayerWork> layers;
  std::vector<PassWork> passes;
  std::array<double, kPassClasses> passTotals = {};
  double parameters = 0;
  /// What the CPU has to do before the last kernel runs, in calls of an
  /// element-by-element operator; and kernels.
  double launchUnits = 0, kernels = 0;
  /// Equal for networks that differ in channels alone.
  std::string topology;
};

TrainingWork trainingWork(const TrainingNetwork &network);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_TRAININGWORK_H
