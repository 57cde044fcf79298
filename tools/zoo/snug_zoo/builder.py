# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators on images and matrices, in the form that each opset asks for."""

import math

import numpy as np
from onnx import TensorProto, helper

from snug_zoo import sample
from snug_zoo.graph import Graph, ZooError
from snug_zoo.movement import Movement


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def four_pads(pads):
    """ONNX's order: top, left, bottom, right."""
    if isinstance(pads, int):
        return (pads,) * 4
    return tuple(pads) if len(pads) == 4 else (pads[0], pads[1], pads[0], pads[1])


class Builder(Movement, Graph):
    """One graph under construction; each method appends a node and returns its result."""

    def _layer(self, shape, spatial=True):
        if spatial and self.spatial_layers == len(self.layer_shapes):
            self.spatial_layers += 1
        self.layer_shapes.append(shape)
        return shape

    def _window(self, x, kernel, stride, pads, dilation, auto_pad, ceil_mode=False):
        """Extents after a window op, its pads, and the attributes that say it.

        With `ceil_mode` a last window may reach beyond the pads, as long as it
        begins before the bottom or right one; the pads returned hold that reach.
        """
        pads = list(four_pads(pads))
        extents, over = [], [0, 0]
        for axis in range(2):
            size = x.shape[2 + axis]
            reach = (kernel[axis] - 1) * dilation[axis] + 1
            if auto_pad == "VALID":
                pads[axis] = pads[axis + 2] = 0
            elif auto_pad:
                total = max((-(-size // stride[axis]) - 1) * stride[axis] + reach - size, 0)
                pads[axis] = total // 2 if auto_pad == "SAME_UPPER" else total - total // 2
                pads[axis + 2] = total - pads[axis]
            room = size + pads[axis] + pads[axis + 2] - reach
            out = room // stride[axis] + 1
            if ceil_mode and room % stride[axis] and out * stride[axis] < size + pads[axis]:
                over[axis] = (-room) % stride[axis]
                out += 1
            if out < 1:
                raise ZooError(f"{self.name} needs a larger --size: an extent of {size} is too small for layer {len(self.layer_shapes)}")
            extents.append(out)
        reached = [*pads[:2], pads[2] + over[0], pads[3] + over[1]]
        attributes = {"kernel_shape": kernel, "strides": stride}
        if ceil_mode and self.opset >= 10:
            attributes["ceil_mode"] = 1
        elif ceil_mode:
            pads = reached  # as exporters of that time wrote it
        attributes.update({"auto_pad": auto_pad} if auto_pad else {"pads": pads})
        if dilation != (1, 1):
            attributes["dilations"] = dilation
        return extents, reached, attributes

    def conv(self, x, channels, kernel=3, stride=1, pads=0, dilation=1, groups=1, bias=True, auto_pad=None, gain=2.0, shared=None):
        """A convolution with normal weights of variance gain / fan-in (2: He et al. 2015). Those of one name `shared` have one set."""
        kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
        extents, padding, attributes = self._window(x, kernel, stride, pads, dilation, auto_pad)
        depth = x.channels // groups
        shape = self._layer((x.shape[0], channels, *extents))
        self.macs += math.prod(shape) * depth * math.prod(kernel)
        stem = self._unique("conv")
        deviation = math.sqrt(gain / (depth * math.prod(kernel)))
        weight_shape = (channels, depth, *kernel)
        if shared not in self._shared:
            weights = self._parameter(stem + ".weight", weight_shape, lambda: self._normal(weight_shape, deviation))
            offset = self._parameter(stem + ".bias", (channels,), lambda: self._normal((channels,), 0.1)) if bias else None
            parameters = (weights, offset, [stem + ".weight"] + ([stem + ".bias"] if bias else []))
            if shared:
                self._shared[shared] = parameters
        else:
            parameters = self._shared[shared]
        weights, offset, names = parameters
        if groups != 1:
            attributes["group"] = groups
        return self._node("Conv", stem + "_", [x, *names], shape,
                          lambda: sample.convolution(x.sample, weights, offset, stride, padding, dilation, groups), **attributes)

    def conv_transpose(self, x, channels, kernel=2, stride=2, pads=0, dilation=1, groups=1, bias=True, output_pads=0,
                       output_shape=None, auto_pad=None):
        """A transposed convolution: each input element adds to kernel x kernel outputs, `stride` apart.

        Each output element is counted with the most taps that one of them has. `output_shape` and `auto_pad` have ONNX derive the pads; a sample is
        there only of what is padded explicitly.
        """
        kernel, stride, dilation, output_pads = pair(kernel), pair(stride), pair(dilation), pair(output_pads)
        pads = four_pads(pads)
        extents = []
        for axis in range(2):
            reach = (x.shape[2 + axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
            extents.append(reach - pads[axis] - pads[axis + 2] + output_pads[axis])
            if auto_pad:
                extents[axis] = x.shape[2 + axis] * stride[axis]
        if output_shape:
            extents = list(output_shape)
        shape = self._layer((x.shape[0], channels, *extents))
        depth = channels // groups
        self.macs += math.prod(shape) * x.channels // groups * math.prod((k - 1) // s + 1 for k, s in zip(kernel, stride))
        stem = self._unique("conv_transpose")
        deviation = math.sqrt(2.0 * math.prod(stride) / (x.channels // groups * math.prod(kernel)))
        weight_shape = (x.channels, depth, *kernel)
        weights = self._parameter(stem + ".weight", weight_shape, lambda: self._normal(weight_shape, deviation))
        inputs = [x, stem + ".weight"]
        offset = None
        if bias:
            offset = self._parameter(stem + ".bias", (channels,), lambda: self._normal((channels,), 0.1))
            inputs.append(stem + ".bias")
        attributes = {"kernel_shape": kernel, "strides": stride}
        if output_shape:
            attributes["output_shape"] = output_shape
        elif auto_pad:
            attributes["auto_pad"] = auto_pad
        else:
            attributes["pads"] = pads
        if any(output_pads):
            attributes["output_padding"] = output_pads
        if dilation != (1, 1):
            attributes["dilations"] = dilation
        if groups != 1:
            attributes["group"] = groups
        compute = None
        if not output_shape and not auto_pad:
            def compute():
                return sample.transposed_convolution(x.sample, weights, offset, stride, pads, dilation, groups, output_pads)
        return self._node("ConvTranspose", stem + "_", inputs, shape, compute, **attributes)

    def batch_norm(self, x, epsilon=1e-5):
        """Batch norm whose mean is, within a tenth, that of its input, and whose variance see sample.variance()."""
        stem = self._unique("norm")
        shape = (x.channels,)
        self.statistics += 2 * x.channels
        self.normalized += math.prod(x.shape)

        def near(statistic, scatter):
            # In 11 bits: the same figures whatever order a machine sums in.
            fraction, exponent = np.frexp(statistic * scatter)
            return np.ldexp(np.round(fraction * 2048) / 2048, exponent)

        scale = self._parameter(stem + ".scale", shape, lambda: self.random.uniform(0.8, 1.2, shape))
        shift = self._parameter(stem + ".bias", shape, lambda: self._normal(shape, 0.2))
        mean = self._parameter(stem + ".mean", shape,
                               lambda: near(x.sample.mean(axis=(0, 2, 3)), self.random.uniform(0.9, 1.1, shape)))
        variance = self._parameter(stem + ".var", shape,
                                   lambda: near(sample.variance(x.sample), self.random.uniform(0.9, 1.1, shape)))
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
        return self.clip(x, 0.0, 6.0, constant_nodes)

    def clip(self, x, low=None, high=None, constant_nodes=False):
        """Clip to [low, high], either of which may be left out: attributes before opset 11; then inputs, initializers or Constant nodes."""
        def compute():
            return np.clip(x.sample, low, high)

        if self.opset < 11:
            bounds = {"min": low, "max": high}
            return self._node("Clip", "clip", [x], x.shape, compute, **{k: v for k, v in bounds.items() if v is not None})
        inputs = [x]
        for label, value in (("min", low), ("max", high)):
            if value is None:
                inputs.append("")
            elif constant_nodes:
                inputs.append(self.constant_node([value], kind=TensorProto.FLOAT))
            else:
                inputs.append(self._constant(self._unique("bound_" + label), [value]))
        while not inputs[-1]:
            inputs.pop()
        return self._node("Clip", "clip", inputs, x.shape, compute)

    def unary(self, kind, x, function=None, **attributes):
        """Any operator of one value that keeps its shape; `function` of a sample, where a batch norm may follow."""
        return self._node(kind, kind.lower(), [x], x.shape, (lambda: function(x.sample)) if function else None, **attributes)

    def sigmoid(self, x):
        return self.unary("Sigmoid", x, sample.sigmoid)

    def hard_sigmoid(self, x):
        """x / 6 + 1 / 2 between 0 and 1, as MobileNet v3 has it."""
        return self.unary("HardSigmoid", x, lambda v: np.clip(v / 6 + 0.5, 0, 1), alpha=1 / 6, beta=0.5)

    def swish(self, x):
        """As exporters write it: x * sigmoid(x)."""
        return self.multiply(x, self.sigmoid(x))

    def hard_swish(self, x):
        """One operator since opset 14, two before."""
        if self.opset >= 14:
            return self.unary("HardSwish", x, lambda v: v * np.clip(v / 6 + 0.5, 0, 1))
        return self.multiply(x, self.hard_sigmoid(x))

    def prelu(self, x, slope):
        return self._node("PRelu", "prelu", [x, slope], x.shape, lambda: np.where(x.sample > 0, x.sample, x.sample * slope.sample))

    def lrn(self, x, size, alpha=1e-4, beta=0.75, bias=1.0):
        return self._node("LRN", "lrn", [x], x.shape, size=size, alpha=alpha, beta=beta, bias=bias)

    def binary(self, kind, x, y, function=None):
        """Any operator of two values, which broadcast."""
        return self._node(kind, kind.lower(), [x, y], np.broadcast_shapes(x.shape, y.shape),
                          (lambda: function(x.sample, y.sample)) if function else None)

    def multiply(self, x, y):
        return self.binary("Mul", x, y, np.multiply)

    def add(self, x, y):
        return self.binary("Add", x, y, np.add)

    def max_pool(self, x, kernel, stride, pads=0, auto_pad=None, ceil_mode=False, dilation=1):
        kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
        extents, padding, attributes = self._window(x, kernel, stride, pads, dilation, auto_pad, ceil_mode)
        shape = self._layer((*x.shape[:2], *extents))
        return self._node("MaxPool", "max_pool", [x], shape,
                          lambda: sample.max_pool(x.sample, kernel, stride, padding, dilation), **attributes)

    def average_pool(self, x, kernel, stride, pads=0, auto_pad=None, count_include_pad=None, ceil_mode=False):
        kernel, stride = pair(kernel), pair(stride)
        extents, padding, attributes = self._window(x, kernel, stride, pads, (1, 1), auto_pad, ceil_mode)
        if count_include_pad is not None:
            attributes["count_include_pad"] = count_include_pad
        shape = self._layer((*x.shape[:2], *extents))
        return self._node("AveragePool", "average_pool", [x], shape,
                          lambda: sample.average_pool(x.sample, kernel, stride, padding, bool(count_include_pad)), **attributes)

    def global_max_pool(self, x):
        return self._node("GlobalMaxPool", "global_pool", [x], self._layer((*x.shape[:2], 1, 1), spatial=False))

    def global_average_pool(self, x):
        shape = self._layer((*x.shape[:2], 1, 1), spatial=False)
        return self._node("GlobalAveragePool", "global_pool", [x], shape,
                          lambda: x.sample.mean(axis=(2, 3), keepdims=True))

    def reduce(self, kind, x, axes, keep=True):
        """ReduceMean, ReduceMax, ReduceMin or ReduceSum; axes became an input with opset 18, of the sum with 13."""
        shape = [1 if i in axes else e for i, e in enumerate(x.shape) if keep or i not in axes]
        function = {"ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceSum": np.sum}[kind]

        def compute():
            return function(x.sample, axis=tuple(axes), keepdims=keep)

        if self.opset >= (13 if kind == "ReduceSum" else 18):
            return self._node(kind, "reduce", [x, self.integers(axes)], shape, compute, keepdims=int(keep))
        return self._node(kind, "reduce", [x], shape, compute, axes=axes, keepdims=int(keep))

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

    def dropout(self, x, ratio=0.5):
        """Attribute before opset 12, then inputs; never active."""
        if self.opset < 12:
            return self._node("Dropout", "dropout", [x], x.shape, lambda: x.sample, ratio=ratio)
        inputs = [x, self._constant(self._unique("ratio"), [ratio]),
                  self._constant(self._unique("training"), [False], TensorProto.BOOL)]
        return self._node("Dropout", "dropout", inputs, x.shape, lambda: x.sample)

    def identity(self, x):
        return self._node("Identity", "identity", [x], x.shape, lambda: x.sample)

    def softmax(self, x, axis=None):
        """Over the channels of an NC tensor; the default axis changed with opset 13. Another axis before that must be the last."""
        attributes = {} if self.opset >= 13 else {"axis": 1}
        if axis is not None:
            attributes = {"axis": axis}
        return self._node("Softmax", "softmax", [x], x.shape, **attributes)

    def product(self, x, y):
        """MatMul of two activations."""
        shape = (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
        self.macs += math.prod(shape) * x.shape[-1]
        return self._node("MatMul", "product", [x, y], shape)
