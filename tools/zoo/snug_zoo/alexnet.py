# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""AlexNet (Krizhevsky et al. 2012), after Caffe's bvlc_alexnet: one tower with grouped convolutions."""

CLASSES = 1000


def alexnet(b, x):
    x = b.relu(b.conv(x, 96, 11, stride=4))
    x = b.max_pool(b.lrn(x, 5), 3, 2)
    x = b.relu(b.conv(x, 256, 5, pads=2, groups=2))
    x = b.max_pool(b.lrn(x, 5), 3, 2)
    x = b.relu(b.conv(x, 384, 3, pads=1))
    x = b.relu(b.conv(x, 384, 3, pads=1, groups=2))
    x = b.relu(b.conv(x, 256, 3, pads=1, groups=2))
    x = b.reshape_flat(b.max_pool(x, 3, 2))
    for _ in range(2):
        x = b.dropout(b.relu(b.gemm(x, 4096)))
    return b.softmax(b.gemm(x, CLASSES, gain=1.0))
