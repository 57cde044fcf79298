// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resize, Upsample, DepthToSpace and SpaceToDepth.
#include "GraphImporter.h"

#include <algorithm>
#include <cmath>
#include <tuple>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

/// How one axis of an image is resampled, in ONNX's words.
struct Axis {
  int64_t input = 1, output = 1;
  float scale = 1.0f;    ///< result over input, as ONNX Runtime has it
  bool isStated = false; ///< scale is the model's, not a quotient of extents
};

/// Where element `index` of the result lies in the input, in the arithmetic of
/// ONNX Runtime (core/providers/cpu/tensor/upsamplebase.h).
float placeOf(StringRef transformation, const Axis &axis, int64_t index) {
  const auto x = static_cast<float>(index);
  const auto input = static_cast<float>(axis.input),
             output = static_cast<float>(axis.output);
  if (transformation == "asymmetric")
    return x / axis.scale;
  if (transformation == "align_corners")
    return output == 1.0f ? 0.0f : x * (input - 1) / (output - 1);
  if (transformation == "pytorch_half_pixel")
    return output > 1.0f ? (x + 0.5f) / axis.scale - 0.5f : 0.0f;
  if (transformation == "tf_half_pixel_for_nn")
    return (x + 0.5f) / axis.scale;
  if (transformation == "half_pixel_symmetric") {
    const float adjustment = output / (axis.scale * input);
    const float offset = input / 2 * (1 - adjustment);
    return offset + (x + 0.5f) / axis.scale - 0.5f;
  }
  return (x + 0.5f) / axis.scale - 0.5f;
}

/// The same as scale * index + shift, in exact numbers.
std::pair<double, double> lineOf(StringRef transformation, const Axis &axis) {
  const double input = double(axis.input), output = double(axis.output);
  const double step = axis.isStated ? 1.0 / double(axis.scale) : input / output;
  if (transformation == "asymmetric")
    return {step, 0.0};
  if (transformation == "align_corners")
    return {output == 1 ? 0.0 : (input - 1) / (output - 1), 0.0};
  if (transformation == "pytorch_half_pixel" && axis.output == 1)
    return {0.0, 0.0};
  if (transformation == "tf_half_pixel_for_nn")
    return {step, 0.5 * step};
  double shift = 0.5 * step - 0.5;
  if (transformation == "half_pixel_symmetric")
    shift += input / 2 * (1 - output * step / input);
  return {step, shift};
}

/// Which element is the nearest. "simple" is what operator set 10 has: down
/// where the image grows, up where it shrinks.
template <typename T> T nearest(StringRef rounding, T place) {
  if (rounding == "floor")
    return std::floor(place);
  if (rounding == "ceil")
    return std::ceil(place);
  if (rounding == "round_prefer_floor")
    return place == std::floor(place) + T(0.5) ? std::floor(place)
                                               : std::round(place);
  return std::round(place); // round_prefer_ceil, for positive places
}

/// A line that gives the elements which ONNX Runtime's arithmetic gives: it
/// rounds to float, which counts where a place lies between two elements.
std::pair<double, double> nearestLineOf(StringRef transformation,
                                        StringRef rounding, const Axis &axis) {
  const auto [scale, shift] = lineOf(transformation, axis);
  auto clamped = [&](auto place) {
    return std::clamp<double>(double(place), 0.0, double(axis.input - 1));
  };
  auto agrees = [&](double a, double b) {
    for (int64_t index = 0; index < axis.output; ++index) {
      const double wanted = clamped(
          nearest<float>(rounding, placeOf(transformation, axis, index)));
      if (nearest<double>(rounding, clamped(a * double(index) + b)) != wanted)
        return false;
    }
    return true;
  };
  // No axis that is worth a search has more.
  constexpr int64_t kMaximumChecked = 1 << 16;
  if (axis.output > kMaximumChecked || agrees(scale, shift))
    return {scale, shift};
  for (double nudge : {1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3})
    for (double sign : {1.0, -1.0})
      if (agrees(scale, shift + sign * nudge))
        return {scale, shift + sign * nudge};
  return {scale, shift};
}

} // namespace

void GraphImporter::importUpsample(NodeReader &node) {
  if (node.opset() >= 10) {
    node.ignore("mode");
    node.ignore("scales");
    return node.unsupported("operator set 10 replaced it by Resize");
  }
  node.checkOperands(node.opset() < 9 ? 1 : 2, node.opset() < 9 ? 1 : 2);
  importResample(node, node.opset() < 9 ? -1 : 1, -1);
}

void GraphImporter::importResize(NodeReader &node) {
  const bool isFirst = node.opset() < 11;
  node.checkOperands(isFirst ? 2 : 1, isFirst ? 2 : 4);
  importResample(node, isFirst ? 1 : 2, isFirst ? -1 : 3);
}

