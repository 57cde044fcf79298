// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Winograd's convolution F(4x4, 3x3), channels last, from the weights of the
// direct one.
//
// A tile of 4 x 4 outputs is made from 6 x 6 inputs by three steps (Lavin and
// Gray, arXiv 1509.09308, section 4.3): the inputs d and the filter g are
// evaluated at six points along each axis, B^T d B and G g G^T; their products
// are summed over the input channels, one matrix product for each of the 36
// pairs of points; and 4 x 4 outputs are interpolated from them, A^T m A. The
// micro-kernel of direct convolutions computes the products. Filters are
// transformed a panel at a time, for each block of tiles again, so that there
// is no transformed copy of all weights.
//
// Numerics: float32, contracted multiply-adds. The points are 0, 5/8, -5/8,
// 3/2, -3/2 and infinity: with 0, 1, -1, 2, -2 errors are twice as large
// (Barabasz et al., arXiv 1803.10986, weigh such choices). Against a double
// reference the error of an output is below 2^-24 * (8 + 2 * sqrt(K)), K being
// its products, bias and residual, times the sum over the input channels of the
// largest magnitude among the tile's inputs times those of the channel's taps.
// An infinite or undefined input spoils all outputs of the tiles that read it.
// Results depend on where a call's tiles begin, never on threads.
#include "../../catalogue/WinogradLayout.h"
#include "ConvolutionBlock.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

constexpr int kOutputs = kWinogradOutputs;
constexpr int kInputs = kWinogradInputs;
constexpr int kPlanes = kWinogradPlanes;
constexpr int kTaps = 3;

/// The points are 0, +-a, +-b and infinity.
constexpr float kA = 0.625f, kB = 1.5f;
constexpr float kAA = kA * kA, kBB = kB * kB;
/// What interpolation divides by at 0, +-a and +-b, inverted: the products of a
/// point's distances from the other finite ones.
constexpr float kAtZero = 1.0f / (kAA * kBB);
constexpr float kAtA = 1.0f / (2.0f * kAA * (kAA - kBB));
constexpr float kAtB = 1.0f / (2.0f * kBB * (kBB - kAA));

/// B^T d along one axis: six inputs become their values at the points.
SNUG_INLINE void transformInputs(const Vector (&d)[kInputs],
                                 Vector (&out)[kInputs]) {
  const Vector evenA = d[4] - kBB * d[2], oddA = d[3] - kBB * d[1];
  const Vector evenB = d[4] - kAA * d[2], oddB = d[3] - kAA * d[1];
  out[0] = kAA * kBB * d[0] + (d[4] - (kAA + kBB) * d[2]);
  out[1] = evenA + kA * oddA;
  out[2] = evenA - kA * oddA;
  out[3] = evenB + kB * oddB;
  out[4] = evenB - kB * oddB;
  out[5] = kAA * kBB * d[1] + (d[5] - (kAA + kBB) * d[3]);
}

/// G g along one axis: three taps become the values of their polynomial at the
/// points.
SNUG_INLINE void transformFilter(const Vector (&g)[kTaps],
                                 Vector (&out)[kInputs]) {
  const Vector evenA = g[0] + kAA * g[2];
  const Vector evenB = g[0] + kBB * g[2];
  out[0] = g[0];
  out[1] = evenA + kA * g[1];
  out[2] = evenA - kA * g[1];
  out[3] = evenB + kB * g[1];
  out[4] = evenB - kB * g[1];
  out[5] = g[2];
}

/// A^T m along one axis: six products become four outputs.
SNUG_INLINE void transformSums(const Vector (&m)[kInputs],
                               Vector (&out)[kOutputs]) {
  const Vector evenA = m[1] + m[2], oddA = m[1] - m[2];
  const Vector evenB = m[3] + m[4], oddB = m[3] - m[4];
  out[0] = kAtZero * m[0] + (kAtA * evenA + kAtB * evenB);
  out[1] = kAtA * kA * oddA + kAtB * kB * oddB;
  out[2] = kAtA * kAA * evenA + kAtB * kBB * evenB;
  out[3] = kAtA * kA * kAA * oddA + (kAtB * kB * kBB * oddB + m[5]);
}

