# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX import: every operator at every opset from 7 to the newest, symbolic extents, graphs that must be refused."""

import os
import random
import re

import numpy as np
import onnx
from onnx import TensorProto, helper

import operators
from harness import (ORT_OPSET, ROOT, binary, check, check_close, check_refused, check_tiled, fresh_folder, model, read_outputs, run, test,
                     untiled)  # fmt: skip
from snug_zoo.graph import NEWEST_OPSET, OLDEST_OPSET

FORMS = ["odd-opset", "odd-activations", "odd-normalized", "odd-average", "odd-head"]


def opset_body(opset):
    def body():
        for name in FORMS:
            untiled(model(name, opset=opset))
        check_tiled(model("odd-normalized", opset=opset), "--groups=4:3x2")
    return body


for number in range(OLDEST_OPSET, NEWEST_OPSET + 1):
    test(f"opsets/{number}")(opset_body(number))


def operators_body(opset):
    """The reference executor's results of all operators, each beside ONNX Runtime's."""
    def body():
        import onnxruntime
        graph = operators.Graph(opset)
        folder = fresh_folder(f"operators-{opset}")
        path = os.path.join(folder, "model.onnx")
        with open(path, "wb") as file:
            file.write(graph.model().SerializeToString())
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        reference = graph.model(min(opset, ORT_OPSET)).SerializeToString()
        session = onnxruntime.InferenceSession(reference, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in graph.outputs]
        expected = {name + ".npy": values for name, values in zip(names, session.run(names, graph.feeds))}
        argv = [binary("snug"), "reference", path, "--output-dir=" + os.path.join(folder, "out")]
        for index, (name, values) in enumerate(graph.feeds.items()):
            given = os.path.join(folder, f"{index}.npy")
            np.save(given, values)
            argv.append(f"--input={name}={given}")
        done = run(argv)
        check(done.status == 0, done.tail(40))
        check("not supported" not in done.output, done.tail(40))
        check_close(read_outputs(os.path.join(folder, "out")), expected, 2e-5, f"opset {opset}")
    return body


for number in range(OLDEST_OPSET, NEWEST_OPSET + 1):
    test(f"operators/{number}")(operators_body(number))


@test("import/the list of operators is the importer's")
def _():
    def read(*path):
        with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
            return file.read()
    computed, constants = read("docs", "Operators.md").split("## Constants")
    listed = {name for row in re.findall(r"^\| ([A-Z].*?) \|", computed, re.M) for name in row.split(", ")}
    table = set(re.findall(r'\{"(\w+)", &Self::import', read("lib", "Import", "ONNX", "Nodes.cpp")))
    check(listed == table, f"docs/Operators.md and Nodes.cpp differ in {sorted(listed ^ table)}")
    listed = set(re.findall(r"\w+", constants.split("needs their results:")[1].split(".")[0]))
    table = set(re.findall(r'\{"(\w+)", &Self::\w+\}', read("lib", "Import", "ONNX", "ConstantEvaluation.cpp")))
    check(listed == table, f"docs/Operators.md and ConstantEvaluation.cpp differ in {sorted(listed ^ table)}")


def compile_file(path, *options):
    plan = path + ".snug"
    return run([binary("snug"), "compile", path, "-o", plan, *options]), plan


