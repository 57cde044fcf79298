// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns a network into a straight-line program of kernels.
#include "passes/ConvertToPlan/ConvertToPlan.h"

#include "passes/VerifyFolded/VerifyFolded.h"

#include "snug/Analysis/NetworkAnalysis.h"
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Network/Program.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <map>
#include <tuple>

#define DEBUG_TYPE "snug-convert-to-plan"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_CONVERTTOPLANPASS
#include "passes/ConvertToPlan/ConvertToPlan.h.inc"

static plan::Activation convertActivation(cnn::Activation activation) {
  switch (activation) {
  case cnn::Activation::None:
    return plan::Activation::None;
  case cnn::Activation::Relu:
    return plan::Activation::Relu;
  case cnn::Activation::LeakyRelu:
    return plan::Activation::LeakyRelu;
  case cnn::Activation::Relu6:
    return plan::Activation::Relu6;
  default:
    break; // snug-verify-folded has refused it
  }
  llvm_unreachable("unknown activation");
}

namespace {

/// What a kernel does to its sums before it stores them.
struct Epilogue {
  plan::Activation activation = plan::Activation::None;
  llvm::APFloat slope = llvm::APFloat(0.0f);

  Epilogue() = default;
  Epilogue(cnn::Activation activation, llvm::APFloat slope)
      : activation(convertActivation(activation)), slope(std::move(slope)) {}
};

/// Writes the steps of one expanded network as kernels. Everything about
/// extents, tiles and buffers comes from the network::Program; this class only
/// chooses the kernel of each op and names its parameters.
class Lowering {
public:
  Lowering(func::FuncOp function, const NetworkFromIR &built,
           const network::Program &steps, const TargetOptions &target)
      : function(function), built(built), steps(steps), target(target),
        builder(function), buffers(steps.buffers.size()) {}

  LogicalResult run();

private:
  void describeGroups(plan::ProgramOp program);
  void createBoundBuffers();
  LogicalResult lower(const network::Step &step);
  LogicalResult lowerOp(const network::Step &step, Operation *op);

  Value buffer(int index);
  Value view(const network::View &view);
  plan::ViewType viewType(const network::Buffer &buffer,
                          const network::View &view);

  /// The segment of a parameter, made on first use. `bytes` is what the
  /// catalogue packs it into.
  FlatSymbolRefAttr segment(ElementsAttr value, StringRef name,
                            plan::Packing packing, int64_t bytes,
                            int64_t groups = 1);
  FlatSymbolRefAttr bias(Value value, StringRef layer);

  /// Creates a kernel in the step's group and tile. All values among
  /// `arguments` exist: views are made in a stated order before.
  template <typename Kernel, typename... Arguments>
  void create(const network::Step &step, Location location,
              Arguments &&...arguments) {
    auto placed = [&](int index) {
      return index < 0 ? IntegerAttr() : builder.getI64IntegerAttr(index);
    };
    Kernel::create(builder, location, std::forward<Arguments>(arguments)...,
                   placed(listedGroup(step)), placed(step.tile));
  }
  int listedGroup(const network::Step &step) const;

  void lowerConvolution(const network::Step &step, Operation *op,
                        const runtime::WindowShape &window,
                        ElementsAttr weights, FlatSymbolRefAttr biasSymbol,
                        const Epilogue &epilogue);
  LogicalResult lowerBatchNorm(const network::Step &step, cnn::BatchNormOp op);
  void lowerPool(const network::Step &step, Operation *op, plan::PoolKind kind,
                 ArrayRef<int64_t> window, ArrayRef<int64_t> strides,
                 ArrayRef<int64_t> dilations, bool countIncludePad);
  void lowerGemm(const network::Step &step, cnn::GemmOp op);
  void lowerReshape(const network::Step &step, cnn::ReshapeOp op);

