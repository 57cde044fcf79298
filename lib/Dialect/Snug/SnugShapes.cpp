// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Result types from operands and attributes, and the verifiers that compare
// them with the types that stand there. Extents come from network::AxisMap.
#include "snug/Dialect/Snug/SnugDialect.h"

#include <cmath>

using namespace mlir;
using snug::network::AxisMap;

namespace snug::cnn {

namespace {

using EmitError = function_ref<InFlightDiagnostic()>;
using InferredType = FailureOr<RankedTensorType>;

constexpr StringLiteral kAxisNames[] = {"height", "width"};

/// A kernel, what lies around it, and how it moves; height first.
struct Window {
  ArrayRef<int64_t> kernel, strides, dilations;
  ArrayRef<int64_t> pads; ///< top, left, bottom, right
};

constexpr int64_t kOnes[] = {1, 1};
constexpr int64_t kZeros[] = {0, 0, 0, 0};

/// Builders may ask for a type before defaults are filled in.
ArrayRef<int64_t> valueOr(DenseI64ArrayAttr attribute,
                          ArrayRef<int64_t> otherwise) {
  return attribute ? attribute.asArrayRef() : otherwise;
}

LogicalResult checkNumbers(EmitError error, StringRef name,
                           ArrayRef<int64_t> numbers, size_t count,
                           int64_t least) {
  if (numbers.size() == count &&
      llvm::all_of(numbers, [&](int64_t number) { return number >= least; }))
    return success();
  return error() << "expected " << count << " " << name << " of at least "
                 << least << ", got [" << numbers << "]";
}

LogicalResult checkWindow(EmitError error, const Window &window) {
  return success(
      succeeded(checkNumbers(error, "kernel extents", window.kernel, 2, 1)) &&
      succeeded(checkNumbers(error, "strides", window.strides, 2, 1)) &&
      succeeded(checkNumbers(error, "dilations", window.dilations, 2, 1)) &&
      succeeded(checkNumbers(error, "pads", window.pads, 4, 0)));
}

/// Every operand a tensor of the rank in `ranks`; builders do not verify first.
LogicalResult checkRanks(EmitError error,
                         ArrayRef<std::pair<Value, int>> ranks) {
  for (auto [value, rank] : ranks) {
    if (!value)
      continue;
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    if (!detail::isStaticTensor(value.getType()) || tensor.getRank() != rank)
      return error() << "expected a static " << rank << "-d tensor of f32, got "
                     << value.getType();
  }
  return success();
}

ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

InferredType makeType(EmitError error, MLIRContext *context,
                      ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, Float32Type::get(context));
  if (detail::isStaticTensor(type))
    return type;
  error() << "the bytes of the result " << type << " overflow 64 bits";
  return failure();
}

/// Extent of the result along one axis.
FailureOr<int64_t> outputExtent(EmitError error, const Window &window, int axis,
                                int64_t input) {
  const int64_t kernel = window.kernel[axis], dilation = window.dilations[axis];
  const int64_t low = window.pads[axis], high = window.pads[axis + 2];
  const std::optional<int64_t> reach =
      network::checkedMultiply(kernel - 1, dilation);
  std::optional<int64_t> padded = network::checkedAdd(input, low);
  if (padded)
    padded = network::checkedAdd(*padded, high);
  if (!reach || !network::checkedAdd(*reach, 1) || !padded) {
    error() << "the " << kAxisNames[axis] << " overflows 64 bits: kernel "
            << kernel << ", dilation " << dilation << ", pads " << low
            << " and " << high << " on " << input << " elements";
    return failure();
  }
  const AxisMap map =
      AxisMap::window(kernel, window.strides[axis], dilation, low, high);
  const std::optional<int64_t> extent = map.outputExtent(input);
  if (!extent) {
    error() << "the dilated kernel's " << kAxisNames[axis] << " of "
            << *reach + 1 << " exceeds the padded input's " << *padded;
    return failure();
  }
  return *extent;
}

/// NCHW with `channels` and the extents that the window gives.
InferredType inferWindow(EmitError error, Value input, int64_t channels,
                         const Window &window) {
  const ArrayRef<int64_t> shape = shapeOf(input);
  const FailureOr<int64_t> height = outputExtent(error, window, 0, shape[2]);
  if (failed(height))
    return failure();
  const FailureOr<int64_t> width = outputExtent(error, window, 1, shape[3]);
  if (failed(width))
    return failure();
  return makeType(error, input.getContext(),
                  {shape[0], channels, *height, *width});
}

//===----------------------------------------------------------------------===//
// Result types
//===----------------------------------------------------------------------===//

InferredType inferType(Conv2DOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), 4},
                                {op.getFilter(), 4},
                                {op.getBias(), 1},
                                {op.getResidual(), 4}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> filter = shapeOf(op.getFilter());
  const Window window = {
      filter.drop_front(2), valueOr(op.getStridesAttr(), kOnes),
      valueOr(op.getDilationsAttr(), kOnes), valueOr(op.getPadsAttr(), kZeros)};
  if (failed(checkWindow(error, window)))
    return failure();
  const int64_t groups = op.getGroupsAttr() ? op.getGroups() : 1;
  if (groups < 1 || input[1] % groups != 0 || filter[0] % groups != 0) {
    error() << "expected groups that divide " << input[1]
            << " input channels and " << filter[0] << " output channels, got "
            << groups;
    return failure();
  }
  if (filter[1] != input[1] / groups) {
    error() << "expected a filter of " << input[1] / groups
            << " input channels (" << input[1] << " in " << groups
            << " groups), got " << filter[1];
    return failure();
  }
  if (op.getBias() && shapeOf(op.getBias())[0] != filter[0]) {
    error() << "expected a bias of " << filter[0] << " channels, got "
            << shapeOf(op.getBias())[0];
    return failure();
  }
  const InferredType type =
      inferWindow(error, op.getInput(), filter[0], window);
  if (succeeded(type) && op.getResidual() &&
      op.getResidual().getType() != *type) {
    error() << "expected a residual of the result's type " << *type << ", got "
            << op.getResidual().getType();
    return failure();
  }
  return type;
}

