# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Stands before snug-opt and snug-translate in lit tests when SNUG_ROUND_TRIP is set.

    round_trip.py SNUG-OPT TOOL ARGUMENT...

Runs the tool as it was called, then takes the IR that it read and the IR that it
wrote through the dialects' own syntax and through bytecode. In the generic form,
which leaves nothing out, all three must be equal, names in locations included. mlir-opt's
--verify-roundtrip would do less: it reads bytecode back unaligned, which weights
do not allow, and takes elided weights for a difference.
"""

import os
import re
import subprocess
import sys

BYTECODE = b"ML\xefR"
SEPARATOR = b"// -----"
SPLIT = ["--split-input-file", "--output-split-marker=" + SEPARATOR.decode()]
STATUS = 3  # of this script's own failures; the tools end with 0, 1 or 2
GENERIC = ["--mlir-print-op-generic", "--mlir-print-debuginfo"]
CUSTOM = ["--mlir-print-debuginfo"]
ALIAS = re.compile(rb"^(#loc\d*) = loc\((.*)\)\n", re.M)
# What is written with these is no IR, or not all of it.
OTHER_OUTPUT = ("--export-plan", "--help", "--show-dialects", "--version", "--list-passes")


class Different(Exception):
    """IR that did not survive; its text says where."""


def opt(tool, data, options):
    # Bytecode may hold anything, a separator too.
    split = [] if data.startswith(BYTECODE) or "--emit-bytecode" in options else SPLIT
    done = subprocess.run([tool, "-", *options, *split], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise Different(f"snug-opt {' '.join(options)} cannot read it back:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def generic_forms(tool, data):
    """The generic form of each part, with every operation's location written out.

    Where something stands in a file is replaced by the word position: in another
    file it stands elsewhere. Block arguments lose their locations, which the
    syntax of a fused group leaves out: nothing reads them.
    """
    return [spelled_out(part) for part in opt(tool, data, GENERIC).split(SEPARATOR)]


def spelled_out(text):
    aliases = dict(ALIAS.findall(text))

    def location(alias):
        return re.sub(rb"#loc\d*", lambda inner: location(inner[0]), aliases.get(alias, alias))

    lines = []
    for line in ALIAS.sub(b"", text).strip().split(b"\n"):
        if line.lstrip().startswith(b"^bb"):
            line = re.sub(rb" loc\([^()]*\)", b"", line)
        line = re.sub(rb"loc\((#loc\d*)\)", lambda use: b"loc(" + location(use[1]) + b")", line)
        lines.append(re.sub(rb'"[^"]*":\d+:\d+', b"position", line))
    return b"\n".join(lines)


def first_difference(left, right):
    for number, (a, b) in enumerate(zip(left.splitlines(), right.splitlines()), 1):
        if a != b:
            return f"line {number}:\n  {a.decode(errors='replace')[:400]}\n  {b.decode(errors='replace')[:400]}"
    return "one is longer"


def check(tool, data, what):
    """Raises Different unless `data`, bytecode or text of any parts, survives both ways."""
    generic = generic_forms(tool, data)
    # Bytecode holds one module.
    parts = [data] if data.startswith(BYTECODE) else data.split(SEPARATOR)
    ways = {
        "text": generic_forms(tool, opt(tool, data, CUSTOM)),
        "bytecode": [form for part in parts for form in generic_forms(tool, opt(tool, part, ["--emit-bytecode"]))],
    }
    for way, again in ways.items():
        if len(again) != len(generic):
            raise Different(f"{what} has {len(generic)} parts, but {len(again)} after a round trip through {way}")
        for before, after in zip(generic, again):
            if before != after:
                raise Different(f"{what} differs after a round trip through {way}, {first_difference(before, after)}")


def value_of(arguments, option):
    """The value of an option, whether it stands behind a blank or an equals sign."""
    for number, argument in enumerate(arguments):
        if argument == option:
            return arguments[number + 1]
        if argument.startswith(option + "="):
            return argument[len(option) + 1:]
    return None


def main():
    opt_tool, tool, *arguments = sys.argv[1:]
    output = value_of(arguments, "-o")
    skipped = {output}
    files = [a for a in arguments if not a.startswith("-") and a not in skipped and os.path.isfile(a)]
    source = None if files else sys.stdin.buffer.read()
    done = subprocess.run([tool, *arguments], input=source, stdin=subprocess.DEVNULL if source is None else None,
                          stdout=subprocess.PIPE, check=False)
    sys.stdout.buffer.write(done.stdout)
    sys.stdout.buffer.flush()
    # Tests of errors hold what cannot be parsed.
    if done.returncode != 0 or any(a.startswith(("--verify-diagnostics", *OTHER_OUTPUT)) for a in arguments):
        return done.returncode
    try:
        if tool == opt_tool:
            if files:
                with open(files[0], "rb") as file:
                    source = file.read()
            check(opt_tool, source, "what was read")
        result = done.stdout
        if output and output != "-" and os.path.isfile(output):
            with open(output, "rb") as file:
                result = file.read()
        if result:
            check(opt_tool, result, "what was written")
    except Different as different:
        print(f"round trip: error: {different}", file=sys.stderr)
        return STATUS
    return 0


if __name__ == "__main__":
    sys.exit(main())
