# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""EfficientNet-B0 (Tan and Le 2019), after torchvision."""

# Expansion, kernel, first stride, output channels and count.
BLOCKS = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]
CLASSES = 1000


def efficientnet_b0(b, x):
    def normalized(y, channels, kernel=1, **options):
        return b.batch_norm(b.conv(y, channels, kernel, pads=kernel // 2, bias=False, **options))

    x = b.swish(normalized(x, 32, 3, stride=2))
    for expansion, kernel, first, channels, count in BLOCKS:
        for i in range(count):
            stride = 1 if i else first
            y = b.swish(normalized(x, x.channels * expansion)) if expansion != 1 else x
            y = b.swish(normalized(y, y.channels, kernel, stride=stride, groups=y.channels))
            gate = b.swish(b.conv(b.reduce("ReduceMean", y, [2, 3]), x.channels // 4, 1))
            y = b.multiply(y, b.sigmoid(b.conv(gate, y.channels, 1, gain=1.0)))
            y = normalized(y, channels)
            x = b.add(y, x) if stride == 1 and x.channels == channels else y
    x = b.flatten(b.global_average_pool(b.swish(normalized(x, 1280))))
    return b.gemm(b.dropout(x, 0.2), CLASSES, gain=1.0)
