// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of constant nodes that compute: in the type of their elements, as
// ONNX Runtime does.
#include "ConstantEvaluation.h"

#include "snug/Network/Geometry.h"
#include "snug/Network/Network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {
namespace {

/// Calls `visit` with a number of the type that elements are computed in.
template <typename Visit> void visitComputed(ElementType type, Visit visit) {
  if (type == onnx::TensorProto::DOUBLE)
    visit(double());
  else if (isFloat(type))
    visit(float());
  else
    visit(int64_t());
}

/// For each element of `shape` its place in a tensor that broadcasts to it.
class BroadcastReader {
public:
  BroadcastReader(ArrayRef<int64_t> from, ArrayRef<int64_t> to)
      : shape(to), strides(to.size(), 0), indices(to.size(), 0) {
    int64_t stride = 1;
    for (size_t distance = 1; distance <= from.size(); ++distance) {
      const int64_t extent = from[from.size() - distance];
      strides[to.size() - distance] = extent == 1 ? 0 : stride;
      stride *= extent;
    }
  }
  /// The place of the next element.
  int64_t next() {
    const int64_t current = place;
    for (size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++indices[axis] < shape[axis])
        break;
      place -= strides[axis] * shape[axis];
      indices[axis] = 0;
    }
    return current;
  }

private:
  ArrayRef<int64_t> shape;
  Shape strides, indices;
  int64_t place = 0;
};

/// `function` of all pairs of elements; it sets `isSound` to false where one
/// has no result.
template <typename T, typename Function>
std::vector<T> combined(const ConstantTensor &left, const ConstantTensor &right,
                        ArrayRef<int64_t> shape, Function function) {
  const std::vector<T> a = left.elements<T>(), b = right.elements<T>();
  BroadcastReader readLeft(left.shape, shape), readRight(right.shape, shape);
  std::vector<T> values(product(shape));
  for (T &value : values) {
    // Both readers advance, whatever the order of evaluation.
    const T x = a[readLeft.next()], y = b[readRight.next()];
    value = function(x, y);
  }
  return values;
}

/// One of Add, Sub, ... of two numbers; nothing where the result leaves
/// int64_t or is not defined.
std::optional<int64_t> calculate(StringRef op, bool likeC, int64_t x,
                                 int64_t y) {
  int64_t result = 0;
  if (op == "Add" || op == "Sum")
    return network::checkedAdd(x, y);
  if (op == "Sub")
    return __builtin_sub_overflow(x, y, &result)
               ? std::nullopt
               : std::optional<int64_t>(result);
  if (op == "Mul")
    return network::checkedMultiply(x, y);
  if (op == "Max")
    return std::max(x, y);
  if (op == "Min")
    return std::min(x, y);
  // Div and Mod.
  if (y == 0 || (y == -1 && x == std::numeric_limits<int64_t>::min()))
    return std::nullopt;
  if (op == "Div")
    return x / y;
  const int64_t rest = x % y;
  return rest != 0 && !likeC && (rest < 0) != (y < 0) ? rest + y : rest;
}

template <typename T> T calculateReal(StringRef op, T x, T y) {
  if (op == "Add" || op == "Sum")
    return x + y;
  if (op == "Sub")
    return x - y;
  if (op == "Mul")
    return x * y;
  if (op == "Div")
    return x / y;
  if (op == "Mod")
    return std::fmod(x, y);
  // A NaN wins, as in ONNX Runtime.
  if (std::isnan(x) || std::isnan(y))
    return std::numeric_limits<T>::quiet_NaN();
  return op == "Max" ? std::max(x, y) : std::min(x, y);
}

template <typename T> T function(StringRef op, T x) {
  if (op == "Abs")
    return std::abs(x);
  if (op == "Ceil")
    return std::ceil(x);
  if (op == "Exp")
    return std::exp(x);
  if (op == "Floor")
    return std::floor(x);
  if (op == "Log")
    return std::log(x);
  if (op == "Neg")
    return -x;
  if (op == "Reciprocal")
    return T(1) / x;
  if (op == "Relu")
    return std::max(x, T(0));
  if (op == "Round")
    return std::nearbyint(x);
  if (op == "Sigmoid")
    return T(1) / (T(1) + std::exp(-x));
  if (op == "Softplus")
    return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
  if (op == "Sqrt")
    return std::sqrt(x);
  return std::tanh(x);
}

} // namespace