  func::FuncOp function;
  const NetworkFromIR &built;
  const network::Program &steps;
  TargetOptions target;
  OpBuilder builder;
  plan::ProgramOp program;
  Block *body = nullptr;
  SmallVector<Value> buffers;
  /// (constant, packing, groups) to segment: tiles share what their layer has,
  /// and layers what is packed alike.
  std::map<std::tuple<const void *, plan::Packing, int64_t>, FlatSymbolRefAttr>
      segments;
  DenseMap<Operation *, std::pair<ElementsAttr, ElementsAttr>> normParameters;
  llvm::StringSet<> segmentNames;
  Operation *lastSegment = nullptr;
  SmallVector<int> listedGroupOfOp;
};

} // namespace

//===----------------------------------------------------------------------===//
// Buffers, views, segments
//===----------------------------------------------------------------------===//

static plan::Layout convertLayout(network::Layout layout) {
  return layout == network::Layout::Planar ? plan::Layout::Planar
                                           : plan::Layout::ChannelsLast;
}

Value Lowering::buffer(int index) {
  if (buffers[index])
    return buffers[index];
  const network::Buffer &from = steps.buffers[index];
  if (from.role == network::Buffer::Role::Workspace)
    return buffers[index] = plan::BufferOp::create(
               builder, function.getLoc(),
               plan::WorkspaceType::get(builder.getContext(), from.bytes),
               plan::Role::Workspace, nullptr, nullptr, nullptr);
  const network::Tensor &tensor = built.network.tensors[from.tensor];
  auto type = plan::BufferType::get(
      builder.getContext(), tensor.batch, from.rows.size(), from.columns.size(),
      tensor.channels, convertLayout(from.layout));
  return buffers[index] = plan::BufferOp::create(builder, function.getLoc(),
                                                 type, plan::Role::Activation,
                                                 nullptr, nullptr, nullptr);
}

/// Inputs and outputs first, in the function's order, with the model's names
/// and shapes.
void Lowering::createBoundBuffers() {
  auto create = [&](Value value, StringRef name, plan::Role role,
                    network::Buffer::Role wanted) {
    int tensor = built.tensorOf.lookup(value);
    for (auto [index, buffer] : llvm::enumerate(steps.buffers)) {
      if (buffer.tensor != tensor || buffer.role != wanted)
        continue;
      const network::Tensor &extents = built.network.tensors[tensor];
      auto type = plan::BufferType::get(builder.getContext(), extents.batch,
                                        extents.height, extents.width,
                                        extents.channels, plan::Layout::Planar);
      buffers[index] = plan::BufferOp::create(
          builder, function.getLoc(), type, role, builder.getStringAttr(name),
          builder.getDenseI64ArrayAttr(
              cast<ShapedType>(value.getType()).getShape()),
          nullptr);
    }
  };
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    create(argument, inputName(function, index), plan::Role::Input,
           network::Buffer::Role::Input);
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(terminator->getOperands()))
    create(value, outputName(function, index), plan::Role::Output,
           network::Buffer::Role::Output);
}

plan::ViewType Lowering::viewType(const network::Buffer &buffer,
                                  const network::View &view) {
  const network::Tensor &tensor = built.network.tensors[buffer.tensor];
  return plan::ViewType::get(
      builder.getContext(), tensor.batch, view.rows.size(), view.columns.size(),
      tensor.channels,
      cast<plan::BufferType>(this->buffer(view.buffer).getType()).getLayout());
}

Value Lowering::view(const network::View &view) {
  const network::Buffer &from = steps.buffers[view.buffer];
  Value value = buffer(view.buffer);
  return plan::ViewOp::create(builder, function.getLoc(), viewType(from, view),
                              value, view.rows.begin - from.rows.begin,
                              view.columns.begin - from.columns.begin);
}

FlatSymbolRefAttr Lowering::segment(ElementsAttr value, StringRef name,
                                    plan::Packing packing, int64_t bytes,
                                    int64_t groups) {
  FlatSymbolRefAttr &symbol =
      segments[{value.getAsOpaquePointer(), packing, groups}];
  if (symbol)
    return symbol;
  std::string unique = name.str();
  for (int suffix = 1; !segmentNames.insert(unique).second; ++suffix)
    unique = name.str() + "_" + std::to_string(suffix);
  OpBuilder::InsertionGuard guard(builder);
  if (lastSegment)
    builder.setInsertionPointAfter(lastSegment);
  else
    builder.setInsertionPointToStart(body);
  lastSegment = plan::SegmentOp::create(builder, function.getLoc(), unique,
                                        packing, bytes, groups, value);
  return symbol = FlatSymbolRefAttr::get(builder.getContext(), unique);
}

