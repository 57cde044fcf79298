# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The zoo itself: valid files, the same on every call, figures as published."""

import os

import numpy as np
import onnx

import harness
import snug_zoo
from harness import check, run, test
from snug_dev.common import ZOO
from snug_zoo.graph import NEWEST_OPSET, OLDEST_OPSET


@test("zoo/list")
def _():
    done = run([ZOO, "--list"])
    check(done.status == 0, done.tail())
    for name in snug_zoo.NETWORKS:
        check(name in done.output, f"--list does not name {name}")


# Multiply-accumulates at the usual size and parameters as papers, cfg files and torchvision give them; torchvision counts
# only what is learned, darknet and Keras also the statistics of batch norms, and for DeepLab its auxiliary head.
PUBLISHED = {
    "alexnet": (724e6, 60_965_224),
    "deeplab": (10.43e9, 11_029_328),
    "densenet121": (2.834e9, 7_978_856),
    "efficientnet_b0": (386e6, 5_288_548),
    "espcn": (1.135e9, 22_729),
    "googlenet": (1.498e9, 6_624_904),
    "inception_v3": (5.713e9, 23_834_568),
    "mobilenet_v1": (569e6, 4_231_976),
    "mobilenet_v2": (301e6, 3_504_872),
    "mobilenet_v3_small": (56.5e6, 2_542_856),
    "nasbench201": (220.12e6, 1_531_546),
    "resnet18": (1.814e9, 11_689_512),
    "resnet50": (4.089e9, 25_557_032),
    "shufflenet_v2": (145e6, 2_278_604),
    "squeezenet1.1": (349e6, 1_235_496),
    "tiny-yolov2": (3.49e9, 15_867_885),
    "unet": (48.2e9, 31_037_698),
    "vgg16": (15.470e9, 138_357_544),
    "yolov2": (31.47e9, 50_983_561),
    "yolov2-first16": (13.000e9, 3_423_776),
    "yolov3-tiny": (2.78e9, 8_858_734),
    "yolov5n": (2.24e9, 1_872_157),
}


@test("zoo/figures of the known networks")
def _():
    check(sorted(PUBLISHED) == sorted(n for n in snug_zoo.NETWORKS if not n.startswith("odd-")), "a network has no published figures here")
    for name, (macs, parameters) in PUBLISHED.items():
        counted, _ = snug_zoo.build(name, weights=False)
        check(abs(counted.macs / macs - 1) < 0.005, f"{name}: {counted.macs} multiply-accumulates")
        learned = counted.parameters - counted.statistics
        nearest = min(learned, counted.parameters, key=lambda n: abs(n / parameters - 1))
        check(abs(nearest / parameters - 1) < 0.001, f"{name}: {learned} learned parameters, {counted.parameters} in all")


@test("zoo/any width of mobilenet_v2")
def _():
    # As torchvision and the paper's authors give them.
    for width, parameters in ((0.35, 1_677_280), (0.5, 1_968_680), (0.75, 2_636_040), (1.4, 6_108_776)):
        counted, _ = snug_zoo.build("mobilenet_v2", weights=False, width=width)
        learned = counted.parameters - counted.statistics
        check(abs(learned / parameters - 1) < 0.005, f"width {width}: {learned} parameters")
    builder, result = snug_zoo.build("mobilenet_v2", width=0.37, size=(65, 65))
    onnx.checker.check_model(builder.model(result), full_check=True)


@test("zoo/cells of nasbench201")
def _():
    # |conv 3x3|+|conv 3x3|average|+|skip|conv 3x3|skip|, as NATS-Bench gives it.
    counted, _ = snug_zoo.build("nasbench201", weights=False, cell=3 + 3 * 5 + 4 * 25 + 1 * 125 + 3 * 625 + 1 * 3125)
    check(abs(counted.macs / 113.95137e6 - 1) < 1e-6, f"{counted.macs} multiply-accumulates")
    check(counted.parameters - counted.statistics == 802_426, f"{counted.parameters - counted.statistics} learned parameters")
    # Where nothing is passed on; the most additions without a batch norm.
    for cell in (0, 1 + 5 + 25 + 125 + 625 + 3125):
        builder, result = snug_zoo.build("nasbench201", cell=cell)
        onnx.checker.check_model(builder.model(result), full_check=True)
    for arguments, words in ((["nasbench201", "--cell=15625"], "there is no cell 15625"), (["nasbench201", "--cell=-1"], "there is no cell -1"),
                             (["resnet18", "--cell=1"], "--cell does not apply to resnet18, only to nasbench201"),
                             (["nasbench201", "--width=2"], "--width does not apply to nasbench201, only to mobilenet_v2")):
        done = run([ZOO, *arguments, "-o", "never.onnx"])
        check(done.status == 1 and words in done.output, done.tail())


@test("zoo/the same file every time, another for another seed")
def _():
    folder = harness.fresh_folder("zoo-seeds")
    contents = []
    for number, options in enumerate([[], [], ["--seed=2"]]):
        path = os.path.join(folder, f"{number}.onnx")
        done = run([ZOO, "odd-channels", "-o", path, *options])
        check(done.status == 0, done.tail())
        with open(path, "rb") as file:
            contents.append(file.read())
    check(contents[0] == contents[1], "two calls gave different files")
    check(contents[0] != contents[2], "another seed gave the same file")


@test("zoo/errors")
def _():
    for arguments, status in [(["nothing", "-o", "x.onnx"], 1), (["odd-pads", "--size=1", "-o", "x.onnx"], 1),
                              (["odd-pads", "--opset=6", "-o", "x.onnx"], 1), (["odd-pads"], 2),
                              (["odd-pads", "--size=big", "-o", "x.onnx"], 2),
                              (["odd-pads", "--width=0.5", "-o", "x.onnx"], 1), (["mobilenet_v2", "--width=0", "-o", "x.onnx"], 2),
                              (["odd-pyramid", "--opset=9", "-o", "x.onnx"], 1)]:
        done = run([ZOO, *arguments], directory=harness.fresh_folder("zoo-errors"))
        check(done.status == status and "error:" in done.output, f"zoo {' '.join(arguments)}: {done.status}\n{done.tail()}")


def valid_at(opset):
    def body():
        for name, network in snug_zoo.NETWORKS.items():
            if name.startswith("odd-") and opset >= network.opset:
                builder, result = snug_zoo.build(name, opset=opset)
                onnx.checker.check_model(builder.model(result), full_check=True)
    return body


for number in range(OLDEST_OPSET, NEWEST_OPSET + 1):
    test(f"zoo/valid at opset {number}")(valid_at(number))


def scale_body(name):
    def body():
        for file, values in harness.model(name, size=harness.SMALL[name]).expected.items():
            # Classes of a softmax are small, boxes in pixels large.
            check(np.isfinite(values).all() and 1e-4 < values.std() < 300, f"{file}: deviation {values.std():.3g}")
    return body


for chosen in harness.SMALL:
    test(f"zoo/{chosen}: ONNX Runtime runs it, outputs of sane scale")(scale_body(chosen))
