# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Byte budgets: random ones on small chains, kept or refused with the smallest that would do."""

import random

from harness import (check, check_refused, check_same, compile_plan, compile_status, load_json, model, run_plan, smallest_budget,
                     test, untiled)

CHAINS = ["odd-deep", "odd-channels", "odd-kernels", "odd-pads", "odd-residual", "odd-groups", "odd-pools", "odd-average", "odd-batch",
          "odd-opset", "odd-gray", "odd-autopad"]
BUDGETS = 6


def budgets_body(name):
    def body():
        owner = model(name)
        plain, expected = untiled(owner)
        whole = plain.predicted["arena"]
        rng = random.Random(name)
        kept = 0
        for _ in range(BUDGETS):
            budget = int(whole * rng.uniform(0.3, 1.1))
            options = [f"--memory-budget={budget}B", "--budget-scope=arena"]
            done, path = compile_status(owner, *options)
            if done.status == 0:
                kept += 1
                plan = compile_plan(owner, *options)
                check(plan.predicted["arena"] <= budget, f"budget {budget}, arena {plan.predicted['arena']}")
                if budget >= whole:
                    check(plan.report["recompute_factor"] == 1.0, f"budget {budget} is enough for no tiling, yet work is done twice")
                _, outputs = run_plan(plan)
                check_same(outputs, expected, f"budget {budget}")
            else:
                check_refused(done, "smallest", "limit")
                check(smallest_budget(done.output) > budget, f"refused {budget}, yet names a smaller one\n{done.tail()}")
        check(kept > 0, "no budget could be kept")
    return body


def smallest_body(name):
    def body():
        owner = model(name)
        done, _ = compile_status(owner, "--memory-budget=100B", "--budget-scope=arena")
        check_refused(done, "smallest")
        least = smallest_budget(done.output)
        plan = compile_plan(owner, f"--memory-budget={least}B", "--budget-scope=arena")
        check(plan.predicted["arena"] <= least, f"smallest {least}, arena {plan.predicted['arena']}")
        _, outputs = run_plan(plan)
        check_same(outputs, untiled(owner)[1], "the smallest budget")
        done, _ = compile_status(owner, f"--memory-budget={least - 1}B", "--budget-scope=arena")
        check_refused(done, "smallest")
        check(smallest_budget(done.output) == least, f"one byte less names another smallest budget\n{done.tail()}")
    return body


for chain in CHAINS:
    test(f"budgets/{chain}/random")(budgets_body(chain))
    test(f"budgets/{chain}/the smallest is kept, one byte less is not")(smallest_body(chain))


@test("budgets/limits on groups are obeyed")
def _():
    owner = model("odd-deep")
    budget = int(untiled(owner)[0].predicted["arena"] * 0.6)
    for groups in (0, 1, 2, 5):
        done, path = compile_status(owner, f"--memory-budget={budget}B", "--budget-scope=arena", f"--max-groups={groups}")
        if done.status == 0:
            tiled = [g for g in load_json(path + ".json")["groups"] if "whole" not in str(g["schedule"])]
            check(len(tiled) <= groups, f"--max-groups={groups}: {len(tiled)} groups")
        else:
            check_refused(done, "smallest")


@test("budgets/more groups do no more work")
def _():
    owner = model("odd-deep")
    done, _ = compile_status(owner, "--memory-budget=100B", "--budget-scope=arena", "--max-groups=1")
    check_refused(done, "smallest")
    budget = smallest_budget(done.output)
    work = []
    for groups in (1, 2, 3, -1):
        plan = compile_plan(owner, f"--memory-budget={budget}B", "--budget-scope=arena", f"--max-groups={groups}")
        work.append(plan.report["executed_macs"])
    check(work == sorted(work, reverse=True), f"multiply-accumulates with 1, 2, 3 and any number of groups: {work}")


@test("budgets/a process budget below the weights is refused")
def _():
    done, path = compile_status(model("yolov2-first16"), "--memory-budget=1MiB")
    check_refused(done, "smallest", "1.00 MiB")
    check(smallest_budget(done.output) > 13 * 10**6, "the smallest budget does not hold the weights")
