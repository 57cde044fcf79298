# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/lint: what the conventions ask of every file, as far as a script can tell."""

import argparse
import ast
import os
import re
import shutil
import sys

from snug_dev import bench, lint_code
from snug_dev.common import die, run, say, tracked_files
from snug_dev.tree import CXX, absolute, is_shell, is_source, numbered, read

LINE_LIMIT = 800
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"


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
            done = run(["bash", "-n", absolute(path)])
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
                if not os.path.exists(absolute(os.path.join(os.path.dirname(path), target))):
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
    sources = [absolute(f) for f in files if f.endswith(CXX)]
    for start in range(0, len(sources), 50):
        done = run([tool, "--dry-run", "--Werror", *sources[start:start + 50]])
        if done.status != 0:
            for path in sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.output, re.M))):
                yield f"{os.path.relpath(path, absolute(''))}: run {tool} -i on it"


class Skip(Exception):
    """A check that cannot be made on this machine."""


CHECKS = {
    **lint_code.CHECKS,
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
