# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Snug beside other engines: latency and peak process memory, in turns.

For each network and number of threads every peer has one process, which loads
the network and then waits; Snug is a fresh `snug-run` each time, as is Snug with
Winograd's algorithm permitted. In a round each engine has its turn: one run that does not count, then some that do. Ratios are
between the medians of the same round. Before anything is timed, each peer's
output is compared with Snug's.
"""

import argparse
import math
import os
import shutil
import statistics
from contextlib import ExitStack

from snug_dev.arguments import names, positive, positives
from snug_dev.common import say
from snug_dev.peers import environment
from snug_dev.peers.client import PeerError, Worker, once
from snug_dev.peers.engines import ENGINES
from snug_dev.plans import WORK, compile_plan, difference, make_input, network, pinned, read_outputs, run_plan
from snug_dev.text import counted, markdown_table, megabytes

TITLE = "Beside other engines"
NETWORKS = ["yolov2-first16", "tiny-yolov2", "vgg16", "mobilenet_v1"]
TOLERANCE = 1e-3  # of the output's scale; the engines' own orders of summation, and Winograd's rounding
TURN_SECONDS = 0.4  # of timed runs, for the fastest engine
RUNS = (3, 40)  # in a turn, at least and at most
PLOT = "docs/measurements/peers.svg"
# What turns it takes, and the field of a peer's record that says how it stands.
OWN = {"snug": "snug_over_it", "snug --winograd": "winograd_over_it"}


def engine_names(text):
    for engine in names(text):
        if engine not in ENGINES:
            raise argparse.ArgumentTypeError(f"no engine '{engine}'; there are {', '.join(ENGINES)}")
    return names(text)


def add_arguments(p):
    p.add_argument("--networks", type=names, default=NETWORKS, metavar="A,B", help="of the zoo (" + ",".join(NETWORKS) + ")")
    p.add_argument("--engines", type=engine_names, default=list(ENGINES), metavar="A,B", help="(" + ",".join(ENGINES) + ")")
    p.add_argument("--rounds", type=positive, default=10, metavar="N", help="in which the engines take turns (%(default)s)")
    p.add_argument("--threads", type=positives, default=[1, 2], metavar="N,M", help="(1,2)")


class Snug:
    """Takes turns like a peer, each in a fresh process."""

    def __init__(self, name, threads, source, *options):
        self.plan = os.path.join(WORK, f"peers-{name}-{threads}{''.join(options)}.snug")
        self.source = source
        self.threads = threads
        compiled, self.load_seconds = compile_plan(network(name), self.plan, "--max-groups=0", f"--threads={threads}", *options)
        self.predicted = compiled["memory"]["predicted"]["peak"]

    def result(self):
        folder = self.plan + ".out"
        run_plan(self.plan, "--input=input=" + self.source, output=folder)
        outputs = list(read_outputs(folder).values())
        return outputs[0]

    def turn(self, runs):
        ran = run_plan(self.plan, "--input=input=" + self.source, f"--repeat={runs}", prefix=pinned(self.threads))
        return ran["latency_us"]["measured"], ran["memory"]["measured"]["peak"]


class Peer:
    def __init__(self, engine, path, threads, source):
        self.worker = Worker("run", engine, path, threads, source, prefix=pinned(threads))
        loaded = self.worker.answer()
        self.version, self.load_seconds = loaded["version"], loaded["load_seconds"]
        self.peak = 0

    def turn(self, runs):
        answer = self.worker.ask("times", runs)
        # Of the first turns: what comes later is the same, and saving adds to it.
        self.peak = self.peak or answer["peak_bytes"]
        return statistics.median(answer["latency_us"]), self.peak


def engine_file(engine, name, shape):
    """What the engine reads: the ONNX file or what it is converted to, once a build folder."""
    model = network(name)
    if not ENGINES[engine].converted:
        return model
    path = os.path.join(environment.FOLDER, f"{name}.{ENGINES[engine].converted}")
    if not os.path.exists(path):
        say(f"  converting {name} for {engine}")
        partial = path + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        once("convert", engine, model, partial, "x".join(map(str, shape)))
        os.replace(partial, path)
    return path


def agreed(peer, expected, engine, name):
    """One turn of the peer, and how far its output is from Snug's."""
    import numpy as np
    peer.turn(1)
    path = os.path.join(environment.FOLDER, "output.npy")
    peer.worker.ask("save", path)
    actual = np.load(path)
    off = difference(actual.reshape(expected.shape), expected) if actual.size == expected.size else math.inf
    if off > TOLERANCE:
        raise PeerError(f"its output for {name} differs from Snug's by {off:.1e} of the scale")
    return off


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def measure_case(name, threads, engines, rounds, skipped):
    """One network on so many threads; returns the records."""
    source, shape = make_input(name)
    say(f"  {name}, {counted(threads, 'thread')}")
    with ExitStack() as stack:
        players = {own: Snug(name, threads, source, *own.split()[1:]) for own in OWN}
        expected = players["snug"].result()
        differences = {own: difference(players[own].result(), expected) for own in OWN}
        for engine in engines:
            try:
                peer = Peer(engine, engine_file(engine, name, shape), threads, source)
                stack.enter_context(peer.worker)
                differences[engine] = agreed(peer, expected, engine, name)
                players[engine] = peer
            except PeerError as error:
                skipped[f"{engine}, {name}"] = str(error)
                say(f"    {engine} is skipped: {error}")
        first = {engine: player.turn(1)[0] for engine, player in players.items()}
        runs = round(max(RUNS[0], min(RUNS[1], 1e6 * TURN_SECONDS / min(first.values()))))
        latencies, peaks = {engine: [] for engine in players}, {}
        order = list(players)
        for number in range(rounds):
            for engine in order[number % len(order):] + order[:number % len(order)]:
                latency, peak = players[engine].turn(runs)
                latencies[engine].append(latency)
                peaks[engine] = max(peak, peaks.get(engine, 0))
            say(f"    round {number + 1} of {rounds}: " + ", ".join(f"{e} {latencies[e][-1] / 1e3:.2f} ms" for e in order))
    records = []
    for engine, player in players.items():
        ratios = {field: spread([mine / other for mine, other in zip(latencies[own], latencies[engine])]) for own, field in OWN.items()}
        records.append({
            "network": name, "threads": threads, "engine": engine, "runs_in_a_turn": runs,
            "latency_us": {**spread(latencies[engine]), "rounds": [round(l, 1) for l in latencies[engine]]}, **ratios,
            "best_over_best": min(latencies["snug"]) / min(latencies[engine]),
            "peak_bytes": peaks[engine], "difference": differences[engine]})
        if engine in OWN:
            records[-1]["predicted_peak_bytes"] = player.predicted
        else:
            records[-1].update(version=player.version, load_seconds=player.load_seconds)
    return records