/// One call, cut up.
class Convolution {
public:
  Convolution(const WindowShape &shape, const TensorView &input,
              const float *weights, const Epilogue &epilogue,
              const TensorView &output, void *workspace, int threads)
      : shape(shape), input(input), output(output), weights(weights),
        epilogue(epilogue), activation(shortActivation(epilogue)),
        layout(winogradLayout(Target::SNUG_KERNEL_TARGET, shape, threads)),
        inputs(static_cast<float *>(workspace)),
        threadScratch(inputs + layout.inputs()) {}

  void run(ThreadPool &pool) const;

private:
  /// Where a tile's outputs begin.
  struct Place {
    int64_t image, y, x;
  };
  Place place(int64_t tile) const {
    const int64_t row = tile / layout.tileColumns;
    return {row / layout.tileRows, row % layout.tileRows * kOutputs,
            tile % layout.tileColumns * kOutputs};
  }
  /// Transforms the inputs of tile `tile`, the block's `index`-th.
  void transformTile(int64_t tile, int64_t index) const;
  template <bool Inside, bool Partial>
  void transformChannels(const Place &at, int64_t channel, int count,
                         float *to) const;
  /// Lets `ahead` fetch a part, one for each plane, of the weights that are
  /// transformed next.
  void fetchWeights(int64_t panel, int64_t channelBegin, int64_t channelEnd,
                    int64_t plane, int64_t blocks, Ahead &ahead) const;
  /// All of a panel for tiles [begin, end) of the block at `firstTile`.
  void computePanel(int64_t panel, int64_t firstTile, int64_t begin,
                    int64_t end, float *scratch) const;
  void transformFilters(int64_t panel, int64_t channelBegin, int64_t channelEnd,
                        float *filters) const;
  /// Outputs of a tile that exist, in some channels.
  struct Square {
    int64_t rows, columns;
    float *output;
    const float *residual; ///< or null
    int64_t residualRow, residualPixel;
  };
  void finishTile(int64_t tile, int64_t panel, const float *sums) const;
  template <bool Whole>
  void finishChannels(const float *sums, Vector bias, const Square &square,
                      int count) const;

  const WindowShape &shape;
  const TensorView &input, &output;
  const float *weights;
  const Epilogue &epilogue;
  const ShortActivation activation;
  const WinogradLayout layout;
  float *const inputs;
  float *const threadScratch;
};

template <bool Inside, bool Partial>
void Convolution::transformChannels(const Place &at, int64_t channel, int count,
                                    float *to) const {
  const int64_t y = at.y - shape.padTop, x = at.x - shape.padLeft;
  const int64_t rowStride = input.rowStride, pixelStride = input.pixelStride;
  // Formed for what is inside only; before that an offset, not a pointer.
  const int64_t corner =
      at.image * input.batchStride + y * rowStride + x * pixelStride + channel;
  Vector columns[kInputs][kInputs]; // [column][point]
  SNUG_UNROLL
  for (int j = 0; j < kInputs; ++j) {
    Vector d[kInputs];
    const bool columnInside = Inside || (x + j >= 0 && x + j < input.width);
    SNUG_UNROLL
    for (int i = 0; i < kInputs; ++i) {
      if (Inside || (columnInside && y + i >= 0 && y + i < input.height))
        d[i] = loadBlock<Partial>(
            input.data + (corner + i * rowStride + j * pixelStride), count);
      else
        d[i] = zero();
    }
    transformInputs(d, columns[j]);
  }
  SNUG_UNROLL
  for (int i = 0; i < kInputs; ++i) {
    Vector d[kInputs], points[kInputs];
    SNUG_UNROLL
    for (int j = 0; j < kInputs; ++j)
      d[j] = columns[j][i];
    transformInputs(d, points);
    SNUG_UNROLL
    for (int j = 0; j < kInputs; ++j)
      store(to + (i * kInputs + j) * layout.inputPlane, points[j]);
  }
}

void Convolution::transformTile(int64_t tile, int64_t index) const {
  const Place at = place(tile);
  const int64_t y = at.y - shape.padTop, x = at.x - shape.padLeft;
  const bool inside = y >= 0 && x >= 0 && y + kInputs <= input.height &&
                      x + kInputs <= input.width;
  float *to = inputs + index * layout.inputStep;
  const int64_t channels = input.channels;
  int64_t c = 0;
  if (inside)
    for (; c + kLanes <= channels; c += kLanes)
      transformChannels<true, false>(at, c, kLanes, to + c);
  else
    for (; c + kLanes <= channels; c += kLanes)
      transformChannels<false, false>(at, c, kLanes, to + c);
  if (c < channels)
    transformChannels<false, true>(at, c, static_cast<int>(channels - c),
                                   to + c);
}

