// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds a function of the `snug` dialect from an ONNX graph.
#ifndef SNUG_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
#define SNUG_LIB_IMPORT_ONNX_GRAPHIMPORTER_H

#include "ModelFile.h"
#include "NodeReader.h"
#include "ShapeRules.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Import/ONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringMap.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace snug::onnx_import {

/// A tensor that is known at import: an initializer, the result of a Constant
/// node, or what a node makes of such tensors. Its elements are read or
/// computed when somebody asks for them.
struct Constant {
  std::string name;
  const onnx::TensorProto *stored = nullptr;
  const onnx::NodeProto *node = nullptr; ///< that computes it
  /// Once read or computed; empty elements where nobody will ask again.
  std::optional<ConstantTensor> tensor;
  std::string unusable;   ///< why the elements cannot be had, if they cannot
  bool hasFailed = false; ///< to be computed, which was reported
  mlir::Value value;      ///< once it is an operand
};

/// What an ONNX name stands for. Neither a constant nor a value: the node that
/// makes it could not be imported, and nothing more is said of its users.
struct Binding {
  Constant *constant = nullptr;
  mlir::Value value;
};

/// Zeros that nobody has written or read take no memory.
struct UntouchedZeros {
  explicit UntouchedZeros(size_t bytes)
      : data(static_cast<char *>(std::calloc(bytes, 1)), std::free),
        bytes(bytes) {}
  std::unique_ptr<char, void (*)(void *)> data; ///< null: there is not enough
  size_t bytes;
};

/// A sliding window as ONNX describes it, for two spatial axes; a height of
/// one is put in front of those of one axis.
struct Window {
  Shape kernel, strides, dilations;
  Shape pads; ///< top, left, bottom, right
  std::string automatic;
};

class GraphImporter : public ConstantSource {
public:
  GraphImporter(mlir::MLIRContext &context, ModelFile &file,
                const ImportOptions &options);

  /// Null after an error, which has been emitted.
  mlir::OwningOpRef<mlir::ModuleOp> import();

  // ConstantSource (Constants.cpp).
  const ConstantTensor *tensorOf(NodeReader &node, int index,
                                 llvm::StringRef role) override;
  bool countMadeBytes(NodeReader &node, llvm::ArrayRef<int64_t> shape,
                      int64_t bytesPerElement) override;
  Result<ConstantTensor> read(const onnx::TensorProto &tensor) override {
    return readTensor(tensor, file);
  }

  /// Operators with a function below, by name (docs/Operators.md lists them).
  using Function = void (GraphImporter::*)(NodeReader &);
  static const std::map<llvm::StringRef, Function> &functions();

private:
  // The graph (GraphImporter.cpp). False: an error was emitted.
  bool readOperatorSet();
  bool bindInitializers();
  bool importInputs();
  bool sortNodes();
  bool importOutputs();
  bool emitProblems();
  void emitWarnings();
  std::optional<Shape> inputShape(const onnx::ValueInfoProto &input);
  void error(const llvm::Twine &message);
  mlir::Location locationOf(llvm::StringRef name);

  // Nodes (Nodes.cpp).
  void importNode(const onnx::NodeProto &node);
  /// Why no function imports the node; empty where one does.
  std::string unsupportedReason(const onnx::NodeProto &node) const;
  /// Binds the results of nodes whose inputs are known; false for others.
  bool bindComputed(const onnx::NodeProto &node, NodeReader &reader);
  /// Shape and Size of a tensor whose shape is known.
  void bindShape(NodeReader &node);
  /// Keeps a node for analysis, though nothing executes it; false where the
  /// shapes of its results are not known, which is added to `reasons`.
  bool importOpaque(NodeReader &node, std::vector<Problem> &reasons);
  /// The type of an opaque node's result; null where it is not known.
  mlir::RankedTensorType opaqueType(NodeReader &node, int index);
  /// The type that the model declares for a tensor; null where it is not known.
  mlir::RankedTensorType declaredType(llvm::StringRef name) const;

  // Constants (Constants.cpp).
  Constant &bindConstant(llvm::StringRef name);
  Constant *findConstant(llvm::StringRef name);
  /// Computes it, and first what it is computed of; false where that failed.
  bool compute(Constant &constant);
  /// What a ConstantOfShape makes where only shapes count: zeros that take no
  /// memory. Nothing for other nodes and for small tensors, which may be shapes
  /// themselves.
  std::optional<ConstantTensor> untouchedZeros(NodeReader &node);
  /// Lets go of elements that nobody will ask for again.
  void release(Constant &constant, llvm::StringRef name);
  /// Input `index` as a float32 operand; null where it is no usable constant
  /// (reported).
  mlir::Value parameter(NodeReader &node, int index, llvm::StringRef role);
  /// The same for a vector of one number a channel.
  mlir::Value vectorParameter(NodeReader &node, int index, llvm::StringRef role,
                              int64_t channels);
  /// A constant with new elements; null where they are too many (reported).
  mlir::Value
  newParameter(NodeReader &node, llvm::StringRef name,
               llvm::ArrayRef<int64_t> shape,
               llvm::function_ref<void(llvm::MutableArrayRef<float>)> fill);
  mlir::Value newParameter(NodeReader &node, llvm::StringRef name,
                           llvm::ArrayRef<int64_t> shape,
                           const std::vector<float> &values);
  /// The same elements under another shape; null where `constant` is.
  mlir::Value constantWithShape(mlir::Value constant,
                                llvm::ArrayRef<int64_t> shape);
  /// A constant without dimensions.
  mlir::Value number(NodeReader &node, llvm::StringRef name, float value);

