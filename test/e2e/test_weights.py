# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Streamed weights: the same results from a smaller process, predicted as closely."""

import os

from harness import (Skipped, binary, check, check_refused, check_same, compile_plan, compile_status, load_json, model, run, run_plan,
                     run_status, smallest_budget, test, untiled)
from snug_dev import cgroups
from snug_dev.plans import read_outputs

MIB = 2**20
RUNS = 3  # tools/dev/bench predictions makes more, on more networks


def check_peak(plan, report):
    """The promise: never below, at most 3 % or 1 MiB above; run_plan() has checked the first."""
    peak = report["memory"]["measured"]["peak"]
    check(plan.predicted["peak"] - peak <= max(0.03 * peak, MIB), f"predicted {plan.predicted['peak']}, measured {peak}")


def streamed_body(name, *options):
    def body():
        owner = model(name)
        resident, expected = untiled(owner)
        plan = compile_plan(owner, "--weights=streamed", *options)
        check(plan.predicted["weights"] < resident.predicted["weights"], f"weights {plan.predicted['weights']} of {resident.predicted['weights']}")
        for extra in [[], ["--repeat=2"]] + [[]] * (RUNS - 2):
            report, outputs = run_plan(plan, *extra)
            check_same(outputs, expected, "streamed against resident")
            check_peak(plan, report)
            measured = report["memory"]["measured"]["weights"]
            check(measured == plan.predicted["weights"], f"{measured} bytes were mapped at once, predicted {plan.predicted['weights']}")
    return body


test("weights/yolov2-first16 streamed")(streamed_body("yolov2-first16", "--max-groups=0"))
test("weights/yolov2-first16 streamed, in two groups")(streamed_body("yolov2-first16", "--groups=8:5x5,16:2x2"))
test("weights/odd-residual streamed")(streamed_body("odd-residual"))
test("weights/odd-groups streamed, tiled, two threads")(streamed_body("odd-groups", "--groups=2:2x2", "--threads=2"))


@test("weights/the arena's guard pages see no difference")
def _():
    owner = model("odd-deep")
    plan = compile_plan(owner, "--weights=streamed")
    for guard in ("start", "end"):
        path = plan.path + "." + guard
        done = run_status(plan.path, *owner.feeds, "--guard=" + guard, "--json=" + path)
        check(done.status == 0, done.tail())
        check(load_json(path)["memory"]["measured"]["weights"] == plan.predicted["weights"], "other weights were mapped")


@test("weights/a refusal says whether streaming would do, with its smallest budget")
def _():
    owner = model("yolov2-first16")
    done, _ = compile_status(owner, "--memory-budget=22MB")
    check_refused(done, "smallest", "--weights=streamed would do: its smallest budget is ")
    streamed = int(done.output.split("its smallest budget is ")[1].split("B")[0])
    check(streamed < smallest_budget(done.output) and streamed <= 22e6, f"{streamed} B streamed\n{done.tail()}")
    plan = compile_plan(owner, "--weights=streamed", f"--memory-budget={streamed}B")
    check(plan.predicted["peak"] <= streamed, f"predicted {plan.predicted['peak']}")
    report, outputs = run_plan(plan)
    check_same(outputs, untiled(owner)[1], "the smallest budget")
    check_peak(plan, report)
    done, _ = compile_status(owner, "--weights=streamed", f"--memory-budget={streamed - 1}B")
    check_refused(done, "smallest")
    check("--weights" not in done.output, f"streaming is proposed to who streams\n{done.tail()}")
    done, _ = compile_status(owner, "--memory-budget=5MB")
    check_refused(done, "--weights=streamed would not do either: its smallest budget is ")
    done, _ = compile_status(owner, "--memory-budget=20MB", "--groups=16:2x2")
    check_refused(done, "groups=16:2x2 need")


@test("weights/the memory map tells when weights are there")
def _():
    owner = model("odd-deep")
    pages = {}
    for command in ("estimate", "compile"):
        report, page = os.path.join(owner.folder, command + ".map.json"), os.path.join(owner.folder, command + ".html")
        argv = [binary("snug"), command, owner.path, "--weights=streamed", "--json=" + report, "--memory-map=" + page]
        done = run(argv + (["-o", page + ".snug", "--max-groups=0"] if command == "compile" else []))
        check(done.status == 0, done.tail())
        document = load_json(report)
        weights = document["memory_map"]["resident_weights"]
        check(document["memory_map"]["streams_weights"], f"{command}: does not stream")
        check(len(weights) == len(document["memory_map"]["steps"]), f"{command}: {len(weights)} steps")
        predicted = document["memory"]["predicted"]["weights"]
        check(max(weights) == predicted and min(weights) < predicted, f"{command}: {weights}, predicted {predicted}")
        with open(page, encoding="utf-8") as file:
            pages[command] = (file.read(), predicted)
        check("only then it is in memory" in pages[command][0], f"{command}: the page does not say so")
    check(pages["estimate"][1] == pages["compile"][1], "estimate and compile predict other weights")


@test("weights/a limit of the predicted peak and 2 MiB kills no run")
def _():
    try:
        limits = cgroups.Limits(model("odd-deep").folder)
    except cgroups.Unavailable as error:
        raise Skipped(str(error)) from error
    try:
        for name, options in (("yolov2-first16", ["--memory-budget=32MiB"]), ("yolov2-first16", ["--weights=streamed", "--memory-budget=20MiB"]),
                              ("odd-deep", ["--weights=streamed"])):
            plan = compile_plan(model(name), *options)
            _, expected = run_plan(plan)
            folder = plan.path + ".limited"
            # An output's pages in the page cache count until they are on the disk, which may take its time.
            written = sum(values.nbytes for values in expected.values())
            for extra, arguments in ((0, []), (written, ["--output-dir=" + folder])):
                cgroups.forget(plan.path)
                done = limits.run([binary("snug-run"), plan.path, *plan.model.feeds, *arguments], plan.predicted["peak"] + 2 * MIB + extra)
                check(done["status"] == 0 and not done["killed"], f"{name} {options} {arguments}: exit status {done['status']}\n{done['output']}")
            check_same(read_outputs(folder), expected, f"{name} {options} under a limit")
    finally:
        limits.close()
