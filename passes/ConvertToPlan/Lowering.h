// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the lowering of every operation shares: buffers, views, segments, and
// the making of kernels. Private to the pass snug-convert-to-plan.
#ifndef SNUG_PASSES_CONVERTTOPLAN_LOWERING_H
#define SNUG_PASSES_CONVERTTOPLAN_LOWERING_H

#include "snug/Analysis/MergedExtents.h"
#include "snug/Analysis/NetworkAnalysis.h"
#include "snug/Analysis/PackedParameters.h"
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Network/Program.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

#include <map>

namespace snug {

/// What a kernel does to its sums before it stores them.
struct Epilogue {
  plan::Activation activation = plan::Activation::None;
  llvm::APFloat alpha = llvm::APFloat(0.0f), beta = llvm::APFloat(0.0f);

  Epilogue() = default;
  static Epilogue make(cnn::Activation activation, llvm::APFloat alpha,
                       llvm::APFloat beta);
};

/// The epilogue that an op's attributes describe.
template <typename OpType> Epilogue epilogueOf(OpType op) {
  return Epilogue::make(op.getActivation(), op.getAlpha(), op.getBeta());
}

/// Writes the steps of one expanded network as kernels. Everything about
/// extents, tiles and buffers comes from the network::Program; this class only
/// chooses the kernel of each op and names its parameters.
///
/// Each kind of op has one `lower` function, in the file of its family.
class Lowering {
public:
  Lowering(mlir::func::FuncOp function, const NetworkFromIR &built,
           const network::Program &steps, const TargetOptions &target)
      : function(function), built(built), steps(steps), target(target),
        builder(function), buffers(steps.buffers.size()) {}

  llvm::LogicalResult run();

private:
  using Step = network::Step;

  //===--- ConvertToPlan.cpp: the program, and what all others use --------===//

  void describeGroups();
  int listedGroup(const Step &step) const;
  void createBoundBuffers();
  llvm::LogicalResult lowerStep(const Step &step);
  llvm::LogicalResult lowerOp(const Step &step, mlir::Operation *op);

  mlir::Value buffer(int index);
  /// The part of a buffer that a step names.
  mlir::Value view(const network::View &view);
  mlir::Value reinterpret(int buffer, const Extents &extents,
                          plan::Layout layout);
  /// A tensor in planar order, which has all of its buffer, under other
  /// extents.
  mlir::Value viewAs(const network::View &view, const Extents &extents,
                     plan::Layout layout = plan::Layout::ChannelsLast);
  /// True where the step's op works on elements in ONNX order.
  bool isPlanar(const Step &step) const {
    return built.network.ops[step.op].resultLayout == network::Layout::Planar;
  }
  /// Name of the op that a step executes.
  const std::string &nameOf(const Step &step) const {
    return built.network.ops[step.op].name;
  }

  /// The segment of a parameter, made on first use. `bytes` is what the
  /// catalogue packs it into.
  mlir::FlatSymbolRefAttr segment(mlir::ElementsAttr value,
                                  llvm::StringRef name, plan::Packing packing,
                                  int64_t bytes, int64_t groups = 1,
                                  llvm::ArrayRef<int64_t> strides = {1, 1},
                                  llvm::ArrayRef<int64_t> dilations = {1, 1});
  mlir::FlatSymbolRefAttr bias(mlir::Value value, llvm::StringRef layer);

  /// Creates a kernel in the step's group and tile. All values among
  /// `arguments` exist: views are made in a stated order before.
  template <typename Kernel, typename... Arguments>
  void create(const Step &step, mlir::Location location,
              Arguments &&...arguments) {
    auto placed = [&](int index) {
      return index < 0 ? mlir::IntegerAttr() : builder.getI64IntegerAttr(index);
    };
    Kernel::create(builder, location, std::forward<Arguments>(arguments)...,
                   placed(listedGroup(step)), placed(step.tile));
  }

  //===--- Windows.cpp: convolutions, poolings, fully connected layers ----===//

