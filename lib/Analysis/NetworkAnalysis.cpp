// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds lib/Network's view of a function from IR.
#include "snug/Analysis/NetworkAnalysis.h"

#include "snug/Analysis/Layouts.h"
#include "snug/Analysis/PackedParameters.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <set>

using namespace mlir;

namespace snug {

using network::AxisMap;
using runtime::KernelKind;
using runtime::WindowShape;

Result<TargetOptions> parseTargetOptions(const std::string &target,
                                         int64_t threads) {
  TargetOptions options;
  if (!runtime::parseTarget(target.c_str(), &options.target))
    return Error{"unknown target '" + target +
                 "'; known are host, portable, avx2, avx512"};
  if (threads < 1 || threads > 256)
    return Error{"threads must be between 1 and 256, got " +
                 std::to_string(threads)};
  options.threads = static_cast<int>(threads);
  return options;
}

FailureOr<func::FuncOp> findNetworkFunction(ModuleOp module) {
  func::FuncOp found;
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (found) {
      function.emitError("a model has one function, this is a second one");
      return failure();
    }
    found = function;
  }
  if (!found || found.isExternal()) {
    module.emitError("the module has no function with a network");
    return failure();
  }
  return found;
}

std::string inputName(func::FuncOp function, unsigned index) {
  if (auto name =
          function.getArgAttrOfType<StringAttr>(index, cnn::kNameAttrName))
    return name.str();
  return "input" + std::to_string(index);
}

std::string outputName(func::FuncOp function, unsigned index) {
  if (auto name =
          function.getResultAttrOfType<StringAttr>(index, cnn::kNameAttrName))
    return name.str();
  return "output" + std::to_string(index);
}

/// What convolutions and transposed ones have alike: all but pads.
template <typename Convolution>
static WindowShape windowWithoutPads(Convolution op) {
  ArrayRef<int64_t> input = op.getInput().getType().getShape();
  ArrayRef<int64_t> output = op.getResult().getType().getShape();
  ArrayRef<int64_t> filter = op.getFilter().getType().getShape();
  WindowShape shape;
  shape.batch = input[0];
  shape.inputChannels = input[1];
  shape.inputHeight = input[2];
  shape.inputWidth = input[3];
  shape.outputChannels = output[1];
  shape.outputHeight = output[2];
  shape.outputWidth = output[3];
  shape.kernelHeight = filter[2];
  shape.kernelWidth = filter[3];
  shape.strideHeight = op.getStrides()[0];
  shape.strideWidth = op.getStrides()[1];
  shape.dilationHeight = op.getDilations()[0];
  shape.dilationWidth = op.getDilations()[1];
  shape.groups = op.getGroups();
  return shape;
}

WindowShape windowShape(cnn::Conv2DOp op) {
  WindowShape shape = windowWithoutPads(op);
  shape.padTop = op.getPads()[0];
  shape.padLeft = op.getPads()[1];
  shape.padBottom = op.getPads()[2];
  shape.padRight = op.getPads()[3];
  return shape;
}

WindowShape windowShape(cnn::ConvTranspose2DOp op) {
  return windowWithoutPads(op);
}

/// Extents of a tensor of any rank, as network::Tensor counts them.
static network::Tensor describeShape(ArrayRef<int64_t> shape) {
  network::Tensor tensor;
  const size_t rank = shape.size();
  if (rank == 1)
    tensor.channels = shape[0];
  if (rank >= 2) {
    tensor.batch = shape[0];
    tensor.channels = shape[1];
  }
  if (rank == 3)
    tensor.width = shape[2];
  if (rank >= 4) {
    tensor.height = shape[2];
    for (int64_t extent : shape.drop_front(3))
      tensor.width *= extent;
  }
  return tensor;
}

WindowShape windowShape(cnn::BatchNormOp op) {
  const network::Tensor input =
      describeShape(op.getInput().getType().getShape());
  WindowShape shape;
  shape.batch = input.batch;
  shape.inputChannels = shape.outputChannels = shape.groups = input.channels;
  shape.inputHeight = shape.outputHeight = input.height;
  shape.inputWidth = shape.outputWidth = input.width;
  return shape;
}

