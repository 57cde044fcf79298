// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on shapes and along axes: Constant, Reshape, Flatten, Softmax.
#include "GraphImporter.h"

#include "TensorData.h"

#include "snug/Network/Geometry.h"

#include <algorithm>
#include <functional>
#include <numeric>

using llvm::ArrayRef;
using llvm::Twine;
using mlir::Value;

namespace snug::onnx_import {
namespace {

/// Product of extents that are known to fit: those of a tensor that exists.
int64_t product(ArrayRef<int64_t> extents) {
  return std::accumulate(extents.begin(), extents.end(), int64_t(1),
                         std::multiplies<int64_t>());
}

} // namespace

void GraphImporter::importConstant(NodeReader &node) {
  node.checkOperands(0, 0);
  onnx::TensorProto *tensor = nullptr;
  auto own = [&](onnx::TensorProto::DataType type) {
    tensor = &ownedTensors.emplace_back();
    tensor->set_data_type(type);
  };
  if (const onnx::AttributeProto *value = node.find("value")) {
    if (value->type() == onnx::AttributeProto::TENSOR && value->has_t())
      // The message belongs to this importer, which takes the data over.
      tensor = const_cast<onnx::TensorProto *>(&value->t());
    else
      node.malformed("attribute 'value' is not of type tensor");
  }
  if (node.opset() >= 12) {
    if (node.find("value_float")) {
      own(onnx::TensorProto::FLOAT);
      tensor->add_float_data(node.real("value_float", 0.0f));
    }
    if (const onnx::AttributeProto *values = node.find("value_floats")) {
      own(onnx::TensorProto::FLOAT);
      *tensor->mutable_float_data() = values->floats();
      tensor->add_dims(values->floats_size());
    }
    if (node.find("value_int")) {
      own(onnx::TensorProto::INT64);
      tensor->add_int64_data(node.integer("value_int", 0));
    }
    if (const onnx::AttributeProto *values = node.find("value_ints")) {
      own(onnx::TensorProto::INT64);
      *tensor->mutable_int64_data() = values->ints();
      tensor->add_dims(values->ints_size());
    }
  }
  if (node.node().attribute_size() != 1)
    node.malformed("it has " + Twine(node.node().attribute_size()) +
                   " attributes, expected exactly one value");
  if (tensor && !node.failed())
    bindConstant(node, *tensor);
}

void GraphImporter::bindConstant(NodeReader &node, onnx::TensorProto &tensor) {
  Constant &constant = constants.emplace_back();
  constant.name = node.output(0).str();
  constant.tensor = &tensor;
  constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
  bindings[constant.name].constant = &constant;
}

void GraphImporter::importConstantOfShape(NodeReader &node) {
  node.checkOperands(1, 1);
  onnx::TensorProto number; // of which all elements are copies
  number.set_data_type(onnx::TensorProto::FLOAT);
  number.add_float_data(0.0f);
  const onnx::TensorProto *value = &number;
  if (const onnx::AttributeProto *stated = node.find("value")) {
    if (stated->type() == onnx::AttributeProto::TENSOR && stated->has_t())
      value = &stated->t();
    else
      node.malformed("attribute 'value' is not of type tensor");
  }
  Constant *shape = constant(node, 0, "shape");
  if (!shape || node.failed())
    return;
  Result<std::vector<int64_t>> extents = integers(*shape->tensor, file);
  if (!extents)
    return node.malformed("its shape '" + shape->name +
                          "' cannot be used: " + extents.error().message);
  const auto type = onnx::TensorProto::DataType(value->data_type());
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::INT64)
    return node.unsupported("attribute 'value' is " + elementTypeName(type) +
                            ", only float and int64 are supported");
  Result<llvm::StringRef> element = elementBytes(*value, type, file);
  if (!element)
    return node.malformed("attribute 'value' cannot be used: " +
                          element.error().message);
  const size_t elementSize =
      type == onnx::TensorProto::FLOAT ? sizeof(float) : sizeof(int64_t);
  if (element->size() != elementSize)
    return node.malformed("attribute 'value' holds " +
                          Twine(element->size() / elementSize) +
                          " elements, expected one");
  if (!countMadeBytes(node, *extents, int64_t(elementSize)))
    return;
  onnx::TensorProto &made = ownedTensors.emplace_back();
  made.set_data_type(type);
  made.mutable_dims()->Add(extents->begin(), extents->end());
  // What is there already is doubled until it is enough.
  std::string &bytes = *made.mutable_raw_data();
  const size_t wanted = product(*extents) * elementSize;
  bytes.reserve(wanted);
  bytes.assign(element->data(), elementSize);
  while (bytes.size() < wanted)
    bytes.append(bytes, 0, wanted - bytes.size());
  bindConstant(node, made);
}

std::optional<llvm::SmallVector<int64_t>>
GraphImporter::shapeOfInput(NodeReader &node) {
  if (Constant *source = findConstant(node.input(0))) {
    Result<int64_t> count = elementCount(source->shape);
    if (count)
      return source->shape;
    node.malformed("its input '" + source->name +
                   "' cannot be used: " + count.error().message);
    return std::nullopt;
  }
  Value input = activation(node, 0);
  if (!input)
    return std::nullopt;
  return llvm::SmallVector<int64_t>(shapeOf(input));
}

