// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds lib/Predict's view of a network that is trained; changes nothing.
#ifndef SNUG_ANALYSIS_TRAININGANALYSIS_H
#define SNUG_ANALYSIS_TRAININGANALYSIS_H

#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Predict/Training.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace snug {

/// A network as it is trained, and where its ops stand in the IR.
struct TrainingFromIR {
  predict::TrainingNetwork network;
  std::vector<mlir::Operation *> ops; ///< of network.ops[i]
};

/// The network of a function as it was imported: batch norms and activations
/// are ops of their own, an identity is none. The outermost axis of the inputs
/// is the batch. An activation is in place where PyTorch lets it be:
/// torchvision makes it so in all its networks.
///
/// Emits one error and fails where an op is unknown, the network was folded or
/// fused, or it has no batch axis that lasts from the inputs to the outputs.
mlir::FailureOr<TrainingFromIR>
buildTrainingNetwork(mlir::func::FuncOp function);

} // namespace snug

#endif // SNUG_ANALYSIS_TRAININGANALYSIS_H
