# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time and memory of training steps on a Jetson TX2, predicted for networks that were not learnt from.

The data set of measured steps is no part of the project (it has no licence):
../shared/data/tx2-training or the folder in the environment variable
TRAINING_DATA holds profiles.csv and models/. Networks are learnt from by
`snug fit training` alone and predicted by `snug estimate --training` alone.
--ship fits to all rows and writes lib/Predict/profiles/jetson-tx2.json instead.
"""

import csv
import datetime
import glob
import json
import os
import time

from snug_dev.common import ROOT, binary, load_json, run, say, write_json
from snug_dev.plans import WORK, ToolError
from snug_dev.text import markdown_table

TITLE = "Training steps on a Jetson TX2"
DATA = os.environ.get("TRAINING_DATA", os.path.join(ROOT, "..", "shared", "data", "tx2-training"))
PROFILE = os.path.join(ROOT, "lib", "Predict", "profiles", "jetson-tx2.json")
NETWORKS = ["resnet18", "resnet50", "mobilenetv2", "squeezenet", "googlenet"]
FIVE = ["0", "30", "50", "70", "90"]
QUANTITIES = [("latency", "latency_ms"), ("memory", "mem_used_mib")]
# Of perf4sight's recipe with scikit-learn's trees on the same rows and splits, measured when the figures below were set.
RECIPE = {"same network": (94.3, 96.5), "basis A": (76.9, 87.7), "basis C": (80.4, 88.3), "leave one out, mean": (79.2, 88.7),
          "leave one out, worst": (61.2, 83.9)}
AT_LEAST = {"same network": (95.3, 96.8), "basis A": (91, 95), "basis C": (94, 96), "leave one out, mean": (92, 96),
            "leave one out, worst": (89, 93)}
BOARD_MIB = 6100


def add_arguments(p):
    p.add_argument("--ship", action="store_true", help="fit to all rows and write the shipped profile of the board instead")
    p.add_argument("--no-forest", action="store_true", help="leave out the baseline")


def data_file(name):
    path = os.path.join(DATA, name)
    if not os.path.exists(path):
        raise ToolError(f"the data set of the board is not here: {path} is missing; set TRAINING_DATA to its folder")
    return path


def snug(*arguments):
    start = time.monotonic()
    done = run([binary("snug"), *arguments])
    if done.status != 0:
        raise ToolError(f"snug {' '.join(arguments[:2])} failed:\n{done.output}")
    return time.monotonic() - start


def base_profile():
    """What is known of the board without learning."""
    profile = load_json(PROFILE)
    profile.pop("training", None)
    path = os.path.join(WORK, "training-base.json")
    write_json(path, profile)
    return path


def fit(networks, levels, model, label):
    """The profile of a fit, its report, and seconds."""
    profile, report = (os.path.join(WORK, f"training-{label}{ending}.json") for ending in ("", "-report"))
    seconds = snug("fit", "training", "--data", data_file("profiles.csv"), "--models", data_file("models"), "--networks=" + ",".join(networks),
                   *(["--levels=" + ",".join(levels)] if levels else []), "--device=" + base_profile(), "--model=" + model, "-o", profile,
                   "--json=" + report)
    return profile, load_json(report), seconds


def ship():
    """The profile of the board, of all rows."""
    profile, _, _ = fit(NETWORKS, [], "snug", "ship")
    document = load_json(profile)
    training = document["training"]
    training["source"] = ("tools/dev/bench training --ship: snug fit training on all passed rows of the data set tx2-training (GitHub "
                          "ICIdsl/performance_modelling c48cf66, measured for perf4sight, arXiv 2108.05580); errors are those of rows left out")
    training["date"] = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    if os.path.exists(os.path.join(ROOT, "docs", "measurements", "training.json")):
        results = load_json(os.path.join(ROOT, "docs", "measurements", "training.json"))["results"]
        training["splits"] = {name: {"latency": s["latency"], "memory": s["memory"]} for name, s in results["models"]["snug"]["summary"].items()}
    with open(PROFILE, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    say(f"written: {os.path.relpath(PROFILE, ROOT)}")


def rows():
    with open(data_file("profiles.csv"), encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["passed"] == "True"]


def predict(profile, networks, batches, label):
    """What is predicted by network, level and batch size; seconds."""
    models = sorted(path for network in networks for path in glob.glob(os.path.join(data_file("models"), network + "_*.onnx")))
    table = os.path.join(WORK, f"training-{label}.csv")
    seconds = snug("estimate", *models, "--device=" + profile, "--training", "--batch=" + batches, "--csv=" + table)
    with open(table, encoding="utf-8") as file:
        told = {(os.path.basename(r["model"])[:-len(".onnx")], r["batch"]): {
            "latency": float(r["latency_ms"]), "memory": float(r["memory_mib"]), "latency_low": float(r["latency_low_ms"]),
            "latency_high": float(r["latency_high_ms"]), "memory_low": float(r["memory_low_mib"]),
            "memory_high": float(r["memory_high_mib"])} for r in csv.DictReader(file)}
    return told, seconds, len(models)


def quantile(values, share):
    values = sorted(values)
    at = share * (len(values) - 1)
    low = int(at)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (at - low)


def score(pairs):
    """Errors of (predicted, measured, low, high) in per cent."""
    errors = [100 * abs(p / m - 1) for p, m, _, _ in pairs]
    return {"rows": len(errors), "accuracy": 100 - sum(errors) / len(errors), "median_error": quantile(errors, 0.5), "p95_error": quantile(errors, 0.95),
            "bias": 100 * (quantile([p / m for p, m, _, _ in pairs], 0.5) - 1), "within_interval": sum(low <= m <= high for _, m, low, high in pairs) / len(pairs)}


def score_split(told, measured, networks, skip):
    """Scores of both quantities, of level 0 alone too, and how well "will it fit" is answered."""
    result = {}
    for name, column in QUANTITIES:
        kept = [r for r in measured if r["network"] in networks and r["pruning_percent"] not in skip and r[column]]
        pairs = {level0: [(t[name], float(r[column]), t[name + "_low"], t[name + "_high"]) for r in kept if not level0 or r["pruning_percent"] == "0"
                          for t in [told[f"{r['network']}_{r['pruning_percent']}", r["batch_size"]]]] for level0 in (False, True)}
        result[name] = score(pairs[False])
        result[name]["accuracy_level_0"] = score(pairs[True])["accuracy"] if pairs[True] else None
        if name == "memory":
            result["fit"] = {"fits": sum(m < BOARD_MIB and p < BOARD_MIB for p, m, _, _ in pairs[False]),
                             "rows": len(pairs[False]), "predicted": sum(p < BOARD_MIB for p, _, _, _ in pairs[False]),
                             "measured": sum(m < BOARD_MIB for _, m, _, _ in pairs[False]),
                             "right": sum((m < BOARD_MIB) == (p < BOARD_MIB) for p, m, _, _ in pairs[False])}
    return result


def splits():
    for name in NETWORKS:
        yield "same network", name, [name], FIVE, [name], FIVE
    yield "basis A", "A", ["resnet50", "mobilenetv2", "googlenet"], FIVE, ["resnet18", "squeezenet"], []
    yield "basis C", "C", ["mobilenetv2", "resnet18", "squeezenet"], FIVE, ["resnet50", "googlenet"], []
    for name in NETWORKS:
        yield "leave one out", name, [n for n in NETWORKS if n != name], [], [name], []


def summarize(records):
    """Accuracies of the splits as the figures to reach are stated."""
    def accuracies(kind):
        return [(r["scores"]["latency"]["accuracy"], r["scores"]["memory"]["accuracy"]) for r in records if r["split"] == kind]

    def mean(pairs):
        return [sum(values) / len(values) for values in zip(*pairs)]

    left_out = accuracies("leave one out")
    found = {"same network": mean(accuracies("same network")), "basis A": mean(accuracies("basis A")), "basis C": mean(accuracies("basis C")),
             "leave one out, mean": mean(left_out), "leave one out, worst": [min(values) for values in zip(*left_out)]}
    return {name: {"latency": latency, "memory": memory} for name, (latency, memory) in found.items()}


def measure(options):
    os.makedirs(WORK, exist_ok=True)
    if options.ship:
        ship()
        raise SystemExit(0)
    measured = rows()
    batches = ",".join(sorted({r["batch_size"] for r in measured}, key=int))
    models = {}
    for model in ["snug"] + ([] if options.no_forest else ["forest"]):
        records = []
        for kind, name, networks, levels, others, skip in splits():
            label = f"{model}-{kind.replace(' ', '-')}-{name}"
            profile, report, fit_seconds = fit(networks, levels, model, label)
            told, seconds, count = predict(profile, others, batches, label)
            records.append({"split": kind, "name": name, "learnt_from": networks, "levels": levels, "predicted": others,
                            "fit_seconds": fit_seconds, "predict_ms_a_network": 1000 * seconds / count,
                            "cross_validation": report["errors"], "scores": score_split(told, measured, others, skip)})
            scores = records[-1]["scores"]
            say(f"  {model}, {kind} {name}: latency {scores['latency']['accuracy']:.2f}, memory {scores['memory']['accuracy']:.2f}")
        models[model] = {"summary": summarize(records), "records": records}
    return {"data": "tx2-training", "models": models}


def fit_figures(records):
    """Accuracy, precision and recall of "it fits into the board" over the networks left out."""
    total = {key: sum(r["scores"]["fit"][key] for r in records if r["split"] == "leave one out") for key in ("fits", "rows", "predicted", "measured", "right")}
    return [f"{100 * share:.1f}" for share in (total["right"] / total["rows"], total["fits"] / total["predicted"], total["fits"] / total["measured"])]


def report(results):
    models = results["models"]
    lines = ["Accuracy is 100 less the mean absolute percentage error over all passed rows of networks and levels that were not learnt from. "
             "The recipe is perf4sight's, with scikit-learn's trees; `forest` is the same in Snug (`--model=forest`).", ""]
    table = []
    for name, least in AT_LEAST.items():
        for index, (quantity, _) in enumerate(QUANTITIES):
            row = [name, quantity, least[index], f"{models['snug']['summary'][name][quantity]:.1f}"]
            row.append(f"{models['forest']['summary'][name][quantity]:.1f}" if "forest" in models else "")
            table.append([*row, RECIPE[name][index]])
    lines += markdown_table(["split", "quantity", "at least", "Snug", "forest", "recipe"], table)
    records = models["snug"]["records"]
    accuracy, precision, recall = fit_figures(records)
    lines += ["", f"\"Will it fit\" into the board's {BOARD_MIB:,} MiB, networks left out: {accuracy} % right, precision {precision} %, recall {recall} %.",
              "", "Every split of Snug's model:", ""]
    table = []
    for record in records:
        for quantity, _ in QUANTITIES:
            s = record["scores"][quantity]
            level0 = "" if s["accuracy_level_0"] is None else f"{s['accuracy_level_0']:.1f}"
            table.append([f"{record['split']}: {record['name']}", quantity, s["rows"], f"{s['accuracy']:.1f}", level0, f"{s['median_error']:.1f}",
                          f"{s['p95_error']:.1f}", f"{s['bias']:+.1f}", f"{100 * s['within_interval']:.0f}"])
    return lines + markdown_table(["split", "quantity", "rows", "accuracy", "of level 0", "median error %", "95th percentile %", "bias %",
                                   "in the interval %"], table)
