// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of the plan schema for kernels: one function a kernel.
#include "KernelTables.h"

#include "llvm/ADT/TypeSwitch.h"

#include <memory>

using namespace mlir;

namespace snug {

namespace {

class KernelTables {
public:
  explicit KernelTables(const llvm::StringMap<int> &segments)
      : segments(segments) {}

  schema::MoveT table(plan::MoveOp op);
  schema::ConvolutionT table(plan::ConvolutionOp op);
  schema::TransposedConvolutionT table(plan::TransposedConvolutionOp op);
  schema::PoolT table(plan::PoolOp op);
  schema::ReduceT table(plan::ReduceOp op);
  schema::GemmT table(plan::GemmOp op);
  schema::MatMulT table(plan::MatMulOp op);
  schema::UnaryT table(plan::UnaryOp op);
  schema::BinaryT table(plan::BinaryOp op);
  schema::SoftmaxT table(plan::SoftmaxOp op);
  schema::LocalResponseNormalizationT table(plan::LrnOp op);
  schema::ResizeT table(plan::ResizeOp op);
  schema::PadT table(plan::PadOp op);
  schema::RearrangeT table(plan::RearrangeOp op);

private:
  /// A table with the views that most kernels have.
  template <typename Table, typename Op> static Table withViews(Op op);
  int segmentIndex(std::optional<StringRef> symbol) const {
    return symbol ? segments.lookup(*symbol) : -1;
  }

