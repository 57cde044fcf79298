# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/lint: what the conventions ask of every file, as far as a script can tell."""

import argparse
import ast
import os
import re
import shutil
import sys

from snug_dev import bench
from snug_dev.common import ROOT, die, run, say, tracked_files

LINE_LIMIT = 800
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
CXX = (".cpp", ".h", ".c", ".inc")
SOURCE = CXX + (".td", ".py", ".fbs", ".cmake", ".in")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def is_shell(path):
    # Scripts without an ending, and what they source.
    if path.endswith(".sh"):
        return True
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.readline().startswith((b"#!/bin/bash", b"#!/bin/sh"))


def is_source(path):
    return path.endswith(SOURCE) or os.path.basename(path) == "CMakeLists.txt" or is_shell(path)


def numbered(path):
    return enumerate(read(path).splitlines(), 1)


# Folder knowledge. For each folder: what it may include beyond the standard
# library and its own folder; the first folder that a path begins with counts.
# Everything else may include anything but what FOREIGN keeps to a few folders.
NETWORK = [r"snug/Network/"]
RUNTIME = [r"snug/runtime/", r"[A-Z]\w*\.h$", r"plan_generated\.h$", r"flatbuffers/", r"(\.\./)*(src/)?(core|cpu|catalogue|conformance)/"]
ALLOWED = [
    ("lib/Network/", NETWORK),
    ("include/snug/Network/", NETWORK),
    ("lib/Planner/", NETWORK + [r"snug/Planner/"]),
    ("include/snug/Planner/", NETWORK + [r"snug/Planner/"]),
    ("lib/Predict/", NETWORK + [r"snug/Predict/", r"nlohmann/"]),
    ("include/snug/Predict/", NETWORK + [r"snug/Predict/"]),
    ("test/unit/Network/", NETWORK + [r"gtest/", r"Network/"]),
    ("test/unit/Planner/", NETWORK + [r"snug/Planner/", r"gtest/", r"(Network|Planner)/"]),
    ("runtime/tools/", RUNTIME + [r"CLI/", r"nlohmann/", r"gtest/"]),
    ("runtime/conformance/", RUNTIME + [r"gtest/"]),
    ("runtime/benchmark/", RUNTIME + [r"nlohmann/"]),
    ("runtime/", RUNTIME),
]
FOREIGN = [
    (r"(google/protobuf|onnx)/|\.pb\.h$", ["lib/Import/ONNX/", "lib/Export/ONNX/", "test/unit/Import/", "test/unit/Export/"],
     "protobuf types stay in lib/Import/ONNX and lib/Export/ONNX"),
]
# POSIX and compiler headers, which count as the standard library.
SYSTEM = re.compile(r"^(\w+|(sys|linux|asm|bits)/\w+)(\.h)?$")


def check_folders(files):
    """Folders include only what they may know, see README.md."""
    for path in files:
        if not path.endswith(CXX):
            continue
        allowed = next((rules for folder, rules in ALLOWED if path.startswith(folder)), None)
        for number, line in numbered(path):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            header = match[2]
            for pattern, folders, reason in FOREIGN:
                if re.search(pattern, header) and not path.startswith(tuple(folders)):
                    yield f"{path}:{number}: {header} is included, but {reason}"
            if allowed is None or (match[1] == "<" and SYSTEM.match(header)):
                continue
            if "/" not in header and os.path.exists(os.path.join(ROOT, os.path.dirname(path), header)):
                continue  # of the same folder
            if not any(re.match(rule, header) for rule in allowed):
                yield f"{path}:{number}: {header} may not be known here"


PARTS = ["Requires", "Guarantees", "Fails when", "Example"]


def check_passes(files):
    """A pass is a folder with four files, a description in four parts and a test."""
    known = set(files)
    folders = sorted({f.split("/")[1] for f in files if re.match(r"passes/[^/]+/", f)})
    for name in folders:
        for ending in (".td", ".h", ".cpp"):
            if f"passes/{name}/{name}{ending}" not in known:
                yield f"passes/{name}: {name}{ending} is missing"
        if f"passes/{name}/CMakeLists.txt" not in known:
            yield f"passes/{name}: CMakeLists.txt is missing"
        td = f"passes/{name}/{name}.td"
        if td not in known:
            continue
        text = read(td)
        match = re.search(r'def\s+(\w+)\s*:\s*Pass<\s*"([^"]+)"', text)
        if not match:
            yield f"{td}: no pass is defined"
            continue
        if match[1] != name + "Pass":
            yield f"{td}: the definition is {match[1]}, its name should be {name}Pass"
        flag = "snug-" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
        if match[2] != flag:
            yield f"{td}: the flag is {match[2]}, it should be {flag}"
        for part in PARTS:
            if not re.search(rf"^\W*{part}\b", text, re.M):
                yield f"{td}: the description has no part '{part}'"
        if f"test/passes/{match[2]}.mlir" not in known:
            yield f"{td}: test/passes/{match[2]}.mlir is missing"
        debug = re.search(r'#define\s+DEBUG_TYPE\s+"([^"]+)"', read(f"passes/{name}/{name}.cpp")) if f"passes/{name}/{name}.cpp" in known else None
        if debug and debug[1] != match[2]:
            yield f"passes/{name}/{name}.cpp: DEBUG_TYPE is {debug[1]}, it should be {match[2]}"
    wrapper = "Pass" + "Wrapper"
    for path in files:
        if path.endswith(CXX) and wrapper in read(path):
            yield f"{path}: {wrapper} is used; declare the pass in a .td file"


