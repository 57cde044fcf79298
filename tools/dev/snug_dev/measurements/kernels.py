# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""GFLOP/s of each kernel and shape, and how much of the FMA peak that is."""

import os

from snug_dev.common import binary, load_json
from snug_dev.plans import WORK, checked
from snug_dev.text import markdown_table

TITLE = "Kernels"


def add_arguments(p):
    p.add_argument("--seconds", type=float, metavar="S", help="time for each kernel and shape")


def measure(options):
    os.makedirs(WORK, exist_ok=True)
    report_file = os.path.join(WORK, "kernels.json")
    argv = [binary("snug-kernel-benchmark"), "--json=" + report_file]
    if options.seconds:
        argv.append(f"--seconds={options.seconds}")
    checked(argv, "snug-kernel-benchmark", timeout=1800)
    data = load_json(report_file)
    return data if isinstance(data, dict) else {"records": data}


def report(results):
    rows = [[r["kernel"], r["shape"], r["target"], r["threads"], f"{r['gflops']:.1f}", f"{r['percent_of_peak']:.1f}",
             f"{r['percent_of_peak'] * r['median_us'] / r['best_us']:.1f}", f"{r['median_us']:.0f}"] for r in results["records"]]
    lines = ["Percent of the FMA peak that the same process measured, the best of all its measurements: " + ", ".join(
        f"{p['gflops']:.1f} GFLOP/s on {p['threads']} thread" + ("s" if p["threads"] > 1 else "") for p in results["peaks"]) + ".",
        "The machine is shared: medians hold what its other users took, the best repetition less of it."]
    return lines + [""] + markdown_table(["kernel", "shape", "target", "threads", "GFLOP/s", "% of peak, median", "% of peak, best",
                                          "median us"], rows)