  // Operands and results of nodes (Nodes.cpp).

  /// The activation that is input `index`; null where it is not one (reported)
  /// or is unknown because of an earlier problem (not reported again).
  mlir::Value activation(NodeReader &node, int index);
  /// The same for an image; [N, C, W] becomes one of height 1; reports others.
  mlir::Value image(NodeReader &node, int index);
  /// The activation or constant that is input `index`.
  mlir::Value operand(NodeReader &node, int index);
  bool isConstant(NodeReader &node, int index) {
    return findConstant(node.input(index)) != nullptr;
  }
  /// The rank of input `index` before image() changed it; 4 where unknown.
  int64_t rankOf(NodeReader &node, int index);
  void setResult(NodeReader &node, mlir::Value value, int index = 0);
  /// Binds an image, without its height where input 0 has none.
  void setImageResult(NodeReader &node, mlir::Value value);

  /// Creates an op for `node` and checks it at once, so that its errors become
  /// problems of the node: null then. Without `type` the result is inferred.
  template <typename Op>
  mlir::Value create(NodeReader &node, mlir::ValueRange operands,
                     const typename Op::Properties &properties,
                     mlir::Type type = {});
  mlir::Value unary(NodeReader &node, mlir::Value input, cnn::Activation kind,
                    float alpha = 0.0f, float beta = 0.0f);
  mlir::Value clip(NodeReader &node, mlir::Value input, float lower,
                   float upper);
  mlir::Value binary(NodeReader &node, cnn::BinaryKind kind, mlir::Value left,
                     mlir::Value right);
  mlir::Value reshape(NodeReader &node, mlir::Value input,
                      llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(NodeReader &node, mlir::Value input,
                        llvm::ArrayRef<int64_t> permutation);
  /// With its last two axes exchanged.
  mlir::Value transposeMatrices(NodeReader &node, mlir::Value input);
  mlir::Value identity(NodeReader &node, mlir::Value input);
  mlir::Value pad(NodeReader &node, mlir::Value input,
                  llvm::ArrayRef<int64_t> low, llvm::ArrayRef<int64_t> high,
                  cnn::PadMode mode, float value);
  mlir::Value slice(NodeReader &node, mlir::Value input,
                    llvm::ArrayRef<SliceRange> ranges);
  mlir::Value reduce(NodeReader &node, cnn::ReduceKind kind, mlir::Value input,
                     const Reduction &reduction);
  mlir::Value softmax(NodeReader &node, mlir::Value input, int64_t axis,
                      bool logarithm);
  mlir::Value gemm(NodeReader &node, llvm::ArrayRef<mlir::Value> operands,
                   bool transposeWeight);
  mlir::Value matMul(NodeReader &node, mlir::Value left, mlir::Value right);

  // The window attributes (Poolings.cpp).

  /// Reads strides, pads, auto_pad and (if `dilated`) dilations for the kernel,
  /// which has two extents. Nothing where one is wrong (reported).
  std::optional<Window> window(NodeReader &node, llvm::ArrayRef<int64_t> kernel,
                               int64_t spatialAxes, bool dilated);
  /// Sets the pads of auto_pad.
  void padAutomatically(Window &window, mlir::Value input);
  /// The attribute kernel_shape of a pooling, a height of one in front of a
  /// lone extent.
  std::optional<Shape> poolingKernel(NodeReader &node);
  /// What ceil_mode adds below and to the right of the pads.
  Shape ceilPads(NodeReader &node, mlir::Value input, const Window &window);

  // One function for each operator.
  void importConstant(NodeReader &node);
  // Convolutions.cpp
  void importConv(NodeReader &node);
  void importConvTranspose(NodeReader &node);
  mlir::Value filter(NodeReader &node, int64_t rank, Shape &shape);
  // Matrices.cpp
  void importGemm(NodeReader &node);
  void importMatMul(NodeReader &node);
  mlir::Value scaledParameter(NodeReader &node, int index, llvm::StringRef role,
                              float factor);
  mlir::Value gemmProduct(NodeReader &node, bool transposeLeft,
                          bool transposeRight, float alpha, mlir::Value bias);
  // Poolings.cpp
  void importMaxPool(NodeReader &node);
  void importAveragePool(NodeReader &node);
  void importGlobalAveragePool(NodeReader &node);
  void importGlobalMaxPool(NodeReader &node);
  // Normalizations.cpp
  void importBatchNormalization(NodeReader &node);
  void importLRN(NodeReader &node);
  void importSoftmax(NodeReader &node);
  void importReduction(NodeReader &node);
  // Pointwise.cpp
  void importUnary(NodeReader &node);
  void importClip(NodeReader &node);
  void importGelu(NodeReader &node);
  void importScaledElu(NodeReader &node);
  void importSoftsign(NodeReader &node);
  void importSwish(NodeReader &node);
  void importPRelu(NodeReader &node);
  void importPow(NodeReader &node);
  void importArithmetic(NodeReader &node);
  void importVariadic(NodeReader &node);
  bool addToProduct(NodeReader &node, mlir::Value input, int index);
  // Shapes.cpp
  mlir::Value betweenConstants(NodeReader &node, mlir::Value value,
                               int64_t axis, llvm::ArrayRef<int> before,
                               llvm::ArrayRef<int> after);
  void importConcat(NodeReader &node);
  void importDropout(NodeReader &node);
  void importIdentity(NodeReader &node);
  void importCast(NodeReader &node);
  void importReshaping(NodeReader &node);
  void importTranspose(NodeReader &node);
  void importSlice(NodeReader &node);
  void importGather(NodeReader &node);
  void importSplit(NodeReader &node);
  void importPad(NodeReader &node);
  void importExpand(NodeReader &node);
  mlir::Value expand(NodeReader &node, mlir::Value input,
                     llvm::ArrayRef<int64_t> shape);
  // Resampling.cpp
  void importResize(NodeReader &node);
  void importUpsample(NodeReader &node);
  void importResample(NodeReader &node, int scalesInput, int sizesInput);
  void importDepthToSpace(NodeReader &node);
  void importSpaceToDepth(NodeReader &node);
  // Quantization.cpp
  void importQuantizeLinear(NodeReader &node);
  void importDequantizeLinear(NodeReader &node);

  mlir::RankedTensorType tensorType(llvm::ArrayRef<int64_t> shape) {
    return mlir::RankedTensorType::get(shape, builder.getF32Type());
  }
  static llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
    return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
  }