def geometric_means(records):
    """Of the median ratios, over the networks that an engine ran."""
    means = []
    for engine in dict.fromkeys(r["engine"] for r in records if r["engine"] not in OWN):
        for threads in sorted({r["threads"] for r in records}):
            chosen = [r for r in records if (r["engine"], r["threads"]) == (engine, threads)]
            if chosen:
                means.append({"engine": engine, "threads": threads, "networks": len(chosen),
                              **{field: statistics.geometric_mean(r[field]["median"] for r in chosen) for field in OWN.values()},
                              "best_over_best": statistics.geometric_mean(r["best_over_best"] for r in chosen)})
    return means


def measure(options):
    engines, skipped = environment.prepare(options.engines)
    for engine, reason in skipped.items():
        say(f"  {engine} is skipped: {reason}")
    idle = {}
    for engine in engines:
        idle[engine] = once("idle", engine)["peak_bytes"]
    records = []
    for name in options.networks:
        for threads in options.threads:
            records += measure_case(name, threads, engines, options.rounds, skipped)
    return {"rounds": options.rounds, "tolerance": TOLERANCE, "import_bytes": idle, "skipped": skipped,
            "records": records, "geometric_means": geometric_means(records)}


def finish(path):
    """Draws the plot, where its library is there."""
    environment.draw("snug_dev.peers.plot", path, PLOT)


def report(results):
    records = results["records"]
    engines = list(dict.fromkeys(r["engine"] for r in records))
    versions = {r["engine"]: r["version"] for r in records if "version" in r}
    cases = list(dict.fromkeys((r["network"], r["threads"]) for r in records))
    cell = {(r["network"], r["threads"], r["engine"]): r for r in records}

    def rows(text, among=engines):
        return [[name, threads] + [text(cell[name, threads, e]) if (name, threads, e) in cell else "skipped" for e in among]
                for name, threads in cases]

    peers = [e for e in engines if e not in OWN]
    lines = ["float32, batch 1, " + ", ".join(f"{e} {v}" for e, v in versions.items()) + ". "
             f"Medians over {results['rounds']} rounds in which the engines took turns; each peer one process for a network, Snug",
             "(untiled) a fresh `snug-run` each turn. Outputs agree within "
             f"{max(r['difference'] for r in records):.0e} of their scale, those of Snug with and without Winograd's algorithm within "
             f"{max((r['difference'] for r in records if r['engine'] in OWN), default=0):.0e}.",
             "", "![latency and memory](measurements/peers.svg)", ""]
    lines += ["Latency in ms:", ""]
    lines += markdown_table(["network", "threads", *engines], rows(lambda r: f"{r['latency_us']['median'] / 1e3:.2f}"))
    means = {(m["engine"], m["threads"]): m for m in results["geometric_means"]}
    for own, field in OWN.items():
        lines += ["", f"Latency of `{own}` over the peer's in the same round, median (and range); below 1 Snug is the faster:", ""]
        ratio = rows(lambda r: "{median:.3f} ({min:.2f} to {max:.2f})".format(**r[field]), peers)
        for threads in sorted({t for _, t in cases}):
            ratio.append(["**geometric mean**", threads] + [
                f"**{means[e, threads][field]:.3f}**" if (e, threads) in means else "skipped" for e in peers])
        lines += markdown_table(["network", "threads", *peers], ratio)
    lines += ["", "Peak memory of the process (VmHWM), MB; of a peer that includes Python and the imported package, which alone take "
              + ", ".join(f"{e} {megabytes(b)}" for e, b in results["import_bytes"].items()) + ":", ""]
    lines += markdown_table(["network", "threads", *engines], rows(lambda r: megabytes(r["peak_bytes"])))
    for what, reason in results["skipped"].items():
        lines += ["", f"Skipped: {what}: {reason}."]
    return lines
