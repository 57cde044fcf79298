// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The choice of layouts: the one place that says in which order of elements an
// op's kernel reads its operands and writes its result.
#ifndef SNUG_ANALYSIS_LAYOUTS_H
#define SNUG_ANALYSIS_LAYOUTS_H

#include "snug/Network/Network.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

namespace snug {

struct OpLayouts {
  llvm::SmallVector<network::Layout, 2> operands; ///< activations, in order
  network::Layout result = network::Layout::ChannelsLast;
  /// The op copies elements and computes nothing, in a way that expand() knows:
  /// a concat or a slice of channels, a crop, a reshape.
  bool copies = false;
};

/// What is known of an activation operand.
struct WrittenTensor {
  mlir::RankedTensorType type;
  network::Layout layout = network::Layout::ChannelsLast;
  bool isInput = false; ///< of the network
};

/// Layouts of `op` on these activations.
///
/// - Kernels of images (convolutions, poolings, resizes, ...) work on channels
///   last, and so do matrices [N, F], whose two orders are the same bytes.
/// - Tensors of other ranks are planar: rows of elements in ONNX order, whose
///   axes a kernel sees merged (MergedExtents.h).
/// - An op that can do either (elementwise, concat, slice, pad) follows its
///   first activation, so that no layout changes between two such ops. Network
///   inputs are planar because ONNX is; whoever reads them first turns images
///   around once, for all.
/// - A reshape is planar to planar: the same bytes. A transpose reads what lies
///   there and writes planar; that from NHWC to NCHW writes channels last,
///   which copies bytes as they are.
/// - Whatever needs another axis than channels in one piece (softmax, reduce,
///   matrix products of tensors) is planar.
OpLayouts chooseLayouts(mlir::Operation *op,
                        llvm::ArrayRef<WrittenTensor> activations);

} // namespace snug

#endif // SNUG_ANALYSIS_LAYOUTS_H
