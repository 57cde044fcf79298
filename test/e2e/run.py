# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the end-to-end tests: build/python/bin/python test/e2e/run.py; see --help.

Each test_*.py beside this file registers tests; a failing one does not stop the
others. Binaries are taken from build/bin, or from the folder in SNUG_BIN.
"""

import argparse
import importlib
import json
import os
import re
import shutil
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness  # noqa: E402

MODULES = ["test_zoo", "test_networks", "test_any_cnn", "test_determinism", "test_opsets", "test_memory", "test_weights", "test_budgets",
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


def main():
    p = argparse.ArgumentParser(description="Runs the end-to-end tests.")
    p.add_argument("--filter", metavar="REGEX", help="only tests whose name (e2e/...) matches")
    p.add_argument("--list", action="store_true", help="print the names only")
    p.add_argument("--json", metavar="FILE", help="write the outcomes there")
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
    for name, function in chosen:
        start = time.monotonic()
        outcome, message = outcome_of(function)
        seconds = time.monotonic() - start
        results.append({"name": name, "outcome": outcome, "seconds": round(seconds, 3), "message": message})
        text = "".join("\n      " + line for line in message.splitlines())
        print(f"  {outcome:<7} {seconds:6.2f} s  {name}{text}", flush=True)
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
