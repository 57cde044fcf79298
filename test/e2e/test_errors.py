# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bad inputs: a status and one clear message, never a crash."""

import os
import random

import numpy as np
import onnx
from onnx import TensorProto, helper

from harness import binary, check, check_refused, compile_plan, compile_status, fresh_folder, model, run, run_status, test, untiled, weights_offset


def small_plan():
    return compile_plan(model("odd-channels"), "--groups=3:2x2,7:2x1")


@test("errors/command lines")
def _():
    owner = model("odd-channels")
    for argv in (["compile", owner.path, "--no-such-option"], ["compile"], ["no-such-command"], [],
                 ["compile", owner.path, "-o", "x", "--threads=no"], ["compile", owner.path, "-o", "x", "--target=sparc"]):
        check_refused(run([binary("snug"), *argv], directory=owner.folder), status=2)
    check_refused(run_status("--no-such-option"), status=2)
    for tool in ("snug", "snug-run", "snug-opt", "snug-translate"):
        done = run([binary(tool), "--help"])
        check(done.status == 0 and len(done.output) > 100, f"{tool} --help: {done.status}")


@test("errors/groups that make no sense")
def _():
    owner = model("odd-channels")
    for groups in ("abc", "3", "3:2", "3:0x2", "0:2x2", "99:2x2", "5:2x2,3:2x2", "7:2x2x2", "3:2x2,,7:1x1", "7:-1x2", "7:99999999999x2"):
        done, path = compile_status(owner, "--groups=" + groups)
        check(done.status in (1, 2) and done.output.strip(), f"--groups={groups}: exit status {done.status}\n{done.tail()}")
        check(not os.path.exists(path), f"--groups={groups}: a plan was left behind")
    done, _ = compile_status(owner, "--groups=7:stripes4")
    check_refused(done, "stripes")


@test("errors/budgets that make no sense")
def _():
    for budget in ("lots", "-1MiB", "12XB", "", "1e99GB"):
        done, _ = compile_status(model("odd-channels"), "--memory-budget=" + budget)
        check(done.status in (1, 2) and done.output.strip(), f"--memory-budget={budget}: exit status {done.status}")


@test("errors/outputs that cannot be written")
def _():
    owner = model("odd-channels")
    done = run([binary("snug"), "compile", owner.path, "-o", os.path.join(owner.folder, "absent", "x.snug")])
    check_refused(done, "absent")
    plan = small_plan()
    done = run_status(plan.path, "--random-inputs=1", "--output-dir=" + owner.path)
    check_refused(done)


@test("errors/a file that would be written over another one")
def _():
    owner = model("odd-channels")
    plan = os.path.join(fresh_folder("errors-files"), "x.snug")
    same = os.path.join(os.path.dirname(plan), ".", "x.snug")
    for argv, words in [(["compile", owner.path, "-o", owner.path], ("model", "--output")),
                        (["compile", owner.path, "-o", plan, "--json=" + same], ("--output", "--json")),
                        (["estimate", owner.path, "--csv=" + plan, "--memory-map=" + plan], ("--csv", "--memory-map"))]:  # fmt: skip
        check_refused(run([binary("snug"), *argv]), *words, status=2)
    check(not os.path.exists(plan), "something was written")
    done = run([binary("snug"), "compile", owner.path, "-o", "/dev/null", "--json=/dev/null"])
    check(done.status == 0, f"a device is no file\n{done.tail()}")


