// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contents of ONNX tensors, whichever of their fields or files holds them.
#ifndef SNUG_LIB_IMPORT_ONNX_TENSORDATA_H
#define SNUG_LIB_IMPORT_ONNX_TENSORDATA_H

#include "ModelFile.h"

#include "snug/Network/Result.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace snug::onnx_import {

/// Largest extent of a dimension, and largest kernel, stride, pad or dilation:
/// products of two of them stay within int64_t.
constexpr int64_t kMaximumExtent = 2147483647;

/// "float16" for 10; "type 99" for a number that is not known.
std::string elementTypeName(int32_t dataType);

/// Number of elements of `shape`, or an error if a dimension is not positive or
/// their float32 bytes overflow int64_t.
Result<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// The elements of `tensor`, which must have type `dataType` (FLOAT or INT64),
/// as little-endian bytes that belong to `tensor` or `file`. Their number
/// agrees with the tensor's dimensions, which are all positive or none (a
/// scalar). Errors do not name the tensor.
Result<llvm::StringRef> elementBytes(const onnx::TensorProto &tensor,
                                     onnx::TensorProto::DataType dataType,
                                     ModelFile &file);

/// Elements of an int64 tensor.
Result<std::vector<int64_t>> integers(const onnx::TensorProto &tensor,
                                      ModelFile &file);

/// The only element of a boolean tensor.
Result<bool> booleanScalar(const onnx::TensorProto &tensor, ModelFile &file);

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_TENSORDATA_H
