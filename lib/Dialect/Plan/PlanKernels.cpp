// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers and interface methods of the snug_plan dialect's kernels.
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Geometry.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace snug::plan;
using snug::network::AxisMap;
using snug::network::checkedAdd;
using snug::network::checkedMultiply;

//===----------------------------------------------------------------------===//
// What several kernels ask
//===----------------------------------------------------------------------===//

/// Layout of a view is channels last, or the same bytes in either layout.
static LogicalResult verifyChannelsLast(Operation *op, ViewType type) {
  if (type.getLayout() == Layout::ChannelsLast || type.getChannels() == 1 ||
      type.getHeight() * type.getWidth() == 1)
    return success();
  return op->emitOpError("needs channels-last views, got ") << type;
}

static SmallVector<int64_t, 4> extentsOf(ViewType type) {
  return {type.getBatch(), type.getHeight(), type.getWidth(),
          type.getChannels()};
}

static LogicalResult verifySameExtents(Operation *op, ViewType a, ViewType b) {
  if (extentsOf(a) == extentsOf(b))
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

static bool allAtLeast(ArrayRef<int64_t> values, size_t count, int64_t least) {
  return values.size() == count &&
         llvm::all_of(values, [=](int64_t v) { return v >= least; });
}

/// All elements of a pattern lie among `elements`.
static bool staysInside(ArrayRef<int64_t> extents, int64_t begin,
                        ArrayRef<int64_t> strides, int64_t elements) {
  int64_t lowest = begin, highest = begin;
  for (auto [extent, stride] : llvm::zip_equal(extents, strides)) {
    std::optional<int64_t> reach = checkedMultiply(extent - 1, stride);
    int64_t &bound = stride < 0 ? lowest : highest;
    std::optional<int64_t> sum =
        reach ? checkedAdd(bound, *reach) : std::nullopt;
    if (!sum)
      return false;
    bound = *sum;
  }
  return lowest >= 0 && highest < elements;
}

/// Window attributes have the right lengths and signs, and give the output's
/// extents from the input's.
template <typename OpType> static LogicalResult verifyWindow(OpType op) {
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

//===----------------------------------------------------------------------===//
// Segments of kernels
//===----------------------------------------------------------------------===//

/// The segment that `symbol` names, packed as one of `packings`. A segment's
/// own verifier may not have run yet.
static SegmentOp findSegment(Operation *op, SymbolTableCollection &symbols,
                             FlatSymbolRefAttr symbol,
                             ArrayRef<Packing> packings, int64_t rank = -1) {
  auto segment = symbols.lookupNearestSymbolFrom<SegmentOp>(op, symbol);
  auto type = segment ? dyn_cast<RankedTensorType>(segment.getValue().getType())
                      : RankedTensorType();
  if (!type || !type.hasStaticShape() ||
      !llvm::is_contained(packings, segment.getPacking()) ||
      (rank >= 0 && type.getRank() != rank)) {
    op->emitOpError("names no segment of the right packing: ") << symbol;
    return nullptr;
  }
  return segment;
}

static LogicalResult verifyBias(Operation *op, SymbolTableCollection &symbols,
                                FlatSymbolRefAttr bias, int64_t channels) {
  if (!bias)
    return success();
  SegmentOp segment = findSegment(op, symbols, bias, Packing::Bias, 1);
  if (!segment)
    return failure();
  if (segment.getValue().getNumElements() != channels)
    return op->emitOpError("has ")
           << channels << " output channels and a bias of "
           << segment.getValue().getNumElements();
  return success();
}

/// Groups divide the channels and are those that the weights are packed for;
/// the weights have the shape `expected`, given the groups.
template <typename OpType>
static LogicalResult
verifyFilter(OpType op, SymbolTableCollection &symbols, Packing packing,
             llvm::function_ref<SmallVector<int64_t>(int64_t)> expected) {
  SegmentOp segment = findSegment(op, symbols, op.getWeightsAttr(), packing, 4);
  if (!segment)
    return failure();
  int64_t groups = op.getConvolutionGroups();
  if (groups != segment.getConvolutionGroups())
    return op.emitOpError("has ")
           << groups << " groups, its weights are packed for "
           << segment.getConvolutionGroups();
  if (groups <= 0 || op.getInput().getType().getChannels() % groups ||
      op.getOutput().getType().getChannels() % groups)
    return op.emitOpError("groups must divide both channel counts, got ")
           << groups;
  if (cast<ShapedType>(segment.getValue().getType()).getShape() !=
      ArrayRef<int64_t>(expected(groups)))
    return op.emitOpError("contradicts the shape of its weights ")
           << segment.getValue().getType();
  return verifyBias(op, symbols, op.getBiasAttr(),
                    op.getOutput().getType().getChannels());
}

//===----------------------------------------------------------------------===//
// Convolutions and matrix products
//===----------------------------------------------------------------------===//

LogicalResult ConvolutionOp::verify() {
  if (failed(verifyWindow(*this)))
    return failure();
  if (getWinograd()) {
    auto all = [](ArrayRef<int64_t> values, int64_t value) {
      return llvm::all_of(values, [=](int64_t v) { return v == value; });
    };
    if (!all(getKernel(), 3) || !all(getStrides(), 1) ||
        !all(getDilations(), 1) || getConvolutionGroups() != 1)
      return emitOpError("winograd is for windows of 3x3 without strides, "
                         "dilations and groups");
    if (!getWorkspace())
      return emitOpError("winograd needs a workspace");
  }
  if (!getResidual())
    return success();
  return verifyElementwise(*this, getResidual().getType(),
                           getOutput().getType());
}

LogicalResult ConvolutionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyFilter(
      *this, symbols, Packing::Convolution, [&](int64_t groups) {
        return SmallVector<int64_t>{getOutput().getType().getChannels(),
                                    getInput().getType().getChannels() / groups,
                                    getKernel()[0], getKernel()[1]};
      });
}

int64_t ConvolutionOp::getMacs() {
  ViewType output = getOutput().getType();
  return output.getBatch() * output.getHeight() * output.getWidth() *
         output.getChannels() * getKernel()[0] * getKernel()[1] *
         (getInput().getType().getChannels() / getConvolutionGroups());
}

SmallVector<Value> ConvolutionOp::getInPlaceInputs() {
  return getResidual() ? SmallVector<Value>{getResidual()}
                       : SmallVector<Value>();
}

LogicalResult TransposedConvolutionOp::verify() {
  if (!allAtLeast(getKernel(), 2, 1) || !allAtLeast(getStrides(), 2, 1) ||
      !allAtLeast(getDilations(), 2, 1) || getOffsets().size() != 2)
    return emitOpError("needs kernel, strides and dilations of two positive "
                       "values and two offsets");
  if (failed(verifyChannelsLast(*this, getInput().getType())) ||
      failed(verifyChannelsLast(*this, getOutput().getType())))
    return failure();
  if (getInput().getType().getBatch() != getOutput().getType().getBatch())
    return emitOpError("changes the batch");
  return success();
}

LogicalResult
TransposedConvolutionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  SegmentOp segment = findSegment(*this, symbols, getWeightsAttr(),
                                  Packing::TransposedConvolution, 4);
  if (!segment)
    return failure();
  if (segment.getStrides() != getStrides() ||
      segment.getDilations() != getDilations())
    return emitOpError("has other strides or dilations than its weights are "
                       "packed for");
  return verifyFilter(*this, symbols, Packing::TransposedConvolution,
                      [&](int64_t groups) {
                        return SmallVector<int64_t>{
                            getInput().getType().getChannels(),
                            getOutput().getType().getChannels() / groups,
                            getKernel()[0], getKernel()[1]};
                      });
}

