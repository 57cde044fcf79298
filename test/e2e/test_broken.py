# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Broken files are refused, quickly and in little memory; odd ones that are sound work."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import broken
from harness import binary, check, check_close, fresh_folder, model, read_outputs, run, test

MOST_SECONDS = 10
MOST_BYTES = 2**30


# A process starts with the peak of the one that it was forked from, and this
# one is large: a small one stands between them.
LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
os.write(int(sys.argv[1]), b"%d %d" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024))
"""


class Measured:
    """A process that has ended: exit status, output, seconds and peak resident bytes."""

    def __init__(self, argv):
        result, told = os.pipe()
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, str(told), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, pass_fds=[told], check=False)
        self.seconds = time.monotonic() - start
        os.close(told)
        with os.fdopen(result, "rb") as pipe:
            self.status, self.peak = (int(n) for n in pipe.read().split())
        self.output = done.stdout.decode(errors="replace")


def write(folder, content):
    path = os.path.join(folder, "model.onnx")
    if content is not None:
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.SerializeToString())
    return path


def broken_body(name, make, words):
    def body():
        folder = os.path.join(fresh_folder("broken-" + "".join(c if c.isalnum() else "-" for c in name)), "in")
        os.makedirs(folder)
        path = write(folder, make(folder) if make.__code__.co_argcount else make())
        plan = os.path.join(folder, "plan.snug")
        done = Measured([binary("snug"), "compile", path, "-o", plan])
        check(done.status == 1, f"exit status {done.status} instead of 1\n{done.output[-2000:]}")
        for word in words:
            check(word in done.output, f"the message does not say '{word}'\n{done.output[:2000]}")
        check(done.output.count("error:") == 1, f"not one error\n{done.output[:2000]}")
        check(not os.path.exists(plan), "a plan was left behind")
        check(done.seconds < MOST_SECONDS, f"took {done.seconds:.1f} s, at most {MOST_SECONDS}")
        check(done.peak < MOST_BYTES, f"took {done.peak} bytes of memory, at most {MOST_BYTES}")
    return body


for case_name, case_make, case_words in broken.CASES:
    test("broken/" + case_name)(broken_body(case_name, case_make, case_words))


# Odd, but sound


def compiled_outputs(path, values, *options):
    """What snug makes of a model with one input: outputs by file name, and the plan's path."""
    folder = os.path.dirname(path)
    name = onnx.load(path, load_external_data=False).graph.input[0].name
    given = os.path.join(folder, "given.npy")
    np.save(given, values)
    plan, results = path + ".snug", os.path.join(folder, "results")
    done = run([binary("snug"), "compile", path, "-o", plan, "--json=" + path + ".json", *options])
    check(done.status == 0, done.tail())
    done = run([binary("snug-run"), plan, f"--input={name}={given}", "--output-dir=" + results, "--json=" + path + ".run.json",
                "--profile=" + path + ".trace.json"])
    check(done.status == 0, done.tail())
    return read_outputs(results)


def random_values(*shape):
    return np.random.default_rng(11).uniform(-1, 1, shape).astype(np.float32)


def expected_of(path, values):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: values})[0]


@test("sound/constants of every form")
def _():
    """Weights and shapes out of Constant and ConstantOfShape nodes."""
    filters = random_values(3, 2, 3, 3)
    half = helper.make_tensor("", TensorProto.FLOAT, [1], [0.5])
    minus = helper.make_tensor("", TensorProto.INT64, [1], [-1])
    nodes = [
        helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(filters)),
        helper.make_node("Constant", [], ["b"], value_floats=[0.5, -0.25, 1.0]),
        helper.make_node("Constant", [], ["low"], value_float=0.0),
        helper.make_node("Constant", [], ["high"], value_float=6.0),
        helper.make_node("Constant", [], ["shape"], value_ints=[0, -1]),
        helper.make_node("Constant", [], ["three"], value_int=3),
        helper.make_node("Constant", [], ["scale_shape"], value_ints=[3]),
        helper.make_node("ConstantOfShape", ["scale_shape"], ["scale"], value=half),
        helper.make_node("ConstantOfShape", ["scale_shape"], ["zero"]),
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "scale", "b", "zero", "scale"], ["n"], name="norm"),
        helper.make_node("Clip", ["n", "low", "high"], ["a"], name="clip"),
        helper.make_node("Constant", [], ["two"], value_ints=[2]),
        helper.make_node("ConstantOfShape", ["two"], ["flat"], value=minus),
        helper.make_node("Reshape", ["a", "shape"], ["y"], name="flatten"),
    ]
    path = write(fresh_folder("sound-constants"), broken.model(nodes))
    values = random_values(1, 2, 6, 6)
    check_close(compiled_outputs(path, values), {"y.npy": expected_of(path, values)}, 1e-5, "constants")


@test("sound/external data at an offset")
def _():
    folder = fresh_folder("sound-external")
    first, second = random_values(4, 2, 3, 3), random_values(5, 4, 1, 1)
    os.makedirs(os.path.join(folder, "parts"))
    with open(os.path.join(folder, "parts", "weights.bin"), "wb") as file:
        file.write(b"???" + first.tobytes() + b"?" * 4093 + second.tobytes())
    tensors = []
    for name, array, offset in (("w1", first, 3), ("w2", second, 3 + first.nbytes + 4093)):
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, text in (("location", "parts/weights.bin"), ("offset", offset), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(text))
        tensors.append(tensor)
    nodes = [helper.make_node("Conv", ["x", "w1"], ["h"], name="one"), helper.make_node("Conv", ["h", "w2"], ["y"], name="two")]
    path = write(folder, broken.model(nodes, initializers=tensors))
    values = random_values(1, 2, 6, 6)
    expected = np.einsum("oi,nihw->nohw", second[:, :, 0, 0], np.stack([[
        sum(np.correlate(values[0, i, y + k], first[o, i, k], "valid") for i in range(2) for k in range(3)) for y in range(4)]
        for o in range(4)])[None]).astype(np.float32)  # fmt: skip
    check_close(compiled_outputs(path, values), {"y.npy": expected}, 1e-5, "external data")


