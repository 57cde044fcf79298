// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks over the messages of an ONNX file. Protobuf's own decoder would copy
// all weights, decode what nobody reads, take memory without bound, and say of
// a damaged file no more than that it is damaged.
#include "ModelDecoder.h"

#include "llvm/ADT/Twine.h"

#include <climits>
#include <cstdint>
#include <cstring>

using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {
namespace {

enum WireType : unsigned { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// Wire type that the field of a ModelProto must have (onnx.proto), or nothing
/// for a number that it does not know.
std::optional<unsigned> wireTypeOfModelField(uint64_t number) {
  switch (number) {
  case 1: // ir_version
  case 5: // model_version
    return Varint;
  case 2:  // producer_name
  case 3:  // producer_version
  case 4:  // domain
  case 6:  // doc_string
  case 7:  // graph
  case 8:  // opset_import
  case 14: // metadata_props
  case 20: // training_info
  case 25: // functions
  case 26: // configuration
    return Bytes;
  default:
    return std::nullopt;
  }
}

/// Reads a base-128 varint at `position` and moves behind it; nothing where it
/// is longer than ten bytes or the input ends.
std::optional<uint64_t> readVarint(StringRef bytes, size_t &position) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (position >= bytes.size())
      return std::nullopt;
    auto byte = static_cast<unsigned char>(bytes[position++]);
    value |= shift < 64 ? uint64_t(byte & 0x7f) << shift : 0;
    if (!(byte & 0x80))
      return value;
  }
  return std::nullopt;
}

/// Walks over the outermost fields. Empty, or what is wrong with the file: the
/// place to tell a foreign file from one that is cut short.
std::string checkOutermostFields(StringRef bytes) {
  auto notOnnx = [&](size_t position) {
    return (Twine("is not an ONNX model: no field of one starts at byte ") +
            Twine(position) + "; give a binary file as onnx.save writes it")
        .str();
  };
  auto cutShort = [&](size_t begin, uint64_t needed) {
    return (Twine("is cut short: the field at byte ") + Twine(begin) +
            " needs " + Twine(needed) + " bytes, but only " +
            Twine(bytes.size() - begin) + " are left; copy or write it again")
        .str();
  };
  size_t position = 0;
  while (position < bytes.size()) {
    const size_t begin = position;
    std::optional<uint64_t> tag = readVarint(bytes, position);
    if (!tag)
      return begin == 0 ? notOnnx(begin)
                        : cutShort(begin, bytes.size() - begin + 1);
    const uint64_t number = *tag >> 3;
    const unsigned wireType = *tag & 7;
    std::optional<unsigned> expected = wireTypeOfModelField(number);
    // Newer files may hold fields that are unknown here, but not first.
    if (number == 0 || (expected && *expected != wireType) ||
        (!expected && begin == 0))
      return notOnnx(begin);
    uint64_t length = 0;
    switch (wireType) {
    case Varint:
    case Bytes: {
      std::optional<uint64_t> value = readVarint(bytes, position);
      if (!value)
        return position >= bytes.size()
                   ? cutShort(begin, bytes.size() - begin + 1)
                   : notOnnx(begin);
      length = wireType == Bytes ? *value : 0;
      break;
    }
    case Fixed64:
      length = 8;
      break;
    case Fixed32:
      length = 4;
      break;
    default:
      return notOnnx(begin);
    }
    if (length > bytes.size() - position) {
      // A length beyond any protobuf message is no length.
      if (length > uint64_t(INT_MAX))
        return notOnnx(begin);
      return cutShort(begin, position - begin + length);
    }
    position += length;
  }
  return {};
}

/// One field of a message.
struct Field {
  uint64_t number = 0;
  unsigned wireType = Varint;
  StringRef whole;   ///< tag, length and content
  StringRef content; ///< of a length-delimited one
};

/// Reads the field at `position` and moves behind it; false where none is.
bool readField(StringRef message, size_t &position, Field &field) {
  const size_t begin = position;
  std::optional<uint64_t> tag = readVarint(message, position);
  if (!tag || *tag >> 3 == 0)
    return false;
  field.number = *tag >> 3;
  field.wireType = *tag & 7;
  uint64_t length = 0;
  if (field.wireType == Varint || field.wireType == Bytes) {
    std::optional<uint64_t> value = readVarint(message, position);
    if (!value)
      return false;
    length = field.wireType == Bytes ? *value : 0;
  } else if (field.wireType == Fixed64 || field.wireType == Fixed32) {
    length = field.wireType == Fixed64 ? 8 : 4;
  } else {
    return false; // groups, which no version of ONNX has
  }
  if (length > message.size() - position)
    return false;
  field.content =
      field.wireType == Bytes ? message.substr(position, length) : StringRef();
  position += length;
  field.whole = message.slice(begin, position);
  return true;
}

class Decoder {
public:
  Decoder(StringRef file, StoredElementsMap &elements, StoredNodesMap &nodes)
      : file(file), elements(elements), nodes(nodes) {}

  bool decode(StringRef bytes, onnx::ModelProto &model);
  std::string takeProblem() { return std::move(problem); }

private:
  bool decode(StringRef bytes, onnx::GraphProto &graph);
  bool decode(StringRef bytes, onnx::NodeProto &node);
  bool decode(StringRef bytes, onnx::AttributeProto &attribute);
  bool decode(StringRef bytes, onnx::TensorProto &tensor);
  bool decode(StringRef bytes, onnx::SparseTensorProto &tensor);
  bool decode(StringRef bytes, onnx::ValueInfoProto &value);
  bool decode(StringRef bytes, onnx::FunctionProto &function);

  /// Calls `visit` with each field; false where it is, or a field is damaged.
  template <typename Visit>
  bool forEachField(StringRef bytes, StringRef what, Visit visit) {
    size_t position = 0;
    while (position < bytes.size()) {
      const size_t begin = position;
      Field field;
      if (!readField(bytes, position, field))
        return damaged(what, bytes.drop_front(begin));
      if (!visit(field))
        return false;
    }
    return true;
  }

  /// Decodes a message that lies inside another.
  template <typename Message>
  bool nested(const Field &field, StringRef what, int64_t cost,
              Message &message) {
    if (field.wireType != Bytes)
      return damaged(what, field.whole);
    return charge(cost) && decode(field.content, message);
  }

  /// Has protobuf decode the field into `message`. `factor`: bytes in memory
  /// for each in the file, at most.
  bool merge(google::protobuf::MessageLite &message, const Field &field,
             StringRef what, int64_t factor);

  bool charge(int64_t bytes);
  bool damaged(StringRef what, StringRef where);

  StringRef file;
  StoredElementsMap &elements;
  StoredNodesMap &nodes;
  int64_t structureBytes = 0;
  std::string problem;
};

// Bytes in memory for each in the file, at most: characters of a string; a
// number, which takes a byte in the file and eight in a growing array; the
// empty messages and strings inside a message, of two bytes each.
constexpr int64_t kText = 1, kNumbers = 16, kMessage = 40;
// What each of them takes in memory, empty, and in the importer's own tables.
constexpr int64_t kFieldBytes = 64, kValueBytes = 256, kAttributeBytes = 256,
                  kTensorBytes = 512, kNodeBytes = 768;

bool Decoder::charge(int64_t bytes) {
  structureBytes += bytes;
  if (structureBytes <= kMaximumStructureBytes)
    return true;
  problem = (Twine("is refused: its nodes, names and attributes would take "
                   "more than ") +
             Twine(kMaximumStructureBytes >> 20) +
             " MiB of memory; keep large tensors in initializers")
                .str();
  return false;
}

bool Decoder::damaged(StringRef what, StringRef where) {
  problem = (Twine("is damaged: no field of ") + what + " starts at byte " +
             Twine(static_cast<uint64_t>(where.data() - file.data())) +
             "; copy or write it again")
                .str();
  return false;
}

bool Decoder::merge(google::protobuf::MessageLite &message, const Field &field,
                    StringRef what, int64_t factor) {
  if (!charge(kFieldBytes +
              factor * static_cast<int64_t>(field.content.size())))
    return false;
  // A copy, but streams cost more: fields are small and many.
  return message.MergeFromString(field.whole.str()) ||
         damaged(what, field.whole);
}

bool Decoder::decode(StringRef bytes, onnx::ModelProto &model) {
  const StringRef what = "a model";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::ModelProto::kGraphFieldNumber:
      return nested(field, what, 0, *model.mutable_graph());
    case onnx::ModelProto::kOpsetImportFieldNumber:
      return merge(model, field, what, kMessage);
    case onnx::ModelProto::kFunctionsFieldNumber:
      return nested(field, what, kNodeBytes, *model.add_functions());
    case onnx::ModelProto::kTrainingInfoFieldNumber:
      // That it is there is all that the importer says of it.
      if (model.training_info_size() == 0)
        model.add_training_info();
      return true;
    default:
      return true;
    }
  });
}

