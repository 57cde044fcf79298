// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators that move elements, and those that do nothing at inference.
#include "GraphImporter.h"

#include "llvm/ADT/Sequence.h"

#include <algorithm>

using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {

void GraphImporter::importIdentity(NodeReader &node) {
  node.checkOperands(1, 1);
  if (Value input = activation(node, 0))
    setResult(node, identity(node, input));
}

void GraphImporter::importDropout(NodeReader &node) {
  const bool byInputs = node.opset() >= 12;
  node.checkOperands(1, byInputs ? 3 : 1, /*outputs=*/2);
  // The ratio and the seed are of training only.
  node.ignore(byInputs ? "seed" : "ratio");
  if (!node.output(1).empty() && uses.count(node.output(1)))
    node.unsupported("its second output, the mask, is used; only the first is "
                     "supported");
  if (node.hasInput(2)) {
    const ConstantTensor *training = node.tensor(2, "training mode");
    if (!training)
      return;
    if (training->type != onnx::TensorProto::BOOL || training->count() != 1)
      node.malformed("its training mode '" + node.input(2) +
                     "' cannot be used: expected exactly one element of type "
                     "bool");
    else if (training->bytes[0])
      node.unsupported(
          "it is in training mode; export the model for inference");
  }
  if (isConstant(node, 0)) {
    const ConstantTensor *source = node.tensor(0, "input");
    if (source && !node.failed())
      bindConstant(node.output(0)).tensor = *source;
    return;
  }
  Value input = activation(node, 0);
  if (input && !node.failed())
    setResult(node, create<cnn::DropoutOp>(node, input, {}, input.getType()));
}

void GraphImporter::importCast(NodeReader &node) {
  const bool isLike = node.node().op_type() == "CastLike";
  node.checkOperands(isLike ? 2 : 1, isLike ? 2 : 1);
  node.ignore("saturate");
  node.ignore("round_mode");
  int64_t type = onnx::TensorProto::FLOAT;
  if (!isLike)
    type = node.integer("to", 0);
  else if (isConstant(node, 1))
    if (const ConstantTensor *example = node.tensor(1, "example"))
      type = example->type;
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  if (type < 0 || type > kMaximumExtent ||
      !isFloat(static_cast<ElementType>(type)))
    return node.unsupported("it casts to " +
                            elementTypeName(static_cast<int32_t>(type)) +
                            "; computed tensors are float32 here");
  if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16)
    ++halfCasts;
  setResult(node, identity(node, input));
}

void GraphImporter::importReshaping(NodeReader &node) {
  const StringRef op = node.node().op_type();
  node.checkOperands(op == "Reshape" ? 2 : 1, op == "Flatten" ? 1 : 2);
  Value input = activation(node, 0);
  if (!input || node.failed()) {
    for (const char *attribute : {"allowzero", "axes", "axis"})
      node.ignore(attribute);
    return;
  }
  const ArrayRef<int64_t> source = shapeOf(input);
  std::optional<Shape> shape = op == "Reshape"   ? reshapedShape(node, source)
                               : op == "Flatten" ? flattenedShape(node, source)
                               : op == "Squeeze"
                                   ? squeezedShape(node, source)
                                   : unsqueezedShape(node, source);
  if (shape)
    setResult(node, *shape == source ? identity(node, input)
                                     : reshape(node, input, *shape));
}

void GraphImporter::importTranspose(NodeReader &node) {
  node.checkOperands(1, 1);
  Value input = activation(node, 0);
  if (!input) {
    node.ignore("perm");
    return;
  }
  if (std::optional<Shape> permutation =
          permutationOf(node, int64_t(shapeOf(input).size())))
    setResult(node, transpose(node, input, *permutation));
}

Value GraphImporter::pad(NodeReader &node, Value input, ArrayRef<int64_t> low,
                         ArrayRef<int64_t> high, cnn::PadMode mode,
                         float value) {
  cnn::PadOp::Properties properties;
  properties.low = builder.getDenseI64ArrayAttr(low);
  properties.high = builder.getDenseI64ArrayAttr(high);
  properties.mode = cnn::PadModeAttr::get(&context, mode);
  properties.value = builder.getF32FloatAttr(value);
  return create<cnn::PadOp>(node, input, properties);
}

