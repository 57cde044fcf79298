// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Graph, inputs, outputs and operands; what all operators share.
#include "GraphImporter.h"

#include "TensorData.h"

#include "snug/Network/Geometry.h"
#include "snug/Network/Network.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <cstring>
#include <functional>
#include <queue>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

constexpr int64_t kOldestOpset = 7;

/// Notes of one error, and bytes of weights that no tensor of the file holds as
/// they are. A small file could otherwise ask for any amount of both.
constexpr size_t kMaximumNotes = 1000;
constexpr int64_t kMaximumMadeBytes = int64_t(512) << 20;

std::string quoted(StringRef name) { return ("'" + name + "'").str(); }

bool isDefaultDomain(StringRef domain) {
  return domain.empty() || domain == "ai.onnx";
}

/// Dimensions of a declared tensor type; -1 for open ones.
llvm::SmallVector<int64_t> declaredShape(const onnx::TypeProto::Tensor &type) {
  llvm::SmallVector<int64_t> shape;
  for (const auto &dimension : type.shape().dim())
    // Some exporters write 0 or -1 for a dimension that they leave open.
    shape.push_back(dimension.has_dim_value() && dimension.dim_value() > 0
                        ? dimension.dim_value()
                        : -1);
  return shape;
}

/// "Nx3x608x608", open dimensions by their name or "?".
std::string formatDeclared(const onnx::TypeProto::Tensor &type) {
  std::vector<std::string> parts;
  for (const auto &dimension : type.shape().dim())
    if (dimension.has_dim_value() && dimension.dim_value() > 0)
      parts.push_back(std::to_string(dimension.dim_value()));
    else
      parts.push_back(dimension.dim_param().empty() ? "?"
                                                    : dimension.dim_param());
  return llvm::join(parts, "x");
}

} // namespace

std::string formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(
      llvm::map_range(shape,
                      [](int64_t extent) { return std::to_string(extent); }),
      "x");
}

std::string withoutOpName(std::string message) {
  StringRef rest = message;
  if (rest.consume_front("'snug.")) {
    size_t end = rest.find("' op ");
    if (end != StringRef::npos)
      return rest.drop_front(end + 5).str();
  }
  return message;
}

GraphImporter::GraphImporter(mlir::MLIRContext &context, ModelFile &file,
                             const ImportOptions &options)
    : context(context), file(file), graph(*file.model().mutable_graph()),
      options(options), builder(&context) {}

void GraphImporter::error(const Twine &message) {
  mlir::emitError(locationOf(file.displayName())) << message;
}

