// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers and interface methods of the snug_plan dialect's operations.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Geometry.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace snug::plan;

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

/// Rank of the values that a packing takes; nothing: any.
static std::optional<int64_t> packingRank(Packing packing) {
  switch (packing) {
  case Packing::Convolution:
  case Packing::TransposedConvolution:
  case Packing::ChannelsLastConstant:
    return 4;
  case Packing::Gemm:
  case Packing::TransposedGemm:
    return 2;
  case Packing::Bias:
    return 1;
  case Packing::Constant:
    return std::nullopt;
  }
  llvm_unreachable("unknown packing");
}

LogicalResult SegmentOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isF32())
    return emitOpError("holds a static float32 tensor, got ")
           << getValue().getType();
  std::optional<int64_t> rank = packingRank(getPacking());
  if (getConvolutionGroups() < 1)
    return emitOpError("needs at least one group, got ")
           << getConvolutionGroups();
  if (rank && type.getRank() != *rank)
    return emitOpError("packing ")
           << stringifyPacking(getPacking()) << " takes rank " << *rank
           << ", got " << type;
  auto isPositive = [](int64_t value) { return value > 0; };
  if (getStrides().size() != 2 || !llvm::all_of(getStrides(), isPositive) ||
      getDilations().size() != 2 || !llvm::all_of(getDilations(), isPositive))
    return emitOpError("needs strides and dilations of two positive values");
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
      view.getLayout() != buffer.getLayout())
    return emitOpError("takes all batches in the buffer's layout");
  auto outside = [](int64_t begin, int64_t extent, int64_t limit) {
    return begin < 0 || begin > limit || extent > limit - begin;
  };
  if (outside(getRow(), view.getHeight(), buffer.getHeight()) ||
      outside(getColumn(), view.getWidth(), buffer.getWidth()) ||
      outside(getChannel(), view.getChannels(), buffer.getChannels()))
    return emitOpError("reaches outside its buffer");
  return success();
}

LogicalResult ReinterpretOp::verify() {
  if (!getBuffer().getDefiningOp<BufferOp>())
    return emitOpError("takes a buffer of the program");
  if (getBuffer().getType().getBytes() != getType().getBytes())
    return emitOpError("changes the bytes of its buffer");
  return success();
}
