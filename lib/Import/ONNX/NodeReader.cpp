// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading of ONNX nodes and their attributes.
#include "NodeReader.h"

#include "TensorData.h"

#include "llvm/ADT/StringExtras.h"

using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {
namespace {

/// Characters of a name and of a message. Each message repeats a name, and a
/// file's names may be as long as it likes.
constexpr size_t kMaximumName = 200, kMaximumText = 1000;

std::string shortened(StringRef text, size_t characters) {
  if (text.size() <= characters)
    return text.str();
  return (text.take_front(characters) + "...").str();
}

} // namespace

StringRef nameOf(const onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return "<unnamed>";
}

NodeReader::NodeReader(const onnx::NodeProto &node, int64_t opset,
                       std::vector<Problem> &problems)
    : proto(node), operatorSet(opset), problems(problems) {}

StringRef NodeReader::input(int index) const {
  return index < proto.input_size() ? StringRef(proto.input(index))
                                    : StringRef();
}

StringRef NodeReader::output(int index) const {
  return index < proto.output_size() ? StringRef(proto.output(index))
                                     : StringRef();
}

void NodeReader::checkOperands(int minimum, int maximum, int outputs) {
  int last = proto.input_size();
  while (last > 0 && proto.input(last - 1).empty())
    --last;
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
