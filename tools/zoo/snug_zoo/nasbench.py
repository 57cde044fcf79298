# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks of NAS-Bench-201 (Dong and Yang 2020) for CIFAR-10: 15,625 cells, each a network of 15 of them."""

from snug_zoo.graph import ZooError

OPERATIONS = ["none", "skip", "convolution 1", "convolution 3", "average"]
NODES = 4
CELLS = len(OPERATIONS) ** (NODES * (NODES - 1) // 2)
LARGEST = sum(OPERATIONS.index("convolution 3") * len(OPERATIONS) ** edge for edge in range(NODES * (NODES - 1) // 2))
STAGES, CELLS_A_STAGE, CHANNELS, CLASSES = 3, 5, 16, 10


def normalized(b, x, channels, kernel, stride=1):
    return b.batch_norm(b.conv(b.relu(x), channels, kernel, stride=stride, pads=kernel // 2, bias=False))


def operation(b, kind, x):
    """An edge of a cell; nothing where it passes nothing on."""
    if kind == "none":
        return None
    if kind == "skip":
        return x
    if kind == "average":
        return b.average_pool(x, 3, 1, pads=1)
    return normalized(b, x, x.channels, int(kind.split()[1]))


def make_cell(b, x, number):
    """Each node is the sum of its edges from all nodes before it; the digits of `number` in base 5 are the operations."""
    nodes = [x]
    for node in range(1, NODES):
        total = None
        for before in range(node):
            number, kind = divmod(number, len(OPERATIONS))
            y = None if nodes[before] is None else operation(b, OPERATIONS[kind], nodes[before])
            total = y if total is None else total if y is None else b.add(total, y)
        nodes.append(total)
    return b.multiply(x, b.number(0.0)) if nodes[-1] is None else nodes[-1]


def reduction(b, x, channels):
    """The residual block between stages."""
    y = normalized(b, normalized(b, x, channels, 3, 2), channels, 3)
    return b.add(y, b.conv(b.average_pool(x, 2, 2), channels, 1, bias=False))


def nasbench201(b, x, cell=LARGEST):
    """Of the 15,625 networks of a search space the one of --cell, 0 to 15624; the largest."""
    if not 0 <= cell < CELLS:
        raise ZooError(f"there is no cell {cell}; they are numbered from 0 to {CELLS - 1}")
    x = b.batch_norm(b.conv(x, CHANNELS, 3, pads=1, bias=False))
    for stage in range(STAGES):
        if stage:
            x = reduction(b, x, CHANNELS << stage)
        for _ in range(CELLS_A_STAGE):
            x = make_cell(b, x, cell)
    x = b.relu(b.batch_norm(x))
    return b.gemm(b.flatten(b.global_average_pool(x)), CLASSES, gain=1.0)
