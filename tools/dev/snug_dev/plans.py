# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes networks, plans and runs with the built tools, as a user would."""

import json
import os
import re

from snug_dev.common import BINARIES, BUILD, ZOO, binary, load_json, run

WORK = os.path.join(BUILD, "bench")
ZOO_FILES = os.path.join(BUILD, "zoo")


class ToolError(Exception):
    """A tool ended with an error; its text is shown to the user."""


def checked(argv, what, timeout=900):
    done = run(argv, timeout)
    if done.status != 0:
        raise ToolError(f"{what} failed with exit status {done.status}:\n{done.tail(12)}")
    return done


def make_network(name, path, *options):
    """Writes a network of the zoo unless the file is there already."""
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        checked([ZOO, name, "-o", path, *options], f"tools/zoo/zoo {name}")
    return path


def network(name):
    """The path of a network of the zoo, written once a build folder."""
    return make_network(name, os.path.join(ZOO_FILES, name + ".onnx"))


def make_input(name):
    """An input of a zoo network's shape, in [-1, 1), as .npy; returns (path, shape)."""
    import numpy as np  # not everything that uses this module has NumPy
    entries = {entry["name"]: entry for entry in json.loads(checked([ZOO, "--list", "--json"], "tools/zoo/zoo --list").output)}
    if name not in entries:
        raise ToolError(f"no network '{name}' in the zoo; it has {', '.join(entries)}")
    shape = entries[name]["input"]
    path = os.path.join(ZOO_FILES, name + ".npy")
    os.makedirs(ZOO_FILES, exist_ok=True)
    np.save(path, np.random.default_rng(3).uniform(-1, 1, shape).astype(np.float32))
    return path, shape


def processors(count):
    """The last `count` of the processors that may be used: interrupts prefer the first."""
    return sorted(os.sched_getaffinity(0))[-count:]


def pinned(threads=1):
    """What keeps a command on as many processors as it has threads."""
    return ["taskset", "-c", ",".join(map(str, processors(threads)))]


def compile_plan(model, plan, *options, binaries=BINARIES):
    """snug compile, of the tools in `binaries`. Returns (its JSON, wall seconds)."""
    os.makedirs(os.path.dirname(plan), exist_ok=True)
    report = plan + ".compile.json"
    done = checked([binary("snug", binaries), "compile", model, "-o", plan, "--json=" + report, *options], "snug compile")
    return load_json(report), done.seconds


def compile_refusal(model, *options):
    """Nothing where snug compile can keep the budget in `options`, else the smallest that it names, in bytes."""
    done = run([binary("snug"), "compile", model, "-o", os.path.join(WORK, "refused.snug"), *options], 900)
    if done.status == 0:
        return None
    found = re.search(r"the smallest budget that would do is (\d+)B", done.output)
    if not found:
        raise ToolError(f"snug compile failed with exit status {done.status}:\n{done.tail(12)}")
    return int(found[1])


def run_plan(plan, *options, prefix=(), output=None, binaries=BINARIES):
    """A fresh snug-run. Returns its JSON. `prefix` is put before the command, e.g. taskset."""
    report = plan + ".run.json"
    argv = [*prefix, binary("snug-run", binaries), plan, "--json=" + report, *options]
    if not any(o.startswith(("--random-inputs", "--input")) for o in options):
        argv.append("--random-inputs=1")
    if output:
        argv.append("--output-dir=" + output)
    checked(argv, "snug-run")
    return load_json(report)


def read_outputs(folder):
    """The arrays that a run wrote, by file name."""
    import numpy as np
    return {f: np.load(os.path.join(folder, f)) for f in sorted(os.listdir(folder)) if f.endswith(".npy")}


def difference(actual, expected):
    """Largest difference over the largest magnitude expected; infinite where a shape or a value is off."""
    import numpy as np
    if actual.shape != expected.shape or not np.isfinite(actual).all():
        return float("inf")
    scale = float(np.abs(expected).max()) or 1.0
    return float(np.abs(actual.astype(np.float64) - expected).max()) / scale


def schedules(report):
    """The groups of a report in one line: `5x5 over 8 ops | 2x2 over 8 ops`."""
    groups = report.get("groups") or []
    return " | ".join(f"{schedule_text(g['schedule'])} over {len(g['ops'])}" for g in groups) or "none"


def schedule_text(schedule):
    if isinstance(schedule, str):
        return schedule
    return json.dumps(schedule)