@test("errors/a plan that the runtime would refuse is not kept")
def _():
    folder = fresh_folder("errors-outputs")
    path, plan = os.path.join(folder, "many.onnx"), os.path.join(folder, "many.snug")
    names = [f"y{i}" for i in range(4097)]
    nodes = [helper.make_node("Relu" if i % 2 else "Sigmoid", [names[i - 1] if i else "x"], [names[i]]) for i in range(len(names))]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ["x", *names]]
    graph = helper.make_graph(nodes, "many", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    check_refused(run([binary("snug"), "compile", path, "-o", plan]), "not kept", "4097 outputs")
    check(not os.path.exists(plan), "it is there")


def input_body(make, *words):
    def body():
        plan = small_plan()
        path = os.path.join(fresh_folder("errors-input"), "bad.npy")
        make(path, np.load(plan.model.input))
        check_refused(run_status(plan.path, "--input=input=" + path), *words)
    return body


def truncated(path, values):
    np.save(path, values)
    os.truncate(path, os.path.getsize(path) - 5)


def longer(path, values):
    np.save(path, values)
    with open(path, "ab") as file:
        file.write(b"more")


def text_file(path, values):
    with open(path, "w", encoding="utf-8") as file:
        file.write("no numbers here\n" * 10)


for label, maker, expected in [
    ("wrong shape", lambda p, v: np.save(p, v[:, :, 1:]), ["input", "3"]),
    ("wrong rank", lambda p, v: np.save(p, v[0]), ["input"]),
    ("float64", lambda p, v: np.save(p, v.astype(np.float64)), ["input", "float32"]),
    ("int8", lambda p, v: np.save(p, v.astype(np.int8)), ["float32"]),
    ("big endian", lambda p, v: np.save(p, v.astype(">f4")), ["bad.npy"]),
    ("Fortran order", lambda p, v: np.save(p, np.asfortranarray(v)), ["bad.npy"]),
    ("truncated", truncated, ["bad.npy"]),
    ("longer than it says", longer, ["bad.npy"]),
    ("empty", lambda p, v: open(p, "wb").close(), ["bad.npy"]),
    ("not npy", text_file, ["bad.npy"]),
    ("missing", lambda p, v: None, ["bad.npy"]),
]:
    test(f"errors/input file: {label}")(input_body(maker, *expected))


@test("errors/inputs by name")
def _():
    plan = small_plan()
    check_refused(run_status(plan.path, "--input=other=" + plan.model.input), "other", "input")
    check_refused(run_status(plan.path), "input")
    check_refused(run_status(plan.path, f"--input=input={plan.model.input}", f"--input=input={plan.model.input}"), "input")


@test("errors/threads other than the plan's are refused")
def _():
    plan = small_plan()
    check_refused(run_status(plan.path, "--random-inputs=1", "--threads=2"), "thread")
    done = run_status(plan.path, "--random-inputs=1", "--threads=1")
    check(done.status == 0, done.tail())


@test("errors/a plan that is none")
def _():
    plan = small_plan()
    check_refused(run_status(plan.path + ".absent", "--random-inputs=1"), "absent")
    check_refused(run_status(plan.model.path, "--random-inputs=1"))
    check_refused(run_status(plan.model.folder, "--random-inputs=1"))


@test("errors/truncated plans")
def _():
    plan = small_plan()
    with open(plan.path, "rb") as file:
        data = file.read()
    broken = os.path.join(fresh_folder("errors-truncated"), "broken.snug")
    rng = random.Random(11)
    for length in [0, 1, 7, 8, 63, 64, 65, 4095, 4096, len(data) - 1] + [rng.randrange(len(data)) for _ in range(10)]:
        with open(broken, "wb") as file:
            file.write(data[:length])
        done = run_status(broken, "--random-inputs=1")
        check(done.status == 1 and done.output.strip(), f"cut to {length} of {len(data)} bytes: exit status {done.status}")


@test("errors/flipped bytes of header and program give a status")
def _():
    plan = small_plan()
    with open(plan.path, "rb") as file:
        data = file.read()
    end = weights_offset(data)
    check(64 < end <= len(data), f"weights begin at {end}")
    broken = os.path.join(fresh_folder("errors-flipped"), "broken.snug")
    rng = random.Random(12)
    for place in list(range(64)) + [rng.randrange(64, end) for _ in range(60)] + [end - 1]:
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(8)
        with open(broken, "wb") as file:
            file.write(changed)
        done = run_status(broken, "--random-inputs=1")
        check(done.status == 1 and done.output.strip(), f"byte {place} flipped: exit status {done.status}")


@test("errors/flipped bytes of weights crash nothing")
def _():
    plan = small_plan()
    with open(plan.path, "rb") as file:
        data = file.read()
    broken = os.path.join(fresh_folder("errors-weights"), "broken.snug")
    rng = random.Random(13)
    for _ in range(20):
        changed = bytearray(data)
        changed[rng.randrange(weights_offset(data), len(data))] ^= 1 << rng.randrange(8)
        with open(broken, "wb") as file:
            file.write(changed)
        done = run_status(broken, "--random-inputs=1")
        check(done.status in (0, 1), f"exit status {done.status}")


@test("errors/what comes later is refused by name")
def _():
    owner = model("odd-channels")
    for command in ("explore", "profile", "adapt", "predict"):
        done = run([binary("snug"), command, owner.path])
        check(done.status in (1, 2) and command in done.output, f"{command}: exit status {done.status}\n{done.tail()}")


@test("errors/random inputs are the same every time")
def _():
    owner = model("odd-channels")
    plan, _ = untiled(owner)
    contents = []
    for seed in (1, 1, 2):
        folder = fresh_folder("errors-random")
        done = run_status(plan.path, f"--random-inputs={seed}", "--output-dir=" + folder)
        check(done.status == 0, done.tail())
        with open(os.path.join(folder, "output.npy"), "rb") as file:
            contents.append(file.read())
    check(contents[0] == contents[1] and contents[0] != contents[2], "seeds do not tell inputs apart")
