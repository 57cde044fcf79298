# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The zoo itself: valid files, the same on every call, figures as published."""

import os

import numpy as np
import onnx

import harness
import snug_zoo
from harness import check, run, test
from snug_dev.common import ZOO
from snug_zoo.builder import NEWEST_OPSET, OLDEST_OPSET


@test("zoo/list")
def _():
    done = run([ZOO, "--list"])
    check(done.status == 0, done.tail())
    for name in snug_zoo.NETWORKS:
        check(name in done.output, f"--list does not name {name}")


@test("zoo/figures of the known networks")
def _():
    # Multiply-accumulates and bytes of weights as the papers and cfg files give them.
    for name, macs, weights in [("yolov2-first16", 13.000e9, 13.7e6), ("vgg16", 15.470e9, 553.4e6),
                                ("mobilenet_v1", 0.569e9, 17.0e6), ("tiny-yolov2", 3.49e9, 63.5e6)]:
        counted, _ = snug_zoo.build(name, weights=False)
        check(abs(counted.macs / macs - 1) < 0.002, f"{name}: {counted.macs} multiply-accumulates")
        check(abs(counted.parameters * 4 / weights - 1) < 0.005, f"{name}: {counted.parameters * 4} bytes of weights")


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
                              (["odd-pads", "--size=big", "-o", "x.onnx"], 2)]:
        done = run([ZOO, *arguments], directory=harness.fresh_folder("zoo-errors"))
        check(done.status == status and "error:" in done.output, f"zoo {' '.join(arguments)}: {done.status}\n{done.tail()}")


def valid_at(opset):
    def body():
        for name in snug_zoo.NETWORKS:
            if name.startswith("odd-"):
                builder, result = snug_zoo.build(name, opset=opset)
                onnx.checker.check_model(builder.model(result), full_check=True)
    return body


for number in range(OLDEST_OPSET, NEWEST_OPSET + 1):
    test(f"zoo/valid at opset {number}")(valid_at(number))


@test("zoo/outputs of sane scale")
def _():
    for name in ("yolov2-first16", "tiny-yolov2"):
        values = harness.model(name).expected["output.npy"]
        check(np.isfinite(values).all() and 0.1 < values.std() < 10, f"{name}: output of deviation {values.std():.3g}")
