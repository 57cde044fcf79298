// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of constant nodes: which there are, and those that only move
// elements.
#include "ConstantEvaluation.h"

#include "llvm/ADT/StringMap.h"

#include <algorithm>
#include <cstring>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {

static constexpr int64_t kFill = -1;

ConstantEvaluator::Function ConstantEvaluator::functionOf(StringRef op) {
  using Self = ConstantEvaluator;
  static const llvm::StringMap<Function> functions = {
      {"Abs", &Self::unary},
      {"Add", &Self::arithmetic},
      {"And", &Self::logic},
      {"Cast", &Self::cast},
      {"CastLike", &Self::castLike},
      {"Ceil", &Self::unary},
      {"Concat", &Self::concat},
      {"ConstantOfShape", &Self::constantOfShape},
      {"DequantizeLinear", &Self::dequantize},
      {"Div", &Self::arithmetic},
      {"Equal", &Self::compare},
      {"Exp", &Self::unary},
      {"Expand", &Self::expand},
      {"Flatten", &Self::flatten},
      {"Floor", &Self::unary},
      {"Gather", &Self::gather},
      {"GatherElements", &Self::gatherElements},
      {"Greater", &Self::compare},
      {"GreaterOrEqual", &Self::compare},
      {"Identity", &Self::identity},
      {"Less", &Self::compare},
      {"LessOrEqual", &Self::compare},
      {"Log", &Self::unary},
      {"Max", &Self::arithmetic},
      {"Min", &Self::arithmetic},
      {"Mod", &Self::arithmetic},
      {"Mul", &Self::arithmetic},
      {"Neg", &Self::unary},
      {"Not", &Self::negate},
      {"Or", &Self::logic},
      {"Pad", &Self::pad},
      {"Pow", &Self::power},
      {"QuantizeLinear", &Self::quantize},
      {"Range", &Self::range},
      {"Reciprocal", &Self::unary},
      {"ReduceMax", &Self::reduce},
      {"ReduceMean", &Self::reduce},
      {"ReduceMin", &Self::reduce},
      {"ReduceProd", &Self::reduce},
      {"ReduceSum", &Self::reduce},
      {"Relu", &Self::unary},
      {"Reshape", &Self::reshape},
      {"Round", &Self::unary},
      {"Sigmoid", &Self::unary},
      {"Slice", &Self::slice},
      {"Softplus", &Self::unary},
      {"Split", &Self::split},
      {"Sqrt", &Self::unary},
      {"Squeeze", &Self::squeeze},
      {"Sub", &Self::arithmetic},
      {"Sum", &Self::arithmetic},
      {"Tanh", &Self::unary},
      {"Tile", &Self::tile},
      {"Transpose", &Self::transpose},
      {"Unsqueeze", &Self::unsqueeze},
      {"Where", &Self::where},
      {"Xor", &Self::logic},
  };
  auto found = functions.find(op);
  return found == functions.end() ? nullptr : found->second;
}

bool ConstantEvaluator::knows(StringRef op) {
  return functionOf(op) != nullptr;
}

std::optional<std::vector<ConstantTensor>> ConstantEvaluator::evaluate() {
  (this->*functionOf(node.node().op_type()))();
  // What is not known of an input was reported where it is made.
  if (node.failed() || results.empty())
    return std::nullopt;
  node.finish();
  if (node.failed())
    return std::nullopt;
  return std::move(results);
}

void ConstantEvaluator::give(ConstantTensor tensor) {
  results.push_back(std::move(tensor));
}

bool ConstantEvaluator::fits(ElementType type, ArrayRef<int64_t> shape) {
  return node.countMadeBytes(shape, elementSize(type));
}

//===----------------------------------------------------------------------===//
// The same elements
//===----------------------------------------------------------------------===//

void ConstantEvaluator::identity() {
  node.checkOperands(1, 1);
  if (const ConstantTensor *source = input())
    give(*source);
}

