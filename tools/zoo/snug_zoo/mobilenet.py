# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MobileNet v1, width 1.0 (Howard et al. 2017)."""

# Output channels and stride of each depthwise separable block.
BLOCKS = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
]
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
