// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shapes and axes of ONNX nodes (onnx/defs has the rules of each operator set).
#include "ShapeRules.h"

#include "snug/Network/Geometry.h"
#include "snug/Network/Network.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {

std::string formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(
      llvm::map_range(shape,
                      [](int64_t extent) { return std::to_string(extent); }),
      "x");
}

std::string formatNumber(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

std::optional<int64_t> normalizedAxis(NodeReader &node, int64_t axis,
                                      int64_t rank, int64_t last) {
  if (axis >= -rank && axis <= last)
    return axis < 0 ? axis + rank : axis;
  node.malformed("attribute 'axis' is " + Twine(axis) + ", expected " +
                 Twine(-rank) + " to " + Twine(last));
  return std::nullopt;
}

std::optional<int64_t> axisOf(NodeReader &node, int64_t defaultValue,
                              int64_t rank) {
  return normalizedAxis(node, node.integer("axis", defaultValue), rank,
                        rank - 1);
}

std::optional<Shape> normalizedAxes(NodeReader &node, ArrayRef<int64_t> axes,
                                    int64_t rank) {
  Shape result;
  for (int64_t axis : axes) {
    if (axis < -rank || axis >= rank) {
      node.malformed("axis " + Twine(axis) + " is not in " + Twine(-rank) +
                     " to " + Twine(rank - 1));
      return std::nullopt;
    }
    result.push_back(axis < 0 ? axis + rank : axis);
  }
  llvm::sort(result);
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    node.malformed("its axes " + formatShape(axes) + " name one axis twice");
    return std::nullopt;
  }
  return result;
}

std::optional<Shape> broadcastShape(NodeReader &node, ArrayRef<int64_t> left,
                                    ArrayRef<int64_t> right) {
  Shape result(std::max(left.size(), right.size()));
  for (size_t distance = 1; distance <= result.size(); ++distance) {
    const int64_t a =
        distance <= left.size() ? left[left.size() - distance] : 1;
    const int64_t b =
        distance <= right.size() ? right[right.size() - distance] : 1;
    if (a != b && a != 1 && b != 1) {
      node.malformed("its inputs of " + formatShape(left) + " and " +
                     formatShape(right) + " do not broadcast to each other");
      return std::nullopt;
    }
    result[result.size() - distance] = a == 1 ? b : a;
  }
  return result;
}

std::optional<Shape> reshapedShape(NodeReader &node, ArrayRef<int64_t> source) {
  const bool allowZero = node.opset() >= 14 && node.flag("allowzero", false);
  std::optional<Shape> wanted = node.integersOf(1, "shape");
  if (!wanted)
    return std::nullopt;
  const int64_t elements = product(source);
  const auto doesNotFit = [&] {
    node.malformed("it reshapes " + formatShape(source) + " to " +
                   formatShape(*wanted) + ", which does not fit");
    return std::nullopt;
  };
  Shape shape;
  int64_t known = 1;
  std::optional<size_t> open;
  for (auto [index, extent] : llvm::enumerate(*wanted)) {
    int64_t value = extent;
    if (extent == 0 && !allowZero) {
      if (index >= source.size())
        return doesNotFit();
      value = source[index];
    }
    if (value < -1 || (value == -1 && open))
      return doesNotFit();
    shape.push_back(value);
    if (value == -1) {
      open = index;
      continue;
    }
    std::optional<int64_t> next = network::checkedMultiply(known, value);
    if (!next)
      return doesNotFit();
    known = *next;
  }
  if (open ? known == 0 || elements % known != 0 : elements != known)
    return doesNotFit();
  if (open)
    shape[*open] = elements / known;
  return shape;
}

std::optional<Shape> flattenedShape(NodeReader &node,
                                    ArrayRef<int64_t> source) {
  const int64_t rank = int64_t(source.size());
  std::optional<int64_t> axis =
      normalizedAxis(node, node.integer("axis", 1), rank, rank);
  if (!axis)
    return std::nullopt;
  return Shape{product(source.take_front(*axis)),
               product(source.drop_front(*axis))};
}

std::optional<Shape> squeezedShape(NodeReader &node, ArrayRef<int64_t> source) {
  std::optional<Shape> stated;
  if (!node.listOf("axes", 1, 13, stated))
    return std::nullopt;
  Shape axes;
  if (stated) {
    std::optional<Shape> normal =
        normalizedAxes(node, *stated, int64_t(source.size()));
    if (!normal)
      return std::nullopt;
    axes = *normal;
  }
  Shape result;
  for (auto [axis, extent] : llvm::enumerate(source)) {
    const bool isNamed = llvm::is_contained(axes, int64_t(axis));
    if (isNamed && extent != 1) {
      node.malformed("it squeezes axis " + Twine(axis) + " of " +
                     formatShape(source) + ", which is not 1");
      return std::nullopt;
    }
    if (stated ? !isNamed : extent != 1)
      result.push_back(extent);
  }
  return result;
}