mlir::Location GraphImporter::locationOf(StringRef name) {
  return mlir::NameLoc::get(builder.getStringAttr(name));
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

mlir::OwningOpRef<mlir::ModuleOp> GraphImporter::import() {
  if (!readOperatorSet() || !bindConstants())
    return {};
  mlir::OwningOpRef<mlir::ModuleOp> module =
      // Without its folder: equal models give equal modules.
      mlir::ModuleOp::create(
          locationOf(llvm::sys::path::filename(file.displayName())));
  (*module)->setAttr(cnn::kModelAttrName, builder.getStringAttr(file.stem()));
  builder.setInsertionPointToEnd(module->getBody());
  function = mlir::func::FuncOp::create(
      builder, locationOf(graph.name().empty() ? "main" : graph.name()), "main",
      builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(function.addEntryBlock());
  if (!importInputs() || !sortNodes())
    return {};
  if (file.model().training_info_size() > 0)
    mlir::emitWarning(locationOf(file.displayName()))
        << quoted(file.displayName())
        << " holds training information, which is left out: what is imported "
           "is the network for inference";
  for (int index : order)
    importNode(*graph.mutable_node(index));
  if (!emitProblems() || !importOutputs())
    return {};
  if (mlir::failed(mlir::verify(*module)))
    return {};
  return module;
}

bool GraphImporter::readOperatorSet() {
  for (const onnx::OperatorSetIdProto &set : file.model().opset_import()) {
    if (!isDefaultDomain(set.domain()))
      continue;
    if (opset != 0 && opset != set.version()) {
      error(quoted(file.displayName()) + " states two operator sets of ONNX, " +
            Twine(opset) + " and " + Twine(set.version()));
      return false;
    }
    opset = set.version();
  }
  if (opset == 0) {
    error(quoted(file.displayName()) +
          " states no operator set of ONNX: it is cut short or very old; "
          "write it again with a current exporter");
    return false;
  }
  if (opset < kOldestOpset) {
    error(quoted(file.displayName()) + " uses operator set " + Twine(opset) +
          ", the oldest supported one is " + Twine(kOldestOpset) +
          "; convert it with onnx.version_converter");
    return false;
  }
  return true;
}

bool GraphImporter::bindConstants() {
  auto bind = [&](onnx::TensorProto &tensor, StringRef unusable) {
    if (tensor.name().empty()) {
      error("an initializer has no name");
      return false;
    }
    Constant constant;
    constant.name = tensor.name();
    constant.tensor = &tensor;
    constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
    constant.unusable = unusable.str();
    constants.push_back(std::move(constant));
    if (!bindings.try_emplace(tensor.name(), Binding{&constants.back(), {}})
             .second) {
      error("there are two initializers " + quoted(tensor.name()));
      return false;
    }
    return true;
  };
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    if (!bind(tensor, ""))
      return false;
  for (auto &sparse : *graph.mutable_sparse_initializer())
    if (!bind(*sparse.mutable_values(), "it is sparse, which is not supported"))
      return false;
  return true;
}

bool GraphImporter::importInputs() {
  llvm::SmallVector<mlir::Type> types;
  std::map<std::string, std::vector<int64_t>> unusedShapes = options.shapes;
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto &input : graph.input()) {
    auto found = bindings.find(input.name());
    // Files before IR version 4 list initializers as inputs, too.
    if (found != bindings.end() && found->second.constant)
      continue;
    if (found != bindings.end() || input.name().empty()) {
      error(input.name().empty()
                ? Twine("an input has no name")
                : "there are two inputs " + Twine(quoted(input.name())));
      return false;
    }
    std::optional<llvm::SmallVector<int64_t>> shape = inputShape(input);
    if (!shape)
      return false;
    types.push_back(tensorType(*shape));
    Value argument = function.getBody().front().addArgument(
        types.back(), locationOf(input.name()));
    bindings[input.name()].value = argument;
    names.push_back(input.name());
    unusedShapes.erase(input.name());
  }
  if (!unusedShapes.empty()) {
    error("--shape names an input " + quoted(unusedShapes.begin()->first) +
          ", but the inputs are: " + llvm::join(names, ", "));
    return false;
  }
  if (names.empty()) {
    error("the graph has no inputs");
    return false;
  }
  function.setFunctionType(builder.getFunctionType(types, {}));
  for (auto [index, name] : llvm::enumerate(names))
    function.setArgAttr(index, cnn::kNameAttrName, builder.getStringAttr(name));
  return true;
}

std::optional<llvm::SmallVector<int64_t>>
GraphImporter::inputShape(const onnx::ValueInfoProto &input) {
  const std::string subject = "input " + quoted(input.name());
  if (!input.type().has_tensor_type()) {
    error(subject + " is not a tensor, which is not supported");
    return std::nullopt;
  }
  const onnx::TypeProto::Tensor &type = input.type().tensor_type();
  if (type.elem_type() != onnx::TensorProto::FLOAT) {
    error(subject + " is " + elementTypeName(type.elem_type()) +
          ", only float inputs (float32) are supported");
    return std::nullopt;
  }
  for (const auto &dimension : type.shape().dim())
    if (dimension.dim_value() < -1) {
      error(subject + " has a dimension " + Twine(dimension.dim_value()) +
            ", which is not positive");
      return std::nullopt;
    }
  llvm::SmallVector<int64_t> shape = declaredShape(type);
  auto given = options.shapes.find(input.name());
  if (given != options.shapes.end()) {
    ArrayRef<int64_t> wanted(given->second);
    bool agrees = !type.has_shape() || shape.size() == wanted.size();
    if (type.has_shape() && agrees)
      for (auto [declared, fixed] : llvm::zip(shape, wanted))
        agrees &= declared < 0 || declared == fixed;
    if (!agrees) {
      error(subject + " is " + formatDeclared(type) +
            " in the model, but --shape gives " + formatShape(wanted) +
            "; it may only fix dimensions that the model leaves open");
      return std::nullopt;
    }
    shape.assign(wanted.begin(), wanted.end());
  } else if (!type.has_shape()) {
    error(subject + " has no shape in the model; give it with --shape " +
          input.name() + "=DIMENSIONS, for instance 1x3x224x224");
    return std::nullopt;
  } else if (llvm::is_contained(shape, -1)) {
    llvm::SmallVector<int64_t> example = shape;
    for (auto [index, extent] : llvm::enumerate(example))
      if (extent < 0)
        extent = index == 0 ? 1 : 224;
    error(subject + " leaves dimensions open (" + formatDeclared(type) +
          "); fix them, for instance with --shape " + input.name() + "=" +
          formatShape(example));
    return std::nullopt;
  }
  Result<int64_t> count = elementCount(shape);
  if (!count) {
    error(subject + " cannot be " + formatShape(shape) + ": " +
          count.error().message);
    return std::nullopt;
  }
  for (int64_t extent : shape)
    if (extent > kMaximumExtent) {
      error(subject + " has a dimension " + Twine(extent) +
            ", the largest is " + Twine(kMaximumExtent));
      return std::nullopt;
    }
  return shape;
}

bool GraphImporter::sortNodes() {
  std::map<std::string, int> producers;
  for (auto [index, node] : llvm::enumerate(graph.node()))
    for (const std::string &output : node.output()) {
      if (output.empty())
        continue;
      if (bindings.count(output) ||
          !producers.try_emplace(output, int(index)).second) {
        error("node " + quoted(nameOf(node)) + " (" + node.op_type() +
              ") makes " + quoted(output) + ", which exists already");
        return false;
      }
    }
  for (const onnx::NodeProto &node : graph.node())
    for (const std::string &input : node.input())
      ++uses[input];
  for (const onnx::ValueInfoProto &output : graph.output())
    ++uses[output.name()];
  // Node by node, the first in the file first where the order is free.
  std::vector<std::vector<int>> users(graph.node_size());
  std::vector<int> missing(graph.node_size(), 0);
  for (auto [index, node] : llvm::enumerate(graph.node()))
    for (const std::string &input : node.input()) {
      if (input.empty() || bindings.count(input))
        continue;
      auto producer = producers.find(input);
      if (producer == producers.end()) {
        error("node " + quoted(nameOf(node)) + " (" + node.op_type() +
              ") reads " + quoted(input) +
              ", which no node, input or initializer makes");
        return false;
      }
      users[producer->second].push_back(int(index));
      ++missing[index];
    }
  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (int index = 0; index < graph.node_size(); ++index)
    if (missing[index] == 0)
      ready.push(index);
  while (!ready.empty()) {
    int index = ready.top();
    ready.pop();
    order.push_back(index);
    for (int user : users[index])
      if (--missing[user] == 0)
        ready.push(user);
  }
  for (int index = 0; index < graph.node_size(); ++index)
    if (missing[index] != 0) {
      error("node " + quoted(nameOf(graph.node(index))) + " (" +
            graph.node(index).op_type() +
            ") waits for its own result: the graph has a cycle");
      return false;
    }
  return true;
}

bool GraphImporter::isFunction(const onnx::NodeProto &node) const {
  return llvm::any_of(file.model().functions(),
                      [&](const onnx::FunctionProto &function) {
                        return function.name() == node.op_type() &&
                               (function.domain() == node.domain() ||
                                (isDefaultDomain(function.domain()) &&
                                 isDefaultDomain(node.domain())));
                      });
}

void GraphImporter::importNode(onnx::NodeProto &node) {
  using Function = void (GraphImporter::*)(NodeReader &);
  static const std::map<StringRef, Function> functions = {
      {"Add", &GraphImporter::importAdd},
      {"AveragePool", &GraphImporter::importAveragePool},
      {"BatchNormalization", &GraphImporter::importBatchNormalization},
      {"Clip", &GraphImporter::importClip},
      {"Constant", &GraphImporter::importConstant},
      {"ConstantOfShape", &GraphImporter::importConstantOfShape},
      {"Conv", &GraphImporter::importConv},
      {"Dropout", &GraphImporter::importDropout},
      {"Flatten", &GraphImporter::importFlatten},
      {"Gemm", &GraphImporter::importGemm},
      {"GlobalAveragePool", &GraphImporter::importGlobalAveragePool},
      {"Identity", &GraphImporter::importIdentity},
      {"LeakyRelu", &GraphImporter::importLeakyRelu},
      {"MatMul", &GraphImporter::importMatMul},
      {"MaxPool", &GraphImporter::importMaxPool},
      {"Relu", &GraphImporter::importRelu},
      {"Reshape", &GraphImporter::importReshape},
      {"Softmax", &GraphImporter::importSoftmax},
  };
  // Unknown until the operator's function binds them.
  for (const std::string &output : node.output())
    if (!output.empty())
      bindings[output] = {};
  NodeReader reader(node, opset, problems);
  auto found = functions.find(node.op_type());
  if (isFunction(node)) {
    reader.unsupported("it calls a function of the model, which is not "
                       "supported; inline it with onnx.inliner");
    return;
  }
  if (!isDefaultDomain(node.domain())) {
    reader.unsupported("the operator's domain '" + Twine(node.domain()) +
                       "' is not supported");
    return;
  }
  if (found == functions.end()) {
    const bool isControlFlow = node.op_type() == "If" ||
                               node.op_type() == "Loop" ||
                               node.op_type() == "Scan";
    reader.unsupported(isControlFlow ? "control flow is not supported"
                                     : "the operator is not supported");
    return;
  }
  (this->*found->second)(reader);
  reader.finish();
}

bool GraphImporter::emitProblems() {
  if (problems.empty())
    return true;
  bool allUnsupported = llvm::all_of(
      problems, [](const Problem &problem) { return problem.unsupported; });
  mlir::InFlightDiagnostic diagnostic =
      mlir::emitError(locationOf(file.displayName()))
      << quoted(file.displayName())
      << " cannot be imported: " << problems.size() << " unsupported "
      << (allUnsupported ? "" : "or malformed ")
      << (problems.size() == 1 ? "node or attribute" : "nodes or attributes");
  for (const Problem &problem :
       ArrayRef<Problem>(problems).take_front(kMaximumNotes))
    diagnostic.attachNote(locationOf(problem.node)) << problem.text;
  if (problems.size() > kMaximumNotes)
    diagnostic.attachNote()
        << "and " << problems.size() - kMaximumNotes << " more";
  return false;
}

bool GraphImporter::importOutputs() {
  llvm::SmallVector<Value> results;
  std::set<std::string> names;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    const std::string subject = "output " + quoted(output.name());
    auto found = bindings.find(output.name());
    if (found == bindings.end()) {
      error(subject + " is made by no node");
      return false;
    }
    if (!names.insert(output.name()).second) {
      error("there are two outputs " + quoted(output.name()));
      return false;
    }
    if (found->second.constant) {
      error(subject + " is a constant, nothing computes it");
      return false;
    }
    Value value = found->second.value;
    if (!value) {
      error(subject + " is the second result of its node, which is not "
                      "supported");
      return false;
    }
    const onnx::TypeProto::Tensor &type = output.type().tensor_type();
    if (type.has_elem_type() &&
        type.elem_type() != onnx::TensorProto::UNDEFINED &&
        type.elem_type() != onnx::TensorProto::FLOAT) {
      error(subject + " is declared as " + elementTypeName(type.elem_type()) +
            ", but the nodes make float");
      return false;
    }
    if (type.has_shape()) {
      llvm::SmallVector<int64_t> declared = declaredShape(type);
      bool agrees = declared.size() == shapeOf(value).size();
      if (agrees)
        for (auto [expected, made] : llvm::zip(declared, shapeOf(value)))
          agrees &= expected < 0 || expected == made;
      if (!agrees) {
        error(subject + " is declared as " + formatDeclared(type) +
              ", but the nodes make " + formatShape(shapeOf(value)));
        return false;
      }
    }
    results.push_back(value);
  }
  if (results.empty()) {
    error("the graph has no outputs");
    return false;
  }
  mlir::func::ReturnOp::create(builder, function.getLoc(), results);
  function.setFunctionType(
      builder.getFunctionType(function.getFunctionType().getInputs(),
                              mlir::ValueRange(results).getTypes()));
  for (auto [index, output] : llvm::enumerate(graph.output()))
    function.setResultAttr(index, cnn::kNameAttrName,
                           builder.getStringAttr(output.name()));
  return true;
}

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