namespace {

using KnownParameters = std::set<PackedParameters>;

Attribute valueOf(Value constant) {
  auto op = constant.getDefiningOp<cnn::ConstantOp>();
  return op ? Attribute(op.getValue()) : Attribute();
}

/// A segment of parameters, as long as it is in a plan file; `known` are those
/// of the ops before. Without a value: made for this op alone.
void addSegment(const PackedParameters &packed, int64_t bytes,
                KnownParameters &known, network::Op &op) {
  const int64_t length = llvm::alignTo(bytes, runtime::kBufferAlignment);
  op.packedWeightBytes += length;
  ++op.weightSegments;
  if (packed.value && !known.insert(packed).second) {
    op.sharedWeightBytes += length;
    ++op.sharedWeightSegments;
  }
}

void addBias(Value bias, KnownParameters &known, network::Op &op) {
  if (bias)
    addSegment({valueOf(bias), plan::Packing::Bias},
               runtime::packedBiasBytes(
                   cast<ShapedType>(bias.getType()).getNumElements()),
               known, op);
}

/// A layer's window on views of a step's extents.
WindowShape windowOf(const WindowShape &layer, const network::StepShape &step) {
  WindowShape window = layer;
  window.batch = step.batch;
  window.inputHeight = step.inputHeight;
  window.inputWidth = step.inputWidth;
  window.outputHeight = step.outputHeight;
  window.outputWidth = step.outputWidth;
  window.padTop = step.padTop;
  window.padLeft = step.padLeft;
  window.padBottom = step.padBottom;
  window.padRight = step.padRight;
  return window;
}

KernelKind chooseKernel(const WindowShape &window, bool allowWinograd,
                        const TargetOptions &target) {
  if (allowWinograd && runtime::winogradPays(target.target, window))
    return KernelKind::Winograd;
  return runtime::convolutionKernel(window);
}

/// Workspace of a convolution whose kernel is chosen for each step; only
/// Winograd's has any.
void describeWorkspace(const WindowShape &layer, bool allowWinograd,
                       const TargetOptions &target, network::Op &op) {
  if (!allowWinograd || !runtime::hasWinograd(layer))
    return;
  op.workspaceBytes = [=](const network::StepShape &step) -> int64_t {
    const WindowShape window = windowOf(layer, step);
    return runtime::workspaceBytes(target.target,
                                   chooseKernel(window, allowWinograd, target),
                                   window, target.threads);
  };
}

/// `activations` are the operands' numbers among all of the op.
void describeInPlace(KernelKind kind, ArrayRef<unsigned> activations,
                     network::Op &op) {
  for (auto [operand, number] : llvm::zip_equal(op.operands, activations))
    operand.inPlace = runtime::runsInPlace(kind, static_cast<int>(number));
}

/// Fills in what the kernel catalogue knows of an op: its weights, its scratch,
/// what it may write over.
void describeKernel(Operation *operation, ArrayRef<unsigned> activations,
                    const TargetOptions &target, KnownParameters &known,
                    network::Op &op) {
  llvm::TypeSwitch<Operation *>(operation)
      .Case([&](cnn::Conv2DOp conv) {
        WindowShape window = windowShape(conv);
        addSegment({valueOf(conv.getFilter()), plan::Packing::Convolution,
                    window.groups},
                   runtime::packedConvolutionBytes(target.target, window),
                   known, op);
        addBias(conv.getBias(), known, op);
        describeWorkspace(window, conv.getAllowWinograd(), target, op);
        // Whatever kernel is chosen, all of them may.
        if (conv.getResidual())
          op.operands[1].inPlace =
              runtime::runsInPlace(KernelKind::Winograd, 1) &&
              runtime::runsInPlace(runtime::convolutionKernel(window), 1);
      })
      .Case([&](cnn::ConvTranspose2DOp conv) {
        WindowShape window = windowShape(conv);
        addSegment(
            {valueOf(conv.getFilter()), plan::Packing::TransposedConvolution,
             window.groups, conv.getStrides().vec(), conv.getDilations().vec()},
            runtime::packedTransposedConvolutionBytes(target.target, window),
            known, op);
        addBias(conv.getBias(), known, op);
      })
      .Case([&](cnn::BatchNormOp norm) {
        // Both are computed for this op.
        addSegment(
            {},
            runtime::packedConvolutionBytes(target.target, windowShape(norm)),
            known, op);
        addSegment({},
                   runtime::packedBiasBytes(
                       norm.getShift().getType().getNumElements()),
                   known, op);
      })
      .Case([&](cnn::GemmOp gemm) {
        int64_t inputs = gemm.getInput().getType().getShape()[1];
        int64_t outputs = gemm.getResult().getType().getShape()[1];
        addSegment({valueOf(gemm.getWeight()),
                    gemm.getTransposeWeight() ? plan::Packing::TransposedGemm
                                              : plan::Packing::Gemm},
                   runtime::packedGemmBytes(target.target, inputs, outputs),
                   known, op);
        addBias(gemm.getBias(), known, op);
      })
      .Case([&](cnn::UnaryOp) {
        describeInPlace(KernelKind::Unary, activations, op);
      })
      .Case([&](cnn::BinaryOp binary) {
        describeInPlace(KernelKind::Binary, activations, op);
        for (Value operand : {binary.getLeft(), binary.getRight()})
          if (operand.getDefiningOp<cnn::ConstantOp>())
            addSegment({}, // aligned with the other operand's extents
                       cast<ShapedType>(operand.getType()).getNumElements() *
                           network::kElementBytes,
                       known, op);
      })
      .Case([&](cnn::SoftmaxOp) {
        describeInPlace(KernelKind::Softmax, activations, op);
      });
}

/// Walks a function and collects its network.
class Builder {
public:
  Builder(func::FuncOp function, const TargetOptions &target)
      : function(function), target(target) {}