void ConstantEvaluator::reshape() {
  node.checkOperands(2, 2);
  if (const ConstantTensor *source = input())
    if (std::optional<Shape> shape = reshapedShape(node, source->shape))
      give(source->withShape(*shape));
}

void ConstantEvaluator::flatten() {
  node.checkOperands(1, 1);
  if (const ConstantTensor *source = input())
    if (std::optional<Shape> shape = flattenedShape(node, source->shape))
      give(source->withShape(*shape));
}

void ConstantEvaluator::squeeze() {
  node.checkOperands(1, 2);
  if (const ConstantTensor *source = input())
    if (std::optional<Shape> shape = squeezedShape(node, source->shape))
      give(source->withShape(*shape));
}

void ConstantEvaluator::unsqueeze() {
  node.checkOperands(1, 2);
  if (const ConstantTensor *source = input())
    if (std::optional<Shape> shape = unsqueezedShape(node, source->shape))
      give(source->withShape(*shape));
}

//===----------------------------------------------------------------------===//
// Elements in another order
//===----------------------------------------------------------------------===//

Shape ConstantEvaluator::stridesOf(const ConstantTensor &tensor) {
  Shape strides(tensor.shape.size());
  int64_t stride = elementSize(tensor.type);
  for (size_t axis = strides.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= tensor.shape[axis];
  }
  return strides;
}

ConstantEvaluator::AxisPlaces ConstantEvaluator::places(int64_t begin,
                                                        int64_t step,
                                                        int64_t extent,
                                                        int64_t stride) {
  AxisPlaces result(extent);
  for (int64_t index = 0; index < extent; ++index)
    result[index] = (begin + index * step) * stride;
  return result;
}

std::optional<ConstantTensor>
ConstantEvaluator::rearranged(const ConstantTensor &source,
                              ArrayRef<int64_t> shape,
                              ArrayRef<AxisPlaces> places, StringRef fill) {
  const int64_t size = elementSize(source.type);
  ConstantTensor result = ConstantTensor::zeros(source.type, shape);
  if (result.count() == 0)
    return result;
  char *to = result.storage->data();
  const char *from = source.bytes.data();
  if (shape.empty()) {
    std::memcpy(to, from, size);
    return result;
  }
  // All of the last axis at once where its elements are neighbours.
  const AxisPlaces &last = places.back();
  bool isRun = last.front() != kFill;
  for (size_t index = 1; index < last.size() && isRun; ++index)
    isRun = last[index] != kFill && last[index] == last[index - 1] + size;
  std::vector<size_t> indices(shape.size() - 1, 0);
  while (true) {
    int64_t base = 0;
    bool isFilled = false;
    for (size_t axis = 0; axis < indices.size(); ++axis) {
      const int64_t place = places[axis][indices[axis]];
      isFilled |= place == kFill;
      base += place;
    }
    if (isRun && !isFilled) {
      std::memcpy(to, from + base + last.front(), last.size() * size);
      to += int64_t(last.size()) * size;
    } else {
      for (int64_t place : last) {
        const bool isOutside = isFilled || place == kFill;
        if (!isOutside)
          std::memcpy(to, from + base + place, size);
        else if (!fill.empty())
          std::memcpy(to, fill.data(), size);
        to += size;
      }
    }
    size_t axis = indices.size();
    while (axis > 0 && ++indices[axis - 1] == size_t(shape[axis - 1]))
      indices[--axis] = 0;
    if (axis == 0)
      return result;
  }
}

void ConstantEvaluator::transpose() {
  node.checkOperands(1, 1);
  const ConstantTensor *source = input();
  if (!source)
    return;
  std::optional<Shape> permutation =
      permutationOf(node, int64_t(source->shape.size()));
  if (!permutation || !fits(source->type, source->shape))
    return;
  const Shape strides = stridesOf(*source);
  Shape shape;
  std::vector<AxisPlaces> axes;
  for (int64_t axis : *permutation) {
    shape.push_back(source->shape[axis]);
    axes.push_back(places(0, 1, source->shape[axis], strides[axis]));
  }
  give(*rearranged(*source, shape, axes));
}

