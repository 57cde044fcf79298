// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing of a program's segments.
#ifndef SNUG_LIB_EXPORT_PLAN_PACKSEGMENT_H
#define SNUG_LIB_EXPORT_PLAN_PACKSEGMENT_H

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/runtime/Catalogue.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace snug {

/// Calls `write` with a segment's values as its kernel reads them, part by
/// part. Emits an error and fails where values are absent or the segment states
/// other bytes than the kernel catalogue.
llvm::LogicalResult
packSegment(plan::SegmentOp segment, runtime::Target target,
            llvm::function_ref<void(llvm::ArrayRef<float>)> write);

} // namespace snug

#endif // SNUG_LIB_EXPORT_PLAN_PACKSEGMENT_H
