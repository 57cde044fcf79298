// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The check of one instruction: what all kernels share stands in
// CallChecker.cpp, what each of them asks for in KernelChecks.cpp.
#ifndef SNUG_RUNTIME_SRC_CORE_CHECKER_H
#define SNUG_RUNTIME_SRC_CORE_CHECKER_H

#include "Call.h"
#include "Status.h"

#include <cinttypes>
#include <cstdio>

namespace snug {
namespace runtime {

// Bounds that no network comes near; below them a kernel's 32-bit arithmetic
// on extents, pads and strides cannot overflow.
constexpr int32_t kMaxExtent = 1 << 30;
constexpr int32_t kMaxWindow = 1 << 20;

/// A half-open range of bytes in the arena.
struct Bytes {
  uint64_t begin = 0, end = 0;
};

/// Which strides a kernel takes.
enum class Strides { ChannelsLast, Any };

bool sameExtents(const TensorView &a, const TensorView &b);

class Checker {
public:
  Checker(const CallLimits &limits, uint32_t index, Call *call)
      : limits(limits), program(*limits.program), index(index), call(*call) {}

  snug_status status = success();

  bool check();

private:
  /// What a view lies in.
  struct Region {
    const char *name;
    uint64_t bytes;
  };

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
  bool fail(const char *format, ...);
  /// A number that a later version may have given a meaning.
  bool unknown(const char *what, int number);

  bool takeView(const char *role, const schema::View &v, Strides strides,
                const Region &region, TensorView *view, uint64_t *offset,
                Bytes *bytes);
  Region arena() const { return {"arena", limits.arenaBytes}; }
  bool takeInput(const schema::View &v,
                 Strides strides = Strides::ChannelsLast) {
    return takeView("an input", v, strides, arena(), &call.input,
                    &call.inputOffset, &inputBytes);
  }
  bool takeOutput(const schema::View &v,
                  Strides strides = Strides::ChannelsLast) {
    return takeView("an output", v, strides, arena(), &call.output,
                    &call.outputOffset, &outputBytes);
  }
  bool takeSecond(const char *role, const schema::View &v,
                  Strides strides = Strides::ChannelsLast) {
    call.hasSecond = true;
    return takeView(role, v, strides, arena(), &call.second, &call.secondOffset,
                    &secondBytes);
  }

  bool takeActivation(schema::Activation activation, float alpha, float beta);
  template <typename Table> bool takeEpilogue(const Table &k) {
    return takeActivation(k.activation(), k.alpha(), k.beta());
  }
  bool checkOverlap();
  bool checkSameExtents();

  bool checkSteps(const char *axis, int32_t kernel, int32_t stride,
                  int32_t dilation);
  bool checkAxis(const char *axis, int32_t in, int32_t out, int32_t kernel,
                 int32_t stride, int32_t dilation, int32_t low, int32_t high);
  bool takeShape(const schema::Window &w);
  bool takeWindow(const schema::Window &w);
  bool takeGroups(int32_t groups);

  const schema::Range *findSegment(const char *role, int64_t segment);
  const schema::WeightRange *lastRange(uint32_t begin, uint64_t offset) const;
  bool isMapped(const schema::Range &bytes) const;
  bool takeSegment(const char *role, int64_t segment, uint64_t bytes,
                   uint64_t *offset);
  bool segmentHolds(int64_t segment, const uint64_t (&factors)[4]);
  bool segmentHoldsFilter(int64_t segment);
  bool takeBias(int32_t segment, int32_t channels);
  bool takeWorkspace(const schema::Range *range);

  bool checkMove(const schema::Move &k);
  bool checkConvolution(const schema::Convolution &k);
  bool checkTransposedAxis(const char *axis, int32_t in, int32_t out,
                           int32_t kernel, int32_t stride, int32_t dilation,
                           int32_t offset);
  bool checkTransposedConvolution(const schema::TransposedConvolution &k);
  bool checkPool(const schema::Pool &k);
  bool checkReduce(const schema::Reduce &k);
  bool checkGemm(const schema::Gemm &k);
  bool checkUnary(const schema::Unary &k);
  bool takeOperand(const char *role, const schema::View &v, int32_t constant,
                   TensorView *view, uint64_t *offset, Bytes *bytes,
                   bool *isConstant);
  bool checkBinary(const schema::Binary &k);
  bool checkSoftmax(const schema::Softmax &k);
  bool takeResizeAxis(const char *name, const ResizeAxis &axis, int32_t in,
                      int32_t out);
  bool checkResize(const schema::Resize &k);
  bool checkPads(const char *axis, int32_t in, int32_t out, int32_t low,
                 int32_t high, PadMode mode);
  bool checkPad(const schema::Pad &k);
  template <typename Vector>
  bool takePattern(const char *role, uint64_t offset, const Vector &strides,
                   bool output, int64_t *out_strides, Bytes *bytes);
  bool checkRearrange(const schema::Rearrange &k);
  bool checkNormalization(const schema::LocalResponseNormalization &k);
  bool checkMatMul(const schema::MatMul &k);
};

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_CHECKER_H
