// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers and interface methods of the snug_plan dialect's operations.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Geometry.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace snug::plan;
using snug::network::AxisMap;

#define GET_OP_CLASSES
#include "snug/Dialect/Plan/PlanOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Segments, buffers, views
//===----------------------------------------------------------------------===//

BufferOp snug::plan::findBuffer(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto view = dyn_cast_or_null<ViewOp>(op))
    op = view.getBuffer().getDefiningOp();
  if (auto reinterpret = dyn_cast_or_null<ReinterpretOp>(op))
    op = reinterpret.getBuffer().getDefiningOp();
  return dyn_cast_or_null<BufferOp>(op);
}

LogicalResult snug::plan::detail::verifyOperands(Operation *kernel) {
  for (Value operand : kernel->getOperands()) {
    bool isView = isa<ViewType>(operand.getType());
    if (isView != isa_and_nonnull<ViewOp>(operand.getDefiningOp()) ||
        !findBuffer(operand))
      return kernel->emitOpError("needs views and workspaces of buffers of the "
                                 "program as operands");
  }
  return success();
}

LogicalResult ProgramOp::verify() {
  if (getThreads() > 256)
    return emitOpError("has ")
           << getThreads() << " threads, at most 256 can run";
  for (DictionaryAttr figures : {getPredictedAttr(), getAddressesAttr()})
    for (NamedAttribute figure :
         figures ? figures.getValue() : ArrayRef<NamedAttribute>())
      if (!isa<IntegerAttr>(figure.getValue()))
        return emitOpError("predicts ") << figure.getName() << " as no integer";
  for (Attribute group :
       getGroupsAttr() ? getGroupsAttr() : ArrayAttr::get(getContext(), {})) {
    auto entries = dyn_cast<DictionaryAttr>(group);
    auto ops = entries ? entries.getAs<ArrayAttr>("ops") : ArrayAttr();
    if (!ops || !entries.getAs<StringAttr>("schedule") ||
        !llvm::all_of(ops, llvm::IsaPred<StringAttr>))
      return emitOpError("lists a group without names of ops and a schedule: ")
             << group;
  }
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  for (Operation &op : getBlock())
    if (!isa<SegmentOp, BufferOp, ViewOp, ReinterpretOp, KernelOpInterface>(op))
      return op.emitOpError("is no part of a program: only segments, buffers, "
                            "views and kernels are");
  return success();
}

/// Rank of the values that a packing takes.
static int64_t packingRank(Packing packing) {
  switch (packing) {
  case Packing::Convolution:
    return 4;
  case Packing::Gemm:
  case Packing::TransposedGemm:
    return 2;
  case Packing::Bias:
    return 1;
  }
  llvm_unreachable("unknown packing");
}

LogicalResult SegmentOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
    return emitOpError("holds a static float32 tensor, got ")
           << getValue().getType();
  int64_t rank = packingRank(getPacking());
  if (getConvolutionGroups() < 1)
    return emitOpError("needs at least one group, got ")
           << getConvolutionGroups();
  if (type.getRank() != rank)
    return emitOpError("packing ")
           << stringifyPacking(getPacking()) << " takes rank " << rank
           << ", got " << type;
  return success();
}

int64_t BufferOp::getBytes() {
  if (auto workspace = dyn_cast<WorkspaceType>(getType()))
    return workspace.getBytes();
  return cast<BufferType>(getType()).getBytes();
}

LogicalResult BufferOp::verify() {
  bool isWorkspace = isa<WorkspaceType>(getType());
  if (isWorkspace != (getRole() == Role::Workspace))
    return emitOpError("role ")
           << stringifyRole(getRole()) << " contradicts its type " << getType();
  bool isBound = getRole() == Role::Input || getRole() == Role::Output;
  if (isBound && (!getName() || !getShape()))
    return emitOpError("an input or output needs its name and shape");
  if (getOffset() && static_cast<int64_t>(*getOffset()) < 0)
    return emitOpError("offset must not be negative");
  if (isBound) {
    auto type = cast<BufferType>(getType());
    if (type.getLayout() != Layout::Planar && type.getChannels() != 1 &&
        type.getHeight() * type.getWidth() != 1)
      return emitOpError("an input or output lies in planar order");
    int64_t elements = 1;
    ArrayRef<int64_t> shape = *getShape();
    for (int64_t extent : shape) {
      auto product = snug::network::checkedMultiply(elements, extent);
      if (extent <= 0 || !product)
        return emitOpError("shape has a bad extent ") << extent;
      elements = *product;
    }
    if (elements * 4 != getBytes())
      return emitOpError("shape has ")
             << elements << " elements, its type " << getBytes() / 4;
  }
  return success();
}

