# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ResNet-18 and ResNet-50 (He et al. 2015), after torchvision: strides in the 3x3 convolutions."""

CLASSES = 1000


def normalized(b, x, channels, kernel, stride=1):
    return b.batch_norm(b.conv(x, channels, kernel, stride=stride, pads=kernel // 2, bias=False))


def shortcut(b, x, channels, stride):
    return x if stride == 1 and x.channels == channels else normalized(b, x, channels, 1, stride)


def basic(b, x, channels, stride):
    y = b.relu(normalized(b, x, channels, 3, stride))
    y = normalized(b, y, channels, 3)
    return b.relu(b.add(y, shortcut(b, x, channels, stride)))


def bottleneck(b, x, channels, stride):
    y = b.relu(normalized(b, x, channels, 1))
    y = b.relu(normalized(b, y, channels, 3, stride))
    y = normalized(b, y, 4 * channels, 1)
    return b.relu(b.add(y, shortcut(b, x, 4 * channels, stride)))


def backbone(b, x, block, counts):
    x = b.relu(normalized(b, x, 64, 7, 2))
    x = b.max_pool(x, 3, 2, pads=1)
    for number, count in enumerate(counts):
        for i in range(count):
            x = block(b, x, 64 << number, 2 if number and not i else 1)
    return b.global_average_pool(x)


def resnet18(b, x):
    # x.view(x.size(0), -1), as torchvision wrote it at first.
    return b.gemm(b.view_flat(backbone(b, x, basic, (2, 2, 2, 2))), CLASSES, gain=1.0)


def resnet50(b, x):
    return b.gemm(b.flatten(backbone(b, x, bottleneck, (3, 4, 6, 3))), CLASSES, gain=1.0)