  void createConvolution(const Step &step, mlir::Operation *op,
                         const runtime::WindowShape &window,
                         mlir::ElementsAttr weights,
                         mlir::FlatSymbolRefAttr biasSymbol,
                         const Epilogue &epilogue, bool winograd = false);
  void createPool(const Step &step, mlir::Operation *op, plan::PoolKind kind,
                  llvm::ArrayRef<int64_t> window,
                  llvm::ArrayRef<int64_t> strides,
                  llvm::ArrayRef<int64_t> dilations, bool countIncludePad,
                  llvm::ArrayRef<int64_t> counted);
  llvm::LogicalResult lower(const Step &step, cnn::Conv2DOp op);
  llvm::LogicalResult lower(const Step &step, cnn::ConvTranspose2DOp op);
  llvm::LogicalResult lower(const Step &step, cnn::BatchNormOp op);
  llvm::LogicalResult lower(const Step &step, cnn::MaxPool2DOp op);
  llvm::LogicalResult lower(const Step &step, cnn::AvgPool2DOp op);
  llvm::LogicalResult lower(const Step &step, cnn::GemmOp op);

  //===--- Pointwise.cpp: elementwise, over an axis, matrix products ------===//

  /// A segment as one side of a binary kernel.
  struct ConstantView {
    mlir::FlatSymbolRefAttr segment;
    int64_t begin = 0;
    Extents extents{}, strides{};
  };
  ConstantView constantView(const Step &step, mlir::Value constant,
                            const Extents &merged, int64_t rank);
  void createReduce(const Step &step, mlir::Operation *op,
                    plan::ReduceKind kind);
  llvm::LogicalResult lower(const Step &step, cnn::UnaryOp op);
  llvm::LogicalResult lower(const Step &step, cnn::BinaryOp op);
  llvm::LogicalResult lower(const Step &step, cnn::SoftmaxOp op);
  llvm::LogicalResult lower(const Step &step, cnn::LrnOp op);
  llvm::LogicalResult lower(const Step &step, cnn::GlobalAvgPoolOp op);
  llvm::LogicalResult lower(const Step &step, cnn::GlobalMaxPoolOp op);
  llvm::LogicalResult lower(const Step &step, cnn::ReduceOp op);
  llvm::LogicalResult lower(const Step &step, cnn::MatMulOp op);

  //===--- Rearrangements.cpp: what moves or samples elements -------------===//

  /// Where the elements of a tensor lie in a buffer: element i along an axis is
  /// `strides[axis]` elements behind element i - 1, the first (of the whole
  /// tensor, even where the buffer holds a part of it) at `begin`.
  struct Placement {
    mlir::Value view; ///< of the whole buffer
    int64_t begin = 0;
    llvm::SmallVector<int64_t> strides;
  };
  Placement place(const network::View &view, llvm::ArrayRef<int64_t> shape);
  struct CopiedAxis;
  void createRearrange(const Step &step, mlir::Location location,
                       const Placement &input, int64_t inputBegin,
                       const Placement &output, int64_t outputBegin,
                       llvm::ArrayRef<CopiedAxis> axes);
  struct CopiedRange;
  void copyRanges(const Step &step, mlir::Location location,
                  const Placement &input, const Placement &output,
                  llvm::ArrayRef<CopiedRange> ranges);
  void createCopy(const Step &step, mlir::Operation *op);
  llvm::LogicalResult lower(const Step &step, cnn::ReshapeOp op);
  llvm::LogicalResult lower(const Step &step, cnn::TransposeOp op);
  llvm::LogicalResult lower(const Step &step, cnn::ConcatOp op);
  llvm::LogicalResult lower(const Step &step, cnn::SliceOp op);
  llvm::LogicalResult lower(const Step &step, cnn::DepthToSpaceOp op);
  llvm::LogicalResult lower(const Step &step, cnn::SpaceToDepthOp op);
  llvm::LogicalResult lower(const Step &step, cnn::ChannelShuffleOp op);
  llvm::LogicalResult lower(const Step &step, cnn::ResizeOp op);
  llvm::LogicalResult lower(const Step &step, cnn::PadOp op);

  mlir::func::FuncOp function;
  const NetworkFromIR &built;
  const network::Program &steps;
  TargetOptions target;
  mlir::OpBuilder builder;
  plan::ProgramOp program;
  mlir::Block *body = nullptr;
  llvm::SmallVector<mlir::Value> buffers;
  std::map<PackedParameters, mlir::FlatSymbolRefAttr> segments;
  llvm::DenseMap<mlir::Operation *,
                 std::pair<mlir::ElementsAttr, mlir::ElementsAttr>>
      normParameters;
  llvm::StringSet<> segmentNames;
  mlir::Operation *lastSegment = nullptr;
  llvm::SmallVector<int> listedGroupOfOp;
};

} // namespace snug

#endif // SNUG_PASSES_CONVERTTOPLAN_LOWERING_H