LogicalResult ViewOp::verify() {
  if (!findBuffer(getBuffer()))
    return emitOpError("takes a buffer of the program, or a reinterpretation "
                       "of one");
  BufferType buffer = getBuffer().getType();
  ViewType view = getType();
  if (view.getBatch() != buffer.getBatch() ||
      view.getChannels() != buffer.getChannels() ||
      view.getLayout() != buffer.getLayout())
    return emitOpError("takes all batches and channels in the buffer's layout");
  auto outside = [](int64_t begin, int64_t extent, int64_t limit) {
    return begin < 0 || begin > limit || extent > limit - begin;
  };
  if (outside(getRow(), view.getHeight(), buffer.getHeight()) ||
      outside(getColumn(), view.getWidth(), buffer.getWidth()))
    return emitOpError("reaches outside its buffer");
  return success();
}

LogicalResult ReinterpretOp::verify() {
  if (!getBuffer().getDefiningOp<BufferOp>())
    return emitOpError("takes a buffer of the program");
  BufferType from = getBuffer().getType(), to = getType();
  // With one channel, or one pixel, both layouts are the same bytes.
  auto isPlanar = [](BufferType type) {
    return type.getLayout() == Layout::Planar || type.getChannels() == 1 ||
           type.getHeight() * type.getWidth() == 1;
  };
  if (!isPlanar(from) || !isPlanar(to))
    return emitOpError("takes and gives planar buffers");
  if (from.getBytes() != to.getBytes() || from.getBatch() != to.getBatch())
    return emitOpError("changes the bytes or the batch of its buffer");
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Layout of a view is channels last, or the same bytes in either layout.
static LogicalResult verifyChannelsLast(Operation *op, ViewType type) {
  if (type.getLayout() == Layout::ChannelsLast || type.getChannels() == 1 ||
      type.getHeight() * type.getWidth() == 1)
    return success();
  return op->emitOpError("needs channels-last views, got ") << type;
}

static LogicalResult verifySameExtents(Operation *op, ViewType a, ViewType b) {
  if (a.getBatch() == b.getBatch() && a.getHeight() == b.getHeight() &&
      a.getWidth() == b.getWidth() && a.getChannels() == b.getChannels())
    return success();
  return op->emitOpError("needs views of the same extents, got ")
         << a << " and " << b;
}

static LogicalResult verifyElementwise(Operation *op, ViewType input,
                                       ViewType output) {
  if (failed(verifyChannelsLast(op, input)) ||
      failed(verifyChannelsLast(op, output)))
    return failure();
  return verifySameExtents(op, input, output);
}

/// Window attributes have the right lengths and signs, and give the output's
/// extents from the input's.
template <typename OpType> static LogicalResult verifyWindow(OpType op) {
  auto allAtLeast = [](ArrayRef<int64_t> values, size_t count, int64_t least) {
    return values.size() == count &&
           llvm::all_of(values, [=](int64_t v) { return v >= least; });
  };
  if (!allAtLeast(op.getKernel(), 2, 1) || !allAtLeast(op.getStrides(), 2, 1) ||
      !allAtLeast(op.getDilations(), 2, 1) || !allAtLeast(op.getPads(), 4, 0))
    return op.emitOpError("needs kernel, strides and dilations of two positive "
                          "values and pads of four that are not negative");
  if (failed(verifyChannelsLast(op, op.getInput().getType())) ||
      failed(verifyChannelsLast(op, op.getOutput().getType())))
    return failure();
  ViewType input = op.getInput().getType(), output = op.getOutput().getType();
  for (int axis : {0, 1}) {
    AxisMap map = AxisMap::window(op.getKernel()[axis], op.getStrides()[axis],
                                  op.getDilations()[axis], op.getPads()[axis],
                                  op.getPads()[axis + 2]);
    int64_t in = axis == 0 ? input.getHeight() : input.getWidth();
    int64_t out = axis == 0 ? output.getHeight() : output.getWidth();
    std::optional<int64_t> expected = map.outputExtent(in);
    if (!expected || *expected != out)
      return op.emitOpError("its window gives ")
             << (expected ? Twine(*expected) : Twine("no"))
             << (axis == 0 ? " rows" : " columns") << " from " << in
             << ", its output has " << out;
  }
  if (input.getBatch() != output.getBatch())
    return op.emitOpError("changes the batch");
  return success();
}

/// The segment that `symbol` names, packed as one of `packings`.
static SegmentOp findSegment(Operation *op, FlatSymbolRefAttr symbol,
                             ArrayRef<Packing> packings) {
  auto segment = SymbolTable::lookupNearestSymbolFrom<SegmentOp>(op, symbol);
  if (!segment || !llvm::is_contained(packings, segment.getPacking()) ||
      cast<ShapedType>(segment.getValue().getType()).getRank() !=
          packingRank(segment.getPacking())) {
    op->emitOpError("names no segment of the right packing: ") << symbol;
    return nullptr;
  }
  return segment;
}

static LogicalResult verifyBias(Operation *op,
                                std::optional<FlatSymbolRefAttr> bias,
                                int64_t channels) {
  if (!bias)
    return success();
  SegmentOp segment = findSegment(op, *bias, Packing::Bias);
  if (!segment)
    return failure();
  if (segment.getValue().getNumElements() != channels)
    return op->emitOpError("has ")
           << channels << " output channels and a bias of "
           << segment.getValue().getNumElements();
  return success();
}

LogicalResult MoveOp::verify() {
  return verifySameExtents(*this, getInput().getType(), getOutput().getType());
}

LogicalResult ConvolutionOp::verify() {
  if (failed(verifyWindow(*this)))
    return failure();
  ViewType input = getInput().getType(), output = getOutput().getType();
  int64_t groups = getConvolutionGroups();
  SegmentOp segment =
      findSegment(*this, getWeightsAttr(), Packing::Convolution);
  if (!segment)
    return failure();
  if (groups != segment.getConvolutionGroups())
    return emitOpError("has ")
           << groups << " groups, its weights are packed for "
           << segment.getConvolutionGroups();
  if (groups <= 0 || input.getChannels() % groups ||
      output.getChannels() % groups)
    return emitOpError("groups must divide both channel counts, got ")
           << groups;
  SmallVector<int64_t> expected = {output.getChannels(),
                                   input.getChannels() / groups, getKernel()[0],
                                   getKernel()[1]};
  if (cast<ShapedType>(segment.getValue().getType()).getShape() !=
      ArrayRef<int64_t>(expected))
    return emitOpError("contradicts the shape of its weights ")
           << segment.getValue().getType();
  if (getResidual() &&
      failed(verifyElementwise(*this, getResidual().getType(), output)))
    return failure();
  return verifyBias(*this,
                    getBiasAttr() ? std::optional(getBiasAttr()) : std::nullopt,
                    output.getChannels());
}

int64_t ConvolutionOp::getMacs() {
  ViewType output = getOutput().getType();
  return output.getBatch() * output.getHeight() * output.getWidth() *
         output.getChannels() * getKernel()[0] * getKernel()[1] *
         (getInput().getType().getChannels() /
          static_cast<int64_t>(getConvolutionGroups()));
}

LogicalResult PoolOp::verify() {
  if (failed(verifyWindow(*this)))
    return failure();
  if (getInput().getType().getChannels() != getOutput().getType().getChannels())
    return emitOpError("changes the channels");
  return success();
}

LogicalResult GlobalAveragePoolOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  if (output.getHeight() != 1 || output.getWidth() != 1 ||
      output.getChannels() != input.getChannels() ||
      output.getBatch() != input.getBatch())
    return emitOpError("gives one value per batch and channel");
  return verifyChannelsLast(*this, input);
}

