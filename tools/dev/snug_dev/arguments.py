# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values of command lines, as argparse takes them."""

import argparse


def names(text):
    return text.split(",")


def positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive whole number")
    return int(text)


def positives(text):
    return [positive(word) for word in names(text)]
