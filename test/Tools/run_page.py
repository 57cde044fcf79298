#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the examples of a document and compares what they print. Arguments: document, folder to work in, build folder.

A fenced block that begins with `// <name>.mlir` is that file. A block of `sh` is
a command; the block that follows it is what it prints, letter by letter. `build`
in a command is the build folder.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys

page, folder, build = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.M | re.S)
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
os.symlink(os.path.abspath(build), os.path.join(folder, "build"))

commands = 0
waiting = None
for language, text in blocks:
    name = re.match(r"// ([\w-]+\.mlir)\n", text)
    if waiting is not None:
        done = subprocess.run(["bash", "-c", waiting], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, text=True)
        found = [line.rstrip() for line in done.stdout.strip().splitlines()]
        expected = text.strip().splitlines()
        if found != expected:
            sys.exit("\n".join([f"{page}: {waiting.strip()}", *difflib.unified_diff(expected, found, "document", "command", lineterm="")]))
        waiting = None
        commands += 1
    elif language == "sh":
        waiting = text
    elif name:
        with open(os.path.join(folder, name[1]), "w", encoding="utf-8") as file:
            file.write(text)
if waiting is not None or commands == 0:
    sys.exit(f"{page}: no output stands behind {waiting or 'any command'}")
print(f"{commands} examples")
