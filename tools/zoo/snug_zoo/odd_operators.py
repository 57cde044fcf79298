# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small networks for tests, each around one kind of operator, in odd sizes; convolutions stand between."""

import numpy as np

LINEAR = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]


def plain(b, x, channels, kernel=3, **options):
    return b.relu(b.conv(x, channels, kernel, pads=kernel // 2, **options))


def unary(b, x):
    """Operators of one value, each behind a convolution and on its own."""
    x = b.unary("Elu", b.conv(x, 9, 3, pads=1), alpha=0.7)
    x = b.unary("Tanh", b.conv(x, 8, 3, pads=1))
    x = b.unary("HardSigmoid", b.conv(x, 7, 1), alpha=0.3, beta=0.4)
    x = b.unary("Softplus", b.conv(x, 10, 3))
    x = b.unary("Log", b.unary("Sqrt", x))
    x = b.unary("Exp", b.unary("Neg", b.unary("Abs", x)))
    x = b.unary("Erf", b.conv(x, 6, 3, pads=1))
    y = b.unary("Reciprocal", b.add(b.unary("Abs", x), b.number(1.5)))
    x = b.add(b.unary("Floor", b.multiply(x, b.number(3.3))), b.unary("Ceil", b.multiply(y, b.number(2.7))))
    x = b.conv(x, 11, 3, stride=2, pads=1)
    # Mish, the exact gelu, swish and hard swish as exporters spell them.
    x = b.multiply(x, b.unary("Tanh", b.unary("Softplus", x)))
    x = b.conv(x, 8, 1)
    scaled = b.add(b.unary("Erf", b.binary("Div", x, b.number(2 ** 0.5))), b.number(1.0))
    x = b.multiply(b.multiply(x, scaled), b.number(0.5))
    x = b.swish(b.conv(x, 9, 3, pads=1))
    return b.hard_swish(b.conv(x, 5, 3, pads=1))


def clips(b, x):
    """Clip with both bounds, with one, with tensors for bounds."""
    x = b.clip(b.conv(x, 8, 3, pads=1), low=-0.4)
    x = b.clip(b.conv(x, 6, 3, pads=1), high=0.9, constant_nodes=True)
    x = b.clip(b.max_pool(x, 2, 1), -0.3, 0.5)
    return b.clip(b.conv(x, 7, 1), -1.0, 1.0, constant_nodes=True)


def prelu(b, x):
    """A slope of each channel, of each element, and a single one."""
    x = b.prelu(b.conv(x, 9, 3, pads=1), b.weight((9, 1, 1)))
    x = b.prelu(b.conv(x, 6, 3, stride=2, pads=1), b.weight((1,)))
    x = b.prelu(x, b.weight(x.shape[1:]))
    return b.prelu(b.conv(x, 5, 1), b.weight((1, 5, 1, 1)))


def binary(b, x):
    """Operators of two values, which broadcast in every way."""
    x = plain(b, x, 10)
    y = b.conv(x, 10, 3, pads=1)
    x = b.binary("Sub", x, y)
    x = b.multiply(x, b.weight((1, 10, 1, 1), 0.5, 1.5))
    x = b.add(x, b.weight((x.shape[3],)))
    x = b.binary("Div", x, b.weight((10, 1, 1), 1.0, 2.0))
    x = b.binary("Max", x, b.number(-0.7))
    x = b.binary("Min", b.weight((x.shape[2], 1), 0.5, 1.5), x)
    x = b.binary("Sub", b.number(1.0), b.conv(x, 7, 3, pads=1))
    rows = b.reduce("ReduceMean", x, [3])
    columns = b.reduce("ReduceMean", x, [1, 2])
    x = b.add(b.multiply(x, rows), b.add(rows, columns))
    x = b.binary("Pow", b.unary("Abs", x), b.number(1.5))
    x = b.binary("Div", x, b.add(b.sigmoid(b.conv(x, 1, 1)), b.number(0.5)))
    return b.conv(x, 6, 3, stride=2)


def ceil(b, x):
    """Poolings whose last window reaches beyond the pads; dilated ones."""
    x = b.max_pool(plain(b, x, 8), 3, 2, ceil_mode=True)
    x = b.average_pool(plain(b, x, 9), 2, 2, ceil_mode=True, count_include_pad=0)
    x = b.max_pool(plain(b, x, 7), 3, 1, pads=2, dilation=2)
    x = b.average_pool(x, 3, 2, pads=1, ceil_mode=True, count_include_pad=1)
    return b.max_pool(plain(b, x, 6), (2, 3), 2, pads=(0, 1), ceil_mode=True)


def gates(b, x):
    """Squeeze and excite, by GlobalAveragePool, by ReduceMean and by matrices; spatial gates."""
    x = plain(b, x, 12)
    gate = b.sigmoid(b.conv(b.relu(b.conv(b.global_average_pool(x), 5, 1)), 12, 1))
    x = plain(b, b.multiply(gate, x), 9)
    gate = b.hard_sigmoid(b.conv(b.swish(b.conv(b.reduce("ReduceMean", x, [2, 3]), 3, 1)), 9, 1))
    x = plain(b, b.multiply(x, gate), 10, stride=2)
    flat = b.gemm(b.relu(b.gemm(b.reduce("ReduceMean", x, [2, 3], keep=False), 4)), 10, gain=1.0)
    x = b.multiply(x, b.sigmoid(b.reshape(flat, (x.shape[0], 10, 1, 1))))
    pooled = b.concat([b.reduce("ReduceMax", x, [1]), b.reduce("ReduceMean", x, [1])])
    x = b.multiply(x, b.sigmoid(b.conv(pooled, 1, 7, pads=3)))
    return b.conv(x, 6, 3)


def reduce(b, x):
    """Reductions over every kind of axes, and both global poolings."""
    x = plain(b, x, 7)
    tops = b.add(b.global_max_pool(x), b.global_average_pool(x))
    x = b.binary("Sub", x, tops)
    y = b.reduce("ReduceSum", b.multiply(x, x), [1])
    y = b.add(y, b.reduce("ReduceMin", x, [1]))
    z = b.reduce("ReduceMean", x, [2])
    x = plain(b, b.add(b.multiply(x, y), z), 9)
    rows = b.reduce("ReduceMax", x, [3], keep=False)
    return b.softmax(b.gemm(b.flatten(rows), 12, gain=1.0))


def lrn(b, x):
    """Local response normalization over few channels, many, and more than there are."""
    x = b.lrn(plain(b, x, 11), 5, alpha=0.3, beta=0.75, bias=2.0)
    x = b.max_pool(x, 3, 2)
    x = b.lrn(plain(b, x, 8), 3, alpha=0.5, beta=0.6)
    return b.lrn(b.conv(x, 6, 3), 13, alpha=1.0, beta=1.3)


def depth(b, x):
    """Depth to space in both modes, and back."""
    x = b.space_to_depth(plain(b, x, 5), 2)
    x = b.depth_to_space(plain(b, x, 27), 3, "DCR")
    x = b.space_to_depth(plain(b, x, 4), 3)
    x = b.depth_to_space(plain(b, x, 20), 2, "CRD")
    return b.depth_to_space(b.conv(x, 8, 3), 2, "DCR")


def pad_modes(b, x):
    """Pads of every mode, on every axis."""
    x = b.conv(b.pad(x, [0, 0, 1, 2, 0, 0, 1, 2], "reflect"), 8, 3)
    x = b.conv(b.pad(b.relu(x), [0, 0, 3, 0, 0, 0, 1, 4], "edge"), 7, 5)
    x = b.relu(b.conv(b.pad(x, [0, 0, 1, 1, 0, 0, 1, 1]), 6, 3))
    x = b.pad(x, [0, 1, 0, 2, 0, 3, 1, 0], "constant", 0.4)
    x = b.max_pool(b.conv(x, 9, 3), 2, 2)
    return b.pad(b.conv(x, 5, 3, pads=1), [0, 0, 4, 3, 0, 0, 2, 5], "reflect")


def slices(b, x):
    """Slices of channels, of rows and columns, with steps, backwards."""
    x = plain(b, x, 14)
    left, right = b.slice(x, [0], [6], [1]), b.slice(x, [-8], [99], [1])
    x = b.concat([plain(b, left, 5), plain(b, right, 7)])
    x = b.slice(x, [2, 1], [-1, 25], [2, 3])
    x = plain(b, x, 9)
    x = b.add(b.slice(x, [0], [9999], [2], [2]), b.slice(x, [-1], [-9999], [2], [-2]))
    x = plain(b, x, 10)
    x = b.slice(x, [9, 1, 0], [-99, 9, 20], [1, 2, 3], [-3, 2, 3])
    return b.conv(x, 6, 3)


def transposed(b, x):
    """Transposed convolutions: overlapping, apart, dilated, grouped, depthwise."""
    x = b.relu(b.conv_transpose(x, 9, 3, 2, pads=1, output_pads=1))
    x = b.conv(x, 8, 3, stride=2)
    x = b.leaky(b.conv_transpose(x, 6, 2, 3))
    x = b.relu(b.conv_transpose(b.max_pool(x, 3, 2), 10, 4, 2, pads=1, groups=2))
    x = b.conv(x, 12, 3, stride=3)
    x = b.relu(b.batch_norm(b.conv_transpose(x, 7, 3, 1, pads=1, dilation=2, bias=False)))
    x = b.conv_transpose(x, 7, 5, 2, pads=2, groups=7)
    return b.conv_transpose(x, 4, 1, 1)


def transposed_pads(b, x):
    """Transposed convolutions with unlike strides and pads, also derived ones."""
    x = b.relu(b.conv_transpose(x, 7, (3, 2), (1, 3), pads=(1, 0, 0, 1)))
    x = b.relu(b.conv_transpose(x, 6, (2, 5), (2, 1), pads=(0, 3, 1, 1), output_pads=(1, 0)))
    height, width = x.shape[2:]
    x = b.conv(x, 8, 3, stride=2, pads=1)
    x = b.relu(b.conv_transpose(x, 5, 3, 2, output_shape=(height, width)))
    x = b.conv(x, 6, 2, stride=(2, 3))
    return b.conv_transpose(x, 3, 3, 2, auto_pad="SAME_UPPER")


def opaque(b, x):
    """Operators that nothing is known of, between others: analysed, never run."""
    x = plain(b, x, 6)
    x = b.resize(x, "cubic", scales=(2.0, 2.0), coordinate_transformation_mode="half_pixel")
    x = b.unary("Hardmax", plain(b, x, 7), axis=1)
    return b.conv(x, 4, 3)


def upsample(b, x):
    """Doubling, as every opset has it."""
    x = b.upsample(plain(b, x, 8))
    y = plain(b, x, 5, stride=3)
    x = plain(b, b.upsample(y, 3), 6)
    return b.conv(x, 4, 3)


def resize_nearest(b, x):
    """Nearest in every transform and rounding."""
    extents = [(23, 31), (17, 20), (40, 9), (11, 33)]
    for transform in LINEAR:
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            size = extents[len(rounding) % 4]
            x = b.resize(x, "nearest", sizes=size, coordinate_transformation_mode=transform, nearest_mode=rounding)
            extents.append(extents.pop(0))
        x = plain(b, x, 6)
    x = b.resize(x, "nearest", scales=(1.3, 0.7), coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return b.conv(x, 5, 3)


def resize_linear(b, x):
    """Linear in every transform, larger and smaller, also of and to a single row."""
    for number, transform in enumerate(LINEAR):
        x = b.resize(plain(b, x, 7), "linear", sizes=(22 + 3 * number, 31 - 2 * number), coordinate_transformation_mode=transform)
        x = b.resize(plain(b, x, 6), "linear", sizes=(13, 11 + number), coordinate_transformation_mode=transform)
    x = b.resize(x, "linear", scales=(1.6, 2.0), coordinate_transformation_mode="half_pixel")
    y = b.resize_like(b.conv(b.global_average_pool(x), 5, 1), x)
    z = b.resize(b.resize(x, "linear", sizes=(1, 7), coordinate_transformation_mode="align_corners"), "linear", sizes=tuple(x.shape[2:]),
                 coordinate_transformation_mode="pytorch_half_pixel")
    return b.conv(b.concat([x, y, z]), 5, 3)


def resize_symmetric(b, x):
    """The transform that opset 19 added, where factors do not divide."""
    x = b.resize(plain(b, x, 6), "linear", scales=(1.75, 2.25), coordinate_transformation_mode="half_pixel_symmetric")
    x = b.resize(plain(b, x, 5), "nearest", scales=(0.625, 1.375), coordinate_transformation_mode="half_pixel_symmetric",
                 nearest_mode="round_prefer_ceil")
    return b.conv(x, 4, 3)


def softmax(b, x):
    """Softmax over every axis."""
    def conv(y, channels):  # what a softmax gives is small
        return b.conv(b.multiply(y, b.number(9.0)), channels, 3, pads=1)

    x = b.softmax(plain(b, x, 9), 1)
    x = b.softmax(conv(x, 7), 3)
    x = b.softmax(conv(x, 8), 2)
    x = b.softmax(b.reshape(conv(x, 6), (x.shape[0], 2, 3, x.shape[2], x.shape[3])), -1)
    x = b.reshape(b.multiply(x, b.number(9.0)), (x.shape[0], 6, x.shape[3] * x.shape[4]))
    return b.softmax(x, 1)


def decode(b, x):
    """A detection head: five axes, transposed, sliced, decoded, softmax over classes."""
    x = plain(b, x, 8, stride=2)
    x = b.conv(x, 3 * 9, 1)
    batch, _, height, width = x.shape
    x = b.transpose(b.reshape(x, (batch, 3, 9, height, width)), [0, 1, 3, 4, 2])
    rows, columns = np.mgrid[:height, :width]
    grid = np.broadcast_to(np.stack([columns, rows], -1).astype(np.float64), (1, 1, height, width, 2))
    centre, size, sure, classes = b.split(x, [2, 2, 1, 4], axis=4)
    centre = b.multiply(b.add(b.sigmoid(centre), b.table(grid)), b.number(0.125))
    size = b.multiply(b.unary("Exp", size), b.table(np.reshape([0.5, 1.0, 1.5, 0.7, 0.3, 0.9], (1, 3, 1, 1, 2))))
    x = b.concat([centre, size, b.sigmoid(sure), b.softmax(classes, -1)], axis=-1)
    return b.reshape(x, (batch, 3 * height * width, 9))


def attention(b, x):
    """A block of attention between convolutions: matrix products of activations."""
    x = plain(b, x, 12)
    batch, channels, height, width = x.shape
    heads, depth = 3, 4

    def headed(y, permutation):
        return b.transpose(b.reshape(y, (batch, heads, depth, height * width)), permutation)

    query, key, value = (b.conv(x, channels, 1, gain=1.0) for _ in range(3))
    scores = b.product(headed(query, [0, 1, 3, 2]), headed(key, [0, 1, 2, 3]))
    weights = b.softmax(b.multiply(scores, b.number(depth ** -0.5)), -1)
    y = b.product(weights, headed(value, [0, 1, 3, 2]))
    y = b.reshape(b.transpose(y, [0, 1, 3, 2]), (batch, channels, height, width))
    return b.conv(b.add(x, b.conv(y, channels, 1)), 5, 3)


def matrices(b, x):
    """Matrix products of three axes, with a constant, one broadcast; flatten at other axes."""
    x = plain(b, x, 6)
    batch, channels, height, width = x.shape
    x = b.reshape(x, (batch, channels, height * width))
    y = b.product(x, b.transpose(x, [0, 2, 1]))
    y = b.softmax(y, -1)
    x = b.product(y, x)
    x = b.product(x, b.weight((height * width, 7), -0.1, 0.1))
    x = b.product(b.weight((5, channels)), x)
    x = b.unsqueeze(x, [1])
    x = b.squeeze(b.transpose(x, [0, 3, 2, 1]), [3])
    return b.gemm(b.flatten(x, 2), 8, gain=1.0)


def shape_arithmetic(b, x):
    """Extents computed in the graph: Shape, Gather, Cast, Mul, Floor, Slice, Concat into Resize and Reshape."""
    x = plain(b, x, 6)
    shape = b.shape_of(x)
    wanted = b.cast(b.slice(shape, [2], [4], [0]), 1)
    wanted = b.cast(b.unary("Floor", b.multiply(wanted, b.floats([1.5, 2.5]))))
    sizes = b.concat([b.slice(shape, [0], [2], [0]), wanted], axis=0)
    height, width = int(x.shape[2] * 1.5), int(x.shape[3] * 2.5)
    x = b._node("Resize", "resize", [x, *b._unused(2), sizes], (*x.shape[:2], height, width), mode="linear",
                coordinate_transformation_mode="half_pixel")
    x = plain(b, x, 4)
    half = b.binary("Div", b.unsqueeze(b.extent(x, 1), [0]), b.integers([2]))
    target = b.concat([b.unsqueeze(b.extent(x, 0), [0]), b.integers([2]), half, b.integers([-1])], axis=0)
    x = b._node("Reshape", "reshape", [x, target], (x.shape[0], 2, 2, height * width))
    x = b.transpose(x, [0, 2, 1, 3])
    return b.gemm(b.view_flat(x, open_batch=True), 9, gain=1.0)
