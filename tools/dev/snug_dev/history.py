# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Two commits side by side: what became slower or larger.

Both are checked out and built under build/history, where they stay for the next
time (`git worktree remove` takes them away). Kernels, whole networks and compiling
run in turns; every ratio is the second commit's figure over the first's, of times
the median over rounds. A time counts as slower where its best is slower as well:
a busy machine can only add.
"""

import os
import statistics

from snug_dev.arguments import names, positive
from snug_dev.common import BUILD, ROOT, binary, die, load_json, run, run_visibly, say, table, write_json
from snug_dev.plans import ToolError, checked, compile_plan, network, pinned, run_plan
from snug_dev.text import counted

FOLDER = os.path.join(BUILD, "history")
TOOLS = ["snug", "snug-run", "snug-kernel-benchmark"]
# Network, options of `snug compile`, threads.
CASES = [
    ("yolov2-first16", "--max-groups=0", 1), ("yolov2-first16", "--max-groups=0", 2), ("yolov2-first16", "--groups=8:5x5,16:2x2", 1),
    ("tiny-yolov2", "--max-groups=0", 1), ("mobilenet_v1", "--max-groups=0", 1), ("mobilenet_v1", "--max-groups=0", 2),
    ("vgg16", "--max-groups=0", 1),
]
RUNS = 3
SLOWER = 1.05  # a time is worth mentioning from here on; bytes always are


def add_arguments(p):
    p.add_argument("commits", nargs=2, metavar="COMMIT", help="anything that git takes for a commit: the older one, the newer one")
    p.add_argument("--rounds", type=positive, default=5, metavar="N", help="in which the two take turns (%(default)s)")
    p.add_argument("--seconds", type=float, default=0.05, metavar="S", help="time for each kernel and shape in a round (%(default)s)")
    p.add_argument("--only", type=names, default=["kernels", "networks"], metavar="A,B", help="(kernels,networks)")
    p.add_argument("--networks", type=names, metavar="A,B", help="only these")
    p.add_argument("--json", default=os.path.join(BUILD, "bench", "history.json"), metavar="FILE",
                   help="where the figures are written (build/bench/history.json)")


class Side:
    """One commit, built."""

    def __init__(self, commit):
        found = run(["git", "rev-parse", "--verify", "--quiet", "--short=12", commit + "^{commit}"])
        if found.status != 0:
            raise ToolError(f"git knows no commit '{commit}'")
        self.commit = found.output.strip()
        self.subject = run(["git", "log", "-1", "--format=%s", self.commit]).output.strip()
        self.folder = os.path.join(FOLDER, self.commit)
        self.source = os.path.join(self.folder, "source")
        self.build = os.path.join(self.folder, "build")
        self.binaries = os.path.join(self.build, "bin")

    def make(self):
        say(f"== {self.commit} {self.subject}")
        if not os.path.exists(self.source):
            checked(["git", "worktree", "prune"], "git worktree prune")
            checked(["git", "worktree", "add", "--detach", self.source, self.commit], "git worktree add")
        # Python packages change rarely; those of this tree hold onnx.proto.
        packages = run(["bash", "-c", f"echo {BUILD}/python/lib/python3*/site-packages/onnx/onnx.proto"]).output.strip()
        checked(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                 "-DSNUG_BUILD_TESTS=OFF", "-DSNUG_ONNX_PROTO=" + packages], "cmake")
        # Paths relative to the commit's folder are the same for all commits, so
        # that ccache compiles only what differs.
        same = {"CCACHE_BASEDIR": self.folder, "CCACHE_NOHASHDIR": "1"}
        if run_visibly(["cmake", "--build", self.build, "-j", str(os.cpu_count() or 1), "--target", *TOOLS], same) != 0:
            raise ToolError(f"{self.commit} cannot be built, see above")

    def kernels(self, seconds):
        path = os.path.join(self.build, "kernels.json")
        checked([binary("snug-kernel-benchmark", self.binaries), "--json=" + path, f"--seconds={seconds}"], "snug-kernel-benchmark", 1800)
        data = load_json(path)
        return {(r["kernel"], r["shape"], r["threads"]): r["best_us"] for r in data["records"]}


def in_turns(sides, number):
    """The two sides, the first of them first in every other round."""
    return sides if number % 2 == 0 else sides[::-1]


def figure(name, unit, first, second, ratio=None):
    """`ratio` is given for times: the median of paired ones, where first and second are the best."""
    quotient = second / first if first else 1.0
    return {"name": name, "unit": unit, "first": first, "second": second, "ratio": quotient if ratio is None else ratio,
            "worse": quotient > 1 if ratio is None else min(quotient, ratio) > SLOWER}


def compare_binaries(sides):
    return [figure(f"size of {tool}", "bytes", *(os.path.getsize(binary(tool, s.binaries)) for s in sides)) for tool in ("snug", "snug-run")]


def compare_kernels(sides, rounds, seconds):
    measured = {side: [] for side in sides}
    for number in range(rounds):
        for side in in_turns(sides, number):
            measured[side].append(side.kernels(seconds))
        say(f"  kernels, round {number + 1} of {rounds}")
    figures = []
    known = [set(measured[side][0]) for side in sides]
    for key in [k for k in measured[sides[0]][0] if k in known[1]]:
        first, second = ([m[key] for m in measured[side]] for side in sides)
        ratio = statistics.median(b / a for a, b in zip(first, second))
        figures.append(figure(f"{key[0]} {key[1]}, {counted(key[2], 'thread')}", "us", min(first), min(second), ratio))
    for only, side in ((known[0] - known[1], sides[0]), (known[1] - known[0], sides[1])):
        if only:
            say(f"  {len(only)} shapes are measured by {side.commit} alone")
    return figures


def compare_network(sides, name, option, threads, rounds):
    label = f"{name} {option.lstrip('-')}, {counted(threads, 'thread')}"
    plans, seconds, latencies, peaks = {}, {s: [] for s in sides}, {s: [] for s in sides}, {s: [] for s in sides}
    for side in sides:
        plans[side] = os.path.join(side.build, "network.snug")
    for number in range(rounds):
        for side in in_turns(sides, number):
            compiled, took = compile_plan(network(name), plans[side], option, f"--threads={threads}", binaries=side.binaries)
            seconds[side].append(took)
            side.predicted = compiled["memory"]["predicted"]
        for side in in_turns(sides, number):
            ran = run_plan(plans[side], f"--repeat={RUNS}", prefix=pinned(threads), binaries=side.binaries)
            latencies[side].append(ran["latency_us"]["measured"])
            peaks[side].append(ran["memory"]["measured"]["peak"])
    say(f"  {label}: " + " and ".join(f"{min(latencies[s]) / 1e3:.1f} ms" for s in sides))

    def timed(what, unit, values):
        first, second = (values[s] for s in sides)
        return figure(f"{what} of {label}", unit, min(first), min(second), statistics.median(b / a for a, b in zip(first, second)))

    figures = [
        timed("latency", "us", latencies), timed("compiling", "s", seconds),
        figure(f"arena of {label}", "bytes", *(s.predicted["arena"] for s in sides)),
        figure(f"predicted peak of {label}", "bytes", *(s.predicted["peak"] for s in sides)),
        figure(f"process peak of {label}", "bytes", *(max(peaks[s]) for s in sides)),
        figure(f"plan file of {label}", "bytes", *(os.path.getsize(plans[s]) for s in sides)),
    ]
    for path in plans.values():
        os.remove(path)
    return figures


def show(figures, sides):
    def rows(entries):
        def cell(value):
            return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:.2f}"
        return [[f["name"], f["unit"], cell(f["first"]), cell(f["second"]), f"{f['ratio']:.3f}"] for f in entries]

    header = ["figure", "unit", sides[0].commit, sides[1].commit, "ratio"]
    say("\n" + table(rows(figures), header, right=(2, 3, 4)))
    bad = sorted((f for f in figures if f["worse"]), key=lambda f: -f["ratio"])
    if not bad:
        say(f"\nnothing became larger, or slower by more than {100 * (SLOWER - 1):.0f} %")
        return
    say(f"\nlarger, or slower by more than {100 * (SLOWER - 1):.0f} %:\n")
    say(table(rows(bad), header, right=(2, 3, 4)))


def main(options, facts):
    """Runs the comparison; `facts` are the machine's, for the JSON."""
    cases = [c for c in CASES if not options.networks or c[0] in options.networks]
    try:
        sides = [Side(commit) for commit in options.commits]
        if sides[0].commit == sides[1].commit:
            raise ToolError(f"both commits are {sides[0].commit}")
        for side in sides:
            side.make()
        say("== comparing")
        figures = compare_binaries(sides)
        if "networks" in options.only:
            for name, option, threads in cases:
                figures += compare_network(sides, name, option, threads, options.rounds)
        if "kernels" in options.only:
            figures += compare_kernels(sides, options.rounds, options.seconds)
    except ToolError as error:
        die("bench", str(error))
    show(figures, sides)
    write_json(os.path.abspath(options.json), {
        **facts, "first": {"commit": sides[0].commit, "subject": sides[0].subject},
        "second": {"commit": sides[1].commit, "subject": sides[1].subject}, "rounds": options.rounds,
        "figures": figures})
    say(f"\nwritten: {os.path.relpath(options.json, ROOT)}")
    return 0
