# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""GoogLeNet (Szegedy et al. 2014) and Inception v3 (Szegedy et al. 2015), after torchvision, without their auxiliary heads."""

# Of each module: 1x1; 3x3 reduced and full; 5x5, which torchvision has as 3x3, reduced and full; behind the pooling.
GOOGLENET = [
    (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (3, 2),
    (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128), (2, 2), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
]
CLASSES = 1000
EPSILON = 1e-3


def convolution(b, x, channels, kernel=1, stride=1, pads=0):
    return b.relu(b.batch_norm(b.conv(x, channels, kernel, stride=stride, pads=pads, bias=False), EPSILON))


def googlenet(b, x):
    x = b.max_pool(convolution(b, x, 64, 7, 2, 3), 3, 2, ceil_mode=True)
    x = convolution(b, convolution(b, x, 64), 192, 3, pads=1)
    x = b.max_pool(x, 3, 2, ceil_mode=True)
    for module in GOOGLENET:
        if len(module) == 2:
            x = b.max_pool(x, *module, ceil_mode=True)
            continue
        single, reduced3, full3, reduced5, full5, pooled = module
        x = b.concat([convolution(b, x, single),
                      convolution(b, convolution(b, x, reduced3), full3, 3, pads=1),
                      convolution(b, convolution(b, x, reduced5), full5, 3, pads=1),
                      convolution(b, b.max_pool(x, 3, 1, pads=1, ceil_mode=True), pooled)])
    return b.gemm(b.dropout(b.flatten(b.global_average_pool(x)), 0.2), CLASSES, gain=1.0)


def chain(b, x, *layers):
    """Convolutions that keep the extents, each (channels, kernel)."""
    for channels, kernel in layers:
        pads = kernel // 2 if isinstance(kernel, int) else tuple(k // 2 for k in kernel)
        x = convolution(b, x, channels, kernel, pads=pads)
    return x


def pooled(b, x, channels):
    return convolution(b, b.average_pool(x, 3, 1, pads=1, count_include_pad=1), channels)


def module_a(b, x, behind_pool):
    return b.concat([chain(b, x, (64, 1)), chain(b, x, (48, 1), (64, 5)), chain(b, x, (64, 1), (96, 3), (96, 3)), pooled(b, x, behind_pool)])


def module_c(b, x, inner):
    return b.concat([chain(b, x, (192, 1)), chain(b, x, (inner, 1), (inner, (1, 7)), (192, (7, 1))),
                     chain(b, x, (inner, 1), (inner, (7, 1)), (inner, (1, 7)), (inner, (7, 1)), (192, (1, 7))), pooled(b, x, 192)])


def module_e(b, x):
    def both(y):
        return b.concat([chain(b, y, (384, (1, 3))), chain(b, y, (384, (3, 1)))])

    return b.concat([chain(b, x, (320, 1)), both(chain(b, x, (384, 1))), both(chain(b, x, (448, 1), (384, 3))), pooled(b, x, 192)])


def inception_v3(b, x):
    x = convolution(b, x, 32, 3, 2)
    x = convolution(b, convolution(b, x, 32, 3), 64, 3, pads=1)
    x = b.max_pool(x, 3, 2)
    x = convolution(b, convolution(b, x, 80), 192, 3)
    x = b.max_pool(x, 3, 2)
    for behind_pool in (32, 64, 64):
        x = module_a(b, x, behind_pool)
    x = b.concat([convolution(b, x, 384, 3, 2), convolution(b, chain(b, x, (64, 1), (96, 3)), 96, 3, 2), b.max_pool(x, 3, 2)])
    for inner in (128, 160, 160, 192):
        x = module_c(b, x, inner)
    x = b.concat([convolution(b, chain(b, x, (192, 1)), 320, 3, 2),
                  convolution(b, chain(b, x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, 2), b.max_pool(x, 3, 2)])
    for _ in range(2):
        x = module_e(b, x)
    return b.gemm(b.flatten(b.dropout(b.global_average_pool(x))), CLASSES, gain=1.0)
