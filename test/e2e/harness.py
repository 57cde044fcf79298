# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What end-to-end tests are made of: networks of the zoo, what ONNX Runtime says
of them, plans, runs, and the checks that every run has to pass."""

import os
import re
import shutil
import struct
import sys

import numpy as np
import onnxruntime

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tools", "dev"), os.path.join(ROOT, "tools", "zoo")]

import snug_zoo  # noqa: E402
from snug_dev.common import binary, load_json, run  # noqa: E402
from snug_dev.plans import difference, read_outputs  # noqa: E402

WORK = os.path.join(ROOT, "build", "e2e")
AGAINST_ORT = 1e-4  # of the output's scale
# A predicted peak is at most so far above the measured one, the larger of both,
# and a process takes at most so much besides weights and arena.
ABOVE_MEASURED_SHARE, ABOVE_MEASURED_BYTES = 0.03, 1 << 20
BESIDE_BYTES = 3 << 20
RUN_TIMEOUT = 300

# The newest opset that this ONNX Runtime executes; newer networks are compared
# with the same weights at this opset.
ORT_OPSET = 26

# Sizes at which a network of the zoo runs in a moment and yet has all its parts.
SMALL = {
    "alexnet": (131, 131), "deeplab": (97, 129), "densenet121": (65, 65), "efficientnet_b0": (64, 96), "espcn": (45, 62), "googlenet": (75, 69),
    "inception_v3": (91, 107), "mobilenet_v1": (65, 33), "mobilenet_v2": (65, 97), "mobilenet_v3_small": (81, 64), "nasbench201": (32, 32),
    "resnet18": (67, 93), "resnet50": (64, 64), "shufflenet_v2": (96, 70), "squeezenet1.1": (83, 64), "tiny-yolov2": (96, 160), "unet": (47, 64),
    "yolov2": (96, 128), "yolov2-first16": (96, 96), "yolov3-tiny": (96, 160), "yolov5n": (96, 128),
}

TESTS = []


class Failure(Exception):
    """A check did not hold; its text says what."""


class Skipped(Exception):
    """A test cannot run on this machine; its text says why."""


def test(name):
    """Registers a function of no arguments as the test of that name, which no other has."""
    def register(function):
        if any(name == other for other, _ in TESTS):
            raise ValueError(f"two tests are named {name}")
        TESTS.append((name, function))
        return function
    return register


def check(condition, text):
    if not condition:
        raise Failure(text)


def fresh_folder(name):
    path = os.path.join(WORK, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


# Networks


class Model:
    """A network of the zoo as a file, with inputs and what ONNX Runtime makes of them."""

    def __init__(self, name, opset, **options):
        label = "-".join([name, str(opset or "")] + [f"{k}{v}" for k, v in sorted(options.items())])
        self.name = name
        self.folder = fresh_folder("".join(c if c.isalnum() or c in "._-" else "_" for c in label))
        self.path = os.path.join(self.folder, "model.onnx")
        self.builder = write_model(self.path, name, opset, **options)
        random = np.random.default_rng(7)
        values = {i.name: random.uniform(-1, 1, i.shape).astype(np.float32) for i in self.builder.inputs}
        self.inputs = {each: os.path.join(self.folder, each + ".npy") for each in values}
        for each, path in self.inputs.items():
            np.save(path, values[each])
        reference = self.path
        if opset is not None and opset > ORT_OPSET:
            reference = os.path.join(self.folder, "reference.onnx")
            write_model(reference, name, ORT_OPSET, **options)
        self.expected = onnx_runtime(reference, values)
        self.plans = 0

    @property
    def input(self):
        """The file of the only input."""
        (path,) = self.inputs.values()
        return path

    @property
    def feeds(self):
        """The inputs as arguments of snug-run."""
        return [f"--input={name}={path}" for name, path in self.inputs.items()]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def write_model(path, name, opset=None, **options):
    builder, result = snug_zoo.build(name, opset=opset, **options)
    with open(path, "wb") as file:
        file.write(builder.model(result).SerializeToString(deterministic=True))
    builder.proto.Clear()  # vgg16 holds half a gigabyte
    return builder


def onnx_runtime(path, values):
    """Its outputs for inputs by name, named as snug-run names its files."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return {output.name + ".npy": found for output, found in zip(session.get_outputs(), session.run(None, values))}


