# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Folders, processes and small helpers that the developer tools share."""

import json
import os
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.path.join(ROOT, "build")
BINARIES = os.environ.get("SNUG_BIN") or os.path.join(BUILD, "bin")
PYTHON = os.path.join(BUILD, "python", "bin", "python")
ZOO = os.path.join(ROOT, "tools", "zoo", "zoo")


def binary(name, folder=BINARIES):
    return os.path.join(folder, name)


def say(text=""):
    print(text, flush=True)


def die(tool, text):
    """Ends the tool with one message and exit status 1."""
    print(f"{tool}: error: {text}", file=sys.stderr, flush=True)
    sys.exit(1)


class Finished:
    """A process that has ended: exit status, output (both streams) and seconds."""

    def __init__(self, status, output, seconds):
        self.status = status
        self.output = output
        self.seconds = seconds

    def tail(self, lines=30):
        return "\n".join(self.output.rstrip().splitlines()[-lines:])


def run(argv, timeout=600, environment=None, directory=ROOT):
    """Runs a command to its end. Past `timeout` it is killed; its status is then None."""
    start = time.monotonic()
    merged = dict(os.environ, **(environment or {}))
    try:
        done = subprocess.run([str(a) for a in argv], cwd=directory, env=merged, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode(errors="replace") + f"\nkilled after {timeout} s"
        return Finished(None, output, time.monotonic() - start)
    except OSError as error:
        return Finished(127, f"{argv[0]} cannot be run: {error.strerror}", 0.0)
    return Finished(done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - start)


def run_visibly(argv, environment=None):
    """Runs a command whose output goes straight to the screen; returns its exit status."""
    merged = dict(os.environ, **(environment or {}))
    return subprocess.run([str(a) for a in argv], cwd=ROOT, env=merged, check=False).returncode


def load_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def tracked_files():
    """All files of the project, tracked or new, but not ignored; relative to ROOT, sorted."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"])
    if listed.status != 0:
        die("tools/dev", "git ls-files failed: " + listed.tail(3))
    return sorted({f for f in listed.output.splitlines() if os.path.isfile(os.path.join(ROOT, f))})


def table(rows, header, right=()):
    """Text columns as wide as their content; columns numbered in `right` are flush right."""
    rows = [[str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header)] + rows) for i in range(len(header))]

    def line(cells):
        return "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths))).rstrip()

    return "\n".join([line(header), "  ".join("-" * w for w in widths)] + [line(r) for r in rows])