void ConstantEvaluator::slice() {
  const bool byInputs = node.opset() >= 10;
  node.checkOperands(byInputs ? 3 : 1, byInputs ? 5 : 1);
  const ConstantTensor *source = input();
  if (!source)
    return;
  auto ranges = sliceRanges(node, source->shape);
  if (!ranges || !fits(source->type, source->shape))
    return;
  const Shape strides = stridesOf(*source);
  Shape shape;
  std::vector<AxisPlaces> axes;
  for (auto [range, stride] : llvm::zip(*ranges, strides)) {
    shape.push_back(range.extent);
    axes.push_back(places(range.begin, range.step, range.extent, stride));
  }
  give(*rearranged(*source, shape, axes));
}

void ConstantEvaluator::split() {
  node.checkOperands(1, node.opset() >= 13 ? 2 : 1, node.node().output_size());
  const ConstantTensor *source = input();
  if (!source)
    return;
  std::optional<Parts> parts = splitParts(node, source->shape);
  if (!parts || !fits(source->type, source->shape))
    return;
  const Shape strides = stridesOf(*source);
  int64_t begin = 0;
  for (int64_t extent : parts->extents) {
    Shape shape = source->shape;
    shape[parts->axis] = extent;
    std::vector<AxisPlaces> axes;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      axes.push_back(places(int64_t(axis) == parts->axis ? begin : 0, 1,
                            shape[axis], strides[axis]));
    give(*rearranged(*source, shape, axes));
    begin += extent;
  }
}

void ConstantEvaluator::concat() {
  const int count = node.inputCount();
  node.checkOperands(1, std::max(count, 1));
  std::vector<const ConstantTensor *> sources;
  for (int index = 0; index < count; ++index)
    sources.push_back(input(index));
  if (node.failed() || llvm::is_contained(sources, nullptr))
    return;
  Shape shape = sources[0]->shape;
  if (!node.find("axis"))
    return node.malformed("attribute 'axis' is missing");
  std::optional<int64_t> axis = axisOf(node, 0, int64_t(shape.size()));
  if (!axis)
    return;
  for (const ConstantTensor *source : llvm::drop_begin(sources)) {
    Shape other = source->shape;
    if (other.size() == shape.size())
      other[*axis] = shape[*axis];
    if (source->type != sources[0]->type || other != shape)
      return node.malformed("it joins " + formatShape(shape) + " and " +
                            formatShape(source->shape) + " of " +
                            elementTypeName(sources[0]->type) + " and " +
                            elementTypeName(source->type));
    // Neither exceeds what is in memory.
    shape[*axis] += source->shape[*axis];
  }
  if (!fits(sources[0]->type, shape))
    return;
  ConstantTensor result = ConstantTensor::zeros(sources[0]->type, shape);
  const int64_t outer = product(ArrayRef<int64_t>(shape).take_front(*axis));
  char *to = result.storage->data();
  for (int64_t row = 0; row < outer; ++row)
    for (const ConstantTensor *source : sources) {
      const size_t length = source->bytes.size() / outer;
      if (length == 0)
        continue;
      std::memcpy(to, source->bytes.data() + row * length, length);
      to += length;
    }
  give(std::move(result));
}

