// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How Winograd's convolution cuts its work, and so the workspace that it needs:
// shared by the catalogue and the kernel.
//
// F(4x4, 3x3): outputs come in squares of 4 x 4, each from 6 x 6 inputs, by 36
// products a pair of channels instead of 144 (Lavin and Gray, arXiv
// 1509.09308). The workspace, in this order:
//
//   inputs   [36][tile][input channel], transformed, of a block of tiles; for
//            all threads
//   filters  [36][input channel of a slice][P], transformed, of one panel of P
//            output channels; for each thread
//   sums     [36][tile][P]; for each thread
//
// Planes are a cache line longer than their elements take: 36 planes at a
// distance of a power of two would share a few sets of the caches.
#ifndef SNUG_RUNTIME_CATALOGUE_WINOGRADLAYOUT_H
#define SNUG_RUNTIME_CATALOGUE_WINOGRADLAYOUT_H

#include "PackedLayout.h"

namespace snug {
namespace runtime {

/// Outputs of a tile along an axis, and the inputs that they are made from.
constexpr int64_t kWinogradOutputs = 4;
constexpr int64_t kWinogradInputs = 6;
constexpr int64_t kWinogradPlanes = kWinogradInputs * kWinogradInputs;

/// Extents of the workspace, in floats unless they say otherwise.
struct WinogradLayout {
  int64_t tileRows, tileColumns; ///< of an image
  int64_t tiles;                 ///< of the whole call
  int64_t blockTiles;            ///< so many at a time, at most
  int64_t pieceTiles;            ///< of a block: one thread's work, at most
  int64_t inputStep;             ///< from a tile's inputs to the next one's
  int64_t inputPlane;            ///< from plane to plane
  int64_t sliceChannels;         ///< of a slice of the input channels, at most
  int64_t filterPlane;
  int64_t sumPlane;

  int64_t inputs() const { return kWinogradPlanes * inputPlane; }
  int64_t filters() const { return kWinogradPlanes * filterPlane; }
  int64_t sums() const { return kWinogradPlanes * sumPlane; }
};

/// Of a shape that hasWinograd(), with extents of at least one.
inline WinogradLayout winogradLayout(Target target, const WindowShape &shape,
                                     int threads) {
  // Transformed inputs of a block: read once a panel, from a cache. The more
  // tiles, the less the transformation of the filters counts.
  constexpr int64_t kBlockFloats = (int64_t(1) << 20) / sizeof(float);
  constexpr int64_t kLeastBlockTiles = 24;
  // A panel's transformed filters stay in a second-level cache.
  constexpr int64_t kSliceChannels = 128;
  // Panels are threads' work; where there are too few of them, pieces of blocks
  // as well, each with a copy of the transformed filters.
  constexpr int64_t kPanelsOfThread = 4;
  constexpr int64_t kLeastPieceTiles = 14;
  constexpr int64_t kLineFloats = 16;
  const auto ceilDivide = [](int64_t a, int64_t b) {
    return a / b + (a % b != 0);
  };

  const int64_t lanes = vectorLanes(target);
  const int64_t panel = panelChannels(target);
  WinogradLayout layout;
  layout.tileRows = ceilDivide(shape.outputHeight, kWinogradOutputs);
  layout.tileColumns = ceilDivide(shape.outputWidth, kWinogradOutputs);
  // Extents may be those of a hostile plan.
  if (__builtin_mul_overflow(layout.tileRows * layout.tileColumns,
                             int64_t(shape.batch), &layout.tiles))
    layout.tiles = INT64_MAX;
  layout.inputStep = ceilDivide(shape.inputChannels, lanes) * lanes;
  const int64_t wanted = kBlockFloats / (kWinogradPlanes * layout.inputStep);
  const int64_t most = wanted > kLeastBlockTiles ? wanted : kLeastBlockTiles;
  layout.blockTiles = layout.tiles < most ? layout.tiles : most;
  layout.inputPlane = layout.blockTiles * layout.inputStep + kLineFloats;
  const int64_t slices = ceilDivide(shape.inputChannels, kSliceChannels);
  layout.sliceChannels = ceilDivide(shape.inputChannels, slices);
  layout.filterPlane = layout.sliceChannels * panel + kLineFloats;
  layout.pieceTiles = layout.blockTiles;
  const int64_t panels = ceilDivide(shape.outputChannels, panel);
  const int64_t wantedPanels = kPanelsOfThread * threads;
  if (threads > 1 && panels < wantedPanels) {
    const int64_t pieces = ceilDivide(wantedPanels, panels);
    const int64_t share = ceilDivide(layout.blockTiles, pieces);
    const int64_t piece = share > kLeastPieceTiles ? share : kLeastPieceTiles;
    if (piece < layout.pieceTiles)
      layout.pieceTiles = piece;
  }
  layout.sumPlane = layout.pieceTiles * panel + kLineFloats;
  return layout;
}

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_CATALOGUE_WINOGRADLAYOUT_H
