# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks by name, each with its usual input."""

from snug_zoo import mobilenet, odd, vgg, yolo
from snug_zoo.builder import Builder

DEFAULT_OPSET = 13
DEFAULT_SEED = 1


class Network:
    """How to build one network: its function, channels, height, width and batch."""

    def __init__(self, build, shape, batch=1):
        self.build = build
        self.shape = shape
        self.batch = batch
        self.about = (build.__doc__ or "").strip().split("\n")[0]


NETWORKS = {
    "yolov2-first16": Network(yolo.yolov2_first16, (3, 608, 608)),
    "tiny-yolov2": Network(yolo.tiny_yolov2, (3, 416, 416)),
    "vgg16": Network(vgg.vgg16, (3, 224, 224)),
    "mobilenet_v1": Network(mobilenet.mobilenet_v1, (3, 224, 224)),
    "odd-activations": Network(odd.activations, (5, 31, 27)),
    "odd-autopad": Network(odd.autopad, (3, 33, 26)),
    "odd-average": Network(odd.average, (4, 29, 34)),
    "odd-batch": Network(odd.batch, (3, 30, 23), batch=2),
    "odd-channels": Network(odd.channels, (3, 23, 37)),
    "odd-deep": Network(odd.deep, (3, 61, 47)),
    "odd-dilation": Network(odd.dilation, (3, 35, 32)),
    "odd-gray": Network(odd.gray, (1, 25, 31)),
    "odd-groups": Network(odd.groups, (6, 27, 33)),
    "odd-head": Network(odd.head, (3, 19, 22)),
    "odd-kernels": Network(odd.kernels, (3, 29, 30)),
    "odd-line": Network(odd.line, (4, 1, 131)),
    "odd-normalized": Network(odd.normalized, (5, 24, 31)),
    "odd-opset": Network(odd.opset, (3, 31, 25)),
    "odd-pads": Network(odd.pads, (5, 37, 29)),
    "odd-pools": Network(odd.pools, (3, 41, 38)),
    "odd-residual": Network(odd.residual, (7, 26, 21)),
    "odd-small": Network(odd.small, (2, 3, 2)),
    "odd-stride": Network(odd.stride, (3, 67, 58)),
}


def build(name, size=None, batch=None, seed=DEFAULT_SEED, opset=DEFAULT_OPSET, weights=True):
    """Builds a network. `size` is (height, width) or None for the usual one.

    Returns (builder, result tensor); `builder.model(result)` is the ONNX model
    unless `weights` is false, when only counts are kept. Raises ZooError.
    """
    network = NETWORKS[name]
    channels, height, width = network.shape
    if size is not None:
        height, width = size
    builder = Builder(name, opset, seed, weights)
    x = builder.network_input((batch or network.batch, channels, height, width))
    return builder, network.build(builder, x)
