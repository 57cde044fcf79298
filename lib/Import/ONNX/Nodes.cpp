// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Nodes, their operands and results, and the ops that several operators make.
#include "GraphImporter.h"

#include "ConstantEvaluation.h"

#include "llvm/ADT/StringExtras.h"

#include <limits>
#include <set>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

const std::map<StringRef, GraphImporter::Function> &GraphImporter::functions() {
  using Self = GraphImporter;
  static const std::map<StringRef, Function> table = {
      {"Abs", &Self::importUnary},
      {"Add", &Self::importArithmetic},
      {"AveragePool", &Self::importAveragePool},
      {"BatchNormalization", &Self::importBatchNormalization},
      {"Cast", &Self::importCast},
      {"CastLike", &Self::importCast},
      {"Ceil", &Self::importUnary},
      {"Celu", &Self::importScaledElu},
      {"Clip", &Self::importClip},
      {"Concat", &Self::importConcat},
      {"Constant", &Self::importConstant},
      {"Conv", &Self::importConv},
      {"ConvTranspose", &Self::importConvTranspose},
      {"DepthToSpace", &Self::importDepthToSpace},
      {"DequantizeLinear", &Self::importDequantizeLinear},
      {"Div", &Self::importArithmetic},
      {"Dropout", &Self::importDropout},
      {"Elu", &Self::importUnary},
      {"Erf", &Self::importUnary},
      {"Exp", &Self::importUnary},
      {"Expand", &Self::importExpand},
      {"Flatten", &Self::importReshaping},
      {"Floor", &Self::importUnary},
      {"Gather", &Self::importGather},
      {"Gelu", &Self::importGelu},
      {"Gemm", &Self::importGemm},
      {"GlobalAveragePool", &Self::importGlobalAveragePool},
      {"GlobalMaxPool", &Self::importGlobalMaxPool},
      {"HardSigmoid", &Self::importUnary},
      {"HardSwish", &Self::importUnary},
      {"Identity", &Self::importIdentity},
      {"LRN", &Self::importLRN},
      {"LeakyRelu", &Self::importUnary},
      {"Log", &Self::importUnary},
      {"LogSoftmax", &Self::importSoftmax},
      {"MatMul", &Self::importMatMul},
      {"Max", &Self::importVariadic},
      {"MaxPool", &Self::importMaxPool},
      {"Mean", &Self::importVariadic},
      {"Min", &Self::importVariadic},
      {"Mish", &Self::importUnary},
      {"Mul", &Self::importArithmetic},
      {"Neg", &Self::importUnary},
      {"PRelu", &Self::importPRelu},
      {"Pad", &Self::importPad},
      {"Pow", &Self::importPow},
      {"QuantizeLinear", &Self::importQuantizeLinear},
      {"Reciprocal", &Self::importUnary},
      {"ReduceL1", &Self::importReduction},
      {"ReduceL2", &Self::importReduction},
      {"ReduceMax", &Self::importReduction},
      {"ReduceMean", &Self::importReduction},
      {"ReduceMin", &Self::importReduction},
      {"ReduceSum", &Self::importReduction},
      {"ReduceSumSquare", &Self::importReduction},
      {"Relu", &Self::importUnary},
      {"Reshape", &Self::importReshaping},
      {"Resize", &Self::importResize},
      {"Selu", &Self::importScaledElu},
      {"Sigmoid", &Self::importUnary},
      {"Slice", &Self::importSlice},
      {"Softmax", &Self::importSoftmax},
      {"Softplus", &Self::importUnary},
      {"Softsign", &Self::importSoftsign},
      {"SpaceToDepth", &Self::importSpaceToDepth},
      {"Split", &Self::importSplit},
      {"Sqrt", &Self::importUnary},
      {"Squeeze", &Self::importReshaping},
      {"Sub", &Self::importArithmetic},
      {"Sum", &Self::importVariadic},
      {"Swish", &Self::importSwish},
      {"Tanh", &Self::importUnary},
      {"Tile", &Self::importExpand},
      {"Transpose", &Self::importTranspose},
      {"Unsqueeze", &Self::importReshaping},
      {"Upsample", &Self::importUpsample},
  };
  return table;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

std::string
GraphImporter::unsupportedReason(const onnx::NodeProto &node) const {
  const bool isFunction = llvm::any_of(
      file.model().functions(), [&](const onnx::FunctionProto &function) {
        return function.name() == node.op_type() &&
               (function.domain() == node.domain() ||
                (isDefaultDomain(function.domain()) &&
                 isDefaultDomain(node.domain())));
      });
  if (isFunction)
    return "it calls a function of the model, which is not supported; inline "
           "it with onnx.inliner";
  if (!isDefaultDomain(node.domain()))
    return "the operator's domain '" + node.domain() + "' is not supported";
  if (functions().count(node.op_type()))
    return {};
  if (node.op_type() == "If" || node.op_type() == "Loop" ||
      node.op_type() == "Scan")
    return "control flow is not supported";
  return "the operator is not supported";
}

bool GraphImporter::bindComputed(const onnx::NodeProto &node,
                                 NodeReader &reader) {
  bool isConstant = true, isKnown = true, hasInput = false;
  for (const std::string &input : node.input()) {
    if (input.empty())
      continue;
    const Binding &binding = bindings[input];
    isConstant &= binding.constant != nullptr;
    isKnown &= binding.constant || binding.value;
    hasInput = true;
  }
  if (node.op_type() == "Shape" || node.op_type() == "Size") {
    if (hasInput && isKnown)
      bindShape(reader);
    return hasInput;
  }
  if (!hasInput || !ConstantEvaluator::knows(node.op_type()))
    return false;
  if (!isConstant)
    // Of what could not be imported, nothing more is said.
    return !isKnown && !functions().count(node.op_type());
  for (const std::string &output : node.output())
    if (!output.empty())
      bindConstant(output).node = &node;
  return true;
}

void GraphImporter::bindShape(NodeReader &node) {
  node.checkOperands(1, 1);
  const bool isSize = node.node().op_type() == "Size";
  Shape shape;
  if (isConstant(node, 0)) {
    const ConstantTensor *tensor = node.tensor(0, "input");
    if (!tensor)
      return;
    shape = tensor->shape;
  } else if (Value value = activation(node, 0)) {
    shape.assign(shapeOf(value).begin(), shapeOf(value).end());
  }
  const auto rank = int64_t(shape.size());
  int64_t begin = 0, end = rank;
  if (!isSize && node.opset() >= 15) {
    auto clamped = [&](int64_t axis) {
      return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
    };
    begin = clamped(node.integer("start", 0));
    end = std::max(begin, clamped(node.integer("end", rank)));
  }
  node.finish();
  const Shape result = isSize
                           ? Shape{product(shape)}
                           : Shape(shape.begin() + begin, shape.begin() + end);
  bindConstant(node.output(0)).tensor = ConstantTensor::of<int64_t>(
      onnx::TensorProto::INT64,
      isSize ? Shape() : Shape{int64_t(result.size())}, result);
}

void GraphImporter::importNode(const onnx::NodeProto &node) {
  // Unknown until the operator's function binds them.
  for (const std::string &output : node.output())
    if (!output.empty())
      bindings[output] = {};
  knownResult.reset();
  std::vector<Problem> found;
  NodeReader reader(node, opset, *this, found);
  std::string reason = unsupportedReason(node);
  const bool isStandard =
      isDefaultDomain(node.domain()) && !StringRef(reason).contains("function");
  mlir::Block &block = function.getBody().front();
  mlir::Operation *last = block.empty() ? nullptr : &block.back();
  if (isStandard && bindComputed(node, reader)) {
    // Its attributes are read when it is computed.
  } else if (reason.empty()) {
    (this->*functions().at(node.op_type()))(reader);
    reader.finish();
  } else {
    reader.unsupported(reason);
  }
  if (found.empty())
    return;
  // What was made of it before the problem showed; constants may be in use.
  llvm::SmallVector<mlir::Operation *> made;
  for (mlir::Operation *op = block.empty() ? nullptr : &block.back();
       op && op != last; op = op->getPrevNode())
    if (!llvm::isa<cnn::ConstantOp>(op))
      made.push_back(op);
  for (mlir::Operation *op : made)
    op->erase();
  for (const std::string &output : node.output())
    if (!output.empty())
      bindings[output] = {};
  const bool isValid = llvm::all_of(
      found, [](const Problem &problem) { return problem.unsupported; });
  std::vector<Problem> &list =
      isValid && importOpaque(reader, found) ? opaqueReasons : problems;
  list.insert(list.end(), found.begin(), found.end());
}

mlir::RankedTensorType GraphImporter::declaredType(StringRef name) const {
  auto found = declaredTypes.find(name);
  if (found == declaredTypes.end() || !found->second->has_tensor_type() ||
      !found->second->tensor_type().has_shape())
    return {};
  Shape shape;
  for (const auto &dimension : found->second->tensor_type().shape().dim()) {
    auto symbol = symbols.find(dimension.dim_param());
    shape.push_back(dimension.has_dim_value() ? dimension.dim_value()
                    : symbol != symbols.end() ? symbol->second
                                              : -1);
  }
  if (!elementCount(shape))
    return {};
  auto type =
      mlir::RankedTensorType::get(shape, mlir::Float32Type::get(&context));
  return cnn::detail::isStaticTensor(type) ? type : mlir::RankedTensorType();
}

mlir::RankedTensorType GraphImporter::opaqueType(NodeReader &node, int index) {
  // Operators whose first result has the shape of their first input.
  static const std::set<StringRef> likeInput = {
      "Acos",
      "Acosh",
      "Asin",
      "Asinh",
      "Atan",
      "Atanh",
      "Cos",
      "Cosh",
      "CumSum",
      "GroupNormalization",
      "Hardmax",
      "InstanceNormalization",
      "LayerNormalization",
      "LpNormalization",
      "MeanVarianceNormalization",
      "RMSNormalization",
      "Round",
      "Shrink",
      "Sign",
      "Sin",
      "Sinh",
      "Tan",
      "ThresholdedRelu",
  };
  if (mlir::RankedTensorType declared = declaredType(node.output(index)))
    return declared;
  if (index != 0)
    return {};
  if (knownResult) {
    mlir::RankedTensorType type = tensorType(*knownResult);
    return cnn::detail::isStaticTensor(type) ? type : mlir::RankedTensorType();
  }
  auto input = bindings.find(node.input(0));
  if (isDefaultDomain(node.node().domain()) &&
      likeInput.count(node.node().op_type()) && input != bindings.end() &&
      input->second.value)
    return llvm::cast<mlir::RankedTensorType>(input->second.value.getType());
  return {};
}

bool GraphImporter::importOpaque(NodeReader &node,
                                 std::vector<Problem> &reasons) {
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<int> indices;
  for (int index = 0; index < node.node().output_size(); ++index) {
    const StringRef name = node.output(index);
    // Results that nobody reads need no type.
    if (name.empty() || (index > 0 && !uses.count(name)))
      continue;
    mlir::Type type = opaqueType(node, index);
    if (!type) {
      reasons.back().text +=
          "; to have it analysed all the same, add the shape of its result '" +
          shortened(name) + "' to the model with onnx.shape_inference";
      return false;
    }
    types.push_back(type);
    indices.push_back(index);
  }
  if (types.empty())
    return false;
  llvm::SmallVector<Value> operands;
  for (int index = 0; index < node.inputCount(); ++index) {
    auto found = bindings.find(node.input(index));
    if (found == bindings.end() || node.input(index).empty())
      continue;
    if (found->second.value) {
      operands.push_back(found->second.value);
      continue;
    }
    // Nothing more is said of what follows a node that could not be imported.
    if (!found->second.constant)
      return true;
    // Numbers of other types stand in the node's own message only.
    std::vector<Problem> ignored;
    NodeReader quiet(node.node(), opset, *this, ignored);
    const ConstantTensor *tensor = quiet.tensor(index, "input");
    if (tensor && isFloat(tensor->type) && elementCount(tensor->shape))
      if (Value value = parameter(quiet, index, "input"))
        operands.push_back(value);
  }
  mlir::OperationState state(locationOf(node.name()),
                             cnn::OpaqueOp::getOperationName());
  state.addOperands(operands);
  state.addTypes(types);
  auto &properties = state.getOrAddProperties<cnn::OpaqueOp::Properties>();
  properties.name = builder.getStringAttr(node.node().op_type());
  properties.domain = builder.getStringAttr(node.node().domain());
  properties.node = builder.getStringAttr(file.storedNode(node.node()));
  mlir::Operation *op = builder.create(state);
  for (auto [index, result] : llvm::zip(indices, op->getResults()))
    setResult(node, result, index);
  return true;
}

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

Value GraphImporter::activation(NodeReader &node, int index) {
  auto found = bindings.find(node.input(index));
  if (found == bindings.end())
    return {}; // left out, which checkOperands() reported
  if (found->second.constant) {
    node.unsupported("input " + Twine(index) + ", '" + node.input(index) +
                     "', is a constant; only computed tensors are supported "
                     "there");
    return {};
  }
  return found->second.value;
}

Value GraphImporter::operand(NodeReader &node, int index) {
  return isConstant(node, index)
             ? parameter(node, index, ("input " + Twine(index)).str())
             : activation(node, index);
}

int64_t GraphImporter::rankOf(NodeReader &node, int index) {
  auto found = bindings.find(node.input(index));
  return found != bindings.end() && found->second.value
             ? int64_t(shapeOf(found->second.value).size())
             : 4;
}

Value GraphImporter::image(NodeReader &node, int index) {
  Value value = activation(node, index);
  if (!value)
    return {};
  ArrayRef<int64_t> shape = shapeOf(value);
  if (shape.size() == 4)
    return value;
  if (shape.size() == 3)
    return reshape(node, value, {shape[0], shape[1], 1, shape[2]});
  if (shape.size() == 5)
    node.unsupported("its 3-D form is not supported, only those of one and two "
                     "dimensions");
  else
    node.malformed("its input is " + formatShape(shape) +
                   ", expected three or four dimensions");
  return {};
}

void GraphImporter::setResult(NodeReader &node, Value value, int index) {
  if (!node.output(index).empty())
    bindings[node.output(index)].value = value;
}

void GraphImporter::setImageResult(NodeReader &node, Value value) {
  if (value && rankOf(node, 0) == 3) {
    ArrayRef<int64_t> shape = shapeOf(value);
    value = reshape(node, value, {shape[0], shape[1], shape[3]});
  }
  setResult(node, value);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value GraphImporter::unary(NodeReader &node, Value input, cnn::Activation kind,
                           float alpha, float beta) {
  cnn::UnaryOp::Properties properties;
  properties.kind = cnn::ActivationAttr::get(&context, kind);
  properties.alpha = builder.getF32FloatAttr(alpha);
  properties.beta = builder.getF32FloatAttr(beta);
  return create<cnn::UnaryOp>(node, input, properties,
                              input ? input.getType() : mlir::Type());
}

Value GraphImporter::clip(NodeReader &node, Value input, float lower,
                          float upper) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (lower == -infinity && upper == infinity)
    return identity(node, input);
  if (lower == 0.0f && upper == infinity)
    return unary(node, input, cnn::Activation::Relu);
  if (lower == 0.0f && upper == 6.0f)
    return unary(node, input, cnn::Activation::Relu6);
  return unary(node, input, cnn::Activation::Clip, lower, upper);
}

Value GraphImporter::binary(NodeReader &node, cnn::BinaryKind kind, Value left,
                            Value right) {
  cnn::BinaryOp::Properties properties;
  properties.kind = cnn::BinaryKindAttr::get(&context, kind);
  properties.activation =
      cnn::ActivationAttr::get(&context, cnn::Activation::None);
  properties.alpha = properties.beta = builder.getF32FloatAttr(0.0f);
  return create<cnn::BinaryOp>(node, {left, right}, properties);
}

Value GraphImporter::identity(NodeReader &node, Value input) {
  return create<cnn::IdentityOp>(node, input, {},
                                 input ? input.getType() : mlir::Type());
}

Value GraphImporter::reshape(NodeReader &node, Value input,
                             ArrayRef<int64_t> shape) {
  if (input && shapeOf(input) == shape)
    return input;
  return create<cnn::ReshapeOp>(node, input, {}, tensorType(shape));
}

Value GraphImporter::transpose(NodeReader &node, Value input,
                               ArrayRef<int64_t> permutation) {
  cnn::TransposeOp::Properties properties;
  properties.permutation = builder.getDenseI64ArrayAttr(permutation);
  return create<cnn::TransposeOp>(node, input, properties);
}

Value GraphImporter::transposeMatrices(NodeReader &node, Value input) {
  if (!input)
    return {};
  Shape permutation;
  for (size_t axis = 0; axis < shapeOf(input).size(); ++axis)
    permutation.push_back(int64_t(axis));
  std::swap(permutation[permutation.size() - 2], permutation.back());
  return transpose(node, input, permutation);
}

Value GraphImporter::slice(NodeReader &node, Value input,
                           ArrayRef<SliceRange> ranges) {
  if (!input)
    return {};
  Shape starts, ends, steps;
  bool isWhole = true;
  for (auto [range, extent] : llvm::zip(ranges, shapeOf(input))) {
    if (range.extent == 0) {
      node.unsupported("nothing is left of its input of " +
                       formatShape(shapeOf(input)) +
                       ", and empty tensors are not supported");
      return {};
    }
    const int64_t step = range.extent == 1 ? 1 : range.step;
    const int64_t last = range.begin + (range.extent - 1) * step;
    starts.push_back(range.begin);
    ends.push_back(step > 0 ? last + 1 : last - 1);
    steps.push_back(step);
    isWhole &= range.extent == extent && step == 1;
  }
  if (isWhole)
    return identity(node, input);
  cnn::SliceOp::Properties properties;
  properties.starts = builder.getDenseI64ArrayAttr(starts);
  properties.ends = builder.getDenseI64ArrayAttr(ends);
  properties.steps = builder.getDenseI64ArrayAttr(steps);
  return create<cnn::SliceOp>(node, input, properties);
}

} // namespace snug::onnx_import
