// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors that are known at import: bound, computed, turned into operands.
#include "ConstantEvaluation.h"
#include "GraphImporter.h"

#include "snug/Network/Geometry.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

/// Bytes of tensors that the file does not hold as they are: a small file could
/// otherwise ask for any amount. Eight bytes for one of the file: an 8-bit
/// weight that is dequantised, and then an operand.
static constexpr int64_t kMaximumMadeBytes = int64_t(512) << 20;
static constexpr int64_t kMadeBytesEach = 8;

/// Where only shapes count: tensors of more elements are no shapes, and are
/// made up to 256 GiB, of which nothing is touched.
static constexpr int64_t kSmallElements = 1024;
static constexpr int64_t kMaximumZeros = int64_t(1) << 36;

Constant &GraphImporter::bindConstant(StringRef name) {
  Constant &constant = constants.emplace_back();
  constant.name = name.str();
  if (!name.empty())
    bindings[constant.name] = {&constant, {}};
  return constant;
}

Constant *GraphImporter::findConstant(StringRef name) {
  auto found = bindings.find(name);
  return found == bindings.end() ? nullptr : found->second.constant;
}

void GraphImporter::release(Constant &constant, StringRef name) {
  auto found = uses.find(name);
  if (found == uses.end() || found->second != 1 || !constant.tensor)
    return;
  file.release(constant.tensor->bytes);
  constant.tensor->storage.reset();
  constant.tensor->bytes = {};
}

bool GraphImporter::compute(Constant &wanted) {
  // Not by recursion: a file's chains may be longer than the stack is deep.
  std::vector<Constant *> waiting{&wanted};
  while (!waiting.empty()) {
    Constant &constant = *waiting.back();
    if (!constant.node || constant.tensor || constant.hasFailed) {
      waiting.pop_back();
      continue;
    }
    const size_t before = waiting.size();
    for (const std::string &input : constant.node->input()) {
      Constant *needed = findConstant(input);
      if (needed && needed->node && !needed->tensor && !needed->hasFailed)
        waiting.push_back(needed);
    }
    if (waiting.size() != before)
      continue;
    waiting.pop_back();
    NodeReader reader(*constant.node, opset, *this, problems);
    std::optional<std::vector<ConstantTensor>> results;
    if (std::optional<ConstantTensor> zeros = untouchedZeros(reader))
      results.emplace(1, std::move(*zeros));
    else if (!reader.failed())
      results = ConstantEvaluator(reader).evaluate();
    for (auto [index, output] : llvm::enumerate(constant.node->output())) {
      Constant *made = findConstant(output);
      if (!made)
        continue;
      if (results && index < results->size())
        made->tensor = std::move((*results)[index]);
      else
        made->hasFailed = true;
    }
    for (const std::string &input : constant.node->input())
      if (Constant *used = findConstant(input))
        release(*used, input);
  }
  return !wanted.hasFailed;
}

std::optional<ConstantTensor> GraphImporter::untouchedZeros(NodeReader &node) {
  if (!options.shapesOnly || node.node().op_type() != "ConstantOfShape")
    return std::nullopt;
  std::optional<Shape> shape = node.integersOf(0, "shape");
  const std::optional<ConstantTensor> value = node.tensorAttribute("value");
  if (!shape || (value && value->type != onnx::TensorProto::FLOAT))
    return std::nullopt;
  Result<int64_t> count = elementCount(*shape);
  if (!count || *count <= kSmallElements || *count > kMaximumZeros)
    return std::nullopt;
  const size_t bytes = *count * sizeof(float);
  if (zeros.empty() || zeros.back().bytes < bytes)
    zeros.emplace_back(bytes);
  if (!zeros.back().data)
    return std::nullopt;
  ConstantTensor tensor;
  tensor.type = onnx::TensorProto::FLOAT;
  tensor.shape = *shape;
  tensor.bytes = StringRef(zeros.back().data.get(), bytes);
  return tensor;
}

const ConstantTensor *GraphImporter::tensorOf(NodeReader &node, int index,
                                              StringRef role) {
  auto found = bindings.find(node.input(index));
  if (found == bindings.end())
    return nullptr; // left out, which checkOperands() reported
  if (Constant *constant = found->second.constant) {
    if (!compute(*constant))
      return nullptr;
    if (!constant->tensor && constant->unusable.empty()) {
      Result<ConstantTensor> stored = read(*constant->stored);
      if (stored)
        constant->tensor = std::move(*stored);
      else
        constant->unusable = stored.error().message;
    }
    if (constant->tensor)
      return &*constant->tensor;
    const std::string text = ("its " + role + " '" + constant->name +
                              "' cannot be used: " + constant->unusable)
                                 .str();
    if (StringRef(constant->unusable).ends_with("not supported"))
      node.unsupported(text);
    else
      node.malformed(text);
  } else if (found->second.value) {
    node.unsupported("its " + role + " '" + node.input(index) +
                     "' is computed by the graph; only constants are "
                     "supported there");
  }
  return nullptr;
}

bool GraphImporter::countMadeBytes(NodeReader &node, ArrayRef<int64_t> shape,
                                   int64_t bytesPerElement) {
  // No axis may be long because another is empty.
  Shape counted(shape);
  for (int64_t &extent : counted)
    extent = std::max<int64_t>(extent, 1);
  Result<int64_t> count = elementCount(counted);
  if (!count) {
    node.malformed("a tensor of " + formatShape(shape) +
                   " cannot be made: " + count.error().message);
    return false;
  }
  const int64_t most = kMaximumMadeBytes + kMadeBytesEach * file.totalBytes();
  std::optional<int64_t> bytes =
      network::checkedMultiply(*count, bytesPerElement);
  if (!bytes || *bytes > most - madeBytes) {
    node.unsupported("a tensor of " + formatShape(shape) +
                     " cannot be made: constants that are computed at import "
                     "may take " +
                     Twine(kMaximumMadeBytes >> 20) + " MiB and " +
                     Twine(kMadeBytesEach) +
                     " times the model in all; write them as initializers");
    return false;
  }
  madeBytes += *bytes;
  return true;
}

