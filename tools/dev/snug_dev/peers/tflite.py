# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a network of the zoo as a TensorFlow Lite file, the way its own converter would.

Tensors become channels-last, batch norms are folded into the convolutions before
them, activations that the format knows are fused, and padding is SAME or VALID
where that means the same, else an operation in front. Weights stay float32.
"""

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper, shape_inference

SCHEMA_VERSION = 3
BUFFER_ALIGNMENT = 16  # the format's
LOWEST = np.finfo(np.float32).min


class Unsupported(Exception):
    """An operator, or a form of one, that no network of the zoo needed so far."""


class Builder(flatbuffers.Builder):
    """Aligns every byte vector: buffers of weights have to be."""

    def CreateNumpyVector(self, values):
        self.StartVector(values.itemsize, values.size, BUFFER_ALIGNMENT)
        self.head -= values.nbytes
        self.Bytes[self.head:self.head + values.nbytes] = values.tobytes()
        self.vectorNumElems = values.size
        return self.EndVector()


class File:
    """The TensorFlow Lite model under construction."""

    def __init__(self):
        self.model = schema.ModelT(version=SCHEMA_VERSION, operatorCodes=[], buffers=[schema.BufferT()])
        self.graph = schema.SubGraphT(tensors=[], operators=[])
        self.model.subgraphs = [self.graph]
        self.codes = {}

    def tensor(self, name, shape, values=None):
        """Adds a tensor, a constant where it has values; returns its index."""
        tensor = schema.TensorT(name=name, shape=[int(n) for n in shape], type=schema.TensorType.FLOAT32)
        if values is not None:
            if values.dtype == np.int32:
                tensor.type = schema.TensorType.INT32
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(schema.BufferT(data=np.ascontiguousarray(values).reshape(-1).view(np.uint8)))
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, values, kind=np.float32):
        values = np.asarray(values, kind)
        return self.tensor(f"constant{len(self.graph.tensors)}", values.shape, values)

    def operator(self, code, inputs, output, options=None, version=1, **fields):
        number = getattr(schema.BuiltinOperator, code)
        if number not in self.codes:
            self.codes[number] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(schema.OperatorCodeT(builtinCode=number, deprecatedBuiltinCode=min(number, 127), version=version))
        operator = schema.OperatorT(opcodeIndex=self.codes[number], inputs=inputs, outputs=[output])
        if options:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")(**fields)
        self.graph.operators.append(operator)

    def bytes(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return builder.Output()


def channels_last(shape):
    return [shape[0], *shape[2:], shape[1]] if len(shape) == 4 else list(shape)


class Converter:
    def __init__(self, model):
        graph = shape_inference.infer_shapes(model).graph
        self.nodes = list(graph.node)
        self.weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
                       for v in [*graph.input, *graph.output, *graph.value_info]}
        self.users = {}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.input = next(v.name for v in graph.input if v.name not in self.weights)
        self.output = graph.output[0].name
        self.swallowed = set()  # nodes that went into the one before them
        self.flattened = {}     # flat value: the shape that it had
        self.file = File()
        self.index = {}

    def convert(self):
        for node in self.nodes:
            if node.output[0] in self.swallowed:
                continue
            method = getattr(self, "on_" + node.op_type, None)
            if method is None:
                raise Unsupported(f"operator {node.op_type}")
            method(node, {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
        return self.file.bytes([self.value(self.input)], [self.value(self.output)])

    # Values

    def value(self, name):
        if name not in self.index:
            self.index[name] = self.file.tensor(name, channels_last(self.shapes[name]))
        return self.index[name]

    def swallow(self, name, *kinds):
        """The node that alone reads `name`, where it is of one of these kinds: it will not be visited."""
        users = self.users.get(name, [])
        if len(users) != 1 or users[0].op_type not in kinds:
            return None
        self.swallowed.add(users[0].output[0])
        return users[0]

    def bounds(self, clip):
        attributes = {a.name: a.f for a in clip.attribute}
        given = [float(self.weights[name]) for name in clip.input[1:]]
        return tuple(given) if given else (attributes["min"], attributes["max"])

    def activation(self, name):
        """The fused activation behind a value, and the name of what comes out of it."""
        node = self.swallow(name, "Relu", "Clip")
        if node is None:
            return schema.ActivationFunctionType.NONE, name
        if node.op_type == "Relu":
            return schema.ActivationFunctionType.RELU, node.output[0]
        if self.bounds(node) != (0.0, 6.0):
            raise Unsupported(f"Clip to {self.bounds(node)}")
        return schema.ActivationFunctionType.RELU6, node.output[0]

    def window(self, name, result, attributes, fill):
        """(tensor to read, padding scheme) of a window operation; pads in front where no scheme fits."""
        kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
        pads = list(attributes.get("pads", [0, 0, 0, 0]))
        if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or list(attributes.get("dilations", [1, 1])) != [1, 1]:
            raise Unsupported("auto_pad and dilations")
        if not any(pads):
            return self.value(name), schema.Padding.VALID
        extents = self.shapes[name][2:]
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(extents, strides, kernel)]
        same = [t // 2 for t in totals] + [t - t // 2 for t in totals]
        if pads == same and self.shapes[result][2:] == [-(-n // s) for n, s in zip(extents, strides)]:
            return self.value(name), schema.Padding.SAME
        batch, channels = self.shapes[name][:2]
        padded = self.file.tensor(f"{name}_padded{len(self.file.graph.tensors)}",
                                  [batch, extents[0] + pads[0] + pads[2], extents[1] + pads[1] + pads[3], channels])
        amounts = self.file.constant([[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]], np.int32)
        if fill == 0:
            self.file.operator("PAD", [self.value(name), amounts], padded, "PadOptions")
        else:
            self.file.operator("PADV2", [self.value(name), amounts, self.file.constant([fill])], padded, "PadV2Options")
        return padded, schema.Padding.VALID

    # Operators

    def on_Conv(self, node, attributes):
        filters = self.weights[node.input[1]]
        offsets = self.weights[node.input[2]] if len(node.input) > 2 else np.zeros(len(filters), np.float32)
        result = node.output[0]
        norm = self.swallow(result, "BatchNormalization")
        if norm is not None:
            scale, shift, mean, variance = (self.weights[name].astype(np.float64) for name in norm.input[1:])
            epsilon = next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5)
            factor = scale / np.sqrt(variance + epsilon)
            filters, offsets = filters * factor.reshape(-1, 1, 1, 1), (offsets - mean) * factor + shift
            result = norm.output[0]
        source, padding = self.window(node.input[0], result, attributes, fill=0)
        fused, result = self.activation(result)
        groups, strides = attributes.get("group", 1), attributes.get("strides", [1, 1])
        common = {"padding": padding, "strideH": strides[0], "strideW": strides[1], "fusedActivationFunction": fused}
        if groups == 1:
            inputs = [source, self.file.constant(filters.transpose(0, 2, 3, 1)), self.file.constant(offsets)]
            self.file.operator("CONV_2D", inputs, self.value(result), "Conv2DOptions", **common)
        elif groups == self.shapes[node.input[0]][1] and filters.shape[1] == 1:
            inputs = [source, self.file.constant(filters.transpose(1, 2, 3, 0)), self.file.constant(offsets)]
            self.file.operator("DEPTHWISE_CONV_2D", inputs, self.value(result), "DepthwiseConv2DOptions",
                               depthMultiplier=len(filters) // groups, **common)
        else:
            raise Unsupported("grouped convolution")

    def on_LeakyRelu(self, node, attributes):
        self.file.operator("LEAKY_RELU", [self.value(node.input[0])], self.value(node.output[0]), "LeakyReluOptions",
                           alpha=attributes.get("alpha", 0.01))

    def on_Relu(self, node, _):
        self.file.operator("RELU", [self.value(node.input[0])], self.value(node.output[0]))

    def on_MaxPool(self, node, attributes):
        source, padding = self.window(node.input[0], node.output[0], attributes, fill=LOWEST)
        strides, kernel = attributes.get("strides", [1, 1]), attributes["kernel_shape"]
        self.file.operator("MAX_POOL_2D", [source], self.value(node.output[0]), "Pool2DOptions", padding=padding, strideH=strides[0],
                           strideW=strides[1], filterHeight=kernel[0], filterWidth=kernel[1])

    def on_GlobalAveragePool(self, node, _):
        self.file.operator("MEAN", [self.value(node.input[0]), self.file.constant([1, 2], np.int32)], self.value(node.output[0]),
                           "ReducerOptions", keepDims=True)

    def on_Flatten(self, node, _):
        shape = self.shapes[node.output[0]]
        self.file.operator("RESHAPE", [self.value(node.input[0]), self.file.constant(shape, np.int32)], self.value(node.output[0]),
                           "ReshapeOptions", newShape=shape)
        self.flattened[node.output[0]] = self.shapes[node.input[0]]

    def on_Gemm(self, node, attributes):
        weights = self.weights[node.input[1]]
        if not attributes.get("transB"):
            weights = weights.T
        if len(self.flattened.get(node.input[0], ())) == 4:  # rows come in another order here
            _, channels, height, width = self.flattened[node.input[0]]
            weights = weights.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(weights), -1)
        fused, result = self.activation(node.output[0])
        inputs = [self.value(node.input[0]), self.file.constant(weights), self.file.constant(self.weights[node.input[2]])]
        self.file.operator("FULLY_CONNECTED", inputs, self.value(result), "FullyConnectedOptions", fusedActivationFunction=fused)

    def on_Softmax(self, node, _):
        self.file.operator("SOFTMAX", [self.value(node.input[0])], self.value(node.output[0]), "SoftmaxOptions", beta=1.0)

    def same(self, node, _):
        self.index[node.output[0]] = self.value(node.input[0])
        if node.input[0] in self.flattened:
            self.flattened[node.output[0]] = self.flattened[node.input[0]]

    on_Dropout = on_Identity = same


def convert(source, target):
    data = Converter(onnx.load(source)).convert()
    with open(target, "wb") as file:
        file.write(data)