@test("sound/a chain of ten thousand nodes")
def _():
    nodes, last = [], "x"
    for index in range(10_000):
        kind = ("Relu", [last]) if index % 2 else ("Conv", [last, "w"])
        nodes.append(helper.make_node(*kind, [f"t{index}"], name=f"node{index}"))
        last = f"t{index}"
    nodes[-1].output[0] = "y"
    weights = numpy_helper.from_array(np.eye(2, dtype=np.float32).reshape(2, 2, 1, 1), "w")
    path = write(fresh_folder("sound-chain"), broken.model(nodes, initializers=[weights]))
    done = Measured([binary("snug"), "compile", path, "-o", path + ".snug"])
    check(done.status == 0, done.output[-2000:])
    check(done.seconds < MOST_SECONDS and done.peak < MOST_BYTES, f"{done.seconds:.1f} s, {done.peak} bytes")
    values = random_values(1, 2, 6, 6)
    check_close(compiled_outputs(path, values, "--max-groups=0"), {"y.npy": np.maximum(values, 0)}, 1e-6, "ten thousand nodes")


NAMES = ["new\nline", "quo\"te'", "../../up", os.sep + "abs", "a/b\\c", "größe-漢字", "tab\t%s%n", "x=1", "con:", ".", "..", "-o", "$(id)", "\x1b[31m"]


@test("sound/names of every kind")
def _():
    """Names go through errors, JSON, bytecode, text and file names, and lead nowhere."""
    folder = os.path.join(fresh_folder("sound-names"), "a", "b", "c")
    os.makedirs(folder)
    nodes, last = [], "in\n../put"
    for index, name in enumerate(NAMES):
        nodes.append(helper.make_node("Relu", [last], [name], name="node " + name))
        last = name
    graph = helper.make_graph(nodes, "gr/\naph", [broken.value("in\n../put", (1, 2, 3, 3))], [broken.value(n, None) for n in NAMES])
    path = write(folder, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    values = random_values(1, 2, 3, 3)
    outputs = compiled_outputs(path, values)
    check(len(outputs) == len(NAMES), f"{len(outputs)} outputs instead of {len(NAMES)}: {sorted(outputs)}")
    for name, array in outputs.items():
        check(array.tobytes() == np.maximum(values, 0).tobytes(), f"{name} is wrong")
    for file in (path + ".json", path + ".run.json", path + ".trace.json"):
        with open(file, encoding="utf-8") as stream:
            json.load(stream)
    above = os.path.join(folder, os.pardir)
    check(sorted(os.listdir(above)) == ["c"] and sorted(os.listdir(os.path.join(above, os.pardir))) == ["b"], "a file left its folder")
    # Names survive a round trip through text.
    text = path + ".mlir"
    done = run([binary("snug-translate"), "--import-onnx", path, "-o", text])
    check(done.status == 0, done.tail())
    done = run([binary("snug-opt"), text, "--snug-compile-pipeline", "--emit-bytecode", "-o", text + "bc"])
    check(done.status == 0, done.tail())
    done = run([binary("snug-translate"), "--export-plan", text + "bc", "-o", path + ".again.snug"])
    check(done.status == 0, done.tail())


@test("sound/training information is left out and said")
def _():
    made = broken.model([broken.relu()])
    made.training_info.add().algorithm.node.append(broken.relu())
    path = write(fresh_folder("sound-training"), made)
    done = run([binary("snug"), "compile", path, "-o", path + ".snug"])
    check(done.status == 0 and "holds training information, which is left out" in done.output, done.tail())


@test("sound/nodes of equal names")
def _():
    path = write(fresh_folder("sound-twins"), broken.model([broken.relu(result="h"), broken.relu("h")]))
    values = random_values(1, 2, 6, 6)
    check_close(compiled_outputs(path, values), {"y.npy": np.maximum(values, 0)}, 1e-6, "nodes of equal names")


@test("sound/memory of a compile")
def _():
    """The weights are held once, beside what is being folded or packed; what a tool without a model takes is beside it."""
    base = Measured([binary("snug"), "compile", model("odd-opset").path, "-o", os.path.join(fresh_folder("sound-memory"), "p.snug")])
    filters = np.full((1024, 1024, 3, 3), 0.25, np.float32)
    nodes = [helper.make_node("Conv", ["x" if i == 0 else f"t{i - 1}", f"w{i}"], [f"t{i}"], name=f"c{i}", pads=[1, 1, 1, 1]) for i in range(4)]
    nodes[-1].output[0] = "y"
    made = broken.model(nodes, (1, 1024, 4, 4), [numpy_helper.from_array(filters, f"w{i}") for i in range(4)])
    path = write(fresh_folder("sound-memory"), made)
    size = os.path.getsize(path)
    for command in (["compile", path, "-o", path + ".snug"], ["estimate", path]):
        done = Measured([binary("snug"), *command])
        check(done.status == 0, done.output[-1000:])
        limit = base.peak + 1.3 * size
        check(done.peak < limit, f"snug {command[0]}: {done.peak} bytes for a file of {size}, at most {limit:.0f}")
