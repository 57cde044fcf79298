# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/demo: one network, three plans, what they take and what they cost."""

import argparse
import os
import shutil
import sys
import time

from snug_dev.common import BUILD, ROOT, die, run_visibly, say, table, write_json
from snug_dev.plans import ToolError, compile_plan, difference, make_network, read_outputs, run_plan, schedules

FOLDER = os.path.join(BUILD, "demo")
NETWORK = "yolov2-first16"
PLANS = [
    ("untiled", "layer by layer", ["--groups=16:whole"]),
    ("tiled", "8:5x5,16:2x2", ["--groups=8:5x5,16:2x2"]),
    ("budget", "budget 64 MiB", ["--memory-budget=64MiB"]),
]
TIMED_RUNS = 5
TOLERANCE = 1e-5


class Progress:
    """Numbered steps, each with the time it took."""

    def __init__(self, count):
        self.count = count
        self.number = 0

    def step(self, text, work):
        self.number += 1
        print(f"[{self.number}/{self.count}] {text} ... ", end="", flush=True)
        start = time.monotonic()
        result = work()
        say(f"{time.monotonic() - start:.1f} s")
        return result


def megabytes(value):
    return "" if value is None else f"{value / 1e6:.2f}"


def memory_rows(results):
    """For each category what was predicted and what was measured, plan by plan."""
    rows = []
    for category in ("weights", "activations", "workspace", "arena", "runtime_overhead", "peak"):
        cells = [category.replace("_", " ")]
        for compiled, ran, _ in results.values():
            predicted, measured = compiled["memory"]["predicted"], dict(ran["memory"]["measured"])
            # What a process holds besides weights and arena is the runtime's.
            measured["runtime_overhead"] = measured["peak"] - predicted["weights"] - measured["arena"]
            cells += [megabytes(predicted[category]), megabytes(measured.get(category))]
        rows.append(cells)
    return rows


def show(results, differences):
    base = next(iter(results.values()))
    say(f"\n{NETWORK} at 608 x 608: {base[0]['network_macs'] / 1e9:.2f} GMAC, target {base[0]['target']}, 1 thread\n")
    titles = {name: title for name, title, _ in PLANS}
    header = ["memory, MB"]
    for name in results:
        header += [titles[name], "measured"]
    say(table(memory_rows(results), header, right=range(1, len(header))))
    rows = []
    for name, (compiled, ran, seconds) in results.items():
        rows.append([titles[name], f"{ran['latency_us']['measured'] / 1e3:.1f}", f"{ran['recompute_factor']:.3f}",
                     f"{ran['executed_macs'] / 1e9:.3f}", f"{seconds:.2f}",
                     "" if name not in differences else f"{differences[name]:.1e}", schedules(compiled)])
    say("\n" + table(rows, ["plan", "median ms", "recompute", "GMAC run", "compile s", "difference", "groups"], right=range(1, 6)))
    say("\nmeasured peak: VmHWM of a fresh snug-run; difference: of outputs, over the scale of the untiled plan's")


def main():
    p = argparse.ArgumentParser(prog="tools/dev/demo", description=f"Builds Snug, compiles {NETWORK} without and with a "
                                "memory budget, runs both, compares the outputs.")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    p.parse_args()
    say("building (a first build takes minutes)")
    if run_visibly([os.path.join(ROOT, "tools", "dev", "build"), "--no-setup", "snug", "snug-run"]) != 0:
        die("demo", "the build failed, see above")
    progress = Progress(1 + 2 * len(PLANS))
    results, outputs = {}, {}
    try:
        model = progress.step(f"writing {NETWORK}.onnx", lambda: make_network(NETWORK, os.path.join(FOLDER, NETWORK + ".onnx")))
        for name, _, options in PLANS:
            plan = os.path.join(FOLDER, name + ".snug")
            folder = os.path.join(FOLDER, name + "-output")
            shutil.rmtree(folder, ignore_errors=True)
            compiled, seconds = progress.step("compiling " + " ".join(options), lambda: compile_plan(model, plan, *options))
            ran = progress.step(f"running {name}.snug", lambda: run_plan(plan, f"--repeat={TIMED_RUNS}", output=folder))
            results[name] = (compiled, ran, seconds)
            outputs[name] = read_outputs(folder)
    except ToolError as error:
        say("failed")
        die("demo", str(error))
    differences = {}
    for name in list(outputs)[1:]:
        differences[name] = max((difference(outputs[name].get(key, value[:0]), value) for key, value in outputs["untiled"].items()),
                                default=float("inf"))
    show(results, differences)
    write_json(os.path.join(FOLDER, "demo.json"), {
        name: {"compile": compiled, "run": ran, "compile_seconds": round(seconds, 3), "difference": differences.get(name)}
        for name, (compiled, ran, seconds) in results.items()})
    say("written: build/demo/demo.json")
    if max(differences.values()) > TOLERANCE:
        die("demo", f"a tiled output differs by more than {TOLERANCE:g} of the output's scale")
    return 0


if __name__ == "__main__":
    sys.exit(main())