std::optional<Shape> unsqueezedShape(NodeReader &node,
                                     ArrayRef<int64_t> source) {
  std::optional<Shape> stated;
  if (!node.listOf("axes", 1, 13, stated))
    return std::nullopt;
  if (!stated) {
    if (!node.failed())
      node.malformed("its axes are missing");
    return std::nullopt;
  }
  const size_t rank = source.size() + stated->size();
  std::optional<Shape> axes = normalizedAxes(node, *stated, int64_t(rank));
  if (!axes)
    return std::nullopt;
  Shape result;
  for (size_t axis = 0; axis < rank; ++axis) {
    const bool isNew = llvm::is_contained(*axes, int64_t(axis));
    result.push_back(isNew ? 1 : source.front());
    if (!isNew)
      source = source.drop_front();
  }
  return result;
}

std::optional<Shape> permutationOf(NodeReader &node, int64_t rank) {
  std::optional<Shape> stated = node.integers("perm");
  if (node.failed())
    return std::nullopt;
  Shape permutation;
  for (int64_t axis = 0; axis < rank; ++axis)
    permutation.push_back(stated ? axis : rank - 1 - axis);
  if (!stated)
    return permutation;
  Shape sorted = *stated;
  llvm::sort(sorted);
  if (sorted != permutation) {
    node.malformed("attribute 'perm' is " + formatShape(*stated) +
                   ", expected a permutation of " + Twine(rank) + " axes");
    return std::nullopt;
  }
  return stated;
}

std::optional<llvm::SmallVector<SliceRange>>
sliceRanges(NodeReader &node, ArrayRef<int64_t> source) {
  std::optional<Shape> starts, ends, axes, steps;
  if (node.opset() < 10) {
    starts = node.integers("starts");
    ends = node.integers("ends");
    axes = node.integers("axes");
  } else {
    starts = node.integersOf(1, "starts");
    ends = node.integersOf(2, "ends");
    if (node.hasInput(3) && !(axes = node.integersOf(3, "axes")))
      return std::nullopt;
    if (node.hasInput(4) && !(steps = node.integersOf(4, "steps")))
      return std::nullopt;
  }
  if (node.failed())
    return std::nullopt;
  if (!starts || !ends) {
    if (node.opset() < 10)
      node.malformed("attribute '" + Twine(starts ? "ends" : "starts") +
                     "' is missing");
    return std::nullopt;
  }
  const size_t count = starts->size();
  if (ends->size() != count || (axes && axes->size() != count) ||
      (steps && steps->size() != count) || (!axes && count > source.size())) {
    node.malformed("its starts, ends, axes and steps do not have as many "
                   "elements as each other");
    return std::nullopt;
  }
  llvm::SmallVector<SliceRange> ranges;
  for (int64_t extent : source)
    ranges.push_back({0, 1, extent});
  std::vector<bool> isSliced(source.size(), false);
  const int64_t rank = int64_t(source.size());
  for (size_t index = 0; index < count; ++index) {
    int64_t axis = axes ? (*axes)[index] : int64_t(index);
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank || isSliced[axis]) {
      node.malformed("its axes " + formatShape(*axes) +
                     " are not axes of its input of " + formatShape(source));
      return std::nullopt;
    }
    isSliced[axis] = true;
    const int64_t step = steps ? (*steps)[index] : 1;
    if (step == 0 || step < -kMaximumExtent) {
      node.malformed("it has a step of " + Twine(step));
      return std::nullopt;
    }
    const int64_t extent = source[axis];
    auto clamped = [&](int64_t position, int64_t lowest, int64_t highest) {
      return std::clamp(position < 0 ? position + extent : position, lowest,
                        highest);
    };
    SliceRange &range = ranges[axis];
    range.step = step;
    if (step > 0) {
      range.begin = clamped((*starts)[index], 0, extent);
      const int64_t length = clamped((*ends)[index], 0, extent) - range.begin;
      range.extent = length <= 0 ? 0 : (length - 1) / step + 1;
    } else {
      range.begin = clamped((*starts)[index], std::min<int64_t>(0, extent - 1),
                            extent - 1);
      const int64_t length =
          range.begin - clamped((*ends)[index], -1, extent - 1);
      range.extent = length <= 0 ? 0 : (length - 1) / -step + 1;
    }
  }
  return ranges;
}

