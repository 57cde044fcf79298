# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws docs/measurements/limits.svg from limits.json: limits_plot.py IN.json OUT.svg

Wall seconds against the limit, by network and speed of the disk.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "snug"  # the same data, the same file
matplotlib.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # noqa: E402


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)["results"]
    networks = results["networks"]
    figure, all_axes = pyplot.subplots(1, len(networks), figsize=(5 * len(networks), 4), layout="constrained", squeeze=False)
    for data, axes in zip(networks, all_axes[0]):
        for speed, style in ((None, "--"), (results["bytes_per_second"], "-")):
            for untiled, color, label in ((True, "tab:red", "untiled"), (False, "tab:blue", "made for the limit")):
                records = sorted((r["limit_mib"], r["seconds"]) for r in data["swapped"]
                                 if r["status"] == 0 and r["bytes_per_second"] == speed and (r["plan"] == "untiled") == untiled)
                if records:
                    axes.plot(*zip(*records), style, color=color, marker="o", markersize=3,
                              label=f"{label}, " + (f"{speed / 1e6:.0f} MB/s" if speed else "disk as it is"))
        axes.set_title(data["network"], fontsize=10)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        limits = sorted({r["limit_mib"] for r in data["swapped"]})
        axes.set_xticks(limits, [str(limit) for limit in limits], fontsize=7)
        axes.set_xlabel("limit of the control group, MiB")
        axes.set_ylabel("seconds")
    all_axes[0][0].legend(fontsize=7)
    figure.savefig(sys.argv[2], metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()
