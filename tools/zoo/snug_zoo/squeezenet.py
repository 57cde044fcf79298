# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SqueezeNet 1.1 (Iandola et al. 2016), after torchvision."""

# Squeezed channels, and those of each of the two expansions; "max" is a pooling.
LAYERS = ["max", (16, 64), (16, 64), "max", (32, 128), (32, 128), "max", (48, 192), (48, 192), (64, 256), (64, 256)]
CLASSES = 1000


def squeezenet(b, x):
    x = b.relu(b.conv(x, 64, 3, stride=2))
    for layer in LAYERS:
        if layer == "max":
            x = b.max_pool(x, 3, 2, ceil_mode=True)
            continue
        squeezed, expanded = layer
        x = b.relu(b.conv(x, squeezed, 1))
        x = b.concat([b.relu(b.conv(x, expanded, 1)), b.relu(b.conv(x, expanded, 3, pads=1))])
    x = b.relu(b.conv(b.dropout(x), CLASSES, 1, gain=1.0))
    return b.flatten(b.global_average_pool(x))
