# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a process takes besides weights and arena, and what to predict it with."""

import os
import shutil

from snug_dev.common import ROOT, binary, load_json, say
from snug_dev.plans import WORK, compile_plan, network, run_plan
from snug_dev.text import markdown_table

TITLE = "The runtime's own memory"

# Small, large, deep, with and without dense layers; two plans for those that
# have layers to tile. vgg16 is left out: half a gigabyte, and nothing new.
PLANS = [
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
    ("yolov2-first16", "winograd", ["--max-groups=0", "--winograd"]),
    ("odd-batch", "whole", ["--max-groups=0"]),
    ("odd-gates", "whole", ["--max-groups=0"]),
    ("odd-normalized", "whole", ["--max-groups=0"]),
    ("odd-skips", "whole", ["--max-groups=0"]),
    ("odd-squeeze", "whole", ["--max-groups=0"]),
    ("efficientnet_b0", "whole", ["--max-groups=0"]),
    ("googlenet", "whole", ["--max-groups=0"]),
    ("yolov5n", "whole", ["--max-groups=0"]),
]
THREADS = [1, 2, 4]


def add_arguments(p):
    p.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each plan (%(default)s)")


def profile_figures():
    """Base and per-thread bytes that the compiler predicts with today."""
    figures = load_json(os.path.join(ROOT, "lib", "Predict", "profiles", "generic-cpu.json"))["runtime_overhead"]
    return figures["base"]["value"], figures["per_thread"]["value"]


def measure(options):
    """VmHWM of fresh runs less weights and arena, and the least figures that are never below it.

    Predicted overhead is base + (threads - 1) * per_thread + program bound; the
    bound follows from the plan alone, so base and per_thread are what to fit.
    """
    base, per_thread = profile_figures()
    # How much of the code around what runs is resident depends on what of the
    # file is in the page cache: all of it where the file was just written.
    fresh = os.path.join(WORK, "fresh")
    os.makedirs(fresh, exist_ok=True)
    shutil.copy(binary("snug-run"), fresh)
    runs = []
    for name, label, plan_options in PLANS:
        for threads in THREADS:
            plan = os.path.join(WORK, f"{name}-{label}-{threads}.snug".replace(":", "_").replace(",", "-"))
            compiled, _ = compile_plan(network(name), plan, *plan_options, f"--threads={threads}")
            predicted = compiled["memory"]["predicted"]
            measured = max((run_plan(plan, binaries=fresh)["memory"]["measured"] for _ in range(options.rounds)), key=lambda m: m["peak"])
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


def report(results):
    lines = ["What a fresh `snug-run` takes besides weights and arena: VmHWM less both, all of its file in the page cache, which is where",
             "most of its code is resident. Predicted: a base, bytes for each further thread, and a bound for the plan's own program. The fit is the least base and bytes a thread that no run exceeds.", "",
             f"Profile `generic-cpu`: base {results['profile_base']:,} B, {results['profile_per_thread']:,} B a thread. "
             f"Fit of these runs: {results['fitted_base']:,} B and {results['fitted_per_thread']:,} B.", ""]
    rows = [[r["network"], r["plan"], r["threads"], f"{r['program_bound']:,}", f"{r['predicted_overhead']:,}", f"{r['measured_overhead']:,}",
             f"{r['residual']:,}", f"{r['fitted_residual']:,}"] for r in results["runs"]]
    return lines + markdown_table(["network", "plan", "threads", "program bound B", "predicted B", "measured B", "predicted - measured B",
                                   "with the fit B"], rows)
