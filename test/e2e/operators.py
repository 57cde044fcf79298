# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A graph with every operator that is imported, in the forms that each operator set has for it."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CASES = []


def case(since=7, until=99):
    """Registers a function that adds nodes to a Graph and returns the name of its result, or several."""

    def register(function):
        CASES.append((function.__name__, since, until, function))
        return function

    return register


class Graph:
    """The nodes of all cases at one operator set, side by side; each case's results are outputs named after it."""

    def __init__(self, opset, only=None):
        self.opset = opset
        self.nodes, self.inputs, self.outputs, self.initializers = [], [], [], []
        self.feeds = {}
        self.random = np.random.default_rng(17)
        for name, since, until, function in CASES:
            if not since <= opset <= until or (only and name not in only):
                continue
            self.case, self.count = name, 0
            results = function(self)
            for index, result in enumerate([results] if isinstance(results, str) else results):
                output = f"{name}.{index}"
                # What it is made of counts, not what it is called.
                self.nodes.append(helper.make_node("Identity", [result], [output], name=output))
                self.outputs.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))

    def name(self):
        self.count += 1
        return f"{self.case}/{self.count}"

    def input(self, *shape, low=-2.0, high=2.0):
        name = self.name()
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.feeds[name] = self.random.uniform(low, high, shape).astype(np.float32)
        return name

    def constant(self, values, kind=np.float32):
        name = self.name()
        self.initializers.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    def integers(self, *values):
        return self.constant(values, np.int64)

    def weights(self, *shape):
        return self.constant(self.random.uniform(-1, 1, shape))

    def add(self, kind, *operands, results=1, **attributes):
        names = [self.name() for _ in range(results)]
        self.nodes.append(helper.make_node(kind, list(operands), names, name=names[0], **attributes))
        return names[0] if results == 1 else names

    def model(self, opset=None):
        graph = helper.make_graph(self.nodes, "operators", self.inputs, self.outputs, self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset or self.opset)], ir_version=8)


# Convolutions


@case()
def conv(g):
    x = g.input(2, 4, 9, 8)
    return [
        g.add("Conv", x, g.weights(6, 2, 3, 2), g.weights(6), group=2, strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2]),
        g.add("Conv", x, g.weights(3, 4, 3, 3), auto_pad="SAME_UPPER", strides=[2, 3]),
        g.add("Conv", x, g.weights(3, 4, 2, 4), auto_pad="SAME_LOWER", kernel_shape=[2, 4]),
        g.add("Conv", x, g.weights(4, 1, 3, 3), auto_pad="VALID", group=4),
    ]


@case()
def conv_1d(g):
    return g.add("Conv", g.input(1, 3, 11), g.weights(5, 3, 3), g.weights(5), strides=[2], pads=[1, 0], dilations=[2])


@case()
def conv_transpose(g):
    x = g.input(1, 4, 5, 6)
    w = g.weights(4, 3, 3, 3)
    return [
        g.add("ConvTranspose", x, w, g.weights(3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0]),
        g.add("ConvTranspose", x, g.weights(4, 2, 2, 3), group=2, dilations=[2, 1]),
        g.add("ConvTranspose", x, w, strides=[3, 2], output_shape=[15, 11]),
        g.add("ConvTranspose", x, w, strides=[2, 2], output_shape=[10, 12], auto_pad="SAME_UPPER"),
        g.add("ConvTranspose", x, w, strides=[2, 2], auto_pad="SAME_LOWER"),
        g.add("ConvTranspose", x, w, strides=[2, 3], auto_pad="VALID"),
    ]


@case()
def conv_transpose_1d(g):
    return g.add("ConvTranspose", g.input(1, 2, 5), g.weights(2, 3, 4), strides=[2], pads=[1, 1])


# Poolings


