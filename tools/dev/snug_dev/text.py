# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Figures as text, for the documents."""


def megabytes(value):
    return f"{value / 1e6:.2f}"


def counted(count, noun):
    """`1 thread`, `2 threads`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]
