// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What makes parameters one segment of a plan.
#ifndef SNUG_ANALYSIS_PACKEDPARAMETERS_H
#define SNUG_ANALYSIS_PACKEDPARAMETERS_H

#include "snug/Dialect/Plan/PlanDialect.h"

#include "mlir/IR/Attributes.h"

#include <cstdint>
#include <functional>
#include <tuple>
#include <vector>

namespace snug {

/// Parameters as they are packed. Uses that are alike in all of this share one
/// segment: tiles what their layer has, and layers what is packed alike.
struct PackedParameters {
  mlir::Attribute value;
  plan::Packing packing;
  int64_t groups = 1;
  std::vector<int64_t> strides = {}, dilations = {};

  bool operator<(const PackedParameters &other) const {
    auto key = [](const PackedParameters &of) {
      return std::make_tuple(of.value.getAsOpaquePointer(), of.packing,
                             of.groups, std::cref(of.strides),
                             std::cref(of.dilations));
    };
    return key(*this) < key(other);
  }
};

} // namespace snug

#endif // SNUG_ANALYSIS_PACKEDPARAMETERS_H
