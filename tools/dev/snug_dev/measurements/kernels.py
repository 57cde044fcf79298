# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Speed of each kernel and shape beside the FMA peak and beside plain copies of as many bytes."""

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
    lines = [f"Target {results['target']}. Percentages are of what the same process measured: of the FMA peak, and, for kernels that memory",
             "may bound, of a plain copy of as many bytes on as many threads (inputs and weights read once, outputs written once). Those of the peak",
             f"are medians of pairs, each repetition beside the peak measured right behind it, and in brackets the best repetition's of the best peak ({peaks});",
             "those of a copy are the median's and the best repetition's. Winograd's kernel, which multiplies less, is given the operations of the direct one.", ""]
    return lines + markdown_table(["kernel", "shape", "threads", "median us", "GFLOP/s", "% of peak", "GB/s", "copy GB/s", "% of copy"], rows)
