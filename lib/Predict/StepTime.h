// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The positive physical model of a training step's time on a GPU.
#ifndef SNUG_LIB_PREDICT_STEPTIME_H
#define SNUG_LIB_PREDICT_STEPTIME_H

#include "TrainingWork.h"

#include <array>
#include <optional>
#include <vector>

namespace snug::predict {

/// What the model learns of a device. All but GrowthPerBatch are positive.
enum class Term {
  // Shares of the peak that products reach on whole tiles, forward and for the
  // gradient of the input; and for the gradient of the filters.
  PointwiseEfficiency,
  PointwiseFilterEfficiency,
  WinogradEfficiency, ///< of the products that Winograd's algorithm is left
                      ///< with
  WinogradFilterEfficiency,
  DirectEfficiency,
  DirectFilterEfficiency,
  /// Reads and writes of input and result by Winograd's transforms.
  WinogradTraffic,
  WinogradFilterTraffic,
  ReductionOverhead, ///< of a product, in steps of its reduction
  Tile32Efficiency,  ///< of tiles of 32 channels, tiles of 64 = 1
  Tile128Efficiency,
  BandwidthShare,
  LayerTraffic, ///< reads and writes of a layer, one each of its tensors = 1
  // Relative to what was counted.
  DepthwiseInstructions,
  DepthwiseFilterInstructions,
  NormalizationTraffic,
  ActivationTraffic,
  PoolingInstructions,
  ElementwiseTraffic,
  UpdateTraffic,
  LaunchMs, ///< of the CPU, of an element-by-element operator
  KernelMs, ///< of the GPU, between two kernels
  // Shares by which layers take longer below 16 images.
  SmallBatchFewChannels,
  SmallBatchManyChannels,
  SmallBatchDirect,
  Overlap,       ///< exponent of the norm that joins CPU and GPU
  GrowthPerBatch ///< of the time of an image, in the batch's logarithm
};
constexpr size_t kTerms = 27;

struct TermInfo {
  const char *name;
  double prior;
  double deviation; ///< of the logarithm; of the value for the last
};
extern const std::array<TermInfo, kTerms> kTermInfos;

/// Values of all terms.
struct Terms {
  std::array<double, kTerms> values = {};
  double operator[](Term term) const {
    return values[static_cast<size_t>(term)];
  }
};

/// From what is fitted (logarithms, but for the last) and back.
Terms termsOf(const std::vector<double> &fitted);

/// Of the device, per millisecond.
struct Peaks {
  double flops = 0, bytes = 0;
};

/// Products and traffic of a layer at a batch size, in milliseconds at the
/// device's peaks.
struct LayerVolume {
  double forward = 0, input = 0, filter = 0;
  double inputTraffic = 0, outputTraffic = 0, filterTraffic = 0;
};
LayerVolume layerVolume(const LayerWork &layer, double batch,
                        const Terms &terms, Peaks peaks);

/// Milliseconds of all three passes.
double layerMs(const LayerWork &layer, double batch, const LayerVolume &volume,
               const Terms &terms, Peaks peaks);

/// Milliseconds of the GPU for one element or instruction of each class.
std::array<double, kPassClasses> passMs(const Terms &terms, Peaks peaks);

/// Milliseconds of the step but for layers and passes.
double updateMs(const TrainingWork &work, const Terms &terms, Peaks peaks);
double kernelMs(const TrainingWork &work, const Terms &terms);
double launchMs(const TrainingWork &work, const Terms &terms);

/// GPU and CPU at work beside each other: the GPU's time grows by `factor`.
double joined(double gpuMs, double cpuMs, double batch, double factor,
              const Terms &terms);

/// Of the GPU for all layers and passes.
double gpuMs(const TrainingWork &work, double batch, const Terms &terms,
             Peaks peaks);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_STEPTIME_H
