# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/test: builds, lints, runs all tests and counts them.

Stages: build, lint, unit (GoogleTest, through ctest), lit, e2e (Python, against
ONNX Runtime), sanitize (the tests that need no MLIR, with AddressSanitizer and
UndefinedBehaviorSanitizer, and those of the runtime with ThreadSanitizer), fuzz
(a short run of each libFuzzer target, see tools/dev/fuzz). A stage that cannot
run is a failure, never a skip.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import sys
import time

from snug_dev import fuzz, lint, sanitized
from snug_dev.common import BINARIES, BUILD, PYTHON, ROOT, load_json, run, run_visibly, say

STAGES = ["build", "lint", "unit", "lit", "e2e", "sanitize", "fuzz"]
LOGS = os.path.join(BUILD, "test-logs")
TEST_TIMEOUT = 900  # seconds; a single binary under sanitizers on a busy machine


class Summary:
    """Counts, and what failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.stages = []

    def add(self, name, outcome, detail=""):
        """`outcome` is passed, failed or skipped; `detail` is shown where it is not passed."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome == "failed":
            self.failures.append(name)
        if outcome != "passed":
            say(f"  {outcome} {name}" + (f": {detail}" if detail else ""))

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def indent(text):
    return "\n" + "\n".join("    " + l for l in text.splitlines())


def ctest_commands(folder):
    """The tests that CMake registered in a build folder: (name, command, working directory)."""
    listed = run(["ctest", "--show-only=json-v1", "--test-dir", folder])
    if listed.status != 0:
        return None, listed.tail()
    tests = []
    for test in json.loads(listed.output)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        tests.append((test["name"], test.get("command"), properties.get("WORKING_DIRECTORY", folder)))
    return tests, ""


def gtest_filter(command, prefix, pattern):
    """The value of --gtest_filter for the tests that match; None where the binary is not GoogleTest's."""
    listed = run([*command, "--gtest_list_tests"], timeout=60)
    if listed.status != 0 or not re.search(r"^\S+\.$", listed.output, re.M):
        return None
    chosen, suite = [], ""
    for line in listed.output.splitlines():
        name = line.split("#")[0].rstrip()
        if not line.startswith(" "):
            suite = name
        elif re.search(pattern, f"{prefix}.{suite}{name.strip()}"):
            chosen.append(suite + name.strip())
    return ":".join(chosen)


def add_gtest_report(summary, prefix, path):
    for suite in load_json(path).get("testsuites", []):
        for case in suite.get("testsuite", []):
            name = f"{prefix}.{suite['name']}.{case['name']}"
            if case.get("failures"):
                summary.add(name, "failed", indent(case["failures"][0]["failure"].rstrip()))
            elif case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN":
                summary.add(name, "skipped")
            else:
                summary.add(name, "passed")


def run_ctest(summary, stage, folder, pattern, environment=None, only=None, together=1):
    """Runs every registered test once, or those in `only`, so many together; a GoogleTest binary counts case by case."""
    tests, problem = ctest_commands(folder)
    if tests is None:
        summary.add(stage, "failed", "ctest cannot list its tests, the build may have failed" + indent(problem))
        return
    if not tests:
        summary.add(stage, "failed", "ctest knows no tests")
    waiting = []
    for name, command, directory in tests:
        if only and name not in only:
            continue
        prefix = f"{stage}/{name}"
        if not command or not os.path.exists(command[0]):
            summary.add(prefix, "failed", "its binary was not built")
            continue
        argv = list(command)
        if pattern:
            chosen = gtest_filter(command, prefix, pattern)
            if chosen == "" or (chosen is None and not re.search(pattern, prefix)):
                continue
            if chosen:
                argv.append("--gtest_filter=" + chosen)
        report = os.path.join(LOGS, f"{stage}-{name}.json")
        if os.path.exists(report):
            os.remove(report)
        waiting.append((prefix, argv, report, directory))

    def run_one(test):
        _, argv, report, directory = test
        return run(argv, TEST_TIMEOUT, dict(environment or {}, GTEST_OUTPUT="json:" + report), directory)

    with concurrent.futures.ThreadPoolExecutor(together) as pool:
        for (prefix, _, report, _), done in zip(waiting, pool.map(run_one, waiting)):
            with open(os.path.splitext(report)[0] + ".log", "w", encoding="utf-8") as log:
                log.write(done.output)
            before = summary.failed
            if os.path.exists(report):
                add_gtest_report(summary, prefix, report)
            elif done.status == 0:
                summary.add(prefix, "passed")
            if done.status != 0 and summary.failed == before:
                # A crash, a sanitizer's report or a test that is not GoogleTest's.
                summary.add(prefix, "failed", f"exit status {done.status}" + indent(done.tail()))


def stage_build(summary, options):
    argv = [os.path.join(ROOT, "tools", "dev", "build"), "--no-setup"]
    if options.warnings_as_errors:
        argv.append("--warnings-as-errors")
    summary.add("build", "passed" if run_visibly(argv) == 0 else "failed", "see above")


def stage_lint(summary, options):
    for name, outcome, detail in lint.results():
        if not options.filter or re.search(options.filter, "lint/" + name):
            summary.add("lint/" + name, outcome, detail)


def stage_unit(summary, options):
    run_ctest(summary, "unit", BUILD, options.filter, together=os.cpu_count() or 1)


LIT_OUTCOMES = {"PASS": "passed", "XFAIL": "passed", "FLAKYPASS": "passed", "UNSUPPORTED": "skipped", "SKIPPED": "skipped"}


