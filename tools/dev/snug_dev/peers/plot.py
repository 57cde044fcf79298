# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws docs/measurements/peers.svg from peers.json: plot.py IN.json OUT.svg

Each engine's latency and peak memory over Snug's, by network and threads.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "snug"  # the same data, the same file
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # noqa: E402

WIDTH = 0.8  # of a group of bars


def draw(axes, title, cases, engines, value):
    for number, engine in enumerate(engines):
        places = [i + WIDTH * ((number + 0.5) / len(engines) - 0.5) for i in range(len(cases))]
        axes.bar(places, [value(*case, engine) for case in cases], WIDTH / len(engines), label=engine)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_title(title, fontsize=10)
    axes.set_xticks(range(len(cases)), [f"{name}\n{threads} thread" + ("s" if threads > 1 else "") for name, threads in cases], fontsize=7)
    axes.set_ylabel("over direct Snug's")
    axes.margins(x=0.01)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        records = json.load(file)["results"]["records"]
    cell = {(r["network"], r["threads"], r["engine"]): r for r in records}
    cases = list(dict.fromkeys((r["network"], r["threads"]) for r in records))
    engines = [e for e in dict.fromkeys(r["engine"] for r in records) if e != "snug"]

    def latency(name, threads, engine):
        record = cell.get((name, threads, engine))
        return 1 / record["snug_over_it"]["median"] if record else 0

    def memory(name, threads, engine):
        record = cell.get((name, threads, engine))
        return record["peak_bytes"] / cell[name, threads, "snug"]["peak_bytes"] if record else 0

    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(9, 6), layout="constrained")
    draw(upper, "Latency: above the line Snug is the faster", cases, engines, latency)
    draw(lower, "Peak memory of the process: above the line Snug takes less", cases, engines, memory)
    upper.legend(ncols=len(engines), fontsize=8)
    figure.savefig(sys.argv[2], metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
