# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers: every network of the zoo against ONNX Runtime, tiled against untiled,
over targets, threads and guard pages."""

import os
import random

import snug_zoo
from harness import (AGAINST_ORT, Failure, Skipped, binary, check, check_close, check_refused, check_same, check_tiled,
                     compile_plan, machine_targets, model, read_outputs, run, run_plan, run_status, test, untiled)

# Chains alone.
ODD = [name for name, network in snug_zoo.NETWORKS.items() if network.build.__module__ == "snug_zoo.odd"]
LARGE = ["yolov2-first16", "tiny-yolov2", "mobilenet_v1", "vgg16"]
# A batch norm that cannot be folded costs one for each element.
NORMS_STAY = ["odd-normalized"]
# Where a residual branch ends; groups are cut only there.
CUTS = {"odd-residual": [1, 3, 4, 5, 6], "odd-activations": [1, 2, 4, 5]}


def untiled_body(name):
    def body():
        owner = model(name)
        plan, outputs = untiled(owner)
        if name not in NORMS_STAY:
            check(plan.report["network_macs"] == owner.builder.macs,
                  f"network_macs is {plan.report['network_macs']}, the zoo counts {owner.builder.macs}")
        check(plan.report["executed_macs"] == plan.report["network_macs"], "an untiled plan recomputes")
        for side in ("start", "end"):
            _, guarded = run_plan(plan, "--guard=" + side)
            check_same(guarded, outputs, f"--guard={side}")
        if name == "vgg16":  # one gigabyte of files
            owner.remove()
    return body


def targets_body(name):
    def body():
        owner = model(name)
        for target in machine_targets():
            expected = None
            for threads in (1, 2, 3):
                plan = compile_plan(owner, "--max-groups=0", f"--target={target}", f"--threads={threads}")
                check(plan.report["target"] == target, f"target is {plan.report['target']} instead of {target}")
                _, outputs = run_plan(plan)
                check_close(outputs, owner.expected, AGAINST_ORT, f"{target}, {threads} threads, against ONNX Runtime")
                if expected is None:
                    expected = outputs
                check_same(outputs, expected, f"{target}, {threads} threads against 1")
    return body


def grids_of(name):
    """Explicit configurations of one and two groups, the same every time; no tile is empty."""
    counted, _ = snug_zoo.build(name, weights=False)
    last = counted.spatial_layers
    cuts = [c for c in CUTS.get(name, range(1, last + 1)) if c <= last]
    rng = random.Random(name)

    def grid(end, largest):
        height, width = counted.layer_shapes[end - 1][2:]
        return f"{rng.randint(1, min(height, largest))}x{rng.randint(1, min(width, largest))}"

    def tight(end):
        height, width = counted.layer_shapes[end - 1][2:]
        return f"{min(height, 6)}x{min(width, 6)}"

    chosen = [f"{last}:{tight(last)}", f"{last}:{min(2, counted.layer_shapes[last - 1][2])}x1"]
    for _ in range(2):
        chosen.append(f"{last}:{grid(last, 5)}")
    for _ in range(4 if len(cuts) > 1 else 0):
        cut = rng.choice(cuts[:-1])
        chosen.append(f"{cut}:{grid(cut, 5)},{last}:{grid(last, 5)}")
    return sorted(set(chosen))


def tiled_body(name, groups):
    def body():
        plan = check_tiled(model(name), "--groups=" + groups)
        # A tile computes only what is needed of it; odd strides leave rows that nobody reads.
        check(plan.report["recompute_factor"] >= 1.0 or name in ODD, f"recompute factor {plan.report['recompute_factor']}")
    return body


def tiled_threads_body(name, groups):
    def body():
        owner = model(name)
        single = compile_plan(owner, "--groups=" + groups)
        _, expected = run_plan(single)
        _, outputs = run_plan(compile_plan(owner, "--groups=" + groups, "--threads=2"))
        check_same(outputs, expected, "2 threads against 1")
        for side in ("start", "end"):
            _, guarded = run_plan(single, "--guard=" + side)
            check_same(guarded, expected, f"--guard={side}")
    return body


for network in ODD + LARGE:
    test(f"networks/{network}/untiled")(untiled_body(network))
for network in ODD:
    test(f"networks/{network}/targets and threads")(targets_body(network))
    for number, configuration in enumerate(grids_of(network)):
        test(f"networks/{network}/groups {configuration}")(tiled_body(network, configuration))
        if number == 0:
            test(f"networks/{network}/groups {configuration}, threads and guards")(tiled_threads_body(network, configuration))
for network, configurations in {
    "yolov2-first16": ["8:5x5,16:2x2", "16:3x3", "8:3x3,16:2x2", "4:6x6,16:1x2"],
    "tiny-yolov2": ["8:4x4", "6:3x2,15:1x2"],
    "mobilenet_v1": ["12:3x3", "5:4x4,27:1x1"],
}.items():
    for configuration in configurations:
        test(f"networks/{network}/groups {configuration}")(tiled_body(network, configuration))
test("networks/yolov2-first16/groups 8:5x5,16:2x2, threads and guards")(tiled_threads_body("yolov2-first16", "8:5x5,16:2x2"))


@test("networks/groups that leave the rest whole")
def _():
    owner = model("odd-deep")
    for groups in ("3:2x2", "3:whole,9:2x2", "9:whole"):
        check_tiled(owner, "--groups=" + groups)


@test("networks/more tiles than output rows: equal or refused")
def _():
    owner = model("odd-stride")
    try:
        check_tiled(owner, "--groups=4:6x6")
    except Failure as failure:
        check("exit status 1\n" in str(failure) and "6x6" in str(failure), f"neither equal nor refused by name: {failure}")


@test("networks/other sizes and batches")
def _():
    for name, options in [("odd-deep", {"size": (29, 83)}), ("odd-channels", {"batch": 3}), ("odd-batch", {"batch": 1}),
                          ("mobilenet_v1", {"size": (65, 33)}), ("tiny-yolov2", {"size": (96, 160)})]:
        untiled(model(name, **options))
    check_tiled(model("odd-channels", batch=3), "--groups=3:2x3,7:3x2")


@test("networks/a plan for a greater instruction set is refused")
def _():
    if "avx512" in machine_targets():
        raise Skipped("this machine has every target")
    plan = compile_plan(model("odd-channels"), "--target=avx512", "--max-groups=0")
    check_refused(run_status(plan.path, "--random-inputs=1"), "avx512", "--target")


@test("networks/two compiles give equal bytes")
def _():
    owner = model("odd-deep")
    for options in (["--max-groups=0"], ["--groups=4:3x3,9:2x2"], ["--memory-budget=120KiB", "--budget-scope=arena"]):
        contents = []
        for _ in range(2):
            with open(compile_plan(owner, *options).path, "rb") as file:
                contents.append(file.read())
        check(contents[0] == contents[1], f"{' '.join(options)}: two compiles differ")


@test("networks/snug run does what snug-run does")
def _():
    owner = model("odd-deep")
    plan, expected = untiled(owner)
    folder = os.path.join(owner.folder, "snug-run-outputs")
    done = run([binary("snug"), "run", plan.path, f"--input=input={owner.input}", "--output-dir=" + folder])
    check(done.status == 0, done.tail())
    check_same(read_outputs(folder), expected, "snug run")