void ConstantEvaluator::cast() {
  node.checkOperands(1, 1);
  node.ignore("saturate"); // of 8-bit floats only
  node.ignore("round_mode");
  const int64_t type = node.integer("to", 0);
  if (const ConstantTensor *source = input())
    castTo(*source, type);
}

void ConstantEvaluator::castLike() {
  node.checkOperands(2, 2);
  node.ignore("saturate");
  node.ignore("round_mode");
  const ConstantTensor *source = input(0);
  const ConstantTensor *like = node.tensor(1, "example");
  if (source && like)
    castTo(*source, like->type);
}

void ConstantEvaluator::castTo(const ConstantTensor &source, int64_t wanted) {
  const auto type = static_cast<ElementType>(wanted);
  if (wanted < 0 || wanted > kMaximumExtent || elementSize(type) == 0)
    return node.unsupported(
        "it casts to " +
        elementTypeName(wanted < 0 || wanted > kMaximumExtent
                            ? 0
                            : static_cast<int32_t>(wanted)) +
        ", which is not supported");
  if (type == source.type)
    return give(source);
  if (!fits(type, source.shape))
    return;
  if (isFloat(source.type) && !isFloat(type)) {
    std::vector<int64_t> values;
    for (double value : source.elements<double>()) {
      if (type == onnx::TensorProto::BOOL) {
        values.push_back(value != 0);
        continue;
      }
      if (!(value > -9.2e18 && value < 9.2e18))
        return node.malformed("it casts a number to " + elementTypeName(type) +
                              " that does not fit it");
      values.push_back(static_cast<int64_t>(value));
    }
    return give(ConstantTensor::of<int64_t>(type, source.shape, values));
  }
  visitComputed(isFloat(source.type) ? source.type : type, [&](auto number) {
    using T = decltype(number);
    std::vector<T> values = source.elements<T>();
    if (type == onnx::TensorProto::BOOL)
      for (T &value : values)
        value = value != 0;
    give(ConstantTensor::of<T>(type, source.shape, values));
  });
}

void ConstantEvaluator::range() {
  node.checkOperands(3, 3);
  const ConstantTensor *start = input(0), *limit = input(1), *delta = input(2);
  if (!start || !limit || !delta)
    return;
  if (start->type != limit->type || start->type != delta->type ||
      start->count() != 1 || limit->count() != 1 || delta->count() != 1)
    return node.malformed("its inputs are not three numbers of one type");
  visitComputed(start->type, [&](auto number) {
    using T = decltype(number);
    const T first = start->elements<T>()[0], last = limit->elements<T>()[0],
            step = delta->elements<T>()[0];
    const double steps =
        std::ceil((double(last) - double(first)) / double(step));
    if (step == 0 || std::isnan(steps) || steps > double(kMaximumExtent))
      return node.malformed("it counts from " + formatNumber(double(first)) +
                            " to " + formatNumber(double(last)) +
                            " in steps of " + formatNumber(double(step)));
    const int64_t count = std::max<int64_t>(0, int64_t(steps));
    if (!fits(start->type, count))
      return;
    std::vector<T> values(count);
    for (int64_t index = 0; index < count; ++index)
      values[index] = first + static_cast<T>(index) * step;
    give(ConstantTensor::of<T>(start->type, count, values));
  });
}

void ConstantEvaluator::unary() {
  node.checkOperands(1, 1);
  const StringRef op = node.node().op_type();
  const ConstantTensor *source = input();
  if (!source || !fits(source->type, source->shape))
    return;
  if (!isFloat(source->type)) {
    if (!isInteger(source->type) ||
        (op != "Abs" && op != "Neg" && op != "Relu"))
      return node.malformed("its input is " + elementTypeName(source->type));
    std::vector<int64_t> values = source->elements<int64_t>();
    for (int64_t &value : values) {
      if (value == std::numeric_limits<int64_t>::min())
        return node.malformed("its result leaves 64 bits");
      value = op == "Neg"   ? -value
              : op == "Abs" ? std::abs(value)
                            : std::max<int64_t>(value, 0);
    }
    return give(
        ConstantTensor::of<int64_t>(source->type, source->shape, values));
  }
  visitComputed(source->type, [&](auto number) {
    using T = decltype(number);
    std::vector<T> values = source->elements<T>();
    if constexpr (!std::is_same_v<T, int64_t>)
      for (T &value : values)
        value = function<T>(op, value);
    give(ConstantTensor::of<T>(source->type, source->shape, values));
  });
}

