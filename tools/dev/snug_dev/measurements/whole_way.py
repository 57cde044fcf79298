# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""yolov2-first16: memory, latency and compile time of five plans, runs interleaved."""

import os
import statistics

from snug_dev.common import say
from snug_dev.plans import WORK, compile_plan, network, pinned, run_plan, schedules
from snug_dev.text import markdown_table, megabytes

TITLE = "The whole way"
PLANS = [
    ("untiled", ["--groups=16:whole"]),
    ("8:5x5,16:2x2", ["--groups=8:5x5,16:2x2"]),
    ("budget 64 MiB", ["--memory-budget=64MiB"]),
    ("untiled, Winograd", ["--groups=16:whole", "--winograd"]),
    ("8:5x5,16:2x2, Winograd", ["--groups=8:5x5,16:2x2", "--winograd"]),
]
COMPILES = 5


def add_arguments(p):
    p.add_argument("--rounds", type=int, default=10, metavar="N", help="in which the plans take turns (%(default)s)")


def measure(options):
    model = network("yolov2-first16")
    plans = []
    for number, (label, plan_options) in enumerate(PLANS):
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
    return {"network": "yolov2-first16 at 608 x 608", "records": records}


def report(results):
    lines = [f"{results['network']}, one thread. Peaks are of the whole process (VmHWM of a fresh `snug-run`, the worst of all",
             "rounds); latencies are medians over rounds in which the plans took turns, ratios are within a round.", ""]
    rows = []
    for r in results["records"]:
        predicted, measured = r["predicted_bytes"], r["measured_bytes"]
        rows.append([r["plan"], megabytes(predicted["weights"]), megabytes(predicted["activations"]), megabytes(predicted["workspace"]),
                     f"{megabytes(predicted['arena'])} / {megabytes(measured['arena'])}",
                     f"{megabytes(predicted['peak'])} / {megabytes(measured['peak'])}"])
    lines += markdown_table(["plan", "weights MB", "activations MB", "workspace MB", "arena MB predicted / measured",
                             "peak MB predicted / measured"], rows)
    rows = []
    for r in results["records"]:
        latency, ratio = r["latency_us"], r["ratio_to_untiled"]
        rows.append([r["plan"], r["target"], r["groups"].replace("|", "and"), f"{r['predicted_macs'] / 1e9:.3f} / {r['executed_macs'] / 1e9:.3f}",
                     f"{r['recompute_factor']:.4f}", f"{latency['median'] / 1e3:.1f} ({latency['min'] / 1e3:.1f} to {latency['max'] / 1e3:.1f})",
                     f"{ratio['median']:.3f} ({ratio['min']:.3f} to {ratio['max']:.3f})", f"{r['compile_seconds']['median']:.2f}"])
    return lines + [""] + markdown_table(["plan", "target", "groups", "GMAC predicted / executed", "recompute factor", "latency ms",
                                          "over untiled", "compile s"], rows)
