# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""VGG-16, configuration D (Simonyan and Zisserman 2015)."""

BLOCKS = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
CLASSES = 1000


def vgg16(b, x):
    for channels, count in BLOCKS:
        for _ in range(count):
            x = b.relu(b.conv(x, channels, 3, pads=1))
        x = b.max_pool(x, 2, 2)
    x = b.flatten(x)
    for _ in range(2):
        x = b.dropout(b.relu(b.gemm(x, 4096)))
    return b.softmax(b.gemm(x, CLASSES, gain=1.0))