def stage_lit(summary, options):
    report = os.path.join(LOGS, "lit.json")
    if os.path.exists(report):
        os.remove(report)
    site = os.path.join(BUILD, "test")
    if not os.path.exists(os.path.join(site, "lit.site.cfg.py")):
        summary.add("lit", "failed", "build/test/lit.site.cfg.py is missing, the build may have failed")
        return
    # The filter is applied below, to names as this tool prints them.
    done = run([os.path.join(os.path.dirname(PYTHON), "lit"), "-v", "--output", report, site], TEST_TIMEOUT)
    with open(os.path.join(LOGS, "lit.log"), "w", encoding="utf-8") as log:
        log.write(done.output)
    if not os.path.exists(report):
        summary.add("lit", "failed", f"lit did not finish, exit status {done.status}" + indent(done.tail()))
        return
    for test in load_json(report)["tests"]:
        name = "lit/" + test["name"].split(" :: ")[-1]
        if test["code"] != "EXCLUDED" and (not options.filter or re.search(options.filter, name)):
            outcome = LIT_OUTCOMES.get(test["code"], "failed")
            summary.add(name, outcome, indent("\n".join(test["output"].splitlines()[-40:])) if outcome == "failed" else "")


def stage_e2e(summary, options):
    report = os.path.join(LOGS, "e2e.json")
    if os.path.exists(report):
        os.remove(report)
    argv = [PYTHON, os.path.join(ROOT, "test", "e2e", "run.py"), "--json=" + report]
    if options.filter:
        argv.append("--filter=" + options.filter)
    status = run_visibly(argv, {"SNUG_BIN": BINARIES, "PYTHONDONTWRITEBYTECODE": "1"})
    if not os.path.exists(report):
        summary.add("e2e", "failed", f"test/e2e/run.py did not finish, exit status {status}")
        return
    for test in load_json(report)["tests"]:
        # Its runner has already shown each result.
        summary_name = "e2e/" + test["name"]
        setattr(summary, test["outcome"], getattr(summary, test["outcome"]) + 1)
        if test["outcome"] == "failed":
            summary.failures.append(summary_name)


def stage_sanitize(summary, options):
    environment = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1",
                   "TSAN_OPTIONS": "halt_on_error=1"}  # fmt: skip
    together = os.cpu_count() or 1
    # The tests of a build run beside the next one.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = []
        for label, folder, build, tests in [("sanitize-address", sanitized.MEMORY_BUILD, sanitized.build_for_memory, None),
                                            ("sanitize-thread", sanitized.THREAD_BUILD, sanitized.build_for_threads, sanitized.THREAD_TESTS)]:  # fmt: skip
            if problem := build():
                summary.add(label, "failed", indent(problem))
            else:
                running.append(pool.submit(run_ctest, summary, label, folder, options.filter, environment, tests, together))
        if "fuzz" in options.stages and fuzz_targets(options):
            sanitized.build_fuzz_targets(fuzz_targets(options))  # what goes wrong is said in that stage
        for each in running:
            each.result()


def fuzz_targets(options):
    return [t for t in sanitized.FUZZ_TARGETS if not options.filter or re.search(options.filter, "fuzz/" + t)]


FUZZ_SECONDS = 20  # of each target


def stage_fuzz(summary, options):
    chosen = fuzz_targets(options)
    if not chosen:
        return
    if problem := sanitized.build_fuzz_targets(chosen):
        summary.add("fuzz", "failed", indent(problem))
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for target, (problem, _) in zip(chosen, pool.map(lambda t: fuzz.fuzz(t, FUZZ_SECONDS), chosen)):
            summary.add("fuzz/" + target, "failed" if problem else "passed", indent(problem))


def arguments():
    p = argparse.ArgumentParser(prog="tools/dev/test", description="Installs what is needed, builds, and runs all tests.")
    p.add_argument("--only", metavar="STAGE,...", help="only these stages: " + ", ".join(STAGES))
    p.add_argument("--sanitize", action="store_true", help="only the builds with sanitizers; the same as --only=sanitize")
    p.add_argument("--filter", metavar="REGEX", help="only tests whose name matches, for instance e2e/budget")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    p.add_argument("--warnings-as-errors", action="store_true", help="fail on any warning of the compiler")
    options = p.parse_args()
    options.stages = options.only.split(",") if options.only else ["sanitize"] if options.sanitize else list(STAGES)
    unknown = [s for s in options.stages if s not in STAGES]
    if unknown:
        p.error(f"no stage {unknown[0]}; there are {', '.join(STAGES)}")
    if options.filter:
        try:
            re.compile(options.filter)
        except re.error as error:
            p.error(f"--filter is not a regular expression: {error}")
    return options


def main():
    options = arguments()
    os.makedirs(LOGS, exist_ok=True)
    summary = Summary()
    for stage in STAGES:
        if stage not in options.stages:
            continue
        say(f"== {stage}")
        start, before = time.monotonic(), (summary.passed, summary.failed, summary.skipped)
        globals()["stage_" + stage](summary, options)
        counts = [now - then for now, then in zip((summary.passed, summary.failed, summary.skipped), before)]
        summary.stages.append((stage, *counts, f"{time.monotonic() - start:.0f} s"))
    say()
    width = shutil.get_terminal_size().columns
    for stage, passed, failed, skipped, seconds in summary.stages:
        say(f"{stage:<10} {passed:>5} passed {failed:>4} failed {skipped:>4} skipped {seconds:>7}"[:width])
    for name in summary.failures:
        say("failed: " + name)
    say(summary.line())
    return 1 if summary.failed or not summary.passed else 0


if __name__ == "__main__":
    sys.exit(main())