def check_length(files):
    """No file of source or prose is longer than 800 lines."""
    for path in files:
        if is_source(path) or path.endswith((".md", ".mlir")):
            count = read(path).count("\n")
            if count >= LINE_LIMIT and path != bench.PAGE:
                yield f"{path}: {count} lines, the limit is {LINE_LIMIT}; split it"


def check_heads(files):
    """The head of a source file is the SPDX line and a line that tells its purpose."""
    for path in files:
        if not is_source(path):
            continue
        lines = [l.strip() for l in read(path).splitlines()[:8] if l.strip() and not l.startswith("#!")]
        if not lines or SPDX not in lines[0]:
            yield f"{path}: the first line is not the SPDX line"
        elif os.path.basename(path) == "CMakeLists.txt":
            continue  # its folder tells the purpose
        elif len(lines) < 2 or not re.match(r'(//|/?\*|#(?!\s*include|define|if)|"""|;).*\w{3}', lines[1]):
            yield f"{path}: the line after the SPDX line does not tell the purpose"


# In pieces, so that this file passes its own check.
MARKERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
ABSOLUTE = re.compile(r"(?<![\w.:}<)~-])/(home|root|work|tmp|Users|mnt|srv|media)/\w")


def check_markers(files):
    """No notes for later, and no paths of somebody's machine."""
    for path in files:
        if path == "LICENSE" or path.endswith((".onnx", ".npy", ".png")):
            continue
        for number, line in numbered(path):
            if MARKERS.search(line):
                yield f"{path}:{number}: a note for later; do it or open an issue"
            if ABSOLUTE.search(line):
                yield f"{path}:{number}: an absolute path of one machine"


def check_whitespace(files):
    """No trailing blanks, no tabs, one line feed at the end."""
    for path in files:
        if not (is_source(path) or path.endswith((".md", ".txt", ".json", ".mlir"))):
            continue
        text = read(path)
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield f"{path}: does not end with exactly one line feed"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip() or "\t" in line:
                yield f"{path}:{number}: trailing blanks or a tab"


def check_scripts(files):
    """Python and shell files parse."""
    for path in files:
        if path.endswith(".py"):
            try:
                ast.parse(read(path), path)
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: {error.msg}"
        elif is_shell(path):
            done = run(["bash", "-n", path])
            if done.status != 0:
                yield f"{path}: {done.tail(2)}"


def check_links(files):
    """Links between the documents lead somewhere."""
    for path in files:
        if not path.endswith(".md"):
            continue
        for number, line in numbered(path):
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                if not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
                    yield f"{path}:{number}: {target} does not exist"


def check_measurements(files):
    """docs/Measurements.md is what tools/dev/bench report makes of docs/measurements."""
    if bench.PAGE not in files:
        if any(f.startswith(bench.FOLDER + "/") for f in files):
            yield f"{bench.PAGE} is missing; run tools/dev/bench report"
    elif read(bench.PAGE) != bench.report():
        yield f"{bench.PAGE} does not follow from {bench.FOLDER}/*.json; run tools/dev/bench report"


def llvm_version():
    return read("tools/dev/llvm-version.txt").split()[0]


def check_format(files):
    """C and C++ as clang-format leaves it."""
    tool = "clang-format-" + llvm_version()
    if not shutil.which(tool):
        raise Skip(f"{tool} is missing; run tools/dev/setup")
    sources = [f for f in files if f.endswith(CXX)]
    for start in range(0, len(sources), 50):
        done = run([tool, "--dry-run", "--Werror", *sources[start:start + 50]])
        if done.status != 0:
            for path in sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.output, re.M))):
                yield f"{path}: run {tool} -i on it"


class Skip(Exception):
    """A check that cannot be made on this machine."""


CHECKS = {
    "folders": check_folders,
    "passes": check_passes,
    "length": check_length,
    "heads": check_heads,
    "markers": check_markers,
    "whitespace": check_whitespace,
    "scripts": check_scripts,
    "links": check_links,
    "measurements": check_measurements,
    "format": check_format,
}


def results(names=None):
    """Yields (check, passed | failed | skipped, detail) for each check."""
    files = tracked_files()
    for name in names or CHECKS:
        try:
            faults = list(CHECKS[name](files))
        except Skip as skip:
            yield name, "skipped", str(skip)
            continue
        except UnicodeDecodeError as error:
            faults = [f"a text file is not UTF-8: {error}"]
        yield name, "failed" if faults else "passed", "".join("\n    " + f for f in faults)


def main():
    p = argparse.ArgumentParser(prog="tools/dev/lint", description="Checks what the conventions ask of every file.")
    p.add_argument("checks", nargs="*", metavar="CHECK", help="one of " + ", ".join(CHECKS) + "; all without one")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    options = p.parse_args()
    for name in options.checks:
        if name not in CHECKS:
            die("lint", f"no check {name}; there are {', '.join(CHECKS)}")
    failed = 0
    for name, outcome, detail in results(options.checks):
        say(f"{outcome:<8} {name:<13} {CHECKS[name].__doc__.strip()}{detail if outcome == 'failed' else ''}")
        if outcome == "skipped":
            say(f"    {detail}")
        failed += outcome == "failed"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
