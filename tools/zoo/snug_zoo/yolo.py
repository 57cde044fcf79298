# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""YOLOv2, its first 16 layers, tiny YOLOv2 and YOLOv3-tiny (Redmon and Farhadi 2017, 2018), after darknet's yolov2.cfg,
yolov2-tiny-voc.cfg and yolov3-tiny.cfg; and the smallest YOLOv5 with the decoding of its head."""

import numpy as np

# Output channels and kernel of a convolution; "max" is 2x2 max pooling, stride 2.
YOLOV2_FIRST16 = [
    (32, 3), "max",
    (64, 3), "max",
    (128, 3), (64, 1), (128, 3), "max",
    (256, 3), (128, 1), (256, 3), "max",
    (512, 3), (256, 1), (512, 3), (256, 1),
]
YOLOV2_DEEP = ["max", (1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3), (1024, 3), (1024, 3)]

VOC_OUTPUTS = 125  # 5 anchors x (20 classes + 4 coordinates + objectness)
COCO_VALUES = 85  # 80 classes + 4 coordinates + objectness
# Widths and heights in pixels, of the scales at strides 8, 16 and 32.
YOLOV5_ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


def convolution(b, x, channels, kernel):
    """Darknet's convolutional layer: no bias, batch norm, leaky relu 0.1."""
    x = b.conv(x, channels, kernel, pads=kernel // 2, bias=False)
    return b.leaky(b.batch_norm(x), 0.1)


def layers(b, x, listed):
    for layer in listed:
        x = b.max_pool(x, 2, 2) if layer == "max" else convolution(b, x, *layer)
    return x


def yolov2_first16(b, x):
    return layers(b, x, YOLOV2_FIRST16)


def yolov2(b, x):
    """With the passthrough route, darknet's reorg."""
    fine = convolution(b, layers(b, x, YOLOV2_FIRST16), 512, 3)
    x = layers(b, fine, YOLOV2_DEEP)
    x = b.concat([b.space_to_depth(convolution(b, fine, 64, 1), 2), x])
    return b.conv(convolution(b, x, 1024, 3), 5 * COCO_VALUES, 1, gain=1.0)


def tiny_yolov2(b, x):
    for channels in (16, 32, 64, 128, 256):
        x = b.max_pool(convolution(b, x, channels, 3), 2, 2)
    x = convolution(b, x, 512, 3)
    # Stride 1 keeps the extent: darknet pads it at the bottom and right only.
    x = b.max_pool(x, 2, 1, pads=(0, 0, 1, 1))
    x = convolution(b, x, 1024, 3)
    x = convolution(b, x, 1024, 3)
    return b.conv(x, VOC_OUTPUTS, 1, gain=1.0)


def candidates(b, x):
    """Three candidates of each place as rows of 85 values: (batch, height x width x 3, 85), as exporters bring scales together."""
    batch, _, height, width = x.shape
    x = b.transpose(b.reshape(x, (batch, 3, COCO_VALUES, height, width)), [0, 3, 4, 1, 2])
    return b.reshape(x, (batch, height * width * 3, COCO_VALUES))


def yolov3_tiny(b, x):
    """Candidates of two scales, not yet decoded."""
    for channels in (16, 32, 64, 128):
        x = b.max_pool(convolution(b, x, channels, 3), 2, 2)
    fine = convolution(b, x, 256, 3)
    x = convolution(b, b.max_pool(fine, 2, 2), 512, 3)
    x = b.max_pool(x, 2, 1, pads=(0, 0, 1, 1))
    x = convolution(b, convolution(b, x, 1024, 3), 256, 1)
    coarse = b.conv(convolution(b, x, 512, 3), 3 * COCO_VALUES, 1, gain=1.0)
    x = b.concat([b.upsample(convolution(b, x, 128, 1)), fine])
    fine = b.conv(convolution(b, x, 256, 3), 3 * COCO_VALUES, 1, gain=1.0)
    return b.concat([candidates(b, coarse), candidates(b, fine)])


# YOLOv5n: widths a quarter, depths a third of the full ones.


def swished(b, x, channels, kernel=1, stride=1, pads=None):
    pads = kernel // 2 if pads is None else pads
    return b.swish(b.batch_norm(b.conv(x, channels, kernel, stride=stride, pads=pads, bias=False), 1e-3))


def stack(b, x, channels, count, residual=True):
    """Two branches of half the channels, one with `count` bottlenecks."""
    y = swished(b, x, channels // 2)
    for _ in range(count):
        z = swished(b, swished(b, y, channels // 2), channels // 2, 3)
        y = b.add(y, z) if residual else z
    return swished(b, b.concat([y, swished(b, x, channels // 2)]), channels)


def decoded(b, x, anchors, stride):
    """Boxes in pixels and scores of one scale: (batch, 3 x height x width, 85)."""
    batch, _, height, width = x.shape
    x = b.reshape(x, (batch, 3, COCO_VALUES, height, width))
    x = b.sigmoid(b.transpose(x, [0, 1, 3, 4, 2]))
    rows, columns = np.mgrid[:height, :width]
    grid = np.broadcast_to(np.stack([columns, rows], -1) - 0.5, (1, 3, height, width, 2))
    sizes = np.broadcast_to(np.reshape(anchors, (1, 3, 1, 1, 2)), grid.shape)
    centre = b.slice(x, [0], [2], [4])
    centre = b.multiply(b.add(b.multiply(centre, b.number(2.0)), b.table(grid)), b.number(float(stride)))
    size = b.binary("Pow", b.multiply(b.slice(x, [2], [4], [4]), b.number(2.0)), b.number(2.0))
    size = b.multiply(size, b.table(sizes))
    x = b.concat([centre, size, b.slice(x, [4], [COCO_VALUES], [4])], axis=4)
    return b.reshape(x, (batch, 3 * height * width, COCO_VALUES))


def yolov5n(b, x):
    """A head with Resize and Concat, decoded in the graph."""
    x = swished(b, x, 16, 6, 2, pads=2)
    x = stack(b, swished(b, x, 32, 3, 2), 32, 1)
    fine = stack(b, swished(b, x, 64, 3, 2), 64, 2)
    middle = stack(b, swished(b, fine, 128, 3, 2), 128, 3)
    x = stack(b, swished(b, middle, 256, 3, 2), 256, 1)
    x = swished(b, x, 128)
    pooled = [x]
    for _ in range(3):
        pooled.append(b.max_pool(pooled[-1], 5, 1, pads=2))
    coarse = swished(b, swished(b, b.concat(pooled), 256), 128)
    x = stack(b, b.concat([b.upsample(coarse), middle]), 128, 1, residual=False)
    middle = swished(b, x, 64)
    fine = stack(b, b.concat([b.upsample(middle), fine]), 64, 1, residual=False)
    middle = stack(b, b.concat([swished(b, fine, 64, 3, 2), middle]), 128, 1, residual=False)
    coarse = stack(b, b.concat([swished(b, middle, 128, 3, 2), coarse]), 256, 1, residual=False)
    # Features grow where scales meet; scores of usual size need small weights.
    parts = []
    for scale, (y, anchors) in enumerate(zip((fine, middle, coarse), YOLOV5_ANCHORS)):
        parts.append(decoded(b, b.conv(y, 3 * COCO_VALUES, 1, gain=1e-5), anchors, 8 << scale))
    return b.concat(parts)