  FailureOr<NetworkFromIR> build() {
    if (!function.getBody().hasOneBlock()) {
      function.emitError("a network is a function with a body of one block");
      return failure();
    }
    Operation *module = function->getParentOp();
    if (auto model =
            module ? module->getAttrOfType<StringAttr>(cnn::kModelAttrName)
                   : StringAttr())
      result.network.name = model.str();
    for (auto [index, argument] : llvm::enumerate(function.getArguments())) {
      FailureOr<int> tensor =
          addTensor(argument, inputName(function, index), function);
      if (failed(tensor))
        return failure();
      result.network.tensors[*tensor].isInput = true;
    }
    if (failed(addBlock(function.getBody().front())) || failed(markOutputs()))
      return failure();
    std::string problem = network::check(result.network);
    if (!problem.empty()) {
      function.emitError(problem);
      return failure();
    }
    for (auto [group, described] :
         llvm::zip_equal(groups, result.partition.groups)) {
      problem = network::checkGroup(result.network, described);
      if (!problem.empty()) {
        group.emitError(problem);
        return failure();
      }
    }
    return std::move(result);
  }

private:
  FailureOr<int> addTensor(Value value, std::string name, Operation *user) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isF32()) {
      user->emitError("tensor '")
          << name << "' must be a static float32 tensor, got "
          << value.getType();
      return failure();
    }
    network::Tensor tensor = describeShape(type.getShape());
    tensor.name = std::move(name);
    int index = static_cast<int>(result.network.tensors.size());
    result.network.tensors.push_back(std::move(tensor));
    result.tensors.push_back(value);
    result.tensorOf[value] = index;
    layouts.push_back(network::Layout::Planar); // inputs are
    return index;
  }

  LogicalResult addBlock(Block &block) {
    for (Operation &op : block) {
      if (isa<cnn::ConstantOp, cnn::YieldOp, func::ReturnOp>(op))
        continue;
      LogicalResult added = isa<cnn::FusedGroupOp>(op)
                                ? addGroup(cast<cnn::FusedGroupOp>(op))
                                : addOp(&op);
      if (failed(added))
        return failure();
    }
    return success();
  }

  /// A group's ops stand in the network where the group stands.
  LogicalResult addGroup(cnn::FusedGroupOp group) {
    Block &body = group.getBody().front();
    for (auto [argument, operand] :
         llvm::zip_equal(body.getArguments(), group.getOperands())) {
      FailureOr<int> tensor = activation(group, operand);
      if (failed(tensor))
        return failure();
      result.tensorOf[argument] = *tensor;
    }
    network::Group described;
    described.opBegin = static_cast<int64_t>(result.network.ops.size());
    described.schedule = group.getSchedule().getSchedule();
    if (failed(addBlock(body)))
      return failure();
    described.opEnd = static_cast<int64_t>(result.network.ops.size());
    result.partition.groups.push_back(described);
    groups.push_back(group);
    Operation *yield = body.getTerminator();
    for (auto [outer, inner] :
         llvm::zip_equal(group.getResults(), yield->getOperands())) {
      FailureOr<int> tensor = activation(yield, inner);
      if (failed(tensor))
        return failure();
      result.tensorOf[outer] = *tensor;
      result.tensors[*tensor] = outer;
    }
    return success();
  }

  /// The tensor that `user` reads as an activation, or an error.
  FailureOr<int> activation(Operation *user, Value value) {
    auto known = result.tensorOf.find(value);
    if (known != result.tensorOf.end())
      return known->second;
    user->emitError("a constant stands where an activation is expected; fold "
                    "constants before planning");
    return failure();
  }

  LogicalResult addOp(Operation *operation) {
    auto geometry = dyn_cast<cnn::ReceptiveFieldOpInterface>(operation);
    auto cost = dyn_cast<cnn::CostOpInterface>(operation);
    if (!geometry || !cost || operation->getNumResults() == 0)
      return operation->emitError("'")
             << operation->getName()
             << "' has no place in a network: only operations of the snug "
                "dialect with a result do";
    network::Op op;
    op.name = cnn::getNodeName(operation).str();
    if (op.name.empty())
      op.name = operation->getName().stripDialect().str() + "_" +
                std::to_string(result.network.ops.size());
    op.kind = operation->getName().stripDialect().str();
    SmallVector<unsigned> activations = geometry.getActivationOperands();
    if (failed(addOperands(operation, activations, op)))
      return failure();
    op.costKnown = cost.isCostKnown();
    if (op.costKnown)
      op.macsPerOutputElement = cost.getMacsPerOutputElement();
    op.parameterBytes = cost.getParameterBytes();
    op.startsLayer = geometry.startsLayer();
    describeKernel(operation, activations, target, packed, op);
    // An op of this library has one result; a foreign one with several counts
    // as one op for each that is used.
    Value first = operation->getResult(0);
    for (Value made : operation->getResults()) {
      if (made != first && made.use_empty())
        continue;
      network::Op each = op;
      if (made != first)
        each.name +=
            ":" + std::to_string(cast<OpResult>(made).getResultNumber());
      FailureOr<int> tensor = addTensor(made, each.name, operation);
      if (failed(tensor))
        return failure();
      layouts[*tensor] = op.resultLayout;
      each.result = *tensor;
      result.network.ops.push_back(std::move(each));
      result.ops.push_back(operation);
    }
    return success();
  }

  /// Operands with their layouts and geometry.
  LogicalResult addOperands(Operation *operation, ArrayRef<unsigned> numbers,
                            network::Op &op) {
    auto geometry = cast<cnn::ReceptiveFieldOpInterface>(operation);
    SmallVector<WrittenTensor> written;
    for (unsigned number : numbers) {
      Value value = operation->getOperand(number);
      FailureOr<int> tensor = activation(operation, value);
      if (failed(tensor))
        return failure();
      op.operands.push_back(
          {*tensor, geometry.getAxisMap(number, cnn::SpatialAxis::Height),
           geometry.getAxisMap(number, cnn::SpatialAxis::Width)});
      written.push_back({cast<RankedTensorType>(value.getType()),
                         layouts[*tensor],
                         result.network.tensors[*tensor].isInput});
    }
    OpLayouts chosen = chooseLayouts(operation, written);
    op.resultLayout = chosen.result;
    op.copies = chosen.copies;
    for (auto [operand, layout] :
         llvm::zip_equal(op.operands, chosen.operands)) {
      operand.layout = layout;
      // What is planar is read whole, whatever its axes mean to the op.
      if (layout == network::Layout::Planar ||
          chosen.result == network::Layout::Planar)
        operand.height = operand.width = AxisMap::wholeInput();
    }
    if (op.copies)
      describeCopies(operation, op);
    else
      countKernels(operation, op);
    return success();
  }

  /// Steps that convert-to-plan writes several kernels for.
  void countKernels(Operation *operation, network::Op &op) {
    // One for each operand; a tile may meet all of them.
    if (isa<cnn::ConcatOp>(operation))
      op.kernels = op.tileKernels = static_cast<int>(op.operands.size());
    // A tile has whole blocks and parts of one on either side, on both axes.
    if (isa<cnn::DepthToSpaceOp>(operation))
      op.tileKernels = 9;
    // It has the input's elements and a border on either side, on three axes.
    if (auto pad = dyn_cast<cnn::PadOp>(operation);
        pad && pad.getMode() != cnn::PadMode::Constant)
      for (auto [low, high] : llvm::zip_equal(pad.getLow(), pad.getHigh()))
        op.tileKernels *= 1 + (low > 0) + (high > 0);
  }

  /// Which channels of its operands an op copies, and to where.
  void describeCopies(Operation *operation, network::Op &op) {
    auto type = cast<RankedTensorType>(operation->getResult(0).getType());
    if (type.getRank() == 2 && op.resultLayout != network::Layout::Planar)
      for (network::Operand &operand : op.operands)
        operand.height = operand.width = AxisMap::identity();
    if (isa<cnn::ConcatOp>(operation)) {
      int64_t channel = 0;
      for (network::Operand &operand : op.operands) {
        operand.resultChannel = channel;
        channel += result.network.tensors[operand.tensor].channels;
      }
    } else if (auto slice = dyn_cast<cnn::SliceOp>(operation)) {
      network::Operand &operand = op.operands[0];
      const int64_t begin = slice.getStarts()[1];
      operand.channels = {begin, begin + type.getDimSize(1)};
      if (type.getRank() != 4)
        return;
      auto crop = [&](int axis) {
        return AxisMap::crop(slice.getStarts()[axis], type.getDimSize(axis),
                             slice.getInput().getType().getDimSize(axis));
      };
      operand.height = crop(2);
      operand.width = crop(3);
    }
  }

  LogicalResult markOutputs() {
    Operation *terminator = function.getBody().front().getTerminator();
    for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
      auto known = result.tensorOf.find(value);
      std::string name = outputName(function, index);
      if (known == result.tensorOf.end())
        return function.emitError("output '")
               << name << "' is a constant: nothing to compute";
      network::Tensor &tensor = result.network.tensors[known->second];
      if (tensor.isInput || tensor.isOutput)
        return function.emitError("output '")
               << name << "' is "
               << (tensor.isInput ? "an input"
                                  : "the same tensor as an output before it")
               << "; run snug-separate-outputs before";
      tensor.isOutput = true;
    }
    return success();
  }

  func::FuncOp function;
  TargetOptions target;
  NetworkFromIR result;
  std::vector<network::Layout> layouts; ///< as tensors are written
  KnownParameters packed;               ///< parameters of the ops so far
  /// Of the partition. What is used behind a group is known in the end.
  SmallVector<cnn::FusedGroupOp> groups;
};

} // namespace

FailureOr<NetworkFromIR> buildNetwork(func::FuncOp function,
                                      const TargetOptions &target) {
  return Builder(function, target).build();
}

KernelKind kernelOf(cnn::Conv2DOp op, const network::StepShape &step,
                    const TargetOptions &target) {
  return chooseKernel(windowOf(windowShape(op), step), op.getAllowWinograd(),
                      target);
}

} // namespace snug
