# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The documents: what they tell a newcomer to type works, and no option is left out."""

import os
import re
import shutil

import numpy as np
from harness import ROOT, binary, check, fresh_folder, run, test
from snug_dev.common import BINARIES

TOOLS = ("tools/zoo/zoo", "build/bin/snug")


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def commands(name):
    """The indented command lines of a document that call a tool for users; without their comments."""
    text = read(name).replace("\\\n", " ")
    lines = [line.split("  #")[0].strip() for line in text.splitlines() if line.startswith("    ")]
    return [line for line in lines if line.startswith(TOOLS)]


def clone(name):
    """A folder that looks like a built clone to such a command."""
    folder = fresh_folder(name)
    os.symlink(os.path.join(ROOT, "tools"), os.path.join(folder, "tools"))
    os.makedirs(os.path.join(folder, "build"))
    os.symlink(os.path.join(ROOT, "build", "python"), os.path.join(folder, "build", "python"))
    os.symlink(os.path.abspath(BINARIES), os.path.join(folder, "build", "bin"))
    np.save(os.path.join(folder, "picture.npy"), np.zeros((1, 3, 608, 608), np.float32))
    return folder


def commands_body(name):
    def body():
        found = commands(name)
        check(len(found) >= 5, f"only {found} are commands")
        folder = clone("docs")
        for command in found:
            done = run(["bash", "-c", "set -o pipefail; " + command], directory=folder)
            check(done.status == 0, f"{command}: exit status {done.status}\n{done.tail(8)}")
        shutil.rmtree(folder)
    return body


for document in ("README.md", "docs/GettingStarted.md"):
    test(f"docs/commands of {document} work")(commands_body(document))


def options_body(tool, described):
    def body():
        text = run([binary(tool[0]), *tool[1:], "--help"]).output
        known = set(re.findall(r"^  (?:-\w,)?--([\w-]+)", text, re.M)) - {"help", "output"}
        section = read("docs/GettingStarted.md").split(described)[1].split("\n## ")[0]
        told = set(re.findall(r"--([a-z][\w-]+)", section))
        check(known <= told, f"docs/GettingStarted.md leaves out {sorted(known - told)}")
    return body


test("docs/every option of snug compile is described")(options_body(["snug", "compile"], "## Make it fit"))
test("docs/every option of snug-run is described")(options_body(["snug-run"], "## Run it"))
@test("docs/every pass and its options stand in the table")
def _():
    text = run([binary("snug-opt"), "--help"]).output
    rows = dict(re.findall(r"^\| `(snug-[\w-]+)` \|(.*)$", read("docs/Passes.md"), re.M))
    passes = re.findall(r"^      --(snug-[\w-]+) .*\n((?:        --.*\n)*)", text, re.M)
    check(len(passes) > 10, f"snug-opt --help lists only {passes}")
    for name, options in passes:
        check(name in rows, f"docs/Passes.md leaves out {name}")
        if name != "snug-compile-pipeline":  # which has those of another row
            known, told = set(re.findall(r"--([\w-]+)", re.sub(r" - .*", "", options))), set(re.findall(r"`([\w-]+)`", rows[name].split("|")[1]))
            check(known == told, f"{name} has the options {sorted(known)}, docs/Passes.md tells {sorted(told)}")


test("docs/every option of snug-planner is described")(options_body(["snug-planner", "allocate"], "## Addresses alone"))
