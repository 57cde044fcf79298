#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares two .npy files: largest difference over largest magnitude. Arguments: file, file, limit."""
import sys

import numpy

first, second, limit = numpy.load(sys.argv[1]), numpy.load(sys.argv[2]), float(sys.argv[3])
if first.shape != second.shape:
    sys.exit(f"shapes differ: {first.shape} and {second.shape}")
worst = abs(first - second).max() / abs(second).max()
if not worst <= limit:
    sys.exit(f"values differ by {worst:g} of their scale, the limit is {limit:g}")