void Convolution::transformFilters(int64_t panel, int64_t channelBegin,
                                   int64_t channelEnd, float *filters) const {
  const int64_t tapStep = input.channels * kPanel;
  const float *from =
      weights + panel * kTaps * kTaps * tapStep + channelBegin * kPanel;
  for (int64_t at = 0; at < (channelEnd - channelBegin) * kPanel;
       at += kLanes) {
    Vector columns[kTaps][kInputs]; // [column][point]
    SNUG_UNROLL
    for (int j = 0; j < kTaps; ++j) {
      const float *tap = from + j * tapStep + at;
      const Vector g[kTaps] = {load(tap), load(tap + kTaps * tapStep),
                               load(tap + 2 * kTaps * tapStep)};
      transformFilter(g, columns[j]);
    }
    SNUG_UNROLL
    for (int i = 0; i < kInputs; ++i) {
      const Vector g[kTaps] = {columns[0][i], columns[1][i], columns[2][i]};
      Vector points[kInputs];
      transformFilter(g, points);
      SNUG_UNROLL
      for (int j = 0; j < kInputs; ++j)
        store(filters + (i * kInputs + j) * layout.filterPlane + at, points[j]);
    }
  }
}

/// `Whole`: four columns of whole vectors.
template <bool Whole>
void Convolution::finishChannels(const float *sums, Vector bias,
                                 const Square &square, int count) const {
  Vector points[kInputs][kOutputs]; // [column][row]
  SNUG_UNROLL
  for (int j = 0; j < kInputs; ++j) {
    Vector m[kInputs];
    SNUG_UNROLL
    for (int i = 0; i < kInputs; ++i)
      m[i] = load(sums + (i * kInputs + j) * layout.sumPlane);
    transformSums(m, points[j]);
  }
  SNUG_UNROLL
  for (int i = 0; i < kOutputs; ++i) {
    if (i >= square.rows)
      break;
    Vector m[kInputs], values[kOutputs];
    SNUG_UNROLL
    for (int j = 0; j < kInputs; ++j)
      m[j] = points[j][i];
    transformSums(m, values);
    const float *residual = square.residual + i * square.residualRow;
    float *to = square.output + i * output.rowStride;
    SNUG_UNROLL
    for (int j = 0; j < kOutputs; ++j) {
      values[j] += bias;
      if (square.residual && (Whole || j < square.columns))
        values[j] +=
            loadBlock<!Whole>(residual + j * square.residualPixel, count);
    }
    activateAll(values, activation);
    SNUG_UNROLL
    for (int j = 0; j < kOutputs; ++j)
      if (Whole || j < square.columns)
        storeBlock<!Whole>(to + j * output.pixelStride, values[j], count);
  }
}

void Convolution::finishTile(int64_t tile, int64_t panel,
                             const float *sums) const {
  const Place at = place(tile);
  const int64_t firstChannel = panel * kPanel;
  const int64_t channels =
      minimum<int64_t>(kPanel, output.channels - firstChannel);
  Square square = {};
  square.rows = minimum<int64_t>(kOutputs, output.height - at.y);
  square.columns = minimum<int64_t>(kOutputs, output.width - at.x);
  float *const first = output.data + at.image * output.batchStride +
                       at.y * output.rowStride + at.x * output.pixelStride +
                       firstChannel;
  const TensorView *residual = epilogue.residual;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int count = static_cast<int>(minimum<int64_t>(kLanes, channels - c));
    square.output = first + c;
    if (residual) {
      square.residual = residual->data + at.image * residual->batchStride +
                        at.y * residual->rowStride +
                        at.x * residual->pixelStride + firstChannel + c;
      square.residualRow = residual->rowStride;
      square.residualPixel = residual->pixelStride;
    }
    // Biases are filled up to whole lines.
    const Vector bias =
        epilogue.bias ? load(epilogue.bias + firstChannel + c) : zero();
    if (count == kLanes && square.columns == kOutputs)
      finishChannels<true>(sums + c, bias, square, count);
    else
      finishChannels<false>(sums + c, bias, square, count);
  }
  const Epilogue behind = behindRegisters(epilogue);
  if (behind.activation != Activation::None)
    for (int64_t i = 0; i < square.rows; ++i)
      activateStored(behind, first + i * output.rowStride, output.pixelStride,
                     square.columns, channels);
}

