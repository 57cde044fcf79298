# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""U-Net (Ronneberger et al. 2015) with padded convolutions, batch norm and transposed convolutions, as its PyTorch versions have it."""

import numpy as np

CHANNELS = (64, 128, 256, 512, 1024)
CLASSES = 2


def double(b, x, channels):
    for _ in range(2):
        x = b.relu(b.batch_norm(b.conv(x, channels, 3, pads=1, bias=False)))
    return x


def padded(b, x, missing, like):
    first = [m // 2 for m in missing]
    y = b.pad(x, [0, 0, *first, 0, 0, *(m - f for m, f in zip(missing, first))])

    def compute():  # a cut sample may lack other rows than the image
        lacks = [a - c for a, c in zip(like.sample.shape, x.sample.shape)]
        return np.pad(x.sample, [(0, 0), (0, 0), (0, lacks[2]), (0, lacks[3])])

    y.computed_by(compute)
    return y


def unet(b, x):
    skips = []
    for channels in CHANNELS:
        if skips:
            x = b.max_pool(x, 2, 2)
        x = double(b, x, channels)
        skips.append(x)
    for skip in reversed(skips[:-1]):
        x = b.conv_transpose(x, skip.channels, 2, 2)
        # An odd extent lost its last row or column when it was halved.
        missing = [a - c for a, c in zip(skip.shape[2:], x.shape[2:])]
        if any(missing):
            x = padded(b, x, missing, skip)
        x = double(b, b.concat([skip, x]), skip.channels)
    return b.conv(x, CLASSES, 1, gain=1.0)
