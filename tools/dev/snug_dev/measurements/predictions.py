# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Predicted process peaks beside what fresh runs take, and the cost of compiling.

A prediction may never be below VmHWM, and at most 3 % or 1 MiB, the larger,
above it; a run may take weights, arena and 3 MiB. Runs feed random numbers and
.npy files in turns, since reading files takes memory too.
"""

import os
import shutil
import subprocess
import time

from snug_dev.arguments import names, positive, positives
from snug_dev.common import binary, say
from snug_dev.plans import WORK, ToolError, compile_plan, make_input, network, run_plan
from snug_dev.text import counted, markdown_table, megabytes

TITLE = "Predictions and what a process takes"
MIB = 1 << 20
ABOVE_SHARE, ABOVE_BYTES = 0.03, MIB
BESIDE_BYTES = 3 * MIB
# Whole stacks, early layers alone, and two groups: few large tiles to many small.
TILINGS = {
    "yolov2-first16": ["8:5x5,16:2x2", "16:3x3", "8:6x6,16:6x6"],
    "tiny-yolov2": ["8:4x4", "4:6x6,11:2x2", "12:2x2"],
    "vgg16": ["10:4x4", "6:6x6,14:3x3", "18:2x2"],
    "mobilenet_v1": ["13:4x4", "7:6x6,13:3x3", "27:6x6"],
}
COMPILED = "vgg16"
COMPILES = 3
COMPILE_SECONDS, COMPILE_FILES = 10, 2.5  # bounds


def add_arguments(p):
    p.add_argument("--networks", type=names, default=list(TILINGS), metavar="A,B", help="(" + ",".join(TILINGS) + ")")
    p.add_argument("--rounds", type=positive, default=20, metavar="N", help="runs of each plan (%(default)s)")
    p.add_argument("--threads", type=positives, default=[1, 2], metavar="N,M", help="(1,2)")


def excess(predicted, measured):
    """How much of what it may be above the measured peak a prediction is; negative where it is below."""
    return (predicted - measured) / max(ABOVE_SHARE * measured, ABOVE_BYTES)


def measure_plan(name, label, options, threads, rounds):
    plan = os.path.join(WORK, f"predictions-{name}.snug")
    compiled, _ = compile_plan(network(name), plan, *options, f"--threads={threads}")
    predicted = compiled["memory"]["predicted"]
    source, _ = make_input(name)
    peaks = []
    for number in range(rounds):
        files = number % 2 == 1
        ran = run_plan(plan, *(["--input=input=" + source] if files else []), output=plan + ".out" if files else None)
        peaks.append(ran["memory"]["measured"]["peak"])
    record = {
        "network": name, "plan": label, "threads": threads, "predicted_peak_bytes": predicted["peak"],
        "weights_bytes": predicted["weights"], "arena_bytes": predicted["arena"],
        "measured_peak_bytes": {"min": min(peaks), "max": max(peaks)},
        "least_above_bytes": predicted["peak"] - max(peaks), "most_above_bytes": predicted["peak"] - min(peaks),
        "share_of_allowance": excess(predicted["peak"], min(peaks)),
        "beside_weights_and_arena_bytes": max(peaks) - predicted["weights"] - predicted["arena"]}
    say(f"  {name} {label}, {counted(threads, 'thread')}: predicted {predicted['peak']}, measured {min(peaks)} to {max(peaks)}: "
        f"{record['least_above_bytes']} to {record['most_above_bytes']} above, {100 * record['share_of_allowance']:.0f} % of what it may be")
    os.remove(plan)
    shutil.rmtree(plan + ".out", ignore_errors=True)
    return record


def measure_compile(name):
    """Seconds and peak memory of `snug compile`, by the kernel's account of the process."""
    model, plan = network(name), os.path.join(WORK, "predictions-compile.snug")
    start = time.monotonic()
    process = subprocess.Popen([binary("snug"), "compile", model, "-o", plan, "--max-groups=0"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ToolError(f"snug compile failed with exit status {process.returncode}:\n{message}")
    seconds = time.monotonic() - start
    os.remove(plan)
    peak, size = usage.ru_maxrss * 1024, os.path.getsize(model)
    say(f"  compiling {name}: {seconds:.1f} s, peak {megabytes(peak)} MB, {peak / size:.2f} times the file")
    return {"network": name, "file_bytes": size, "seconds": seconds, "peak_bytes": peak, "peak_over_file": peak / size}


def measure(options):
    for name in options.networks:
        if name not in TILINGS:
            raise ToolError(f"no tilings are stated for the network '{name}'; there are {', '.join(TILINGS)}")
    records = []
    for name in options.networks:
        plans = [("untiled", ["--max-groups=0"])] + [(groups, ["--groups=" + groups]) for groups in TILINGS[name]]
        for label, plan_options in plans:
            for threads in options.threads:
                records.append(measure_plan(name, label, plan_options, threads, options.rounds))
    return {"rounds": options.rounds, "records": records,
            "compiles": [measure_compile(COMPILED) for _ in range(COMPILES)]}


def case(record):
    return f"{record['network']} {record['plan']}, {counted(record['threads'], 'thread')}"


def report(results):
    records = results["records"]
    least = min(records, key=lambda r: r["least_above_bytes"])
    most = max(records, key=lambda r: r["share_of_allowance"])
    beside = max(records, key=lambda r: r["beside_weights_and_arena_bytes"])
    compiled = min(results["compiles"], key=lambda c: c["seconds"])
    peak = max(c["peak_over_file"] for c in results["compiles"])
    rows = [
        ["prediction less measured peak, at least", "0", f"{least['least_above_bytes']:,} B", case(least)],
        ["the same, at most", "3 % or 1 MiB", f"{most['most_above_bytes']:,} B, {100 * most['share_of_allowance']:.0f} % of it", case(most)],
        ["measured peak less weights and arena, at most", f"{BESIDE_BYTES:,} B", f"{beside['beside_weights_and_arena_bytes']:,} B", case(beside)],
        ["seconds of `snug compile`, best", COMPILE_SECONDS, f"{compiled['seconds']:.1f}", compiled["network"]],
        ["its peak over the file's size, worst", COMPILE_FILES, f"{peak:.2f}", compiled["network"]],
    ]
    lines = [f"{results['rounds']} fresh runs of each plan, VmHWM; the worst case of each bound:", ""]
    lines += markdown_table(["figure", "bound", "worst", "case"], rows) + ["", "All cases:", ""]
    rows = [[r["network"], r["plan"], r["threads"], megabytes(r["predicted_peak_bytes"]),
             f"{megabytes(r['measured_peak_bytes']['min'])} to {megabytes(r['measured_peak_bytes']['max'])}",
             f"{r['least_above_bytes']:,} to {r['most_above_bytes']:,}", f"{100 * r['share_of_allowance']:.0f}",
             f"{r['beside_weights_and_arena_bytes']:,}"] for r in records]
    return lines + markdown_table(["network", "plan", "threads", "predicted MB", "measured MB", "predicted - measured B", "% of allowance",
                                   "beside weights and arena B"], rows)
