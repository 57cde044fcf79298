# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks by name, each with its usual input."""

from snug_zoo import (alexnet, deeplab, densenet, efficientnet, espcn, inception, mobilenet, nasbench, odd, odd_branches, odd_operators, resnet,
                      shufflenet, squeezenet, unet, vgg, yolo)
from snug_zoo.builder import Builder
from snug_zoo.graph import OLDEST_OPSET, Tensor, ZooError

DEFAULT_OPSET = 13
DEFAULT_SEED = 1


class Network:
    """How to build one network: its function, channels, height, width and batch; the oldest opset that can say it.

    `choice` is the keyword of what else can be chosen of it: width (the factor
    of the channels) or cell.
    """

    def __init__(self, build, shape, batch=1, opset=OLDEST_OPSET, choice=None):
        self.build = build
        self.shape = shape
        self.batch = batch
        self.opset = opset
        self.choice = choice
        self.about = (build.__doc__ or "").strip().split("\n")[0]


NETWORKS = {
    "alexnet": Network(alexnet.alexnet, (3, 227, 227)),
    "deeplab": Network(deeplab.deeplab, (3, 520, 520), opset=11),
    "densenet121": Network(densenet.densenet121, (3, 224, 224)),
    "efficientnet_b0": Network(efficientnet.efficientnet_b0, (3, 224, 224)),
    "espcn": Network(espcn.espcn, (1, 224, 224)),
    "googlenet": Network(inception.googlenet, (3, 224, 224)),
    "inception_v3": Network(inception.inception_v3, (3, 299, 299)),
    "mobilenet_v1": Network(mobilenet.mobilenet_v1, (3, 224, 224)),
    "mobilenet_v2": Network(mobilenet.mobilenet_v2, (3, 224, 224), choice="width"),
    "mobilenet_v3_small": Network(mobilenet.mobilenet_v3_small, (3, 224, 224)),
    "nasbench201": Network(nasbench.nasbench201, (3, 32, 32), choice="cell"),
    "resnet18": Network(resnet.resnet18, (3, 224, 224)),
    "resnet50": Network(resnet.resnet50, (3, 224, 224)),
    "shufflenet_v2": Network(shufflenet.shufflenet_v2, (3, 224, 224)),
    "squeezenet1.1": Network(squeezenet.squeezenet, (3, 224, 224)),
    "tiny-yolov2": Network(yolo.tiny_yolov2, (3, 416, 416)),
    "unet": Network(unet.unet, (3, 256, 256)),
    "vgg16": Network(vgg.vgg16, (3, 224, 224)),
    "yolov2": Network(yolo.yolov2, (3, 608, 608)),
    "yolov2-first16": Network(yolo.yolov2_first16, (3, 608, 608)),
    "yolov3-tiny": Network(yolo.yolov3_tiny, (3, 416, 416)),
    "yolov5n": Network(yolo.yolov5n, (3, 640, 640)),
    **{"odd-" + name: Network(*of) for name, of in {
        "activations": (odd.activations, (5, 31, 27)),
        "autopad": (odd.autopad, (3, 33, 26)),
        "average": (odd.average, (4, 29, 34)),
        "batch": (odd.batch, (3, 30, 23), 2),
        "channels": (odd.channels, (3, 23, 37)),
        "deep": (odd.deep, (3, 61, 47)),
        "dilation": (odd.dilation, (3, 35, 32)),
        "gray": (odd.gray, (1, 25, 31)),
        "groups": (odd.groups, (6, 27, 33)),
        "head": (odd.head, (3, 19, 22)),
        "kernels": (odd.kernels, (3, 29, 30)),
        "line": (odd.line, (4, 1, 131)),
        "normalized": (odd.normalized, (5, 24, 31)),
        "opset": (odd.opset, (3, 31, 25)),
        "pads": (odd.pads, (5, 37, 29)),
        "pools": (odd.pools, (3, 41, 38)),
        "residual": (odd.residual, (7, 26, 21)),
        "small": (odd.small, (2, 3, 2)),
        "stride": (odd.stride, (3, 67, 58)),
        "attention": (odd_operators.attention, (5, 13, 11), 2),
        "binary": (odd_operators.binary, (6, 17, 21), 2, 8),
        "ceil": (odd_operators.ceil, (5, 30, 27), 1, 10),
        "clips": (odd_operators.clips, (5, 19, 22)),
        "decode": (odd_operators.decode, (3, 22, 26), 2),
        "depth": (odd_operators.depth, (3, 24, 36)),
        "gates": (odd_operators.gates, (3, 27, 22), 3),
        "lrn": (odd_operators.lrn, (3, 21, 26)),
        "matrices": (odd_operators.matrices, (4, 9, 11), 3),
        "opaque": (odd_operators.opaque, (3, 17, 21), 1, 13),
        "pad-modes": (odd_operators.pad_modes, (3, 21, 18)),
        "prelu": (odd_operators.prelu, (3, 25, 20), 2),
        "reduce": (odd_operators.reduce, (4, 15, 18), 2),
        "resize-linear": (odd_operators.resize_linear, (3, 15, 18), 1, 11),
        "resize-nearest": (odd_operators.resize_nearest, (3, 15, 18), 1, 11),
        "resize-symmetric": (odd_operators.resize_symmetric, (3, 13, 10), 1, 19),
        "shape-arithmetic": (odd_operators.shape_arithmetic, (3, 18, 13), 1, 11),
        "slices": (odd_operators.slices, (4, 23, 29), 1, 10),
        "softmax": (odd_operators.softmax, (6, 14, 9), 2, 13),
        "transposed": (odd_operators.transposed, (3, 13, 16)),
        "transposed-pads": (odd_operators.transposed_pads, (4, 11, 9), 2),
        "unary": (odd_operators.unary, (3, 20, 25), 1, 9),
        "upsample": (odd_operators.upsample, (3, 14, 11)),
        "blocks": (odd_branches.blocks, (3, 33, 38)),
        "concat": (odd_branches.concat, (3, 21, 26), 2),
        "dense": (odd_branches.dense, (3, 35, 30)),
        "inputs": (odd_branches.inputs, (3, 22, 27)),
        "outputs": (odd_branches.outputs, (3, 24, 29)),
        "pyramid": (odd_branches.pyramid, (3, 43, 38), 1, 11),
        "repeats": (odd_branches.repeats, (3, 22, 19), 2),
        "shuffle": (odd_branches.shuffle, (6, 31, 24), 2),
        "skips": (odd_branches.skips, (3, 40, 48)),
        "squeeze": (odd_branches.squeeze, (3, 37, 29), 2),
        "views": (odd_branches.views, (3, 18, 23), 3),
    }.items()},
}


def results_of(built):
    """The outputs of a network, which most have one of."""
    return [built] if isinstance(built, Tensor) else list(built)


def build(name, size=None, batch=None, seed=DEFAULT_SEED, opset=None, weights=True, builder=Builder, **chosen):
    """Builds a network. `size` is (height, width) or None for the usual one.

    `chosen` may hold what can be chosen of it, see Network. Returns (builder,
    its output or a list of them); `builder.model(outputs)` is the ONNX model
    unless `weights` is false, when only counts are kept. Raises ZooError.
    """
    network = NETWORKS[name]
    if opset is not None and opset < network.opset:
        raise ZooError(f"{name} needs opset {network.opset} or newer; choose another --opset")
    chosen = {key: value for key, value in chosen.items() if value is not None}
    for key in chosen:
        if key != network.choice:
            raise ZooError(f"--{key} does not apply to {name}, only to {', '.join(n for n, w in NETWORKS.items() if w.choice == key)}")
    channels, height, columns = network.shape
    if size is not None:
        height, columns = size
    made = builder(name, opset or max(DEFAULT_OPSET, network.opset), seed, weights)
    x = made.network_input((batch or network.batch, channels, height, columns))
    return made, network.build(made, x, **chosen)