/// `value` between the constants that are these inputs of a concat: no kernel
/// copies constants, so zeros are put in their place and the constants added.
Value GraphImporter::betweenConstants(NodeReader &node, Value value,
                                      int64_t axis, ArrayRef<int> before,
                                      ArrayRef<int> after) {
  const Shape shape(shapeOf(value));
  Shape low(shape.size()), high(shape.size()), whole = shape;
  struct Part {
    const ConstantTensor *tensor;
    int64_t begin, extent; ///< on the axis
  };
  llvm::SmallVector<Part> parts;
  for (bool isBefore : {true, false})
    for (int index : isBefore ? before : after) {
      const ConstantTensor *tensor =
          tensorOf(node, index, ("input " + Twine(index)).str());
      if (!tensor)
        return {};
      Shape alike = tensor->shape;
      if (alike.size() == shape.size())
        alike[axis] = shape[axis];
      if (alike != shape || !isFloat(tensor->type)) {
        node.malformed("its input '" + node.input(index) + "' is " +
                       formatShape(tensor->shape) + " of " +
                       elementTypeName(tensor->type) +
                       ", which cannot stand beside " + formatShape(shape) +
                       " on axis " + Twine(axis));
        return {};
      }
      int64_t &reached = (isBefore ? low : high)[axis];
      const int64_t begin =
          isBefore ? reached : low[axis] + shape[axis] + reached;
      parts.push_back({tensor, begin, tensor->shape[axis]});
      reached += tensor->shape[axis];
    }
  whole[axis] += low[axis] + high[axis];
  if (whole == shape) // nothing, or empty ones
    return value;
  Value padded = pad(node, value, low, high, cnn::PadMode::Constant, 0.0f);
  const bool areZeros =
      !options.shapesOnly && llvm::all_of(parts, [](const Part &part) {
        return llvm::all_of(part.tensor->elements<float>(),
                            [](float element) { return element == 0.0f; });
      });
  if (areZeros)
    return padded;
  const int64_t outer = product(ArrayRef(shape).take_front(axis));
  const int64_t inner = product(ArrayRef(shape).drop_front(axis + 1));
  Value constant = newParameter(
      node, (node.name() + ".constants").str(), whole,
      [&](llvm::MutableArrayRef<float> elements) {
        std::fill(elements.begin(), elements.end(), 0.0f);
        if (options.shapesOnly)
          return;
        for (const Part &part : parts) {
          const std::vector<float> from = part.tensor->elements<float>();
          const int64_t run = part.extent * inner;
          for (int64_t i = 0; i < outer; ++i)
            std::copy_n(from.begin() + i * run, run,
                        elements.begin() +
                            (i * whole[axis] + part.begin) * inner);
        }
      });
  return constant && padded
             ? binary(node, cnn::BinaryKind::Add, padded, constant)
             : Value();
}

void GraphImporter::importConcat(NodeReader &node) {
  const int count = node.inputCount();
  node.checkOperands(1, std::max(count, 1));
  if (!node.find("axis"))
    node.malformed("attribute 'axis' is missing");
  llvm::SmallVector<Value> operands;
  llvm::SmallVector<int> places; // of the operands among the inputs
  for (int index = 0; index < count; ++index)
    if (!isConstant(node, index)) {
      operands.push_back(activation(node, index));
      places.push_back(index);
    }
  if (operands.empty() && count > 0)
    operands.push_back(activation(node, 0)); // reported: they are not evaluated
  if (node.failed() || operands.empty() ||
      llvm::is_contained(operands, Value())) {
    node.ignore("axis");
    return;
  }
  std::optional<int64_t> axis =
      axisOf(node, 0, int64_t(shapeOf(operands[0]).size()));
  if (!axis)
    return;
  for (size_t k = 0; k < places.size(); ++k) {
    const int end = k + 1 < places.size() ? places[k + 1] : count;
    const auto before = llvm::to_vector(llvm::seq(0, k == 0 ? places[0] : 0));
    const auto after = llvm::to_vector(llvm::seq(places[k] + 1, end));
    operands[k] = betweenConstants(node, operands[k], *axis, before, after);
    if (!operands[k])
      return;
  }
  if (count == 1)
    return setResult(node, identity(node, operands[0]));
  if (operands.size() == 1)
    return setResult(node, operands[0]);
  cnn::ConcatOp::Properties properties;
  properties.axis = builder.getI64IntegerAttr(*axis);
  setResult(node, create<cnn::ConcatOp>(node, operands, properties));
}

