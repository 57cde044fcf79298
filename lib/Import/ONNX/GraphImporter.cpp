// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph: its inputs, its outputs, the order of its nodes.
#include "GraphImporter.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <functional>
#include <queue>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

constexpr int64_t kOldestOpset = 7;

/// Notes of one error or warning: a small file could otherwise ask for any
/// number of them.
constexpr size_t kMaximumNotes = 1000;

std::string quoted(StringRef name) { return ("'" + name + "'").str(); }

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

/// A node of every problem, as far as there is room for them.
void attachNotes(mlir::InFlightDiagnostic &diagnostic,
                 ArrayRef<Problem> problems) {
  for (const Problem &problem : problems.take_front(kMaximumNotes))
    diagnostic.attachNote(mlir::NameLoc::get(mlir::StringAttr::get(
        diagnostic.getUnderlyingDiagnostic()->getLocation().getContext(),
        problem.node)))
        << problem.text;
  if (problems.size() > kMaximumNotes)
    diagnostic.attachNote()
        << "and " << problems.size() - kMaximumNotes << " more";
}

} // namespace

bool isDefaultDomain(StringRef domain) {
  return domain.empty() || domain == "ai.onnx";
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
  if (!readOperatorSet() || !bindInitializers())
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
    importNode(graph.node(index));
  if (!emitProblems() || !importOutputs())
    return {};
  if (mlir::failed(mlir::verify(*module)))
    return {};
  emitWarnings();
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

bool GraphImporter::bindInitializers() {
  auto bind = [&](const onnx::TensorProto &tensor, StringRef unusable) {
    if (tensor.name().empty()) {
      error("an initializer has no name");
      return false;
    }
    if (bindings.count(tensor.name())) {
      error("there are two initializers " + quoted(tensor.name()));
      return false;
    }
    Constant &constant = bindConstant(tensor.name());
    constant.stored = &tensor;
    constant.unusable = unusable.str();
    return true;
  };
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (!bind(tensor, ""))
      return false;
  for (const auto &sparse : graph.sparse_initializer())
    if (!bind(sparse.values(), "it is sparse, which is not supported"))
      return false;
  for (const auto *values : {&graph.value_info(), &graph.output()})
    for (const onnx::ValueInfoProto &value : *values)
      declaredTypes[value.name()] = &value.type();
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
    const auto &declared = input.type().tensor_type().shape();
    for (int axis = 0; axis < declared.dim_size(); ++axis)
      if (!declared.dim(axis).dim_param().empty())
        symbols.emplace(declared.dim(axis).dim_param(), (*shape)[axis]);
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
  if (options.batch && !shape.empty() && shape.front() < 0 &&
      !options.shapes.count(input.name()))
    shape.front() = *options.batch;
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
  llvm::StringMap<int> producers;
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
  attachNotes(diagnostic, problems);
  return false;
}

void GraphImporter::emitWarnings() {
  auto warn = [&] {
    return mlir::emitWarning(locationOf(file.displayName()))
           << quoted(file.displayName());
  };
  if (quantizations > 0)
    warn() << " is quantised: its " << quantizations
           << (quantizations == 1 ? " node that quantises or dequantises"
                                  : " nodes that quantise or dequantise")
           << " computed tensors only bounds them here, so that results differ "
              "from those of the quantised network";
  if (halfCasts > 0)
    warn() << " casts to smaller floats in " << halfCasts
           << (halfCasts == 1 ? " node" : " nodes")
           << ", which are left out: all is computed in float32";
  if (opaqueReasons.empty())
    return;
  std::set<std::string> nodes;
  for (const Problem &reason : opaqueReasons)
    nodes.insert(reason.node);
  mlir::InFlightDiagnostic diagnostic = warn();
  diagnostic << " has " << nodes.size()
             << (nodes.size() == 1 ? " node" : " nodes")
             << " of an operator or form that is not supported; what they cost "
                "is not known, and a plan cannot be made";
  attachNotes(diagnostic, opaqueReasons);
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
    // What a function returns is computed in it.
    if (llvm::isa<mlir::BlockArgument>(value))
      value = cnn::IdentityOp::create(builder, locationOf(output.name()),
                                      value.getType(), value);
    const onnx::TypeProto::Tensor &type = output.type().tensor_type();
    // What no op stands for may have any type; it counts as float.
    if (!value.getDefiningOp<cnn::OpaqueOp>() && type.has_elem_type() &&
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

} // namespace snug::onnx_import
