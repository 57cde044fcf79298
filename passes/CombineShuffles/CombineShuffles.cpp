// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reshapes around a transposition become the shuffle that they are.
#include "passes/CombineShuffles/CombineShuffles.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"

#include <utility>

#define DEBUG_TYPE "snug-combine-shuffles"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_COMBINESHUFFLESPASS
#include "passes/CombineShuffles/CombineShuffles.h.inc"

namespace {

/// How the elements of a result follow one another in the input: loops from the
/// outermost to the innermost one, each with an extent and the distance between
/// its elements. Two movements are the same where their loops are.
using Loops = SmallVector<std::pair<int64_t, int64_t>>;

/// Without loops of one element, and loops that are one in memory made one.
Loops normalize(const Loops &loops) {
  Loops result;
  for (auto [extent, stride] : loops) {
    if (extent == 1)
      continue;
    if (!result.empty() && result.back().second == extent * stride)
      result.back() = {result.back().first * extent, stride};
    else
      result.push_back({extent, stride});
  }
  return result;
}

Loops loopsOf(cnn::TransposeOp op) {
  const ArrayRef<int64_t> shape = op.getInput().getType().getShape();
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  Loops loops;
  for (int64_t axis : op.getPermutation())
    loops.push_back({shape[axis], strides[axis]});
  return normalize(loops);
}

Loops shuffleLoops(ArrayRef<int64_t> input, int64_t groups) {
  const int64_t pixels = input[2] * input[3], perGroup = input[1] / groups;
  return normalize({{input[0], input[1] * pixels},
                    {perGroup, pixels},
                    {groups, perGroup * pixels},
                    {pixels, 1}});
}

Loops depthToSpaceLoops(ArrayRef<int64_t> input, int64_t block,
                        cnn::DepthOrder order) {
  const int64_t pixels = input[2] * input[3];
  const int64_t channels = input[1] / (block * block);
  const bool depthFirst = order == cnn::DepthOrder::ColumnRowDepth;
  const int64_t channel = depthFirst ? block * block * pixels : pixels;
  const int64_t column = depthFirst ? pixels : channels * pixels;
  return normalize({{input[0], input[1] * pixels},
                    {channels, channel},
                    {input[2], input[3]},
                    {block, block * column},
                    {input[3], 1},
                    {block, column}});
}

Loops spaceToDepthLoops(ArrayRef<int64_t> input, int64_t block) {
  return normalize({{input[0], input[1] * input[2] * input[3]},
                    {block, input[3]},
                    {block, 1},
                    {input[1], input[2] * input[3]},
                    {input[2] / block, block * input[3]},
                    {input[3] / block, block}});
}

/// The operation on `input` that gives an image of `shape` by `loops`; null
/// where there is none.
Value combine(OpBuilder &builder, Location location, Value input,
              RankedTensorType type, const Loops &loops) {
  const ArrayRef<int64_t> from =
      cast<RankedTensorType>(input.getType()).getShape();
  const ArrayRef<int64_t> to = type.getShape();
  if (from == to) {
    for (int64_t groups = 2; groups < from[1]; ++groups)
      if (from[1] % groups == 0 && shuffleLoops(from, groups) == loops)
        return cnn::ChannelShuffleOp::create(builder, location, type, input,
                                             groups);
    return {};
  }
  if (from[0] != to[0])
    return {};
  if (const int64_t block = to[2] / from[2];
      block > 1 && to[2] == from[2] * block && to[3] == from[3] * block)
    for (cnn::DepthOrder order :
         {cnn::DepthOrder::DepthColumnRow, cnn::DepthOrder::ColumnRowDepth})
      if (depthToSpaceLoops(from, block, order) == loops)
        return cnn::DepthToSpaceOp::create(builder, location, type, input,
                                           block, order);
  if (const int64_t block = from[2] / to[2];
      block > 1 && from[2] == to[2] * block && from[3] == to[3] * block &&
      spaceToDepthLoops(from, block) == loops)
    return cnn::SpaceToDepthOp::create(builder, location, type, input, block);
  return {};
}

void combine(cnn::ReshapeOp last) {
  auto transpose = last.getInput().getDefiningOp<cnn::TransposeOp>();
  if (!transpose || !transpose.getResult().hasOneUse() ||
      transpose->getBlock() != last->getBlock())
    return;
  auto first = transpose.getInput().getDefiningOp<cnn::ReshapeOp>();
  if (!first || first.getInput().getType().getRank() != 4 ||
      last.getType().getRank() != 4)
    return;
  OpBuilder builder(last);
  const Value combined = combine(builder, last.getLoc(), first.getInput(),
                                 last.getType(), loopsOf(transpose));
  if (!combined)
    return;
  last.getResult().replaceAllUsesWith(combined);
  last.erase();
  transpose.erase();
  if (first.getResult().use_empty())
    first.erase();
}

struct CombineShufflesPass
    : public impl::CombineShufflesPassBase<CombineShufflesPass> {
  void runOnOperation() override {
    getOperation().walk([](cnn::ReshapeOp op) { combine(op); });
  }
};

} // namespace
} // namespace snug