_models = {}


def model(name, opset=None, **options):
    """The network, made once a run of the tests."""
    key = (name, opset, tuple(sorted(options.items())))
    if key not in _models:
        _models[key] = Model(name, opset, **options)
    return _models[key]


# Plans and runs


class Plan:
    def __init__(self, owner, path, report, options):
        self.model = owner
        self.path = path
        self.report = report
        self.options = options

    @property
    def predicted(self):
        return self.report["memory"]["predicted"]


def compile_status(owner, *options, path=None):
    """snug compile, whatever comes of it. Returns (finished process, plan path)."""
    if path is None:
        path = os.path.join(owner.folder, f"plan{owner.plans}.snug")
        owner.plans += 1
    argv = [binary("snug"), "compile", owner.path, "-o", path, "--json=" + path + ".json", *options]
    return run(argv, RUN_TIMEOUT), path


def compile_plan(owner, *options):
    done, path = compile_status(owner, *options)
    check(done.status == 0, f"snug compile {' '.join(options)}: exit status {done.status}\n{done.tail(8)}")
    check(os.path.exists(path), "snug compile left no plan")
    plan = Plan(owner, path, load_json(path + ".json"), options)
    check_prediction(plan.report)
    return plan


def check_prediction(report):
    p = report["memory"]["predicted"]
    check(p["arena"] == p["activations"] + p["workspace"], f"arena is not activations + workspace: {p}")
    check(p["peak"] == p["weights"] + p["arena"] + p["runtime_overhead"], f"peak is not the sum of its parts: {p}")
    check(p["arena"] % 4096 == 0, f"the arena, {p['arena']} bytes, is not a multiple of a page")
    quotient = report["executed_macs"] / report["network_macs"]
    check(abs(report["recompute_factor"] - quotient) < 1e-6, f"recompute_factor is not executed / network: {report['recompute_factor']}")


def run_status(path, *options):
    return run([binary("snug-run"), path, *options], RUN_TIMEOUT)


def run_plan(plan, *options):
    """A fresh snug-run on the model's input; every check of memory and work. Returns (JSON, outputs)."""
    folder = plan.path + ".out"
    shutil.rmtree(folder, ignore_errors=True)
    done = run_status(plan.path, *plan.model.feeds, "--output-dir=" + folder, "--json=" + plan.path + ".run.json", *options)
    check(done.status == 0, f"snug-run {' '.join(options)}: exit status {done.status}\n{done.tail(8)}")
    report = load_json(plan.path + ".run.json")
    measured, predicted = report["memory"]["measured"], plan.predicted
    check(report["memory"]["predicted"] == predicted, "the run repeats another prediction than compile made")
    check(measured["arena"] == predicted["arena"], f"arena: predicted {predicted['arena']}, ran in {measured['arena']}")
    check(report["executed_macs"] == plan.report["executed_macs"],
          f"multiply-accumulates: predicted {plan.report['executed_macs']}, executed {report['executed_macs']}")
    check(measured["peak"] <= predicted["peak"], f"peak: predicted {predicted['peak']}, measured {measured['peak']}, above it")
    allowance = max(ABOVE_MEASURED_SHARE * measured["peak"], ABOVE_MEASURED_BYTES)
    check(predicted["peak"] - measured["peak"] <= allowance, f"peak: predicted {predicted['peak']}, measured {measured['peak']}, too far below")
    beside = measured["peak"] - predicted["weights"] - predicted["arena"]
    check(beside <= BESIDE_BYTES, f"the process takes {beside} bytes besides weights and arena")
    return report, read_outputs(folder)


def check_close(actual, expected, tolerance, what):
    check(sorted(actual) == sorted(expected), f"{what}: outputs {sorted(actual)} instead of {sorted(expected)}")
    for name, values in expected.items():
        check(actual[name].shape == values.shape, f"{what}: {name} has shape {actual[name].shape} instead of {values.shape}")
        worst = difference(actual[name], values)
        check(worst <= tolerance, f"{what}: {name} differs by {worst:.2e} of its scale, more than {tolerance:g}")