Value GraphImporter::activation(NodeReader &node, int index) {
  auto found = bindings.find(node.input(index).str());
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

Value GraphImporter::image(NodeReader &node, int index) {
  Value value = activation(node, index);
  if (!value)
    return {};
  size_t rank = shapeOf(value).size();
  if (rank == 4)
    return value;
  if (rank == 3 || rank == 5)
    node.unsupported("its " + Twine(rank - 2) +
                     "-D form is not supported, only the 2-D one");
  else
    node.malformed("its input is " + formatShape(shapeOf(value)) +
                   ", expected four dimensions");
  return {};
}

Constant *GraphImporter::findConstant(StringRef name) {
  auto found = bindings.find(name.str());
  return found == bindings.end() ? nullptr : found->second.constant;
}

Constant *GraphImporter::constant(NodeReader &node, int index, StringRef role) {
  auto found = bindings.find(node.input(index).str());
  if (found == bindings.end())
    return nullptr;
  if (Constant *constant = found->second.constant) {
    if (constant->unusable.empty())
      return constant;
    node.unsupported("its " + role + " '" + constant->name +
                     "' cannot be used: " + constant->unusable);
  } else if (found->second.value) {
    node.unsupported("its " + role + " '" + node.input(index) +
                     "' is computed by the graph; only constants are "
                     "supported there");
  }
  return nullptr;
}

std::optional<StringRef> GraphImporter::bytesOf(NodeReader &node,
                                                Constant &constant) {
  Result<StringRef> bytes =
      elementBytes(*constant.tensor, onnx::TensorProto::FLOAT, file);
  if (bytes)
    return *bytes;
  const std::string text = "its parameter '" + constant.name +
                           "' cannot be used: " + bytes.error().message;
  if (constant.tensor->data_type() != onnx::TensorProto::FLOAT)
    node.unsupported(text);
  else
    node.malformed(text);
  return std::nullopt;
}

std::optional<std::vector<float>> GraphImporter::floats(NodeReader &node,
                                                        Constant &constant) {
  StringRef bytes;
  if (constant.weights) {
    ArrayRef<char> data = constant.weights.getData();
    bytes = StringRef(data.data(), data.size());
  } else {
    std::optional<StringRef> found = bytesOf(node, constant);
    if (!found)
      return std::nullopt;
    bytes = *found;
  }
  // The bytes need not be aligned.
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::optional<float> GraphImporter::scalar(NodeReader &node, int index,
                                           StringRef role) {
  Constant *found = constant(node, index, role);
  if (!found)
    return std::nullopt;
  std::optional<std::vector<float>> values = floats(node, *found);
  if (!values)
    return std::nullopt;
  if (values->size() != 1) {
    node.malformed("its " + role + " '" + found->name + "' holds " +
                   Twine(values->size()) + " elements, expected one");
    return std::nullopt;
  }
  return values->front();
}

Value GraphImporter::parameter(NodeReader &node, Constant &constant) {
  if (constant.value)
    return constant.value;
  std::optional<StringRef> bytes = bytesOf(node, constant);
  if (!bytes)
    return {};
  if (constant.sharesTensor && !countMadeBytes(node, constant.shape))
    return {};
  constant.weights = cnn::makeWeights(
      tensorType(constant.shape), constant.name,
      [&](llvm::MutableArrayRef<float> elements) {
        file.copy(*bytes, reinterpret_cast<char *>(elements.data()));
      });
  // Elements that were made here are not held twice.
  if (!constant.sharesTensor)
    delete constant.tensor->release_raw_data();
  constant.value = cnn::ConstantOp::create(builder, locationOf(constant.name),
                                           constant.weights);
  return constant.value;
}

Value GraphImporter::vectorParameter(NodeReader &node, int index,
                                     StringRef role, int64_t channels) {
  Constant *found = constant(node, index, role);
  if (!found)
    return {};
  if (found->shape.size() != 1 || found->shape[0] != channels) {
    node.malformed("its " + role + " '" + found->name + "' has shape " +
                   formatShape(found->shape) + ", expected " + Twine(channels));
    return {};
  }
  return parameter(node, *found);
}

bool GraphImporter::countMadeBytes(NodeReader &node, ArrayRef<int64_t> shape,
                                   int64_t bytesPerElement) {
  Result<int64_t> count = elementCount(shape);
  if (!count) {
    node.malformed("a tensor of " + formatShape(shape) +
                   " cannot be made: " + count.error().message);
    return false;
  }
  std::optional<int64_t> bytes =
      network::checkedMultiply(*count, bytesPerElement);
  if (!bytes || *bytes > kMaximumMadeBytes - madeBytes) {
    node.unsupported("a tensor of " + formatShape(shape) +
                     " cannot be made: constants that are computed at import "
                     "may take " +
                     Twine(kMaximumMadeBytes >> 20) +
                     " MiB in all; write them as initializers");
    return false;
  }
  madeBytes += *bytes;
  return true;
}

Value GraphImporter::newParameter(
    NodeReader &node, StringRef name, ArrayRef<int64_t> shape,
    llvm::function_ref<void(llvm::MutableArrayRef<float>)> fill) {
  if (!countMadeBytes(node, shape))
    return {};
  return cnn::ConstantOp::create(
      builder, locationOf(name),
      cnn::makeWeights(tensorType(shape), name, fill));
}

void GraphImporter::setResult(NodeReader &node, Value value) {
  if (!node.output(0).empty())
    bindings[node.output(0).str()].value = value;
}

} // namespace snug::onnx_import