void ConstantEvaluator::arithmetic() {
  const StringRef op = node.node().op_type();
  const bool isVariadic = op == "Max" || op == "Min" || op == "Sum";
  const int count = node.inputCount();
  node.checkOperands(isVariadic ? 1 : 2, isVariadic ? std::max(count, 1) : 2);
  const bool likeC = op == "Mod" && node.flag("fmod", false);
  const ConstantTensor *first = input(0);
  if (!first || node.failed())
    return;
  ConstantTensor result = *first;
  for (int index = 1; index < count; ++index) {
    const ConstantTensor *next = input(index);
    if (!next)
      return;
    if (next->type != result.type || next->type == onnx::TensorProto::BOOL)
      return node.malformed("its inputs are " + elementTypeName(result.type) +
                            " and " + elementTypeName(next->type));
    std::optional<Shape> shape =
        broadcastShape(node, result.shape, next->shape);
    if (!shape || !fits(result.type, *shape))
      return;
    bool isSound = true;
    visitComputed(result.type, [&](auto number) {
      using T = decltype(number);
      std::vector<T> values =
          combined<T>(result, *next, *shape, [&](T x, T y) -> T {
            if constexpr (std::is_same_v<T, int64_t>) {
              std::optional<int64_t> value = calculate(op, likeC, x, y);
              isSound &= value.has_value();
              return value.value_or(0);
            } else {
              return calculateReal<T>(op, x, y);
            }
          });
      result = ConstantTensor::of<T>(result.type, *shape, values);
    });
    if (!isSound)
      return node.malformed("it divides by zero or its result leaves 64 bits");
  }
  give(std::move(result));
}

void ConstantEvaluator::power() {
  node.checkOperands(2, 2);
  const ConstantTensor *base = input(0), *exponent = input(1);
  if (!base || !exponent)
    return;
  std::optional<Shape> shape =
      broadcastShape(node, base->shape, exponent->shape);
  if (!shape || !fits(base->type, *shape))
    return;
  // Doubles hold the integers that shapes are made of exactly.
  std::vector<double> values =
      combined<double>(*base, *exponent, *shape,
                       [](double x, double y) { return std::pow(x, y); });
  if (!isFloat(base->type))
    for (double value : values)
      if (!(std::abs(value) <= 9007199254740992.0))
        return node.malformed("its result leaves 53 bits");
  give(ConstantTensor::of<double>(base->type, *shape, values));
}

void ConstantEvaluator::compare() {
  node.checkOperands(2, 2);
  const StringRef op = node.node().op_type();
  const ConstantTensor *left = input(0), *right = input(1);
  if (!left || !right)
    return;
  if (left->type != right->type)
    return node.malformed("its inputs are " + elementTypeName(left->type) +
                          " and " + elementTypeName(right->type));
  std::optional<Shape> shape = broadcastShape(node, left->shape, right->shape);
  if (!shape || !fits(onnx::TensorProto::INT64, *shape))
    return;
  visitComputed(left->type, [&](auto number) {
    using T = decltype(number);
    std::vector<T> values = combined<T>(*left, *right, *shape, [&](T x, T y) {
      return T(op == "Equal"            ? x == y
               : op == "Greater"        ? x > y
               : op == "GreaterOrEqual" ? x >= y
               : op == "Less"           ? x < y
                                        : x <= y);
    });
    give(ConstantTensor::of<T>(onnx::TensorProto::BOOL, *shape, values));
  });
}

void ConstantEvaluator::logic() {
  node.checkOperands(2, 2);
  const StringRef op = node.node().op_type();
  const ConstantTensor *left = input(0), *right = input(1);
  if (!left || !right)
    return;
  if (left->type != onnx::TensorProto::BOOL || right->type != left->type)
    return node.malformed("its inputs are " + elementTypeName(left->type) +
                          " and " + elementTypeName(right->type));
  std::optional<Shape> shape = broadcastShape(node, left->shape, right->shape);
  if (!shape || !fits(left->type, *shape))
    return;
  std::vector<int64_t> values = combined<int64_t>(
      *left, *right, *shape, [&](int64_t x, int64_t y) -> int64_t {
        return op == "And" ? x && y : op == "Or" ? x || y : !x != !y;
      });
  give(ConstantTensor::of<int64_t>(left->type, *shape, values));
}