LogicalResult GemmOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  SegmentOp segment = findSegment(*this, getWeightsAttr(),
                                  {Packing::Gemm, Packing::TransposedGemm});
  if (!segment)
    return failure();
  ArrayRef<int64_t> shape =
      cast<ShapedType>(segment.getValue().getType()).getShape();
  bool transposed = segment.getPacking() == Packing::TransposedGemm;
  if (input.getHeight() * input.getWidth() != 1 ||
      output.getHeight() * output.getWidth() != 1 ||
      input.getBatch() != output.getBatch() ||
      shape[transposed ? 1 : 0] != input.getChannels() ||
      shape[transposed ? 0 : 1] != output.getChannels())
    return emitOpError("contradicts the shape of its weights ")
           << segment.getValue().getType();
  return verifyBias(*this,
                    getBiasAttr() ? std::optional(getBiasAttr()) : std::nullopt,
                    output.getChannels());
}

int64_t GemmOp::getMacs() {
  ViewType output = getOutput().getType();
  return output.getBatch() * output.getChannels() *
         getInput().getType().getChannels();
}

SmallVector<Value> ConvolutionOp::getInPlaceInputs() {
  return getResidual() ? SmallVector<Value>{getResidual()}
                       : SmallVector<Value>();
}

SmallVector<Value> UnaryOp::getInPlaceInputs() { return {getInput()}; }

SmallVector<Value> AddOp::getInPlaceInputs() { return {getLeft(), getRight()}; }

SmallVector<Value> SoftmaxOp::getInPlaceInputs() { return {getInput()}; }

LogicalResult UnaryOp::verify() {
  return verifyElementwise(*this, getInput().getType(), getOutput().getType());
}

LogicalResult AddOp::verify() {
  if (failed(
          verifyElementwise(*this, getLeft().getType(), getOutput().getType())))
    return failure();
  return verifyElementwise(*this, getRight().getType(), getOutput().getType());
}

LogicalResult SoftmaxOp::verify() {
  return verifyElementwise(*this, getInput().getType(), getOutput().getType());
}