FlatSymbolRefAttr Lowering::bias(Value value, StringRef layer) {
  if (!value)
    return nullptr;
  ElementsAttr elements = value.getDefiningOp<cnn::ConstantOp>().getValue();
  return segment(elements, (layer + ".bias").str(), plan::Packing::Bias,
                 runtime::packedBiasBytes(elements.getNumElements()));
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

int Lowering::listedGroup(const network::Step &step) const {
  if (step.op >= 0)
    return listedGroupOfOp[step.op];
  return step.group >= 0
             ? listedGroupOfOp[built.partition.groups[step.group].opBegin]
             : -1;
}

void Lowering::lowerConvolution(const network::Step &step, Operation *op,
                                const runtime::WindowShape &window,
                                ElementsAttr weights,
                                FlatSymbolRefAttr biasSymbol,
                                const Epilogue &epilogue) {
  FlatSymbolRefAttr symbol = segment(
      weights, built.network.ops[step.op].name + ".weights",
      plan::Packing::Convolution,
      runtime::packedConvolutionBytes(target.target, window), window.groups);
  Value input = view(step.inputs[0]);
  Value residual = step.inputs.size() > 1 ? view(step.inputs[1]) : Value();
  Value output = view(step.output);
  Value workspace = step.workspace >= 0 ? buffer(step.workspace) : Value();
  create<plan::ConvolutionOp>(
      step, op->getLoc(), input, output, residual, workspace, symbol.getValue(),
      biasSymbol, ArrayRef<int64_t>{window.kernelHeight, window.kernelWidth},
      ArrayRef<int64_t>{window.strideHeight, window.strideWidth},
      ArrayRef<int64_t>{window.dilationHeight, window.dilationWidth},
      ArrayRef<int64_t>{step.padTop, step.padLeft, step.padBottom,
                        step.padRight},
      window.groups, epilogue.activation, epilogue.slope);
}

/// A batch norm on its own is a depthwise 1x1 convolution: its weights and
/// biases are the scale and shift that the statistics come down to.
LogicalResult Lowering::lowerBatchNorm(const network::Step &step,
                                       cnn::BatchNormOp op) {
  auto [cached, isNew] = normParameters.try_emplace(op);
  std::string name = built.network.ops[step.op].name;
  if (isNew) {
    auto scale = cnn::getConstantValues(op.getScale());
    auto shift = cnn::getConstantValues(op.getShift());
    auto mean = cnn::getConstantValues(op.getMean());
    auto variance = cnn::getConstantValues(op.getVariance());
    if (!scale || !shift || !mean || !variance)
      return op.emitError("statistics must be constants with values");
    int64_t channels = scale->size();
    double epsilon = op.getEpsilon().convertToDouble();
    auto factor = [&](int64_t c) {
      return (*scale)[c] /
             std::sqrt(static_cast<double>((*variance)[c]) + epsilon);
    };
    Type element = builder.getF32Type();
    cached->second.first =
        cnn::makeWeights(RankedTensorType::get({channels, 1, 1, 1}, element),
                         name + ".weights", [&](MutableArrayRef<float> values) {
                           for (int64_t c = 0; c < channels; ++c)
                             values[c] = static_cast<float>(factor(c));
                         });
    cached->second.second =
        cnn::makeWeights(RankedTensorType::get({channels}, element),
                         name + ".bias", [&](MutableArrayRef<float> values) {
                           for (int64_t c = 0; c < channels; ++c)
                             values[c] = static_cast<float>(
                                 (*shift)[c] - (*mean)[c] * factor(c));
                         });
  }
  auto [weights, shift] = cached->second;
  FlatSymbolRefAttr biasSymbol =
      segment(shift, name + ".bias", plan::Packing::Bias,
              runtime::packedBiasBytes(shift.getNumElements()));
  lowerConvolution(step, op, windowShape(op), weights, biasSymbol, Epilogue());
  return success();
}

void Lowering::lowerPool(const network::Step &step, Operation *op,
                         plan::PoolKind kind, ArrayRef<int64_t> window,
                         ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                         bool countIncludePad) {
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  create<plan::PoolOp>(step, op->getLoc(), input, output, kind, window, strides,
                       dilations,
                       ArrayRef<int64_t>{step.padTop, step.padLeft,
                                         step.padBottom, step.padRight},
                       countIncludePad);
}

void Lowering::lowerGemm(const network::Step &step, cnn::GemmOp op) {
  std::string name = built.network.ops[step.op].name;
  int64_t inputs = op.getInput().getType().getShape()[1];
  int64_t outputs = op.getResult().getType().getShape()[1];
  FlatSymbolRefAttr weights =
      segment(op.getWeight().getDefiningOp<cnn::ConstantOp>().getValue(),
              name + ".weights",
              op.getTransposeWeight() ? plan::Packing::TransposedGemm
                                      : plan::Packing::Gemm,
              runtime::packedGemmBytes(target.target, inputs, outputs));
  FlatSymbolRefAttr biasSymbol = bias(op.getBias(), name);
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  Epilogue epilogue(op.getActivation(), op.getAlpha());
  create<plan::GemmOp>(step, op->getLoc(), input, output, weights.getValue(),
                       biasSymbol, epilogue.activation, epilogue.slope);
}

/// Flattening is a move into planar order, after which the extents no longer
/// matter.
void Lowering::lowerReshape(const network::Step &step, cnn::ReshapeOp op) {
  Value input = view(step.inputs[0]);
  auto inputType = cast<plan::ViewType>(input.getType());
  Value planar = plan::ReinterpretOp::create(
      builder, op.getLoc(),
      plan::BufferType::get(builder.getContext(), inputType.getBatch(),
                            inputType.getHeight(), inputType.getWidth(),
                            inputType.getChannels(), plan::Layout::Planar),
      buffer(step.output.buffer));
  auto outputType = plan::ViewType::get(
      builder.getContext(), inputType.getBatch(), inputType.getHeight(),
      inputType.getWidth(), inputType.getChannels(), plan::Layout::Planar);
  Value output =
      plan::ViewOp::create(builder, op.getLoc(), outputType, planar, 0, 0);
  create<plan::MoveOp>(step, op.getLoc(), input, output);
}

LogicalResult Lowering::lowerOp(const network::Step &step, Operation *op) {
  /// A kernel of views alone: all inputs, then the output.
  auto createElementwise = [&](auto kernel, auto... attributes) {
    SmallVector<Value, 2> inputs;
    for (const network::View &input : step.inputs)
      inputs.push_back(view(input));
    Value output = view(step.output);
    using Kernel = decltype(kernel);
    if constexpr (std::is_same_v<Kernel, plan::AddOp>)
      create<Kernel>(step, op->getLoc(), inputs[0], inputs[1], output,
                     attributes...);
    else
      create<Kernel>(step, op->getLoc(), inputs[0], output, attributes...);
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](cnn::BatchNormOp norm) { return lowerBatchNorm(step, norm); })
      .Case([&](cnn::Conv2DOp conv) {
        FlatSymbolRefAttr biasSymbol =
            bias(conv.getBias(), built.network.ops[step.op].name);
        lowerConvolution(
            step, op, windowShape(conv),
            conv.getFilter().getDefiningOp<cnn::ConstantOp>().getValue(),
            biasSymbol, Epilogue(conv.getActivation(), conv.getAlpha()));
        return success();
      })
      .Case([&](cnn::MaxPool2DOp pool) {
        lowerPool(step, op, plan::PoolKind::Max, pool.getKernel(),
                  pool.getStrides(), pool.getDilations(), false);
        return success();
      })
      .Case([&](cnn::AvgPool2DOp pool) {
        lowerPool(step, op, plan::PoolKind::Average, pool.getKernel(),
                  pool.getStrides(), {1, 1}, pool.getCountIncludePad());
        return success();
      })
      .Case([&](cnn::GemmOp gemm) {
        lowerGemm(step, gemm);
        return success();
      })
      .Case([&](cnn::ReshapeOp reshape) {
        lowerReshape(step, reshape);
        return success();
      })
      .Case([&](cnn::GlobalAvgPoolOp) {
        createElementwise(plan::GlobalAveragePoolOp());
        return success();
      })
      .Case([&](cnn::SoftmaxOp) {
        createElementwise(plan::SoftmaxOp());
        return success();
      })
      .Case([&](cnn::UnaryOp unary) {
        Epilogue epilogue(unary.getKind(), unary.getAlpha());
        createElementwise(plan::UnaryOp(), epilogue.activation, epilogue.slope);
        return success();
      })
      .Case([&](cnn::BinaryOp sum) {
        Epilogue epilogue(sum.getActivation(), sum.getAlpha());
        createElementwise(plan::AddOp(), epilogue.activation, epilogue.slope);
        return success();
      })
      .Default([&](Operation *) {
        return op->emitError("has no kernel; run snug-verify-folded to see "
                             "which pass should have removed it");
      });
}

