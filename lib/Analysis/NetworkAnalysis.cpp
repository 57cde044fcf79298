// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds lib/Network's view of a function from IR.
#include "snug/Analysis/NetworkAnalysis.h"

#include "llvm/ADT/TypeSwitch.h"

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

WindowShape windowShape(cnn::Conv2DOp op) {
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
  shape.padTop = op.getPads()[0];
  shape.padLeft = op.getPads()[1];
  shape.padBottom = op.getPads()[2];
  shape.padRight = op.getPads()[3];
  shape.groups = op.getGroups();
  return shape;
}

WindowShape windowShape(cnn::BatchNormOp op) {
  ArrayRef<int64_t> input = op.getInput().getType().getShape();
  WindowShape shape;
  shape.batch = input[0];
  shape.inputChannels = shape.outputChannels = shape.groups = input[1];
  shape.inputHeight = shape.outputHeight = input.size() > 2 ? input[2] : 1;
  shape.inputWidth = shape.outputWidth = input.size() > 3 ? input[3] : 1;
  return shape;
}

namespace {

/// Fills in what the kernel catalogue knows of a convolution.
void describeConvolution(const WindowShape &window, bool hasBias,
                         const TargetOptions &target, network::Op &op) {
  op.packedWeightBytes = runtime::packedConvolutionBytes(target.target, window);
  op.weightSegments = 1;
  if (hasBias) {
    op.packedWeightBytes += runtime::packedBiasBytes(window.outputChannels);
    ++op.weightSegments;
  }
  KernelKind kind = runtime::convolutionKernel(window);
  op.workspaceBytes = [window, kind,
                       target](const network::StepShape &step) -> int64_t {
    WindowShape tile = window;
    tile.batch = step.batch;
    tile.inputHeight = step.inputHeight;
    tile.inputWidth = step.inputWidth;
    tile.outputHeight = step.outputHeight;
    tile.outputWidth = step.outputWidth;
    tile.padTop = step.padTop;
    tile.padLeft = step.padLeft;
    tile.padBottom = step.padBottom;
    tile.padRight = step.padRight;
    return runtime::workspaceBytes(target.target, kind, tile, target.threads);
  };
}

void describeInPlace(KernelKind kind, network::Op &op) {
  for (auto [index, operand] : llvm::enumerate(op.operands))
    operand.inPlace = runtime::runsInPlace(kind, static_cast<int>(index));
}

/// Fills in what the kernel catalogue knows of an op: its weights, its scratch,
/// what it may write over.
void describeKernel(Operation *operation, const TargetOptions &target,
                    network::Op &op) {
  llvm::TypeSwitch<Operation *>(operation)
      .Case([&](cnn::Conv2DOp conv) {
        describeConvolution(windowShape(conv), conv.getBias() != nullptr,
                            target, op);
        describeInPlace(runtime::convolutionKernel(windowShape(conv)), op);
      })
      .Case([&](cnn::BatchNormOp norm) {
        describeConvolution(windowShape(norm), /*hasBias=*/true, target, op);
      })
      .Case([&](cnn::GemmOp gemm) {
        int64_t inputs = gemm.getInput().getType().getShape()[1];
        int64_t outputs = gemm.getResult().getType().getShape()[1];
        op.packedWeightBytes =
            runtime::packedGemmBytes(target.target, inputs, outputs);
        op.weightSegments = 1;
        if (gemm.getBias()) {
          op.packedWeightBytes += runtime::packedBiasBytes(outputs);
          ++op.weightSegments;
        }
      })
      .Case([&](cnn::UnaryOp) { describeInPlace(KernelKind::Unary, op); })
      .Case([&](cnn::BinaryOp) { describeInPlace(KernelKind::Binary, op); })
      .Case([&](cnn::SoftmaxOp) { describeInPlace(KernelKind::Softmax, op); });
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
    return std::move(result);
  }

private:
  FailureOr<int> addTensor(Value value, std::string name, Operation *user) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isF32() ||
        (type.getRank() != 2 && type.getRank() != 4)) {
      user->emitError("tensor '")
          << name << "' must be a static float32 tensor of rank 2 or 4, got "
          << value.getType();
      return failure();
    }
    network::Tensor tensor;
    tensor.name = std::move(name);
    tensor.batch = type.getDimSize(0);
    tensor.channels = type.getDimSize(1);
    if (type.getRank() == 4) {
      tensor.height = type.getDimSize(2);
      tensor.width = type.getDimSize(3);
    }
    int index = static_cast<int>(result.network.tensors.size());
    result.network.tensors.push_back(std::move(tensor));
    result.tensors.push_back(value);
    result.tensorOf[value] = index;
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
    Operation *yield = body.getTerminator();
    for (auto [outer, inner] :
         llvm::zip_equal(group.getResults(), yield->getOperands())) {
      FailureOr<int> tensor = activation(yield, inner);
      if (failed(tensor))
        return failure();
      result.tensorOf[outer] = *tensor;
      result.tensors[*tensor] = outer;
    }
    std::string problem = network::checkGroup(result.network, described);
    if (!problem.empty())
      return group.emitError(problem);
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
    if (!geometry || !cost || operation->getNumResults() != 1)
      return operation->emitError("'")
             << operation->getName()
             << "' has no place in a network: only operations of the snug "
                "dialect with one result do";
    network::Op op;
    op.name = cnn::getNodeName(operation).str();
    if (op.name.empty())
      op.name = operation->getName().stripDialect().str() + "_" +
                std::to_string(result.network.ops.size());
    op.kind = operation->getName().stripDialect().str();
    for (unsigned index : geometry.getActivationOperands()) {
      FailureOr<int> tensor =
          activation(operation, operation->getOperand(index));
      if (failed(tensor))
        return failure();
      op.operands.push_back(
          {*tensor, geometry.getAxisMap(index, cnn::SpatialAxis::Height),
           geometry.getAxisMap(index, cnn::SpatialAxis::Width)});
    }
    op.macsPerOutputElement = cost.getMacsPerOutputElement();
    op.parameterBytes = cost.getParameterBytes();
    op.startsLayer = geometry.startsLayer();
    describeKernel(operation, target, op);
    FailureOr<int> made =
        addTensor(operation->getResult(0), op.name, operation);
    if (failed(made))
      return failure();
    op.result = *made;
    if (isa<cnn::ReshapeOp>(operation))
      op.resultLayout = network::Layout::Planar;
    if (op.resultLayout == network::Layout::Planar &&
        !result.network.tensors[op.result].ordersAgree())
      return operation->emitError(
          "only a reshape that flattens to [batch, features] can be planned");
    result.network.ops.push_back(std::move(op));
    result.ops.push_back(operation);
    return success();
  }

  LogicalResult markOutputs() {
    Operation *terminator = function.getBody().front().getTerminator();
    for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
      auto known = result.tensorOf.find(value);
      std::string name = outputName(function, index);
      if (known == result.tensorOf.end() ||
          result.network.tensors[known->second].isInput)
        return function.emitError("output '")
               << name << "' is an input or a constant: nothing to compute";
      network::Tensor &tensor = result.network.tensors[known->second];
      if (tensor.isOutput)
        return function.emitError("output '")
               << name
               << "' is the same tensor as an output before it; keep "
                  "one of them";
      tensor.isOutput = true;
    }
    return success();
  }

  func::FuncOp function;
  TargetOptions target;
  NetworkFromIR result;
};

} // namespace

FailureOr<NetworkFromIR> buildNetwork(func::FuncOp function,
                                      const TargetOptions &target) {
  return Builder(function, target).build();
}

} // namespace snug
