# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small chains for tests, each around one thing that is easily got wrong."""


def pads(b, x):
    """Asymmetric pads, also where nothing of a window but padding is left out."""
    x = b.relu(b.conv(x, 11, 3, pads=(0, 1, 2, 0)))
    x = b.leaky(b.conv(x, 8, 5, pads=(3, 0, 1, 2)))
    x = b.max_pool(x, 3, 2, pads=(1, 0, 0, 1))
    x = b.relu(b.conv(x, 12, 3, stride=2, pads=(0, 0, 1, 2)))
    return b.conv(x, 6, 2, pads=(1, 1, 0, 0))


def dilation(b, x):
    """Dilated kernels, also unlike in the two directions."""
    x = b.relu(b.conv(x, 9, 3, pads=2, dilation=2))
    x = b.leaky(b.conv(x, 16, 3, pads=(1, 3), dilation=(1, 3)))
    x = b.relu(b.conv(x, 10, 2, pads=(2, 0, 0, 2), dilation=3))
    return b.conv(x, 8, 5, stride=2, pads=3, dilation=2)


def groups(b, x):
    """Grouped and depthwise convolutions, also with a channel multiplier."""
    x = b.relu(b.conv(x, 12, 3, pads=1))
    x = b.leaky(b.conv(x, 18, 3, pads=1, groups=3))
    x = b.relu6(b.conv(x, 18, 5, pads=2, groups=18))
    x = b.relu(b.conv(x, 36, 3, stride=2, pads=1, groups=18))
    x = b.leaky(b.conv(x, 20, 1, groups=2))
    return b.conv(x, 20, 3, pads=(0, 1), groups=20, bias=False)


def stride(b, x):
    """Strides larger than the kernel: some input is never read."""
    x = b.relu(b.conv(x, 8, 2, stride=3, pads=1))
    x = b.leaky(b.conv(x, 14, 3, stride=(2, 1), pads=(1, 0)))
    x = b.max_pool(x, 2, 3)
    return b.conv(x, 7, 1, stride=2)


def kernels(b, x):
    """1xN and Nx1 kernels, and large ones."""
    x = b.relu(b.conv(x, 8, (1, 7), pads=(0, 3)))
    x = b.relu(b.conv(x, 12, (7, 1), pads=(3, 0)))
    x = b.leaky(b.conv(x, 10, 7, stride=2, pads=3))
    x = b.relu(b.conv(x, 16, (1, 3), pads=(0, 1)))
    x = b.average_pool(x, (3, 1), (1, 1), pads=(1, 0))
    return b.conv(x, 9, 5, pads=(2, 1))