void ConstantEvaluator::gather() {
  node.checkOperands(2, 2);
  const ConstantTensor *source = input(0);
  const ConstantTensor *wanted = node.tensor(1, "indices");
  if (!source || !wanted)
    return;
  std::optional<int64_t> axis = axisOf(node, 0, int64_t(source->shape.size()));
  if (!axis)
    return;
  if (!isInteger(wanted->type))
    return node.malformed("its indices are " + elementTypeName(wanted->type));
  // The indices count as one axis while elements are moved.
  const Shape strides = stridesOf(*source);
  Shape shape(source->shape), result;
  std::vector<AxisPlaces> axes;
  for (size_t each = 0; each < shape.size(); ++each) {
    axes.push_back(places(0, 1, shape[each], strides[each]));
    if (int64_t(each) == *axis)
      result.append(wanted->shape);
    else
      result.push_back(shape[each]);
  }
  AxisPlaces &chosen = axes[*axis];
  chosen.clear();
  const int64_t extent = shape[*axis];
  for (int64_t index : wanted->elements<int64_t>()) {
    if (index < -extent || index >= extent)
      return node.malformed("it reads element " + Twine(index) + " of axis " +
                            Twine(*axis) + " of " + formatShape(shape));
    chosen.push_back((index < 0 ? index + extent : index) * strides[*axis]);
  }
  shape[*axis] = int64_t(chosen.size());
  if (fits(source->type, shape))
    give(rearranged(*source, shape, axes)->withShape(result));
}

void ConstantEvaluator::gatherElements() {
  node.checkOperands(2, 2);
  const ConstantTensor *source = input(0);
  const ConstantTensor *wanted = node.tensor(1, "indices");
  if (!source || !wanted)
    return;
  const Shape &shape = wanted->shape;
  std::optional<int64_t> axis = axisOf(node, 0, int64_t(source->shape.size()));
  if (!axis)
    return;
  bool agrees = isInteger(wanted->type) && shape.size() == source->shape.size();
  for (size_t each = 0; agrees && each < shape.size(); ++each)
    agrees = int64_t(each) == *axis || shape[each] <= source->shape[each];
  if (!agrees)
    return node.malformed("its indices of " + formatShape(shape) +
                          " do not fit its input of " +
                          formatShape(source->shape));
  if (!fits(source->type, shape))
    return;
  ConstantTensor result = ConstantTensor::zeros(source->type, shape);
  const Shape strides = stridesOf(*source);
  const int64_t size = elementSize(source->type), extent = source->shape[*axis];
  Shape place(shape.size(), 0);
  char *to = result.storage->data();
  for (int64_t index : wanted->elements<int64_t>()) {
    if (index < -extent || index >= extent)
      return node.malformed("it reads element " + Twine(index) + " of axis " +
                            Twine(*axis) + " of " + formatShape(source->shape));
    int64_t from = 0;
    for (size_t each = 0; each < shape.size(); ++each)
      from += strides[each] * (int64_t(each) != *axis ? place[each]
                               : index < 0            ? index + extent
                                                      : index);
    std::memcpy(to, source->bytes.data() + from, size);
    to += size;
    for (size_t each = shape.size(); each-- > 0;) {
      if (++place[each] < shape[each])
        break;
      place[each] = 0;
    }
  }
  give(std::move(result));
}

void ConstantEvaluator::expand() {
  node.checkOperands(2, 2);
  const ConstantTensor *source = input();
  std::optional<Shape> wanted = node.integersOf(1, "shape");
  if (!source || !wanted)
    return;
  std::optional<Shape> shape = broadcastShape(node, source->shape, *wanted);
  if (!shape || !fits(source->type, *shape))
    return;
  const Shape strides = stridesOf(*source);
  std::vector<AxisPlaces> axes;
  const size_t added = shape->size() - strides.size();
  for (size_t axis = 0; axis < shape->size(); ++axis) {
    const bool isRepeated = axis < added || source->shape[axis - added] == 1;
    axes.push_back(places(0, isRepeated ? 0 : 1, (*shape)[axis],
                          isRepeated ? 0 : strides[axis - added]));
  }
  give(*rearranged(*source, *shape, axes));
}