def save(graph_nodes, inputs, outputs, initializers=(), opset=13, folder="import"):
    """A hand-made model; returns its path."""
    graph = helper.make_graph(list(graph_nodes), "hand-made", list(inputs), list(outputs), list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path = os.path.join(fresh_folder(folder), "model.onnx")
    with open(path, "wb") as file:
        file.write(made.SerializeToString())
    return path


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weights(name, shape):
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    return helper.make_tensor(name, TensorProto.FLOAT, shape, values.tobytes(), raw=True)


@test("import/symbolic extents need --shape")
def _():
    nodes = [helper.make_node("Conv", ["input", "w"], ["output"], name="first", pads=[1, 1, 1, 1])]
    path = save(nodes, [value("input", ["batch", 3, "height", "width"])], [value("output", None)], [weights("w", (4, 3, 3, 3))],
                folder="import-symbolic")
    done, _ = compile_file(path, "--max-groups=0")
    check_refused(done, "input", "--shape")
    done, plan = compile_file(path, "--max-groups=0", "--shape", "input=1x3x13x9")
    check(done.status == 0 and os.path.exists(plan), f"with --shape: {done.tail()}")
    done, _ = compile_file(path, "--max-groups=0", "--shape", "input=1x5x13x9")
    check_refused(done, "input")
    done, _ = compile_file(path, "--max-groups=0", "--shape", "input=1x3x13x9", "--shape", "other=1x3x13x9")
    check_refused(done, "other")


@test("import/all unsupported nodes are listed in one run")
def _():
    nodes = [
        helper.make_node("AveragePool", ["input"], ["a"], name="first_bad", kernel_shape=[3, 3], dilations=[2, 2]),
        helper.make_node("NonZero", ["a"], ["b"], name="second_bad"),
        helper.make_node("Relu", ["b"], ["c"], name="good"),
        helper.make_node("Unique", ["c"], ["d"], name="third_bad"),
        helper.make_node("Gelu", ["d"], ["output"], name="fourth_bad", domain="com.microsoft"),
    ]
    done, _ = compile_file(save(nodes, [value("input", (1, 3, 8, 8))], [value("output", None)], opset=19, folder="import-unsupported"))
    check_refused(done, "first_bad", "second_bad", "third_bad", "fourth_bad")
    check("'good'" not in done.output, "a supported node is listed")


@test("import/weights that are not constant are refused")
def _():
    nodes = [helper.make_node("Conv", ["input", "w"], ["output"], name="open_conv")]
    done, _ = compile_file(save(nodes, [value("input", (1, 3, 8, 8)), value("w", (4, 3, 3, 3))], [value("output", None)], folder="import-open"))
    check_refused(done, "open_conv")


@test("import/another element type is refused")
def _():
    nodes = [helper.make_node("Relu", ["input"], ["output"], name="only")]
    for kind in (TensorProto.DOUBLE, TensorProto.INT8, TensorProto.FLOAT16):
        done, _ = compile_file(save(nodes, [value("input", (1, 3, 8, 8), kind)], [value("output", (1, 3, 8, 8), kind)],
                                    folder="import-types"))
        check_refused(done, "input")


@test("import/shapes that do not fit are refused by node name")
def _():
    nodes = [helper.make_node("Conv", ["input", "w"], ["output"], name="misfit")]
    path = save(nodes, [value("input", (1, 5, 8, 8))], [value("output", None)], [weights("w", (4, 3, 3, 3))], folder="import-misfit")
    check_refused(compile_file(path)[0], "misfit")
    path = save(nodes, [value("input", (1, 3, 2, 2))], [value("output", None)], [weights("w", (4, 3, 3, 3))], folder="import-small")
    check_refused(compile_file(path)[0], "misfit")


@test("import/an input that no node defines is refused")
def _():
    nodes = [helper.make_node("Relu", ["nowhere"], ["output"], name="orphan")]
    done, _ = compile_file(save(nodes, [value("input", (1, 3, 8, 8))], [value("output", None)], folder="import-orphan"))
    check_refused(done, "nowhere")


@test("import/an opset too old is refused")
def _():
    for opset in (1, 6):
        nodes = [helper.make_node("Relu", ["input"], ["output"], name="only")]
        done, _ = compile_file(save(nodes, [value("input", (1, 3, 8, 8))], [value("output", (1, 3, 8, 8))], opset=opset, folder="import-opset"))
        check_refused(done, "oldest", str(opset), str(OLDEST_OPSET))


@test("import/truncated and foreign files give one error")
def _():
    owner = model("odd-channels")
    with open(owner.path, "rb") as file:
        data = file.read()
    broken = os.path.join(fresh_folder("import-broken"), "broken.onnx")
    for length in (0, 1, 10, 100, len(data) // 3, len(data) // 2, len(data) - 1):
        with open(broken, "wb") as file:
            file.write(data[:length])
        done, plan = compile_file(broken)
        check_refused(done, "broken.onnx")
        check(done.output.count("error:") == 1, f"cut to {length} bytes: not one error\n{done.tail()}")
        check(not os.path.exists(plan), "a plan was left behind")
    with open(broken, "wb") as file:
        file.write(random.Random(5).randbytes(4096))
    check_refused(compile_file(broken)[0], "broken.onnx")
    check_refused(compile_file(os.path.join(owner.folder, "absent.onnx"))[0], "absent.onnx")


@test("import/external data and empty graphs are refused or read")
def _():
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="absent.bin")
    nodes = [helper.make_node("Conv", ["input", "w"], ["output"], name="outside")]
    path = save(nodes, [value("input", (1, 3, 8, 8))], [value("output", None)], [outside], folder="import-external")
    check_refused(compile_file(path)[0], "w")


@test("import/the pipeline of opt-style tools")
def _():
    owner = model("odd-deep")
    done = run(["bash", "-c", f"set -o pipefail; '{binary('snug-translate')}' --import-onnx '{owner.path}' | '{binary('snug-opt')}' "
                "--snug-annotate-memory '--snug-fuse-and-tile=groups=4:3x3,9:2x2' --mlir-elide-elementsattrs-if-larger=8 "
                "--mlir-elide-resource-strings-if-larger=8"])
    check(done.status == 0, done.tail())
    check(done.output.count("snug.fused_group") == 2, f"{done.output.count('snug.fused_group')} fused groups instead of two")


@test("import/onnx checker agrees with hand-made files")
def _():
    owner = model("odd-opset", opset=NEWEST_OPSET)
    onnx.checker.check_model(owner.path)
    check_close(untiled(owner)[1], owner.expected, 1e-4, "newest opset")
