// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers of constants, in place.
#include "snug/Dialect/Snug/SnugConstants.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstdint>

using namespace mlir;

namespace snug::cnn {

static constexpr size_t kBlobAlignment = 64;

std::optional<ConstantValues> getConstantValues(ElementsAttr value) {
  if (!value || !detail::isStaticTensor(value.getType()))
    return std::nullopt;
  const int64_t count = value.getNumElements();
  ArrayRef<char> bytes;
  bool splat = false;
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    bytes = dense.getRawData();
    splat = dense.isSplat();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    bytes = blob->getData();
  } else {
    return std::nullopt;
  }
  const int64_t stored = splat ? 1 : count;
  if (static_cast<int64_t>(bytes.size()) !=
          stored * static_cast<int64_t>(sizeof(float)) ||
      reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) != 0)
    return std::nullopt;
  return ConstantValues(
      ArrayRef<float>(reinterpret_cast<const float *>(bytes.data()), stored),
      count);
}

std::optional<ConstantValues> getConstantValues(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  return getConstantValues(constant.getValue());
}

ElementsAttr reshapeConstant(ElementsAttr value, ArrayRef<int64_t> shape) {
  auto type =
      RankedTensorType::get(shape, value.getShapedType().getElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return cast<DenseElementsAttr>(value).reshape(type);
}

DenseResourceElementsAttr
makeWeights(RankedTensorType type, StringRef name,
            function_ref<void(MutableArrayRef<float>)> fill) {
  const size_t count = type.getNumElements();
  AsmResourceBlob blob =
      HeapAsmResourceBlob::allocate(count * sizeof(float), kBlobAlignment);
  fill(MutableArrayRef<float>(
      reinterpret_cast<float *>(blob.getMutableData().data()), count));
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

WeightReferences::WeightReferences(Operation *root) {
  root->walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrDictionary())
      if (isa<DenseResourceElementsAttr>(attribute.getValue()))
        ++counts[attribute.getValue()];
  });
}

void WeightReferences::drop(Attribute value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value);
  auto found = counts.find(value);
  if (!resource || found == counts.end() || --found->second != 0)
    return;
  // One blob may stand behind several attributes, of unlike types.
  for (const auto &[other, count] : counts)
    if (count > 0 && cast<DenseResourceElementsAttr>(other).getRawHandle() ==
                         resource.getRawHandle())
      return;
  resource.getRawHandle().getResource()->setBlob(AsmResourceBlob());
}

} // namespace snug::cnn
