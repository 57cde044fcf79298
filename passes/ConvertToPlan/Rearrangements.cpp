// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of what only moves elements, or samples them.
#include "passes/ConvertToPlan/Lowering.h"

#include <algorithm>

using namespace mlir;

namespace snug {

using network::Interval;

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Places of elements, and copies of patterns
//===----------------------------------------------------------------------===//

Lowering::Placement Lowering::place(const network::View &view,
                                    ArrayRef<int64_t> shape) {
  const network::Buffer &from = steps.buffers[view.buffer];
  Placement placement;
  Value whole = buffer(view.buffer);
  auto type = cast<plan::BufferType>(whole.getType());
  placement.view = plan::ViewOp::create(
      builder, function.getLoc(),
      plan::ViewType::get(builder.getContext(), type.getBatch(),
                          type.getHeight(), type.getWidth(), type.getChannels(),
                          type.getLayout()),
      whole, 0, 0, 0);
  const int64_t rows = from.rows.size(), columns = from.columns.size();
  const bool isChannelsLast = from.layout == network::Layout::ChannelsLast;
  const int64_t channel = isChannelsLast ? 1 : rows * columns;
  const int64_t column = isChannelsLast ? from.channels : 1;
  const int64_t row = column * columns;
  const int64_t batch = from.channels * rows * columns;
  placement.begin = view.channels.begin * channel;
  if (!network::isReshaped(built.network, steps, view) &&
      (shape.size() == 4 || shape.size() == 2)) {
    placement.strides = {batch, channel};
    if (shape.size() == 4) {
      placement.strides.append({row, column});
      placement.begin -= from.rows.begin * row + from.columns.begin * column;
    }
    return placement;
  }
  // Elements in ONNX order.
  placement.strides.assign(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i)
    placement.strides[i - 2] = placement.strides[i - 1] * shape[i - 1];
  return placement;
}

/// One axis of a copy: so many elements, and the distances between them.
struct Lowering::CopiedAxis {
  int64_t extent, inputStride, outputStride;
};

void Lowering::createRearrange(const Step &step, Location location,
                               const Placement &input, int64_t inputBegin,
                               const Placement &output, int64_t outputBegin,
                               ArrayRef<CopiedAxis> axes) {
  // Outermost first, as the output lies; axes that continue each other on both
  // sides are one.
  SmallVector<CopiedAxis> sorted;
  for (const CopiedAxis &axis : axes)
    if (axis.extent != 1)
      sorted.push_back(axis);
  llvm::stable_sort(sorted, [](const CopiedAxis &a, const CopiedAxis &b) {
    return a.outputStride > b.outputStride;
  });
  SmallVector<int64_t> extents, inputStrides, outputStrides;
  for (const CopiedAxis &axis : sorted) {
    if (!extents.empty() &&
        inputStrides.back() == axis.extent * axis.inputStride &&
        outputStrides.back() == axis.extent * axis.outputStride) {
      extents.back() *= axis.extent;
      inputStrides.back() = axis.inputStride;
      outputStrides.back() = axis.outputStride;
      continue;
    }
    extents.push_back(axis.extent);
    inputStrides.push_back(axis.inputStride);
    outputStrides.push_back(axis.outputStride);
  }
  if (extents.empty()) {
    extents.push_back(1);
    inputStrides.push_back(1);
    outputStrides.push_back(1);
  }
  create<plan::RearrangeOp>(step, location, input.view, output.view, extents,
                            input.begin + inputBegin, inputStrides,
                            output.begin + outputBegin, outputStrides);
}

/// Elements begin, begin + step, ... of an input's axis go to [out.begin,
/// out.end) of the result's.
struct Lowering::CopiedRange {
  Interval out;
  int64_t begin = 0, step = 1;
};

void Lowering::copyRanges(const Step &step, Location location,
                          const Placement &input, const Placement &output,
                          ArrayRef<CopiedRange> ranges) {
  SmallVector<CopiedAxis> axes;
  int64_t inputBegin = 0, outputBegin = 0;
  for (auto [i, range] : llvm::enumerate(ranges)) {
    if (range.out.empty())
      return;
    axes.push_back(
        {range.out.size(), range.step * input.strides[i], output.strides[i]});
    inputBegin += range.begin * input.strides[i];
    outputBegin += range.out.begin * output.strides[i];
  }
  createRearrange(step, location, input, inputBegin, output, outputBegin, axes);
}

/// The part of a tensor of `shape` that a view covers, along each axis: rows
/// and columns of images may be a tile's.
static SmallVector<Interval> intervalsOf(const network::View &view,
                                         ArrayRef<int64_t> shape) {
  SmallVector<Interval> intervals;
  for (int64_t extent : shape)
    intervals.push_back({0, extent});
  if (shape.size() == 4) {
    intervals[2] = view.rows;
    intervals[3] = view.columns;
  }
  return intervals;
}

//===----------------------------------------------------------------------===//
// Reshape, transpose, concat, slice
//===----------------------------------------------------------------------===//

/// What expand() could not leave where it is.
void Lowering::createCopy(const Step &step, Operation *op) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  create<plan::MoveOp>(step, op->getLoc(), input, output);
}