@case()
def max_pool(g):
    x = g.input(1, 3, 9, 8)
    return [
        g.add("MaxPool", x, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
        g.add("MaxPool", x, kernel_shape=[2, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
        g.add("MaxPool", g.input(1, 2, 9), kernel_shape=[3], strides=[2]),
    ]


@case(10)
def max_pool_10(g):
    x = g.input(1, 3, 11, 10)
    return [
        g.add("MaxPool", x, kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1),
        g.add("MaxPool", x, kernel_shape=[3, 3], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
        g.add("MaxPool", x, kernel_shape=[2, 2], strides=[3, 4], pads=[1, 1, 1, 1], ceil_mode=1),
        g.add("MaxPool", x, kernel_shape=[3, 2], dilations=[2, 3], strides=[2, 1], ceil_mode=1),
    ]


@case()
def average_pool(g):
    x = g.input(1, 3, 9, 8)
    return [
        g.add("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        g.add("AveragePool", x, kernel_shape=[3, 2], pads=[1, 0, 2, 1], count_include_pad=1),
        g.add("AveragePool", x, kernel_shape=[4, 3], strides=[2, 2], auto_pad="SAME_LOWER"),
        g.add("AveragePool", g.input(1, 2, 9), kernel_shape=[3], strides=[2]),
    ]


@case(10)
def average_pool_10(g):
    x = g.input(1, 3, 11, 10)
    return [
        g.add("AveragePool", x, kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1),
        g.add("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
    ]


@case(19)
def average_pool_19(g):
    # What older versions make of padding beyond the pads differs between versions of ONNX Runtime.
    return g.add("AveragePool", g.input(1, 3, 11, 10), kernel_shape=[3, 3], strides=[3, 2], pads=[1, 1, 1, 0], ceil_mode=1,
                 count_include_pad=1, dilations=[1, 1])  # fmt: skip


@case()
def global_pool(g):
    x = g.input(2, 3, 5, 4)
    return [g.add("GlobalAveragePool", x), g.add("GlobalMaxPool", x), g.add("GlobalAveragePool", g.input(1, 3, 7))]


# Normalisation and softmax


@case()
def batch_normalization(g):
    variance = g.constant(g.random.uniform(0.5, 2, 4))
    attributes = {"spatial": 1} if g.opset < 9 else {}
    return [
        g.add("BatchNormalization", x, g.weights(4), g.weights(4), g.weights(4), variance, epsilon=0.01, **attributes)
        for x in (g.input(2, 4, 3, 5), g.input(3, 4))
    ]


@case()
def lrn(g):
    x = g.input(1, 7, 3, 4)
    return [g.add("LRN", x, size=5, alpha=0.5, beta=0.6, bias=1.5), g.add("LRN", x, size=7, alpha=0.3), g.add("LRN", x, size=3)]


@case()
def softmax(g):
    x, y = g.input(2, 3, 4), g.input(2, 3, 4, 5)
    results = []
    for kind in ("Softmax", "LogSoftmax"):
        results += [g.add(kind, x), g.add(kind, y), g.add(kind, y, axis=2), g.add(kind, x, axis=0)]
        results.append(g.add(kind, g.add("Mul", x, g.constant(60)), axis=1))
    return results


@case(11)
def softmax_negative(g):
    return g.add("Softmax", g.input(2, 3, 4), axis=-2)


@case()
def reductions(g):
    x = g.input(2, 3, 4, 5)
    results = []
    for kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
        for axes, keep in (([2, 3], 1), ([2, 3], 0), ([1], 1), ([0, 2], 0), ([3], 0)):
            byInput = g.opset >= (13 if kind == "ReduceSum" else 18)
            attributes = {} if byInput else {"axes": axes}
            results.append(g.add(kind, x, *([g.integers(*axes)] if byInput else []), keepdims=keep, **attributes))
        results.append(g.add(kind, x))
    return results


@case(18)
def reductions_noop(g):
    x = g.input(2, 3, 4)
    return [g.add("ReduceMean", x, noop_with_empty_axes=1), g.add("ReduceSum", x, g.integers(-1, 0), noop_with_empty_axes=1),
            g.add("ReduceL2", x, noop_with_empty_axes=1)]  # fmt: skip


# Elementwise


@case()
def unary(g):
    x, positive = g.input(2, 3, 4), g.input(2, 3, 4, low=0.1, high=3)
    results = [g.add(kind, x) for kind in ("Relu", "Sigmoid", "Tanh", "Exp", "Abs", "Neg", "Floor", "Ceil", "Softplus", "LeakyRelu", "Elu",
                                           "HardSigmoid", "Selu", "Softsign", "Reciprocal")]  # fmt: skip
    results += [g.add(kind, positive) for kind in ("Log", "Sqrt")]
    results.append(g.add("LeakyRelu", x, alpha=0.3))
    results.append(g.add("Elu", x, alpha=0.7))
    results.append(g.add("HardSigmoid", x, alpha=0.4, beta=0.25))
    results.append(g.add("Selu", x, alpha=1.2, gamma=0.8))
    return results


@case(9)
def erf(g):
    return g.add("Erf", g.input(2, 9))


@case(12)
def celu(g):
    return g.add("Celu", g.input(2, 9), alpha=1.5)


@case(14)
def hard_swish(g):
    return g.add("HardSwish", g.input(2, 9, low=-5, high=5))


@case(18)
def mish(g):
    return g.add("Mish", g.input(2, 9, low=-5, high=5))


@case(20)
def gelu(g):
    x = g.input(2, 9, low=-4, high=4)
    return [g.add("Gelu", x), g.add("Gelu", x, approximate="tanh")]


@case(until=10)
def clip_attributes(g):
    x = g.input(3, 4, low=-9, high=9)
    return [g.add("Clip", x, min=-1.0, max=2.5), g.add("Clip", x, min=0.0, max=6.0), g.add("Clip", x, max=1.0), g.add("Clip", x)]


@case(11)
def clip_inputs(g):
    x = g.input(3, 4, low=-9, high=9)
    low, high = g.constant(-1), g.constant(2.5)
    computed = g.add("ReduceMax", g.input(5), keepdims=0)
    return [g.add("Clip", x, low, high), g.add("Clip", x, "", high), g.add("Clip", x, low), g.add("Clip", x),
            g.add("Clip", x, g.constant(0), g.constant(6)), g.add("Clip", x, low, computed)]  # fmt: skip


@case()
def arithmetic(g):
    x, y = g.input(2, 3, 4, 5), g.input(2, 3, 4, 5, low=0.5)
    results = []
    for kind in ("Add", "Sub", "Mul", "Div", "Pow"):
        base = y if kind == "Pow" else x
        for other in ((2, 3, 4, 5), (3, 1, 1), (1, 3, 1, 1), (5,), (), (2, 1, 1, 1)):
            positive = g.constant(g.random.uniform(0.5, 2, other))
            results.append(g.add(kind, base, positive))
            results.append(g.add(kind, positive, y if kind == "Div" else base))
        results.append(g.add(kind, base, y))
        results.append(g.add(kind, base, g.input(3, 1, 5, low=0.5)))
    results += [g.add("Pow", y, g.constant(power)) for power in (1, 2, 0.5, -1, 3)]
    return results


@case(12)
def pow_of_integers(g):
    return g.add("Pow", g.input(2, 3), g.integers(3))


@case(8)
def variadic(g):
    x, y, c, n = g.input(2, 3, 4), g.input(3, 1), g.weights(2, 1, 4), g.constant(0.25)
    results = []
    for kind in ("Max", "Min", "Sum", "Mean"):
        results += [g.add(kind, x), g.add(kind, x, y), g.add(kind, c, n, x, y), g.add(kind, n, x)]
    return results


@case()
def prelu(g):
    x = g.input(2, 3, 4, 5)
    return [g.add("PRelu", x, g.weights(3, 1, 1)), g.add("PRelu", x, g.weights(1)), g.add("PRelu", x, g.input(1, 3, 4, 1))]


# Matrices


@case()
def gemm(g):
    a, b = g.input(3, 4), g.input(4, 5)
    zero = g.constant(np.zeros(5))
    results = [
        g.add("Gemm", a, g.weights(4, 5), g.weights(5)),
        g.add("Gemm", a, g.weights(5, 4), g.weights(1, 5), transB=1, alpha=0.5, beta=2.0),
        g.add("Gemm", a, g.weights(4, 5), g.weights(3, 1)),
        g.add("Gemm", a, g.weights(4, 5), g.weights(3, 5), beta=0.5),
        g.add("Gemm", a, g.weights(3, 5), g.weights(5), transA=1),
        g.add("Gemm", g.weights(3, 4), b, g.weights(5)),
        g.add("Gemm", g.weights(4, 3), b, zero, transA=1, alpha=3.0),
        g.add("Gemm", a, b, g.input(5)),
        g.add("Gemm", b, a, g.weights(3), transA=1, transB=1, alpha=2.0),
    ]
    if g.opset >= 11:
        results.append(g.add("Gemm", a, g.weights(4, 5)))
    return results


@case()
def mat_mul(g):
    x, v = g.input(2, 3, 4), g.input(4)
    return [
        g.add("MatMul", g.input(3, 4), g.weights(4, 5)),
        g.add("Add", g.add("MatMul", x, g.weights(4, 5)), g.weights(5)),
        g.add("MatMul", x, g.weights(4)),
        g.add("MatMul", x, g.weights(1, 4, 5)),
        g.add("MatMul", v, g.weights(4, 5)),
        g.add("MatMul", g.weights(5, 3), x),
        g.add("MatMul", g.weights(3), x),
        g.add("MatMul", g.weights(5, 4), v),
        g.add("MatMul", x, g.input(2, 4, 3)),
        g.add("MatMul", g.input(5, 1, 3, 4), g.input(2, 4, 3)),
        g.add("MatMul", v, g.input(2, 4, 3)),
        g.add("MatMul", x, v),
    ]


# Shapes


@case()
def reshaping(g):
    x = g.input(2, 3, 4, 5)
    return [
        g.add("Reshape", x, g.integers(0, -1, 5)),
        g.add("Reshape", x, g.integers(-1)),
        g.add("Flatten", x),
        g.add("Flatten", x, axis=0),
        g.add("Flatten", x, axis=4),
        g.add("Transpose", x),
        g.add("Transpose", x, perm=[0, 2, 3, 1]),
    ]


@case(until=12)
def squeeze_attributes(g):
    x = g.input(1, 3, 1, 5)
    return [g.add("Squeeze", x, axes=[2]), g.add("Squeeze", x), g.add("Unsqueeze", x, axes=[0, 5])]


@case(13)
def squeeze_inputs(g):
    x = g.input(1, 3, 1, 5)
    return [g.add("Squeeze", x, g.integers(-2)), g.add("Squeeze", x), g.add("Unsqueeze", x, g.integers(-1, 0))]


@case()
def concat(g):
    x, y = g.input(2, 3, 4, 5), g.input(2, 1, 4, 5)
    return [g.add("Concat", x, y, x, axis=1), g.add("Concat", x, axis=0), g.add("Concat", x, x, axis=3), g.add("Concat", x, x, axis=0)]


@case()
def concat_constants(g):
    """Before, between and behind computed tensors, on every axis."""
    image, vector, matrix = g.input(2, 3, 4, 5), g.input(2, 6), g.input(2, 5, 6)
    return [g.add("Concat", g.weights(2, 2, 4, 5), image, axis=1), g.add("Concat", image, g.weights(2, 3, 1, 5), image, axis=2),
            g.add("Concat", g.weights(2, 3, 4, 1), image, g.weights(2, 3, 4, 2), g.weights(2, 3, 4, 1), axis=3),
            g.add("Concat", image, g.weights(1, 3, 4, 5), axis=0), g.add("Concat", vector, g.weights(2, 4), axis=1),
            g.add("Concat", g.weights(2, 1, 6), matrix, axis=1)]  # fmt: skip


@case(11)
def concat_negative(g):
    x = g.input(2, 3, 4)
    return g.add("Concat", x, x, axis=-2)


@case(until=9)
def slice_attributes(g):
    x = g.input(2, 6, 7, 8)
    return [g.add("Slice", x, starts=[1, -3], ends=[2, 1000], axes=[1, 3]), g.add("Slice", x, starts=[0, 2], ends=[1, -1])]


@case(10)
def slice_inputs(g):
    x = g.input(2, 6, 7, 8)
    least = -(2**63)
    return [
        g.add("Slice", x, g.integers(1, -3), g.integers(5, 2**63 - 1), g.integers(1, 3)),
        g.add("Slice", x, g.integers(1, 0), g.integers(6, 100), g.integers(2, -1), g.integers(2, 3)),
        g.add("Slice", x, g.integers(-1, 5), g.integers(least, 1), g.integers(2, 3), g.integers(-1, -2)),
        g.add("Slice", x, g.integers(0), g.integers(1)),
    ]


@case(until=12)
def split_attributes(g):
    x = g.input(2, 6, 4)
    return [*g.add("Split", x, results=2, axis=1, split=[2, 4]), *g.add("Split", x, results=3, axis=1)]


@case(13, 17)
def split_13(g):
    x = g.input(2, 6, 4)
    return [*g.add("Split", x, g.integers(2, 4), results=2, axis=1), *g.add("Split", x, results=3, axis=-2)]


@case(18)
def split_18(g):
    x = g.input(2, 7, 4)
    return [*g.add("Split", x, g.integers(2, 5), results=2, axis=1), *g.add("Split", x, results=3, axis=1, num_outputs=3)]


@case(until=10)
def pad_attributes(g):
    x = g.input(1, 2, 5, 6)
    pads = [0, 0, 1, 2, 0, 0, 3, 1]
    return [g.add("Pad", x, pads=pads), g.add("Pad", x, pads=pads, value=1.5), g.add("Pad", x, pads=pads, mode="reflect"),
            g.add("Pad", x, pads=pads, mode="edge")]  # fmt: skip


@case(11)
def pad_inputs(g):
    x = g.input(1, 2, 5, 6)
    pads = g.integers(0, 1, 1, 2, 0, 0, 3, 1)
    image = g.integers(0, 0, 1, 2, 0, 0, 3, 1)
    return [g.add("Pad", x, pads), g.add("Pad", x, pads, g.constant(1.5)), g.add("Pad", x, image, mode="reflect"),
            g.add("Pad", x, image, mode="edge"), g.add("Pad", x, g.integers(0, 0, -1, 2, 0, -1, 1, -2))]  # fmt: skip


@case(18)
def pad_axes(g):
    x = g.input(1, 2, 5, 6)
    return g.add("Pad", x, g.integers(1, 2, 3, 4), "", g.integers(-1, 1), mode="constant")


@case(8)
def expand(g):
    x = g.input(1, 3, 1, 5)
    return [g.add("Expand", x, g.integers(2, 3, 4, 5)), g.add("Expand", x, g.integers(2, 1, 1, 4, 1)), g.add("Expand", x, g.integers(1))]


@case()
def tile(g):
    return [g.add("Tile", g.input(1, 3, 1, 5), g.integers(2, 1, 3, 1)), g.add("Tile", g.input(2, 3), g.integers(2, 3))]


@case()
def depth_and_space(g):
    return [g.add("DepthToSpace", g.input(1, 12, 3, 4), blocksize=2), g.add("SpaceToDepth", g.input(1, 3, 6, 8), blocksize=2)]


@case(11)
def depth_to_space_modes(g):
    x = g.input(1, 18, 3, 4)
    return [g.add("DepthToSpace", x, blocksize=3, mode="CRD"), g.add("DepthToSpace", x, blocksize=3, mode="DCR")]


# Resampling


@case(until=8)
def upsample_attributes(g):
    x = g.input(1, 3, 4, 5)
    return [g.add("Upsample", x, scales=[1.0, 1.0, 2.0, 3.0], mode=mode) for mode in ("nearest", "linear")]


@case(9, 9)
def upsample_inputs(g):
    x = g.input(1, 3, 4, 5)
    return [g.add("Upsample", x, g.constant([1, 1, 2.5, 3]), mode=mode) for mode in ("nearest", "linear")]


@case(10, 10)
def resize_10(g):
    x = g.input(1, 3, 7, 6)
    return [g.add("Resize", x, g.constant([1, 1, *scales]), mode=mode)
            for mode in ("nearest", "linear") for scales in ((2, 3), (0.6, 0.5), (1.7, 0.7), (0.4, 2))]  # fmt: skip


TRANSFORMATIONS = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]


def resize(g, mode, transformation, **attributes):
    x = g.input(1, 2, 7, 6)
    roi = g.constant([]) if g.opset < 13 else ""
    none = g.constant([]) if g.opset < 13 else ""
    results = []
    for scales in ((2, 3), (0.6, 0.5), (1.7, 0.7), (2.3, 1)):
        results.append(g.add("Resize", x, roi, g.constant([1, 1, *scales]), mode=mode, coordinate_transformation_mode=transformation, **attributes))
    for height, width in ((14, 12), (3, 13), (10, 4), (1, 1), (49, 41)):
        results.append(g.add("Resize", x, roi, none, g.integers(1, 2, height, width), mode=mode,
                             coordinate_transformation_mode=transformation, **attributes))  # fmt: skip
    return results


@case(11)
def resize_linear(g):
    return [name for transformation in TRANSFORMATIONS for name in resize(g, "linear", transformation)]


@case(11)
def resize_nearest(g):
    return [name for transformation in TRANSFORMATIONS for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
            for name in resize(g, "nearest", transformation, nearest_mode=rounding)]  # fmt: skip


@case(11, 12)
def resize_for_nearest(g):
    return resize(g, "nearest", "tf_half_pixel_for_nn", nearest_mode="floor")


@case(11)
def resize_roi(g):
    return g.add("Resize", g.input(1, 2, 3, 3), g.constant([]), g.constant([1, 1, 2, 2]), mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip


@case(11)
def resize_1d(g):
    return g.add("Resize", g.input(1, 2, 5), g.constant([]), g.constant([1, 1, 2]), mode="linear")


@case(18)
def resize_18(g):
    x = g.input(1, 2, 7, 6)
    return [
        g.add("Resize", x, "", g.constant([3, 2]), axes=[3, 2], mode="nearest"),
        g.add("Resize", x, "", "", g.integers(20, 20), axes=[2, 3], mode="linear", keep_aspect_ratio_policy="not_larger"),
        g.add("Resize", x, "", "", g.integers(4, 3), axes=[2, 3], mode="linear", keep_aspect_ratio_policy="not_smaller"),
        g.add("Resize", x, "", g.constant([1, 1, 2, 2]), mode="linear", antialias=1),
    ]


@case(19)
def resize_19(g):
    return resize(g, "linear", "half_pixel_symmetric") + resize(g, "nearest", "half_pixel_symmetric", nearest_mode="floor")


# What vanishes


@case()
def nothing(g):
    x = g.input(2, 3)
    return [g.add("Identity", x), g.add("Dropout", x), g.add("Cast", x, to=TensorProto.FLOAT)]


@case()
def gather(g):
    """A channel, rows from the last to the first, and columns in a table."""
    x = g.input(1, 4, 5, 8)
    channel = g.add("Gather", x, g.constant(-3, np.int64), axis=1)
    rows = g.add("Gather", x, g.integers(-1, 2, 0), axis=2)
    return [channel, rows, g.add("Gather", x, g.constant([[0, 2], [4, 6]], np.int64), axis=3)]


@case(9)
def shape_arithmetic(g):
    """A view as PyTorch exports it, and a size that is computed."""
    x = g.input(2, 6, 4, 5)
    shape = g.add("Shape", x)
    axes = {"axes": [0]} if g.opset < 13 else {}
    more = [] if g.opset < 13 else [g.integers(0)]
    parts = []
    for index in (0, 1):
        part = g.add("Gather", shape, g.constant(index, np.int64), axis=0)
        if index == 1:
            part = g.add("Div", part, g.constant(2, np.int64))
        parts.append(g.add("Unsqueeze", part, *more, **axes))
    grouped = g.add("Reshape", x, g.add("Concat", parts[0], g.integers(2), parts[1], g.integers(-1), axis=0))
    ones = g.add("ConstantOfShape", shape)
    sized = g.add("Add", x, g.add("Cast", ones, to=TensorProto.FLOAT))
    return [g.add("Transpose", grouped, perm=[0, 2, 1, 3]), sized]


@case(11)
def computed_sizes(g):
    x = g.input(1, 2, 5, 6)
    spatial = g.add("Slice", g.add("Shape", x), g.integers(2), g.integers(4))
    doubled = g.add("Cast", g.add("Floor", g.add("Mul", g.add("Cast", spatial, to=TensorProto.FLOAT), g.constant([2.0, 1.5]))),
                    to=TensorProto.INT64)  # fmt: skip
    sizes = g.add("Concat", g.integers(1, 2), doubled, axis=0)
    return g.add("Resize", x, g.constant([]), g.constant([]), sizes, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@case(13)
def constants(g):
    """Weights that are computed of others."""
    x = g.input(2, 4)
    w = g.weights(3, 4)
    turned = g.add("Transpose", w, perm=[1, 0])
    gathered = g.add("Gather", turned, g.integers(2, 0, -1), axis=1)
    tiled = g.add("Tile", g.add("Slice", gathered, g.integers(0), g.integers(4), g.integers(0), g.integers(1)), g.integers(1, 2))
    where = g.add("Where", g.add("Less", tiled, g.constant(0)), g.add("Mul", tiled, g.constant(0.5)), tiled)
    padded = g.add("Pad", where, g.integers(0, 1, 0, 0), g.constant(0.25))
    total = g.add("ReduceSum", padded, g.integers(0), keepdims=0)
    count = g.add("Range", g.constant(0.0), g.constant(7.0), g.constant(1.0))
    half = g.constant(g.random.uniform(-1, 1, (4, 5)), np.float16)
    single = g.add("Cast", half, to=TensorProto.FLOAT)
    return [g.add("MatMul", x, padded), g.add("Add", g.add("MatMul", x, padded), g.add("Sub", total, count)), g.add("MatMul", x, single)]


@case(13)
def quantized_weights(g):
    """Each channel's own scale; the product is of what they stand for."""
    stored = g.constant(g.random.integers(-128, 128, (5, 4, 3, 3)), np.int8)
    weights = g.add("DequantizeLinear", stored, g.constant(g.random.uniform(0.01, 0.02, 5)), g.constant(np.zeros(5), np.int8), axis=0)
    bias = g.add("DequantizeLinear", g.constant(g.random.integers(-999, 999, 5), np.int32), g.constant(0.001))
    return g.add("Conv", g.input(1, 4, 6, 6), weights, bias)


@case(13)
def evaluated(g):
    """Every operator on constants, of the types that it is used with in models; a sum brings each into the network."""
    a, b, small = g.weights(2, 3), g.weights(3), g.constant(g.random.uniform(0.2, 2, (2, 3)))
    i, j = g.constant([[7, -7, 3], [0, 5, -2]], np.int64), g.constant([2, -3, 5], np.int64)
    yes, no = g.constant([True, False, True], bool), g.constant([[True], [False]], bool)
    results = [g.add(kind, a, b) for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Equal", "Greater", "Less", "GreaterOrEqual",
                                              "LessOrEqual")]  # fmt: skip
    results += [g.add(kind, i, j) for kind in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min", "Equal", "Greater", "Less")]
    results += [g.add("Mod", i, j, fmod=1), g.add("Mod", a, b, fmod=1), g.add("Pow", small, b), g.add("Pow", j, g.constant(2, np.int64))]
    results += [g.add(kind, yes, no) for kind in ("And", "Or", "Xor")] + [g.add("Not", yes)]
    results += [g.add(kind, a) for kind in ("Abs", "Neg", "Floor", "Ceil", "Round", "Exp", "Relu", "Sigmoid", "Softplus", "Tanh", "Reciprocal")]
    results += [g.add(kind, small) for kind in ("Sqrt", "Log")] + [g.add(kind, i) for kind in ("Abs", "Neg")]
    results.append(g.add("Round", g.constant([0.5, 1.5, -2.5, 2.6])))
    results += [g.add("Cast", g.constant([1.7, -1.7, 300.2]), to=kind) for kind in (TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL,
                                                                                    TensorProto.DOUBLE, TensorProto.FLOAT16)]  # fmt: skip
    results += [g.add("Cast", g.constant([0, 3, 200], np.int32), to=kind) for kind in (TensorProto.UINT8, TensorProto.BOOL, TensorProto.FLOAT)]
    results.append(g.add("Gather", i, g.constant([[0, -1]], np.int64), axis=1))
    results.append(g.add("GatherElements", i, g.constant([[0, -1], [2, 1]], np.int64), axis=1))
    results += [g.add("Concat", i, i, axis=axis) for axis in (0, -1)]
    results += [g.add("Transpose", a), g.add("Flatten", a, axis=0), g.add("Identity", a), g.add("Reshape", a, g.integers(3, -1))]
    results += [g.add("Squeeze", g.weights(1, 3)), g.add("Unsqueeze", a, g.integers(1))]
    results += [g.add("Slice", i, g.integers(5), g.integers(-9), g.integers(1), g.integers(-2)), *g.add("Split", a, g.integers(1, 1), results=2, axis=0)]
    results += [g.add("Expand", b, g.integers(2, 2, 3)), g.add("Tile", a, g.integers(2, 3)), g.add("Where", yes, a, b), g.add("Where", no, i, j)]
    results += [g.add("Pad", a, g.integers(1, 0, 0, 2), mode=mode) for mode in ("constant", "edge", "reflect")]
    results += [g.add("Pad", a, g.integers(0, -1, 1, 2), g.constant(0.5))]
    results += [g.add("ConstantOfShape", g.integers(2, 2), value=numpy_helper.from_array(np.array([value]))) for value in (7, 0.5)]
    results += [g.add("Range", *(g.constant(n, np.int64) for n in (7, -3, -2))), g.add("Range", *(g.constant(n) for n in (0, 1, 0.3)))]
    results += [g.add(kind, i, keepdims=keep) for kind in ("ReduceProd", "ReduceMax", "ReduceMin", "ReduceMean") for keep in (0, 1)]
    results += [g.add("ReduceSum", a, g.integers(0), keepdims=0), g.add("ReduceMean", a), g.add("ReduceProd", a)]
    scale, zero = g.constant([0.1, 0.2, 0.3]), g.constant([0, 3, -4], np.int8)
    quantized = g.add("QuantizeLinear", a, scale, zero, axis=1)
    results += [quantized, g.add("DequantizeLinear", quantized, scale, zero, axis=1), g.add("QuantizeLinear", a, g.constant(0.01))]
    if g.opset >= 15:
        results += [g.add("CastLike", i, a), g.add("Shape", a, start=1)]
    results += [g.add("Shape", a), g.add("Size", a)]
    x = g.input(1)
    return [g.add("Add", x, g.add("Cast", result, to=TensorProto.FLOAT)) for result in results]