Value GraphImporter::parameter(NodeReader &node, int index, StringRef role) {
  const ConstantTensor *tensor = tensorOf(node, index, role);
  if (!tensor)
    return {};
  Constant &constant = *findConstant(node.input(index));
  if (constant.value)
    return constant.value;
  const std::string subject =
      ("its " + role + " '" + constant.name + "' cannot be used: ").str();
  if (!isFloat(tensor->type)) {
    node.malformed(subject + "its elements are " +
                   elementTypeName(tensor->type) + ", expected float");
    return {};
  }
  Result<int64_t> count = elementCount(tensor->shape);
  if (!count) {
    node.malformed(subject + count.error().message);
    return {};
  }
  if (options.shapesOnly) {
    constant.value = cnn::ConstantOp::create(
        builder, locationOf(constant.name),
        mlir::DenseElementsAttr::get(tensorType(tensor->shape), 0.0f));
    return constant.value;
  }
  if (!constant.stored && !countMadeBytes(node, tensor->shape, sizeof(float)))
    return {};
  mlir::DenseResourceElementsAttr weights = cnn::makeWeights(
      tensorType(tensor->shape), constant.name,
      [&](MutableArrayRef<float> elements) {
        char *to = reinterpret_cast<char *>(elements.data());
        if (tensor->type == onnx::TensorProto::FLOAT) {
          file.copy(tensor->bytes, to);
          return;
        }
        const std::vector<float> values = tensor->elements<float>();
        std::copy(values.begin(), values.end(), elements.begin());
        file.release(tensor->bytes);
      });
  // From now on the elements are those of the operand: they are held once.
  const ArrayRef<char> held = weights.getData();
  constant.tensor->type = onnx::TensorProto::FLOAT;
  constant.tensor->bytes = StringRef(held.data(), held.size());
  constant.tensor->storage.reset();
  constant.value =
      cnn::ConstantOp::create(builder, locationOf(constant.name), weights);
  return constant.value;
}

Value GraphImporter::vectorParameter(NodeReader &node, int index,
                                     StringRef role, int64_t channels) {
  const ConstantTensor *found = tensorOf(node, index, role);
  if (!found)
    return {};
  if (found->shape.size() != 1 || found->shape[0] != channels) {
    node.malformed("its " + role + " '" + node.input(index) + "' has shape " +
                   formatShape(found->shape) + ", expected " + Twine(channels));
    return {};
  }
  return parameter(node, index, role);
}

Value GraphImporter::newParameter(
    NodeReader &node, StringRef name, ArrayRef<int64_t> shape,
    llvm::function_ref<void(MutableArrayRef<float>)> fill) {
  if (!countMadeBytes(node, shape, sizeof(float)))
    return {};
  return cnn::ConstantOp::create(
      builder, locationOf(name),
      cnn::makeWeights(tensorType(shape), name, fill));
}

Value GraphImporter::newParameter(NodeReader &node, StringRef name,
                                  ArrayRef<int64_t> shape,
                                  const std::vector<float> &values) {
  return newParameter(node, name, shape, [&](MutableArrayRef<float> elements) {
    std::copy(values.begin(), values.end(), elements.begin());
  });
}

Value GraphImporter::constantWithShape(Value constant,
                                       ArrayRef<int64_t> shape) {
  if (!constant || shapeOf(constant) == shape)
    return constant;
  return cnn::ConstantOp::create(
      builder, constant.getLoc(),
      cnn::reshapeConstant(constant.getDefiningOp<cnn::ConstantOp>().getValue(),
                           shape));
}

Value GraphImporter::number(NodeReader &node, StringRef name, float value) {
  return newParameter(node, name, {}, std::vector<float>{value});
}

void GraphImporter::importConstant(NodeReader &node) {
  node.checkOperands(0, 0);
  const onnx::TensorProto *stored = nullptr;
  std::optional<ConstantTensor> made;
  if (const onnx::AttributeProto *value = node.find("value")) {
    if (value->type() == onnx::AttributeProto::TENSOR && value->has_t())
      stored = &value->t();
    else
      node.malformed("attribute 'value' is not of type tensor");
  }
  if (node.opset() >= 12) {
    if (node.find("value_float"))
      made = ConstantTensor::of<float>(onnx::TensorProto::FLOAT, {},
                                       node.real("value_float", 0.0f));
    if (std::optional<std::vector<float>> values = node.reals("value_floats"))
      made = ConstantTensor::of<float>(onnx::TensorProto::FLOAT,
                                       int64_t(values->size()), *values);
    if (node.find("value_int"))
      made = ConstantTensor::of<int64_t>(onnx::TensorProto::INT64, {},
                                         node.integer("value_int", 0));
    if (std::optional<Shape> values = node.integers("value_ints"))
      made = ConstantTensor::of<int64_t>(onnx::TensorProto::INT64,
                                         int64_t(values->size()), *values);
  }
  if (node.node().attribute_size() != 1)
    node.malformed("it has " + Twine(node.node().attribute_size()) +
                   " attributes, expected exactly one value");
  if (node.failed() || (!stored && !made))
    return;
  Constant &constant = bindConstant(node.output(0));
  constant.stored = stored;
  constant.tensor = std::move(made);
}

} // namespace snug::onnx_import
