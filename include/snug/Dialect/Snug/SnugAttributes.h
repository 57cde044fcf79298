// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attributes of the snug dialect: enumerations and the schedules of groups.
#ifndef SNUG_DIALECT_SNUG_SNUGATTRIBUTES_H
#define SNUG_DIALECT_SNUG_SNUGATTRIBUTES_H

#include "snug/Dialect/Snug/SnugEnums.h"
#include "snug/Dialect/Snug/SnugInterfaces.h"

#define GET_ATTRDEF_CLASSES
#include "snug/Dialect/Snug/SnugAttributes.h.inc"

namespace snug::cnn {

/// The attribute that says `schedule`.
ScheduleAttrInterface makeScheduleAttr(mlir::MLIRContext *context,
                                       const network::Schedule &schedule);

} // namespace snug::cnn

#endif // SNUG_DIALECT_SNUG_SNUGATTRIBUTES_H
