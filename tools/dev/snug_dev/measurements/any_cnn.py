# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every network of the zoo: untiled beside ONNX Runtime, and at 1/2, 1/4 and 1/8 of its arena.

Latencies are on one thread, the two engines in turns, ratios within a round. A
budget bounds the arena; where no plan keeps it, the smallest budget that one
would keep is told. Last, random budgets over the zoo are compiled and run by the
end-to-end tests, which check that each plan does what was predicted.
"""

import json
import os
import re
import statistics
import subprocess
import time

from snug_dev.arguments import names, positive
from snug_dev.common import BUILD, PYTHON, ROOT, ZOO, binary, load_json, run, say
from snug_dev.measurements import peers
from snug_dev.peers import environment
from snug_dev.plans import WORK, ToolError, checked, compile_plan, difference, network, pinned, read_outputs, run_plan
from snug_dev.text import markdown_table, megabytes

TITLE = "Any CNN under a budget"
ENGINE = "onnxruntime"
# Whose geometric mean is bounded.
COMPARED = ["resnet18", "resnet50", "mobilenet_v2", "squeezenet1.1", "googlenet", "densenet121", "unet", "efficientnet_b0"]
MEAN_BOUND, EACH_BOUND = 1.05, 1.3
PARTS = [2, 4, 8]
COMPILES = 3
IMPORTED = "yolov2"  # 204 MB


def add_arguments(p):
    p.add_argument("--networks", type=names, metavar="A,B", help="of the zoo (all but the odd ones)")
    p.add_argument("--rounds", type=positive, default=10, metavar="N", help="in which the engines take turns (%(default)s)")
    p.add_argument("--budgets", type=int, default=200, metavar="N", help="random budgets over the zoo; 0 tries none (%(default)s)")


def zoo_networks():
    entries = json.loads(checked([ZOO, "--list", "--json"], "tools/zoo/zoo --list").output)
    return [e["name"] for e in entries if not e["name"].startswith("odd-")]


def outputs_of(plan):
    folder = plan + ".out"
    ran = run_plan(plan, prefix=pinned(), output=folder)
    return ran, read_outputs(folder)


def measure_part(name, part, arena, expected, plan):
    """A plan for a part of the untiled arena, or the smallest budget that would do."""
    budget = arena // part
    record = {"part": part, "budget_bytes": budget}
    argv = [binary("snug"), "compile", network(name), "-o", plan, f"--memory-budget={budget}B", "--budget-scope=arena", "--json=" + plan + ".json"]
    done = run(argv)
    record["compile_seconds"] = done.seconds
    if done.status == 1 and "smallest" in done.output:
        found = re.search(r"smallest.*?(\d[\d,]*) ?(?:B|bytes?)\b", done.output, re.S)
        record["smallest_bytes"] = int(found[1].replace(",", "")) if found else None
        return record
    if done.status != 0:
        raise ToolError(f"snug compile {name} at 1/{part} failed with exit status {done.status}:\n{done.tail(8)}")
    compiled = load_json(plan + ".json")
    ran, outputs = outputs_of(plan)
    off = max(difference(outputs[file], values) for file, values in expected.items())
    predicted = compiled["memory"]["predicted"]["arena"]
    record.update(arena_bytes=predicted, groups=sum(g["schedule"] != "whole" for g in compiled["groups"]),
                  recompute_factor=compiled["recompute_factor"], latency_us=ran["latency_us"]["measured"], difference=off)
    if off > 0 or ran["memory"]["measured"]["arena"] != predicted or ran["executed_macs"] != compiled["executed_macs"]:
        raise ToolError(f"{name} at 1/{part} does not do what was predicted: differs by {off:.1e}, arena {ran['memory']['measured']['arena']} "
                        f"of {predicted}, {ran['executed_macs']} multiply-accumulates of {compiled['executed_macs']}")
    return record


def measure_network(name, rounds, skipped):
    plan = os.path.join(WORK, "any-cnn.snug")
    compiled, _ = compile_plan(network(name), plan, "--max-groups=0")
    seconds = [compile_plan(network(name), plan, "--max-groups=0")[1] for _ in range(COMPILES)]
    arena = compiled["memory"]["predicted"]["arena"]
    untiled, expected = outputs_of(plan)
    record = {"network": name, "network_macs": compiled["network_macs"], "weights_bytes": compiled["memory"]["predicted"]["weights"],
              "arena_bytes": arena, "latency_us": untiled["latency_us"]["measured"], "compile_seconds": min(seconds),
              "file_bytes": os.path.getsize(network(name)),
              "parts": [measure_part(name, part, arena, expected, plan) for part in PARTS]}
    for entry in peers.measure_case(name, 1, [ENGINE], rounds, skipped):
        if entry["engine"] == "snug":
            record["latency_us"] = entry["latency_us"]["median"]
        else:
            record.update(peer_latency_us=entry["latency_us"]["median"], over_peer=entry["snug_over_it"], peer_version=entry["version"],
                          peer_difference=entry["difference"])
    return record


def measure_budgets(count):
    """So many random budgets over the zoo, by the end-to-end tests."""
    path = os.path.join(BUILD, "any-cnn-budgets.json")
    done = run([PYTHON, os.path.join(ROOT, "test", "e2e", "run.py"), "--filter=e2e/any-cnn/budgets/", "--json=" + path],
               timeout=None, environment={"SNUG_E2E_BUDGETS": str(count)})
    if not os.path.exists(path):
        raise ToolError("the end-to-end tests did not finish:\n" + done.tail(8))
    tests = load_json(path)["tests"]
    failed = [t for t in tests if t["outcome"] != "passed"]
    for t in failed:
        say(f"  {t['name']}: {t['message']}")
    kept = [t for t in tests if t["outcome"] == "passed" and t["message"].startswith("kept")]
    return {"tried": len(tests), "kept": len(kept), "refused": len(tests) - len(kept) - len(failed), "failed": [t["name"] for t in failed]}


def measure_import(name):
    """Seconds and peak memory of snug-translate on a network, the least of some runs: from the file into bytecode that nobody keeps."""
    seconds, peak = [], []
    for _ in range(COMPILES):
        begin = time.monotonic()
        process = subprocess.Popen([binary("snug-translate"), "--import-onnx", network(name), "-o", os.devnull])
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise ToolError(f"snug-translate --import-onnx {name} failed with wait status {status}")
        seconds.append(time.monotonic() - begin)
        peak.append(usage.ru_maxrss * 1024)
    return {"network": name, "file_bytes": os.path.getsize(network(name)), "seconds": min(seconds), "peak_bytes": min(peak)}


def measure(options):
    _, skipped = environment.prepare([ENGINE])
    if skipped:
        raise ToolError(f"{ENGINE} is not there: {skipped[ENGINE]}")
    records = []
    for name in options.networks or zoo_networks():
        records.append(measure_network(name, options.rounds, skipped))
        say("  " + " | ".join(row_of(records[-1])))
    return {"rounds": options.rounds, "skipped": skipped, "records": records, "mean": mean(records), "import": measure_import(IMPORTED),
            "budgets": measure_budgets(options.budgets) if options.budgets else None}


def mean(records):
    """Geometric mean of the median ratios over those of the compared networks that are among the records."""
    ratios = [r["over_peer"]["median"] for r in records if r["network"] in COMPARED and "over_peer" in r]
    return {"networks": len(ratios), "over_peer": statistics.geometric_mean(ratios), "worst": max(ratios)} if ratios else None


def part_text(part):
    if "arena_bytes" in part:
        return f"{part['recompute_factor']:.3f}"
    return f"{megabytes(part['smallest_bytes'])} MB" if part["smallest_bytes"] else "refused"


def row_of(record):
    ratio = record.get("over_peer")
    budgeted = max((p["compile_seconds"] for p in record["parts"]), default=0.0)
    return [record["network"], f"{record['network_macs'] / 1e9:.2f}", megabytes(record["weights_bytes"]), megabytes(record["arena_bytes"]),
            f"{record['latency_us'] / 1e3:.1f}", f"{record['peer_latency_us'] / 1e3:.1f}" if ratio else "skipped",
            "{median:.3f} ({min:.2f} to {max:.2f})".format(**ratio) if ratio else "", f"{record['peer_difference']:.0e}" if ratio else "",
            f"{record['compile_seconds']:.2f}", f"{budgeted:.2f}", *(part_text(p) for p in record["parts"])]


def report(results):
    records = results["records"]
    versions = {r["peer_version"] for r in records if "peer_version" in r}
    searched = [max(p["compile_seconds"] for p in r["parts"]) - r["compile_seconds"] for r in records]
    lines = [f"float32, one thread, ONNX Runtime {', '.join(sorted(versions))}; latencies are medians over {results['rounds']} rounds in which the two took",
             "turns, ratios within a round, differences of the first output over its scale. At a part of the untiled arena: how much",
             "more work the plan does, or the smallest arena that some plan needs. Seconds of `snug compile`: untiled, and the most of the parts.", ""]
    lines += markdown_table(["network", "GMAC", "weights MB", "arena MB", "ms", "ONNX Runtime ms", "ratio", "difference", "compile s", "with a budget s",
                             *(f"1/{part}" for part in PARTS)], [row_of(r) for r in records])
    found = results["mean"]
    if found:
        lines += ["", f"Geometric mean of the ratios over {found['networks']} of the {len(COMPARED)} networks {', '.join(COMPARED)}: "
                  f"**{found['over_peer']:.3f}** (bound {MEAN_BOUND}), the largest {found['worst']:.3f} (bound {EACH_BOUND})."]
    lines += ["", f"A budget made compiling take at most {max(searched):.2f} s longer; the search takes no more than that."]
    imported = results.get("import")
    if imported:  # which older measurements lack
        lines += ["", f"Importing {imported['network']} ({megabytes(imported['file_bytes'])} MB) takes {imported['seconds']:.2f} s and a process of "
                  f"{megabytes(imported['peak_bytes'])} MB, {imported['peak_bytes'] / imported['file_bytes']:.2f} times the file."]
    budgets = results.get("budgets")
    if budgets:
        lines += ["", f"Of {budgets['tried']} random budgets between a tenth and eleven tenths of the untiled arena {budgets['kept']} were kept, each by a plan",
                  f"that gave the untiled results bit for bit in exactly its arena with exactly its work, {budgets['refused']} refused with the smallest that would do, "
                  f"{len(budgets['failed'])} failed."]
    for what, reason in results["skipped"].items():
        lines += ["", f"Skipped: {what}: {reason}."]
    return lines
