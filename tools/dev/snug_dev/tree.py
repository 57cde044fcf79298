# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The files that lint reads: kinds of files, and their text."""

import os

from snug_dev import common

CXX = (".cpp", ".h", ".c", ".inc")
SOURCE = CXX + (".td", ".py", ".fbs", ".cmake", ".in")


def absolute(path):
    return os.path.join(common.ROOT, path)


def read(path):
    with open(absolute(path), encoding="utf-8") as file:
        return file.read()


def is_shell(path):
    # Scripts without an ending, and what they source.
    if path.endswith(".sh"):
        return True
    if "." in os.path.basename(path):
        return False
    with open(absolute(path), "rb") as file:
        return file.readline().startswith((b"#!/bin/bash", b"#!/bin/sh"))


def is_source(path):
    return path.endswith(SOURCE) or os.path.basename(path) == "CMakeLists.txt" or is_shell(path)


def numbered(path):
    return enumerate(read(path).splitlines(), 1)