void GraphImporter::importSlice(NodeReader &node) {
  const bool byInputs = node.opset() >= 10;
  node.checkOperands(byInputs ? 3 : 1, byInputs ? 5 : 1);
  Value input = activation(node, 0);
  if (!input || node.failed()) {
    for (const char *attribute : {"starts", "ends", "axes"})
      if (!byInputs)
        node.ignore(attribute);
    return;
  }
  if (auto ranges = sliceRanges(node, shapeOf(input)))
    setResult(node, slice(node, input, *ranges));
}

void GraphImporter::importGather(NodeReader &node) {
  node.checkOperands(2, 2);
  Value input = activation(node, 0);
  const ConstantTensor *wanted = input ? node.tensor(1, "indices") : nullptr;
  if (!wanted || node.failed())
    return node.ignore("axis");
  const ArrayRef<int64_t> source = shapeOf(input);
  std::optional<int64_t> axis = axisOf(node, 0, int64_t(source.size()));
  if (!axis)
    return;
  if (!isInteger(wanted->type))
    return node.malformed("its indices are " + elementTypeName(wanted->type));
  llvm::SmallVector<int64_t> indices;
  for (int64_t index : wanted->elements<int64_t>()) {
    if (index < -source[*axis] || index >= source[*axis])
      return node.malformed("it reads element " + Twine(index) + " of axis " +
                            Twine(*axis) + " of " + formatShape(source));
    indices.push_back(index < 0 ? index + source[*axis] : index);
  }
  Shape result;
  llvm::SmallVector<SliceRange> ranges;
  for (auto [each, extent] : llvm::enumerate(source)) {
    ranges.push_back({0, 1, extent});
    if (int64_t(each) == *axis)
      result.append(wanted->shape);
    else
      result.push_back(extent);
  }
  knownResult = result;
  if (indices.empty())
    return node.malformed("it has no indices");
  // What is one step apart is a slice.
  const int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  bool isSlice = step != 0;
  for (size_t i = 1; i < indices.size(); ++i)
    isSlice &= indices[i] - indices[i - 1] == step;
  if (!isSlice)
    return node.unsupported("its indices are not evenly spaced");
  ranges[*axis] = {indices[0], step, int64_t(indices.size())};
  Value part = slice(node, input, ranges);
  if (part && result != shapeOf(part))
    part = reshape(node, part, result);
  setResult(node, part);
}

void GraphImporter::importSplit(NodeReader &node) {
  node.checkOperands(1, node.opset() >= 13 ? 2 : 1,
                     std::max(node.node().output_size(), 1));
  Value input = activation(node, 0);
  if (!input || node.failed()) {
    for (const char *attribute : {"split", "axis", "num_outputs"})
      node.ignore(attribute);
    return;
  }
  std::optional<Parts> parts = splitParts(node, shapeOf(input));
  if (!parts)
    return;
  int64_t begin = 0;
  for (auto [index, extent] : llvm::enumerate(parts->extents)) {
    llvm::SmallVector<SliceRange> ranges;
    for (int64_t whole : shapeOf(input))
      ranges.push_back({0, 1, whole});
    ranges[parts->axis] = {begin, 1, extent};
    begin += extent;
    // Nobody may read a part; the first output is never left out.
    const StringRef name = node.output(int(index));
    if (!name.empty() && uses.count(name))
      setResult(node, slice(node, input, ranges), int(index));
  }
}

