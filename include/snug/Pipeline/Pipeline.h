// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pipeline as a library: one options struct, one function per phase.
#ifndef SNUG_PIPELINE_PIPELINE_H
#define SNUG_PIPELINE_PIPELINE_H

#include "mlir/Pass/PassManager.h"

#include <cstdint>
#include <string>

namespace snug {

/// Options of all phases; the same names and meaning as the passes' own.
struct PipelineOptions {
  std::string target = "host"; ///< host, portable, avx2, avx512
  int64_t threads = 1;
  bool winograd = false;               ///< permitted for all convolutions
  std::string device = "generic-cpu";  ///< profile by name or .json file
  std::string weights = "resident";    ///< resident or streamed
  std::string memoryBudget;            ///< "32MiB"; empty: no limit
  std::string budgetScope = "process"; ///< process or arena
  int64_t maxGroups = -1;              ///< grid groups; -1: any number
  std::string groups;                  ///< "8:5x5,16:2x2"; empty: searched for
  /// Weights that folding replaces are freed. No copy of the module that was
  /// made before may be used then, as a reproducer of a failure is.
  bool freeWeights = false;
};

/// Identities and dropouts removed; batch norms, residual sums and activations
/// folded into the convolutions before them, which are permitted what options
/// permit.
void populateFold(mlir::OpPassManager &manager, const PipelineOptions &options);
/// Groups and schedules decided.
void populateFuseAndTile(mlir::OpPassManager &manager,
                         const PipelineOptions &options);
/// From groups to a program with addresses.
void populatePlan(mlir::OpPassManager &manager, const PipelineOptions &options);
/// All of them: from an imported model to a program that can be exported.
void populateCompile(mlir::OpPassManager &manager,
                     const PipelineOptions &options);

/// Registers `snug-compile-pipeline` for opt-style tools.
void registerPipelines();

} // namespace snug

#endif // SNUG_PIPELINE_PIPELINE_H
