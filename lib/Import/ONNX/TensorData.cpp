// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contents of ONNX tensors: types, sizes, inline and external data.
#include "TensorData.h"

#include "snug/Network/Geometry.h"
#include "snug/Network/Network.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SwapByteOrder.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <type_traits>

using llvm::ArrayRef;
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
  return file.storedElements(tensor).raw.value_or(StringRef());
}

template <typename Field> StringRef bytesOf(const Field &field) {
  return StringRef(reinterpret_cast<const char *>(field.data()),
                   field.size() * sizeof(*field.data()));
}

/// The low `size` bytes of each number of a field.
template <typename Field>
std::shared_ptr<std::vector<char>> narrowed(const Field &field, int64_t size) {
  auto bytes = std::make_shared<std::vector<char>>(field.size() * size);
  char *to = bytes->data();
  for (auto number : field) {
    std::memcpy(to, &number, size);
    to += size;
  }
  return bytes;
}

bool isFourBits(ElementType type) {
  return type == onnx::TensorProto::INT4 || type == onnx::TensorProto::UINT4;
}

/// Two numbers of four bits a byte, the first in the low half.
std::shared_ptr<std::vector<char>> unpacked(StringRef packed, int64_t count,
                                            bool isSigned) {
  auto bytes = std::make_shared<std::vector<char>>(count);
  for (int64_t index = 0; index < count; ++index) {
    const int value =
        (static_cast<unsigned char>(packed[index / 2]) >> (index % 2 * 4)) & 15;
    (*bytes)[index] =
        static_cast<char>(isSigned && value > 7 ? value - 16 : value);
  }
  return bytes;
}

float fromHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31, fraction = half & 0x3ff;
  if (exponent == 0) {
    const float magnitude = std::ldexp(float(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  const uint32_t bits =
      sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) |
      fraction << 13;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t rounded(float value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInformation;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven,
                 &losesInformation);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

/// Calls `visit` with a value of the C++ type that holds elements of `type`.
/// The 16-bit floats count as uint16_t: who asks knows them.
template <typename Visit> void visitStored(ElementType type, Visit visit) {
  switch (type) {
  case onnx::TensorProto::FLOAT:
    return visit(float());
  case onnx::TensorProto::DOUBLE:
    return visit(double());
  case onnx::TensorProto::INT64:
  case onnx::TensorProto::UINT64:
    return visit(int64_t());
  case onnx::TensorProto::INT32:
    return visit(int32_t());
  case onnx::TensorProto::UINT32:
    return visit(uint32_t());
  case onnx::TensorProto::INT16:
    return visit(int16_t());
  case onnx::TensorProto::UINT16:
  case onnx::TensorProto::FLOAT16:
  case onnx::TensorProto::BFLOAT16:
    return visit(uint16_t());
  case onnx::TensorProto::INT8:
    return visit(int8_t());
  case onnx::TensorProto::UINT8:
  case onnx::TensorProto::BOOL:
    return visit(uint8_t());
  default:
    return;
  }
}

/// Elements of `shape`, zeros allowed; nothing where a dimension is negative or
/// eight bytes for each would overflow.
Result<int64_t> possibleCount(ArrayRef<int64_t> shape) {
  Shape positive(shape);
  bool isEmpty = false;
  for (int64_t &extent : positive)
    if (extent == 0) {
      isEmpty = true;
      extent = 1;
    }
  Result<int64_t> count = elementCount(positive);
  if (count && isEmpty)
    return 0;
  return count;
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

int64_t elementSize(ElementType type) {
  int64_t size = 0;
  visitStored(type, [&](auto stored) { size = sizeof stored; });
  return size;
}

bool isFloat(ElementType type) {
  return type == onnx::TensorProto::FLOAT ||
         type == onnx::TensorProto::DOUBLE ||
         type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16;
}

bool isInteger(ElementType type) {
  return elementSize(type) != 0 && !isFloat(type) &&
         type != onnx::TensorProto::BOOL;
}

std::pair<int64_t, int64_t> integerLimits(ElementType type) {
  const int64_t bits = 8 * elementSize(type);
  const bool isSigned = type == onnx::TensorProto::INT8 ||
                        type == onnx::TensorProto::INT16 ||
                        type == onnx::TensorProto::INT32;
  return {isSigned ? -(int64_t(1) << (bits - 1)) : 0,
          (int64_t(1) << (isSigned ? bits - 1 : bits)) - 1};
}

Result<int64_t> elementCount(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent <= 0)
      return Error{"dimension " + std::to_string(extent) + " is not positive"};
    std::optional<int64_t> product = network::checkedMultiply(count, extent);
    // The widest element has eight bytes.
    if (!product || !network::checkedMultiply(*product, sizeof(int64_t)))
      return Error{"the dimensions ask for more bytes than 64 bits count"};
    count = *product;
  }
  return count;
}

int64_t ConstantTensor::count() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

ConstantTensor ConstantTensor::withShape(ArrayRef<int64_t> newShape) const {
  ConstantTensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  return result;
}

ConstantTensor ConstantTensor::zeros(ElementType type,
                                     ArrayRef<int64_t> shape) {
  ConstantTensor result;
  result.type = type;
  result.shape.assign(shape.begin(), shape.end());
  result.storage =
      std::make_shared<std::vector<char>>(result.count() * elementSize(type));
  result.bytes = StringRef(result.storage->data(), result.storage->size());
  return result;
}

template <typename T> std::vector<T> ConstantTensor::elements() const {
  std::vector<T> values(count());
  const char *from = bytes.data();
  visitStored(type, [&](auto stored) {
    using Stored = decltype(stored);
    if constexpr (std::is_same_v<Stored, T>) {
      if (!values.empty())
        std::memcpy(values.data(), from, bytes.size());
      return;
    }
    for (T &value : values) {
      std::memcpy(&stored, from, sizeof stored);
      from += sizeof stored;
      if (type == onnx::TensorProto::FLOAT16) {
        value = static_cast<T>(fromHalf(static_cast<uint16_t>(stored)));
      } else if (type == onnx::TensorProto::BFLOAT16) {
        const uint32_t bits = static_cast<uint32_t>(stored) << 16;
        float number;
        std::memcpy(&number, &bits, sizeof number);
        value = static_cast<T>(number);
      } else {
        value = static_cast<T>(stored);
      }
    }
  });
  return values;
}

template <typename T>
ConstantTensor ConstantTensor::of(ElementType type, ArrayRef<int64_t> shape,
                                  ArrayRef<T> values) {
  ConstantTensor result = zeros(type, shape);
  char *to = result.storage->data();
  visitStored(type, [&](auto stored) {
    using Stored = decltype(stored);
    for (T value : values) {
      if (type == onnx::TensorProto::FLOAT16)
        stored = static_cast<Stored>(
            rounded(static_cast<float>(value), llvm::APFloat::IEEEhalf()));
      else if (type == onnx::TensorProto::BFLOAT16)
        stored = static_cast<Stored>(
            rounded(static_cast<float>(value), llvm::APFloat::BFloat()));
      else
        stored = static_cast<Stored>(value);
      std::memcpy(to, &stored, sizeof stored);
      to += sizeof stored;
    }
  });
  return result;
}

template std::vector<int64_t> ConstantTensor::elements() const;
template std::vector<float> ConstantTensor::elements() const;
template std::vector<double> ConstantTensor::elements() const;
template ConstantTensor ConstantTensor::of(ElementType, ArrayRef<int64_t>,
                                           ArrayRef<int64_t>);
template ConstantTensor ConstantTensor::of(ElementType, ArrayRef<int64_t>,
                                           ArrayRef<float>);
template ConstantTensor ConstantTensor::of(ElementType, ArrayRef<int64_t>,
                                           ArrayRef<double>);

Result<ConstantTensor> readTensor(const onnx::TensorProto &tensor,
                                  ModelFile &file) {
  ConstantTensor result;
  result.type = static_cast<ElementType>(tensor.data_type());
  result.shape.assign(tensor.dims().begin(), tensor.dims().end());
  const bool isPacked = isFourBits(result.type);
  const bool isSigned = result.type == onnx::TensorProto::INT4;
  if (isPacked)
    result.type = isSigned ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
  const int64_t size = elementSize(result.type);
  if (size == 0)
    return Error{"its elements are " + elementTypeName(tensor.data_type()) +
                 ", which is not supported"};
  if (tensor.has_segment())
    return Error{"it is stored in segments, which is not supported"};
  Result<int64_t> count = possibleCount(result.shape);
  if (!count)
    return count.error();
  Result<StringRef> bytes = untypedBytes(tensor, file);
  if (!bytes)
    return bytes.error();
  result.bytes = *bytes;
  if (!bytes->data()) {
    switch (result.type) {
    case onnx::TensorProto::FLOAT:
      result.bytes = file.storedElements(tensor).floats.value_or(
          bytesOf(tensor.float_data()));
      break;
    case onnx::TensorProto::DOUBLE:
      result.bytes = bytesOf(tensor.double_data());
      break;
    case onnx::TensorProto::INT64:
      result.bytes = bytesOf(tensor.int64_data());
      break;
    case onnx::TensorProto::UINT64:
    case onnx::TensorProto::UINT32:
      result.storage = narrowed(tensor.uint64_data(), size);
      break;
    default: // the others, 16-bit floats as their bits
      result.storage = narrowed(tensor.int32_data(), size);
    }
    if (result.storage)
      result.bytes = StringRef(result.storage->data(), result.storage->size());
  }
  const int64_t expected = isPacked ? *count / 2 + *count % 2 : *count * size;
  if (static_cast<int64_t>(result.bytes.size()) != expected)
    return Error{"it has " + std::to_string(result.bytes.size()) +
                 " bytes of data, but its dimensions need " +
                 std::to_string(*count) + " elements of " +
                 std::to_string(size) + " bytes"};
  if (isPacked) {
    result.storage = unpacked(result.bytes, *count, isSigned);
    result.bytes = StringRef(result.storage->data(), result.storage->size());
  }
  return result;
}

} // namespace snug::onnx_import