InferredType inferType(GemmOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(
          error, {{op.getInput(), 2}, {op.getWeight(), 2}, {op.getBias(), 1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> weight = shapeOf(op.getWeight());
  const int64_t depth = weight[op.getTransposeWeight() ? 1 : 0];
  const int64_t outputs = weight[op.getTransposeWeight() ? 0 : 1];
  if (depth != input[1]) {
    error() << "expected a weight for " << input[1] << " inputs, got " << depth;
    return failure();
  }
  if (op.getBias() && shapeOf(op.getBias())[0] != outputs) {
    error() << "expected a bias of " << outputs << " outputs, got "
            << shapeOf(op.getBias())[0];
    return failure();
  }
  return makeType(error, op.getInput().getContext(), {input[0], outputs});
}

InferredType inferPool(EmitError error, Value input, const Window &window) {
  if (failed(checkRanks(error, {{input, 4}})) ||
      failed(checkWindow(error, window)))
    return failure();
  const ArrayRef<int64_t> shape = shapeOf(input);
  const InferredType type = inferWindow(error, input, shape[1], window);
  if (failed(type))
    return failure();
  for (int axis : {0, 1}) {
    const int64_t dilation = window.dilations[axis];
    const int64_t extent = (window.kernel[axis] - 1) * dilation + 1;
    const int64_t low = window.pads[axis], high = window.pads[axis + 2];
    // A window below the border has a tap inside the input: its first one, or
    // one of its later ones, which cannot jump over the input.
    if (low >= extent || high >= extent ||
        (low > 0 && dilation > shape[2 + axis])) {
      error() << "a window would see padding only along the "
              << kAxisNames[axis] << ": pads " << low << " and " << high
              << ", dilated kernel " << extent << ", dilation " << dilation
              << ", input " << shape[2 + axis];
      return failure();
    }
  }
  return type;
}

InferredType inferType(MaxPool2DOp::Adaptor op, EmitError error) {
  return inferPool(error, op.getInput(),
                   {valueOr(op.getKernelAttr(), {}),
                    valueOr(op.getStridesAttr(), kOnes),
                    valueOr(op.getDilationsAttr(), kOnes),
                    valueOr(op.getPadsAttr(), kZeros)});
}

InferredType inferType(AvgPool2DOp::Adaptor op, EmitError error) {
  return inferPool(error, op.getInput(),
                   {valueOr(op.getKernelAttr(), {}),
                    valueOr(op.getStridesAttr(), kOnes), kOnes,
                    valueOr(op.getPadsAttr(), kZeros)});
}

InferredType inferType(GlobalAvgPoolOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getInput(), 4}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  return makeType(error, op.getInput().getContext(),
                  {input[0], input[1], 1, 1});
}

//===----------------------------------------------------------------------===//
// Inference and verification on top of them
//===----------------------------------------------------------------------===//

template <typename Adaptor>
LogicalResult inferTypes(MLIRContext *context, std::optional<Location> location,
                         Adaptor op, SmallVectorImpl<Type> &types) {
  // Without a location nobody wants to hear the reason.
  std::optional<ScopedDiagnosticHandler> silence;
  if (!location)
    silence.emplace(context, [](Diagnostic &) { return success(); });
  const Location where = location.value_or(UnknownLoc::get(context));
  const InferredType type = inferType(op, [&] { return emitError(where); });
  if (failed(type))
    return failure();
  types.push_back(*type);
  return success();
}

/// One message about the result, as specific as it can be.
template <typename OpTy> LogicalResult verifyType(OpTy op) {
  typename OpTy::Adaptor adaptor(op->getOperands(), op);
  const InferredType type =
      inferType(adaptor, [&] { return op.emitOpError(); });
  if (failed(type))
    return failure();
  const RankedTensorType expected = *type;
  const RankedTensorType got = op.getType();
  if (expected == got)
    return success();
  const ArrayRef<int64_t> wanted = expected.getShape(), shape = got.getShape();
  if (wanted.size() == 4 && wanted.take_front(2) == shape.take_front(2))
    return op.emitOpError()
           << "expected output extent " << wanted[2] << "x" << wanted[3]
           << ", got " << shape[2] << "x" << shape[3];
  return op.emitOpError() << "expected result type " << expected << ", got "
                          << got;
}

LogicalResult verifySlope(Operation *op, Activation activation,
                          const APFloat &slope) {
  if (!slope.isFinite())
    return op->emitOpError() << "expected a finite slope";
  if (activation != Activation::LeakyRelu && !slope.isZero())
    return op->emitOpError() << "only leaky_relu has a slope, got one with "
                             << stringifyActivation(activation);
  return success();
}

} // namespace

#define SNUG_INFER(OP)                                                         \
  LogicalResult OP::inferReturnTypes(                                          \
      MLIRContext *context, std::optional<Location> location, Adaptor adaptor, \
      SmallVectorImpl<Type> &types) {                                          \
    return inferTypes(context, location, adaptor, types);                      \
  }
SNUG_INFER(Conv2DOp)
SNUG_INFER(GemmOp)
SNUG_INFER(MaxPool2DOp)
SNUG_INFER(AvgPool2DOp)
SNUG_INFER(GlobalAvgPoolOp)
#undef SNUG_INFER

LogicalResult Conv2DOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifySlope(*this, getActivation(), getSlope());
}

LogicalResult GemmOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifySlope(*this, getActivation(), getSlope());
}

LogicalResult MaxPool2DOp::verify() { return verifyType(*this); }

LogicalResult AvgPool2DOp::verify() { return verifyType(*this); }

LogicalResult GlobalAvgPoolOp::verify() { return verifyType(*this); }

LogicalResult UnaryOp::verify() {
  if (getKind() == Activation::None)
    return emitOpError() << "expected relu, leaky_relu or relu6, got none";
  return verifySlope(*this, getKind(), getSlope());
}

} // namespace snug::cnn