void Convolution::fetchWeights(int64_t panel, int64_t channelBegin,
                               int64_t channelEnd, int64_t plane,
                               int64_t blocks, Ahead &ahead) const {
  constexpr int64_t kParts = kPlanes / (kTaps * kTaps); // of a tap's weights
  const int64_t tap = panel * kTaps * kTaps + plane / kParts;
  const int64_t part = (channelEnd - channelBegin) * kPanel / kParts;
  ahead.spread(weights + (tap * input.channels + channelBegin) * kPanel +
                   plane % kParts * part,
               part, blocks);
}

void Convolution::computePanel(int64_t panel, int64_t firstTile, int64_t begin,
                               int64_t end, float *scratch) const {
  float *filters = scratch;
  float *sums = scratch + layout.filters();
  Ahead weightsAhead, nothing;
  BlockCall call = {};
  call.runCount = 1;
  call.pixelStep = layout.inputStep;
  call.outputStep = kPanel;
  call.activation = {Activation::None, 0.0f, 0.0f};
  call.weightsAhead = &weightsAhead;
  call.inputAhead = &nothing;
  const int64_t tiles = end - begin;
  const int64_t blocks = ceilDivide(tiles, kMaxPixels);
  const int64_t shortBlock = tiles / blocks, longBlocks = tiles % blocks;
  for (int64_t c = 0; c < input.channels; c += layout.sliceChannels) {
    const int64_t channelEnd =
        minimum<int64_t>(input.channels, c + layout.sliceChannels);
    transformFilters(panel, c, channelEnd, filters);
    call.length = channelEnd - c;
    call.first = c == 0;
    const bool lastSlice = channelEnd == input.channels;
    const int64_t nextPanel = lastSlice ? panel + 1 : panel;
    const int64_t next = lastSlice ? 0 : channelEnd;
    const int64_t nextEnd =
        minimum<int64_t>(input.channels, next + layout.sliceChannels);
    for (int64_t plane = 0; plane < kPlanes; ++plane) {
      if (nextPanel * kPanel < output.channels)
        fetchWeights(nextPanel, next, nextEnd, plane, blocks, weightsAhead);
      const float *run =
          inputs + plane * layout.inputPlane + begin * layout.inputStep + c;
      call.runs = &run;
      call.inputOffset = 0;
      call.weights = filters + plane * layout.filterPlane;
      call.output = sums + plane * layout.sumPlane;
      if (longBlocks) {
        call.blocks = longBlocks;
        BlockOfPixels<2, kAnyLength>::run(shortBlock + 1, call);
        call.inputOffset = longBlocks * (shortBlock + 1) * call.pixelStep;
        call.output += longBlocks * (shortBlock + 1) * kPanel;
      }
      call.blocks = blocks - longBlocks;
      BlockOfPixels<2, kAnyLength>::run(shortBlock, call);
    }
  }
  for (int64_t t = begin; t < end; ++t)
    finishTile(firstTile + t, panel, sums + (t - begin) * kPanel);
}

void Convolution::run(ThreadPool &pool) const {
  const int64_t panels = ceilDivide(output.channels, kPanel);
  const int64_t scratch = layout.filters() + layout.sums();
  for (int64_t first = 0; first < layout.tiles; first += layout.blockTiles) {
    const int64_t tiles = minimum(layout.blockTiles, layout.tiles - first);
    parallelPieces(pool, tiles, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t)
        transformTile(first + t, t);
    });
    const int64_t pieces = ceilDivide(tiles, layout.pieceTiles);
    pool.forEach(panels * pieces, [&](int64_t index, int thread) {
      const int64_t begin = index % pieces * layout.pieceTiles;
      computePanel(index / pieces, first, begin,
                   minimum(tiles, begin + layout.pieceTiles),
                   threadScratch + thread * scratch);
    });
  }
}

} // namespace

uint64_t winograd(const WindowShape &shape, const TensorView &input,
                  const float *weights, const Epilogue &epilogue,
                  const TensorView &output, void *workspace, ThreadPool &pool) {
  Convolution(shape, input, weights, epilogue, output, workspace,
              pool.threads())
      .run(pool);
  return elements(output) * uint64_t(kTaps * kTaps) * uint64_t(input.channels);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
