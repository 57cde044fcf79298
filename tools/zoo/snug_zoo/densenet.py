# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DenseNet-121 (Huang et al. 2016), after torchvision: each layer concatenates all before it anew."""

COUNTS = (6, 12, 24, 16)
GROWTH = 32
CLASSES = 1000


def activated(b, x):
    return b.relu(b.batch_norm(x))


def densenet121(b, x):
    x = activated(b, b.conv(x, 64, 7, stride=2, pads=3, bias=False))
    x = b.max_pool(x, 3, 2, pads=1)
    for number, count in enumerate(COUNTS):
        parts = [x]
        for _ in range(count):
            y = activated(b, b.concat(parts))
            y = activated(b, b.conv(y, 4 * GROWTH, 1, bias=False))
            parts.append(b.conv(y, GROWTH, 3, pads=1, bias=False))
        x = b.concat(parts)
        if number + 1 < len(COUNTS):
            x = b.average_pool(b.conv(activated(b, x), x.channels // 2, 1, bias=False), 2, 2)
    x = b.flatten(b.global_average_pool(activated(b, x)))
    return b.gemm(x, CLASSES, gain=1.0)