void GraphImporter::importPad(NodeReader &node) {
  const int64_t opset = node.opset();
  node.checkOperands(opset < 11 ? 1 : 2, opset < 11 ? 1 : opset < 18 ? 3 : 4);
  Value input = activation(node, 0);
  if (!input || node.failed()) {
    for (const char *attribute : {"mode", "pads", "value"})
      node.ignore(attribute);
    return;
  }
  std::optional<Padding> padding =
      paddingOf(node, shapeOf(input), /*isFloat=*/true);
  if (!padding)
    return;
  if (padding->mode == "wrap") {
    knownResult.emplace();
    for (auto [axis, extent] : llvm::enumerate(shapeOf(input)))
      knownResult->push_back(padding->low[axis] + extent + padding->high[axis]);
    return node.unsupported("attribute 'mode' is 'wrap', which is not "
                            "supported");
  }
  // Negative pads cut off.
  llvm::SmallVector<SliceRange> ranges;
  bool isCut = false, isPadded = false;
  for (auto [axis, extent] : llvm::enumerate(shapeOf(input))) {
    int64_t &low = padding->low[axis], &high = padding->high[axis];
    const int64_t begin = std::max<int64_t>(-low, 0);
    const int64_t end = extent - std::max<int64_t>(-high, 0);
    ranges.push_back({begin, 1, end - begin});
    isCut |= low < 0 || high < 0;
    low = std::max<int64_t>(low, 0);
    high = std::max<int64_t>(high, 0);
    isPadded |= low > 0 || high > 0;
  }
  if (isCut)
    input = slice(node, input, ranges);
  if (!isPadded)
    return setResult(node, isCut ? input : identity(node, input));
  const auto mode = padding->mode == "constant"  ? cnn::PadMode::Constant
                    : padding->mode == "reflect" ? cnn::PadMode::Reflect
                                                 : cnn::PadMode::Edge;
  setResult(node, pad(node, input, padding->low, padding->high, mode,
                      mode == cnn::PadMode::Constant ? padding->value : 0.0f));
}

/// Repeated along axes of one element: a product with ones.
Value GraphImporter::expand(NodeReader &node, Value input,
                            ArrayRef<int64_t> shape) {
  const ArrayRef<int64_t> source = shapeOf(input);
  if (source == shape)
    return identity(node, input);
  Shape ones(shape);
  const size_t added = shape.size() - source.size();
  for (auto [axis, extent] : llvm::enumerate(source))
    if (extent != 1)
      ones[axis + added] = 1;
  return binary(node, cnn::BinaryKind::Mul, input,
                newParameter(node, (node.name() + ".ones").str(), ones,
                             [](llvm::MutableArrayRef<float> elements) {
                               std::fill(elements.begin(), elements.end(),
                                         1.0f);
                             }));
}

void GraphImporter::importExpand(NodeReader &node) {
  node.checkOperands(2, 2);
  const bool isTile = node.node().op_type() == "Tile";
  Value input = activation(node, 0);
  std::optional<Shape> wanted =
      node.integersOf(1, isTile ? "repeats" : "shape");
  if (!input || !wanted)
    return;
  const Shape source(shapeOf(input));
  for (int64_t extent : *wanted)
    if (extent < 1 || extent > kMaximumExtent)
      return node.malformed("its " + Twine(isTile ? "repeats" : "shape") +
                            " '" + node.input(1) + "' is " +
                            formatShape(*wanted));
  if (!isTile) {
    if (std::optional<Shape> shape = broadcastShape(node, source, *wanted))
      setResult(node, expand(node, input, *shape));
    return;
  }
  if (wanted->size() != source.size())
    return node.malformed("its repeats " + formatShape(*wanted) +
                          " do not fit its input of " + formatShape(source));
  // Axes of one element are expanded, others joined to themselves.
  Shape expanded = source;
  for (auto [axis, times] : llvm::enumerate(*wanted)) {
    if (source[axis] == 1) {
      expanded[axis] = times;
      continue;
    }
    if (times > 64)
      return node.unsupported("it repeats axis " + Twine(axis) + " " +
                              Twine(times) +
                              " times, more than 64 are not "
                              "supported");
    if (times == 1)
      continue;
    cnn::ConcatOp::Properties properties;
    properties.axis = builder.getI64IntegerAttr(int64_t(axis));
    input = create<cnn::ConcatOp>(node, llvm::SmallVector<Value>(times, input),
                                  properties);
    if (!input)
      return;
    expanded[axis] = source[axis] * times;
  }
  setResult(node, expand(node, input, expanded));
}

} // namespace snug::onnx_import
