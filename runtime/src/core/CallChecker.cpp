// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifies instructions: whatever a kernel reads or writes must lie where the
// plan may read or write, and its shapes must agree with each other.

#include "Call.h"
#include "Status.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>

namespace snug {
namespace runtime {

namespace {

// Bounds that no network comes near; below them a kernel's 32-bit arithmetic
// on extents, pads and strides cannot overflow.
constexpr int32_t kMaxExtent = 1 << 30;
constexpr int32_t kMaxWindow = 1 << 20;

/// A half-open range of bytes in the arena.
struct Bytes {
  uint64_t begin = 0, end = 0;
};

bool overlap(const Bytes &a, const Bytes &b) {
  return a.begin < b.end && b.begin < a.end;
}

bool sameExtents(const TensorView &a, const TensorView &b) {
  return a.batch == b.batch && a.height == b.height && a.width == b.width &&
         a.channels == b.channels;
}

bool sameStrides(const TensorView &a, const TensorView &b) {
  return a.batchStride == b.batchStride && a.rowStride == b.rowStride &&
         a.pixelStride == b.pixelStride && a.channelStride == b.channelStride;
}

/// Multiplies into `*product`; false on overflow.
bool multiply(uint64_t factor, uint64_t *product) {
  return !__builtin_mul_overflow(*product, factor, product);
}

class Checker {
public:
  Checker(const CallLimits &limits, uint32_t index, Call *call)
      : limits(limits), program(*limits.program), index(index), call(*call) {}

  snug_status status = success();

  bool check() {
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
    default:
      break;
    }
    code = SNUG_UNSUPPORTED;
    return fail("has kernel number %d, which this runtime does not know; use a "
                "newer runtime",
                static_cast<int>(i->kernel_type()));
  }

private:
  const CallLimits &limits;
  const schema::Program &program;
  const uint32_t index;
  Call &call;
  const char *name = "";
  snug_status_code code = SNUG_INVALID_PLAN;
  Bytes inputBytes, secondBytes, outputBytes;

#if defined(__GNUC__)
  __attribute__((format(printf, 2, 3)))
#endif
  bool fail(const char *format, ...) {
    char what[360];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    status =
        failure(code, "instruction %" PRIu32 " '%.80s' %s", index, name, what);
    return false;
  }