LogicalResult Lowering::lower(const Step &step, cnn::ReshapeOp op) {
  createCopy(step, op);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::TransposeOp op) {
  Placement input = place(step.inputs[0], shapeOf(op.getInput()));
  Placement output = place(step.output, shapeOf(op.getResult()));
  SmallVector<CopiedAxis> axes;
  for (auto [i, extent] : llvm::enumerate(shapeOf(op.getResult())))
    axes.push_back(
        {extent, input.strides[op.getPermutation()[i]], output.strides[i]});
  createRearrange(step, op.getLoc(), input, 0, output, 0, axes);
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::ConcatOp op) {
  if (step.operand >= 0) {
    createCopy(step, op);
    return success();
  }
  Placement output = place(step.output, shapeOf(op.getResult()));
  SmallVector<Interval> wanted =
      intervalsOf(step.output, shapeOf(op.getResult()));
  const int64_t axis = op.getAxis();
  int64_t begin = 0;
  for (auto [view, value] : llvm::zip_equal(step.inputs, op.getInputs())) {
    const int64_t extent = shapeOf(value)[axis];
    SmallVector<CopiedRange> ranges;
    for (const Interval &interval : wanted)
      ranges.push_back({interval, interval.begin, 1});
    // The share of this operand, in the result's coordinates.
    Interval &share = ranges[axis].out;
    share = {std::max(share.begin, begin), std::min(share.end, begin + extent)};
    ranges[axis].begin = share.begin - begin;
    begin += extent;
    if (!share.empty())
      copyRanges(step, op.getLoc(), place(view, shapeOf(value)), output,
                 ranges);
  }
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::SliceOp op) {
  if (step.operand >= 0) {
    createCopy(step, op);
    return success();
  }
  Placement input = place(step.inputs[0], shapeOf(op.getInput()));
  Placement output = place(step.output, shapeOf(op.getResult()));
  SmallVector<CopiedRange> ranges;
  for (auto [i, interval] :
       llvm::enumerate(intervalsOf(step.output, shapeOf(op.getResult())))) {
    const int64_t stride = op.getSteps()[i];
    ranges.push_back(
        {interval, op.getStarts()[i] + interval.begin * stride, stride});
  }
  copyRanges(step, op.getLoc(), input, output, ranges);
  return success();
}

//===----------------------------------------------------------------------===//
// Channels and pixels
//===----------------------------------------------------------------------===//

/// Consecutive result rows (or columns) as runs of whole blocks and of parts of
/// one.
struct BlockRun {
  int64_t block, blocks; ///< of the input's rows
  int64_t inside, count; ///< of a block's rows
};

static SmallVector<BlockRun, 3> splitBlocks(Interval rows, int64_t block) {
  SmallVector<BlockRun, 3> runs;
  int64_t at = rows.begin;
  auto takePart = [&](int64_t end) {
    if (at < end)
      runs.push_back({at / block, 1, at % block, end - at});
    at = std::max(at, end);
  };
  if (at % block != 0)
    takePart(std::min(rows.end, (at / block + 1) * block));
  if (const int64_t blocks = (rows.end - at) / block; blocks > 0) {
    runs.push_back({at / block, blocks, 0, block});
    at += blocks * block;
  }
  takePart(rows.end);
  return runs;
}

