# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks that branch: numbers, arenas of random sizes, the reference executor.

The number of random budgets over the zoo is in the environment, SNUG_E2E_BUDGETS;
tools/dev/bench any-cnn asks for 200.
"""

import csv
import os
import random

import snug_zoo
from harness import (AGAINST_ORT, SMALL, binary, check, check_budget, check_close, check_refused, check_same, compile_plan, compile_status,
                     load_json, machine_targets, model, read_outputs, run, run_plan, test, untiled)

ODD = [name for name, network in snug_zoo.NETWORKS.items()
       if name.startswith("odd-") and network.build.__module__ != "snug_zoo.odd" and name != "odd-opaque"]
LARGE = sorted(SMALL)
BUDGETS = int(os.environ.get("SNUG_E2E_BUDGETS", "15"))


def sized(name, size):
    return model(name, size=size) if size else model(name)


def untiled_body(name, size=None):
    def body():
        owner = sized(name, size)
        plan, outputs = untiled(owner)
        # A batch norm that nothing takes in costs one for each element.
        counted, found = owner.builder.macs, plan.report["network_macs"]
        check(counted <= found <= counted + owner.builder.normalized, f"network_macs is {found}, the zoo counts {counted}")
        check(plan.report["executed_macs"] == found, "an untiled plan recomputes")
        for side in ("start", "end"):
            check_same(run_plan(plan, "--guard=" + side)[1], outputs, f"--guard={side}")
    return body


def targets_body(name):
    def body():
        owner = model(name)
        for target in machine_targets():
            expected = None
            for threads in (1, 3):
                _, outputs = run_plan(compile_plan(owner, "--max-groups=0", f"--target={target}", f"--threads={threads}"))
                check_close(outputs, owner.expected, AGAINST_ORT, f"{target}, {threads} threads, against ONNX Runtime")
                expected = expected or outputs
                check_same(outputs, expected, f"{target}, {threads} threads against 1")
    return body


def reference_body(name):
    def body():
        owner = model(name)
        folder = os.path.join(owner.folder, "reference")
        done = run([binary("snug"), "reference", owner.path, *owner.feeds, "--output-dir=" + folder])
        check(done.status == 0, f"exit status {done.status}\n{done.tail(8)}")
        outputs = read_outputs(folder)
        check_close(outputs, owner.expected, AGAINST_ORT, "reference against ONNX Runtime")
        check_close(untiled(owner)[1], outputs, AGAINST_ORT, "untiled against the reference")
    return body


def estimate_body(name, size=None):
    def body():
        owner = sized(name, size)
        path = os.path.join(owner.folder, "estimate")
        done = run([binary("snug"), "estimate", owner.path, f"--json={path}.json", f"--csv={path}.csv"])
        check(done.status == 0, f"exit status {done.status}\n{done.tail(8)}")
        report = load_json(path + ".json")
        ops, peak, plain = report["ops"], report["peak"], untiled(owner)[0]
        check(sum(op["macs"] for op in ops) == report["network_macs"] == plain.report["network_macs"], "the ops' multiply-accumulates are not the plan's")
        check(report["memory"]["predicted"] == plain.predicted, f"{report['memory']['predicted']} is not what compile predicts, {plain.predicted}")
        check(all(op["shape"] and op["live"] >= op["output"] > 0 for op in ops), "an op without shape, or with less live than it makes")
        check(peak["live"] == max(op["live"] for op in ops), f"the peak is {peak['live']}, the most that an op has live is another")
        check(peak["op"] in [op["name"] for op in ops if op["live"] == peak["live"]], f"the peak is not at {peak['op']}")
        check(peak["buffers"] and all(b["name"] for b in peak["buffers"]), "the tensors live at the peak are not named")
        with open(path + ".csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        check([r["op"] for r in rows] == [op["name"] for op in ops] and all(int(r["live_bytes"]) == op["live"] for r, op in zip(rows, ops)),
              "the table of values is another")
    return body


def budgets_body(name, fractions, size=None):
    def body():
        owner = sized(name, size)
        whole = untiled(owner)[0].predicted["arena"]
        return "; ".join(check_budget(owner, int(whole * fraction)) for fraction in fractions)
    return body


def process_body(name, size=None):
    def body():
        owner = sized(name, size)
        predicted = untiled(owner)[0].predicted
        for budget in (predicted["peak"], predicted["peak"] - predicted["arena"] // 3):
            done, path = compile_status(owner, f"--memory-budget={budget}B")
            if done.status == 0:
                found = load_json(path + ".json")["memory"]["predicted"]
                check(found["peak"] <= budget, f"budget {budget}, predicted peak {found['peak']}")
            else:
                check_refused(done, "smallest")
                check(budget < predicted["peak"], f"refused {budget}, yet the untiled plan takes no more\n{done.tail()}")
    return body


for network in ODD:
    test(f"any-cnn/{network}/untiled")(untiled_body(network))
    test(f"any-cnn/{network}/targets and threads")(targets_body(network))
    test(f"any-cnn/{network}/reference")(reference_body(network))
    test(f"any-cnn/{network}/process budget")(process_body(network))
    test(f"any-cnn/{network}/estimate")(estimate_body(network))
    test(f"any-cnn/{network}/budgets")(budgets_body(network, [1.0, 0.8, 0.6, 0.4]))
for network in LARGE:
    test(f"any-cnn/{network}/small, untiled")(untiled_body(network, SMALL[network]))
    test(f"any-cnn/{network}/small, process budget")(process_body(network, SMALL[network]))
    test(f"any-cnn/{network}/small, estimate")(estimate_body(network, SMALL[network]))


def trial(number):
    """A network, a size and a part of its arena; the same ones every time."""
    rng = random.Random(number)
    name = LARGE[number % len(LARGE)] if number < len(LARGE) else rng.choice(LARGE)
    # The first are for a test that takes a minute.
    size = SMALL[name] if number < len(LARGE) or rng.random() < 0.6 else None
    return name, size, rng.uniform(0.1, 1.1)


for each in range(BUDGETS):
    network, extents, part = trial(each)
    label = f"{network}, {'usual size' if extents is None else 'x'.join(map(str, extents))}, {part:.3f} of the arena"
    test(f"any-cnn/budgets/{each}: {label}")(budgets_body(network, [part], extents))
