# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Predicted process peaks beside what fresh runs take, and the cost of compiling.

A prediction may never be below VmHWM, and at most 3 % or 1 MiB, the larger,
above it; a run may take weights, arena and 3 MiB. Runs feed random numbers and
.npy files in turns, since reading files takes memory too; every third run is
repeated in its process. Budgets of the process go from the smallest that can be
kept to what the untiled network takes, with resident and with streamed weights.
"""

import os
import shutil
import subprocess
import time

from snug_dev.arguments import names, positive, positives
from snug_dev.common import binary, say
from snug_dev.plans import WORK, ToolError, compile_plan, compile_refusal, make_input, network, run_plan
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
# Chains, residual and dense networks, squeeze-excites, decoders; weights of a
# few kilobytes to half a gigabyte.
BUDGETED = ["yolov2-first16", "yolov2", "tiny-yolov2", "vgg16", "alexnet", "resnet18", "resnet50", "mobilenet_v1", "mobilenet_v2",
            "squeezenet1.1", "googlenet", "densenet121", "efficientnet_b0", "unet", "yolov5n"]
BUDGETS = 5
COMPILED = "vgg16"
COMPILES = 3
COMPILE_SECONDS, COMPILE_FILES = 10, 2.5  # bounds


def add_arguments(p):
    p.add_argument("--networks", type=names, default=list(TILINGS), metavar="A,B", help="(" + ",".join(TILINGS) + ")")
    p.add_argument("--budgeted", type=names, default=BUDGETED, metavar="A,B", help="networks under budgets (" + ",".join(BUDGETED) + ")")
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
        ran = run_plan(plan, *(["--input=input=" + source] if files else []), *(["--repeat=2"] if number % 3 == 2 else []),
                       output=plan + ".out" if files else None)
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


def budgets_of(name, weights):
    """Budgets from the smallest, which a refusal names, to the untiled plan's peak."""
    least = compile_refusal(network(name), "--memory-budget=1B", "--weights=" + weights)
    plan = os.path.join(WORK, f"predictions-{name}.snug")
    compiled, _ = compile_plan(network(name), plan, "--max-groups=0", "--weights=" + weights)
    most = compiled["memory"]["predicted"]["peak"]
    os.remove(plan)
    return sorted({least + (most - least) * i // (BUDGETS - 1) for i in range(BUDGETS)})


def measure_budgets(name, rounds):
    records = []
    for weights in ("resident", "streamed"):
        for budget in budgets_of(name, weights):
            options = [f"--memory-budget={budget}B", "--weights=" + weights]
            record = measure_plan(name, f"{weights}, {megabytes(budget)} MB", options, 1, rounds)
            if record["predicted_peak_bytes"] > budget:
                raise ToolError(f"{name}: a budget of {budget} bytes is not kept: predicted {record['predicted_peak_bytes']}")
            records.append({**record, "weights": weights, "budget_bytes": budget})
    return records


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
    budgeted = [record for name in options.budgeted for record in measure_budgets(name, options.rounds)]
    return {"rounds": options.rounds, "records": records, "budgeted": budgeted,
            "compiles": [measure_compile(COMPILED) for _ in range(COMPILES)]}


def case(record):
    return f"{record['network']} {record['plan']}, {counted(record['threads'], 'thread')}"


def report(results):
    budgeted = results.get("budgeted", [])
    records = results["records"] + budgeted
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
             f"{r['beside_weights_and_arena_bytes']:,}"] for r in results["records"]]
    lines += markdown_table(["network", "plan", "threads", "predicted MB", "measured MB", "predicted - measured B", "% of allowance",
                                   "beside weights and arena B"], rows)
    if not budgeted:
        return lines
    lines += ["", f"{len({r['network'] for r in budgeted})} networks under {BUDGETS} budgets of the process each, with resident and with streamed "
              "weights, the extremes over a network's budgets:", ""]
    rows = []
    for name in dict.fromkeys(r["network"] for r in budgeted):
        for weights in ("resident", "streamed"):
            mine = [r for r in budgeted if (r["network"], r["weights"]) == (name, weights)]
            rows.append([name, weights, f"{megabytes(min(r['budget_bytes'] for r in mine))} to {megabytes(max(r['budget_bytes'] for r in mine))}",
                         f"{min(r['least_above_bytes'] for r in mine):,} to {max(r['most_above_bytes'] for r in mine):,}",
                         f"{100 * max(r['share_of_allowance'] for r in mine):.0f}"])
    return lines + markdown_table(["network", "weights", "budgets MB", "predicted - measured B", "% of allowance"], rows)
