// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folds padding into the window behind it.
#include "passes/FoldPad/FoldPad.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "snug-fold-pad"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_FOLDPADPASS
#include "passes/FoldPad/FoldPad.h.inc"

namespace {

/// The padding that produces `value`, if it adds a constant around height and
/// width only; null otherwise.
cnn::PadOp spatialPadding(Value value) {
  auto pad = value.getDefiningOp<cnn::PadOp>();
  if (!pad || pad.getMode() != cnn::PadMode::Constant ||
      pad.getType().getRank() != 4)
    return {};
  for (int64_t axis : {0, 1})
    if (pad.getLow()[axis] != 0 || pad.getHigh()[axis] != 0)
      return {};
  return pad;
}

/// Pads (top, left, bottom, right) of a window together with those of `pad`.
SmallVector<int64_t> joinPads(cnn::PadOp pad, ArrayRef<int64_t> pads) {
  const ArrayRef<int64_t> low = pad.getLow(), high = pad.getHigh();
  return {pads[0] + low[2], pads[1] + low[3], pads[2] + high[2],
          pads[3] + high[3]};
}

bool isZero(ArrayRef<int64_t> numbers) {
  return llvm::all_of(numbers, [](int64_t number) { return number == 0; });
}

/// True where no window of a pooling would see padding only.
bool fits(ArrayRef<int64_t> pads, ArrayRef<int64_t> kernel,
          ArrayRef<int64_t> dilations, cnn::PadOp pad) {
  const ArrayRef<int64_t> input = pad.getInput().getType().getShape();
  for (int axis : {0, 1}) {
    const int64_t extent = (kernel[axis] - 1) * dilations[axis] + 1;
    if (pads[axis] >= extent || pads[axis + 2] >= extent ||
        dilations[axis] > input[2 + axis])
      return false;
  }
  return true;
}

/// Lets `window` read what `pad` reads, with `pads`.
template <typename OpTy>
void takePads(OpTy window, cnn::PadOp pad, ArrayRef<int64_t> pads) {
  window.setPads(pads);
  window.getInputMutable().assign(pad.getInput());
  if (pad.getResult().use_empty())
    pad.erase();
}

void fold(cnn::Conv2DOp conv) {
  cnn::PadOp pad = spatialPadding(conv.getInput());
  if (pad && pad.getValue().isZero())
    takePads(conv, pad, joinPads(pad, conv.getPads()));
}

void fold(cnn::MaxPool2DOp pool) {
  cnn::PadOp pad = spatialPadding(pool.getInput());
  if (!pad || !pad.getValue().isInfinity() || !pad.getValue().isNegative())
    return;
  const SmallVector<int64_t> pads = joinPads(pad, pool.getPads());
  if (fits(pads, pool.getKernel(), pool.getDilations(), pad))
    takePads(pool, pad, pads);
}

void fold(cnn::AvgPool2DOp pool) {
  cnn::PadOp pad = spatialPadding(pool.getInput());
  if (!pad || !pad.getValue().isZero())
    return;
  // What was padded outside counts; what the pooling pads has to count, too.
  const bool hasPads = !isZero(pool.getPads());
  if (hasPads && !pool.getCountIncludePad())
    return;
  const SmallVector<int64_t> pads = joinPads(pad, pool.getPads());
  SmallVector<int64_t> all = pads;
  for (int axis : {0, 1})
    all[axis + 2] += pool.getCeilPads()[axis];
  if (!fits(all, pool.getKernel(), {1, 1}, pad))
    return;
  pool.setCountIncludePad(true);
  takePads(pool, pad, pads);
}

struct FoldPadPass : public impl::FoldPadPassBase<FoldPadPass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      llvm::TypeSwitch<Operation *>(op)
          .Case<cnn::Conv2DOp, cnn::MaxPool2DOp, cnn::AvgPool2DOp>(
              [](auto window) { fold(window); });
    });
  }
};

} // namespace
} // namespace snug
