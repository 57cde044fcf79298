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

from snug_zoo import sample

OLDEST_OPSET = 7
NEWEST_OPSET = onnx.defs.onnx_opset_version()
FLOAT_BYTES = 4


class ZooError(Exception):
    """A request that cannot be met; its text is shown to the user."""


class Tensor:
    """A value of the graph: its name, shape (NCHW or NC) and, when asked for, a sample of it."""

    def __init__(self, name, shape, compute):
        self.name = name
        self.shape = tuple(shape)
        self._compute = compute
        self._sample = None

    @property
    def sample(self):
        """See sample.py. Computed when a batch norm asks: a network without one needs none."""
        if self._sample is None:
            self._sample = self._compute()
        return self._sample

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
        # Output shape of each layer as darknet counts: convolutions and poolings.
        self.layer_shapes = []
        self.spatial_layers = 0  # those before the first that needs whole planes
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

    def _node(self, kind, stem, inputs, shape, compute=None, **attributes):
        name = self._unique(stem)
        self.nodes.append(helper.make_node(kind, [getattr(i, "name", i) for i in inputs], [name], name=name, **attributes))
        return Tensor(name, shape, compute)

    def _layer(self, shape, spatial=True):
        if spatial and self.spatial_layers == len(self.layer_shapes):
            self.spatial_layers += 1
        self.layer_shapes.append(shape)
        return shape

    def network_input(self, shape):
        if min(shape) < 1:
            raise ZooError(f"the input shape {'x'.join(map(str, shape))} has an extent below 1")
        # A stream of its own: weights stay the same whatever the input's size.
        self.input = Tensor("input", shape, lambda: sample.network_input(np.random.Generator(np.random.PCG64(0)), shape))
        return self.input

    def _window(self, x, kernel, stride, pads, dilation, auto_pad):
        """Extents after a window op, its pads, and the attributes that say it."""
        pads = list(four_pads(pads))
        extents = []
        for axis in range(2):
            size = x.shape[2 + axis]
            reach = (kernel[axis] - 1) * dilation[axis] + 1
            if auto_pad == "VALID":
                pads[axis] = pads[axis + 2] = 0
            elif auto_pad:
                total = max((-(-size // stride[axis]) - 1) * stride[axis] + reach - size, 0)
                pads[axis] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                pads[axis + 2] = total - pads[axis]
            out = (size + pads[axis] + pads[axis + 2] - reach) // stride[axis] + 1
            if out < 1:
                raise ZooError(f"{self.name} needs a larger --size: an extent of {size} is too small for layer {len(self.layer_shapes)}")
            extents.append(out)
        attributes = {"kernel_shape": kernel, "strides": stride}
        attributes.update({"auto_pad": auto_pad} if auto_pad else {"pads": pads})
        return extents, pads, attributes

    def conv(self, x, channels, kernel=3, stride=1, pads=0, dilation=1, groups=1, bias=True, auto_pad=None, gain=2.0):
        """A convolution with normal weights of variance gain / fan-in (2: He et al. 2015)."""
        kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
        extents, padding, attributes = self._window(x, kernel, stride, pads, dilation, auto_pad)
        depth = x.channels // groups
        shape = self._layer((x.shape[0], channels, *extents))
        self.macs += math.prod(shape) * depth * math.prod(kernel)
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
        return self._node("Conv", stem + "_", inputs, shape,
                          lambda: sample.convolution(x.sample, weights, offset, stride, padding, dilation, groups), **attributes)

    def batch_norm(self, x, epsilon=1e-5):
        """Batch norm whose statistics are, within a tenth, those of its input."""
        stem = self._unique("norm")
        shape = (x.channels,)

        def near(statistic, scatter):
            # float16 steps: the same figures whatever order a machine sums in.
            return (statistic * scatter).astype(np.float16)

        scale = self._parameter(stem + ".scale", shape, lambda: self.random.uniform(0.8, 1.2, shape))
        shift = self._parameter(stem + ".bias", shape, lambda: self._normal(shape, 0.2))
        mean = self._parameter(stem + ".mean", shape,
                               lambda: near(x.sample.mean(axis=(0, 2, 3)), self.random.uniform(0.9, 1.1, shape)))
        variance = self._parameter(stem + ".var", shape,
                                   lambda: near(x.sample.var(axis=(0, 2, 3)) + 1e-3, self.random.uniform(0.9, 1.1, shape)))
        attributes = {"epsilon": epsilon}
        if self.opset < 9:
            attributes["spatial"] = 1
        elif self.opset >= 14:
            attributes["training_mode"] = 0
        inputs = [x] + [f"{stem}.{part}" for part in ("scale", "bias", "mean", "var")]
        return self._node("BatchNormalization", stem + "_", inputs, x.shape,
                          lambda: sample.batch_norm(x.sample, scale, shift, mean, variance, epsilon), **attributes)

    def relu(self, x):
        return self._node("Relu", "relu", [x], x.shape, lambda: sample.leaky_relu(x.sample, 0.0))

    def leaky(self, x, slope=0.1):
        return self._node("LeakyRelu", "leaky", [x], x.shape, lambda: sample.leaky_relu(x.sample, slope), alpha=slope)

    def relu6(self, x, constant_nodes=False):
        """Clip to [0, 6]: attributes before opset 11; then inputs, initializers or Constant nodes."""
        def compute():
            return np.clip(x.sample, 0.0, 6.0)

        if self.opset < 11:
            return self._node("Clip", "clip", [x], x.shape, compute, min=0.0, max=6.0)
        bounds = []
        for label, value in (("min", 0.0), ("max", 6.0)):
            name = self._unique("bound_" + label)
            if constant_nodes:
                tensor = helper.make_tensor(name + "_value", TensorProto.FLOAT, (), [value])
                self.nodes.append(helper.make_node("Constant", [], [name], name=name, value=tensor))
            else:
                self._constant(name, [value])
            bounds.append(name)
        return self._node("Clip", "clip", [x, *bounds], x.shape, compute)

    def max_pool(self, x, kernel, stride, pads=0, auto_pad=None):
        kernel, stride = pair(kernel), pair(stride)
        extents, padding, attributes = self._window(x, kernel, stride, pads, (1, 1), auto_pad)
        shape = self._layer((*x.shape[:2], *extents))
        return self._node("MaxPool", "max_pool", [x], shape,
                          lambda: sample.max_pool(x.sample, kernel, stride, padding), **attributes)

    def average_pool(self, x, kernel, stride, pads=0, auto_pad=None, count_include_pad=None):
        kernel, stride = pair(kernel), pair(stride)
        extents, padding, attributes = self._window(x, kernel, stride, pads, (1, 1), auto_pad)
        if count_include_pad is not None:
            attributes["count_include_pad"] = count_include_pad
        shape = self._layer((*x.shape[:2], *extents))
        return self._node("AveragePool", "average_pool", [x], shape,
                          lambda: sample.average_pool(x.sample, kernel, stride, padding, bool(count_include_pad)), **attributes)

    def global_average_pool(self, x):
        shape = self._layer((*x.shape[:2], 1, 1), spatial=False)
        return self._node("GlobalAveragePool", "global_pool", [x], shape,
                          lambda: x.sample.mean(axis=(2, 3), keepdims=True))

    def flatten(self, x):
        count = math.prod(x.shape[2:])
        return self._node("Flatten", "flatten", [x], (x.shape[0], x.channels * count), axis=1)

    def reshape_flat(self, x):
        """The same as flatten, said with Reshape, whose batch extent stays open."""
        count = math.prod(x.shape[2:])
        shape = self._constant(self._unique("shape"), [0, -1], TensorProto.INT64, (2,))
        return self._node("Reshape", "reshape", [x, shape], (x.shape[0], x.channels * count))

    def _matrix(self, x, name, shape, gain):
        self.macs += x.shape[0] * math.prod(shape)
        self._parameter(name, shape, lambda: self._normal(shape, math.sqrt(gain / x.channels)))

    def gemm(self, x, outputs, gain=2.0, transposed=True, alpha=None, beta=None):
        stem = self._unique("gemm")
        shape = (outputs, x.channels) if transposed else (x.channels, outputs)
        self._matrix(x, stem + ".weight", shape, gain)
        self._parameter(stem + ".bias", (outputs,), lambda: self._normal((outputs,), 0.1))
        attributes = {"transB": 1} if transposed else {}
        if alpha is not None:
            attributes.update(alpha=alpha, beta=beta)
        inputs = [x, stem + ".weight", stem + ".bias"]
        return self._node("Gemm", stem + "_", inputs, (x.shape[0], outputs), **attributes)

    def matmul(self, x, outputs, gain=2.0):
        stem = self._unique("matmul")
        self._matrix(x, stem + ".weight", (x.channels, outputs), gain)
        return self._node("MatMul", stem + "_", [x, stem + ".weight"], (x.shape[0], outputs))

    def add_bias(self, x):
        """Adds a constant of one value a channel, as a MatMul's bias is written."""
        stem = self._unique("offset")
        self._parameter(stem + ".bias", (x.channels,), lambda: self._normal((x.channels,), 0.1))
        return self._node("Add", stem + "_", [x, stem + ".bias"], x.shape)

    def add(self, x, y):
        return self._node("Add", "add", [x, y], x.shape, lambda: x.sample + y.sample)

    def dropout(self, x, ratio=0.5):
        """Attribute before opset 12, then inputs; never active."""
        if self.opset < 12:
            return self._node("Dropout", "dropout", [x], x.shape, lambda: x.sample, ratio=ratio)
        inputs = [x, self._constant(self._unique("ratio"), [ratio]),
                  self._constant(self._unique("training"), [False], TensorProto.BOOL)]
        return self._node("Dropout", "dropout", inputs, x.shape, lambda: x.sample)

    def identity(self, x):
        return self._node("Identity", "identity", [x], x.shape, lambda: x.sample)

    def softmax(self, x):
        """Over the channels of an NC tensor; the default axis changed with opset 13."""
        attributes = {} if self.opset >= 13 else {"axis": 1}
        return self._node("Softmax", "softmax", [x], x.shape, **attributes)

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
