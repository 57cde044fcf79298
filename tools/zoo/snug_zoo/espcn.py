# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ESPCN (Shi et al. 2016): a brightness channel, three times as large each way."""

import numpy as np

FACTOR = 3


def espcn(b, x):
    def tanh(y):
        return b.unary("Tanh", y, np.tanh)

    x = tanh(b.conv(x, 64, 5, pads=2, gain=1.0))
    x = tanh(b.conv(x, 32, 3, pads=1, gain=1.0))
    x = b.conv(x, FACTOR * FACTOR, 3, pads=1, gain=1.0)
    return b.depth_to_space(x, FACTOR, "CRD")
