// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds a function of the `snug` dialect from an ONNX graph.
#ifndef SNUG_LIB_IMPORT_ONNX_GRAPHIMPORTER_H
#define SNUG_LIB_IMPORT_ONNX_GRAPHIMPORTER_H

#include "ModelFile.h"
#include "NodeReader.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Import/ONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace snug::onnx_import {

/// A tensor whose elements are in the file: an initializer or the result of a
/// Constant node. It turns into a snug.constant where an op needs it.
struct Constant {
  std::string name;
  onnx::TensorProto *tensor = nullptr;
  llvm::SmallVector<int64_t> shape; ///< of the tensor, or after a Reshape
  /// Empty, or why the elements cannot be had, whatever their type.
  std::string unusable;
  /// True where another constant reads the same tensor.
  bool sharesTensor = false;
  /// Once made; the elements are then no longer in `tensor` unless shared.
  mlir::DenseResourceElementsAttr weights;
  mlir::Value value;
};

/// What an ONNX name stands for. Neither a constant nor a value: the node that
/// makes it could not be imported, and nothing more is said of its users.
struct Binding {
  Constant *constant = nullptr;
  mlir::Value value;
};

/// A sliding window as ONNX describes it, for two spatial axes.
struct Window {
  llvm::SmallVector<int64_t> kernel, strides, dilations;
  llvm::SmallVector<int64_t> pads; ///< top, left, bottom, right
};

class GraphImporter {
public:
  GraphImporter(mlir::MLIRContext &context, ModelFile &file,
                const ImportOptions &options);

  /// Null after an error, which has been emitted.
  mlir::OwningOpRef<mlir::ModuleOp> import();

private:
  // The graph (GraphImporter.cpp). False: an error was emitted.
  bool readOperatorSet();
  bool bindConstants();
  bool importInputs();
  bool sortNodes();
  void importNode(onnx::NodeProto &node);
  /// True where the node calls a function that the model brings.
  bool isFunction(const onnx::NodeProto &node) const;
  bool importOutputs();
  bool emitProblems();
  std::optional<llvm::SmallVector<int64_t>>
  inputShape(const onnx::ValueInfoProto &input);
  void error(const llvm::Twine &message);
  mlir::Location locationOf(llvm::StringRef name);

  // Operands and results of nodes (GraphImporter.cpp).

  /// The activation that is input `index`; null where it is not one (reported)
  /// or is unknown because of an earlier problem (not reported again).
  mlir::Value activation(NodeReader &node, int index);
  /// The same for an image; reports other ranks, naming 1-D and 3-D forms.
  mlir::Value image(NodeReader &node, int index);
  /// The constant that is input `index`, called `role` in messages; null where
  /// it is left out, or is not a usable constant (reported).
  Constant *constant(NodeReader &node, int index, llvm::StringRef role);
  /// The constant that a name stands for; null for others.
  Constant *findConstant(llvm::StringRef name);
  /// The file's bytes of a float32 constant that has no weights yet; reports
  /// what is wrong.
  std::optional<llvm::StringRef> bytesOf(NodeReader &node, Constant &constant);
  /// A copy of a float32 constant's elements; reports what is wrong.
  std::optional<std::vector<float>> floats(NodeReader &node,
                                           Constant &constant);
  /// The only element of a float32 constant; reports others.
  std::optional<float> scalar(NodeReader &node, int index,
                              llvm::StringRef role);
  /// The constant as an operand; null where it is not usable (reported).
  mlir::Value parameter(NodeReader &node, Constant &constant);
  /// The same for a vector of one number a channel.
  mlir::Value vectorParameter(NodeReader &node, int index, llvm::StringRef role,
                              int64_t channels);
  /// Counts a tensor that no initializer holds as it is; reports one too many.
  bool countMadeBytes(NodeReader &node, llvm::ArrayRef<int64_t> shape,
                      int64_t bytesPerElement = sizeof(float));
  /// A constant with new elements; null where they are too many (reported).
  mlir::Value
  newParameter(NodeReader &node, llvm::StringRef name,
               llvm::ArrayRef<int64_t> shape,
               llvm::function_ref<void(llvm::MutableArrayRef<float>)> fill);
  /// Binds output 0.
  void setResult(NodeReader &node, mlir::Value value);

