// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The positive physical model of a training step's time on a GPU.
//
// Priors come from what is known of the kernels, not from measurements of
// networks: products of single precision reach 60 to 80 % of the peak on
// Maxwell and Pascal; Winograd's F(4x4, 3x3) (Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks, CVPR 2016) leaves a quarter of the
// products, and its transforms write and read maps of 36/16 of the size, which
// with their first read or last write makes 5.5 passes over input and result,
// one of which every layer makes; element-by-element kernels reach about half
// of a shared memory's bandwidth.
#include "StepTime.h"

#include <algorithm>
#include <cmath>

namespace snug::predict {

const std::array<TermInfo, kTerms> kTermInfos = {{
    {"pointwise_efficiency", 0.75, 0.25},
    {"pointwise_filter_efficiency", 0.7, 0.25},
    {"winograd_efficiency", 0.75, 0.25},
    {"winograd_filter_efficiency", 0.65, 0.25},
    {"direct_efficiency", 0.7, 0.25},
    {"direct_filter_efficiency", 0.6, 0.25},
    {"winograd_traffic", 4.5, 0.4},
    {"winograd_filter_traffic", 4.5, 0.4},
    {"reduction_overhead", 40, 0.7},
    {"tile32_efficiency", 0.75, 0.2},
    {"tile128_efficiency", 1.2, 0.2},
    {"bandwidth_share", 0.5, 0.2},
    {"layer_traffic", 1.3, 0.4},
    {"depthwise_instructions", 1, 0.3},
    {"depthwise_filter_instructions", 1, 0.4},
    {"normalization_traffic", 1, 0.3},
    {"activation_traffic", 1, 0.3},
    {"pooling_instructions", 2, 0.3},
    {"elementwise_traffic", 1, 0.3},
    {"update_traffic", 1, 0.4},
    {"launch_ms", 0.06, 1},
    {"kernel_ms", 0.012, 0.6},
    {"small_batch_few_channels", 0.7, 0.7},
    {"small_batch_many_channels", 0.3, 0.7},
    {"small_batch_direct", 0.2, 0.7},
    {"overlap", 6, 0.2},
    {"growth_per_batch", 0.01, 0.03},
}};

/// Winograd's F(4x4, 3x3) multiplies 36 times where 144 would be needed.
constexpr double kWinogradGain = 4;
/// Pixels are computed in tiles of so many; rows of a matrix product in fewer.
constexpr double kPixelTile = 64, kRowTile = 32;
/// Sums over pixels are split between blocks, each with its own overhead;
/// those over the rows of a matrix product are short.
constexpr double kFilterSplits = 4;
/// cuDNN chooses other algorithms below this batch.
constexpr double kSmallBatch = 16;
constexpr double kFewChannels = 64;
constexpr double kElementSize = 4; // bytes of a float32
// Instructions of PyTorch's own depthwise kernels: an output finds its position
// by divisions and visits its window; each tap of a filter visits all outputs.
constexpr double kDepthwiseInstructions = 100, kDepthwiseTapInstructions = 12,
                 kDepthwiseFilterInstructions = 90;
/// Reads and writes for each parameter by zeroing, decay, momentum and step.
constexpr double kUpdatePasses = 12;
/// GrowthPerBatch counts from here.
constexpr double kReferenceBatch = 32;

Terms termsOf(const std::vector<double> &fitted) {
  Terms terms;
  for (size_t i = 0; i < kTerms; ++i)
    terms.values[i] = i + 1 < kTerms ? std::exp(fitted[i]) : fitted[i];
  return terms;
}

static double tiledExtent(const TiledExtent &extent, const Terms &terms) {
  return std::min({extent.by64, extent.by32 / terms[Term::Tile32Efficiency],
                   extent.by128 / terms[Term::Tile128Efficiency]});
}

LayerVolume layerVolume(const LayerWork &layer, double batch,
                        const Terms &terms, Peaks peaks) {
  const double tile = layer.isFullyConnected ? kRowTile : kPixelTile;
  auto pixels = [&](double count) {
    return std::ceil(batch * count / tile) * tile;
  };
  const double overhead = terms[Term::ReductionOverhead];
  const double outputPixels = pixels(layer.outputPixels);
  const double inputPixels =
      layer.isStrided ? outputPixels : pixels(layer.inputPixels);
  const double perProduct = 2 * layer.groups / peaks.flops;
  const double outputs = tiledExtent(layer.tiledOutputs, terms);
  const double splits = layer.isFullyConnected ? 1 : kFilterSplits;
  LayerVolume volume;
  volume.forward = perProduct * outputPixels * outputs *
                   (layer.inputChannels * layer.taps + overhead);
  if (layer.hasInputGradient)
    volume.input = perProduct * inputPixels *
                   tiledExtent(layer.tiledInputs, terms) *
                   (layer.outputChannels * layer.taps + overhead);
  volume.filter = perProduct * outputs * tiledExtent(layer.tiledWindow, terms) *
                  (batch * layer.outputPixels + splits * overhead);
  volume.inputTraffic =
      batch * layer.inputElements * kElementSize / peaks.bytes;
  volume.outputTraffic =
      batch * layer.outputElements * kElementSize / peaks.bytes;
  volume.filterTraffic = layer.filterElements * kElementSize / peaks.bytes;
  return volume;
}

static double depthwiseMs(const LayerWork &layer, double batch,
                          const Terms &terms, Peaks peaks) {
  // A lane issues one instruction where it could multiply and add.
  const double instructions = peaks.flops / 2;
  const double visits =
      (layer.inputElements + layer.outputElements) *
      (kDepthwiseInstructions + kDepthwiseTapInstructions * layer.taps);
  const double filterVisits =
      layer.outputElements * layer.taps * kDepthwiseFilterInstructions;
  return batch / instructions *
         (terms[Term::DepthwiseInstructions] * visits +
          terms[Term::DepthwiseFilterInstructions] * filterVisits);
}

double layerMs(const LayerWork &layer, double batch, const LayerVolume &volume,
               const Terms &terms, Peaks peaks) {
  if (layer.kind == LayerClass::Depthwise)
    return depthwiseMs(layer, batch, terms, peaks);
  const bool isPointwise = layer.kind == LayerClass::Pointwise;
  const double efficiency =
      terms[isPointwise ? Term::PointwiseEfficiency : Term::DirectEfficiency];
  const double filterEfficiency =
      terms[isPointwise ? Term::PointwiseFilterEfficiency
                        : Term::DirectFilterEfficiency];
  const double perTraffic = 1 / terms[Term::BandwidthShare];
  const double maps = volume.inputTraffic + volume.outputTraffic;
  // Windows read their input more than once; matrix products do not.
  const double traffic =
      (layer.isFullyConnected ? 1 : terms[Term::LayerTraffic]) * perTraffic *
      (maps + volume.filterTraffic);
  const double passes = layer.hasInputGradient ? 3 : 2;
  double forward = volume.forward / efficiency;
  double input = volume.input / efficiency;
  double filter = volume.filter / filterEfficiency;
  double slower = 0;
  if (layer.kind == LayerClass::Winograd) {
    const double share = layer.tileExcess / kWinogradGain;
    const double moved = maps * perTraffic * terms[Term::WinogradTraffic];
    const double gain = share / terms[Term::WinogradEfficiency];
    forward = std::min(forward, volume.forward * gain + moved);
    if (layer.hasInputGradient)
      input = std::min(input, volume.input * gain + moved);
    filter = std::min(
        filter, volume.filter * share / terms[Term::WinogradFilterEfficiency] +
                    maps * perTraffic * terms[Term::WinogradFilterTraffic]);
    slower = terms[layer.inputChannels < kFewChannels
                       ? Term::SmallBatchFewChannels
                       : Term::SmallBatchManyChannels];
  } else if (layer.kind == LayerClass::Direct) {
    slower = terms[Term::SmallBatchDirect];
  }
  return (forward + input + filter + passes * traffic) *
         (batch < kSmallBatch ? 1 + slower : 1);
}

std::array<double, kPassClasses> passMs(const Terms &terms, Peaks peaks) {
  const double perElement =
      kElementSize / (peaks.bytes * terms[Term::BandwidthShare]);
  return {perElement * terms[Term::NormalizationTraffic],
          perElement * terms[Term::ActivationTraffic],
          terms[Term::PoolingInstructions] * 2 / peaks.flops,
          perElement * terms[Term::ElementwiseTraffic]};
}

double updateMs(const TrainingWork &work, const Terms &terms, Peaks peaks) {
  return terms[Term::UpdateTraffic] * kUpdatePasses * work.parameters *
         kElementSize / (peaks.bytes * terms[Term::BandwidthShare]);
}

double kernelMs(const TrainingWork &work, const Terms &terms) {
  return terms[Term::KernelMs] * work.kernels;
}

double launchMs(const TrainingWork &work, const Terms &terms) {
  return terms[Term::LaunchMs] * work.launchUnits;
}

double joined(double gpuMs, double cpuMs, double batch, double factor,
              const Terms &terms) {
  const double gpu =
      gpuMs * factor *
      std::pow(batch / kReferenceBatch, terms[Term::GrowthPerBatch]);
  const double exponent = terms[Term::Overlap];
  const double most = std::max(gpu, cpuMs);
  return most * std::pow(std::pow(gpu / most, exponent) +
                             std::pow(cpuMs / most, exponent),
                         1 / exponent);
}

double gpuMs(const TrainingWork &work, double batch, const Terms &terms,
             Peaks peaks) {
  double ms = updateMs(work, terms, peaks) + kernelMs(work, terms);
  const auto perPass = passMs(terms, peaks);
  for (size_t i = 0; i < kPassClasses; ++i)
    ms += batch * perPass[i] * work.passTotals[i];
  for (const LayerWork &layer : work.layers)
    ms += layerMs(layer, batch, layerVolume(layer, batch, terms, peaks), terms,
                  peaks);
  return ms;
}

} // namespace snug::predict