/// `scalesInput`: -1 for the attribute.
void GraphImporter::importResample(NodeReader &node, int scalesInput,
                                   int sizesInput) {
  const bool isOld = node.opset() < 11;
  const std::string mode = node.text("mode", "nearest");
  std::string transformation =
      isOld ? "asymmetric"
            : node.text("coordinate_transformation_mode", "half_pixel");
  std::string rounding =
      isOld ? "simple" : node.text("nearest_mode", "round_prefer_floor");
  std::string policy = "stretch";
  bool antialias = false;
  std::optional<Shape> stated;
  if (!isOld) {
    // Of cubic interpolation and of cropping.
    for (const char *attribute :
         {"cubic_coeff_a", "exclude_outside", "extrapolation_value"})
      node.ignore(attribute);
  }
  if (node.opset() >= 18) {
    antialias = node.flag("antialias", false);
    policy = node.text("keep_aspect_ratio_policy", "stretch");
    stated = node.integers("axes");
  }
  static constexpr const char *transformations[] = {
      "half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",
      "align_corners", "asymmetric",           "tf_half_pixel_for_nn"};
  if (!llvm::is_contained(transformations, transformation))
    node.unsupported("attribute 'coordinate_transformation_mode' is '" +
                     transformation + "', which is not supported");
  if (mode != "nearest" && mode != "linear")
    node.unsupported("attribute 'mode' is '" + mode +
                     "'; only nearest and linear are supported");
  Value source = activation(node, 0);
  if (!source) {
    node.ignore("scales");
    return;
  }
  const auto rank = int64_t(shapeOf(source).size());
  const Shape shape(shapeOf(source));
  Shape axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    axes.push_back(axis);
  if (stated) {
    if (!normalizedAxes(node, *stated, rank))
      return;
    axes = *stated;
    for (int64_t &axis : axes)
      axis += axis < 0 ? rank : 0;
  }

  // What becomes of each axis.
  std::vector<Axis> all(rank);
  for (int64_t axis = 0; axis < rank; ++axis)
    all[axis].input = all[axis].output = shape[axis];
  std::optional<std::vector<float>> scales;
  if (scalesInput < 0)
    scales = node.reals("scales");
  else if (node.hasInput(scalesInput) &&
           !(scales = node.realsOf(scalesInput, "scales")))
    return;
  if (scales && scales->empty())
    scales.reset(); // left out
  std::optional<Shape> sizes;
  if (sizesInput >= 0 && node.hasInput(sizesInput)) {
    sizes = node.integersOf(sizesInput, "sizes");
    if (!sizes)
      return;
    if (sizes->empty())
      sizes.reset();
  }
  if (scales.has_value() == sizes.has_value()) {
    if (!node.failed())
      node.malformed("it has to have either scales or sizes");
    return;
  }
  if ((scales ? scales->size() : sizes->size()) != axes.size())
    return node.malformed(
        "it has " + Twine(scales ? scales->size() : sizes->size()) +
        (scales ? " scales" : " sizes") + ", expected " + Twine(axes.size()));
  float common = 0.0f;
  for (size_t index = 0; index < axes.size(); ++index) {
    Axis &axis = all[axes[index]];
    if (scales) {
      axis.scale = (*scales)[index];
      axis.isStated = true;
      const float extent = axis.scale * static_cast<float>(axis.input);
      if (!(axis.scale > 0.0f) || !(extent >= 1.0f) ||
          extent > float(kMaximumExtent / 2))
        return node.malformed("its scale " + formatNumber(double(axis.scale)) +
                              " does not fit an axis of " + Twine(axis.input));
      axis.output = static_cast<int64_t>(extent);
      continue;
    }
    axis.output = (*sizes)[index];
    if (axis.output < 1 || axis.output > kMaximumExtent)
      return node.malformed("its size " + Twine(axis.output) +
                            " is not positive");
    axis.scale =
        static_cast<float>(axis.output) / static_cast<float>(axis.input);
    common = index == 0               ? axis.scale
             : policy == "not_larger" ? std::min(common, axis.scale)
                                      : std::max(common, axis.scale);
  }
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
    return node.malformed("attribute 'keep_aspect_ratio_policy' is '" + policy +
                          "', expected stretch, not_larger or not_smaller");
  if (sizes && policy != "stretch")
    for (int64_t index : axes) {
      Axis &axis = all[index];
      axis.scale = common;
      axis.isStated = true;
      axis.output = static_cast<int64_t>(
          std::round(common * static_cast<float>(axis.input)));
      if (axis.output < 1)
        return node.malformed("nothing is left of axis " + Twine(index));
    }
  if (transformation != "tf_crop_and_resize" || sizes) {
    knownResult.emplace();
    for (const Axis &axis : all)
      knownResult->push_back(axis.output);
  }
  if (antialias && mode == "linear" &&
      llvm::any_of(all, [](const Axis &axis) { return axis.scale < 1.0f; }))
    node.unsupported("attribute 'antialias' is 1, which is not supported where "
                     "an image becomes smaller");
  Value input = image(node, 0);
  if (!input || node.failed())
    return;
  if (all[0].output != shape[0] || all[1].output != shape[1])
    return node.unsupported("it changes other axes than height and width");
  all.insert(all.begin() + 2, 4 - rank, Axis());
  Axis spatial[] = {all[2], all[3]};
  const bool isLinear = mode == "linear";
  // Operator set 10 rounds each axis its own way.
  std::string roundings[2] = {rounding, rounding};
  for (int axis : {0, 1}) {
    if (rounding == "simple")
      roundings[axis] = spatial[axis].scale < 1.0f ? "ceil" : "floor";
    if (!llvm::is_contained(
            {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"},
            roundings[axis]))
      return node.malformed("attribute 'nearest_mode' is '" + rounding +
                            "', which is not known");
  }
  auto resample = [&](Value image, const Axis &height, const Axis &width,
                      const std::string &rounded) {
    double scale[2], shift[2];
    for (int axis : {0, 1}) {
      const Axis &along = axis == 0 ? height : width;
      std::tie(scale[axis], shift[axis]) =
          isLinear ? lineOf(transformation, along)
                   : nearestLineOf(transformation, rounded, along);
    }
    const Shape extents{shape[0], shape[1], height.output, width.output};
    if (scale[0] == 1.0 && scale[1] == 1.0 && shift[0] == 0.0 &&
        shift[1] == 0.0 && shapeOf(image) == ArrayRef<int64_t>(extents))
      return identity(node, image);
    cnn::ResizeOp::Properties properties;
    properties.mode =
        cnn::ResizeModeAttr::get(&context, isLinear ? cnn::ResizeMode::Linear
                                                    : cnn::ResizeMode::Nearest);
    const auto kind = isLinear || rounded == "round_prefer_floor"
                          ? cnn::NearestRounding::RoundPreferFloor
                      : rounded == "round_prefer_ceil"
                          ? cnn::NearestRounding::RoundPreferCeil
                      : rounded == "floor" ? cnn::NearestRounding::Floor
                                           : cnn::NearestRounding::Ceil;
    properties.rounding = cnn::NearestRoundingAttr::get(&context, kind);
    properties.scale = builder.getDenseF64ArrayAttr(scale);
    properties.shift = builder.getDenseF64ArrayAttr(shift);
    return create<cnn::ResizeOp>(node, image, properties, tensorType(extents));
  };
  if (isLinear || roundings[0] == roundings[1])
    return setImageResult(
        node, resample(input, spatial[0], spatial[1], roundings[0]));
  // One axis after the other; the one at rest stays as it is either way.
  const Axis width{spatial[1].input, spatial[1].input, 1.0f, true};
  const Axis height{spatial[0].output, spatial[0].output, 1.0f, true};
  Value rows = resample(input, spatial[0], width, roundings[0]);
  setImageResult(node, rows ? resample(rows, height, spatial[1], roundings[1])
                            : rows);
}

//===----------------------------------------------------------------------===//
// Blocks of pixels
//===----------------------------------------------------------------------===//

void GraphImporter::importDepthToSpace(NodeReader &node) {
  node.checkOperands(1, 1);
  const int64_t block = node.integer("blocksize", 0);
  const std::string mode =
      node.opset() >= 11 ? node.text("mode", "DCR") : "DCR";
  if (mode != "DCR" && mode != "CRD")
    node.malformed("attribute 'mode' is '" + mode + "', expected DCR or CRD");
  if (block < 1 || block > kMaximumExtent)
    node.malformed("attribute 'blocksize' is " + Twine(block) +
                   ", expected at least 1");
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  cnn::DepthToSpaceOp::Properties properties;
  properties.block = builder.getI64IntegerAttr(block);
  properties.mode = cnn::DepthOrderAttr::get(
      &context, mode == "DCR" ? cnn::DepthOrder::DepthColumnRow
                              : cnn::DepthOrder::ColumnRowDepth);
  setResult(node, create<cnn::DepthToSpaceOp>(node, input, properties));
}

void GraphImporter::importSpaceToDepth(NodeReader &node) {
  node.checkOperands(1, 1);
  const int64_t block = node.integer("blocksize", 0);
  if (block < 1 || block > kMaximumExtent)
    node.malformed("attribute 'blocksize' is " + Twine(block) +
                   ", expected at least 1");
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  cnn::SpaceToDepthOp::Properties properties;
  properties.block = builder.getI64IntegerAttr(block);
  setResult(node, create<cnn::SpaceToDepthOp>(node, input, properties));
}

} // namespace snug::onnx_import