/// Padding taps included: as many taps as any output of the axis meets.
int64_t TransposedConvolutionOp::getMacs() {
  ViewType output = getOutput().getType();
  auto taps = [&](int axis) {
    // Taps that meet one output are so many apart.
    const int64_t step =
        getStrides()[axis] / std::gcd(getStrides()[axis], getDilations()[axis]);
    return (getKernel()[axis] - 1) / step + 1;
  };
  return output.getBatch() * output.getHeight() * output.getWidth() *
         output.getChannels() * taps(0) * taps(1) *
         (getInput().getType().getChannels() / getConvolutionGroups());
}

LogicalResult GemmOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  if (input.getHeight() * input.getWidth() != 1 ||
      output.getHeight() * output.getWidth() != 1 ||
      input.getBatch() != output.getBatch())
    return emitOpError("takes rows of channels and gives as many");
  return success();
}

LogicalResult GemmOp::verifySymbolUses(SymbolTableCollection &symbols) {
  SegmentOp segment = findSegment(*this, symbols, getWeightsAttr(),
                                  {Packing::Gemm, Packing::TransposedGemm}, 2);
  if (!segment)
    return failure();
  ArrayRef<int64_t> shape =
      cast<ShapedType>(segment.getValue().getType()).getShape();
  bool transposed = segment.getPacking() == Packing::TransposedGemm;
  int64_t outputs = getOutput().getType().getChannels();
  if (shape[transposed ? 1 : 0] != getInput().getType().getChannels() ||
      shape[transposed ? 0 : 1] != outputs)
    return emitOpError("contradicts the shape of its weights ")
           << segment.getValue().getType();
  return verifyBias(*this, symbols, getBiasAttr(), outputs);
}

