// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ONNX nodes make of shapes: the same for tensors that are computed and
// for those that are known at import. All read their node's attributes and
// constant inputs, and give nothing after a problem, which they report.
#ifndef SNUG_LIB_IMPORT_ONNX_SHAPERULES_H
#define SNUG_LIB_IMPORT_ONNX_SHAPERULES_H

#include "NodeReader.h"

#include <functional>
#include <numeric>

namespace snug::onnx_import {

/// "1x3x608x608"; "scalar" for no dimensions.
std::string formatShape(llvm::ArrayRef<int64_t> shape);
std::string formatNumber(double number); ///< "0.5"

/// Product of extents that are known to fit: those of a tensor that exists.
inline int64_t product(llvm::ArrayRef<int64_t> extents) {
  return std::accumulate(extents.begin(), extents.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

/// An axis of `rank`, counted from the end where negative, at most `last`.
std::optional<int64_t> normalizedAxis(NodeReader &node, int64_t axis,
                                      int64_t rank, int64_t last);
/// The attribute `axis`.
std::optional<int64_t> axisOf(NodeReader &node, int64_t defaultValue,
                              int64_t rank);
/// The same for several unlike ones, in ascending order.
std::optional<Shape> normalizedAxes(NodeReader &node,
                                    llvm::ArrayRef<int64_t> axes, int64_t rank);

/// What both broadcast to.
std::optional<Shape> broadcastShape(NodeReader &node,
                                    llvm::ArrayRef<int64_t> left,
                                    llvm::ArrayRef<int64_t> right);

// Reshape, Flatten, Squeeze and Unsqueeze: the result's shape.
std::optional<Shape> reshapedShape(NodeReader &node,
                                   llvm::ArrayRef<int64_t> source);
std::optional<Shape> flattenedShape(NodeReader &node,
                                    llvm::ArrayRef<int64_t> source);
std::optional<Shape> squeezedShape(NodeReader &node,
                                   llvm::ArrayRef<int64_t> source);
std::optional<Shape> unsqueezedShape(NodeReader &node,
                                     llvm::ArrayRef<int64_t> source);

/// Transpose: the axis of the input that is each axis of the result.
std::optional<Shape> permutationOf(NodeReader &node, int64_t rank);

/// Slice: which elements of each axis, begin, begin + step, ...
struct SliceRange {
  int64_t begin = 0, step = 1, extent = 0;
};
std::optional<llvm::SmallVector<SliceRange>>
sliceRanges(NodeReader &node, llvm::ArrayRef<int64_t> source);

/// Split: the axis and the extent of each part along it.
struct Parts {
  int64_t axis = 0;
  Shape extents;
};
std::optional<Parts> splitParts(NodeReader &node,
                                llvm::ArrayRef<int64_t> source);

/// Pad: elements before and behind each axis; negative ones crop.
struct Padding {
  std::string mode; ///< constant, reflect, edge or wrap
  Shape low, high;
  float value = 0.0f; ///< of float tensors
};
std::optional<Padding> paddingOf(NodeReader &node,
                                 llvm::ArrayRef<int64_t> source, bool isFloat);

/// Reductions: the axes, ascending; all of them where none are stated, none
/// where that is what `noop_with_empty_axes` says. `since`: the operator set
/// from which on they are an input.
struct Reduction {
  Shape axes;
  bool keepDims = true;
};
std::optional<Reduction> reductionOf(NodeReader &node, int64_t rank,
                                     int64_t since);
/// Shape of the result.
Shape reducedShape(llvm::ArrayRef<int64_t> source, const Reduction &reduction);
/// The operator set from which on a reduction's axes are an input.
int64_t reductionAxesSince(llvm::StringRef op);

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_SHAPERULES_H
