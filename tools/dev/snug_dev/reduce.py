# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/reduce: makes an ONNX model smaller while a command still fails on it the same way.

    tools/dev/reduce model.onnx -o small.onnx --expect "memory budget" -- build/bin/snug compile {} -o /dev/null --memory-budget=1MiB

{} stands for the model. The command must fail (or crash) and print what
--expect says; nodes are cut off at the end, then at the beginning, then taken
out one by one, for as long as that holds. Extents between nodes come from
ONNX's shape inference; input extents that the model leaves open must be fixed
before. What remains belongs into test/Regression.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import onnx
from onnx import helper, shape_inference

from snug_dev.common import die, say

TIMEOUT = 120  # seconds of one attempt


def arguments():
    p = argparse.ArgumentParser(prog="tools/dev/reduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", metavar="MODEL.onnx")
    p.add_argument("-o", "--output", required=True, metavar="FILE", help="where the smaller model goes")
    p.add_argument("--expect", default="", metavar="TEXT", help="what the command prints where it fails as it should")
    p.add_argument("--no-setup", action="store_true", help="install nothing")
    p.add_argument("command", nargs="+", help="the command behind --, with {} for the model")
    return p.parse_args()


def fails(model, options):
    """Whether the command fails on this model and prints what it should."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        onnx.save(model, path)
        argv = [a.replace("{}", path) for a in options.command]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            return False
    return done.returncode != 0 and options.expect in done.stdout.decode(errors="replace")


def part(model, types, kept):
    """The model with these nodes alone; None where an extent that a new input needs is unknown."""
    nodes = [model.graph.node[i] for i in kept]
    made = {name for n in nodes for name in n.output}
    read = [name for n in nodes for name in n.input if name]
    constants = {t.name for t in model.graph.initializer} | {t.values.name for t in model.graph.sparse_initializer}
    inputs = list(dict.fromkeys(name for name in read if name not in made and name not in constants))
    last = list(dict.fromkeys(name for n in nodes for name in n.output[:1] if name not in read))
    if any(name not in types for name in inputs) or not inputs or not last:
        return None
    smaller = onnx.ModelProto()
    smaller.CopyFrom(model)
    graph = smaller.graph
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.input.extend(types[name] for name in inputs)
    graph.output.extend(types.get(name, helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)) for name in last)
    graph.initializer.extend(t for t in model.graph.initializer if t.name in read)
    return smaller


def types_of(model):
    """What is known of each tensor, by name."""
    inferred = shape_inference.infer_shapes(model).graph
    return {v.name: v for v in [*inferred.value_info, *inferred.output, *inferred.input]}


def reduce(model, options):
    types = types_of(model)
    kept = list(range(len(model.graph.node)))

    def attempt(candidate):
        nonlocal kept
        smaller = part(model, types, candidate) if candidate else None
        if smaller is None or not fails(smaller, options):
            return False
        kept = candidate
        say(f"{len(kept)} nodes")
        return True

    for cut in (lambda nodes, n: nodes[:-n], lambda nodes, n: nodes[n:]):
        step = len(kept) // 2
        while step:
            if not attempt(cut(kept, step)):
                step //= 2
            step = min(step, len(kept) - 1)
    for index in list(kept):
        attempt([i for i in kept if i != index])
    return part(model, types, kept)


def main():
    options = arguments()
    try:
        model = onnx.load(options.model)
    except Exception as error:  # of protobuf, of the system, of the missing external data
        die("tools/dev/reduce", f"cannot read '{options.model}': {error}")
    if not fails(model, options):
        die("tools/dev/reduce", f"the command does not fail on '{options.model}'" + (f" with '{options.expect}'" if options.expect else ""))
    smaller = reduce(model, options)
    if smaller is None:
        die("tools/dev/reduce", "nothing can be left out: extents of the model's tensors are not known")
    onnx.save(smaller, options.output)
    say(f"{options.output}: {len(smaller.graph.node)} of {len(model.graph.node)} nodes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