int64_t GemmOp::getMacs() {
  ViewType output = getOutput().getType();
  return output.getBatch() * output.getChannels() *
         getInput().getType().getChannels();
}

LogicalResult MatMulOp::verify() {
  ViewType left = getLeft().getType(), right = getRight().getType();
  ViewType output = getOutput().getType();
  auto fits = [&](ViewType type) {
    return type.getChannels() == 1 &&
           (type.getBatch() == 1 || type.getBatch() == output.getBatch());
  };
  if (!fits(left) || !fits(right) || output.getChannels() != 1 ||
      left.getHeight() != output.getHeight() ||
      right.getWidth() != output.getWidth() ||
      left.getWidth() != right.getHeight())
    return emitOpError("cannot multiply ")
           << left << " by " << right << " into " << output;
  return success();
}

int64_t MatMulOp::getMacs() {
  ViewType output = getOutput().getType();
  return output.getBatch() * output.getHeight() * output.getWidth() *
         getLeft().getType().getWidth();
}

//===----------------------------------------------------------------------===//
// Pooling and reductions
//===----------------------------------------------------------------------===//

LogicalResult PoolOp::verify() {
  if (failed(verifyWindow(*this)))
    return failure();
  if (!allAtLeast(getCounted(), 2, 0) || getCounted()[0] > getPads()[2] ||
      getCounted()[1] > getPads()[3])
    return emitOpError("counts more padding below or right than there is");
  if (getInput().getType().getChannels() != getOutput().getType().getChannels())
    return emitOpError("changes the channels");
  return success();
}

LogicalResult ReduceOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  if (output.getHeight() != 1 || output.getWidth() != 1 ||
      output.getChannels() != input.getChannels() ||
      output.getBatch() != input.getBatch())
    return emitOpError("gives one value per batch and channel");
  return verifyChannelsLast(*this, input);
}

//===----------------------------------------------------------------------===//
// Elementwise, and over channels
//===----------------------------------------------------------------------===//

LogicalResult MoveOp::verify() {
  return verifySameExtents(*this, getInput().getType(), getOutput().getType());
}

LogicalResult UnaryOp::verify() {
  return verifyElementwise(*this, getInput().getType(), getOutput().getType());
}

SmallVector<Value> UnaryOp::getInPlaceInputs() { return {getInput()}; }

LogicalResult BinaryOp::verify() {
  ViewType output = getOutput().getType();
  const int views = (getLeft() ? 1 : 0) + (getRight() ? 1 : 0);
  if (views + (getConstantAttr() ? 1 : 0) != 2 || views == 0)
    return emitOpError("takes two views, or a view and a constant");
  auto verifyOperand = [&](ArrayRef<int64_t> extents) -> LogicalResult {
    for (auto [operand, result] : llvm::zip_equal(extents, extentsOf(output)))
      if (operand != result && operand != 1)
        return emitOpError("each extent of an operand is the output's or one");
    return success();
  };
  if (failed(verifyChannelsLast(*this, output)))
    return failure();
  for (TypedValue<ViewType> view : {getLeft(), getRight()})
    if (view && (failed(verifyChannelsLast(*this, view.getType())) ||
                 failed(verifyOperand(extentsOf(view.getType())))))
      return failure();
  if (!getConstantAttr())
    return success();
  if (!getConstantBegin() || !getConstantExtents() || !getConstantStrides() ||
      *getConstantBegin() < 0 || !allAtLeast(*getConstantExtents(), 4, 1) ||
      !allAtLeast(*getConstantStrides(), 4, 0))
    return emitOpError("needs a place, four extents and four strides of its "
                       "constant, none of them negative");
  return verifyOperand(*getConstantExtents());
}