  const llvm::StringMap<int> &segments;
};

} // namespace

//===----------------------------------------------------------------------===//
// Views, windows, epilogues
//===----------------------------------------------------------------------===//

/// Where a view's elements lie: byte offset in the arena, strides in elements.
static std::unique_ptr<schema::View> makeView(Value value) {
  if (!value)
    return nullptr;
  auto op = value.getDefiningOp<plan::ViewOp>();
  plan::BufferType whole = op.getBuffer().getType();
  plan::ViewType part = op.getType();
  // Where both orders are the same bytes, they are described as channels last,
  // which is what compute kernels take.
  bool isPlanar = whole.getLayout() == plan::Layout::Planar &&
                  whole.getChannels() != 1 &&
                  whole.getHeight() * whole.getWidth() != 1;
  int64_t channelStride = isPlanar ? whole.getHeight() * whole.getWidth() : 1;
  int64_t pixelStride = isPlanar ? 1 : whole.getChannels();
  int64_t rowStride = pixelStride * whole.getWidth();
  int64_t batchStride =
      whole.getChannels() * whole.getHeight() * whole.getWidth();
  int64_t first = op.getRow() * rowStride + op.getColumn() * pixelStride +
                  op.getChannel() * channelStride;
  return std::make_unique<schema::View>(
      *plan::findBuffer(value).getOffset() + 4 * first, part.getBatch(),
      part.getHeight(), part.getWidth(), part.getChannels(), batchStride,
      rowStride, pixelStride, channelStride);
}

template <typename Op>
static std::unique_ptr<schema::Window> makeWindow(Op op,
                                                  ArrayRef<int64_t> pads) {
  return std::make_unique<schema::Window>(
      op.getKernel()[0], op.getKernel()[1], op.getStrides()[0],
      op.getStrides()[1], op.getDilations()[0], op.getDilations()[1], pads[0],
      pads[1], pads[2], pads[3]);
}

template <typename Table, typename Op>
static void setEpilogue(Table &table, Op op) {
  table.activation = static_cast<schema::Activation>(op.getActivation());
  table.alpha = op.getAlpha().convertToFloat();
  table.beta = op.getBeta().convertToFloat();
}

template <typename Table, typename Op> Table KernelTables::withViews(Op op) {
  Table table;
  table.input = makeView(op.getInput());
  table.output = makeView(op.getOutput());
  return table;
}

//===----------------------------------------------------------------------===//
// Convolutions, poolings, matrix products
//===----------------------------------------------------------------------===//

schema::ConvolutionT KernelTables::table(plan::ConvolutionOp op) {
  auto table = withViews<schema::ConvolutionT>(op);
  table.residual = makeView(op.getResidual());
  table.window = makeWindow(op, op.getPads());
  table.groups = static_cast<int32_t>(op.getConvolutionGroups());
  table.weights = segmentIndex(op.getWeights());
  table.bias = segmentIndex(op.getBias());
  table.winograd = op.getWinograd();
  setEpilogue(table, op);
  if (Value workspace = op.getWorkspace()) {
    auto buffer = workspace.getDefiningOp<plan::BufferOp>();
    table.workspace =
        std::make_unique<schema::Range>(*buffer.getOffset(), buffer.getBytes());
  }
  return table;
}

schema::TransposedConvolutionT
KernelTables::table(plan::TransposedConvolutionOp op) {
  auto table = withViews<schema::TransposedConvolutionT>(op);
  table.window = makeWindow(op, {0, 0, 0, 0});
  table.groups = static_cast<int32_t>(op.getConvolutionGroups());
  table.row_offset = static_cast<int32_t>(op.getOffsets()[0]);
  table.column_offset = static_cast<int32_t>(op.getOffsets()[1]);
  table.weights = segmentIndex(op.getWeights());
  table.bias = segmentIndex(op.getBias());
  setEpilogue(table, op);
  return table;
}

schema::PoolT KernelTables::table(plan::PoolOp op) {
  auto table = withViews<schema::PoolT>(op);
  table.window = makeWindow(op, op.getPads());
  table.kind = static_cast<schema::PoolKind>(op.getKind());
  table.count_include_pad = op.getCountIncludePad();
  table.counted_bottom = static_cast<int32_t>(op.getCounted()[0]);
  table.counted_right = static_cast<int32_t>(op.getCounted()[1]);
  return table;
}

schema::ReduceT KernelTables::table(plan::ReduceOp op) {
  auto table = withViews<schema::ReduceT>(op);
  table.kind = static_cast<schema::ReduceKind>(op.getKind());
  return table;
}

schema::GemmT KernelTables::table(plan::GemmOp op) {
  auto table = withViews<schema::GemmT>(op);
  table.weights = segmentIndex(op.getWeights());
  table.bias = segmentIndex(op.getBias());
  setEpilogue(table, op);
  return table;
}

schema::MatMulT KernelTables::table(plan::MatMulOp op) {
  schema::MatMulT table;
  table.left = makeView(op.getLeft());
  table.right = makeView(op.getRight());
  table.output = makeView(op.getOutput());
  return table;
}

//===----------------------------------------------------------------------===//
// Elementwise, and over channels
//===----------------------------------------------------------------------===//

schema::UnaryT KernelTables::table(plan::UnaryOp op) {
  auto table = withViews<schema::UnaryT>(op);
  setEpilogue(table, op);
  return table;
}

schema::BinaryT KernelTables::table(plan::BinaryOp op) {
  schema::BinaryT table;
  table.left = makeView(op.getLeft());
  table.right = makeView(op.getRight());
  table.output = makeView(op.getOutput());
  table.kind = static_cast<schema::BinaryKind>(op.getKind());
  setEpilogue(table, op);
  if (std::optional<StringRef> constant = op.getConstant()) {
    ArrayRef<int64_t> extents = *op.getConstantExtents();
    ArrayRef<int64_t> strides = *op.getConstantStrides();
    auto view = std::make_unique<schema::View>(
        4 * *op.getConstantBegin(), extents[0], extents[1], extents[2],
        extents[3], strides[0], strides[1], strides[2], strides[3]);
    (op.getLeft() ? table.right : table.left) = std::move(view);
    (op.getLeft() ? table.right_constant : table.left_constant) =
        segmentIndex(constant);
  }
  return table;
}

schema::SoftmaxT KernelTables::table(plan::SoftmaxOp op) {
  return withViews<schema::SoftmaxT>(op);
}

schema::LocalResponseNormalizationT KernelTables::table(plan::LrnOp op) {
  auto table = withViews<schema::LocalResponseNormalizationT>(op);
  table.size = static_cast<int32_t>(op.getSize());
  table.alpha = op.getAlpha().convertToFloat();
  table.beta = op.getBeta().convertToFloat();
  table.bias = op.getBias().convertToFloat();
  return table;
}

//===----------------------------------------------------------------------===//
// What copies or resamples
//===----------------------------------------------------------------------===//

schema::MoveT KernelTables::table(plan::MoveOp op) {
  return withViews<schema::MoveT>(op);
}

schema::ResizeT KernelTables::table(plan::ResizeOp op) {
  auto table = withViews<schema::ResizeT>(op);
  table.mode = static_cast<schema::ResizeMode>(op.getMode());
  table.rounding = static_cast<schema::NearestRounding>(op.getRounding());
  table.scale_height = op.getScale()[0];
  table.scale_width = op.getScale()[1];
  table.shift_height = op.getShift()[0];
  table.shift_width = op.getShift()[1];
  table.input_height = static_cast<int32_t>(op.getInputExtents()[0]);
  table.input_width = static_cast<int32_t>(op.getInputExtents()[1]);
  table.input_row = static_cast<int32_t>(op.getInputBegin()[0]);
  table.input_column = static_cast<int32_t>(op.getInputBegin()[1]);
  table.output_row = static_cast<int32_t>(op.getOutputBegin()[0]);
  table.output_column = static_cast<int32_t>(op.getOutputBegin()[1]);
  return table;
}

schema::PadT KernelTables::table(plan::PadOp op) {
  auto table = withViews<schema::PadT>(op);
  ArrayRef<int64_t> pads = op.getPads();
  table.top = static_cast<int32_t>(pads[0]);
  table.left = static_cast<int32_t>(pads[1]);
  table.bottom = static_cast<int32_t>(pads[2]);
  table.right = static_cast<int32_t>(pads[3]);
  table.front = static_cast<int32_t>(pads[4]);
  table.back = static_cast<int32_t>(pads[5]);
  table.mode = static_cast<schema::PadMode>(op.getMode());
  table.value = op.getValue().convertToFloat();
  return table;
}

schema::RearrangeT KernelTables::table(plan::RearrangeOp op) {
  schema::RearrangeT table;
  table.input_offset =
      *plan::findBuffer(op.getInput()).getOffset() + 4 * op.getInputBegin();
  table.output_offset =
      *plan::findBuffer(op.getOutput()).getOffset() + 4 * op.getOutputBegin();
  table.extents.assign(op.getExtents().begin(), op.getExtents().end());
  table.input_strides = op.getInputStrides().vec();
  table.output_strides = op.getOutputStrides().vec();
  return table;
}

LogicalResult setKernelTable(plan::KernelOpInterface kernel,
                             const llvm::StringMap<int> &segments,
                             schema::KernelUnion &table) {
  KernelTables tables(segments);
  return llvm::TypeSwitch<Operation *, LogicalResult>(kernel)
      .Case<plan::BinaryOp, plan::ConvolutionOp, plan::GemmOp, plan::LrnOp,
            plan::MatMulOp, plan::MoveOp, plan::PadOp, plan::PoolOp,
            plan::RearrangeOp, plan::ReduceOp, plan::ResizeOp, plan::SoftmaxOp,
            plan::TransposedConvolutionOp, plan::UnaryOp>([&](auto op) {
        table.Set(tables.table(op));
        return success();
      })
      .Default([&](Operation *op) {
        return op->emitError("has no table in the plan's schema");
      });
}

} // namespace snug