bool Decoder::decode(StringRef bytes, onnx::GraphProto &graph) {
  const StringRef what = "a graph";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::GraphProto::kNodeFieldNumber: {
      onnx::NodeProto &node = *graph.add_node();
      nodes[&node] = field.content;
      return nested(field, what, kNodeBytes, node);
    }
    case onnx::GraphProto::kInitializerFieldNumber:
      return nested(field, what, kTensorBytes, *graph.add_initializer());
    case onnx::GraphProto::kSparseInitializerFieldNumber:
      return nested(field, what, kTensorBytes, *graph.add_sparse_initializer());
    case onnx::GraphProto::kInputFieldNumber:
      return nested(field, what, kValueBytes, *graph.add_input());
    case onnx::GraphProto::kOutputFieldNumber:
      return nested(field, what, kValueBytes, *graph.add_output());
    case onnx::GraphProto::kValueInfoFieldNumber:
      return nested(field, what, kValueBytes, *graph.add_value_info());
    case onnx::GraphProto::kNameFieldNumber:
      return merge(graph, field, what, kText);
    default:
      return true;
    }
  });
}

bool Decoder::decode(StringRef bytes, onnx::NodeProto &node) {
  const StringRef what = "a node";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::NodeProto::kInputFieldNumber:
    case onnx::NodeProto::kOutputFieldNumber:
      return charge(kValueBytes) && merge(node, field, what, kText);
    case onnx::NodeProto::kNameFieldNumber:
    case onnx::NodeProto::kOpTypeFieldNumber:
    case onnx::NodeProto::kDomainFieldNumber:
      return merge(node, field, what, kText);
    case onnx::NodeProto::kAttributeFieldNumber:
      return nested(field, what, kAttributeBytes, *node.add_attribute());
    default:
      return true;
    }
  });
}