  /// One operand: extents, strides, bytes inside the arena, no element twice.
  bool takeView(const char *role, const schema::View &v, bool channelsLast,
                TensorView *view, uint64_t *offset, Bytes *bytes) {
    const int32_t extents[4] = {v.batch(), v.height(), v.width(), v.channels()};
    int64_t strides[4] = {v.batch_stride(), v.row_stride(), v.pixel_stride(),
                          v.channel_stride()};
    static const char *const axes[4] = {"batch", "height", "width", "channels"};
    uint64_t last = 0; // number of the element that lies last
    for (int axis = 0; axis < 4; ++axis) {
      if (extents[axis] < 1 || extents[axis] > kMaxExtent)
        return fail("has %s with %s %" PRId32
                    "; extents must be in [1, %" PRId32 "]",
                    role, axes[axis], extents[axis], kMaxExtent);
      // Also over one element: kernels may compute with a stride that they
      // never step by.
      if (strides[axis] < 0 || static_cast<uint64_t>(strides[axis]) >
                                   limits.arenaBytes / sizeof(float))
        return fail("has %s with stride %" PRId64
                    " over %s; it must be in [0, the arena's length]",
                    role, strides[axis], axes[axis]);
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
        bytes->end > limits.arenaBytes)
      return fail("has %s at byte %" PRIu64
                  " whose end lies past the arena's %" PRIu64 " bytes",
                  role, v.offset(), limits.arenaBytes);
    // Over one channel any stride means the same, and kernels get 1.
    if (channelsLast && extents[3] == 1)
      strides[3] = 1;
    if (channelsLast && strides[3] != 1)
      return fail("has %s with channel stride %" PRId64
                  "; only moves take other strides than 1",
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

  /// Whether each axis steps over everything that the finer axes span. Called
  /// with strides whose reach has been found not to overflow.
  static bool distinct(const int32_t *extents, const int64_t *strides) {
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

  bool takeInput(const schema::View &v, bool channelsLast = true) {
    return takeView("an input", v, channelsLast, &call.input, &call.inputOffset,
                    &inputBytes);
  }
  bool takeOutput(const schema::View &v, bool channelsLast = true) {
    return takeView("an output", v, channelsLast, &call.output,
                    &call.outputOffset, &outputBytes);
  }
  bool takeSecond(const char *role, const schema::View &v) {
    call.hasSecond = true;
    return takeView(role, v, true, &call.second, &call.secondOffset,
                    &secondBytes);
  }

  template <typename Table> bool takeActivation(const Table &k) {
    const schema::Activation activation = k.activation();
    if (static_cast<unsigned>(activation) >
        static_cast<unsigned>(schema::Activation::Relu6)) {
      code = SNUG_UNSUPPORTED;
      return fail("has activation number %d, which this runtime does not know; "
                  "use a newer runtime",
                  static_cast<int>(activation));
    }
    call.activation = static_cast<Activation>(activation);
    call.alpha = k.alpha();
    call.beta = k.beta();
    return true;
  }

  /// The output must not overlap what the call reads; where the kernel runs in
  /// place, it may lie exactly on an input.
  bool checkOverlap() {
    if (overlap(outputBytes, inputBytes) &&
        !(runsInPlace(call.kind, 0) && call.outputOffset == call.inputOffset &&
          sameStrides(call.output, call.input)))
      return fail("writes over its own input at byte %" PRIu64,
                  outputBytes.begin);
    if (call.hasSecond && overlap(outputBytes, secondBytes) &&
        !(runsInPlace(call.kind, 1) && call.outputOffset == call.secondOffset &&
          sameStrides(call.output, call.second)))
      return fail("writes over its own second input at byte %" PRIu64,
                  outputBytes.begin);
    return true;
  }

  /// One axis of a window: bounds, and the output's extent.
  bool checkAxis(const char *axis, int32_t in, int32_t out, int32_t kernel,
                 int32_t stride, int32_t dilation, int32_t low, int32_t high) {
    if (kernel < 1 || stride < 1 || dilation < 1 || kernel > kMaxWindow ||
        stride > kMaxWindow || dilation > kMaxWindow)
      return fail("has kernel %d, stride %d, dilation %d over %s; each must be "
                  "in [1, %d]",
                  kernel, stride, dilation, axis, kMaxWindow);
    if (low < 0 || high < 0 || low > kMaxWindow || high > kMaxWindow)
      return fail("has padding %d and %d over %s; each must be in [0, %d]", low,
                  high, axis, kMaxWindow);
    const int64_t reach = int64_t{kernel - 1} * dilation + 1;
    const int64_t padded = int64_t{in} + low + high;
    if (reach > kMaxWindow)
      return fail("has a dilated kernel of %" PRId64
                  " over %s; at most %d is read",
                  reach, axis, kMaxWindow);
    if (padded < reach || (padded - reach) / stride + 1 != out)
      return fail("has output %s %d, which does not follow from input %d, "
                  "padding %d and %d, dilated kernel %" PRId64 ", stride %d",
                  axis, out, in, low, high, reach, stride);
    return true;
  }

  bool takeWindow(const schema::Window &w) {
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
    return checkAxis("height", s.inputHeight, s.outputHeight, s.kernelHeight,
                     s.strideHeight, s.dilationHeight, s.padTop, s.padBottom) &&
           checkAxis("width", s.inputWidth, s.outputWidth, s.kernelWidth,
                     s.strideWidth, s.dilationWidth, s.padLeft, s.padRight);
  }

  /// A segment of exactly `bytes`.
  bool takeSegment(const char *role, int64_t segment, uint64_t bytes,
                   uint64_t *offset) {
    const auto *segments = program.segments();
    if (segment < 0 || segment >= static_cast<int64_t>(segments->size()))
      return fail("names segment %" PRId64 " of %u for its %s", segment,
                  segments->size(), role);
    const schema::Range *range =
        segments->Get(static_cast<uint32_t>(segment))->range();
    if (range->bytes() != bytes)
      return fail("needs %" PRIu64 " bytes of %s, but segment %" PRId64
                  " has %" PRIu64,
                  bytes, role, segment, range->bytes());
    *offset = range->offset();
    return true;
  }

  /// Weights of `elements` values before packing. Packing only adds to them, so
  /// the catalogue is never asked about more than the file holds.
  bool segmentHolds(int64_t segment, const uint64_t (&factors)[4]) {
    uint64_t bytes = sizeof(float);
    for (uint64_t factor : factors)
      if (!multiply(factor, &bytes))
        return fail("has extents whose weights overflow");
    const auto *segments = program.segments();
    if (segment < 0 || segment >= static_cast<int64_t>(segments->size()))
      return fail("names segment %" PRId64 " of %u for its weights", segment,
                  segments->size());
    const schema::Range *range =
        segments->Get(static_cast<uint32_t>(segment))->range();
    if (bytes > range->bytes())
      return fail("needs at least %" PRIu64
                  " bytes of weights, but segment %" PRId64 " has %" PRIu64,
                  bytes, segment, range->bytes());
    return true;
  }

  bool takeBias(int32_t segment, int32_t channels) {
    if (segment == -1)
      return true;
    call.hasBias = true;
    return takeSegment("bias", segment,
                       static_cast<uint64_t>(packedBiasBytes(channels)),
                       &call.biasOffset);
  }

  bool takeWorkspace(const schema::Range *range) {
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
      return fail("needs %" PRIu64 " bytes of workspace but has %" PRIu64,
                  needed, bytes.end - bytes.begin);
    if (needed == 0)
      bytes = none;
    if (overlap(bytes, inputBytes) || overlap(bytes, outputBytes) ||
        (call.hasSecond && overlap(bytes, secondBytes)))
      return fail("has a workspace at byte %" PRIu64
                  " that overlaps its tensors",
                  bytes.begin);
    call.hasWorkspace = needed != 0;
    call.workspaceOffset = bytes.begin;
    return true;
  }

  bool checkMove(const schema::Move &k) {
    call.kind = KernelKind::Move;
    if (!takeInput(*k.input(), false) || !takeOutput(*k.output(), false))
      return false;
    return checkSameExtents() && checkOverlap();
  }

  bool checkSameExtents() {
    if (!sameExtents(call.input, call.output) ||
        (call.hasSecond && !sameExtents(call.second, call.output)))
      return fail("has operands whose extents differ");
    return true;
  }

  bool checkConvolution(const schema::Convolution &k) {
    if (!takeInput(*k.input()) || !takeOutput(*k.output()))
      return false;
    if (k.residual()) {
      if (!takeSecond("a residual", *k.residual()))
        return false;
      if (!sameExtents(call.second, call.output))
        return fail("has a residual whose extents are not the output's");
    }
    if (!takeWindow(*k.window()) || !takeActivation(k))
      return false;
    WindowShape &s = call.window;
    s.groups = k.groups();
    if (s.groups < 1 || s.inputChannels % s.groups != 0 ||
        s.outputChannels % s.groups != 0)
      return fail("has %d groups, which do not divide %d input and %d output "
                  "channels",
                  s.groups, s.inputChannels, s.outputChannels);
    call.kind = convolutionKernel(s);
    const uint64_t factors[4] = {
        static_cast<uint64_t>(s.inputChannels / s.groups),
        static_cast<uint64_t>(s.outputChannels),
        static_cast<uint64_t>(s.kernelHeight),
        static_cast<uint64_t>(s.kernelWidth)};
    return segmentHolds(k.weights(), factors) &&
           takeSegment(
               "weights", k.weights(),
               static_cast<uint64_t>(packedConvolutionBytes(limits.target, s)),
               &call.weightsOffset) &&
           takeBias(k.bias(), s.outputChannels) &&
           takeWorkspace(k.workspace()) && checkOverlap();
  }

  bool checkPool(const schema::Pool &k) {
    if (!takeInput(*k.input()) || !takeOutput(*k.output()) ||
        !takeWindow(*k.window()))
      return false;
    if (k.kind() == schema::PoolKind::Max) {
      call.kind = KernelKind::MaxPool;
    } else if (k.kind() == schema::PoolKind::Average) {
      call.kind = KernelKind::AveragePool;
    } else {
      code = SNUG_UNSUPPORTED;
      return fail("has pool kind number %d, which this runtime does not know; "
                  "use a newer runtime",
                  static_cast<int>(k.kind()));
    }
    if (call.input.channels != call.output.channels)
      return fail("pools %d channels into %d", call.input.channels,
                  call.output.channels);
    call.window.groups = call.input.channels;
    call.countIncludePad = k.count_include_pad();
    return checkOverlap();
  }

  bool unknown(const char *what, int number) {
    code = SNUG_UNSUPPORTED;
    return fail("has %s number %d, which this runtime does not know; use a "
                "newer runtime",
                what, number);
  }

  bool checkReduce(const schema::Reduce &k) {
    call.kind = KernelKind::Reduce;
    call.reduceKind = static_cast<ReduceKind>(k.kind());
    if (call.reduceKind != ReduceKind::Mean)
      return unknown("reduction", static_cast<int>(k.kind()));
    if (!takeInput(*k.input()) || !takeOutput(*k.output()))
      return false;
    if (call.output.height != 1 || call.output.width != 1 ||
        call.output.batch != call.input.batch ||
        call.output.channels != call.input.channels)
      return fail("has an output that is not one pixel of the input's batch "
                  "and channels");
    return checkOverlap();
  }

  bool checkGemm(const schema::Gemm &k) {
    call.kind = KernelKind::Gemm;
    if (!takeInput(*k.input()) || !takeOutput(*k.output()) ||
        !takeActivation(k))
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

  bool checkUnary(const schema::Unary &k) {
    call.kind = KernelKind::Unary;
    return takeInput(*k.input()) && takeOutput(*k.output()) &&
           takeActivation(k) && checkSameExtents() && checkOverlap();
  }

  bool checkBinary(const schema::Binary &k) {
    call.kind = KernelKind::Binary;
    call.binaryKind = static_cast<BinaryKind>(k.kind());
    if (call.binaryKind != BinaryKind::Add)
      return unknown("binary kind", static_cast<int>(k.kind()));
    if (k.left_constant() != -1 || k.right_constant() != -1) {
      code = SNUG_UNSUPPORTED;
      return fail("has a constant operand, which this runtime does not know; "
                  "use a newer runtime");
    }
    return takeInput(*k.left()) && takeSecond("a right input", *k.right()) &&
           takeOutput(*k.output()) && takeActivation(k) && checkSameExtents() &&
           checkOverlap();
  }

  bool checkSoftmax(const schema::Softmax &k) {
    call.kind = KernelKind::Softmax;
    return takeInput(*k.input()) && takeOutput(*k.output()) &&
           checkSameExtents() && checkOverlap();
  }
};

} // namespace

snug_status checkCall(const CallLimits &limits, uint32_t index,
                      Call *out_call) {
  *out_call = Call();
  Checker checker(limits, index, out_call);
  checker.check();
  return checker.status;
}

const char *kernelName(KernelKind kind) {
  switch (kind) {
  case KernelKind::Move:
    return "move";
  case KernelKind::Convolution:
    return "convolution";
  case KernelKind::Depthwise:
    return "depthwise";
  case KernelKind::MaxPool:
    return "max-pool";
  case KernelKind::AveragePool:
    return "average-pool";
  case KernelKind::Reduce:
    return "reduce";
  case KernelKind::Gemm:
    return "gemm";
  case KernelKind::Unary:
    return "unary";
  case KernelKind::Binary:
    return "binary";
  case KernelKind::Softmax:
    return "softmax";
  case KernelKind::TransposedConvolution:
    return "transposed-convolution";
  case KernelKind::Resize:
    return "resize";
  case KernelKind::Pad:
    return "pad";
  case KernelKind::Rearrange:
    return "rearrange";
  case KernelKind::LocalResponseNormalization:
    return "local-response-normalization";
  case KernelKind::MatMul:
    return "matmul";
  }
  return "unknown";
}

} // namespace runtime
} // namespace snug
