# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speed of each kernel and shape beside the FMA peak and beside plain copies of as many bytes."""

import os

from snug_dev.common import binary, load_json
from snug_dev.plans import WORK, checked
from snug_dev.text import markdown_table

TITLE = "Kernels"


def add_arguments(p):
    p.add_argument("--seconds", type=float, metavar="S", help="time for each kernel and shape")


def measure_target(target, seconds):
    report_file = os.path.join(WORK, "kernels.json")
    argv = [binary("snug-kernel-benchmark"), "--json=" + report_file, "--target=" + target]
    if seconds:
        argv.append(f"--seconds={seconds}")
    checked(argv, "snug-kernel-benchmark", timeout=1800)
    return load_json(report_file)


def measure(options):
    """The best target of this machine, and AVX2 where that is the lesser one."""
    os.makedirs(WORK, exist_ok=True)
    targets = [measure_target("host", options.seconds)]
    if targets[0]["target"] == "avx512":
        targets.append(measure_target("avx2", options.seconds))
    return {"targets": targets}


def table(results):
    rows = []
    for r in results["records"]:
        row = [r["kernel"], r["shape"], r["threads"], f"{r['median_us']:.0f}", "", "", "", "", ""]
        if r["gflops"]:
            row[4:6] = [f"{r['gflops']:.1f}", f"{r['percent_of_peak']:.0f} ({r['best_percent_of_peak']:.0f})"]
        if r.get("copy_gigabytes_per_second"):
            row[6:] = [f"{r['gigabytes_per_second']:.1f}", f"{r['copy_gigabytes_per_second']:.1f}",
                       f"{r['percent_of_copy']:.0f} ({r['best_percent_of_copy']:.0f})"]
        rows.append(row)
    peaks = ", ".join(f"{p['gflops']:.1f} GFLOP/s on {p['threads']} thread" + ("s" if p["threads"] > 1 else "") for p in results["peaks"])
    return [f"### Target {results['target']}", "", f"FMA peak: {peaks}.", "",
            *markdown_table(["kernel", "shape", "threads", "median us", "GFLOP/s", "% of peak", "GB/s", "copy GB/s", "% of copy"], rows)]


def report(results):
    lines = ["Percentages are of what the same process measured: of the FMA peak, and, for kernels that memory may bound, of a plain",
             "copy of as many bytes on as many threads (inputs and weights read once, outputs written once). Those of the peak",
             "are medians of pairs, each repetition beside the peak measured right behind it, and in brackets the best repetition's of the best peak;",
             "those of a copy are the median's and the best repetition's. Winograd's kernel, which multiplies less, is given the operations of the direct one."]
    for target in results["targets"]:
        lines += ["", *table(target)]
    return lines
