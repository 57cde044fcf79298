#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the small ONNX models of one group of import tests into a folder.

usage: make.py GROUP FOLDER

Each model is one function, named after its file. Initializers hold 0, 1, 2, ...
unless a test is about their numbers.
"""

import os
import sys

sys.dont_write_bytecode = True

import accepted
import accepted_more  # noqa: F401 (its functions register themselves)
import refused  # noqa: F401 (its functions register themselves)
from builder import GROUPS


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in GROUPS:
        sys.exit(__doc__ + "\ngroups: " + " ".join(GROUPS))
    group, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for function in GROUPS[group]:
        content = function()
        if not isinstance(content, bytes):
            content = content.SerializeToString()
        with open(os.path.join(folder, function.__name__ + ".onnx"), "wb") as handle:
            handle.write(content)
    if group == "external":
        accepted.external_files(folder)


if __name__ == "__main__":
    main()