LogicalResult Lowering::lower(const network::Step &step) {
  if (step.op >= 0)
    return lowerOp(step, built.ops[step.op]);
  Value input = view(step.inputs[0]);
  Value output = view(step.output);
  int tensor = steps.buffers[step.output.buffer].tensor;
  Location location =
      NameLoc::get(builder.getStringAttr(built.network.tensors[tensor].name));
  create<plan::MoveOp>(step, location, input, output);
  return success();
}

/// Lists all ops by group; consecutive ops outside groups form a whole one.
void Lowering::describeGroups(plan::ProgramOp program) {
  SmallVector<Attribute> groups;
  const std::vector<network::Op> &ops = built.network.ops;
  auto list = [&](int64_t begin, int64_t end, const network::Schedule &how) {
    if (begin == end)
      return;
    SmallVector<Attribute> names;
    for (int64_t i = begin; i < end; ++i) {
      names.push_back(builder.getStringAttr(ops[i].name));
      listedGroupOfOp.push_back(static_cast<int>(groups.size()));
    }
    groups.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("ops", builder.getArrayAttr(names)),
         builder.getNamedAttr("schedule",
                              builder.getStringAttr(network::toString(how)))}));
  };
  int64_t next = 0;
  for (const network::Group &group : built.partition.groups) {
    list(next, group.opBegin, network::Schedule::whole());
    list(group.opBegin, group.opEnd, group.schedule);
    next = group.opEnd;
  }
  list(next, static_cast<int64_t>(ops.size()), network::Schedule::whole());
  program.setGroupsAttr(builder.getArrayAttr(groups));
}

