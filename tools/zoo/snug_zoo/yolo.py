# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""YOLOv2's first 16 layers and tiny YOLOv2 (Redmon and Farhadi 2017), after
darknet's yolov2.cfg and yolov2-tiny-voc.cfg."""

# Output channels and kernel of a convolution; "max" is 2x2 max pooling, stride 2.
YOLOV2_FIRST16 = [
    (32, 3), "max",
    (64, 3), "max",
    (128, 3), (64, 1), (128, 3), "max",
    (256, 3), (128, 1), (256, 3), "max",
    (512, 3), (256, 1), (512, 3), (256, 1),
]

VOC_OUTPUTS = 125  # 5 anchors x (20 classes + 4 coordinates + objectness)


def convolution(b, x, channels, kernel):
    """Darknet's convolutional layer: no bias, batch norm, leaky relu 0.1."""
    x = b.conv(x, channels, kernel, pads=kernel // 2, bias=False)
    return b.leaky(b.batch_norm(x), 0.1)


def yolov2_first16(b, x):
    for layer in YOLOV2_FIRST16:
        x = b.max_pool(x, 2, 2) if layer == "max" else convolution(b, x, *layer)
    return x


def tiny_yolov2(b, x):
    for channels in (16, 32, 64, 128, 256):
        x = b.max_pool(convolution(b, x, channels, 3), 2, 2)
    x = convolution(b, x, 512, 3)
    # Stride 1 keeps the extent: darknet pads it at the bottom and right only.
    x = b.max_pool(x, 2, 1, pads=(0, 0, 1, 1))
    x = convolution(b, x, 1024, 3)
    x = convolution(b, x, 1024, 3)
    return b.conv(x, VOC_OUTPUTS, 1, gain=1.0)
