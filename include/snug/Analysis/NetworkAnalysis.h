// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds lib/Network's view of a function from IR; changes nothing.
#ifndef SNUG_ANALYSIS_NETWORKANALYSIS_H
#define SNUG_ANALYSIS_NETWORKANALYSIS_H

#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Network/Network.h"
#include "snug/Network/Schedule.h"
#include "snug/runtime/Catalogue.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

#include <string>
#include <vector>

namespace snug {

/// What kernels are chosen for: bytes and workspace depend on it.
struct TargetOptions {
  runtime::Target target = runtime::Target::Portable;
  int threads = 1;
};

/// Parses "host", "portable", "avx2", "avx512" and checks the thread count (1
/// to 256).
Result<TargetOptions> parseTargetOptions(const std::string &target,
                                         int64_t threads);

/// A network and where each of its parts stands in the IR.
struct NetworkFromIR {
  network::Network network;
  /// The groups that the IR already has (snug.fused_group).
  network::Partition partition;
  /// Of network.ops[i]; an op with several results stands there several times.
  std::vector<mlir::Operation *> ops;
  std::vector<mlir::Value> tensors;          ///< of network.tensors[i]
  llvm::DenseMap<mlir::Value, int> tensorOf; ///< group arguments included
};

/// The network of a function: its ops in order, the bodies of fused groups in
/// place. Packed-weight and workspace bytes come from the kernel catalogue.
/// Emits an error and fails where an op has no place in a network (naming it),
/// or the function returns an argument or one value twice.
mlir::FailureOr<NetworkFromIR> buildNetwork(mlir::func::FuncOp function,
                                            const TargetOptions &target);

/// The single function of a module, or an error.
mlir::FailureOr<mlir::func::FuncOp> findNetworkFunction(mlir::ModuleOp module);

/// The name that the model gives to an input or output, or "input0", "output0".
std::string inputName(mlir::func::FuncOp function, unsigned index);
std::string outputName(mlir::func::FuncOp function, unsigned index);

/// Window of a convolution on its full tensors, as the catalogue takes it.
runtime::WindowShape windowShape(cnn::Conv2DOp op);
runtime::WindowShape windowShape(cnn::ConvTranspose2DOp op);
/// A batch norm that runs on its own: a depthwise 1x1 convolution.
runtime::WindowShape windowShape(cnn::BatchNormOp op);

/// The kernel of a convolution on views of these extents: Winograd's where the
/// op allows it and the catalogue expects it to pay.
runtime::KernelKind kernelOf(cnn::Conv2DOp op, const network::StepShape &step,
                             const TargetOptions &target);

} // namespace snug

#endif // SNUG_ANALYSIS_NETWORKANALYSIS_H
