# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The measurements of tools/dev/bench; each returns what goes under "results"."""

import json
import os
import statistics

from snug_dev.common import BUILD, ROOT, binary, load_json, say
from snug_dev.plans import checked, compile_plan, make_network, run_plan, schedules

WORK = os.path.join(BUILD, "bench")
ZOO_FILES = os.path.join(BUILD, "zoo")


def pinned():
    """Keeps a command on the last of the processors that may be used: interrupts prefer the first."""
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def network(name):
    return make_network(name, os.path.join(ZOO_FILES, name + ".onnx"))


def kernels(options):
    """GFLOP/s of each kernel and shape, and how much of the FMA peak that is."""
    os.makedirs(WORK, exist_ok=True)
    report = os.path.join(WORK, "kernels.json")
    argv = [binary("snug-kernel-benchmark"), "--json=" + report]
    if options.seconds:
        argv.append(f"--seconds={options.seconds}")
    checked(argv, "snug-kernel-benchmark", timeout=1800)
    data = load_json(report)
    return data if isinstance(data, dict) else {"records": data}


# Small, large, deep, with and without dense layers; two plans for those that
# have layers to tile. vgg16 is left out: half a gigabyte, and nothing new.
OVERHEAD_PLANS = [
    ("odd-gray", "whole", ["--max-groups=0"]),
    ("odd-channels", "whole", ["--max-groups=0"]),
    ("odd-deep", "whole", ["--max-groups=0"]),
    ("odd-deep", "4:3x3,9:2x2", ["--groups=4:3x3,9:2x2"]),
    ("odd-residual", "whole", ["--max-groups=0"]),
    ("mobilenet_v1", "whole", ["--max-groups=0"]),
    ("tiny-yolov2", "whole", ["--max-groups=0"]),
    ("tiny-yolov2", "8:4x4", ["--groups=8:4x4"]),
    ("yolov2-first16", "whole", ["--max-groups=0"]),
    ("yolov2-first16", "8:5x5,16:2x2", ["--groups=8:5x5,16:2x2"]),
    ("yolov2-first16", "8:6x6,16:6x6", ["--groups=8:6x6,16:6x6"]),
]
OVERHEAD_THREADS = [1, 2, 4]


def profile_overhead():
    """Base and per-thread bytes that the compiler predicts with today."""
    figures = load_json(os.path.join(ROOT, "lib", "Predict", "profiles", "generic-cpu.json"))["runtime_overhead"]
    return figures["base"]["value"], figures["per_thread"]["value"]


def overhead(options):
    """VmHWM of fresh runs less weights and arena, and the least figures that are never below it.

    Predicted overhead is base + (threads - 1) * per_thread + program bound; the
    bound follows from the plan alone, so base and per_thread are what to fit.
    """
    base, per_thread = profile_overhead()
    runs = []
    for name, label, plan_options in OVERHEAD_PLANS:
        for threads in OVERHEAD_THREADS:
            plan = os.path.join(WORK, f"{name}-{label}-{threads}.snug".replace(":", "_").replace(",", "-"))
            compiled, _ = compile_plan(network(name), plan, *plan_options, f"--threads={threads}")
            predicted = compiled["memory"]["predicted"]
            measured = max((run_plan(plan)["memory"]["measured"] for _ in range(options.rounds)), key=lambda m: m["peak"])
            runs.append({
                "network": name, "plan": label, "threads": threads,
                "weights": predicted["weights"], "arena": measured["arena"],
                "program_bound": predicted["runtime_overhead"] - base - (threads - 1) * per_thread,
                "predicted_overhead": predicted["runtime_overhead"],
                "measured_overhead": measured["peak"] - predicted["weights"] - measured["arena"],
                "predicted_peak": predicted["peak"], "measured_peak": measured["peak"],
                "residual": predicted["peak"] - measured["peak"],
            })
            say(f"  {name} {label}, {threads} threads: overhead {runs[-1]['measured_overhead']} B, residual {runs[-1]['residual']} B")

    def rest(r):
        return r["measured_overhead"] - r["program_bound"]

    fitted_base = max(rest(r) for r in runs if r["threads"] == 1)
    fitted_thread = max(0, *(-(-(rest(r) - fitted_base) // (r["threads"] - 1)) for r in runs if r["threads"] > 1))
    for r in runs:
        r["fitted_residual"] = fitted_base + (r["threads"] - 1) * fitted_thread - rest(r)
    return {"unit": "bytes", "profile_base": base, "profile_per_thread": per_thread,
            "fitted_base": fitted_base, "fitted_per_thread": fitted_thread, "runs": runs}


WHOLE_WAY_PLANS = [
    ("untiled", ["--groups=16:whole"]),
    ("8:5x5,16:2x2", ["--groups=8:5x5,16:2x2"]),
    ("budget 64 MiB", ["--memory-budget=64MiB"]),
]
COMPILES = 5


def whole_way(options):
    """yolov2-first16: memory, latency and compile time of three plans, runs interleaved."""
    model = network("yolov2-first16")
    plans = []
    for number, (label, plan_options) in enumerate(WHOLE_WAY_PLANS):
        path = os.path.join(WORK, f"whole-way-{number}.snug")
        seconds = []
        for _ in range(COMPILES):
            compiled, took = compile_plan(model, path, *plan_options)
            seconds.append(took)
        plans.append({"label": label, "path": path, "compiled": compiled, "compile_seconds": seconds, "latencies": [], "runs": []})
        say(f"  {label}: compiled in {statistics.median(seconds):.2f} s")
    for number in range(options.rounds):
        for plan in plans:
            ran = run_plan(plan["path"], "--repeat=3", prefix=pinned())
            plan["latencies"].append(ran["latency_us"]["measured"])
            plan["runs"].append(ran)
        say(f"  round {number + 1} of {options.rounds}: " + ", ".join(f"{p['latencies'][-1] / 1e3:.1f} ms" for p in plans))
    records = []
    for plan in plans:
        ratios = [mine / first for mine, first in zip(plan["latencies"], plans[0]["latencies"])]
        worst = max((r["memory"]["measured"] for r in plan["runs"]), key=lambda m: m["peak"])
        compiled = plan["compiled"]
        records.append({
            "plan": plan["label"], "target": compiled["target"], "threads": 1, "groups": schedules(compiled),
            "network_macs": compiled["network_macs"], "predicted_macs": compiled["executed_macs"],
            "executed_macs": plan["runs"][0]["executed_macs"], "recompute_factor": compiled["recompute_factor"],
            "predicted_bytes": compiled["memory"]["predicted"], "measured_bytes": worst,
            "latency_us": {"median": statistics.median(plan["latencies"]), "min": min(plan["latencies"]),
                           "max": max(plan["latencies"]), "rounds": len(plan["latencies"])},
            "ratio_to_untiled": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
            "compile_seconds": {"median": statistics.median(plan["compile_seconds"]), "min": min(plan["compile_seconds"])},
        })
    return json.loads(json.dumps({"network": "yolov2-first16 at 608 x 608", "records": records}))
