# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of tools/zoo/zoo."""

import argparse
import json
import os
import re
import sys

from snug_zoo.catalogue import DEFAULT_OPSET, DEFAULT_SEED, NETWORKS, build, results_of
from snug_zoo.graph import FLOAT_BYTES, NEWEST_OPSET, OLDEST_OPSET, ZooError


def size_argument(text):
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size; write 416 or 416x320 (height x width)")
    return int(match[1]), int(match[2] or match[1])


def positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive whole number")
    return int(text)


def factor(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 16.0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a factor above 0 and at most 16")
    return value


def parser():
    p = argparse.ArgumentParser(prog="zoo", description="Writes a network of the model zoo as an ONNX file, with seeded "
                                "weights. Its input is named input, its output output, or output0, output1, ... where there are several.")
    p.add_argument("name", nargs="?", metavar="NAME", help="the network, see --list")
    p.add_argument("-o", "--output", metavar="FILE.onnx", help="where to write it")
    p.add_argument("--size", type=size_argument, metavar="N|HxW", help="height and width of the input")
    p.add_argument("--batch", type=positive, metavar="N", help="images in the input")
    p.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N", help="of the weights (%(default)s)")
    p.add_argument("--width", type=factor, metavar="W", help="factor of the channels, of networks that are published in several widths")
    p.add_argument("--cell", type=int, metavar="N", help="of a network that is one of a search space")
    p.add_argument("--opset", type=int, metavar="N",
                   help=f"ONNX opset, {OLDEST_OPSET} to {NEWEST_OPSET} ({DEFAULT_OPSET}, or the oldest that has the network's operators)")
    p.add_argument("--list", action="store_true", help="list the networks, with multiply-accumulates and bytes of weights")
    p.add_argument("--json", action="store_true", help="with --list: as JSON")
    return p


def listing():
    rows = []
    for name, network in NETWORKS.items():
        counted, result = build(name, weights=False)
        rows.append({
            "name": name,
            "input": list(counted.input.shape),
            "output": list(results_of(result)[0].shape),
            "outputs": len(results_of(result)),
            "layers": len(counted.layer_shapes),
            "macs": counted.macs,
            "weight_bytes": counted.parameters * FLOAT_BYTES,
            "about": network.about,
        })
    return rows


def print_listing(as_json):
    rows = listing()
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'network':<19} {'input':<14} {'output':<13} {'layers':>6} {'MMAC':>9} {'weights MB':>10}")
    for r in rows:
        shapes = ["x".join(map(str, r[k])) for k in ("input", "output")]
        print(f"{r['name']:<19} {shapes[0]:<14} {shapes[1]:<13} {r['layers']:>6} {r['macs'] / 1e6:>9.1f} "
              f"{r['weight_bytes'] / 1e6:>10.2f}  {r['about']}".rstrip())


def main():
    p = parser()
    arguments = p.parse_args()
    if arguments.list:
        print_listing(arguments.json)
        return 0
    if not arguments.name or not arguments.output:
        p.error("give a NAME and -o FILE.onnx, or --list")
    if arguments.name not in NETWORKS:
        print(f"zoo: error: no network '{arguments.name}' in the zoo; it has {', '.join(NETWORKS)}", file=sys.stderr)
        return 1
    try:
        builder, result = build(arguments.name, arguments.size, arguments.batch, arguments.seed % 2**63, arguments.opset,
                                width=arguments.width, cell=arguments.cell)
    except ZooError as error:
        print(f"zoo: error: {error}", file=sys.stderr)
        return 1
    data = builder.model(result).SerializeToString(deterministic=True)
    partial = f"{arguments.output}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, arguments.output)
    except OSError as error:
        print(f"zoo: error: {arguments.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader of --list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
