# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Determinism: a plan's bytes follow from the model and the options alone, and
outputs from the plan's target alone, whatever the number of threads."""

import os
import shutil

from harness import Failure, Skipped, binary, check, check_same, compile_plan, fresh_folder, model, run, run_plan, test

# Networks with few and many layers, residual branches, groups and dense layers.
COMPILES = {
    "odd-deep": ["--max-groups=0", "--groups=4:3x3,9:2x2", "--memory-budget=3MB", "--threads=3"],
    "odd-residual": ["--max-groups=0", "--groups=3:2x2"],
    "odd-channels": ["--max-groups=0", "--target=portable"],
    "mobilenet_v1": ["--groups=12:3x3", "--memory-budget=24MB"],
    "yolov2-first16": ["--groups=8:5x5,16:2x2", "--memory-budget=64MiB"],
}
THREADS = {
    "odd-deep": [["--max-groups=0"], ["--groups=4:3x3,9:2x2"]],
    "mobilenet_v1": [["--max-groups=0"], ["--groups=12:3x3"]],
    "tiny-yolov2": [["--groups=8:4x4"]],
}


def surroundings(owner, folder):
    """(what differs, how to call a tool, path of the model, environment) of compiles that must give the same bytes."""
    elsewhere = os.path.join(folder, "another folder", "deeper")
    os.makedirs(elsewhere)
    copy = os.path.join(elsewhere, os.path.basename(owner.path))
    shutil.copyfile(owner.path, copy)
    first = str(min(os.sched_getaffinity(0)))
    ways = [
        ("again", [], owner.path, folder, {}),
        ("from another folder, by a relative path", [], os.path.relpath(copy, elsewhere), elsewhere, {}),
        ("with other locale, zone and home", [], owner.path, folder, {"LC_ALL": "C", "TZ": "Asia/Tokyo", "HOME": elsewhere, "COLUMNS": "40"}),
        ("on one processor", ["taskset", "-c", first], owner.path, folder, {}),
        # Hash tables of pointers would show themselves.
        ("with freed memory filled", [], owner.path, folder, {"MALLOC_PERTURB_": "165", "MALLOC_ARENA_MAX": "1"}),
    ]
    if run(["setarch", "-R", "true"]).status == 0:
        ways.append(("without address space randomisation", ["setarch", "-R"], owner.path, folder, {}))
    return ways


def compile_body(name, option):
    def body():
        owner = model(name)
        expected = None
        folder = fresh_folder("determinism")
        for number, (what, prefix, path, directory, environment) in enumerate(surroundings(owner, folder)):
            plan = os.path.join(folder, f"{number}.snug")
            done = run([*prefix, binary("snug"), "compile", path, "-o", plan, option], environment=environment, directory=directory)
            check(done.status == 0, f"{what}: exit status {done.status}\n{done.tail(8)}")
            with open(plan, "rb") as file:
                data = file.read()
            os.remove(plan)
            expected = expected or data
            if data != expected:
                raise Failure(f"{what}: another plan, {first_difference(data, expected)}")
        shutil.rmtree(folder)
    return body


def first_difference(left, right):
    if len(left) != len(right):
        return f"{len(left)} bytes instead of {len(right)}"
    return f"from byte {next(i for i, (a, b) in enumerate(zip(left, right)) if a != b)} on"


def threads_body(name, compile_options):
    def body():
        owner = model(name)
        expected = None
        for threads in (1, 2, 3, 4, 7):
            plan = compile_plan(owner, *compile_options, f"--threads={threads}")
            for options in ([], ["--repeat=2"]) if threads == 2 else ([],):
                _, outputs = run_plan(plan, *options)
                expected = expected or outputs
                check_same(outputs, expected, f"{threads} threads {' '.join(options)}")
    return body


def printed_body(name):
    def body():
        owner = model(name)
        texts = set()
        for prefix in ([], ["setarch", "-R"]):
            if prefix and run([*prefix, "true"]).status != 0:
                raise Skipped("setarch may not be used here")
            command = f"{binary('snug-translate')} --import-onnx {owner.path} | {binary('snug-opt')} --snug-compile-pipeline=groups=4:2x2"
            done = run([*prefix, "bash", "-c", "set -o pipefail; " + command])
            check(done.status == 0, f"exit status {done.status}\n{done.tail(8)}")
            texts.add(done.output)
        check(len(texts) == 1, "the same pipeline prints another program")
    return body


for network, every in COMPILES.items():
    for chosen in every:
        test(f"determinism/{network} {chosen.lstrip('-')}: equal plans everywhere")(compile_body(network, chosen))
for network, every in THREADS.items():
    for chosen in every:
        test(f"determinism/{network} {chosen[0].lstrip('-')}: equal outputs for every thread count")(threads_body(network, chosen))
test("determinism/odd-deep: equal IR")(printed_body("odd-deep"))