  mlir::MLIRContext &context;
  ModelFile &file;
  onnx::GraphProto &graph;
  const ImportOptions &options;
  mlir::OpBuilder builder;
  mlir::func::FuncOp function;
  int64_t opset = 0;
  std::vector<Problem> problems;
  std::vector<Problem> opaqueReasons; ///< of nodes that are kept nevertheless
  /// The shape of the current node's first result, where its function knows it
  /// though no op computes it.
  std::optional<Shape> knownResult;
  int64_t quantizations = 0; ///< nodes that are left out
  int64_t halfCasts = 0;
  llvm::StringMap<Binding> bindings;
  std::deque<Constant> constants;
  /// Matrix products whose results no ONNX name stands for.
  llvm::DenseSet<mlir::Operation *> innerProducts;
  std::vector<UntouchedZeros> zeros; ///< the last one is the longest
  int64_t madeBytes = 0;             ///< of weights that the file does not hold
  std::vector<int> order;            ///< nodes, topologically sorted
  llvm::StringMap<int> uses;         ///< by nodes and as outputs, if any
  std::map<std::string, int64_t> symbols; ///< named dimensions that are known
  llvm::StringMap<const onnx::TypeProto *> declaredTypes;
};

/// A verifier's message without the op's name in front.
std::string withoutOpName(std::string message);

bool isDefaultDomain(llvm::StringRef domain);

template <typename Op>
mlir::Value GraphImporter::create(NodeReader &node, mlir::ValueRange operands,
                                  const typename Op::Properties &properties,
                                  mlir::Type type) {
  // What an operand lacks was reported where it was made.
  for (mlir::Value operand : operands)
    if (!operand)
      return {};
  mlir::Location location = locationOf(node.name());
  std::string message;
  mlir::ScopedDiagnosticHandler capture(&context, [&](mlir::Diagnostic &found) {
    if (message.empty())
      message = withoutOpName(found.str());
    return mlir::success();
  });
  if constexpr (Op::template hasTrait<mlir::InferTypeOpInterface::Trait>()) {
    auto mutableProperties = properties;
    llvm::SmallVector<mlir::Type> inferred;
    if (!type && mlir::succeeded(Op::inferReturnTypes(
                     &context, location, operands, mlir::DictionaryAttr(),
                     mlir::OpaqueProperties(&mutableProperties), {}, inferred)))
      type = inferred.front();
  }
  if (type) {
    mlir::OperationState state(location, Op::getOperationName());
    state.addOperands(operands);
    state.addTypes(type);
    if constexpr (!std::is_same_v<typename Op::Properties,
                                  mlir::EmptyProperties>)
      state.getOrAddProperties<typename Op::Properties>() = properties;
    mlir::Operation *op = builder.create(state);
    if (mlir::succeeded(mlir::verify(op)))
      return op->getResult(0);
    op->erase();
  }
  node.malformed(message.empty() ? "its attributes do not fit its inputs"
                                 : message);
  return {};
}

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
