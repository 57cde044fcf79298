// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading the numbers of snug.constant, and making new ones, without copies.
#ifndef SNUG_DIALECT_SNUG_SNUGCONSTANTS_H
#define SNUG_DIALECT_SNUG_SNUGCONSTANTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace snug::cnn {

/// The elements of a constant in row-major order, in place. Valid as long as
/// the attribute's context lives and the blob is not replaced.
class ConstantValues {
public:
  ConstantValues(llvm::ArrayRef<float> stored, int64_t count)
      : stored(stored), count(count) {}

  int64_t size() const { return count; }
  /// True where one stored number stands for all elements.
  bool isSplat() const { return static_cast<int64_t>(stored.size()) != count; }
  float operator[](int64_t index) const {
    return stored[isSplat() ? 0 : index];
  }
  /// All elements as they lie in memory; only one of them for a splat.
  llvm::ArrayRef<float> getStored() const { return stored; }

private:
  llvm::ArrayRef<float> stored;
  int64_t count;
};

/// The float32 elements of a `dense` or `dense_resource` attribute; nothing
/// where the resource is absent (elided) or does not fit the type.
std::optional<ConstantValues> getConstantValues(mlir::ElementsAttr value);
/// Those of the snug.constant that defines `value`; nothing for other values.
std::optional<ConstantValues> getConstantValues(mlir::Value value);

/// The same elements under another shape of as many; the elements are shared.
mlir::ElementsAttr reshapeConstant(mlir::ElementsAttr value,
                                   llvm::ArrayRef<int64_t> shape);

/// A `dense_resource` attribute of `type` with a new heap blob, 64-byte
/// aligned, named `name` (made unique where taken). `fill` writes all elements.
mlir::DenseResourceElementsAttr
makeWeights(mlir::RankedTensorType type, llvm::StringRef name,
            llvm::function_ref<void(llvm::MutableArrayRef<float>)> fill);

/// Frees the elements of resources that nothing refers to any more: a context
/// keeps a resource as long as it lives, and weights are most of the memory
/// that a compiler takes. Counts the references when it is made.
class WeightReferences {
public:
  /// Counts those in `root` and below.
  explicit WeightReferences(mlir::Operation *root);
  /// One reference is gone. With the last one go the elements; the attribute
  /// must not be read again. Values other than resources are left alone.
  void drop(mlir::Attribute value);

private:
  llvm::DenseMap<mlir::Attribute, int64_t> counts;
};

} // namespace snug::cnn

#endif // SNUG_DIALECT_SNUG_SNUGCONSTANTS_H
