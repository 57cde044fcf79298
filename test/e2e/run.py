# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the end-to-end tests: build/python/bin/python test/e2e/run.py; see --help.

Each test_*.py beside this file registers tests; a failing one does not stop the
others. Tests whose names share their first two parts run one after the other in
one process, so that what they make of a network is made once; such groups run
side by side. Binaries are taken from build/bin, or from the folder in SNUG_BIN.
"""

import argparse
import concurrent.futures
import importlib
import itertools
import json
import multiprocessing
import os
import re
import shutil
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's own would wait for work on cores that tests need

import harness  # noqa: E402

MODULES = ["test_zoo", "test_networks", "test_winograd", "test_any_cnn", "test_determinism", "test_opsets", "test_memory", "test_weights", "test_budgets",
           "test_errors", "test_broken", "test_runtime", "test_training", "test_docs", "test_install", "test_lint"]


def outcome_of(function):
    try:
        found = function()
    except harness.Skipped as skipped:
        return "skipped", str(skipped)
    except harness.Failure as failure:
        return "failed", str(failure)
    except Exception:  # a test's own mistake, or an engine's: shown, counted, and on with the others
        return "failed", traceback.format_exc()
    return "passed", found or ""


def use_own_folder():
    """In a process that runs tests: what it writes is its own."""
    harness.WORK = os.path.join(harness.WORK, str(os.getpid()))


def run_group(names):
    """Runs the tests of those names; a list of their results."""
    functions = dict(harness.TESTS)
    results = []
    for name in names:
        start = time.monotonic()
        outcome, message = outcome_of(functions[name])
        results.append({"name": name, "outcome": outcome, "seconds": round(time.monotonic() - start, 3), "message": message})
    return results


def run_all(names, jobs):
    """Yields the results of all tests, a group at a time, as they come."""
    groups = [list(group) for _, group in itertools.groupby(names, lambda name: name.split("/")[:2])]
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), use_own_folder) as pool:
        running = {pool.submit(run_group, group): group for group in groups}
        for done in concurrent.futures.as_completed(running):
            try:
                yield done.result()
            except concurrent.futures.process.BrokenProcessPool:
                yield [{"name": name, "outcome": "failed", "seconds": 0, "message": "a process that runs tests died; see --jobs=1"}
                       for name in running[done]]


def main():
    p = argparse.ArgumentParser(description="Runs the end-to-end tests.")
    p.add_argument("--filter", metavar="REGEX", help="only tests whose name (e2e/...) matches")
    p.add_argument("--list", action="store_true", help="print the names only")
    p.add_argument("--json", metavar="FILE", help="write the outcomes there")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="so many groups of tests at a time (%(default)s)")
    options = p.parse_args()
    for name in MODULES:
        importlib.import_module(name)
    chosen = [t for t in harness.TESTS if not options.filter or re.search(options.filter, "e2e/" + t[0])]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    missing = [t for t in ("snug", "snug-run", "snug-opt", "snug-translate") if not os.path.exists(harness.binary(t))]
    if missing and chosen:
        print(f"  not built: {', '.join(missing)}; run tools/dev/build", flush=True)
    shutil.rmtree(harness.WORK, ignore_errors=True)
    results = []
    for result in itertools.chain.from_iterable(run_all([name for name, _ in chosen], options.jobs)):
        results.append(result)
        text = "".join("\n      " + line for line in result["message"].splitlines())
        print(f"  {result['outcome']:<7} {result['seconds']:6.2f} s  {result['name']}{text}", flush=True)
    counts = {o: sum(r["outcome"] == o for r in results) for o in ("passed", "failed", "skipped")}
    print("  end-to-end: " + ", ".join(f"{n} {o}" for o, n in counts.items()), flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"tests": results}, file, indent=1)
    if not counts["failed"] and not options.filter:
        shutil.rmtree(harness.WORK, ignore_errors=True)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
