# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ShuffleNet v2, width 1.0 (Ma et al. 2018), after torchvision."""

STAGES = [(116, 4), (232, 8), (464, 4)]  # output channels and units
CLASSES = 1000


def shufflenet_v2(b, x):
    def pointwise(y, channels):
        return b.relu(b.batch_norm(b.conv(y, channels, 1, bias=False)))

    def depthwise(y, stride):
        return b.batch_norm(b.conv(y, y.channels, 3, stride=stride, pads=1, groups=y.channels, bias=False))

    x = b.relu(b.batch_norm(b.conv(x, 24, 3, stride=2, pads=1, bias=False)))
    x = b.max_pool(x, 3, 2, pads=1)
    for channels, count in STAGES:
        half = channels // 2
        for unit in range(count):
            if unit:
                kept, y = b.split(x, [half, half])
            else:
                kept, y = pointwise(depthwise(x, 2), half), x
            y = pointwise(depthwise(pointwise(y, half), 1 if unit else 2), half)
            x = b.channel_shuffle(b.concat([kept, y]), 2)
    x = b.reduce("ReduceMean", pointwise(x, 1024), [2, 3], keep=False)
    return b.gemm(x, CLASSES, gain=1.0)