Value GraphImporter::reshape(NodeReader &node, Value input,
                             ArrayRef<int64_t> shape) {
  return create<cnn::ReshapeOp>(node, input, {}, tensorType(shape));
}

void GraphImporter::reshapeTo(NodeReader &node, ArrayRef<int64_t> shape) {
  if (Constant *source = findConstant(node.input(0))) {
    // The same elements under another shape: no op is needed.
    Constant &constant = constants.emplace_back();
    constant.name = node.output(0).str();
    constant.tensor = source->tensor;
    constant.shape.assign(shape.begin(), shape.end());
    constant.unusable = source->unusable;
    constant.sharesTensor = source->sharesTensor = true;
    bindings[constant.name].constant = &constant;
    return;
  }
  if (Value input = activation(node, 0))
    setResult(node, reshape(node, input, shape));
}

void GraphImporter::importReshape(NodeReader &node) {
  node.checkOperands(2, 2);
  const bool allowZero = node.opset() >= 14 && node.flag("allowzero", false);
  Constant *target = constant(node, 1, "shape");
  std::optional<llvm::SmallVector<int64_t>> source = shapeOfInput(node);
  if (!target || node.failed())
    return;
  Result<std::vector<int64_t>> wanted = integers(*target->tensor, file);
  if (!wanted) {
    node.malformed("its shape '" + target->name +
                   "' cannot be used: " + wanted.error().message);
    return;
  }
  if (!source)
    return;
  const int64_t elements = product(*source);
  const auto doesNotFit = [&] {
    node.malformed("it reshapes " + formatShape(*source) + " to " +
                   formatShape(*wanted) + ", which does not fit");
  };
  llvm::SmallVector<int64_t> shape;
  int64_t known = 1;
  std::optional<size_t> open;
  for (auto [index, extent] : llvm::enumerate(*wanted)) {
    int64_t value = extent;
    if (extent == 0 && !allowZero && index < source->size())
      value = (*source)[index];
    if (value < -1 || value == 0 || (value == -1 && open))
      return doesNotFit();
    shape.push_back(value);
    if (value == -1) {
      open = index;
      continue;
    }
    std::optional<int64_t> product = network::checkedMultiply(known, value);
    if (!product)
      return doesNotFit();
    known = *product;
  }
  if (open ? elements % known != 0 : elements != known)
    return doesNotFit();
  if (open)
    shape[*open] = elements / known;
  reshapeTo(node, shape);
}

/// An axis counted from the end if negative; nothing if out of range.
static std::optional<int64_t> normalizedAxis(NodeReader &node, int64_t axis,
                                             int64_t rank, int64_t last) {
  if (axis >= -rank && axis <= last)
    return axis < 0 ? axis + rank : axis;
  node.malformed("attribute 'axis' is " + Twine(axis) + ", expected " +
                 Twine(-rank) + " to " + Twine(last));
  return std::nullopt;
}

void GraphImporter::importFlatten(NodeReader &node) {
  node.checkOperands(1, 1);
  const int64_t axis = node.integer("axis", 1);
  std::optional<llvm::SmallVector<int64_t>> source = shapeOfInput(node);
  if (!source || node.failed())
    return;
  const int64_t rank = int64_t(source->size());
  std::optional<int64_t> split = normalizedAxis(node, axis, rank, rank);
  if (!split)
    return;
  ArrayRef<int64_t> extents(*source);
  reshapeTo(node, {product(extents.take_front(*split)),
                   product(extents.drop_front(*split))});
}

void GraphImporter::importSoftmax(NodeReader &node) {
  node.checkOperands(1, 1);
  const bool alongOneAxis = node.opset() >= 13;
  const int64_t axis = node.integer("axis", alongOneAxis ? -1 : 1);
  Value input = activation(node, 0);
  if (!input || node.failed())
    return;
  llvm::SmallVector<int64_t> shape(shapeOf(input));
  const int64_t rank = int64_t(shape.size());
  std::optional<int64_t> first = normalizedAxis(node, axis, rank, rank - 1);
  if (!first)
    return;
  auto softmax = [&](Value operand, int64_t along) -> Value {
    if (!operand)
      return {};
    cnn::SoftmaxOp::Properties properties;
    properties.axis = builder.getI64IntegerAttr(along);
    return create<cnn::SoftmaxOp>(node, operand, properties, operand.getType());
  };
  // Before operator set 13 the axes from `first` on count as one.
  ArrayRef<int64_t> behind = ArrayRef<int64_t>(shape).drop_front(*first + 1);
  if (alongOneAxis || product(behind) == 1)
    return setResult(node, softmax(input, *first));
  if (rank > 3)
    return node.unsupported(
        "operator set " + Twine(node.opset()) + " has it count the axes from " +
        Twine(*first) + " of " + formatShape(shape) +
        " on as one, which is not supported for an image; flatten its input, "
        "or convert the model to operator set 13");
  Value matrix = reshape(node, input,
                         {product(ArrayRef<int64_t>(shape).take_front(*first)),
                          shape[*first] * product(behind)});
  Value result = softmax(matrix, 1);
  setResult(node, result ? reshape(node, result, shape) : Value());
}

} // namespace snug::onnx_import