LogicalResult Lowering::lower(const Step &step, cnn::DepthToSpaceOp op) {
  Placement input = place(step.inputs[0], shapeOf(op.getInput()));
  Placement output = place(step.output, shapeOf(op.getResult()));
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  const int64_t block = op.getBlock();
  const bool depthFirst = op.getMode() == cnn::DepthOrder::DepthColumnRow;
  // Input channel of result channel c at row i and column j of a block.
  const int64_t perRow = depthFirst ? block * shape[1] : block;
  const int64_t perColumn = depthFirst ? shape[1] : 1;
  const int64_t perChannel = depthFirst ? 1 : block * block;
  ArrayRef<int64_t> in = input.strides, out = output.strides;
  for (const BlockRun &row : splitBlocks(step.output.rows, block))
    for (const BlockRun &column : splitBlocks(step.output.columns, block))
      createRearrange(step, op.getLoc(), input,
                      row.block * in[2] + column.block * in[3] +
                          (row.inside * perRow + column.inside * perColumn) *
                              in[1],
                      output,
                      (row.block * block + row.inside) * out[2] +
                          (column.block * block + column.inside) * out[3],
                      {{shape[0], in[0], out[0]},
                       {row.blocks, in[2], block * out[2]},
                       {row.count, perRow * in[1], out[2]},
                       {column.blocks, in[3], block * out[3]},
                       {column.count, perColumn * in[1], out[3]},
                       {shape[1], perChannel * in[1], out[1]}});
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::SpaceToDepthOp op) {
  Placement input = place(step.inputs[0], shapeOf(op.getInput()));
  Placement output = place(step.output, shapeOf(op.getResult()));
  const int64_t block = op.getBlock();
  const int64_t channels = shapeOf(op.getInput())[1];
  ArrayRef<int64_t> in = input.strides, out = output.strides;
  const Interval rows = step.output.rows, columns = step.output.columns;
  createRearrange(step, op.getLoc(), input,
                  rows.begin * block * in[2] + columns.begin * block * in[3],
                  output, rows.begin * out[2] + columns.begin * out[3],
                  {{shapeOf(op.getResult())[0], in[0], out[0]},
                   {rows.size(), block * in[2], out[2]},
                   {columns.size(), block * in[3], out[3]},
                   {block, in[2], block * channels * out[1]},
                   {block, in[3], channels * out[1]},
                   {channels, in[1], out[1]}});
  return success();
}

LogicalResult Lowering::lower(const Step &step, cnn::ChannelShuffleOp op) {
  Placement input = place(step.inputs[0], shapeOf(op.getInput()));
  Placement output = place(step.output, shapeOf(op.getResult()));
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  const int64_t groups = op.getGroups(), each = shape[1] / groups;
  ArrayRef<int64_t> in = input.strides, out = output.strides;
  const Interval rows = step.output.rows, columns = step.output.columns;
  createRearrange(step, op.getLoc(), input,
                  rows.begin * in[2] + columns.begin * in[3], output,
                  rows.begin * out[2] + columns.begin * out[3],
                  {{shape[0], in[0], out[0]},
                   {rows.size(), in[2], out[2]},
                   {columns.size(), in[3], out[3]},
                   {each, in[1], groups * out[1]},
                   {groups, each * in[1], out[1]}});
  return success();
}

//===----------------------------------------------------------------------===//
// Resize and pad
//===----------------------------------------------------------------------===//

LogicalResult Lowering::lower(const Step &step, cnn::ResizeOp op) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  const network::View &from = step.inputs[0], &to = step.output;
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  create<plan::ResizeOp>(
      step, op.getLoc(), input, output,
      *plan::symbolizeResizeMode(static_cast<uint32_t>(op.getMode())),
      *plan::symbolizeRounding(static_cast<uint32_t>(op.getRounding())),
      op.getScale(), op.getShift(), ArrayRef<int64_t>{shape[2], shape[3]},
      ArrayRef<int64_t>{from.rows.begin, from.columns.begin},
      ArrayRef<int64_t>{to.rows.begin, to.columns.begin});
  return success();
}

