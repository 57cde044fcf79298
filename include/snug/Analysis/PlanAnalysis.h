// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a program's buffers, their lifetimes and reuses from IR; changes
// nothing.
#ifndef SNUG_ANALYSIS_PLANANALYSIS_H
#define SNUG_ANALYSIS_PLANANALYSIS_H

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Network/Program.h"

#include "llvm/ADT/SmallVector.h"

#include <string>
#include <vector>

namespace snug {

/// The buffers of a snug_plan.program in their order, and its kernels.
struct PlanBuffers {
  llvm::SmallVector<plan::BufferOp> buffers;
  /// What each holds, for people: the model's name of an input or output, else
  /// the node and tile that wrote it first.
  std::vector<std::string> names;
  llvm::SmallVector<plan::KernelOpInterface> kernels;
  /// Buffers with roles, bytes and lifetimes (layouts are of views), one blank
  /// step for each kernel, and reuses. A buffer lives from the first kernel
  /// that touches it to the last; inputs from the start, outputs to the end.
  network::Program program;
};

PlanBuffers collectBuffers(plan::ProgramOp program);

} // namespace snug

#endif // SNUG_ANALYSIS_PLANANALYSIS_H