void ConstantEvaluator::negate() {
  node.checkOperands(1, 1);
  const ConstantTensor *source = input();
  if (!source || !fits(source->type, source->shape))
    return;
  if (source->type != onnx::TensorProto::BOOL)
    return node.malformed("its input is " + elementTypeName(source->type));
  std::vector<int64_t> values = source->elements<int64_t>();
  for (int64_t &value : values)
    value = !value;
  give(ConstantTensor::of<int64_t>(source->type, source->shape, values));
}

void ConstantEvaluator::where() {
  node.checkOperands(3, 3);
  const ConstantTensor *condition = input(0), *yes = input(1), *no = input(2);
  if (!condition || !yes || !no)
    return;
  if (condition->type != onnx::TensorProto::BOOL || yes->type != no->type)
    return node.malformed("its inputs are " + elementTypeName(condition->type) +
                          ", " + elementTypeName(yes->type) + " and " +
                          elementTypeName(no->type));
  std::optional<Shape> both = broadcastShape(node, yes->shape, no->shape);
  std::optional<Shape> shape =
      both ? broadcastShape(node, condition->shape, *both) : std::nullopt;
  if (!shape || !fits(yes->type, *shape))
    return;
  ConstantTensor result = ConstantTensor::zeros(yes->type, *shape);
  BroadcastReader readCondition(condition->shape, *shape),
      readYes(yes->shape, *shape), readNo(no->shape, *shape);
  const int64_t size = elementSize(yes->type);
  char *to = result.storage->data();
  for (int64_t left = result.count(); left > 0; --left) {
    const char *from = yes->bytes.data() + readYes.next() * size;
    const char *other = no->bytes.data() + readNo.next() * size;
    if (!condition->bytes[readCondition.next()])
      from = other;
    std::copy_n(from, size, to);
    to += size;
  }
  give(std::move(result));
}

void ConstantEvaluator::reduce() {
  node.checkOperands(1, 2);
  const StringRef op = node.node().op_type();
  const ConstantTensor *source = input();
  if (!source)
    return;
  std::optional<Reduction> reduction =
      reductionOf(node, int64_t(source->shape.size()), reductionAxesSince(op));
  if (!reduction)
    return;
  const Shape shape = reducedShape(source->shape, *reduction);
  if (source->count() == 0 || !fits(source->type, source->shape))
    return node.malformed("it reduces a tensor of " +
                          formatShape(source->shape));
  Reduction kept = *reduction;
  kept.keepDims = true;
  const Shape aligned = reducedShape(source->shape, kept);
  bool isSound = true;
  visitComputed(source->type, [&](auto number) {
    using T = decltype(number);
    std::vector<T> values(product(aligned));
    std::vector<int64_t> counts(values.size(), 0);
    BroadcastReader places(aligned, source->shape);
    for (T value : source->elements<T>()) {
      const int64_t place = places.next();
      T &sum = values[place];
      if (counts[place]++ == 0) {
        sum = value;
        continue;
      }
      const StringRef step = op == "ReduceMax"    ? "Max"
                             : op == "ReduceMin"  ? "Min"
                             : op == "ReduceProd" ? "Mul"
                                                  : "Add";
      if constexpr (std::is_same_v<T, int64_t>) {
        std::optional<int64_t> next = calculate(step, false, sum, value);
        isSound &= next.has_value();
        sum = next.value_or(0);
      } else {
        sum = calculateReal<T>(step, sum, value);
      }
    }
    if (op == "ReduceMean")
      for (auto [value, count] : llvm::zip(values, counts))
        value /= static_cast<T>(count);
    give(ConstantTensor::of<T>(source->type, shape, values));
  });
  if (!isSound)
    node.malformed("its result leaves 64 bits");
}

//===----------------------------------------------------------------------===//
// Quantised numbers
//===----------------------------------------------------------------------===//

