// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contents of ONNX tensors: types, sizes, inline and external data.
#include "TensorData.h"

#include "snug/Network/Geometry.h"
#include "snug/Network/Network.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SwapByteOrder.h"

#include <cstring>

using llvm::StringRef;

// Fields are taken over as they lie in the file, which is little-endian.
static_assert(llvm::sys::IsLittleEndianHost,
              "importing on a big-endian machine needs a byte swap here");

namespace snug::onnx_import {
namespace {

/// Where `tensor` keeps its elements if not in its own typed field: raw bytes
/// of this file or of another. Null data: in the typed field.
Result<StringRef> untypedBytes(const onnx::TensorProto &tensor,
                               ModelFile &file) {
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    std::string location;
    int64_t offset = 0, length = -1;
    for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
      if (entry.key() == "location")
        location = entry.value();
      bool isOffset = entry.key() == "offset";
      if (!isOffset && entry.key() != "length")
        continue;
      int64_t &number = isOffset ? offset : length;
      if (StringRef(entry.value()).getAsInteger(10, number) || number < 0)
        return Error{"the " + entry.key() + " of its external data is '" +
                     entry.value() + "', expected a number of bytes"};
    }
    if (location.empty())
      return Error{"its external data names no file"};
    return file.externalBytes(location, offset, length);
  }
  // Those that were made here have no place in the file.
  if (tensor.has_raw_data())
    return StringRef(tensor.raw_data());
  return file.storedElements(tensor).raw.value_or(StringRef());
}

template <typename Field> StringRef bytesOf(const Field &field) {
  return StringRef(reinterpret_cast<const char *>(field.data()),
                   field.size() * sizeof(*field.data()));
}

} // namespace

std::string elementTypeName(int32_t dataType) {
  if (!onnx::TensorProto::DataType_IsValid(dataType))
    return "type " + std::to_string(dataType);
  return llvm::StringRef(
             onnx::TensorProto::DataType_Name(
                 static_cast<onnx::TensorProto::DataType>(dataType)))
      .lower();
}

Result<int64_t> elementCount(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent <= 0)
      return Error{"dimension " + std::to_string(extent) + " is not positive"};
    std::optional<int64_t> product = network::checkedMultiply(count, extent);
    if (!product || !network::checkedMultiply(*product, network::kElementBytes))
      return Error{"the dimensions ask for more bytes than 64 bits count"};
    count = *product;
  }
  return count;
}

Result<StringRef> elementBytes(const onnx::TensorProto &tensor,
                               onnx::TensorProto::DataType dataType,
                               ModelFile &file) {
  if (tensor.data_type() != dataType)
    return Error{"its elements are " + elementTypeName(tensor.data_type()) +
                 ", expected " + elementTypeName(dataType)};
  if (tensor.has_segment())
    return Error{"it is stored in segments, which is not supported"};
  Result<int64_t> count = elementCount(
      llvm::ArrayRef<int64_t>(tensor.dims().data(), tensor.dims_size()));
  if (!count)
    return count.error();
  const bool isFloat = dataType == onnx::TensorProto::FLOAT;
  Result<StringRef> bytes = untypedBytes(tensor, file);
  if (!bytes)
    return bytes;
  if (!bytes->data() && isFloat)
    *bytes = file.storedElements(tensor).floats.value_or(
        bytesOf(tensor.float_data()));
  else if (!bytes->data())
    *bytes = bytesOf(tensor.int64_data());
  const int64_t elementSize = isFloat ? sizeof(float) : sizeof(int64_t);
  const std::optional<int64_t> expected =
      network::checkedMultiply(*count, elementSize);
  if (!expected || static_cast<int64_t>(bytes->size()) != *expected)
    return Error{"it has " + std::to_string(bytes->size()) +
                 " bytes of data, but its dimensions need " +
                 std::to_string(*count) + " elements of " +
                 std::to_string(elementSize) + " bytes"};
  return bytes;
}

Result<std::vector<int64_t>> integers(const onnx::TensorProto &tensor,
                                      ModelFile &file) {
  // A shape may be empty: it makes a scalar.
  if (tensor.dims_size() == 1 && tensor.dims(0) == 0 &&
      tensor.data_type() == onnx::TensorProto::INT64)
    return std::vector<int64_t>{};
  Result<StringRef> bytes =
      elementBytes(tensor, onnx::TensorProto::INT64, file);
  if (!bytes)
    return bytes.error();
  std::vector<int64_t> values(bytes->size() / sizeof(int64_t));
  std::memcpy(values.data(), bytes->data(), bytes->size());
  return values;
}

Result<bool> booleanScalar(const onnx::TensorProto &tensor, ModelFile &file) {
  if (tensor.data_type() != onnx::TensorProto::BOOL)
    return Error{"its elements are " + elementTypeName(tensor.data_type()) +
                 ", expected bool"};
  Result<StringRef> bytes = untypedBytes(tensor, file);
  if (!bytes)
    return bytes.error();
  if (bytes->data() && bytes->size() == 1)
    return (*bytes)[0] != 0;
  if (!bytes->data() && tensor.int32_data_size() == 1)
    return tensor.int32_data(0) != 0;
  return Error{"expected exactly one element"};
}

} // namespace snug::onnx_import
