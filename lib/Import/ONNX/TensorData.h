// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contents of ONNX tensors, whichever of their fields or files holds them.
#ifndef SNUG_LIB_IMPORT_ONNX_TENSORDATA_H
#define SNUG_LIB_IMPORT_ONNX_TENSORDATA_H

#include "ModelFile.h"

#include "snug/Network/Result.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace snug::onnx_import {

/// Largest extent of a dimension, and largest kernel, stride, pad or dilation:
/// products of two of them stay within int64_t.
constexpr int64_t kMaximumExtent = 2147483647;

using Shape = llvm::SmallVector<int64_t>;
using ElementType = onnx::TensorProto::DataType;

/// "float16" for 10; "type 99" for a number that is not known.
std::string elementTypeName(int32_t dataType);

/// Bytes of one element as ConstantTensor holds it; 0 for types that are not
/// read (strings, complex numbers, 8-bit floats).
int64_t elementSize(ElementType type);
bool isInteger(ElementType type); ///< bool is none
bool isFloat(ElementType type);   ///< float, double, float16, bfloat16

/// Least and largest number of an integer type of at most 32 bits.
std::pair<int64_t, int64_t> integerLimits(ElementType type);

/// Number of elements of `shape`, or an error if a dimension is not positive or
/// their float32 bytes overflow int64_t.
Result<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// A tensor whose elements are known at import. They lie packed and
/// little-endian, not necessarily aligned; 4-bit integers take a byte each and
/// have the type of 8 bits. Extents may be zero, their product never overflows.
struct ConstantTensor {
  ElementType type = onnx::TensorProto::UNDEFINED;
  Shape shape;
  llvm::StringRef bytes; ///< of the file, its messages or `storage`
  std::shared_ptr<std::vector<char>> storage;

  int64_t count() const;
  /// All elements as int64_t (integers and bool), float (those and smaller
  /// floats) or double (any).
  template <typename T> std::vector<T> elements() const;
  /// The same elements under another shape of as many.
  ConstantTensor withShape(llvm::ArrayRef<int64_t> newShape) const;

  /// Zeros, to be written through `storage`.
  static ConstantTensor zeros(ElementType type, llvm::ArrayRef<int64_t> shape);
  /// `values` narrowed to `type`; integers wrap around.
  template <typename T>
  static ConstantTensor of(ElementType type, llvm::ArrayRef<int64_t> shape,
                           llvm::ArrayRef<T> values);
};

extern template std::vector<int64_t> ConstantTensor::elements() const;
extern template std::vector<float> ConstantTensor::elements() const;
extern template std::vector<double> ConstantTensor::elements() const;
extern template ConstantTensor ConstantTensor::of(ElementType,
                                                  llvm::ArrayRef<int64_t>,
                                                  llvm::ArrayRef<int64_t>);
extern template ConstantTensor ConstantTensor::of(ElementType,
                                                  llvm::ArrayRef<int64_t>,
                                                  llvm::ArrayRef<float>);
extern template ConstantTensor ConstantTensor::of(ElementType,
                                                  llvm::ArrayRef<int64_t>,
                                                  llvm::ArrayRef<double>);

/// What `tensor` holds; copied only where its field does not hold the elements
/// as they are. Errors do not name the tensor.
Result<ConstantTensor> readTensor(const onnx::TensorProto &tensor,
                                  ModelFile &file);

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_TENSORDATA_H
