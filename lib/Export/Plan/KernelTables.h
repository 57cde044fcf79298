// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of the plan schema for kernels.
#ifndef SNUG_LIB_EXPORT_PLAN_KERNELTABLES_H
#define SNUG_LIB_EXPORT_PLAN_KERNELTABLES_H

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/runtime/plan_generated.h"

#include "llvm/ADT/StringMap.h"

namespace snug {

/// Fills the table of a kernel whose buffers have offsets. `segments` are the
/// indices of the program's segments by name.
llvm::LogicalResult setKernelTable(plan::KernelOpInterface kernel,
                                   const llvm::StringMap<int> &segments,
                                   schema::KernelUnion &table);

} // namespace snug

#endif // SNUG_LIB_EXPORT_PLAN_KERNELTABLES_H
