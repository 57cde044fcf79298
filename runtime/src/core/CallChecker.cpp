// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifies instructions: whatever a kernel reads or writes must lie where the
// plan may read or write, and its shapes must agree with each other.

#include "Checker.h"

#include <cstdarg>
#include <limits>

namespace snug {
namespace runtime {

namespace {

bool overlap(const Bytes &a, const Bytes &b) {
  return a.begin < b.end && b.begin < a.end;
}

bool alike(const TensorView &a, const TensorView &b) {
  return sameExtents(a, b) && a.batchStride == b.batchStride &&
         a.rowStride == b.rowStride && a.pixelStride == b.pixelStride &&
         a.channelStride == b.channelStride;
}

/// Multiplies into `*product`; false on overflow.
bool multiply(uint64_t factor, uint64_t *product) {
  return !__builtin_mul_overflow(*product, factor, product);
}

/// Whether each axis steps over everything that the finer axes span. Called
/// with strides whose reach has been found not to overflow.
bool distinct(const int32_t *extents, const int64_t *strides) {
  bool taken[4] = {false, false, false, false};
  int64_t span = 1;
  for (int step = 0; step < 4; ++step) {
    int finest = -1;
    for (int axis = 0; axis < 4; ++axis)
      if (!taken[axis] && extents[axis] > 1 &&
          (finest < 0 || strides[axis] < strides[finest]))
        finest = axis;
    if (finest < 0)
      return true;
    if (strides[finest] < span)
      return false;
    span += (extents[finest] - 1) * strides[finest];
    taken[finest] = true;
  }
  return true;
}

} // namespace

bool sameExtents(const TensorView &a, const TensorView &b) {
  return a.batch == b.batch && a.height == b.height && a.width == b.width &&
         a.channels == b.channels;
}

bool Checker::check() {
  const schema::Instruction *i = program.instructions()->Get(index);
  name = i->name()->c_str();
  if (i->group() < -1 ||
      i->group() >= static_cast<int64_t>(program.groups()->size()))
    return fail("names group %d of %u", i->group(), program.groups()->size());
  if (i->tile() < -1)
    return fail("has tile number %d", i->tile());
  switch (i->kernel_type()) {
  case schema::Kernel::Move:
    return checkMove(*i->kernel_as_Move());
  case schema::Kernel::Convolution:
    return checkConvolution(*i->kernel_as_Convolution());
  case schema::Kernel::Pool:
    return checkPool(*i->kernel_as_Pool());
  case schema::Kernel::Reduce:
    return checkReduce(*i->kernel_as_Reduce());
  case schema::Kernel::Gemm:
    return checkGemm(*i->kernel_as_Gemm());
  case schema::Kernel::Unary:
    return checkUnary(*i->kernel_as_Unary());
  case schema::Kernel::Binary:
    return checkBinary(*i->kernel_as_Binary());
  case schema::Kernel::Softmax:
    return checkSoftmax(*i->kernel_as_Softmax());
  case schema::Kernel::TransposedConvolution:
    return checkTransposedConvolution(*i->kernel_as_TransposedConvolution());
  case schema::Kernel::Resize:
    return checkResize(*i->kernel_as_Resize());
  case schema::Kernel::Pad:
    return checkPad(*i->kernel_as_Pad());
  case schema::Kernel::Rearrange:
    return checkRearrange(*i->kernel_as_Rearrange());
  case schema::Kernel::LocalResponseNormalization:
    return checkNormalization(*i->kernel_as_LocalResponseNormalization());
  case schema::Kernel::MatMul:
    return checkMatMul(*i->kernel_as_MatMul());
  case schema::Kernel::NONE:
    break;
  }
  return unknown("kernel", static_cast<int>(i->kernel_type()));
}

bool Checker::fail(const char *format, ...) {
  char what[360];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  status =
      failure(code, "instruction %" PRIu32 " '%.80s' %s", index, name, what);
  return false;
}

bool Checker::unknown(const char *what, int number) {
  code = SNUG_UNSUPPORTED;
  return fail("has %s number %d, which this runtime does not know; use a newer "
              "runtime",
              what, number);
}

/// One operand: extents, strides, bytes inside the arena, no element twice.
bool Checker::takeView(const char *role, const schema::View &v, Strides taken,
                       const Region &region, TensorView *view, uint64_t *offset,
                       Bytes *bytes) {
  const int32_t extents[4] = {v.batch(), v.height(), v.width(), v.channels()};
  int64_t strides[4] = {v.batch_stride(), v.row_stride(), v.pixel_stride(),
                        v.channel_stride()};
  static const char *const axes[4] = {"batch", "height", "width", "channels"};
  uint64_t last = 0; // number of the element that lies last
  for (int axis = 0; axis < 4; ++axis) {
    if (extents[axis] < 1 || extents[axis] > kMaxExtent)
      return fail("has %s with %s %" PRId32 "; extents must be in [1, %" PRId32
                  "]",
                  role, axes[axis], extents[axis], kMaxExtent);
    // Also over one element: kernels may compute with a stride that they
    // never step by.
    if (strides[axis] < 0 ||
        static_cast<uint64_t>(strides[axis]) > region.bytes / sizeof(float))
      return fail("has %s with stride %" PRId64
                  " over %s; it must be in [0, the %s's length]",
                  role, strides[axis], axes[axis], region.name);
    uint64_t reach = static_cast<uint64_t>(extents[axis] - 1);
    if (!multiply(static_cast<uint64_t>(strides[axis]), &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return fail("has %s whose extents and strides overflow", role);
  }
  if (v.offset() % sizeof(float) != 0)
    return fail("has %s at byte %" PRIu64
                ", which is no multiple of a float's size",
                role, v.offset());
  uint64_t size = 0;
  bytes->begin = v.offset();
  if (__builtin_add_overflow(last, uint64_t{1}, &size) ||
      !multiply(sizeof(float), &size) ||
      __builtin_add_overflow(v.offset(), size, &bytes->end) ||
      bytes->end > region.bytes)
    return fail("has %s at byte %" PRIu64
                " whose end lies past the %s's %" PRIu64 " bytes",
                role, v.offset(), region.name, region.bytes);
  // Over one channel any stride means the same, and kernels get 1.
  if (taken == Strides::ChannelsLast && extents[3] == 1)
    strides[3] = 1;
  if (taken == Strides::ChannelsLast && strides[3] != 1)
    return fail("has %s with channel stride %" PRId64
                "; this kernel takes no other than 1",
                role, strides[3]);
  if (!distinct(extents, strides))
    return fail("has %s whose strides make elements overlap", role);
  view->batch = extents[0];
  view->height = extents[1];
  view->width = extents[2];
  view->channels = extents[3];
  view->batchStride = strides[0];
  view->rowStride = strides[1];
  view->pixelStride = strides[2];
  view->channelStride = strides[3];
  *offset = v.offset();
  return true;
}

bool Checker::takeActivation(schema::Activation activation, float alpha,
                             float beta) {
  if (static_cast<unsigned>(activation) >
      static_cast<unsigned>(schema::Activation::MAX))
    return unknown("activation", static_cast<int>(activation));
  call.activation = static_cast<Activation>(activation);
  call.alpha = alpha;
  call.beta = beta;
  return true;
}

namespace {

/// Elements in the arena: from the lowest on, so many along each axis. The
/// strides' signs do not matter.
struct Pattern {
  uint64_t begin = 0; ///< byte of the lowest element
  int axes = 0;
  int64_t extents[kMaxLoops] = {}, strides[kMaxLoops] = {};

  void add(int64_t extent, int64_t stride) {
    if (extent == 1)
      return;
    extents[axes] = extent;
    strides[axes++] = stride < 0 ? -stride : stride;
  }
  /// Elements from the first to the last in a period of which all longer
  /// strides are multiples; 0 where they exceed the period or are none.
  int64_t lengthWithin(int64_t period) const {
    int64_t length = 1;
    for (int i = 0; i < axes; ++i) {
      if (strides[i] % period == 0)
        continue;
      length += (extents[i] - 1) * strides[i];
      if (length > period)
        return 0;
    }
    return length;
  }
};

Pattern patternOf(const TensorView &view, const Bytes &bytes) {
  Pattern pattern;
  pattern.begin = bytes.begin;
  pattern.add(view.batch, view.batchStride);
  pattern.add(view.height, view.rowStride);
  pattern.add(view.width, view.pixelStride);
  pattern.add(view.channels, view.channelStride);
  return pattern;
}

Pattern patternOf(const RearrangeShape &shape, const int64_t *strides,
                  const Bytes &bytes) {
  Pattern pattern;
  pattern.begin = bytes.begin;
  for (int i = 0; i < shape.loops; ++i)
    pattern.add(shape.extents[i], strides[i]);
  return pattern;
}

/// True where two patterns take turns, as ranges of other channels of the same
/// pixels do: then no element is in both.
bool takeTurns(const Pattern &a, const Pattern &b) {
  for (const Pattern *of : {&a, &b})
    for (int i = 0; i < of->axes; ++i) {
      const int64_t period = of->strides[i];
      if (period < 2)
        continue;
      const int64_t lengthA = a.lengthWithin(period);
      const int64_t lengthB = b.lengthWithin(period);
      if (lengthA == 0 || lengthB == 0)
        continue;
      // Elements from the beginning of `b` to that of `a`, within a period.
      const int64_t distance = (static_cast<int64_t>(a.begin / sizeof(float)) -
                                static_cast<int64_t>(b.begin / sizeof(float))) %
                               period;
      const int64_t between = distance < 0 ? distance + period : distance;
      if (between >= lengthB && between + lengthA <= period)
        return true;
    }
  return false;
}

} // namespace

/// The output must not overlap what the call reads; where the kernel runs in
/// place, it may lie exactly on an input. Other channels of the same pixels are
/// no overlap.
bool Checker::checkOverlap() {
  const bool isPattern = call.kind == KernelKind::Rearrange;
  const Pattern output =
      isPattern
          ? patternOf(call.rearrange, call.rearrange.outputStrides, outputBytes)
          : patternOf(call.output, outputBytes);
  const Pattern input =
      isPattern
          ? patternOf(call.rearrange, call.rearrange.inputStrides, inputBytes)
          : patternOf(call.input, inputBytes);
  if (!call.inputIsConstant && overlap(outputBytes, inputBytes) &&
      !(runsInPlace(call.kind, 0) && call.outputOffset == call.inputOffset &&
        alike(call.output, call.input)) &&
      !takeTurns(output, input))
    return fail("writes over its own input at byte %" PRIu64,
                outputBytes.begin);
  if (call.hasSecond && !call.secondIsConstant &&
      overlap(outputBytes, secondBytes) &&
      !(runsInPlace(call.kind, 1) && call.outputOffset == call.secondOffset &&
        alike(call.output, call.second)) &&
      !takeTurns(output, patternOf(call.second, secondBytes)))
    return fail("writes over its own second input at byte %" PRIu64,
                outputBytes.begin);
  return true;
}

bool Checker::checkSameExtents() {
  if (!sameExtents(call.input, call.output) ||
      (call.hasSecond && !sameExtents(call.second, call.output)))
    return fail("has operands whose extents differ");
  return true;
}

/// Bounds of one axis of a window.
bool Checker::checkSteps(const char *axis, int32_t kernel, int32_t stride,
                         int32_t dilation) {
  if (kernel < 1 || stride < 1 || dilation < 1 || kernel > kMaxWindow ||
      stride > kMaxWindow || dilation > kMaxWindow)
    return fail("has kernel %d, stride %d, dilation %d over %s; each must be "
                "in [1, %d]",
                kernel, stride, dilation, axis, kMaxWindow);
  const int64_t reach = int64_t{kernel - 1} * dilation + 1;
  if (reach > kMaxWindow)
    return fail("has a dilated kernel of %" PRId64
                " over %s; at most %d is read",
                reach, axis, kMaxWindow);
  return true;
}

/// The same, and the output's extent.
bool Checker::checkAxis(const char *axis, int32_t in, int32_t out,
                        int32_t kernel, int32_t stride, int32_t dilation,
                        int32_t low, int32_t high) {
  if (!checkSteps(axis, kernel, stride, dilation))
    return false;
  if (low < 0 || high < 0 || low > kMaxWindow || high > kMaxWindow)
    return fail("has padding %d and %d over %s; each must be in [0, %d]", low,
                high, axis, kMaxWindow);
  const int64_t reach = int64_t{kernel - 1} * dilation + 1;
  const int64_t padded = int64_t{in} + low + high;
  if (padded < reach || (padded - reach) / stride + 1 != out)
    return fail("has output %s %d, which does not follow from input %d, "
                "padding %d and %d, dilated kernel %" PRId64 ", stride %d",
                axis, out, in, low, high, reach, stride);
  return true;
}

bool Checker::takeShape(const schema::Window &w) {
  WindowShape &s = call.window;
  s.batch = call.input.batch;
  s.inputHeight = call.input.height;
  s.inputWidth = call.input.width;
  s.inputChannels = call.input.channels;
  s.outputHeight = call.output.height;
  s.outputWidth = call.output.width;
  s.outputChannels = call.output.channels;
  s.kernelHeight = w.kernel_height();
  s.kernelWidth = w.kernel_width();
  s.strideHeight = w.stride_height();
  s.strideWidth = w.stride_width();
  s.dilationHeight = w.dilation_height();
  s.dilationWidth = w.dilation_width();
  s.padTop = w.pad_top();
  s.padLeft = w.pad_left();
  s.padBottom = w.pad_bottom();
  s.padRight = w.pad_right();
  if (call.input.batch != call.output.batch)
    return fail("has input batch %d but output batch %d", call.input.batch,
                call.output.batch);
  return true;
}

bool Checker::takeWindow(const schema::Window &w) {
  const WindowShape &s = call.window;
  return takeShape(w) &&
         checkAxis("height", s.inputHeight, s.outputHeight, s.kernelHeight,
                   s.strideHeight, s.dilationHeight, s.padTop, s.padBottom) &&
         checkAxis("width", s.inputWidth, s.outputWidth, s.kernelWidth,
                   s.strideWidth, s.dilationWidth, s.padLeft, s.padRight);
}

bool Checker::takeGroups(int32_t groups) {
  WindowShape &s = call.window;
  s.groups = groups;
  if (groups < 1 || s.inputChannels % groups != 0 ||
      s.outputChannels % groups != 0)
    return fail("has %d groups, which do not divide %d input and %d output "
                "channels",
                groups, s.inputChannels, s.outputChannels);
  return true;
}

const schema::Range *Checker::findSegment(const char *role, int64_t segment) {
  const auto *segments = program.segments();
  if (segment < 0 || segment >= static_cast<int64_t>(segments->size())) {
    fail("names segment %" PRId64 " of %u for its %s", segment,
         segments->size(), role);
    return nullptr;
  }
  const schema::Range *range =
      segments->Get(static_cast<uint32_t>(segment))->range();
  if (program.stream_weights() && !isMapped(*range)) {
    fail("uses segment %" PRId64
         " for its %s, which no weight range maps for it",
         segment, role);
    return nullptr;
  }
  return range;
}

/// The last weight range that begins no later and, at one instruction, lies no
/// farther; null where there is none.
const schema::WeightRange *Checker::lastRange(uint32_t begin,
                                              uint64_t offset) const {
  const auto *ranges = program.weight_ranges();
  uint32_t low = 0, high = ranges ? ranges->size() : 0;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const schema::WeightRange &range = *ranges->Get(middle);
    const bool isBefore = range.begin() != begin ? range.begin() < begin
                                                 : range.offset() <= offset;
    if (isBefore)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? ranges->Get(low - 1) : nullptr;
}

/// Whether one range that is mapped when the instruction runs holds these
/// bytes of the weights. The ranges have been verified before.
bool Checker::isMapped(const schema::Range &bytes) const {
  const schema::WeightRange *now =
      lastRange(index, std::numeric_limits<uint64_t>::max());
  if (!now || now->end() <= index)
    return false;
  const schema::WeightRange *holds = lastRange(now->begin(), bytes.offset());
  return holds && holds->begin() == now->begin() &&
         bytes.offset() - holds->offset() <= holds->bytes() &&
         bytes.bytes() <= holds->bytes() - (bytes.offset() - holds->offset());
}

/// A segment of exactly `bytes`.
bool Checker::takeSegment(const char *role, int64_t segment, uint64_t bytes,
                          uint64_t *offset) {
  const schema::Range *range = findSegment(role, segment);
  if (!range)
    return false;
  if (range->bytes() != bytes)
    return fail("needs %" PRIu64 " bytes of %s, but segment %" PRId64
                " has %" PRIu64,
                bytes, role, segment, range->bytes());
  *offset = range->offset();
  return true;
}

/// Weights of `elements` values before packing. Packing only adds to them, so
/// the catalogue is never asked about more than the file holds.
bool Checker::segmentHolds(int64_t segment, const uint64_t (&factors)[4]) {
  uint64_t bytes = sizeof(float);
  for (uint64_t factor : factors)
    if (!multiply(factor, &bytes))
      return fail("has extents whose weights overflow");
  const schema::Range *range = findSegment("weights", segment);
  if (!range)
    return false;
  if (bytes > range->bytes())
    return fail("needs at least %" PRIu64
                " bytes of weights, but segment %" PRId64 " has %" PRIu64,
                bytes, segment, range->bytes());
  return true;
}

/// The filter of a convolution of call.window.
bool Checker::segmentHoldsFilter(int64_t segment) {
  const WindowShape &s = call.window;
  const uint64_t factors[4] = {
      static_cast<uint64_t>(s.inputChannels / s.groups),
      static_cast<uint64_t>(s.outputChannels),
      static_cast<uint64_t>(s.kernelHeight),
      static_cast<uint64_t>(s.kernelWidth)};
  return segmentHolds(segment, factors);
}

bool Checker::takeBias(int32_t segment, int32_t channels) {
  if (segment == -1)
    return true;
  call.hasBias = true;
  return takeSegment("bias", segment,
                     static_cast<uint64_t>(packedBiasBytes(channels)),
                     &call.biasOffset);
}

bool Checker::takeWorkspace(const schema::Range *range) {
  const uint64_t needed = static_cast<uint64_t>(
      workspaceBytes(limits.target, call.kind, call.window, limits.threads));
  const Bytes none;
  Bytes bytes;
  if (range) {
    bytes.begin = range->offset();
    if (__builtin_add_overflow(range->offset(), range->bytes(), &bytes.end) ||
        bytes.end > limits.arenaBytes)
      return fail("has a workspace at byte %" PRIu64
                  " whose end lies past the arena's %" PRIu64 " bytes",
                  range->offset(), limits.arenaBytes);
    if (range->offset() % kBufferAlignment != 0)
      return fail("has a workspace at byte %" PRIu64
                  ", which is no multiple of %d",
                  range->offset(), static_cast<int>(kBufferAlignment));
  }
  if (bytes.end - bytes.begin < needed)
    return fail("needs %" PRIu64 " bytes of workspace but has %" PRIu64, needed,
                bytes.end - bytes.begin);
  if (needed == 0)
    bytes = none;
  if (overlap(bytes, inputBytes) || overlap(bytes, outputBytes) ||
      (call.hasSecond && overlap(bytes, secondBytes)))
    return fail("has a workspace at byte %" PRIu64 " that overlaps its tensors",
                bytes.begin);
  call.hasWorkspace = needed != 0;
  call.workspaceOffset = bytes.begin;
  return true;
}

snug_status checkCall(const CallLimits &limits, uint32_t index,
                      Call *out_call) {
  *out_call = Call();
  Checker checker(limits, index, out_call);
  checker.check();
  return checker.status;
}

} // namespace runtime
} // namespace snug
