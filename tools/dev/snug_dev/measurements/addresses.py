# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Static addresses: MiniMalloc's instances, very many buffers, and every network of the zoo.

Peaks and bounds are exact and the same on every machine; seconds are CPU time of
the whole tool, best of some rounds on one core.
"""

import glob
import json
import os
import random
import resource

from snug_dev.arguments import positive
from snug_dev.common import ROOT, ZOO, binary, load_json, say
from snug_dev.plans import WORK, ToolError, checked, compile_plan, network, pinned
from snug_dev.text import markdown_table

TITLE = "Static addresses"
INSTANCES = os.path.join(ROOT, "..", "shared", "data", "minimalloc", "*.csv")
MANY = 20_000
UNPLANNED = ["odd-opaque"]  # it has an operator that no plan can be made of
BUDGETS = [0.75, 0.5]  # of the arena without tiling


def add_arguments(p):
    p.add_argument("--rounds", type=positive, default=3, metavar="N", help="runs of each table of buffers (%(default)s)")


def allocate(path, rounds, *options):
    """snug-planner's answer, with the least CPU seconds of so many runs."""
    out = os.path.join(WORK, "addresses.json")
    best = None
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        checked([*pinned(), binary("snug-planner"), "allocate", path, "--json=" + out, *options], "snug-planner allocate")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = load_json(out)
        answer["cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if best is None or answer["cpu_seconds"] < best["cpu_seconds"]:
            best = answer
    return {key: best[key] for key in ("buffers", "lower_bound", "peak", "proved", "nodes", "cpu_seconds")}


def measure_instances(rounds):
    files = sorted(glob.glob(INSTANCES))
    if not files:
        say("  no MiniMalloc instances beside the project: skipped")
    records = []
    for path in files:
        capacity = int(path.split(".")[-2])  # part of the file's name
        records.append({
            "instance": os.path.basename(path).split(".")[0], "capacity": capacity,
            "greedy_peak": allocate(path, 1, "--node-limit=0")["peak"],
            "at_capacity": allocate(path, rounds, f"--capacity={capacity}"), "least": allocate(path, rounds),
        })
        say(f"  {records[-1]['instance']}: peak {records[-1]['least']['peak']}, {records[-1]['at_capacity']['cpu_seconds']:.3f} s at capacity")
    return records


def write_many(path, longest):
    numbers = random.Random(7)
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,lower,upper,size\n")
        for i in range(MANY):
            begin = 0 if longest is None else numbers.randrange(MANY)
            end = 1 if longest is None else numbers.randint(begin + 1, min(MANY, begin + longest))
            file.write(f"{i},{begin},{end},{numbers.randint(1, 100_000)}\n")


def measure_many(rounds):
    records = []
    for label, longest in [("all live at once", None), ("lives of any length", MANY), ("lives of at most 40 steps", 40)]:
        path = os.path.join(WORK, "many.csv")
        write_many(path, longest)
        records.append({"lives": label, **allocate(path, rounds)})
        say(f"  {MANY} buffers, {label}: {records[-1]['cpu_seconds']:.2f} s")
    return records


def table_of(report, path):
    """A plan's buffers as snug-planner reads them; a table says nothing of what runs in place."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,lower,upper,size,alignment\n")
        for i, block in enumerate(report["memory_map"]["arena"]):
            file.write(f"{i},{block['begin']},{block['end']},{block['bytes']},64\n")


def measure_networks(rounds):
    names = [entry["name"] for entry in json.loads(checked([ZOO, "--list", "--json"], "tools/zoo/zoo --list").output)]
    plan, table = os.path.join(WORK, "addresses.snug"), os.path.join(WORK, "network.csv")
    mapped = "--memory-map=" + os.path.join(WORK, "addresses.html")
    records = []

    def record(name, label, report):
        table_of(report, table)
        records.append({"network": name, "plan": label, **report["addresses"], "cpu_seconds": allocate(table, rounds)["cpu_seconds"]})

    for name in names:
        if name in UNPLANNED:
            continue
        untiled, _ = compile_plan(network(name), plan, "--max-groups=0", mapped)
        record(name, "untiled", untiled)
        arena = untiled["memory"]["predicted"]["arena"]
        for share in BUDGETS:
            budget = int(arena * share)
            try:
                compiled, _ = compile_plan(network(name), plan, "--budget-scope=arena", f"--memory-budget={budget}B", mapped)
            except ToolError:
                continue  # nothing fits: there are no addresses
            record(name, f"arena of at most {share:.0%}", compiled)
        say(f"  {name}: gaps {', '.join(str(r['gap']) for r in records if r['network'] == name)}")
    return records


def measure(options):
    os.makedirs(WORK, exist_ok=True)
    return {"instances": measure_instances(options.rounds), "many": measure_many(options.rounds), "networks": measure_networks(options.rounds)}


def report(results):
    lines = ["Seconds are CPU time of `snug-planner allocate` on one core, reading and printing included, the best of some runs.", ""]
    if results["instances"]:
        lines += ["Instances of MiniMalloc (ASPLOS 2023), which took 33.8 s of CPU for these at capacity on an Intel machine of the same class (not measured in these runs).", ""]
        rows = [[r["instance"], r["least"]["buffers"], f"{r['greedy_peak']:,}", f"{r['at_capacity']['peak']:,}", r["at_capacity"]["nodes"],
                 f"{r['at_capacity']['cpu_seconds']:.3f}", f"{r['least']['lower_bound']:,}", f"{r['least']['peak']:,}",
                 "yes" if r["least"]["proved"] else "no", r["least"]["nodes"], f"{r['least']['cpu_seconds']:.3f}"] for r in results["instances"]]
        total = [sum(r[mode]["cpu_seconds"] for r in results["instances"]) for mode in ("at_capacity", "least")]
        rows.append(["all", "", "", "", "", f"{total[0]:.3f}", "", "", "", "", f"{total[1]:.3f}"])
        lines += markdown_table(["instance", "buffers", "greedy B", "at capacity B", "nodes", "s", "lower bound B", "least peak B", "proved", "nodes", "s"],
                                rows) + [""]
    rows = [[r["lives"], r["buffers"], f"{r['lower_bound']:,}", f"{r['peak']:,}", f"{r['peak'] / r['lower_bound'] - 1:.1%}", f"{r['cpu_seconds']:.2f}"]
            for r in results["many"]]
    lines += ["Very many buffers: greedy orders answer, unless an exact search could come to an end.", ""]
    lines += markdown_table(["lives", "buffers", "lower bound B", "peak B", "above", "s"], rows) + [""]
    rows = [[r["network"], r["plan"], r["buffers"], f"{r['peak']:,}", r["gap"], "yes" if r["proved"] else "no", r["nodes"], f"{r['cpu_seconds']:.3f}"] for r in results["networks"]]
    lines += ["Networks of the zoo, untiled and within part of the arena that they then take, where a plan fits. Seconds are of `snug-planner` on "
              "the same buffers, apart from what runs in place.", ""]
    return lines + markdown_table(["network", "plan", "buffers", "peak B", "gap B", "proved", "nodes", "s"], rows)