LogicalResult BinaryOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getConstantAttr())
    return success();
  SegmentOp segment =
      findSegment(*this, symbols, getConstantAttr(),
                  {Packing::Constant, Packing::ChannelsLastConstant});
  if (!segment)
    return failure();
  if (!staysInside(*getConstantExtents(), *getConstantBegin(),
                   *getConstantStrides(), segment.getValue().getNumElements()))
    return emitOpError("reads beyond the ")
           << segment.getValue().getNumElements()
           << " elements of its constant";
  return success();
}

SmallVector<Value> BinaryOp::getInPlaceInputs() {
  SmallVector<Value> inputs;
  for (TypedValue<ViewType> view : {getLeft(), getRight()})
    if (view && extentsOf(view.getType()) == extentsOf(getOutput().getType()))
      inputs.push_back(view);
  return inputs;
}

LogicalResult SoftmaxOp::verify() {
  return verifySameExtents(*this, getInput().getType(), getOutput().getType());
}

SmallVector<Value> SoftmaxOp::getInPlaceInputs() { return {getInput()}; }

LogicalResult LrnOp::verify() {
  if (getSize() < 1)
    return emitOpError("needs at least one channel around each");
  return verifyElementwise(*this, getInput().getType(), getOutput().getType());
}

//===----------------------------------------------------------------------===//
// Kernels that copy or resample
//===----------------------------------------------------------------------===//

LogicalResult ResizeOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  if (failed(verifyChannelsLast(*this, input)) ||
      failed(verifyChannelsLast(*this, output)))
    return failure();
  if (input.getBatch() != output.getBatch() ||
      input.getChannels() != output.getChannels())
    return emitOpError("changes the batch or the channels");
  auto isFinite = [](double value) { return std::isfinite(value); };
  if (getScale().size() != 2 || getShift().size() != 2 ||
      !llvm::all_of(getScale(), isFinite) ||
      !llvm::all_of(getShift(), isFinite) ||
      !allAtLeast(getInputExtents(), 2, 1) ||
      !allAtLeast(getInputBegin(), 2, 0) || !allAtLeast(getOutputBegin(), 2, 0))
    return emitOpError("needs a finite scale and shift, extents and places for "
                       "rows and for columns");
  if (input.getHeight() > getInputExtents()[0] - getInputBegin()[0] ||
      input.getWidth() > getInputExtents()[1] - getInputBegin()[1])
    return emitOpError("has a view that reaches beyond its input");
  return success();
}

LogicalResult PadOp::verify() {
  ViewType input = getInput().getType(), output = getOutput().getType();
  if (failed(verifyChannelsLast(*this, input)) ||
      failed(verifyChannelsLast(*this, output)))
    return failure();
  ArrayRef<int64_t> pads = getPads();
  // A sum of two pads and an extent fits 64 bits.
  constexpr int64_t largest = int64_t(1) << 60;
  if (!allAtLeast(pads, 6, 0) ||
      llvm::any_of(pads, [](int64_t pad) { return pad > largest; }))
    return emitOpError("needs pads of six values that are not negative");
  if (input.getBatch() != output.getBatch() ||
      input.getHeight() + pads[0] + pads[2] != output.getHeight() ||
      input.getWidth() + pads[1] + pads[3] != output.getWidth() ||
      input.getChannels() + pads[4] + pads[5] != output.getChannels())
    return emitOpError("pads ")
           << input << " to other extents than those of " << output;
  return success();
}

LogicalResult RearrangeOp::verify() {
  ArrayRef<int64_t> extents = getExtents();
  if (extents.empty() || extents.size() > 8 ||
      !allAtLeast(extents, extents.size(), 1) ||
      getInputStrides().size() != extents.size() ||
      !allAtLeast(getOutputStrides(), extents.size(), 0))
    return emitOpError("needs one to eight positive extents with an input and "
                       "an output stride each");
  auto elementsOf = [](Value view) {
    auto type = view.getDefiningOp<ViewOp>().getBuffer().getType();
    return type.getBytes() / 4;
  };
  auto coversAll = [&](TypedValue<ViewType> view) {
    ViewType type = view.getType();
    return type.getBatch() * type.getHeight() * type.getWidth() *
               type.getChannels() ==
           elementsOf(view);
  };
  if (!coversAll(getInput()) || !coversAll(getOutput()))
    return emitOpError("takes views of whole buffers");
  if (!staysInside(extents, getInputBegin(), getInputStrides(),
                   elementsOf(getInput())) ||
      !staysInside(extents, getOutputBegin(), getOutputStrides(),
                   elementsOf(getOutput())))
    return emitOpError("reaches outside its buffers");
  return success();
}
