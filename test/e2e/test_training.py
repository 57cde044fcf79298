# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training steps: fitting to measured ones, predicting, choosing, and what is refused."""

import csv
import os
import random
import re

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from harness import ROOT, Skipped, binary, check, check_refused, fresh_folder, load_json, run, test

BATCHES = [2, 4, 8, 16, 32, 48, 64]
LEVELS = [0, 30, 50]
HEAD = "network,pruning_percent,batch_size,latency_ms,mem_used_mib,passed\n"
DATA = os.environ.get("TRAINING_DATA", os.path.join(ROOT, "..", "shared", "data", "tx2-training"))


def save(path, nodes, shape, initializers=(), outputs=("y",)):
    graph = helper.make_graph(nodes, "main", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs], list(initializers))
    with open(path, "wb") as file:
        file.write(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7).SerializeToString())


class Chain:
    """Convolutions with batch norm and ReLU, and a classifier; weights are shapes alone."""

    def __init__(self, path, widths, kernel=3, batch=1):
        self.nodes, self.initializers, self.macs, self.elements = [], [], 0, 0
        last, channels, extent = "x", 3, 32
        for i, width in enumerate(widths):
            weights = [self.weight(f"w{i}", width, channels, kernel, kernel)]
            self.node("Conv", [last, *weights], f"c{i}", pads=[kernel // 2] * 4)
            self.node("BatchNormalization", [f"c{i}", *(self.weight(f"b{i}_{k}", width) for k in range(4))], f"n{i}")
            self.node("Relu", [f"n{i}"], f"r{i}")
            self.macs += width * channels * kernel * kernel * extent * extent
            self.elements += 3 * width * extent * extent
            last, channels = f"r{i}", width
            if i % 3 == 2:
                self.node("MaxPool", [last], f"p{i}", kernel_shape=[2, 2], strides=[2, 2])
                last, extent = f"p{i}", extent // 2
        self.node("GlobalAveragePool", [last], "g")
        self.node("Flatten", ["g"], "f")
        self.node("Gemm", ["f", self.weight("fc", 10, channels)], "y", transB=1)
        save(path, self.nodes, [batch, 3, 32, 32], self.initializers)

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name="/" + output, **attributes))

    def weight(self, name, *shape):
        self.initializers.append(numpy_helper.from_array(np.array(shape, np.int64), name + ".shape"))
        self.nodes.append(helper.make_node("ConstantOfShape", [name + ".shape"], [name], name="/" + name))
        return name


_SET = []