LogicalResult Lowering::run() {
  program = plan::ProgramOp::create(
      builder, function.getLoc(), function.getName(),
      runtime::targetName(target.target), target.threads, nullptr, nullptr,
      nullptr, nullptr);
  body = builder.createBlock(&program.getBody());
  describeGroups(program);
  program.setPredictedAttr(builder.getDictionaryAttr(builder.getNamedAttr(
      "network_macs", builder.getI64IntegerAttr(built.network.macs()))));
  createBoundBuffers();
  for (const network::Step &step : steps.steps)
    if (failed(lower(step)))
      return failure();
  function.erase();
  return success();
}

namespace {

struct ConvertToPlanPass
    : public impl::ConvertToPlanPassBase<ConvertToPlanPass> {
  using ConvertToPlanPassBase::ConvertToPlanPassBase;

  void runOnOperation() override {
    if (failed(convert(getOperation())))
      signalPassFailure();
  }

  LogicalResult convert(ModuleOp module) {
    Result<TargetOptions> targetOptions = parseTargetOptions(target, threads);
    if (!targetOptions)
      return module.emitError(targetOptions.error().message);
    FailureOr<func::FuncOp> function = findNetworkFunction(module);
    if (failed(function) || failed(verifyFolded(*function)))
      return failure();
    FailureOr<NetworkFromIR> built = buildNetwork(*function, *targetOptions);
    if (failed(built))
      return failure();
    Result<network::Program> steps =
        network::expand(built->network, built->partition);
    if (!steps)
      return function->emitError(steps.error().message);
    return Lowering(*function, *built, *steps, *targetOptions).run();
  }
};

} // namespace
} // namespace snug