std::optional<Parts> splitParts(NodeReader &node, ArrayRef<int64_t> source) {
  Parts parts;
  std::optional<int64_t> axis = axisOf(node, 0, int64_t(source.size()));
  std::optional<Shape> stated;
  if (!node.listOf("split", 1, 13, stated) || !axis)
    return std::nullopt;
  parts.axis = *axis;
  const int64_t extent = source[*axis],
                outputs = std::max(node.node().output_size(), 1);
  const int64_t wanted =
      node.opset() >= 18 ? node.integer("num_outputs", outputs) : outputs;
  if (wanted != outputs) {
    node.malformed("attribute 'num_outputs' is " + Twine(wanted) +
                   ", but it "
                   "has " +
                   Twine(outputs) + " outputs");
    return std::nullopt;
  }
  if (stated) {
    parts.extents = *stated;
  } else {
    // The last part may be smaller.
    const int64_t part = (extent + outputs - 1) / outputs;
    for (int64_t index = 0; index < outputs; ++index)
      parts.extents.push_back(
          std::clamp<int64_t>(extent - index * part, 0, part));
  }
  int64_t rest = extent;
  for (int64_t part : parts.extents)
    rest = part < 0 || part > rest ? -1 : rest - part;
  if (rest != 0 || int64_t(parts.extents.size()) != outputs) {
    node.malformed("its parts of " + formatShape(parts.extents) +
                   " are not the " + Twine(extent) + " elements of axis " +
                   Twine(*axis) + " in " + Twine(outputs) + " outputs");
    return std::nullopt;
  }
  return parts;
}

std::optional<Padding> paddingOf(NodeReader &node, ArrayRef<int64_t> source,
                                 bool isFloat) {
  Padding padding;
  padding.mode = node.text("mode", "constant");
  const int64_t rank = int64_t(source.size());
  std::optional<Shape> pads, axes;
  if (node.opset() < 11) {
    pads = node.integers("pads");
    padding.value = node.real("value", 0.0f);
    if (!pads && !node.failed())
      node.malformed("attribute 'pads' is missing");
  } else {
    pads = node.integersOf(1, "pads");
    if (node.hasInput(2) && isFloat && padding.mode == "constant") {
      std::optional<float> value = node.realOf(2, "constant value");
      if (!value)
        return std::nullopt;
      padding.value = *value;
    }
    if (node.opset() >= 18 && node.hasInput(3)) {
      axes = node.integersOf(3, "axes");
      if (!axes)
        return std::nullopt;
    }
  }
  if (padding.mode != "constant" && padding.mode != "reflect" &&
      padding.mode != "edge" && padding.mode != "wrap")
    node.malformed("attribute 'mode' is '" + padding.mode +
                   "', expected constant, reflect, edge or wrap");
  if (!pads || node.failed())
    return std::nullopt;
  if (!axes) {
    axes.emplace();
    for (int64_t axis = 0; axis < rank; ++axis)
      axes->push_back(axis);
  }
  if (!normalizedAxes(node, *axes, rank))
    return std::nullopt;
  if (pads->size() != 2 * axes->size()) {
    node.malformed("it has " + Twine(pads->size()) + " pads, expected " +
                   Twine(2 * axes->size()));
    return std::nullopt;
  }
  padding.low.assign(rank, 0);
  padding.high.assign(rank, 0);
  for (size_t index = 0; index < axes->size(); ++index) {
    const int64_t axis = (*axes)[index] + ((*axes)[index] < 0 ? rank : 0);
    padding.low[axis] = (*pads)[index];
    padding.high[axis] = (*pads)[index + axes->size()];
  }
  for (int64_t axis = 0; axis < rank; ++axis) {
    const int64_t low = padding.low[axis], high = padding.high[axis];
    const int64_t extent = source[axis];
    if (low < -kMaximumExtent || low > kMaximumExtent ||
        high < -kMaximumExtent || high > kMaximumExtent ||
        extent > kMaximumExtent ||
        extent + std::min<int64_t>(low, 0) + std::min<int64_t>(high, 0) < 1 ||
        extent + low + high < 1) {
      node.malformed("its pads of " + Twine(low) + " and " + Twine(high) +
                     " do not fit axis " + Twine(axis) + " of " +
                     formatShape(source));
      return std::nullopt;
    }
  }
  return padding;
}

int64_t reductionAxesSince(StringRef op) { return op == "ReduceSum" ? 13 : 18; }

std::optional<Reduction> reductionOf(NodeReader &node, int64_t rank,
                                     int64_t since) {
  Reduction reduction;
  reduction.keepDims = node.flag("keepdims", true);
  const bool isNoop =
      node.opset() >= since && node.flag("noop_with_empty_axes", false);
  std::optional<Shape> stated;
  if (!node.listOf("axes", 1, since, stated) || node.failed())
    return std::nullopt;
  if (stated && !stated->empty()) {
    std::optional<Shape> axes = normalizedAxes(node, *stated, rank);
    if (!axes)
      return std::nullopt;
    reduction.axes = *axes;
  } else if (!isNoop) {
    for (int64_t axis = 0; axis < rank; ++axis)
      reduction.axes.push_back(axis);
  }
  return reduction;
}

Shape reducedShape(ArrayRef<int64_t> source, const Reduction &reduction) {
  Shape result;
  for (auto [axis, extent] : llvm::enumerate(source))
    if (!llvm::is_contained(reduction.axes, int64_t(axis)))
      result.push_back(extent);
    else if (reduction.keepDims)
      result.push_back(1);
  return result;
}

} // namespace snug::onnx_import