std::optional<ConstantEvaluator::ParameterPlaces>
ConstantEvaluator::parameterPlaces(const ConstantTensor &scale,
                                   ArrayRef<int64_t> shape) {
  const int64_t stated = node.opset() >= 13 ? node.integer("axis", 1) : 1;
  const int64_t block = node.opset() >= 21 ? node.integer("block_size", 0) : 0;
  ParameterPlaces places;
  if (scale.count() == 1 && block == 0)
    return places;
  const auto rank = int64_t(shape.size());
  std::optional<int64_t> axis = normalizedAxis(node, stated, rank, rank - 1);
  if (!axis)
    return std::nullopt;
  places.extent = shape[*axis];
  places.inner = product(shape.drop_front(*axis + 1));
  Shape expected{places.extent};
  if (block > 0) {
    places.block = block;
    places.blocks = places.extent / block + (places.extent % block != 0);
    expected.assign(shape.begin(), shape.end());
    expected[*axis] = places.blocks;
  }
  if (scale.shape != expected) {
    node.malformed("its scales of " + formatShape(scale.shape) +
                   " do not fit its input of " + formatShape(shape));
    return std::nullopt;
  }
  return places;
}

void ConstantEvaluator::dequantize() {
  node.checkOperands(2, 3);
  node.ignore("output_dtype");
  const ConstantTensor *source = input(0), *scale = node.tensor(1, "scale");
  const ConstantTensor *zero =
      node.hasInput(2) ? node.tensor(2, "zero point") : nullptr;
  if (!source || !scale || (node.hasInput(2) && !zero))
    return;
  if (!isInteger(source->type) || !isFloat(scale->type) ||
      (zero && (zero->type != source->type || zero->count() != scale->count())))
    return node.malformed("its input is " + elementTypeName(source->type) +
                          ", its scale and zero point do not fit it");
  std::optional<ParameterPlaces> places =
      parameterPlaces(*scale, source->shape);
  if (!places || !fits(onnx::TensorProto::FLOAT, source->shape))
    return;
  const std::vector<float> scales = scale->elements<float>();
  const std::vector<float> zeros =
      zero ? zero->elements<float>() : std::vector<float>(scales.size(), 0.0f);
  const std::vector<float> values = source->elements<float>();
  ConstantTensor result =
      ConstantTensor::zeros(onnx::TensorProto::FLOAT, source->shape);
  auto *to = reinterpret_cast<float *>(result.storage->data());
  for (auto [index, value] : llvm::enumerate(values)) {
    const int64_t place = places->of(int64_t(index));
    to[index] = (value - zeros[place]) * scales[place];
  }
  give(std::move(result));
}

void ConstantEvaluator::quantize() {
  node.checkOperands(2, 3);
  node.ignore("saturate");
  node.ignore("precision");
  const int64_t stated = node.integer("output_dtype", 0);
  const ConstantTensor *source = input(0), *scale = node.tensor(1, "scale");
  const ConstantTensor *zero =
      node.hasInput(2) ? node.tensor(2, "zero point") : nullptr;
  if (!source || !scale || (node.hasInput(2) && !zero))
    return;
  const ElementType type = zero          ? zero->type
                           : stated == 0 ? onnx::TensorProto::UINT8
                           : stated > 0 && stated < 64
                               ? static_cast<ElementType>(stated)
                               : onnx::TensorProto::UNDEFINED;
  if (!isInteger(type) || elementSize(type) > 4 || !isFloat(source->type) ||
      !isFloat(scale->type) || (zero && zero->count() != scale->count()))
    return node.malformed("its input is " + elementTypeName(source->type) +
                          ", its scale and zero point do not fit it");
  std::optional<ParameterPlaces> places =
      parameterPlaces(*scale, source->shape);
  if (!places || !fits(type, source->shape))
    return;
  const auto [least, largest] = integerLimits(type);
  const std::vector<float> scales = scale->elements<float>();
  const std::vector<float> zeros =
      zero ? zero->elements<float>() : std::vector<float>(scales.size(), 0.0f);
  std::vector<int64_t> quantized;
  for (float value : source->elements<float>()) {
    const int64_t place = places->of(int64_t(quantized.size()));
    const double rounded =
        double(std::nearbyint(value / scales[place])) + double(zeros[place]);
    quantized.push_back(
        std::isnan(rounded)
            ? 0
            : int64_t(std::clamp(rounded, double(least), double(largest))));
  }
  give(ConstantTensor::of<int64_t>(type, source->shape, quantized));
}

} // namespace snug::onnx_import