def channels(b, x):
    """Channel counts that are no multiple of 8."""
    for count, kernel in ((7, 3), (13, 1), (17, 3), (9, 3), (33, 1), (1, 3), (5, 3)):
        x = b.leaky(b.batch_norm(b.conv(x, count, kernel, pads=kernel // 2, bias=False)))
    return x


def average(b, x):
    """Average pooling that counts padding and that does not; pooling that overlaps."""
    x = b.relu(b.conv(x, 10, 3, pads=1))
    x = b.average_pool(x, 3, 2, pads=1, count_include_pad=0)
    x = b.leaky(b.conv(x, 12, 3, pads=1))
    x = b.average_pool(x, 3, 1, pads=(0, 1, 2, 1), count_include_pad=1)
    x = b.leaky(x, 0.3)
    return b.average_pool(x, (2, 3), (2, 1), pads=(1, 1))


def residual(b, x):
    """Additions: of a plain convolution, of an activated one, of the input of the chain."""
    x = b.relu(b.conv(x, 12, 3, pads=1))
    y = b.relu(b.batch_norm(b.conv(x, 12, 3, pads=1, bias=False)))
    y = b.batch_norm(b.conv(y, 12, 3, pads=1, bias=False))
    x = b.relu(b.add(y, x))
    y = b.leaky(b.conv(x, 12, 1))
    x = b.add(x, y)
    y = b.conv(x, 12, 3, pads=1)
    x = b.leaky(b.add(x, y))
    return b.conv(x, 6, 3, stride=2, pads=1)


def normalized(b, x):
    """Batch norm where it cannot be folded: before a padded convolution, after a pooling."""
    x = b.batch_norm(x)
    x = b.relu(b.batch_norm(b.conv(x, 10, 3, pads=1)))
    x = b.batch_norm(x)
    x = b.conv(x, 12, 3, pads=1)
    x = b.batch_norm(b.max_pool(x, 2, 2))
    x = b.leaky(x)
    return b.batch_norm(b.conv(x, 8, 1))


def batch(b, x):
    """More than one image."""
    x = b.relu6(b.batch_norm(b.conv(x, 16, 3, stride=2, pads=1, bias=False)))
    x = b.relu(b.conv(x, 16, 3, pads=1, groups=16))
    x = b.max_pool(x, 2, 2)
    x = b.leaky(b.conv(x, 9, 3, pads=1))
    x = b.flatten(b.global_average_pool(x))
    return b.softmax(b.gemm(x, 10, gain=1.0))


def autopad(b, x):
    """auto_pad in its three forms, where SAME_UPPER and SAME_LOWER differ."""
    x = b.relu(b.conv(x, 8, 2, auto_pad="SAME_UPPER"))
    x = b.leaky(b.conv(x, 12, 4, stride=2, auto_pad="SAME_LOWER"))
    x = b.max_pool(x, 2, 1, auto_pad="SAME_UPPER")
    x = b.relu(b.conv(x, 10, 3, auto_pad="VALID"))
    x = b.average_pool(x, 2, 1, auto_pad="SAME_LOWER")
    return b.conv(x, 5, 3, stride=2, auto_pad="SAME_UPPER")


def activations(b, x):
    """Activations that have no convolution before them, or more than one reader; no-ops."""
    x = b.leaky(b.max_pool(b.conv(x, 8, 3, pads=1), 2, 2), 0.01)
    x = b.identity(b.relu6(b.conv(x, 12, 3, pads=1), constant_nodes=True))
    y = b.conv(x, 12, 1)
    x = b.add(b.relu(y), y)
    x = b.dropout(b.leaky(b.relu(b.conv(x, 10, 3)), 0.2))
    return b.relu(b.average_pool(x, 3, 2))


def head(b, x):
    """Reshape, MatMul with its bias apart, Gemm untransposed and scaled, softmax."""
    x = b.relu(b.conv(x, 14, 3, stride=2, pads=1))
    x = b.reshape_flat(b.average_pool(x, 3, 3))
    x = b.relu(b.add_bias(b.matmul(x, 37)))
    x = b.leaky(b.gemm(x, 19, transposed=False, alpha=0.5, beta=2.0))
    return b.softmax(b.gemm(x, 11, gain=1.0))


def pools(b, x):
    """A network that begins and ends with pooling."""
    x = b.max_pool(x, 3, 1, pads=1)
    x = b.relu(b.conv(x, 10, 3, pads=1))
    x = b.max_pool(x, 5, 3, pads=(2, 2, 1, 0))
    x = b.max_pool(x, (1, 3), (1, 2))
    x = b.relu(b.conv(x, 13, 3, pads=1))
    return b.max_pool(x, 2, 1, pads=(0, 0, 1, 1))


def gray(b, x):
    """One channel, where both layouts are the same bytes."""
    x = b.leaky(b.conv(x, 1, 3, pads=1))
    x = b.relu(b.conv(x, 6, 5, pads=2))
    return b.conv(x, 1, 1)


def line(b, x):
    """A signal: height one."""
    x = b.relu(b.conv(x, 10, (1, 5), stride=(1, 2), pads=(0, 2)))
    x = b.max_pool(x, (1, 2), (1, 2))
    x = b.leaky(b.conv(x, 9, (1, 3), pads=(0, 2, 0, 0)))
    return b.conv(x, 4, 1)


def small(b, x):
    """Extents smaller than the kernels."""
    x = b.relu(b.conv(x, 9, 5, pads=2))
    x = b.leaky(b.conv(x, 8, 3, pads=1))
    x = b.relu(b.conv(x, 5, (2, 3), pads=(0, 1)))
    return b.conv(x, 12, 1)


def deep(b, x):
    """A long chain with poolings, for budgets and cuts."""
    for count, last in ((8, False), (8, True), (16, False), (16, True), (24, False), (24, False)):
        x = b.leaky(b.batch_norm(b.conv(x, count, 3, pads=1, bias=False)))
        if last:
            x = b.max_pool(x, 2, 2)
    return b.relu(b.conv(x, 16, 1))


def opset(b, x):
    """Every operator whose form has changed between opsets; see --opset."""
    x = b.relu6(b.batch_norm(b.conv(x, 8, 3, stride=2, pads=1, bias=False)))
    x = b.max_pool(x, 3, 2, pads=1)
    x = b.relu(b.conv(x, 12, 3, pads=1))
    x = b.leaky(b.average_pool(x, 2, 1, pads=(0, 0, 1, 1), count_include_pad=1))
    x = b.identity(b.dropout(x))
    x = b.flatten(b.global_average_pool(x))
    x = b.relu(b.add_bias(b.matmul(x, 10)))
    return b.softmax(b.gemm(x, 7, gain=1.0))
