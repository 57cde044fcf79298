# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds an ONNX graph op by op, in the form that each opset asks for.

Weights come from one seeded generator, so that a network is the same file on
every machine. With `weights=False` only shapes, multiply-accumulates and
parameters are counted, which takes no time; `zoo --list` does so.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper

from snug_zoo.moments import Moments

OLDEST_OPSET = 7
NEWEST_OPSET = onnx.defs.onnx_opset_version()
FLOAT_BYTES = 4


class ZooError(Exception):
    """A request that cannot be met; its text is shown to the user."""


class Tensor:
    """A value of the graph: its name, shape (NCHW or NC) and moments."""

    def __init__(self, name, shape, moments):
        self.name = name
        self.shape = tuple(shape)
        self.moments = moments

    @property
    def channels(self):
        return self.shape[1]


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def four_pads(pads):
    """ONNX's order: top, left, bottom, right."""
    if isinstance(pads, int):
        return (pads,) * 4
    return tuple(pads) if len(pads) == 4 else (pads[0], pads[1], pads[0], pads[1])


class Builder:
    """One graph under construction; each method appends a node and returns its result."""

    def __init__(self, name, opset, seed, weights=True):
        if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
            raise ZooError(f"opset {opset} is not between {OLDEST_OPSET} and {NEWEST_OPSET}; choose another --opset")
        self.name = name
        self.opset = opset
        self.random = np.random.Generator(np.random.PCG64(seed)) if weights else None
        self.nodes = []
        # Filled in place: copying vgg16's weights once more would cost half a
        # gigabyte.
        self.proto = onnx.ModelProto()
        self.input = None
        self.macs = 0  # of convolutions and matrix products
        self.parameters = 0
        self.layers = 0  # as darknet counts: convolutions and poolings
        self._names = {}

    # Weights

    def _parameter(self, name, shape, make):
        """Adds an initializer; returns its values, or nothing when only counting."""
        self.parameters += math.prod(shape)
        if self.random is None:
            return None
        values = np.ascontiguousarray(make(), np.float32)
        assert values.shape == tuple(shape), (name, values.shape, shape)
        tensor = self.proto.graph.initializer.add()
        tensor.name = name
        tensor.data_type = TensorProto.FLOAT
        tensor.dims.extend(shape)
        tensor.raw_data = values.astype("<f4", copy=False).tobytes()
        return values

    def _normal(self, shape, deviation):
        values = self.random.standard_normal(shape, np.float32)
        values *= np.float32(deviation)
        return values

    def _constant(self, name, values, kind=TensorProto.FLOAT, shape=()):
        """A small constant that is no parameter of the network: a bound, a shape, a ratio."""
        if self.random is not None:
            self.proto.graph.initializer.append(helper.make_tensor(name, kind, shape, values))
        return name

    # Nodes

    def _unique(self, stem):
        number = self._names.get(stem, 0)
        self._names[stem] = number + 1
        return f"{stem}{number}"

    def _node(self, kind, stem, inputs, shape, moments, **attributes):
        name = self._unique(stem)
        self.nodes.append(helper.make_node(kind, [getattr(i, "name", i) for i in inputs], [name], name=name, **attributes))
        return Tensor(name, shape, moments)

    def _moments(self, compute):
        return None if self.random is None else compute()

    def network_input(self, shape):
        if min(shape) < 1:
            raise ZooError(f"the input shape {'x'.join(map(str, shape))} has an extent below 1")
        self.input = Tensor("input", shape, self._moments(lambda: Moments.of_input(shape[1])))
        return self.input

    def _window(self, x, kernel, stride, pads, dilation, auto_pad):
        """Extents after a window op, and the attributes that say it."""
        pads = four_pads(pads)
        extents = []
        for axis in range(2):
            size = x.shape[2 + axis]
            reach = (kernel[axis] - 1) * dilation[axis] + 1
            if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
                extents.append(-(-size // stride[axis]))
                continue
            if auto_pad == "VALID":
                pads = (0, 0, 0, 0)
            out = (size + pads[axis] + pads[2 + axis] - reach) // stride[axis] + 1
            if out < 1:
                raise ZooError(f"{self.name} needs a larger --size: an extent of {size} is too small for layer {self.layers}")
            extents.append(out)
        attributes = {"kernel_shape": kernel, "strides": stride}
        if auto_pad:
            attributes["auto_pad"] = auto_pad
        else:
            attributes["pads"] = pads
        return extents, attributes

    def conv(self, x, channels, kernel=3, stride=1, pads=0, dilation=1, groups=1, bias=True, auto_pad=None, gain=2.0):
        """A convolution with normal weights of variance gain / fan-in (2: He et al. 2015)."""
        kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
        extents, attributes = self._window(x, kernel, stride, pads, dilation, auto_pad)
        depth = x.channels // groups
        shape = (x.shape[0], channels, *extents)
        self.macs += math.prod(shape) * depth * math.prod(kernel)
        self.layers += 1
        stem = self._unique("conv")
        deviation = math.sqrt(gain / (depth * math.prod(kernel)))
        weight_shape = (channels, depth, *kernel)
        weights = self._parameter(stem + ".weight", weight_shape, lambda: self._normal(weight_shape, deviation))
        inputs = [x, stem + ".weight"]
        offset = None
        if bias:
            offset = self._parameter(stem + ".bias", (channels,), lambda: self._normal((channels,), 0.1))
            inputs.append(stem + ".bias")
        if dilation != (1, 1):
            attributes["dilations"] = dilation
        if groups != 1:
            attributes["group"] = groups
        moments = self._moments(lambda: x.moments.convolved(weights, groups, offset))
        return self._node("Conv", stem + "_", inputs, shape, moments, **attributes)

    def batch_norm(self, x, epsilon=1e-5):
        """Batch norm whose statistics are, within a tenth, those of its input."""
        stem = self._unique("norm")
        shape = (x.channels,)
        before = x.moments

        def near(values):
            # float16 steps: the same figures whatever order a machine sums in.
            return values.astype(np.float16).astype(np.float32)

        scale = self._parameter(stem + ".scale", shape, lambda: self.random.uniform(0.8, 1.2, shape))
        shift = self._parameter(stem + ".bias", shape, lambda: self._normal(shape, 0.2))
        mean = self._parameter(stem + ".mean", shape,
                               lambda: near(before.mean + 0.1 * np.sqrt(before.variance) * self.random.standard_normal(shape)))
        variance = self._parameter(stem + ".var", shape, lambda: near(before.variance * self.random.uniform(0.9, 1.1, shape)))
        attributes = {"epsilon": epsilon}
        if self.opset < 9:
            attributes["spatial"] = 1
        elif self.opset >= 14:
            attributes["training_mode"] = 0
        moments = self._moments(lambda: before.normalized(scale, shift, mean, variance, epsilon))
        inputs = [x] + [f"{stem}.{part}" for part in ("scale", "bias", "mean", "var")]
        return self._node("BatchNormalization", stem + "_", inputs, x.shape, moments, **attributes)

    def relu(self, x):
        return self._node("Relu", "relu", [x], x.shape, self._moments(lambda: x.moments.rectified(0.0)))

    def leaky(self, x, slope=0.1):
        return self._node("LeakyRelu", "leaky", [x], x.shape, self._moments(lambda: x.moments.rectified(slope)), alpha=slope)

    def relu6(self, x, constant_nodes=False):
        """Clip to [0, 6]: attributes before opset 11; then inputs, initializers or Constant nodes."""
        moments = self._moments(lambda: x.moments.rectified(0.0))
        if self.opset < 11:
            return self._node("Clip", "clip", [x], x.shape, moments, min=0.0, max=6.0)
        bounds = []
        for label, value in (("min", 0.0), ("max", 6.0)):
            name = self._unique("bound_" + label)
            if constant_nodes:
                tensor = helper.make_tensor(name + "_value", TensorProto.FLOAT, (), [value])
                self.nodes.append(helper.make_node("Constant", [], [name], name=name, value=tensor))
            else:
                self._constant(name, [value])
            bounds.append(name)
        return self._node("Clip", "clip", [x, *bounds], x.shape, moments)

    def max_pool(self, x, kernel, stride, pads=0, auto_pad=None):
        kernel, stride = pair(kernel), pair(stride)
        extents, attributes = self._window(x, kernel, stride, pads, (1, 1), auto_pad)
        self.layers += 1
        moments = self._moments(lambda: x.moments.maximum_of(math.prod(kernel)))
        return self._node("MaxPool", "max_pool", [x], (*x.shape[:2], *extents), moments, **attributes)

    def average_pool(self, x, kernel, stride, pads=0, auto_pad=None, count_include_pad=None):
        kernel, stride = pair(kernel), pair(stride)
        extents, attributes = self._window(x, kernel, stride, pads, (1, 1), auto_pad)
        if count_include_pad is not None:
            attributes["count_include_pad"] = count_include_pad
        self.layers += 1
        moments = self._moments(lambda: x.moments.average_of(math.prod(kernel)))
        return self._node("AveragePool", "average_pool", [x], (*x.shape[:2], *extents), moments, **attributes)

    def global_average_pool(self, x):
        self.layers += 1
        moments = self._moments(lambda: x.moments.average_of(x.shape[2] * x.shape[3]))
        return self._node("GlobalAveragePool", "global_pool", [x], (*x.shape[:2], 1, 1), moments)

    def flatten(self, x):
        count = math.prod(x.shape[2:])
        moments = self._moments(lambda: x.moments.repeated(count))
        return self._node("Flatten", "flatten", [x], (x.shape[0], x.channels * count), moments, axis=1)

    def reshape_flat(self, x):
        """The same as flatten, said with Reshape, whose batch extent stays open."""
        count = math.prod(x.shape[2:])
        shape = self._constant(self._unique("shape"), [0, -1], TensorProto.INT64, (2,))
        moments = self._moments(lambda: x.moments.repeated(count))
        return self._node("Reshape", "reshape", [x, shape], (x.shape[0], x.channels * count), moments)

    def _matrix(self, x, name, shape, gain):
        depth = x.channels
        self.macs += x.shape[0] * math.prod(shape)
        self._parameter(name, shape, lambda: self._normal(shape, math.sqrt(gain / depth)))
        outputs = math.prod(shape) // depth
        # By expectation over the weights; an exact sum would cost more than
        # the weights themselves, and no batch norm follows.
        return outputs, self._moments(lambda: Moments(
            np.zeros(outputs), np.full(outputs, gain * np.mean(x.moments.variance + x.moments.mean**2))))

    def gemm(self, x, outputs, gain=2.0, transposed=True, alpha=None, beta=None):
        stem = self._unique("gemm")
        shape = (outputs, x.channels) if transposed else (x.channels, outputs)
        _, moments = self._matrix(x, stem + ".weight", shape, gain)
        self._parameter(stem + ".bias", (outputs,), lambda: self._normal((outputs,), 0.1))
        attributes = {"transB": 1} if transposed else {}
        if alpha is not None:
            attributes.update(alpha=alpha, beta=beta)
        return self._node("Gemm", stem + "_", [x, stem + ".weight", stem + ".bias"], (x.shape[0], outputs), moments, **attributes)

    def matmul(self, x, outputs, gain=2.0):
        stem = self._unique("matmul")
        _, moments = self._matrix(x, stem + ".weight", (x.channels, outputs), gain)
        return self._node("MatMul", stem + "_", [x, stem + ".weight"], (x.shape[0], outputs), moments)

    def add_bias(self, x):
        """Adds a constant of one value a channel, as a MatMul's bias is written."""
        stem = self._unique("offset")
        self._parameter(stem + ".bias", (x.channels,), lambda: self._normal((x.channels,), 0.1))
        return self._node("Add", stem + "_", [x, stem + ".bias"], x.shape, x.moments)

    def add(self, x, y):
        return self._node("Add", "add", [x, y], x.shape, self._moments(lambda: x.moments.plus(y.moments)))

    def dropout(self, x, ratio=0.5):
        """Attribute before opset 12, then inputs; never active."""
        if self.opset < 12:
            return self._node("Dropout", "dropout", [x], x.shape, x.moments, ratio=ratio)
        inputs = [x, self._constant(self._unique("ratio"), [ratio]),
                  self._constant(self._unique("training"), [False], TensorProto.BOOL)]
        return self._node("Dropout", "dropout", inputs, x.shape, x.moments)

    def identity(self, x):
        return self._node("Identity", "identity", [x], x.shape, x.moments)

    def softmax(self, x):
        """Over the channels of an NC tensor; the default axis changed with opset 13."""
        attributes = {} if self.opset >= 13 else {"axis": 1}
        return self._node("Softmax", "softmax", [x], x.shape, x.moments, **attributes)

    # The file

    def model(self, result):
        """The finished model, whose last value is renamed `output`."""
        assert self.random is not None, "only counting"
        last = self.nodes[-1]
        assert last.output[0] == result.name, "the result must come from the last node"
        last.output[0] = "output"
        opset = helper.make_opsetid("", self.opset)
        self.proto.ir_version = helper.find_min_ir_version_for([opset])
        self.proto.opset_import.append(opset)
        self.proto.producer_name = "snug-zoo"
        graph = self.proto.graph
        graph.name = self.name
        graph.node.extend(self.nodes)
        graph.input.append(helper.make_tensor_value_info("input", TensorProto.FLOAT, self.input.shape))
        if self.proto.ir_version < 4:
            # Files of that time list every initializer as an input as well.
            graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in graph.initializer)
        graph.output.append(helper.make_tensor_value_info("output", TensorProto.FLOAT, result.shape))
        return self.proto