/// Where the elements of a padded axis come from: of `extent` elements with
/// `low` in front, those at [wanted.begin, wanted.end) of the result.
static SmallVector<std::tuple<Interval, int64_t, int64_t>, 3>
splitPadded(cnn::PadMode mode, Interval wanted, int64_t extent, int64_t low) {
  SmallVector<std::tuple<Interval, int64_t, int64_t>, 3> parts;
  const bool mirrors = mode == cnn::PadMode::Reflect;
  auto add = [&](int64_t begin, int64_t end, auto source, int64_t step) {
    Interval part{std::max(wanted.begin, begin), std::min(wanted.end, end)};
    if (!part.empty())
      parts.push_back({part, source(part.begin - low), step});
  };
  add(0, low, [&](int64_t at) { return mirrors ? -at : 0; }, mirrors ? -1 : 0);
  add(low, low + extent, [](int64_t at) { return at; }, 1);
  add(
      low + extent, wanted.end,
      [&](int64_t at) { return mirrors ? 2 * (extent - 1) - at : extent - 1; },
      mirrors ? -1 : 0);
  return parts;
}

LogicalResult Lowering::lower(const Step &step, cnn::PadOp op) {
  plan::PadMode mode =
      *plan::symbolizePadMode(static_cast<uint32_t>(op.getMode()));
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  ArrayRef<int64_t> low = op.getLow(), high = op.getHigh();
  if (isPlanar(step)) {
    PadExtents merged = *mergePad(shape, low, high);
    Value input = viewAs(step.inputs[0], merged.input);
    Value output = viewAs(step.output, merged.result);
    create<plan::PadOp>(step, op.getLoc(), input, output, mode,
                        ArrayRef<int64_t>{merged.low[1], merged.low[2],
                                          merged.high[1], merged.high[2],
                                          merged.low[3], merged.high[3]},
                        op.getValue());
    return success();
  }
  SmallVector<Interval> wanted = intervalsOf(step.output, shapeOf(op));
  const bool isWhole =
      wanted.size() < 4 || (wanted[2].size() == shapeOf(op)[2] &&
                            wanted[3].size() == shapeOf(op)[3]);
  if (!isWhole && op.getMode() != cnn::PadMode::Constant) {
    // A tile mirrors or repeats elements that its own view may not have.
    Placement input = place(step.inputs[0], shape);
    Placement output = place(step.output, shapeOf(op));
    auto split = [&](int axis) {
      return splitPadded(op.getMode(), wanted[axis], shape[axis], low[axis]);
    };
    for (auto [channels, fromChannel, byChannel] : split(1))
      for (auto [rows, fromRow, byRow] : split(2))
        for (auto [columns, fromColumn, byColumn] : split(3))
          copyRanges(step, op.getLoc(), input, output,
                     {{wanted[0], 0, 1},
                      {channels, fromChannel, byChannel},
                      {rows, fromRow, byRow},
                      {columns, fromColumn, byColumn}});
    return success();
  }
  // The elements of the input that this part of the result holds.
  network::View from = step.inputs[0];
  SmallVector<int64_t, 4> pads(4, 0);
  if (shape.size() == 4) {
    auto narrow = [&](Interval &part, const Interval &result, int axis) {
      part = {std::max(part.begin, result.begin - low[axis]),
              std::min(part.end, result.end - low[axis])};
      pads[axis - 2] = part.begin + low[axis] - result.begin;
      pads[axis] = result.end - (part.end + low[axis]);
    };
    narrow(from.rows, step.output.rows, 2);
    narrow(from.columns, step.output.columns, 3);
  }
  Value input = view(from);
  Value output = view(step.output);
  create<plan::PadOp>(
      step, op.getLoc(), input, output, mode,
      ArrayRef<int64_t>{pads[0], pads[1], pads[2], pads[3], low[1], high[1]},
      op.getValue());
  return success();
}

} // namespace snug
