# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/bench: measures into docs/measurements, and writes docs/Measurements.md from there."""

import argparse
import datetime
import os
import platform
import sys

from snug_dev.common import ROOT, die, load_json, run, say, write_json

FOLDER = "docs/measurements"
PAGE = "docs/Measurements.md"
MEASUREMENTS = ["whole-way", "kernels", "overhead"]  # the order of the page
FLAGS = ["avx2", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bw", "asimd"]


def machine():
    """What the figures depend on; nothing that names the machine itself."""
    facts = {}
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {
        "cpu": " ".join([facts.get("model name", platform.machine())]
                        + [f"{k} {facts[k]}" for k in ("cpu family", "model") if k in facts]),
        "cores": os.cpu_count(),
        "instruction_sets": [f for f in FLAGS if f in flags],
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions():
    def first_line(*argv):
        done = run(argv)
        return done.output.splitlines()[0].strip() if done.status == 0 and done.output.strip() else "unknown"

    changed = run(["git", "status", "--porcelain", "--untracked-files=no", "--", "lib", "passes", "runtime", "tools", "include"]).output.strip()
    return {
        "snug": first_line("git", "rev-parse", "--short=12", "HEAD") + (" with local changes" if changed else ""),
        "compiler": first_line("g++", "--version"),
        "llvm": first_line("cat", "tools/dev/llvm-version.txt"),
    }


def megabytes(value):
    return f"{value / 1e6:.2f}"


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]


def report_whole_way(results):
    lines = [f"{results['network']}, one thread. Peaks are of the whole process (VmHWM of a fresh `snug-run`, the worst of all",
             "rounds); latencies are medians over rounds in which the plans took turns, ratios are within a round.", ""]
    rows = []
    for r in results["records"]:
        predicted, measured = r["predicted_bytes"], r["measured_bytes"]
        rows.append([r["plan"], megabytes(predicted["weights"]), megabytes(predicted["activations"]), megabytes(predicted["workspace"]),
                     f"{megabytes(predicted['arena'])} / {megabytes(measured['arena'])}",
                     f"{megabytes(predicted['peak'])} / {megabytes(measured['peak'])}"])
    lines += markdown_table(["plan", "weights MB", "activations MB", "workspace MB", "arena MB predicted / measured",
                             "peak MB predicted / measured"], rows)
    rows = []
    for r in results["records"]:
        latency, ratio = r["latency_us"], r["ratio_to_untiled"]
        rows.append([r["plan"], r["target"], r["groups"].replace("|", "and"), f"{r['predicted_macs'] / 1e9:.3f} / {r['executed_macs'] / 1e9:.3f}",
                     f"{r['recompute_factor']:.4f}", f"{latency['median'] / 1e3:.1f} ({latency['min'] / 1e3:.1f} to {latency['max'] / 1e3:.1f})",
                     f"{ratio['median']:.3f} ({ratio['min']:.3f} to {ratio['max']:.3f})", f"{r['compile_seconds']['median']:.2f}"])
    return lines + [""] + markdown_table(["plan", "target", "groups", "GMAC predicted / executed", "recompute factor", "latency ms",
                                          "over untiled", "compile s"], rows)


def report_kernels(results):
    rows = [[r["kernel"], r["shape"], r["target"], r["threads"], f"{r['gflops']:.1f}", f"{r['percent_of_peak']:.1f}",
             f"{r['percent_of_peak'] * r['median_us'] / r['best_us']:.1f}", f"{r['median_us']:.0f}"] for r in results["records"]]
    lines = ["Percent of the FMA peak that the same process measured, the best of all its measurements: " + ", ".join(
        f"{p['gflops']:.1f} GFLOP/s on {p['threads']} thread" + ("s" if p["threads"] > 1 else "") for p in results["peaks"]) + ".",
        "The machine is shared: medians hold what its other users took, the best repetition less of it."]
    return lines + [""] + markdown_table(["kernel", "shape", "target", "threads", "GFLOP/s", "% of peak, median", "% of peak, best",
                                          "median us"], rows)


def report_overhead(results):
    lines = ["What a fresh `snug-run` takes besides weights and arena: VmHWM less both. Predicted: a base, bytes for each further",
             "thread, and a bound for the plan's own program. The fit is the least base and bytes a thread that no run exceeds.", "",
             f"Profile `generic-cpu`: base {results['profile_base']:,} B, {results['profile_per_thread']:,} B a thread. "
             f"Fit of these runs: {results['fitted_base']:,} B and {results['fitted_per_thread']:,} B.", ""]
    rows = [[r["network"], r["plan"], r["threads"], f"{r['program_bound']:,}", f"{r['predicted_overhead']:,}", f"{r['measured_overhead']:,}",
             f"{r['residual']:,}", f"{r['fitted_residual']:,}"] for r in results["runs"]]
    return lines + markdown_table(["network", "plan", "threads", "program bound B", "predicted B", "measured B", "predicted - measured B",
                                   "with the fit B"], rows)


REPORTS = {"whole-way": ("The whole way", report_whole_way), "kernels": ("Kernels", report_kernels),
           "overhead": ("The runtime's own memory", report_overhead)}


def report():
    """The text of docs/Measurements.md."""
    lines = ["# Measurements", "", "Generated by `tools/dev/bench report` from the JSON files in `docs/measurements`; do not edit.",
             "MB are 1,000,000 bytes."]
    for name in MEASUREMENTS:
        path = os.path.join(ROOT, FOLDER, name + ".json")
        if not os.path.exists(path):
            continue
        data = load_json(path)
        title, body = REPORTS[name]
        m = data["machine"]
        lines += ["", f"## {title}", "",
                  f"`{data['command']}`, {data['date']}, on {m['cpu']}, {m['cores']} cores, {', '.join(m['instruction_sets'])}; "
                  f"Snug {data['versions']['snug']}, {data['versions']['compiler']}.", ""]
        lines += body(data["results"])
    return "\n".join(lines) + "\n"


def write_report():
    with open(os.path.join(ROOT, PAGE), "w", encoding="utf-8") as file:
        file.write(report())
    say(f"written: {PAGE}")


def measure(name, options):
    # Imported here: it needs numpy, lint does not.
    from snug_dev import measure as measurements
    from snug_dev.plans import ToolError

    say(f"== {name}")
    try:
        results = getattr(measurements, name.replace("-", "_"))(options)
    except ToolError as error:
        die("bench", str(error))
    path = os.path.join(FOLDER, name + ".json")
    write_json(os.path.join(ROOT, path), {
        "name": name, "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "command": "tools/dev/bench " + " ".join(a for a in sys.argv[1:] if a != "--no-setup"),
        "machine": machine(), "versions": versions(), "results": results})
    say(f"written: {path}")


def main():
    p = argparse.ArgumentParser(prog="tools/dev/bench", description="Measures the built tools and writes docs/Measurements.md.")
    p.add_argument("what", choices=[*MEASUREMENTS, "all", "report"], help="what to measure; report only writes the page anew")
    p.add_argument("--rounds", type=int, metavar="N", help="rounds of whole-way (10) and runs of overhead (3)")
    p.add_argument("--seconds", type=float, metavar="S", help="time for each kernel and shape")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    options = p.parse_args()
    rounds = {"whole-way": 10, "overhead": 3}
    for name in MEASUREMENTS if options.what == "all" else [options.what] if options.what != "report" else []:
        measure(name, argparse.Namespace(rounds=options.rounds or rounds.get(name, 1), seconds=options.seconds))
    write_report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