  /// Creates an op for `node` and checks it at once, so that its errors become
  /// problems of the node: null then. Without `type` the result is inferred.
  template <typename Op>
  mlir::Value create(NodeReader &node, mlir::ValueRange operands,
                     const typename Op::Properties &properties,
                     mlir::Type type = {});

  // The window attributes (Poolings.cpp).

  /// Reads strides, pads, auto_pad and (if `dilated`) dilations. `input` may be
  /// null: then SAME pads stay zero. Nothing where one is wrong (reported).
  std::optional<Window> window(NodeReader &node, mlir::Value input,
                               llvm::SmallVector<int64_t> kernel, bool dilated);
  /// The attribute kernel_shape of a pooling, which must have two extents.
  std::optional<llvm::SmallVector<int64_t>> poolingKernel(NodeReader &node);
  /// Reports ceil_mode where it changes the result's extents.
  void checkCeilMode(NodeReader &node, mlir::Value input, const Window &window);

  // One function for each operator.
  void importConv(NodeReader &node);
  void importBatchNormalization(NodeReader &node);
  void importMaxPool(NodeReader &node);
  void importAveragePool(NodeReader &node);
  void importGlobalAveragePool(NodeReader &node);
  void importRelu(NodeReader &node);
  void importLeakyRelu(NodeReader &node);
  void importClip(NodeReader &node);
  void importAdd(NodeReader &node);
  void importAddOfConstant(NodeReader &node, int inputIndex, int constantIndex);
  void importDropout(NodeReader &node);
  void importIdentity(NodeReader &node);
  void importConstant(NodeReader &node);
  void importConstantOfShape(NodeReader &node);
  /// Binds output 0 to a constant with the elements of `tensor`.
  void bindConstant(NodeReader &node, onnx::TensorProto &tensor);
  void importGemm(NodeReader &node);
  void importMatMul(NodeReader &node);
  void importSoftmax(NodeReader &node);
  void importFlatten(NodeReader &node);
  void importReshape(NodeReader &node);

  mlir::Value gemm(NodeReader &node, llvm::ArrayRef<mlir::Value> operands,
                   bool transposeWeight);
  /// Gemm's bias times `factor` as one number a column.
  mlir::Value biasVector(NodeReader &node, Constant &bias, int64_t rows,
                         int64_t columns, float factor);
  mlir::Value unary(NodeReader &node, mlir::Value input, cnn::Activation kind,
                    float alpha = 0.0f);
  /// A reshape of input 0, which may be a constant.
  void reshapeTo(NodeReader &node, llvm::ArrayRef<int64_t> shape);
  mlir::Value reshape(NodeReader &node, mlir::Value input,
                      llvm::ArrayRef<int64_t> shape);
  /// Dimensions of input 0, a constant's too; nothing where unknown.
  std::optional<llvm::SmallVector<int64_t>> shapeOfInput(NodeReader &node);

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
  std::map<std::string, Binding> bindings;
  std::deque<Constant> constants;
  std::deque<onnx::TensorProto> ownedTensors; ///< of nodes that make constants
  int64_t madeBytes = 0;           ///< of weights that the file does not hold
  std::vector<int> order;          ///< nodes, topologically sorted
  std::map<std::string, int> uses; ///< by nodes and as outputs, if any
};

/// "1x3x608x608"; "scalar" for no dimensions.
std::string formatShape(llvm::ArrayRef<int64_t> shape);
/// A verifier's message without the op's name in front.
std::string withoutOpName(std::string message);

template <typename Op>
mlir::Value GraphImporter::create(NodeReader &node, mlir::ValueRange operands,
                                  const typename Op::Properties &properties,
                                  mlir::Type type) {
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
