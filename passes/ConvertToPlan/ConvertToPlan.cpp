// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns a network into a straight-line program of kernels.
#include "passes/ConvertToPlan/ConvertToPlan.h"

#include "passes/ConvertToPlan/Lowering.h"
#include "passes/VerifyFolded/VerifyFolded.h"

#include "llvm/ADT/TypeSwitch.h"

#define DEBUG_TYPE "snug-convert-to-plan"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_CONVERTTOPLANPASS
#include "passes/ConvertToPlan/ConvertToPlan.h.inc"

/// The numbers of both dialects' enumerations are the plan schema's.
Epilogue Epilogue::make(cnn::Activation activation, llvm::APFloat alpha,
                        llvm::APFloat beta) {
  Epilogue epilogue;
  epilogue.activation =
      *plan::symbolizeActivation(static_cast<uint32_t>(activation));
  epilogue.alpha = std::move(alpha);
  epilogue.beta = std::move(beta);
  return epilogue;
}

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
  auto type = plan::BufferType::get(builder.getContext(), tensor.batch,
                                    from.rows.size(), from.columns.size(),
                                    from.channels, convertLayout(from.layout));
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

Value Lowering::reinterpret(int index, const Extents &extents,
                            plan::Layout layout) {
  auto [batch, height, width, channels] = extents;
  Value whole = buffer(index);
  auto type = plan::BufferType::get(builder.getContext(), batch, height, width,
                                    channels, layout);
  if (whole.getType() == type)
    return whole;
  return plan::ReinterpretOp::create(builder, function.getLoc(), type, whole);
}

Value Lowering::view(const network::View &view) {
  const network::Buffer &from = steps.buffers[view.buffer];
  Value whole;
  int64_t row = view.rows.begin, column = view.columns.begin;
  if (!network::isReshaped(built.network, steps, view)) {
    whole = buffer(view.buffer);
    row -= from.rows.begin;
    column -= from.columns.begin;
  } else {
    // It lies where its operand does.
    const network::Tensor &tensor = built.network.tensors[view.tensor];
    whole = reinterpret(
        view.buffer,
        {tensor.batch, tensor.height, tensor.width, tensor.channels},
        plan::Layout::Planar);
  }
  auto type = cast<plan::BufferType>(whole.getType());
  return plan::ViewOp::create(
      builder, function.getLoc(),
      plan::ViewType::get(builder.getContext(), type.getBatch(),
                          view.rows.size(), view.columns.size(),
                          view.channels.size(), type.getLayout()),
      whole, row, column, view.channels.begin);
}

Value Lowering::viewAs(const network::View &view, const Extents &extents,
                       plan::Layout layout) {
  auto [batch, height, width, channels] = extents;
  return plan::ViewOp::create(
      builder, function.getLoc(),
      plan::ViewType::get(builder.getContext(), batch, height, width, channels,
                          layout),
      reinterpret(view.buffer, extents, layout), 0, 0, 0);
}

FlatSymbolRefAttr Lowering::segment(ElementsAttr value, StringRef name,
                                    plan::Packing packing, int64_t bytes,
                                    int64_t groups, ArrayRef<int64_t> strides,
                                    ArrayRef<int64_t> dilations) {
  FlatSymbolRefAttr &symbol =
      segments[{value, packing, groups, strides.vec(), dilations.vec()}];
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
  lastSegment =
      plan::SegmentOp::create(builder, function.getLoc(), unique, packing,
                              bytes, groups, strides, dilations, value);
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
// Steps
//===----------------------------------------------------------------------===//

int Lowering::listedGroup(const Step &step) const {
  if (step.op >= 0)
    return listedGroupOfOp[step.op];
  return step.group >= 0
             ? listedGroupOfOp[built.partition.groups[step.group].opBegin]
             : -1;
}

LogicalResult Lowering::lowerOp(const Step &step, Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<cnn::AvgPool2DOp, cnn::BatchNormOp, cnn::BinaryOp,
            cnn::ChannelShuffleOp, cnn::ConcatOp, cnn::Conv2DOp,
            cnn::ConvTranspose2DOp, cnn::DepthToSpaceOp, cnn::GemmOp,
            cnn::GlobalAvgPoolOp, cnn::GlobalMaxPoolOp, cnn::LrnOp,
            cnn::MatMulOp, cnn::MaxPool2DOp, cnn::PadOp, cnn::ReduceOp,
            cnn::ReshapeOp, cnn::ResizeOp, cnn::SliceOp, cnn::SoftmaxOp,
            cnn::SpaceToDepthOp, cnn::TransposeOp, cnn::UnaryOp>(
          [&](auto known) { return lower(step, known); })
      .Default([&](Operation *) {
        return op->emitError("has no kernel; run snug-verify-folded to see "
                             "which pass should have removed it");
      });
}

LogicalResult Lowering::lowerStep(const Step &step) {
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
void Lowering::describeGroups() {
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
  describeGroups();
  program.setPredictedAttr(builder.getDictionaryAttr(builder.getNamedAttr(
      "network_macs", builder.getI64IntegerAttr(built.network.macs()))));
  createBoundBuffers();
  for (const Step &step : steps.steps)
    if (failed(lowerStep(step)))
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
    for (auto program : module.getOps<plan::ProgramOp>())
      return program.emitError("the network is a program already; "
                               "snug-convert-to-plan runs once");
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