bool Decoder::decode(StringRef bytes, onnx::AttributeProto &attribute) {
  const StringRef what = "an attribute";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::AttributeProto::kNameFieldNumber:
    case onnx::AttributeProto::kRefAttrNameFieldNumber:
    case onnx::AttributeProto::kTypeFieldNumber:
    case onnx::AttributeProto::kFFieldNumber:
    case onnx::AttributeProto::kIFieldNumber:
    case onnx::AttributeProto::kSFieldNumber:
      return merge(attribute, field, what, kText);
    case onnx::AttributeProto::kFloatsFieldNumber:
    case onnx::AttributeProto::kIntsFieldNumber:
      return merge(attribute, field, what, kNumbers);
    case onnx::AttributeProto::kTFieldNumber:
      return nested(field, what, kTensorBytes, *attribute.mutable_t());
    default:
      return true;
    }
  });
}

bool Decoder::decode(StringRef bytes, onnx::TensorProto &tensor) {
  const StringRef what = "a tensor";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::TensorProto::kRawDataFieldNumber:
      if (field.wireType != Bytes)
        return damaged(what, field.whole);
      elements[&tensor].raw = field.content;
      return true;
    case onnx::TensorProto::kFloatDataFieldNumber:
      if (field.wireType == Bytes && tensor.float_data().empty() &&
          !elements[&tensor].floats && field.content.size() % 4 == 0) {
        elements[&tensor].floats = field.content;
        return true;
      }
      // In several fields, which nobody writes: put together by protobuf.
      if (std::optional<StringRef> first = elements[&tensor].floats) {
        if (!charge(int64_t(first->size())))
          return false;
        elements[&tensor].floats.reset();
        auto &values = *tensor.mutable_float_data();
        values.Resize(static_cast<int>(first->size() / 4), 0.0f);
        if (!first->empty())
          std::memcpy(values.mutable_data(), first->data(), first->size());
      }
      return merge(tensor, field, what, kNumbers);
    case onnx::TensorProto::kDimsFieldNumber:
    case onnx::TensorProto::kInt32DataFieldNumber:
    case onnx::TensorProto::kInt64DataFieldNumber:
    case onnx::TensorProto::kUint64DataFieldNumber:
    case onnx::TensorProto::kDoubleDataFieldNumber:
      return merge(tensor, field, what, kNumbers);
    case onnx::TensorProto::kDataTypeFieldNumber:
    case onnx::TensorProto::kNameFieldNumber:
    case onnx::TensorProto::kDataLocationFieldNumber:
      return merge(tensor, field, what, kText);
    case onnx::TensorProto::kSegmentFieldNumber:
    case onnx::TensorProto::kExternalDataFieldNumber:
      return merge(tensor, field, what, kMessage);
    default:
      return true;
    }
  });
}

/// Only what names it.
bool Decoder::decode(StringRef bytes, onnx::SparseTensorProto &tensor) {
  const StringRef what = "a sparse tensor";
  return forEachField(bytes, what, [&](const Field &field) {
    return field.number != onnx::SparseTensorProto::kValuesFieldNumber ||
           nested(field, what, kTensorBytes, *tensor.mutable_values());
  });
}

bool Decoder::decode(StringRef bytes, onnx::ValueInfoProto &value) {
  const StringRef what = "the description of a tensor";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::ValueInfoProto::kNameFieldNumber:
      return merge(value, field, what, kText);
    case onnx::ValueInfoProto::kTypeFieldNumber:
      return merge(value, field, what, kMessage);
    default:
      return true;
    }
  });
}

/// Only what names it.
bool Decoder::decode(StringRef bytes, onnx::FunctionProto &function) {
  const StringRef what = "a function";
  return forEachField(bytes, what, [&](const Field &field) {
    switch (field.number) {
    case onnx::FunctionProto::kNameFieldNumber:
    case onnx::FunctionProto::kDomainFieldNumber:
      return merge(function, field, what, kText);
    default:
      return true;
    }
  });
}

} // namespace

std::string decodeModel(StringRef bytes, onnx::ModelProto &model,
                        StoredElementsMap &elements, StoredNodesMap &nodes) {
  if (std::string problem = checkOutermostFields(bytes); !problem.empty())
    return problem;
  Decoder decoder(bytes, elements, nodes);
  if (decoder.decode(bytes, model))
    return {};
  return decoder.takeProblem();
}

} // namespace snug::onnx_import