void ConstantEvaluator::tile() {
  node.checkOperands(2, 2);
  const ConstantTensor *source = input();
  std::optional<Shape> repeats = node.integersOf(1, "repeats");
  if (!source || !repeats)
    return;
  if (repeats->size() != source->shape.size() ||
      llvm::any_of(*repeats, [](int64_t times) {
        return times < 0 || times > kMaximumExtent;
      }))
    return node.malformed("its repeats " + formatShape(*repeats) +
                          " do not fit its input of " +
                          formatShape(source->shape));
  Shape shape;
  for (auto [extent, times] : llvm::zip(source->shape, *repeats)) {
    if (extent > kMaximumExtent)
      return node.malformed("it repeats " + formatShape(source->shape));
    shape.push_back(extent * times);
  }
  if (!fits(source->type, shape))
    return;
  const Shape strides = stridesOf(*source);
  std::vector<AxisPlaces> axes;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    AxisPlaces once = places(0, 1, source->shape[axis], strides[axis]), all;
    for (int64_t time = 0; time < (*repeats)[axis]; ++time)
      all.insert(all.end(), once.begin(), once.end());
    axes.push_back(std::move(all));
  }
  give(*rearranged(*source, shape, axes));
}

void ConstantEvaluator::pad() {
  node.checkOperands(node.opset() < 11 ? 1 : 2, node.opset() < 11   ? 1
                                                : node.opset() < 18 ? 3
                                                                    : 4);
  const ConstantTensor *source = input();
  if (!source)
    return;
  std::optional<Padding> padding =
      paddingOf(node, source->shape, source->type == onnx::TensorProto::FLOAT);
  if (!padding)
    return;
  std::string fill;
  if (node.opset() >= 11 && node.hasInput(2)) {
    const ConstantTensor *value = node.tensor(2, "constant value");
    if (!value)
      return;
    if (value->type != source->type || value->count() != 1)
      return node.malformed("its constant value is not one element of its "
                            "input's type");
    fill = value->bytes.str();
  } else if (padding->value != 0.0f &&
             source->type == onnx::TensorProto::FLOAT) {
    fill.assign(reinterpret_cast<const char *>(&padding->value), sizeof(float));
  }
  const Shape strides = stridesOf(*source);
  Shape shape;
  for (size_t axis = 0; axis < strides.size(); ++axis)
    shape.push_back(padding->low[axis] + source->shape[axis] +
                    padding->high[axis]);
  if (!fits(source->type, shape))
    return;
  std::vector<AxisPlaces> axes;
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    const int64_t extent = source->shape[axis];
    AxisPlaces &read = axes.emplace_back();
    for (int64_t index = 0; index < shape[axis]; ++index) {
      int64_t from = index - padding->low[axis];
      if (from < 0 || from >= extent) {
        const int64_t period = 2 * (extent - 1);
        if (padding->mode == "edge")
          from = from < 0 ? 0 : extent - 1;
        else if (padding->mode == "wrap")
          from = (from % extent + extent) % extent;
        else if (padding->mode == "reflect" && period > 0)
          from = extent - 1 -
                 std::abs(extent - 1 - (from % period + period) % period);
        else
          from = padding->mode == "reflect" ? 0 : kFill;
      }
      read.push_back(from == kFill ? kFill : from * strides[axis]);
    }
  }
  give(*rearranged(*source, shape, axes, fill));
}

void ConstantEvaluator::constantOfShape() {
  node.checkOperands(1, 1);
  std::optional<Shape> shape = node.integersOf(0, "shape");
  std::optional<ConstantTensor> value = node.tensorAttribute("value");
  if (!shape || node.failed())
    return;
  const float zero = 0.0f;
  const ConstantTensor number =
      value ? *value
            : ConstantTensor::of<float>(onnx::TensorProto::FLOAT, {1}, zero);
  if (number.count() != 1)
    return node.malformed("attribute 'value' holds " + Twine(number.count()) +
                          " elements, expected one");
  for (int64_t extent : *shape)
    if (extent < 0)
      return node.malformed("its shape is " + formatShape(*shape));
  if (!fits(number.type, *shape))
    return;
  std::vector<AxisPlaces> axes;
  for (int64_t extent : *shape)
    axes.push_back(places(0, 0, extent, 0));
  give(*rearranged(number, *shape, axes));
}

} // namespace snug::onnx_import
