# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training on the machine at hand: its own steps learnt and predicted, and how fast many networks are ranked.

Steps are measured by tools/zoo/profile_training.py in an interpreter with
PyTorch and onnx, which the environment variable TORCH_PYTHON names; without it
those of the committed JSON are learnt again.
"""

import csv
import os
import random
import statistics
import sys

from snug_dev.common import ROOT, ZOO, binary, load_json, run, run_visibly, say
from snug_dev.plans import WORK, ToolError, checked, network
from snug_dev.text import markdown_table

TITLE = "Training steps on this machine"
NETWORKS = ["alexnet", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "resnet18",
            "resnet50", "shufflenet_v2", "squeezenet1.1"]
COMMITTED = os.path.join(ROOT, "docs", "measurements", "training-here.json")
RANKED, RUNS = 1000, 10
RANKING_BOUND, BATCHES_BOUND = 5, 0.05  # seconds
BATCHES = 25
INTERPRETER = "TORCH_PYTHON"
TRAINING = ["--training", "--device=jetson-tx2"]


def add_arguments(p):
    p.add_argument("--batches", default="2,4,8,16", help="of which steps are measured (%(default)s)")


def measure_steps(folder, batches):
    """The version of PyTorch, and measured rows; the models lie in the folder."""
    python = os.environ.get(INTERPRETER)
    table = os.path.join(folder, "profiles.csv")
    if not python:
        if not os.path.exists(COMMITTED):
            raise ToolError(f"set {INTERPRETER} to a Python interpreter with PyTorch and onnx: there are no committed steps to learn from")
        say(f"  {INTERPRETER} is not set: learning from the committed steps")
        kept = load_json(COMMITTED)["results"]
        os.makedirs(os.path.join(folder, "models"), exist_ok=True)
        for name in sorted({row["network"] for row in kept["steps"]}):
            link = os.path.join(folder, "models", name + "_0.onnx")
            if not os.path.exists(link):
                os.symlink(network(name), link)
        with open(table, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, kept["steps"][0])
            writer.writeheader()
            writer.writerows(kept["steps"])
        return kept["torch"], kept["steps"]
    version = checked([python, "-c", "import onnx, torch; print(torch.__version__)"], f"importing torch and onnx in {INTERPRETER}").output.split()[-1]
    profiler = os.path.join(ROOT, "tools", "zoo", "profile_training.py")
    if run_visibly([python, profiler, *[network(name) for name in NETWORKS], "-o", folder, "--batches=" + batches]) != 0:
        raise ToolError("tools/zoo/profile_training.py failed, see above")
    with open(table, encoding="utf-8") as file:
        return version, list(csv.DictReader(file))


def learn(folder, model):
    """Errors by cross-validation of what is learnt from the steps."""
    report = os.path.join(folder, model + "-errors.json")
    checked([binary("snug"), "fit", "training", "--data", os.path.join(folder, "profiles.csv"), "--models", os.path.join(folder, "models"),
             "--device=generic-cpu", "--name=here", "--model=" + model, "-o", os.path.join(folder, model + ".json"), "--json=" + report],
            "snug fit training")
    return load_json(report)["errors"]


def write_cells(folder):
    """So many networks of NAS-Bench-201, drawn at random, all weights 0."""
    sys.path.insert(0, os.path.dirname(ZOO))
    import numpy as np
    import snug_zoo
    from snug_zoo.builder import Builder
    from snug_zoo.nasbench import CELLS

    class Zeros(Builder):
        """Without samples, which take a second a network."""

        def _parameter(self, name, shape, make):
            return super()._parameter(name, shape, lambda: np.zeros(shape, np.float32))

    os.makedirs(folder, exist_ok=True)
    files, nodes = [], 0
    for cell in sorted(random.Random(1).sample(range(CELLS), RANKED)):
        builder, result = snug_zoo.build("nasbench201", builder=Zeros, cell=cell)
        nodes += len(builder.nodes)
        files.append(os.path.join(folder, f"cell-{cell}.onnx"))
        with open(files[-1], "wb") as file:
            file.write(builder.model(result).SerializeToString())
    return files, nodes / len(files)


def timed(arguments, what):
    """Wall and CPU seconds of some runs."""
    wall, cpu = [], []
    for _ in range(RUNS):
        before = os.times()
        wall.append(checked([binary("snug"), "estimate", *arguments], what).seconds)
        after = os.times()
        cpu.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return {"seconds": statistics.median(wall), "fastest_seconds": min(wall), "cpu_seconds": statistics.median(cpu), "runs": RUNS}


def measure(options):
    folder = os.path.join(WORK, "training-here")
    os.makedirs(folder, exist_ok=True)
    version, steps = measure_steps(folder, options.batches)
    results = {"torch": version, "steps": steps, "errors": {model: learn(folder, model) for model in ("snug", "forest")}}
    files, nodes = write_cells(os.path.join(folder, "cells"))
    table = os.path.join(folder, "ranking.csv")
    results["ranking"] = {"networks": len(files), "nodes": nodes,
                          **timed([*files, *TRAINING, "--batch=32", "--memory-budget=4GB", "--deadline=1.5s", "--csv=" + table], "ranking")}
    results["batches"] = {"network": "resnet50", "count": BATCHES,
                          **timed([network("resnet50"), *TRAINING, f"--batch=8..{8 * BATCHES}:8"], f"predicting {BATCHES} batch sizes")}
    results["start"] = timed(["--help"], "snug estimate --help")
    return results


def report(results):
    steps = [row for row in results["steps"] if row["passed"] == "True"]
    names = sorted({row["network"] for row in steps})
    lines = [f"{len(steps)} steps of PyTorch {results['torch']} on this CPU, of {len(names)} networks ({', '.join(names)}), measured with "
             "`tools/zoo/profile_training.py` and learnt with `snug fit training`; its errors by cross-validation, `forest` beside it:", ""]
    table = []
    for model, errors in results["errors"].items():
        for fold in errors:
            for quantity in ("latency", "memory"):
                s = fold[quantity]
                table.append([fold["left_out"], quantity, model, s["rows"], f"{s['accuracy']:.1f}", f"{s['median_error']:.1f}", f"{s['p95_error']:.1f}"])
    lines += markdown_table(["left out", "quantity", "model", "rows", "accuracy", "median error %", "95th percentile %"], table)
    ranking, batches = results["ranking"], results["batches"]
    lines += ["", f"Ranking {ranking['networks']:,} networks of NAS-Bench-201 ({ranking['nodes']:.0f} nodes on average) for jetson-tx2 takes "
              f"**{ranking['seconds']:.2f} s** (bound {RANKING_BOUND} s; fastest {ranking['fastest_seconds']:.2f} s, {ranking['cpu_seconds']:.2f} s of CPU), "
              f"predicting {batches['network']} at {batches['count']} batch sizes {1000 * batches['seconds']:.0f} ms "
              f"(bound {1000 * BATCHES_BOUND:.0f} ms; fastest {1000 * batches['fastest_seconds']:.0f} ms), of which the start of the process "
              f"takes {1000 * results['start']['seconds']:.0f} ms (fastest {1000 * results['start']['fastest_seconds']:.0f} ms). "
              f"Medians of {ranking['runs']} runs."]
    return lines
