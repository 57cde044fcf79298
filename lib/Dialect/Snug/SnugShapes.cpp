// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Result types of ops with windows and of matrix products, and the verifiers
// that compare them with the types that stand there. Extents of windows come
// from network::AxisMap.
#include "SnugInference.h"

using namespace mlir;
using snug::network::AxisMap;

namespace snug::cnn {

namespace {

constexpr StringLiteral kAxisNames[] = {"height", "width"};

/// A kernel, what lies around it, and how it moves; height first.
struct Window {
  ArrayRef<int64_t> kernel, strides, dilations;
  ArrayRef<int64_t> pads; ///< top, left, bottom, right
};

constexpr int64_t kOnes[] = {1, 1};
constexpr int64_t kZeros[] = {0, 0, 0, 0};

LogicalResult checkWindow(EmitError error, const Window &window) {
  return success(
      succeeded(checkNumbers(error, "kernel extents", window.kernel, 2, 1)) &&
      succeeded(checkNumbers(error, "strides", window.strides, 2, 1)) &&
      succeeded(checkNumbers(error, "dilations", window.dilations, 2, 1)) &&
      succeeded(checkNumbers(error, "pads", window.pads, 4, 0)));
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

} // namespace

//===----------------------------------------------------------------------===//
// Result types
//===----------------------------------------------------------------------===//

static InferredType inferType(Conv2DOp::Adaptor op, EmitError error) {
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

/// Extent of a transposed convolution's result along one axis.
static FailureOr<int64_t> transposedExtent(EmitError error,
                                           const Window &window,
                                           int64_t outputPad, int axis,
                                           int64_t input) {
  const int64_t kernel = window.kernel[axis], stride = window.strides[axis];
  const int64_t dilation = window.dilations[axis];
  const int64_t low = window.pads[axis], high = window.pads[axis + 2];
  const std::optional<int64_t> reach =
      network::checkedMultiply(kernel - 1, dilation);
  std::optional<int64_t> span = network::checkedMultiply(input - 1, stride);
  for (std::optional<int64_t> summand :
       {reach, std::optional(outputPad), std::optional<int64_t>(1)})
    span =
        span && summand ? network::checkedAdd(*span, *summand) : std::nullopt;
  const std::optional<int64_t> pads = network::checkedAdd(low, high);
  if (!span || !pads) {
    error() << "the " << kAxisNames[axis] << " overflows 64 bits: kernel "
            << kernel << ", stride " << stride << ", dilation " << dilation
            << ", pads " << low << " and " << high << ", output pad "
            << outputPad << " on " << input << " elements";
    return failure();
  }
  const AxisMap map = AxisMap::transposedWindow(kernel, stride, dilation, low,
                                                high - outputPad);
  const std::optional<int64_t> extent = map.outputExtent(input);
  if (!extent) {
    error() << "pads " << low << " and " << high << " leave nothing of the "
            << kAxisNames[axis] << " of " << *span;
    return failure();
  }
  return *extent;
}

static InferredType inferType(ConvTranspose2DOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(
          error, {{op.getInput(), 4}, {op.getFilter(), 4}, {op.getBias(), 1}})))
    return failure();
  const ArrayRef<int64_t> input = shapeOf(op.getInput());
  const ArrayRef<int64_t> filter = shapeOf(op.getFilter());
  const Window window = {
      filter.drop_front(2), valueOr(op.getStridesAttr(), kOnes),
      valueOr(op.getDilationsAttr(), kOnes), valueOr(op.getPadsAttr(), kZeros)};
  const ArrayRef<int64_t> outputPads =
      valueOr(op.getOutputPadsAttr(), ArrayRef(kZeros).take_front(2));
  if (failed(checkWindow(error, window)) ||
      failed(checkNumbers(error, "output pads", outputPads, 2, 0)))
    return failure();
  const int64_t groups = op.getGroupsAttr() ? op.getGroups() : 1;
  if (groups < 1 || input[1] % groups != 0) {
    error() << "expected groups that divide " << input[1]
            << " input channels, got " << groups;
    return failure();
  }
  if (filter[0] != input[1]) {
    error() << "expected a filter of " << input[1]
            << " input channels, which come first, got " << filter[0];
    return failure();
  }
  const std::optional<int64_t> channels =
      network::checkedMultiply(filter[1], groups);
  if (!channels) {
    error() << "the channels overflow 64 bits: " << filter[1] << " in "
            << groups << " groups";
    return failure();
  }
  if (op.getBias() && shapeOf(op.getBias())[0] != *channels) {
    error() << "expected a bias of " << *channels << " channels, got "
            << shapeOf(op.getBias())[0];
    return failure();
  }
  const FailureOr<int64_t> height =
      transposedExtent(error, window, outputPads[0], 0, input[2]);
  if (failed(height))
    return failure();
  const FailureOr<int64_t> width =
      transposedExtent(error, window, outputPads[1], 1, input[3]);
  if (failed(width))
    return failure();
  return makeType(error, op.getInput().getContext(),
                  {input[0], *channels, *height, *width});
}

static InferredType inferType(GemmOp::Adaptor op, EmitError error) {
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

static InferredType inferType(MatMulOp::Adaptor op, EmitError error) {
  if (failed(checkRanks(error, {{op.getLeft(), -1}, {op.getRight(), -1}})))
    return failure();
  const ArrayRef<int64_t> left = shapeOf(op.getLeft());
  const ArrayRef<int64_t> right = shapeOf(op.getRight());
  if (left.size() < 2 || right.size() < 2) {
    error() << "expected operands of rank two at least, got [" << left
            << "] and [" << right << "]; reshape a vector to a matrix";
    return failure();
  }
  if (left.back() != right[right.size() - 2]) {
    error() << "expected as many columns on the left as rows on the right, got "
            << left.back() << " and " << right[right.size() - 2];
    return failure();
  }
  FailureOr<SmallVector<int64_t>> shape =
      broadcast(error, left.drop_back(2), right.drop_back(2));
  if (failed(shape))
    return failure();
  shape->append({left[left.size() - 2], right.back()});
  return makeType(error, op.getLeft().getContext(), *shape);
}

static InferredType inferPool(EmitError error, Value input,
                              const Window &window) {
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

static InferredType inferType(MaxPool2DOp::Adaptor op, EmitError error) {
  return inferPool(error, op.getInput(),
                   {valueOr(op.getKernelAttr(), {}),
                    valueOr(op.getStridesAttr(), kOnes),
                    valueOr(op.getDilationsAttr(), kOnes),
                    valueOr(op.getPadsAttr(), kZeros)});
}

static InferredType inferType(AvgPool2DOp::Adaptor op, EmitError error) {
  const ArrayRef<int64_t> kernel = valueOr(op.getKernelAttr(), {});
  const ArrayRef<int64_t> strides = valueOr(op.getStridesAttr(), kOnes);
  const ArrayRef<int64_t> pads = valueOr(op.getPadsAttr(), kZeros);
  const ArrayRef<int64_t> ceilPads =
      valueOr(op.getCeilPadsAttr(), ArrayRef(kZeros).take_front(2));
  if (failed(checkNumbers(error, "pads", pads, 4, 0)) ||
      failed(checkNumbers(error, "ceil pads", ceilPads, 2, 0)))
    return failure();
  SmallVector<int64_t> all(pads);
  for (int axis : {0, 1}) {
    const std::optional<int64_t> high =
        network::checkedAdd(pads[axis + 2], ceilPads[axis]);
    if (!high) {
      error() << "the " << kAxisNames[axis] << " overflows 64 bits: pads "
              << pads[axis + 2] << " and " << ceilPads[axis];
      return failure();
    }
    all[axis + 2] = *high;
  }
  // Pads are below the kernel's extent, so that no window begins beyond them.
  return inferPool(error, op.getInput(), {kernel, strides, kOnes, all});
}

static InferredType inferGlobalPool(EmitError error, Value input) {
  if (failed(checkRanks(error, {{input, 4}})))
    return failure();
  const ArrayRef<int64_t> shape = shapeOf(input);
  return makeType(error, input.getContext(), {shape[0], shape[1], 1, 1});
}

static InferredType inferType(GlobalAvgPoolOp::Adaptor op, EmitError error) {
  return inferGlobalPool(error, op.getInput());
}

static InferredType inferType(GlobalMaxPoolOp::Adaptor op, EmitError error) {
  return inferGlobalPool(error, op.getInput());
}

//===----------------------------------------------------------------------===//
// Inference and verification on top of them
//===----------------------------------------------------------------------===//

SNUG_INFER(Conv2DOp)
SNUG_INFER(ConvTranspose2DOp)
SNUG_INFER(GemmOp)
SNUG_INFER(MatMulOp)
SNUG_INFER(MaxPool2DOp)
SNUG_INFER(AvgPool2DOp)
SNUG_INFER(GlobalAvgPoolOp)
SNUG_INFER(GlobalMaxPoolOp)

LogicalResult Conv2DOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifyActivation(*this, getActivation(), getAlpha(), getBeta());
}

LogicalResult ConvTranspose2DOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifyActivation(*this, getActivation(), getAlpha(), getBeta());
}

LogicalResult GemmOp::verify() {
  if (failed(verifyType(*this)))
    return failure();
  return verifyActivation(*this, getActivation(), getAlpha(), getBeta());
}

LogicalResult MatMulOp::verify() { return verifyType(*this); }

LogicalResult MaxPool2DOp::verify() { return verifyType(*this); }

LogicalResult AvgPool2DOp::verify() { return verifyType(*this); }

LogicalResult GlobalAvgPoolOp::verify() { return verifyType(*this); }

LogicalResult GlobalMaxPoolOp::verify() { return verifyType(*this); }

} // namespace snug::cnn