def check_same(actual, expected, what):
    check(sorted(actual) == sorted(expected), f"{what}: other outputs")
    for name, values in expected.items():
        check(actual[name].tobytes() == values.tobytes(),
              f"{what}: {name} is not bit for bit the same, differs by {difference(actual[name], values):.2e} of its scale")


_untiled = {}


def untiled(owner):
    """The plan that fuses nothing, and its outputs; made and compared with ONNX Runtime once."""
    if owner.path not in _untiled:
        plan = compile_plan(owner, "--max-groups=0")
        _, outputs = run_plan(plan)
        check_close(outputs, owner.expected, AGAINST_ORT, "untiled against ONNX Runtime")
        _untiled[owner.path] = (plan, outputs)
    return _untiled[owner.path]


def check_tiled(owner, *options):
    """A tiled plan against the untiled one and ONNX Runtime; returns the plan."""
    _, expected = untiled(owner)
    plan = compile_plan(owner, *options)
    _, outputs = run_plan(plan)
    check_same(outputs, expected, "tiled against untiled")
    check_close(outputs, owner.expected, AGAINST_ORT, "tiled against ONNX Runtime")
    return plan


def check_budget(owner, budget, *options):
    """A plan for an arena of so many bytes is within it, never worse than the untiled one where that fits, and runs, poisoned and
    guarded, as predicted, with its results; or it is refused, with the smallest budget that would do. Returns what was found."""
    plain, expected = untiled(owner)
    done, path = compile_status(owner, f"--memory-budget={budget}B", "--budget-scope=arena", *options)
    if done.status != 0:
        check_refused(done, "smallest", "limit")
        least = smallest_budget(done.output)
        check(least > budget, f"refused {budget}, yet names {least} as the smallest\n{done.tail()}")
        check(budget < plain.predicted["arena"], f"refused {budget}, yet {plain.predicted['arena']} are enough for no tiling\n{done.tail()}")
        return f"refused {budget}, the smallest is {least}"
    plan = Plan(owner, path, load_json(path + ".json"), options)
    check_prediction(plan.report)
    check(plan.predicted["arena"] <= budget, f"budget {budget}, arena {plan.predicted['arena']}")
    if budget >= plain.predicted["arena"]:
        check(plan.report["executed_macs"] <= plain.report["executed_macs"], f"budget {budget} is enough for no tiling, yet work is done twice")
    _, outputs = run_plan(plan, "--guard=end")
    check_same(outputs, expected, f"budget {budget}")
    os.remove(path)  # weights and all
    return f"kept {budget} of {plain.predicted['arena']}, recompute factor {plan.report['recompute_factor']:.3f}"


UNITS = {"B": 1, "bytes": 1, "byte": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def smallest_budget(text):
    """The smallest budget that a refusal names, in bytes; exact where it is given in bytes."""
    check("smallest" in text, f"the refusal does not say 'smallest'\n{text}")
    after = text[text.index("smallest"):]
    # Bytes are preferred: a rounded unit beside them is for the eye.
    match = re.search(r"([\d,]+) ?(B|bytes?)\b", after) or re.search(r"([\d.]+) ?(KiB|MiB|GiB|KB|MB|GB)\b", after)
    check(match, f"no size after 'smallest'\n{text}")
    return int(float(match[1].replace(",", "")) * UNITS[match[2]])


def check_refused(done, *words, status=1):
    """A bad input: exit status and one clear message that holds all `words`."""
    check(done.status == status, f"exit status {done.status} instead of {status}\n{done.tail(8)}")
    check(done.output.strip(), "no message")
    for word in words:
        check(word in done.output, f"the message does not say '{word}'\n{done.tail(8)}")


# The machine and the plan file


def machine_targets():
    """The targets whose instructions this machine has, the least first."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = set(next((l for l in file if l.startswith("flags")), "").split())
    targets = ["portable"]
    if {"avx2", "fma"} <= flags:
        targets.append("avx2")
        if {"avx512f", "avx512vl", "avx512dq", "avx512bw"} <= flags:
            targets.append("avx512")
    return targets


def weights_offset(data):
    """Where a plan's weights begin; see runtime/include/snug/runtime/PlanFormat.h."""
    return struct.unpack_from("<Q", data, 32)[0]
