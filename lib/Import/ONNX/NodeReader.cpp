// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading of ONNX nodes and their attributes.
#include "NodeReader.h"

#include "llvm/ADT/StringExtras.h"

using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {
namespace {

/// Characters of a name and of a message. Each message repeats a name, and a
/// file's names may be as long as it likes.
constexpr size_t kMaximumText = 1000;

} // namespace

std::string shortened(StringRef text, size_t characters) {
  if (text.size() <= characters)
    return text.str();
  return (text.take_front(characters) + "...").str();
}

StringRef nameOf(const onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return "<unnamed>";
}

NodeReader::NodeReader(const onnx::NodeProto &node, int64_t opset,
                       ConstantSource &constants,
                       std::vector<Problem> &problems)
    : proto(node), operatorSet(opset), constants(constants),
      problems(problems) {}

StringRef NodeReader::input(int index) const {
  return index < proto.input_size() ? StringRef(proto.input(index))
                                    : StringRef();
}

StringRef NodeReader::output(int index) const {
  return index < proto.output_size() ? StringRef(proto.output(index))
                                     : StringRef();
}

int NodeReader::inputCount() const {
  int count = proto.input_size();
  while (count > 0 && proto.input(count - 1).empty())
    --count;
  return count;
}

void NodeReader::checkOperands(int minimum, int maximum, int outputs) {
  const int last = inputCount();
  if (last > maximum)
    unsupported("it has " + Twine(last) + " inputs, at most " + Twine(maximum) +
                " are known");
  for (int index = 0; index < minimum; ++index)
    if (input(index).empty())
      malformed("input " + Twine(index) + " is missing");
  if (output(0).empty())
    malformed("its first output has no name");
  for (int index = outputs; index < proto.output_size(); ++index)
    if (!output(index).empty())
      unsupported("it has " + Twine(proto.output_size()) +
                  " outputs, at most " + Twine(outputs) + " are known");
}

const onnx::AttributeProto *NodeReader::find(StringRef attribute) {
  readAttributes.insert(attribute.str());
  for (const onnx::AttributeProto &candidate : proto.attribute()) {
    if (candidate.name() != attribute)
      continue;
    if (candidate.has_ref_attr_name()) {
      malformed("attribute '" + attribute +
                "' refers to an attribute of a function, but is in none");
      return nullptr;
    }
    return &candidate;
  }
  return nullptr;
}

const onnx::AttributeProto *
NodeReader::find(StringRef attribute,
                 onnx::AttributeProto::AttributeType type) {
  const onnx::AttributeProto *found = find(attribute);
  if (!found || found->type() == type)
    return found;
  malformed("attribute '" + attribute + "' is not of type " +
            StringRef(onnx::AttributeProto::AttributeType_Name(type)).lower());
  return nullptr;
}

int64_t NodeReader::integer(StringRef attribute, int64_t defaultValue) {
  const auto *found = find(attribute, onnx::AttributeProto::INT);
  return found ? found->i() : defaultValue;
}

bool NodeReader::flag(StringRef attribute, bool defaultValue) {
  int64_t value = integer(attribute, defaultValue);
  if (value != 0 && value != 1)
    malformed("attribute '" + attribute + "' is " + Twine(value) +
              ", expected 0 or 1");
  return value != 0;
}

float NodeReader::real(StringRef attribute, float defaultValue) {
  const auto *found = find(attribute, onnx::AttributeProto::FLOAT);
  return found ? found->f() : defaultValue;
}

std::string NodeReader::text(StringRef attribute, StringRef defaultValue) {
  const auto *found = find(attribute, onnx::AttributeProto::STRING);
  return found ? found->s() : defaultValue.str();
}

std::optional<llvm::SmallVector<int64_t>>
NodeReader::integers(StringRef attribute) {
  const auto *found = find(attribute, onnx::AttributeProto::INTS);
  if (!found)
    return std::nullopt;
  return llvm::SmallVector<int64_t>(found->ints().begin(), found->ints().end());
}

std::optional<std::vector<float>> NodeReader::reals(StringRef attribute) {
  const auto *found = find(attribute, onnx::AttributeProto::FLOATS);
  if (!found)
    return std::nullopt;
  return std::vector<float>(found->floats().begin(), found->floats().end());
}

std::optional<ConstantTensor> NodeReader::tensorAttribute(StringRef attribute) {
  const auto *found = find(attribute, onnx::AttributeProto::TENSOR);
  if (!found)
    return std::nullopt;
  Result<ConstantTensor> read = constants.read(found->t());
  if (read)
    return *read;
  malformed("attribute '" + attribute +
            "' cannot be used: " + read.error().message);
  return std::nullopt;
}

llvm::SmallVector<int64_t> NodeReader::extents(StringRef attribute,
                                               size_t length, int64_t minimum,
                                               int64_t defaultValue) {
  llvm::SmallVector<int64_t> defaults(length, defaultValue);
  std::optional<llvm::SmallVector<int64_t>> values = integers(attribute);
  if (!values)
    return defaults;
  if (values->size() != length) {
    malformed("attribute '" + attribute + "' holds " + Twine(values->size()) +
              " values, expected " + Twine(length));
    return defaults;
  }
  for (int64_t value : *values) {
    if (value >= minimum && value <= kMaximumExtent)
      continue;
    // Pads below zero crop in ONNX.
    if (value < 0 && value >= -kMaximumExtent && minimum == 0)
      unsupported("attribute '" + attribute + "' holds " + Twine(value) +
                  ", negative values are not supported");
    else
      malformed("attribute '" + attribute + "' holds " + Twine(value) +
                ", expected " + Twine(minimum) + " to " +
                Twine(kMaximumExtent));
    return defaults;
  }
  return *values;
}

std::optional<Shape> NodeReader::integersOf(int index, StringRef role) {
  const ConstantTensor *found = tensor(index, role);
  if (!found)
    return std::nullopt;
  const std::string subject =
      ("its " + role + " '" + input(index) + "' cannot be used: ").str();
  if (found->type != onnx::TensorProto::INT64 &&
      found->type != onnx::TensorProto::INT32) {
    malformed(subject + "its elements are " + elementTypeName(found->type) +
              ", expected int64");
    return std::nullopt;
  }
  if (found->shape.size() > 1) {
    malformed(subject + "it has " + Twine(found->shape.size()) +
              " dimensions, expected a list");
    return std::nullopt;
  }
  std::vector<int64_t> values = found->elements<int64_t>();
  return Shape(values.begin(), values.end());
}

std::optional<int64_t> NodeReader::integerOf(int index, StringRef role) {
  std::optional<Shape> values = integersOf(index, role);
  if (!values || values->size() == 1)
    return values ? std::optional<int64_t>(values->front()) : std::nullopt;
  malformed("its " + role + " '" + input(index) + "' holds " +
            Twine(values->size()) + " elements, expected one");
  return std::nullopt;
}

std::optional<std::vector<float>> NodeReader::realsOf(int index,
                                                      StringRef role) {
  const ConstantTensor *found = tensor(index, role);
  if (!found)
    return std::nullopt;
  if (isFloat(found->type))
    return found->elements<float>();
  malformed("its " + role + " '" + input(index) +
            "' cannot be used: its elements are " +
            elementTypeName(found->type) + ", expected float");
  return std::nullopt;
}

std::optional<float> NodeReader::realOf(int index, StringRef role) {
  std::optional<std::vector<float>> values = realsOf(index, role);
  if (!values || values->size() == 1)
    return values ? std::optional<float>(values->front()) : std::nullopt;
  malformed("its " + role + " '" + input(index) + "' holds " +
            Twine(values->size()) + " elements, expected one");
  return std::nullopt;
}

bool NodeReader::listOf(StringRef attribute, int index, int64_t since,
                        std::optional<Shape> &list) {
  const bool hadFailed = hasFailed;
  hasFailed = false;
  list.reset();
  if (operatorSet < since)
    list = integers(attribute);
  else if (hasInput(index))
    list = integersOf(index, attribute);
  const bool isRead =
      !hasFailed && (operatorSet < since || !hasInput(index) || list);
  hasFailed |= hadFailed;
  return isRead;
}

void NodeReader::finish() {
  std::set<std::string> seen;
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (!seen.insert(attribute.name()).second)
      malformed("attribute '" + attribute.name() + "' is there twice");
    else if (!readAttributes.count(attribute.name()))
      unsupported("attribute '" + attribute.name() +
                  "' is not supported in operator set " + Twine(operatorSet));
}

void NodeReader::report(const Twine &what, bool isUnsupported) {
  hasFailed = true;
  std::string text = ("node '" + shortened(name(), kMaximumName) + "' (" +
                      shortened(proto.op_type(), kMaximumName) + "): " + what)
                         .str();
  problems.push_back({shortened(name(), kMaximumName),
                      shortened(text, kMaximumText), isUnsupported});
}

} // namespace snug::onnx_import
