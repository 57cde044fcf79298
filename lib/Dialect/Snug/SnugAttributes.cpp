// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Schedules as attributes.
#include "snug/Dialect/Snug/SnugAttributes.h"

using namespace mlir;

namespace snug::cnn {

network::Schedule WholeAttr::getSchedule() const {
  return network::Schedule::whole();
}

LogicalResult GridAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, int64_t columns) {
  if (rows < 1 || columns < 1)
    return emitError() << "expected a grid of at least 1x1 tiles, got " << rows
                       << "x" << columns;
  return success();
}

network::Schedule GridAttr::getSchedule() const {
  return network::Schedule::grid(getRows(), getColumns());
}

ScheduleAttrInterface makeScheduleAttr(MLIRContext *context,
                                       const network::Schedule &schedule) {
  if (schedule.isWhole())
    return WholeAttr::get(context);
  return GridAttr::get(context, schedule.rows, schedule.columns);
}

} // namespace snug::cnn
