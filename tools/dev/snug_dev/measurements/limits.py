# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What hard limits of memory do to a run: our untiled plan beside plans made for the limit.

Each run is a fresh snug-run alone in a control group, with a swap file, its plan
not in the page cache; with the disk as it is and at 20 MB/s, like an SD card.
Needs root and the memory controller (version 1 or 2).
"""

import os
import shutil
import signal
import statistics
import sys

from snug_dev.arguments import names, positives
from snug_dev.cgroups import MIB, Limits, Unavailable, forget
from snug_dev.common import binary, load_json, say
from snug_dev.peers import environment
from snug_dev.plans import (WORK, ToolError, compile_plan, compile_refusal, difference, make_input, network, pinned, read_outputs,
                            run_plan)
from snug_dev.text import markdown_table, megabytes

TITLE = "Hard limits"
PLOT = "docs/measurements/limits.svg"
NETWORKS = ["yolov2-first16", "yolov2"]
LIMITS = [256, 192, 128, 96, 80, 64, 48, 32, 24, 16]
SPEED = 20_000_000
# What the kernel itself charges to a group: page tables, the process' own structures.
KERNEL_BYTES = 2 * MIB
TOLERANCE = 1e-3
TIMEOUT = 120


def add_arguments(p):
    p.add_argument("--networks", type=names, default=NETWORKS, metavar="A,B", help="(" + ",".join(NETWORKS) + ")")
    p.add_argument("--limits", type=positives, default=LIMITS, metavar="A,B", help="MiB (" + ",".join(map(str, LIMITS)) + ")")
    p.add_argument("--rounds", type=int, default=3, metavar="N", help="runs without swap (%(default)s); those with it are made once")


class Plan:
    """A plan file and what is known of it."""

    def __init__(self, label, path, source, report):
        self.label, self.path, self.input = label, path, source
        self.predicted = report["memory"]["predicted"]
        self.weights = report["options"]["weights"]
        self.tiles = " | ".join(g["schedule"] for g in report["groups"])

    def facts(self):
        return {"plan": self.label, "weights": self.weights, "groups": self.tiles, "predicted_peak_bytes": self.predicted["peak"]}


class Planner:
    """Makes the plans of a network."""

    def __init__(self, name):
        self.name = name
        self.model, self.input = network(name), make_input(name)[0]

    def compile(self, label, *options):
        path = os.path.join(WORK, f"limits-{self.name}-{label}.snug".replace(" ", "-"))
        report, _ = compile_plan(self.model, path, *options)
        return Plan(label, path, self.input, report)

    def within(self, label, budget):
        """A plan for the budget: with resident weights where that can be, else with streamed ones; or the smallest budget, in bytes."""
        for weights in ("resident", "streamed"):
            options = [f"--memory-budget={budget}B", "--weights=" + weights]
            refusal = compile_refusal(self.model, *options)
            if refusal is None:
                return self.compile(label, *options)
        return refusal


def once(limits, plan, memory, swap, speed, outputs):
    """One run under limits; its latency, and whether its outputs are right."""
    report, folder = plan.path + ".run.json", plan.path + ".out"
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(report):
        os.remove(report)
    forget(plan.path)
    argv = [*pinned(), binary("snug-run"), plan.path, "--input=input=" + plan.input, "--json=" + report, "--output-dir=" + folder]
    done = limits.run(argv, memory, swap, speed, TIMEOUT)
    record = {**plan.facts(), "limit_bytes": memory, "swap": swap, "bytes_per_second": speed, "status": done["status"],
              "killed": done["killed"], "seconds": done["seconds"], "max_usage_bytes": done["peak_bytes"],
              "swap_in_bytes": done["swap_in_bytes"], "swap_out_bytes": done["swap_out_bytes"]}
    if done["status"] == 0:
        record["latency_us"] = load_json(report)["latency_us"]["measured"]
        actual = read_outputs(folder)
        record["difference"] = max(difference(actual[k], outputs[k]) for k in outputs)
        if record["difference"] > TOLERANCE:
            raise ToolError(f"{plan.label} computes something else under a limit of {memory} bytes")
    elif not done["killed"] and done["status"] is not None and done["status"] > 0:
        raise ToolError(f"snug-run failed with exit status {done['status']}:\n{done['output']}")
    return record


def outcome(record):
    if record["killed"]:
        return "killed"
    if record["status"] is None:
        return f"over {TIMEOUT} s"
    return f"{record['seconds']:.1f} s"


def without_swap(limits, plan, memory, rounds, outputs, reference):
    """Whether a plan survives, and its latency beside that of `reference` without limits, runs in turns."""
    rows, free = [], []
    for _ in range(rounds):
        free.append(once(limits, reference, 64 << 30, False, None, outputs)["latency_us"])
        rows.append(once(limits, plan, memory, False, None, outputs))
    # The second of two runs finds the weights in the page cache.
    warm = limits.run([*pinned(), binary("snug-run"), plan.path, "--random-inputs=1", "--repeat=2", "--json=" + plan.path + ".warm.json"],
                      memory, False, None, TIMEOUT)
    killed = sum(r["killed"] for r in rows) + warm["killed"]
    record = {**plan.facts(), "limit_bytes": memory, "rounds": rounds, "killed": killed, "max_usage_bytes": max(r["max_usage_bytes"] or 0 for r in rows),
              "unlimited_us": min(free), "unlimited_plan": reference.label}
    if not killed:
        record.update(cold_us=min(r["latency_us"] for r in rows), warm_us=load_json(plan.path + ".warm.json")["latency_us"]["measured"],
                      over_unlimited=statistics.median(r["latency_us"] / f for r, f in zip(rows, free)),
                      best_over_best=min(r["latency_us"] for r in rows) / min(free))
    say(f"  {plan.label} ({plan.weights}), {megabytes(memory)} MB, no swap: {'killed' if killed else 'runs'}, "
        f"{record.get('cold_us', 0) / 1e3:.0f} ms cold, {record.get('warm_us', 0) / 1e3:.0f} ms warm, {record.get('best_over_best', 0):.2f} of unlimited")
    return record


def measure_network(name, options, limits):
    planner = Planner(name)
    untiled = planner.compile("untiled", "--max-groups=0")
    free = once_unlimited(untiled)
    plans, missing = {}, {}
    for limit in options.limits:
        found = planner.within(f"for {limit} MiB", limit * MIB - KERNEL_BYTES)
        if isinstance(found, Plan):
            plans[limit] = found
        else:
            missing[limit] = found + KERNEL_BYTES
    say(f"  {name}: no plan below {min(plans, default=0)} MiB" if missing else f"  {name}: plans for all limits")
    swapped = []
    speeds = [None] + ([] if limits.missing_throttle else [SPEED])
    for speed in speeds:
        for limit in options.limits:
            for plan in [untiled] + ([plans[limit]] if limit in plans else []):
                record = {"network": name, "limit_mib": limit, **once(limits, plan, limit * MIB, True, speed, free)}
                swapped.append(record)
                say(f"  {name}, {limit} MiB, {'20 MB/s' if speed else 'unthrottled'}, {plan.label}: {outcome(record)}, "
                    f"swapped {megabytes(record['swap_in_bytes'])} in, {megabytes(record['swap_out_bytes'])} MB out")
    hard = [{"network": name, **without_swap(limits, plan, plan.predicted["peak"] + KERNEL_BYTES, options.rounds, free, plan)}
            for plan in [untiled, *plans.values()]]
    for limit in (48, 80):
        if limit in plans:
            hard.append({"network": name, "limit_mib": limit,
                         **without_swap(limits, plans[limit], limit * MIB, options.rounds, free, untiled)})
    return {"network": name, "swapped": swapped, "hard": hard,
            "missing": [{"limit_mib": limit, "smallest_bytes": smallest} for limit, smallest in missing.items()]}


def once_unlimited(plan):
    folder = plan.path + ".free"
    shutil.rmtree(folder, ignore_errors=True)
    run_plan(plan.path, "--input=input=" + plan.input, output=folder)
    return read_outputs(folder)


def measure(options):
    os.makedirs(WORK, exist_ok=True)
    # Whoever ends it early gets the swap file and the groups removed, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        limits = Limits(WORK)
        try:
            limits.add_swap(1 << 30)
            if limits.missing_throttle:
                say(f"  runs at 20 MB/s are skipped: {limits.missing_throttle}")
            return {"groups_version": limits.version, "bytes_per_second": SPEED, "throttle_skipped": limits.missing_throttle,
                    "networks": [measure_network(name, options, limits) for name in options.networks]}
        finally:
            limits.close()
    except Unavailable as error:
        raise ToolError(str(error)) from error


def finish(path):
    """Draws the plot, where its library is there."""
    environment.draw("snug_dev.peers.limits_plot", path, PLOT)


def table_of(data, speed):
    cells = {(r["limit_mib"], r["plan"] == "untiled"): r for r in data["swapped"] if r["bytes_per_second"] == speed}
    missing = {m["limit_mib"]: m["smallest_bytes"] for m in data["missing"]}

    def figures(record):
        return [outcome(record), f"{megabytes(record['max_usage_bytes'] or 0)}", f"{megabytes(record['swap_in_bytes'])} / {megabytes(record['swap_out_bytes'])}"]

    rows = []
    for limit in sorted({limit for limit, _ in cells}, reverse=True):
        whole, made = cells[limit, True], cells.get((limit, False))
        if made:
            faster = f"{whole['seconds'] / made['seconds']:.1f}" if whole["status"] == 0 == made["status"] else "-"
            rows.append([limit, *figures(whole), made["groups"].replace("|", "and"), made["weights"], *figures(made), faster])
        else:
            rows.append([limit, *figures(whole), f"none; the smallest limit is {missing[limit] / MIB:.1f} MiB", "", "", "", "", ""])
    return markdown_table(["limit MiB", "untiled", "usage MB", "swap MB in / out", "plan for the limit", "weights", "time", "usage MB",
                           "swap MB in / out", "times faster"], rows)


def report(results):
    lines = ["Fresh runs alone in a control group, one thread, the plan file not in the page cache, wall time of the process. The plan for a",
             f"limit is made with `--memory-budget` of it less {KERNEL_BYTES // MIB} MiB for what the kernel charges, with streamed weights where resident ones",
             "do not fit. Usage is the group's peak, page cache included.", "", "![time under a limit](measurements/limits.svg)"]
    for data in results["networks"]:
        for speed in (None, results["bytes_per_second"]):
            lines += ["", f"{data['network']}, " + (f"swap file and plans on a disk of {speed / 1e6:.0f} MB/s:" if speed else "disk as it is:"), ""]
            if speed and results["throttle_skipped"]:
                lines += [f"Skipped: {results['throttle_skipped']}."]
            else:
                lines += table_of(data, speed)
    lines += ["", f"Without swap: a limit of the predicted peak and {KERNEL_BYTES // MIB} MiB, then stated ones; fastest of the runs; cold: the plan file is",
              "read from the disk; warm: it is in the page cache.", ""]
    rows = [[data["network"], r["plan"], r["weights"], megabytes(r["predicted_peak_bytes"]), f"{r['limit_bytes'] / MIB:.1f}", r["killed"],
             f"{r['cold_us'] / 1e3:.0f}" if not r["killed"] else "", f"{r['warm_us'] / 1e3:.0f}" if not r["killed"] else "",
             f"{r['best_over_best']:.2f} of {r['unlimited_plan']}'s" if not r["killed"] else ""]
            for data in results["networks"] for r in data["hard"]]
    return lines + markdown_table(["network", "plan", "weights", "predicted MB", "limit MiB", "killed", "cold ms", "warm ms", "cold over unlimited"], rows)
