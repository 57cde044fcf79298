# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The peers' own Python environment, build/peers/python, filled on demand."""

import os
import re
import sys

from snug_dev.common import BUILD, ROOT, run, say
from snug_dev.peers.engines import ENGINES
from snug_dev.plans import ToolError

FOLDER = os.path.join(BUILD, "peers")
PYTHON = os.path.join(FOLDER, "python", "bin", "python")
REQUIREMENTS = os.path.join(ROOT, "tools", "dev", "requirements-peers.txt")
# Packages whose dependencies are not needed: pnnx asks for PyTorch, gigabytes
# that its converter does not use.
ALONE = {"pnnx"}


def pins():
    """Package to pinned requirement, `name==version`."""
    with open(REQUIREMENTS, encoding="utf-8") as file:
        lines = (line.split("#")[0].strip() for line in file)
        return {line.split("==")[0]: line for line in lines if line}


def installed():
    done = run([PYTHON, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"])
    return {line.strip().lower() for line in done.output.splitlines()}


def install(packages):
    """Installs the packages that are missing; returns what pip says where it cannot, else nothing."""
    pinned, present = pins(), installed()
    for package in packages:
        if pinned[package].lower() in present:
            continue
        say(f"  installing {pinned[package]}")
        argv = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        # Named together with what it must not displace.
        argv += ["--no-deps", pinned[package]] if package in ALONE else ["-c", REQUIREMENTS, pinned[package]]
        done = run(argv, timeout=1800)
        if done.status != 0:
            errors = re.findall(r"^ERROR: (.*)", done.output, re.M)
            return f"{package} cannot be installed: {errors[0] if errors else done.tail(1)}"
    return None


def make():
    if not os.path.exists(PYTHON):
        os.makedirs(FOLDER, exist_ok=True)
        done = run([sys.executable, "-m", "venv", os.path.join(FOLDER, "python")])
        if done.status != 0:
            raise ToolError(f"the environment build/peers/python cannot be made:\n{done.tail(4)}")


def draw(script, data, plot):
    """Draws a plot from a measurement's JSON with a module of ours, where the library is there."""
    make()
    reason = install(["matplotlib", "numpy"])
    if reason:
        say(f"no plot: {reason}")
        return
    done = run([PYTHON, "-m", script, data, os.path.join(ROOT, plot)],
               environment={"PYTHONPATH": os.path.join(ROOT, "tools", "dev"), "PYTHONDONTWRITEBYTECODE": "1"})
    if done.status != 0:
        raise ToolError("the plot cannot be drawn:\n" + done.tail(4))
    say(f"written: {plot}")


def prepare(engines):
    """Installs the engines. Returns those that are there, and the reasons for the others by name."""
    make()
    skipped = {}
    for engine in engines:
        reason = install(ENGINES[engine].packages)
        if reason:
            skipped[engine] = reason
    return [e for e in engines if e not in skipped], skipped
