# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/fuzz: builds the libFuzzer targets of test/fuzz and runs them.

Targets: plan (the runtime's loader; what loads is run), onnx (the importer),
bytecode (modules of our dialects; what is read is printed and exported; crashes
inside MLIR's own reader are counted, not findings). They are built with
AddressSanitizer and UndefinedBehaviorSanitizer into build-sanitize; MLIR's
shared library is not instrumented. Seeds are made from the tests' models; the
corpus grows in build-sanitize/fuzz/corpus, findings go to
build-sanitize/fuzz/findings.
"""

import argparse
import os
import re
import shutil
import sys

from snug_dev.common import PYTHON, ROOT, die, run, say
from snug_dev.sanitized import FUZZ_TARGETS, MEMORY_BUILD, build_fuzz_targets

BINARIES = os.path.join(MEMORY_BUILD, "bin")
FILES = os.path.join(MEMORY_BUILD, "fuzz")
MODEL_GROUPS = ["convolution", "pooling", "pointwise", "linear", "shapes", "external", "graph",
                "graph-errors", "malformed", "unsupported", "files"]  # fmt: skip
MODULES = ["test/Dialect/Snug/ops.mlir", "test/Dialect/Plan/ops.mlir", "test/Dialect/Snug/bytecode.mlir"]
INPUT_BYTES = 16384  # of one input at most
MEMORY_MIB = 2048
SLOWEST_SECONDS = 20
# Memory that LLVM's allocators poison in our code only, and not in the shared
# library, would be reported where nothing is wrong.
ENVIRONMENT = {"ASAN_OPTIONS": "allow_user_poisoning=0:detect_container_overflow=0:allocator_may_return_null=1",
               "UBSAN_OPTIONS": "print_stacktrace=1"}  # fmt: skip


def make_seeds(target):
    """The folder of the seeds; an error where they cannot be made."""
    folder = os.path.join(FILES, "seeds", target)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if target == "onnx":
        # One folder: equal names of two groups do not occur.
        commands = [[PYTHON, os.path.join(ROOT, "test", "Import", "ONNX", "make.py"), g, os.path.join(folder, "models")] for g in MODEL_GROUPS]
    else:
        commands = [[os.path.join(BINARIES, f"snug-fuzz-{target}-seeds"), folder]]
        if target == "bytecode":
            commands[0] += [os.path.join(ROOT, m) for m in MODULES]
    for command in commands:
        done = run(command, environment=ENVIRONMENT)
        if done.status != 0:
            return None, f"the seeds cannot be made: {' '.join(command[:2])}\n{done.tail(5)}"
    return (os.path.join(folder, "models") if target == "onnx" else folder), ""


# MLIR's bytecode reader does not promise to survive damaged files, and nothing
# of ours stands between it and the file. This target goes on after a crash
# there; a finding is a crash with a function of ours on its stack.
OTHERS_CRASH = ["bytecode"]
REPORT = re.compile(r"^(?:==\d+== ?)?(?:ERROR: libFuzzer|==\d+==ERROR|LLVM ERROR|\S+: runtime error)", re.M)


def ours(log):
    """The reports in a log of libFuzzer that name a function of Snug below the target's own; and how many do not."""
    starts = [m.start() for m in REPORT.finditer(log)] + [len(log)]
    found, others = [], 0
    for begin, end in zip(starts, starts[1:]):
        report = log[begin:end].split("LLVMFuzzerTestOneInput", 1)[0]
        frames = [l for l in report.splitlines() if re.match(r"\s+#\d+ ", l)]
        # Only the name of the function: the binary's own path says nothing.
        if any("snug::" in re.sub(r" \(\S+\).*", "", l) for l in frames) or "runtime error" in report:
            found.append(report)
        else:
            others += 1
    return found, others


def fuzz(target, seconds, inputs=()):
    """Runs one target, or only `inputs`, once each. Returns (problem, what was done)."""
    seeds, problem = make_seeds(target)
    if problem:
        return problem, ""
    corpus, findings = (os.path.join(FILES, kind, target) for kind in ("corpus", "findings"))
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(findings, exist_ok=True)
    argv = [os.path.join(BINARIES, "snug-fuzz-" + target), f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={SLOWEST_SECONDS}",
            f"-artifact_prefix={findings}/"]  # fmt: skip
    if target in OTHERS_CRASH and not inputs:
        argv += ["-fork=1", "-ignore_crashes=1", "-ignore_ooms=1", "-ignore_timeouts=1"]
    argv += inputs or [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES}", corpus, seeds]
    done = run(argv, seconds + 300, ENVIRONMENT)
    with open(os.path.join(FILES, target + ".log"), "w", encoding="utf-8") as log:
        log.write(done.output)
    if target in OTHERS_CRASH and not inputs:
        found, others = ours(done.output)
        if found:
            return "\n".join(found[0].splitlines()[:40]), ""
        return "", f"{seconds} s without a finding; {others} crashes inside MLIR's reader"
    if done.status != 0:
        return done.tail(40), ""
    runs = re.search(r"Done (\d+) runs", done.output)
    return "", f"{runs.group(1) if runs else len(inputs)} runs without a finding"


def main():
    p = argparse.ArgumentParser(prog="tools/dev/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("targets", nargs="*", metavar="TARGET", help="plan, onnx or bytecode; all of them if none is given")
    p.add_argument("--seconds", type=int, default=600, help="of each target (default 600)")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    p.add_argument("--input", action="append", default=[], metavar="FILE", help="only run this file, a finding for instance; repeatable")
    options = p.parse_args()
    for target in options.targets:
        if target not in FUZZ_TARGETS:
            p.error(f"no target {target}; there are {', '.join(FUZZ_TARGETS)}")
    targets = options.targets or FUZZ_TARGETS
    if options.input and len(targets) != 1:
        p.error("--input needs one target")
    problem = build_fuzz_targets(targets)
    if problem:
        die("tools/dev/fuzz", problem)
    failed = False
    for target in targets:
        problem, result = fuzz(target, options.seconds, options.input)
        failed |= bool(problem)
        say(f"{target}: " + (f"a finding, see build-sanitize/fuzz/findings/{target}\n{problem}" if problem else result))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
