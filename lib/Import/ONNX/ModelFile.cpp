// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening and decoding of ONNX files, with the errors of broken ones.
#include "ModelFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include <climits>
#include <optional>

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

/// Walks over the outermost fields, which protobuf's decoder would do without
/// saying where it failed. Empty, or what is wrong with the file.
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

std::string lowerFirst(std::string text) {
  if (!text.empty())
    text[0] = llvm::toLower(text[0]);
  return text;
}

Error cannotRead(StringRef name, const std::error_code &code) {
  return Error{"cannot read '" + name.str() +
               "': " + lowerFirst(code.message())};
}

} // namespace

ModelFile::ModelFile(StringRef path)
    : fromStandardInput(path == "-"), path(path),
      name(fromStandardInput ? "<stdin>" : path.str()) {}

std::string ModelFile::stem() const {
  return fromStandardInput ? "model" : llvm::sys::path::stem(path).str();
}

Result<std::unique_ptr<ModelFile>> ModelFile::open(StringRef path) {
  std::unique_ptr<ModelFile> file(new ModelFile(path));
  const std::string quoted = "'" + file->name + "' ";
  if (!file->fromStandardInput) {
    llvm::sys::fs::file_status status;
    if (std::error_code code = llvm::sys::fs::status(path, status))
      return cannotRead(file->name, code);
    // Reading a device could go on for ever.
    if (status.type() != llvm::sys::fs::file_type::regular_file &&
        status.type() != llvm::sys::fs::file_type::fifo_file)
      return Error{"cannot read '" + file->name + "': it is not a file"};
  }
  // Mapped where the system can; the decoder copies what it needs.
  auto buffer =
      file->fromStandardInput
          ? llvm::MemoryBuffer::getSTDIN()
          : llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
  if (!buffer)
    return cannotRead(file->name, buffer.getError());
  StringRef bytes = (*buffer)->getBuffer();
  if (bytes.empty())
    return Error{quoted + "is empty; expected an ONNX model"};
  if (bytes.size() > size_t(INT_MAX))
    return Error{quoted +
                 "is larger than 2 GiB, which ONNX does not allow; write the "
                 "weights as external data"};
  if (std::string reason = checkOutermostFields(bytes); !reason.empty())
    return Error{quoted + reason};
  google::protobuf::io::ArrayInputStream stream(bytes.data(),
                                                static_cast<int>(bytes.size()));
  if (!file->content.ParseFromZeroCopyStream(&stream))
    return Error{quoted + "is damaged: a message inside one of its fields "
                          "cannot be decoded; copy or write it again"};
  if (!file->content.has_graph())
    return Error{quoted + "holds no graph: it is no ONNX model or is cut "
                          "short; copy or write it again"};
  return file;
}

Result<StringRef> ModelFile::externalBytes(StringRef location, int64_t offset,
                                           int64_t length) {
  if (fromStandardInput)
    return Error{"its data lies in the file '" + location.str() +
                 "' beside the model, which is not known for a model from "
                 "standard input; give the model's path"};
  StringRef folder = llvm::sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  llvm::SmallString<128> full(folder);
  llvm::sys::path::append(full, location);
  // Links are followed first: what counts is where the bytes really lie.
  llvm::SmallString<128> realFolder, realFile;
  if (std::error_code code = llvm::sys::fs::real_path(folder, realFolder))
    return cannotRead(folder, code);
  const Error outside{"its data file '" + location.str() +
                      "' lies outside the model's folder; move it there and "
                      "name it by a relative path"};
  if (location.empty() || llvm::sys::path::is_absolute(location))
    return outside;
  if (std::error_code code = llvm::sys::fs::real_path(full, realFile))
    return Error{"its data file '" + location.str() +
                 "' cannot be read: " + lowerFirst(code.message())};
  llvm::SmallString<128> prefix(realFolder);
  if (!StringRef(prefix).ends_with("/"))
    prefix += "/";
  if (!StringRef(realFile).starts_with(prefix))
    return outside;

  std::unique_ptr<llvm::MemoryBuffer> &buffer =
      externalFiles[std::string(realFile)];
  if (!buffer) {
    if (!llvm::sys::fs::is_regular_file(realFile))
      return Error{"its data file '" + location.str() + "' is not a file"};
    auto opened = llvm::MemoryBuffer::getFile(realFile, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened)
      return Error{"its data file '" + location.str() + "' cannot be read: " +
                   lowerFirst(opened.getError().message())};
    buffer = std::move(*opened);
  }
  const auto size = static_cast<int64_t>(buffer->getBufferSize());
  if (offset < 0 || offset > size || length > size - offset)
    return Error{"its data file '" + location.str() + "' has " +
                 std::to_string(size) + " bytes, but " +
                 std::to_string(length < 0 ? 0 : length) + " from byte " +
                 std::to_string(offset) + " on are asked for"};
  return buffer->getBuffer().substr(offset,
                                    length < 0 ? size - offset : length);
}

} // namespace snug::onnx_import
