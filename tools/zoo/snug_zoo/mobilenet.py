# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MobileNet v1, width 1.0 (Howard et al. 2017); v2 of any width (Sandler et al. 2018); v3 (Howard et al. 2019),
the latter two after torchvision."""

# Output channels and stride of each depthwise separable block.
BLOCKS = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
]
# Expansion, output channels, count and first stride.
V2_BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
# Kernel, expanded and output channels, squeeze and excite, activation, stride.
V3_SMALL_BLOCKS = [
    (3, 16, 16, True, "relu", 2), (3, 72, 24, False, "relu", 2), (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hard_swish", 2), (5, 240, 40, True, "hard_swish", 1), (5, 240, 40, True, "hard_swish", 1),
    (5, 120, 48, True, "hard_swish", 1), (5, 144, 48, True, "hard_swish", 1), (5, 288, 96, True, "hard_swish", 2),
    (5, 576, 96, True, "hard_swish", 1), (5, 576, 96, True, "hard_swish", 1),
]
V3_LARGE_BLOCKS = [
    (3, 16, 16, False, "relu", 1), (3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hard_swish", 2), (3, 200, 80, False, "hard_swish", 1), (3, 184, 80, False, "hard_swish", 1),
    (3, 184, 80, False, "hard_swish", 1), (3, 480, 112, True, "hard_swish", 1), (3, 672, 112, True, "hard_swish", 1),
    (5, 672, 160, True, "hard_swish", 2), (5, 960, 160, True, "hard_swish", 1), (5, 960, 160, True, "hard_swish", 1),
]
V3_EPSILON = 1e-3
CLASSES = 1000


def mobilenet_v1(b, x):
    def finished(y):
        return b.relu6(b.batch_norm(y))

    x = finished(b.conv(x, 32, 3, stride=2, pads=1, bias=False))
    for channels, stride in BLOCKS:
        x = finished(b.conv(x, x.channels, 3, stride=stride, pads=1, groups=x.channels, bias=False))
        x = finished(b.conv(x, channels, 1, bias=False))
    x = b.flatten(b.global_average_pool(x))
    return b.softmax(b.gemm(x, CLASSES, gain=1.0))


def divisible(channels, divisor=8):
    """The nearest multiple, yet not below nine tenths."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def mobilenet_v2(b, x, width=1.0):
    def normalized(y, *shape, **options):
        return b.batch_norm(b.conv(y, *shape, bias=False, **options))

    x = b.relu6(normalized(x, divisible(32 * width), 3, stride=2, pads=1))
    for expansion, channels, count, first in V2_BLOCKS:
        for i in range(count):
            y = x
            if expansion != 1:
                y = b.relu6(normalized(y, x.channels * expansion, 1))
            stride = 1 if i else first
            y = b.relu6(normalized(y, y.channels, 3, stride=stride, pads=1, groups=y.channels))
            y = normalized(y, divisible(channels * width), 1)
            x = b.add(x, y) if stride == 1 and x.channels == y.channels else y
    x = b.relu6(normalized(x, divisible(1280 * max(1.0, width)), 1))
    x = b.dropout(b.flatten(b.global_average_pool(x)), 0.2)
    return b.gemm(x, CLASSES, gain=1.0)


def v3_convolution(b, x, channels, kernel, activation, stride=1, groups=1, dilation=1):
    x = b.conv(x, channels, kernel, stride=stride, pads=kernel // 2 * dilation, groups=groups, dilation=dilation, bias=False)
    x = b.batch_norm(x, V3_EPSILON)
    return getattr(b, activation)(x) if activation else x


def v3_block(b, x, kernel, expanded, channels, squeezed, activation, stride, dilation=1):
    y = x if expanded == x.channels else v3_convolution(b, x, expanded, 1, activation)
    y = v3_convolution(b, y, expanded, kernel, activation, 1 if dilation > 1 else stride, expanded, dilation)
    if squeezed:
        gate = b.relu(b.conv(b.global_average_pool(y), divisible(expanded / 4), 1))
        y = b.multiply(b.hard_sigmoid(b.conv(gate, expanded, 1, gain=1.0)), y)
    y = v3_convolution(b, y, channels, 1, None)
    return b.add(y, x) if stride == 1 and x.channels == channels else y


def mobilenet_v3_small(b, x):
    x = v3_convolution(b, x, 16, 3, "hard_swish", 2)
    for block in V3_SMALL_BLOCKS:
        x = v3_block(b, x, *block)
    x = b.global_average_pool(v3_convolution(b, x, 576, 1, "hard_swish"))
    x = b.dropout(b.hard_swish(b.gemm(b.flatten(x), 1024)), 0.2)
    return b.gemm(x, CLASSES, gain=1.0)


def v3_large_features(b, x, dilated_from):
    """The convolutions of MobileNet v3 large, from that block on dilated by 2 instead of strided."""
    x = v3_convolution(b, x, 16, 3, "hard_swish", 2)
    for number, block in enumerate(V3_LARGE_BLOCKS):
        x = v3_block(b, x, *block, dilation=2 if number >= dilated_from else 1)
    return v3_convolution(b, x, 960, 1, "hard_swish")
