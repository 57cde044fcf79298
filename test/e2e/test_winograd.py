# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""--winograd: right numbers, memory as promised, and never at the price of a budget."""

import os

from harness import (AGAINST_ORT, binary, check, check_close, check_same, compile_plan, compile_status, load_json,
                     machine_targets, model, run, run_plan, run_status, smallest_budget, test, untiled)

# Of the outputs' scale: tiles begin elsewhere, so sums are rounded otherwise.
TILED = 5e-5
NETWORKS = ["odd-deep", "odd-residual", "odd-channels", "odd-batch", "odd-pads", "odd-activations", "yolov2-first16", "tiny-yolov2",
            "resnet18"]


def kernels_of(plan):
    """Names of the kernels that a run calls, one for each instruction."""
    trace = plan.path + ".trace.json"
    done = run_status(plan.path, "--random-inputs=1", "--profile=" + trace)
    check(done.status == 0, done.tail())
    return [e["args"]["kernel"] for e in load_json(trace)["traceEvents"] if e.get("ph") == "X"]


def untiled_body(name):
    def body():
        owner = model(name)
        plan = compile_plan(owner, "--winograd")
        check(plan.report["executed_macs"] == plan.report["network_macs"], "an untiled plan recomputes")
        check(plan.predicted["weights"] == untiled(owner)[0].predicted["weights"], "weights are in memory twice")
        _, expected = run_plan(plan)
        check_close(expected, owner.expected, AGAINST_ORT, "against ONNX Runtime")
        for side in ("start", "end"):
            _, guarded = run_plan(plan, "--guard=" + side)
            check_same(guarded, expected, f"--guard={side}")
        for threads in (2, 3):
            _, outputs = run_plan(compile_plan(owner, "--winograd", f"--threads={threads}"))
            check_same(outputs, expected, f"{threads} threads against 1")
    return body


for network in NETWORKS:
    test(f"winograd/{network}/untiled")(untiled_body(network))


@test("winograd/every target of this machine")
def _():
    owner = model("odd-deep")
    for target in machine_targets():
        _, outputs = run_plan(compile_plan(owner, "--winograd", f"--target={target}"))
        check_close(outputs, owner.expected, AGAINST_ORT, f"{target} against ONNX Runtime")


@test("winograd/only where it is asked for, and where it pays")
def _():
    owner = model("yolov2-first16")
    plain, _ = untiled(owner)
    check(not any("winograd" in kernel for kernel in kernels_of(plain)), "a plan that did not ask for it has Winograd's kernel")
    plan = compile_plan(owner, "--winograd")
    kernels = kernels_of(plan)
    # Nine convolutions of 3x3, the first of three channels, and seven layers of other kinds.
    check(sum(kernel.startswith("winograd/") for kernel in kernels) >= 7, f"kernels {kernels}")
    check(plan.report["winograd_kernels"] == sum(kernel.startswith("winograd/") for kernel in kernels),
          f"compile reports {plan.report['winograd_kernels']}")
    check(plan.report["convolution_kernels"] == 12, f"compile reports {plan.report['convolution_kernels']} convolution kernels")


@test("winograd/tiles of yolov2-first16")
def _():
    owner = model("yolov2-first16")
    _, expected = run_plan(compile_plan(owner, "--winograd"))
    plan = compile_plan(owner, "--winograd", "--groups=8:5x5,16:2x2")
    check(plan.predicted["arena"] <= 15.0e6, f"arena {plan.predicted['arena']}")
    check(abs(plan.report["recompute_factor"] - 1.137) < 0.002, f"recompute factor {plan.report['recompute_factor']}")
    report, outputs = run_plan(plan)
    check_close(outputs, expected, TILED, "tiled against untiled")
    check_close(outputs, owner.expected, AGAINST_ORT, "tiled against ONNX Runtime")
    for side in ("start", "end"):
        _, guarded = run_plan(plan, "--guard=" + side)
        check_same(guarded, outputs, f"--guard={side}")


def budgets_body(name):
    def body():
        """Every budget that direct kernels keep is kept; the least one, too."""
        owner = model(name)
        done, _ = compile_status(owner, "--memory-budget=100B", "--budget-scope=arena", "--winograd")
        least = smallest_budget(done.output)
        done, _ = compile_status(owner, "--memory-budget=100B", "--budget-scope=arena")
        check(least == smallest_budget(done.output), f"the smallest budget is {least}, without Winograd {smallest_budget(done.output)}")
        largest = compile_plan(owner, "--winograd").predicted["arena"]
        for part in range(5):
            budget = least + (largest - least) * part // 4
            plan = compile_plan(owner, f"--memory-budget={budget}B", "--budget-scope=arena", "--winograd")
            check(plan.predicted["arena"] <= budget, f"budget {budget}, arena {plan.predicted['arena']}")
            _, outputs = run_plan(plan)
            check_close(outputs, owner.expected, AGAINST_ORT, f"budget {budget} against ONNX Runtime")
    return body


for network in ["odd-deep", "odd-residual", "odd-pads", "tiny-yolov2"]:
    test(f"winograd/{network}/budgets")(budgets_body(network))


@test("winograd/explicit groups keep a budget that direct kernels keep")
def _():
    owner = model("odd-deep")
    direct = compile_plan(owner, "--groups=4:2x2").predicted["arena"]
    plan = compile_plan(owner, "--groups=4:2x2", "--winograd", f"--memory-budget={direct}B", "--budget-scope=arena")
    check(plan.predicted["arena"] <= direct, f"arena {plan.predicted['arena']} of {direct}")
    _, outputs = run_plan(plan)
    check_close(outputs, owner.expected, AGAINST_ORT, "against ONNX Runtime")


@test("winograd/estimate and compile agree, two compiles give equal files")
def _():
    owner = model("tiny-yolov2")
    plan = compile_plan(owner, "--winograd")
    report = os.path.join(owner.folder, "estimate-winograd.json")
    done = run([binary("snug"), "estimate", owner.path, "--winograd", "--json=" + report])
    check(done.status == 0, done.tail())
    predicted = load_json(report)["memory"]["predicted"]
    for part in ("weights", "activations", "workspace", "arena"):
        check(predicted[part] == plan.predicted[part], f"{part}: estimate {predicted[part]}, compile {plan.predicted[part]}")
    again = compile_plan(owner, "--winograd")
    with open(plan.path, "rb") as a, open(again.path, "rb") as b:
        check(a.read() == b.read(), "two compiles differ")
