// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each kernel asks of an instruction.

#include "Checker.h"
#include "ResizeSource.h"

#include <cstring>

namespace snug {
namespace runtime {

bool Checker::checkMove(const schema::Move &k) {
  call.kind = KernelKind::Move;
  if (!takeInput(*k.input(), Strides::Any) ||
      !takeOutput(*k.output(), Strides::Any))
    return false;
  return checkSameExtents() && checkOverlap();
}

bool Checker::checkConvolution(const schema::Convolution &k) {
  if (!takeInput(*k.input()) || !takeOutput(*k.output()))
    return false;
  if (k.residual()) {
    if (!takeSecond("a residual", *k.residual()))
      return false;
    if (!sameExtents(call.second, call.output))
      return fail("has a residual whose extents are not the output's");
  }
  if (!takeWindow(*k.window()) || !takeEpilogue(k) || !takeGroups(k.groups()))
    return false;
  const WindowShape &s = call.window;
  if (k.winograd() && !hasWinograd(s))
    return fail("asks for Winograd's kernel, which is for convolutions of 3x3 "
                "taps without strides, dilations and groups");
  call.kind = k.winograd() ? KernelKind::Winograd : convolutionKernel(s);
  return segmentHoldsFilter(k.weights()) &&
         takeSegment(
             "weights", k.weights(),
             static_cast<uint64_t>(packedConvolutionBytes(limits.target, s)),
             &call.weightsOffset) &&
         takeBias(k.bias(), s.outputChannels) && takeWorkspace(k.workspace()) &&
         checkOverlap();
}

/// One axis of a transposed convolution: offsets are free, but a kernel forms
/// addresses of the inputs that its outputs would have.
bool Checker::checkTransposedAxis(const char *axis, int32_t in, int32_t out,
                                  int32_t kernel, int32_t stride,
                                  int32_t dilation, int32_t offset) {
  if (!checkSteps(axis, kernel, stride, dilation))
    return false;
  if (offset < -kMaxWindow || offset > kMaxWindow)
    return fail("has offset %d over %s; it must be in [-%d, %d]", offset, axis,
                kMaxWindow, kMaxWindow);
  const int64_t last = (int64_t{out} - 1 + offset) / stride;
  if (last > int64_t{in} + kMaxWindow)
    return fail("has %d outputs over %s, far past what %d inputs reach", out,
                axis, in);
  return true;
}

bool Checker::checkTransposedConvolution(
    const schema::TransposedConvolution &k) {
  call.kind = KernelKind::TransposedConvolution;
  if (!takeInput(*k.input()) || !takeOutput(*k.output()) ||
      !takeShape(*k.window()) || !takeEpilogue(k) || !takeGroups(k.groups()))
    return false;
  const WindowShape &s = call.window;
  if (!checkTransposedAxis("height", s.inputHeight, s.outputHeight,
                           s.kernelHeight, s.strideHeight, s.dilationHeight,
                           k.row_offset()) ||
      !checkTransposedAxis("width", s.inputWidth, s.outputWidth, s.kernelWidth,
                           s.strideWidth, s.dilationWidth, k.column_offset()))
    return false;
  if (s.padTop != 0 || s.padLeft != 0 || s.padBottom != 0 || s.padRight != 0)
    return fail("has padding; a transposed convolution has offsets instead");
  call.transposed = {k.row_offset(), k.column_offset()};
  return segmentHoldsFilter(k.weights()) &&
         takeSegment("weights", k.weights(),
                     static_cast<uint64_t>(
                         packedTransposedConvolutionBytes(limits.target, s)),
                     &call.weightsOffset) &&
         takeBias(k.bias(), s.outputChannels) && checkOverlap();
}

bool Checker::checkPool(const schema::Pool &k) {
  if (!takeInput(*k.input()) || !takeOutput(*k.output()) ||
      !takeWindow(*k.window()))
    return false;
  if (k.kind() == schema::PoolKind::Max)
    call.kind = KernelKind::MaxPool;
  else if (k.kind() == schema::PoolKind::Average)
    call.kind = KernelKind::AveragePool;
  else
    return unknown("pool kind", static_cast<int>(k.kind()));
  if (call.input.channels != call.output.channels)
    return fail("pools %d channels into %d", call.input.channels,
                call.output.channels);
  call.window.groups = call.input.channels;
  call.countsPads = k.count_include_pad();
  call.counted = {k.counted_bottom(), k.counted_right()};
  if (k.counted_bottom() < 0 || k.counted_right() < 0 ||
      k.counted_bottom() > call.window.padBottom ||
      k.counted_right() > call.window.padRight)
    return fail("counts %d rows and %d columns of padding below and to the "
                "right, of which there are %d and %d",
                k.counted_bottom(), k.counted_right(), call.window.padBottom,
                call.window.padRight);
  return checkOverlap();
}

bool Checker::checkReduce(const schema::Reduce &k) {
  call.kind = KernelKind::Reduce;
  if (static_cast<unsigned>(k.kind()) >
      static_cast<unsigned>(schema::ReduceKind::MAX))
    return unknown("reduction", static_cast<int>(k.kind()));
  call.reduceKind = static_cast<ReduceKind>(k.kind());
  if (!takeInput(*k.input(), Strides::Any) ||
      !takeOutput(*k.output(), Strides::Any))
    return false;
  if (call.output.height != 1 || call.output.width != 1 ||
      call.output.batch != call.input.batch ||
      call.output.channels != call.input.channels)
    return fail("has an output that is not one pixel of the input's batch "
                "and channels");
  return checkOverlap();
}

bool Checker::checkGemm(const schema::Gemm &k) {
  call.kind = KernelKind::Gemm;
  if (!takeInput(*k.input()) || !takeOutput(*k.output()) || !takeEpilogue(k))
    return false;
  if (call.input.height != 1 || call.input.width != 1 ||
      call.output.height != 1 || call.output.width != 1 ||
      call.input.batch != call.output.batch)
    return fail("has operands that are not equally many rows of channels");
  const uint64_t factors[4] = {static_cast<uint64_t>(call.input.channels),
                               static_cast<uint64_t>(call.output.channels), 1,
                               1};
  return segmentHolds(k.weights(), factors) &&
         takeSegment(
             "weights", k.weights(),
             static_cast<uint64_t>(packedGemmBytes(
                 limits.target, call.input.channels, call.output.channels)),
             &call.weightsOffset) &&
         takeBias(k.bias(), call.output.channels) && checkOverlap();
}

bool Checker::checkUnary(const schema::Unary &k) {
  call.kind = KernelKind::Unary;
  return takeInput(*k.input(), Strides::Any) &&
         takeOutput(*k.output(), Strides::Any) && takeEpilogue(k) &&
         checkSameExtents() && checkOverlap();
}

/// One side of a binary kernel, in the arena or in a segment of weights; bytes
/// are those of the arena.
bool Checker::takeOperand(const char *role, const schema::View &v,
                          int32_t constant, TensorView *view, uint64_t *offset,
                          Bytes *bytes, bool *isConstant) {
  if (constant == -1) {
    if (!takeView(role, v, Strides::Any, arena(), view, offset, bytes))
      return false;
  } else {
    const schema::Range *range = findSegment("constant", constant);
    if (!range)
      return false;
    Bytes inSegment;
    if (!takeView(role, v, Strides::Any, {"segment", range->bytes()}, view,
                  offset, &inSegment))
      return false;
    *offset += range->offset();
    *isConstant = true;
  }
  const auto fits = [](int32_t own, int32_t whole) {
    return own == 1 || own == whole;
  };
  const TensorView &whole = call.output;
  if (!fits(view->batch, whole.batch) || !fits(view->height, whole.height) ||
      !fits(view->width, whole.width) || !fits(view->channels, whole.channels))
    return fail("has %s of %dx%dx%dx%d, which cannot be repeated to the "
                "output's %dx%dx%dx%d",
                role, view->batch, view->height, view->width, view->channels,
                whole.batch, whole.height, whole.width, whole.channels);
  return true;
}

bool Checker::checkBinary(const schema::Binary &k) {
  call.kind = KernelKind::Binary;
  if (static_cast<unsigned>(k.kind()) >
      static_cast<unsigned>(schema::BinaryKind::MAX))
    return unknown("binary kind", static_cast<int>(k.kind()));
  call.binaryKind = static_cast<BinaryKind>(k.kind());
  call.hasSecond = true;
  return takeOutput(*k.output(), Strides::Any) && takeEpilogue(k) &&
         takeOperand("a left input", *k.left(), k.left_constant(), &call.input,
                     &call.inputOffset, &inputBytes, &call.inputIsConstant) &&
         takeOperand("a right input", *k.right(), k.right_constant(),
                     &call.second, &call.secondOffset, &secondBytes,
                     &call.secondIsConstant) &&
         checkOverlap();
}

bool Checker::checkSoftmax(const schema::Softmax &k) {
  call.kind = KernelKind::Softmax;
  return takeInput(*k.input(), Strides::Any) &&
         takeOutput(*k.output(), Strides::Any) && checkSameExtents() &&
         checkOverlap();
}

/// Everything that the outputs of a view read must lie in the input view.
bool Checker::takeResizeAxis(const char *name, const ResizeAxis &axis,
                             int32_t in, int32_t out) {
  // Not-a-number compares false.
  if (!(axis.scale >= 0.0 && axis.scale <= kMaxExtent &&
        axis.shift >= -double{kMaxExtent} && axis.shift <= kMaxExtent))
    return fail(
        "has scale %g and shift %g over %s; they must be in [0, %d] and "
        "[-%d, %d]",
        axis.scale, axis.shift, name, kMaxExtent, kMaxExtent, kMaxExtent);
  if (axis.full < 1 || axis.full > kMaxExtent || axis.inputBegin < 0 ||
      axis.inputBegin > axis.full - in || axis.outputBegin < 0 ||
      axis.outputBegin > kMaxExtent - out)
    return fail("has views over %s that begin at %d and %d, but the full input "
                "has %d",
                name, axis.inputBegin, axis.outputBegin, axis.full);
  // Sources never fall while outputs rise.
  const ResizeShape &s = call.resize;
  const ResizeSource first =
      resizeSource(axis, s.mode, s.rounding, axis.outputBegin);
  const ResizeSource last = resizeSource(axis, s.mode, s.rounding,
                                         int64_t{axis.outputBegin} + out - 1);
  if (first.low < axis.inputBegin || last.high >= int64_t{axis.inputBegin} + in)
    return fail(
        "reads %s %" PRId64 " to %" PRId64 ", but its input view has %d to %d",
        name, first.low, last.high, axis.inputBegin, axis.inputBegin + in - 1);
  return true;
}

bool Checker::checkResize(const schema::Resize &k) {
  call.kind = KernelKind::Resize;
  if (!takeInput(*k.input()) || !takeOutput(*k.output()))
    return false;
  if (static_cast<unsigned>(k.mode()) >
      static_cast<unsigned>(schema::ResizeMode::MAX))
    return unknown("resize mode", static_cast<int>(k.mode()));
  if (static_cast<unsigned>(k.rounding()) >
      static_cast<unsigned>(schema::NearestRounding::MAX))
    return unknown("rounding", static_cast<int>(k.rounding()));
  if (call.input.batch != call.output.batch ||
      call.input.channels != call.output.channels)
    return fail("resizes batch %d and channels %d into %d and %d",
                call.input.batch, call.input.channels, call.output.batch,
                call.output.channels);
  call.resize = {static_cast<ResizeMode>(k.mode()),
                 static_cast<NearestRounding>(k.rounding()),
                 {k.scale_height(), k.shift_height(), k.input_height(),
                  k.input_row(), k.output_row()},
                 {k.scale_width(), k.shift_width(), k.input_width(),
                  k.input_column(), k.output_column()}};
  return takeResizeAxis("rows", call.resize.rows, call.input.height,
                        call.output.height) &&
         takeResizeAxis("columns", call.resize.columns, call.input.width,
                        call.output.width) &&
         checkOverlap();
}

bool Checker::checkPads(const char *axis, int32_t in, int32_t out, int32_t low,
                        int32_t high, PadMode mode) {
  if (low < 0 || high < 0 || int64_t{in} + low + high != out)
    return fail("has %d and %d added to %s %d, but an output of %d", low, high,
                axis, in, out);
  if (mode == PadMode::Reflect && (low >= in || high >= in))
    return fail("reflects %d and %d of %s, of which there are %d", low, high,
                axis, in);
  return true;
}

bool Checker::checkPad(const schema::Pad &k) {
  call.kind = KernelKind::Pad;
  if (!takeInput(*k.input()) || !takeOutput(*k.output()))
    return false;
  if (static_cast<unsigned>(k.mode()) >
      static_cast<unsigned>(schema::PadMode::MAX))
    return unknown("pad mode", static_cast<int>(k.mode()));
  const PadMode mode = static_cast<PadMode>(k.mode());
  if (call.input.batch != call.output.batch)
    return fail("has input batch %d but output batch %d", call.input.batch,
                call.output.batch);
  call.pad = {k.top(),   k.left(), k.bottom(), k.right(),
              k.front(), k.back(), mode,       k.value()};
  return checkPads("rows", call.input.height, call.output.height, k.top(),
                   k.bottom(), mode) &&
         checkPads("columns", call.input.width, call.output.width, k.left(),
                   k.right(), mode) &&
         checkPads("channels", call.input.channels, call.output.channels,
                   k.front(), k.back(), mode) &&
         checkOverlap();
}

/// One side of a rearrangement: the range that it reaches, and of the output
/// that no element is written twice.
template <typename Vector>
bool Checker::takePattern(const char *role, uint64_t offset,
                          const Vector &strides, bool output,
                          int64_t *out_strides, Bytes *bytes) {
  const RearrangeShape &shape = call.rearrange;
  if (strides.size() != static_cast<uint32_t>(shape.loops))
    return fail("has %u %s strides for %d extents", strides.size(), role,
                shape.loops);
  const int64_t most = static_cast<int64_t>(limits.arenaBytes / sizeof(float));
  int64_t lowest = 0, highest = 0;
  for (int i = 0; i < shape.loops; ++i) {
    // Not Get(): a hostile file need not align the vector's elements.
    int64_t stride = 0;
    std::memcpy(&stride, strides.Data() + i * sizeof(stride), sizeof(stride));
    if (stride < -most || stride > most)
      return fail("has %s stride %" PRId64
                  "; it must be within the arena's length",
                  role, stride);
    out_strides[i] = stride;
    int64_t reach;
    if (__builtin_mul_overflow(stride, int64_t{shape.extents[i] - 1}, &reach) ||
        __builtin_add_overflow(reach < 0 ? lowest : highest, reach,
                               reach < 0 ? &lowest : &highest))
      return fail("has %s strides that overflow", role);
  }
  if (offset % sizeof(float) != 0 || offset > limits.arenaBytes)
    return fail("has its %s at byte %" PRIu64
                ", which is no float of the arena's",
                role, offset);
  const int64_t first = static_cast<int64_t>(offset / sizeof(float));
  if (lowest < -first || highest >= most - first)
    return fail("has its %s at byte %" PRIu64
                " and strides that leave the arena's %" PRIu64 " bytes",
                role, offset, limits.arenaBytes);
  bytes->begin = static_cast<uint64_t>(first + lowest) * sizeof(float);
  bytes->end = static_cast<uint64_t>(first + highest + 1) * sizeof(float);
  if (!output)
    return true;
  // Each loop, from the finest on, must step over what the finer ones span.
  bool taken[kMaxLoops] = {};
  int64_t span = 1;
  for (int step = 0; step < shape.loops; ++step) {
    const auto size = [&](int loop) {
      return out_strides[loop] < 0 ? -out_strides[loop] : out_strides[loop];
    };
    int finest = -1;
    for (int loop = 0; loop < shape.loops; ++loop)
      if (!taken[loop] && shape.extents[loop] > 1 &&
          (finest < 0 || size(loop) < size(finest)))
        finest = loop;
    if (finest < 0)
      break;
    if (size(finest) < span)
      return fail("has %s strides that make elements overlap", role);
    span += (shape.extents[finest] - 1) * size(finest);
    taken[finest] = true;
  }
  return true;
}

bool Checker::checkRearrange(const schema::Rearrange &k) {
  call.kind = KernelKind::Rearrange;
  const auto &extents = *k.extents();
  if (extents.size() < 1 || extents.size() > kMaxLoops)
    return fail("has %u extents; it must be 1 to %d", extents.size(),
                kMaxLoops);
  RearrangeShape &shape = call.rearrange;
  std::memset(&shape, 0, sizeof(shape));
  shape.loops = static_cast<int32_t>(extents.size());
  for (int i = 0; i < shape.loops; ++i) {
    uint32_t extent = 0;
    std::memcpy(&extent, extents.Data() + i * sizeof(extent), sizeof(extent));
    if (extent < 1 || extent > kMaxExtent)
      return fail("has extent %" PRIu32 "; extents must be in [1, %d]", extent,
                  kMaxExtent);
    shape.extents[i] = static_cast<int32_t>(extent);
  }
  call.inputOffset = k.input_offset();
  call.outputOffset = k.output_offset();
  return takePattern("input", k.input_offset(), *k.input_strides(), false,
                     shape.inputStrides, &inputBytes) &&
         takePattern("output", k.output_offset(), *k.output_strides(), true,
                     shape.outputStrides, &outputBytes) &&
         checkOverlap();
}

bool Checker::checkNormalization(const schema::LocalResponseNormalization &k) {
  call.kind = KernelKind::LocalResponseNormalization;
  if (k.size() < 1 || k.size() > kMaxExtent)
    return fail("has a window of %d channels; it must be in [1, %d]", k.size(),
                kMaxExtent);
  call.normalization = {k.size(), k.alpha(), k.beta(), k.bias()};
  return takeInput(*k.input()) && takeOutput(*k.output()) &&
         checkSameExtents() && checkOverlap();
}

bool Checker::checkMatMul(const schema::MatMul &k) {
  call.kind = KernelKind::MatMul;
  if (!takeInput(*k.left(), Strides::Any) ||
      !takeSecond("a right input", *k.right(), Strides::Any) ||
      !takeOutput(*k.output(), Strides::Any))
    return false;
  const TensorView &left = call.input, &right = call.second,
                   &result = call.output;
  if (left.channels != 1 || right.channels != 1 || result.channels != 1)
    return fail("has matrices of several channels");
  if (left.width != right.height || result.height != left.height ||
      result.width != right.width)
    return fail("multiplies %dx%d by %dx%d into %dx%d", left.height, left.width,
                right.height, right.width, result.height, result.width);
  if ((left.batch != 1 && left.batch != result.batch) ||
      (right.batch != 1 && right.batch != result.batch))
    return fail("multiplies %d by %d matrices into %d", left.batch, right.batch,
                result.batch);
  return checkOverlap();
}

} // namespace runtime
} // namespace snug