def data_set():
    """A folder with models/ and profiles.csv: four families, some of their rows broken in ways that are told of."""
    if _SET:
        return _SET[0]
    folder = fresh_folder("training")
    os.makedirs(os.path.join(folder, "models"))
    noise = random.Random(5)
    lines = [HEAD]
    families = {"narrow": ([32] * 6, 3), "wide": ([64, 128, 192], 3), "deep": ([48] * 12, 3), "pointwise": ([96] * 8, 1)}
    for family, (widths, kernel) in families.items():
        for level in LEVELS:
            net = Chain(os.path.join(folder, "models", f"{family}_{level}.onnx"), [w * (100 - level) // 100 for w in widths], kernel)
            for batch in BATCHES:
                ms = (5 + 0.4 * len(net.nodes) + batch * (3e-8 * net.macs + 2e-6 * net.elements)) * noise.uniform(0.98, 1.02)
                mib = 900 + batch * 8 * net.elements / 2**20 * noise.uniform(0.99, 1.01)
                if (family, level, batch) == ("wide", 30, 16):
                    ms *= 7
                lines.append(f"{family},{level},{batch},{ms:.3f},{mib:.2f},True\n")
    lines += ["deep,0,128,,,False\n", "other,0,2,not,read,at all\n", "wide,99,2,nor,this,one\n"]
    with open(os.path.join(folder, "profiles.csv"), "w", encoding="utf-8") as file:
        file.writelines(lines)
    _SET.append(folder)
    return folder


def fit(*arguments, output="device.json", networks="narrow,wide,deep,pointwise", levels="0,30,50"):
    folder = data_set()
    path = os.path.join(folder, output)
    done = run([binary("snug"), "fit", "training", "--data", os.path.join(folder, "profiles.csv"), "--models", os.path.join(folder, "models"),
                "--networks=" + networks, "--levels=" + levels, "-o", path, *arguments])
    return done, path


def model_path(name):
    return os.path.join(data_set(), "models", name + ".onnx")


def estimate(*arguments):
    return run([binary("snug"), "estimate", "--training", *arguments])


def fitted():
    done, path = fit("--json=" + os.path.join(data_set(), "fit.json"))
    check(done.status == 0, f"snug fit training: {done.tail()}")
    return path


@test("training/fit")
def _():
    done, path = fit("--json=" + os.path.join(data_set(), "fit.json"), "--name=board")
    check(done.status == 0, done.tail())
    check("warning: line" in done.output and "wide_30 at batch 16: latency_ms" in done.output, f"the odd row is not told of:\n{done.tail()}")
    report, profile = load_json(os.path.join(data_set(), "fit.json")), load_json(path)
    check(profile["name"] == "board" and profile["training"]["model"] == "snug", "the profile has another name or model")
    check(profile["training"]["networks"] == ["deep", "narrow", "pointwise", "wide"], "the profile does not name its networks")
    check([e["left_out"] for e in report["errors"]] == ["networks", "levels", "batch sizes"], "not every way of leaving out was tried")
    check(report["rows"] == {"latency": 83, "memory": 84}, f"rows: {report['rows']}")
    for each in report["errors"]:
        for quantity in ("latency", "memory"):
            check(each[quantity]["rows"] >= 83 and each[quantity]["accuracy"] > 60, f"{each['left_out']}: {each[quantity]}")
            check(each[quantity + "_level_0"]["rows"] == 28, "rows of level 0 are not told apart")
    odd = [w for w in report["warnings"] if w["left_out"]]
    check([(w["model"], w["batch"]) for w in odd] == [("wide_30", 16)], f"warnings: {odd}")
    again, second = fit("--name=board", output="again.json")
    with open(path, "rb") as one, open(second, "rb") as other:
        check(again.status == 0 and one.read() == other.read(), "two fits give two profiles")


@test("training/forest")
def _():
    done, path = fit("--model=forest", output="forest.json", networks="narrow,wide", levels="0")
    check(done.status == 0, done.tail())
    table = os.path.join(data_set(), "forest.csv")
    told = estimate(model_path("narrow_0"), "--device=" + path, "--batch=2,64", "--csv=" + table)
    check(told.status == 0, told.tail())
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    check(len(rows) == 2 and float(rows[1]["latency_ms"]) > float(rows[0]["latency_ms"]) > 0, f"{rows}")


@test("training/estimate")
def _():
    device, folder = fitted(), data_set()
    table, page, report = (os.path.join(folder, name) for name in ("told.csv", "told.html", "told.json"))
    done = estimate(model_path("wide_0"), model_path("deep_0"), "--device=" + device, "--batch=2..64,100,8..24:8", "--csv=" + table, "--plot=" + page,
                    "--json=" + report)
    check(done.status == 0, done.tail())
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    check(list(rows[0])[:4] == ["model", "batch", "latency_ms", "memory_mib"], f"columns: {list(rows[0])}")
    check([r["batch"] for r in rows[:8]] == ["2", "4", "8", "16", "24", "32", "64", "100"], "batch sizes")
    check({r["model"] for r in rows} == {model_path("wide_0"), model_path("deep_0")}, "models")
    for row in rows:
        for quantity, unit in (("latency", "ms"), ("memory", "mib")):
            low, value, high = (float(row[key]) for key in (f"{quantity}_low_{unit}", f"{quantity}_{unit}", f"{quantity}_high_{unit}"))
            check(0 < low <= value <= high, f"{row}")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    check("<svg" in text and "http" not in text, "the page draws nothing or needs a network")
    check([m["model"] for m in load_json(report)["models"]] == ["wide_0", "deep_0"], "the report lacks a model")


@test("training/one step")
def _():
    report = os.path.join(data_set(), "step.json")
    done = estimate(model_path("narrow_0"), "--device=" + fitted(), "--batch=16", "--memory-budget=1200MiB", "--json=" + report)
    check(done.status == 0, done.tail())
    for words in ("saved activations", "optimizer state", "workspace", "runtime overhead", "step time", "largest batch that fits in 1.17 GiB", "keeps"):
        check(words in done.output, f"'{words}' is not told:\n{done.output}")
    (model,) = load_json(report)["models"]
    (step,) = model["steps"]
    memory = dict(step["memory"])
    needed = sum(bytes_ for name, bytes_ in memory.items() if name != "swapped")
    check(abs(needed / 2**20 - step["needed_mib"]) < 1e-3, "categories do not add up")
    check(abs(sum(step["latency_parts_ms"].values()) / step["latency_ms"]["value"] - 1) < 1e-6, "times do not add up")
    check(sum(op["kept"] for op in model["ops"]) == memory["saved_activations"], "what ops keep does not add up")
    check(memory["gradients"] == 4 * model["parameters"], "gradients")
    largest = model["largest_batch"]
    around = os.path.join(data_set(), "around.json")
    done = estimate(model_path("narrow_0"), "--device=" + fitted(), f"--batch={largest},{largest + 1}", "--json=" + around)
    fits, fails = load_json(around)["models"][0]["steps"]
    check(fits["needed_mib"] <= 1200 < fails["needed_mib"], f"largest batch {largest}: {fits['needed_mib']}, then {fails['needed_mib']}")


@test("training/choosing")
def _():
    device = fitted()
    names = ["narrow_0", "wide_0", "deep_0", "pointwise_0"]
    report = os.path.join(data_set(), "ranked.json")
    plain = os.path.join(data_set(), "plain.json")
    files = [model_path(name) for name in names]
    check(estimate(*files, "--device=" + device, "--batch=32", "--json=" + plain).status == 0, "plain estimate")
    latencies = {m["model"]: m["steps"][0]["latency_ms"]["value"] for m in load_json(plain)["models"]}
    order = sorted(latencies, key=latencies.get)
    deadline = (latencies[order[1]] + latencies[order[2]]) / 2
    done = estimate(*files, "--device=" + device, "--batch=32", f"--deadline={deadline}ms", "--memory-budget=100GB", "--json=" + report)
    check(done.status == 0 and "2 of 4 networks can be trained" in done.output, done.tail())
    models = load_json(report)["models"]
    check({m["model"]: m["rank"] for m in models} == {order[0]: 1, order[1]: 2, order[2]: None, order[3]: None}, f"{models}")
    check(all(("too long" in m["stopped_by"]) if m["rank"] is None else m["stopped_by"] is None for m in models), "reasons")
    done = estimate(*files, "--device=" + device, "--batch=32", "--memory-budget=1MiB")
    check(done.status == 0 and "0 of 4 networks" in done.output and "too much" in done.output, done.tail())


@test("training/refused")
def _():
    folder, device = data_set(), "--device=jetson-tx2"
    net = model_path("narrow_0")
    for batch, words in (("0", "a batch has 1 to 1048576 images, but --batch gives 0"), ("2,x", "but got 'x'"), (",4", "but got ''"),
                         ("8..4", "ends before it begins"), ("4..8:0", "--batch gives 0")):
        check_refused(estimate(net, device, "--batch=" + batch), words, status=2)
    check_refused(estimate(net, device, "--deadline=soon"), "--deadline takes a time of a step, as 1.5s or 200ms, but got 'soon'", status=2)
    check_refused(estimate(net, device, "--memory-budget=much"), status=2)
    check_refused(estimate(net, "--device=generic-cpu"), "the device 'generic-cpu' has no model of training")
    check_refused(run([binary("snug"), "estimate", net, net]), "there are 2 models; several at once are estimated with --training", status=2)
    check_refused(run([binary("snug"), "estimate", net, "--batch=2"]), status=2)
    unknown, flat, ends = (os.path.join(folder, name + ".onnx") for name in ("unknown", "flat", "ends"))
    save(unknown, [helper.make_node("Cosh", ["x"], ["y"], name="curve")], [1, 3, 8, 8])
    done = run([binary("snug"), "estimate", "--training", device, unknown])
    check(done.status == 1 and "curve" in done.output and "Cosh" in done.output, done.tail())
    save(flat, [helper.make_node("Relu", ["x"], ["y"], name="r")], [8])
    check_refused(estimate(flat, device), "input 'x' has no batch axis")
    save(ends, [helper.make_node("Transpose", ["x"], ["y"], name="turn", perm=[1, 0])], [3, 3])
    check_refused(estimate(ends, device), "'turn': the batch axis ends here")
    done = estimate(net, flat, device)
    check(done.status == 1 and "flat.onnx" in done.output and "1 of 2 models could not be estimated" in done.output, done.tail())
    # Several are read at a time; what is said keeps their order.
    table = os.path.join(folder, "many.csv")
    done = run([binary("snug"), "estimate", "--training", device, "--batch=2", "--csv=" + table, *[net, flat, net, unknown, ends] * 8])
    said = re.findall(r"error: (\S+\.onnx): ", done.output)
    check(done.status == 1 and said == [flat, unknown, ends] * 8, f"{said}\n{done.tail()}")
    with open(table, encoding="utf-8") as file:
        check(len(list(csv.DictReader(file))) == 16, "a line for each network that is known")


@test("training/fits that are refused")
def _():
    for networks, levels, words in (("absent", "0", "has no row of these networks and levels"), ("narrow,absent", "0", "has no row of the network 'absent'"),
                                    ("other", "0", "line 87 of the data: passed is 'at all', expected True or False")):
        done, path = fit(output="refused.json", networks=networks, levels=levels)
        check_refused(done, words)
        check(not os.path.exists(path), "a profile was left behind")
    check_refused(fit("--device=toaster")[0], "unknown device 'toaster'")
    check_refused(fit("--model=oracle")[0], status=2)
    folder = data_set()
    check_refused(run([binary("snug"), "fit", "training", "--data", "absent.csv", "--models", folder, "-o", os.path.join(folder, "x.json")]), "absent.csv")
    done = run([binary("snug"), "fit", "training", "--data", os.path.join(folder, "profiles.csv"), "--networks=wide", "--levels=0", "--models", folder,
                "-o", os.path.join(folder, "x.json")])
    check_refused(done, "wide_0.onnx")


@test("training/an open batch axis")
def _():
    path = os.path.join(data_set(), "open.onnx")
    Chain(path, [8, 8], batch="N")
    done = estimate(path, "--device=jetson-tx2", "--batch=8")
    check(done.status == 0 and "saved activations" in done.output, done.tail())
    check_refused(run([binary("snug"), "estimate", path]), "--shape x=1x3x32x32")


@test("training/the measured board")
def _():
    if not os.path.exists(os.path.join(DATA, "profiles.csv")):
        raise Skipped("the data set tx2-training is not here; TRAINING_DATA names its folder")
    table = os.path.join(data_set(), "board.csv")
    with open(os.path.join(DATA, "profiles.csv"), encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["passed"] == "True" and r["pruning_percent"] == "0" and r["latency_ms"] and r["mem_used_mib"]]
    networks = sorted({r["network"] for r in rows})
    done = estimate(*(os.path.join(DATA, "models", n + "_0.onnx") for n in networks), "--device=jetson-tx2",
                    "--batch=" + ",".join(sorted({r["batch_size"] for r in rows})), "--csv=" + table)
    check(done.status == 0, done.tail())
    with open(table, encoding="utf-8") as file:
        told = {(os.path.basename(r["model"])[:-len("_0.onnx")], r["batch"]): r for r in csv.DictReader(file)}
    for column, measured in (("latency_ms", "latency_ms"), ("memory_mib", "mem_used_mib")):
        errors = [abs(float(told[r["network"], r["batch_size"]][column]) / float(r[measured]) - 1) for r in rows]
        check(sum(errors) / len(errors) < 0.1, f"{column}: mean error {100 * sum(errors) / len(errors):.1f} % on what was learnt from")
