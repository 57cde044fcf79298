# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DeepLab v3 on MobileNet v3 large (Chen et al. 2017), after torchvision, without its auxiliary head."""

from snug_zoo.mobilenet import v3_large_features

CHANNELS = 256
RATES = (12, 24, 36)
CLASSES = 21


def deeplab(b, x):
    def finished(y, kernel=1, dilation=1):
        return b.relu(b.batch_norm(b.conv(y, CHANNELS, kernel, pads=kernel // 2 * dilation, dilation=dilation, bias=False)))

    features = v3_large_features(b, x, dilated_from=12)
    branches = [finished(features)] + [finished(features, 3, rate) for rate in RATES]
    branches.append(b.resize_like(finished(b.global_average_pool(features)), features))
    y = b.dropout(finished(b.concat(branches)))
    y = b.conv(finished(y, 3), CLASSES, 1, gain=1.0)
    return b.resize_like(y, x)
