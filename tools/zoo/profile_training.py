#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures training steps with PyTorch on the machine at hand, for `snug fit training`.

Takes ONNX networks for inference (of the zoo, or others), trains each for some
steps of SGD with momentum on random images (forward, cross entropy, backward,
update) at each batch size, and writes OUT/profiles.csv and OUT/models. Every
measurement runs in a process of its own; one that fails is recorded as such.
Needs PyTorch and onnx, which `pip install torch onnx` brings.

`latency_ms` is the median of some steps after one; `mem_used_mib` is the peak of
the process over its value before the network was built: resident memory on a
CPU, and on a GPU what its context and PyTorch's allocator take there.
"""

import argparse
import csv
import math
import os
import shutil
import statistics
import subprocess
import sys
import time

COLUMNS = ["network", "pruning_percent", "batch_size", "latency_ms", "mem_used_mib", "passed"]
STEPS, ENOUGH_SECONDS = 7, 20
MOMENTUM, DECAY, RATE = 0.9, 1e-4, 1e-3


def padding(images, inputs, given):
    """Top, left, bottom and right pads of a window, also where ONNX derives them."""
    automatic = given.get("auto_pad", b"NOTSET")
    if not automatic.startswith(b"SAME"):
        return given.get("pads", [0, 0, 0, 0]) if automatic != b"VALID" else [0, 0, 0, 0]
    pads = [0, 0, 0, 0]
    kernel = given.get("kernel_shape") or inputs[1].shape[2:]
    for axis, (size, window) in enumerate(zip(images.shape[2:], kernel)):
        stride = given.get("strides", [1, 1])[axis]
        reach = (window - 1) * given.get("dilations", [1, 1])[axis] + 1
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        pads[axis] = total // 2 if automatic == b"SAME_UPPER" else total - total // 2
        pads[axis + 2] = total - pads[axis]
    return pads


def build(path, torch):
    """A module that runs the graph as PyTorch would train it, and the shape of its input without the batch."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    graph, functional = model.graph, torch.nn.functional
    known = {}
    uses = {}
    for node in graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    initializers = {stored.name for stored in graph.initializer}
    (image,) = [i for i in graph.input if i.name not in initializers]
    shape = [d.dim_value for d in image.type.tensor_type.shape.dim][1:]

    def tensor(stored):
        """Not through NumPy, of which a PyTorch may want another version."""
        array = numpy_helper.to_array(stored)
        kinds = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "int32": torch.int32, "bool": torch.bool}
        return torch.frombuffer(bytearray(array.tobytes()), dtype=kinds[str(array.dtype)]).reshape(array.shape)

    def attributes(node):
        return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    known.update((stored.name, tensor(stored)) for stored in graph.initializer)
    # Weights of ONNX's light form are made of their shapes.
    nodes = []
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            known[node.output[0]] = torch.full(known[node.input[0]].tolist(), 0.01)
        elif node.op_type == "Constant":
            known[node.output[0]] = tensor(attributes(node)["value"])
        else:
            nodes.append((node, attributes(node)))
    producer = {name: node.op_type for node, _ in nodes for name in node.output}

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights, self.buffers_ = torch.nn.ParameterDict(), {}
            for node, _ in nodes:
                trained = {"Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2), "BatchNormalization": (1, 2), "PRelu": (1,)}.get(node.op_type, ())
                for index, name in enumerate(node.input):
                    if name in known and index in trained:
                        self.weights[self.key(name)] = torch.nn.Parameter(known[name].float())
                    elif name in known and name not in self.buffers_:
                        self.buffers_[name] = known[name]

        @staticmethod
        def key(name):
            return name.replace(".", "_dot_")

        def value(self, name, values):
            if name in values:
                return values[name]
            key = self.key(name)
            return self.weights[key] if key in self.weights else self.buffers_[name].to(next(iter(self.weights.values())).device)

        def forward(self, images):
            values = {image.name: images}
            left = dict(uses)
            for node, given in nodes:
                inputs = [self.value(name, values) if name else None for name in node.input]
                in_place = uses[node.input[0]] == 1 and producer.get(node.input[0]) not in (None, "Relu", "Clip", "LeakyRelu", "Sigmoid", "Softmax")
                made = self.run(node.op_type, inputs, given, in_place, len(node.output))
                values.update(zip(node.output, made if node.op_type == "Split" else [made]))
                del inputs, made
                for name in node.input:
                    left[name] = left.get(name, 1) - 1
                    if left[name] == 0:
                        values.pop(name, None)
            return values[graph.output[0].name]

        def run(self, kind, inputs, given, in_place, results):
            first = inputs[0]
            pads = padding(first, inputs, given) if kind in ("Conv", "MaxPool", "AveragePool") else given.get("pads", [0, 0, 0, 0])
            if kind in ("Conv", "MaxPool", "AveragePool") and pads[:2] != pads[2:]:
                low = [0, 0]
                first = functional.pad(first, [pads[1], pads[3], pads[0], pads[2]], value=float("-inf") if kind == "MaxPool" else 0.0)
            else:
                low = pads[:2]
            strides = given.get("strides", [1, 1])
            if kind == "Conv":
                return functional.conv2d(first, inputs[1], inputs[2] if len(inputs) > 2 else None, strides, low, given.get("dilations", [1, 1]),
                                         given.get("group", 1))
            if kind == "BatchNormalization":
                return functional.batch_norm(first, inputs[3].float(), inputs[4].float(), inputs[1], inputs[2], True, 0.1, given.get("epsilon", 1e-5))
            if kind == "Relu":
                return functional.relu(first, inplace=in_place)
            if kind == "LeakyRelu":
                return functional.leaky_relu(first, given.get("alpha", 0.01), inplace=in_place)
            if kind == "Clip":
                bounds = {"min": -math.inf, "max": math.inf, **{k: float(v) for k, v in zip(("min", "max"), inputs[1:]) if v is not None},
                          **{k: given[k] for k in ("min", "max") if k in given}}
                low, high = bounds["min"], bounds["max"]
                return functional.hardtanh(first, low, high, inplace=in_place)
            if kind == "MaxPool":
                return functional.max_pool2d(first, given["kernel_shape"], strides, low, ceil_mode=bool(given.get("ceil_mode", 0)))
            if kind == "AveragePool":
                return functional.avg_pool2d(first, given["kernel_shape"], strides, low, ceil_mode=bool(given.get("ceil_mode", 0)),
                                             count_include_pad=bool(given.get("count_include_pad", 0)))
            if kind == "ConvTranspose" and pads[:2] == pads[2:]:
                return functional.conv_transpose2d(first, inputs[1], inputs[2] if len(inputs) > 2 else None, strides, low,
                                                   given.get("output_padding", [0, 0]), given.get("group", 1), given.get("dilations", [1, 1]))
            if kind == "Resize" and given.get("mode") in (b"nearest", b"linear"):
                scales = inputs[2].tolist() if len(inputs) > 2 and inputs[2] is not None and inputs[2].numel() else None
                size = [int(extent * scale) for extent, scale in zip(first.shape[2:], scales[2:])] if scales else inputs[3].tolist()[2:]
                return functional.interpolate(first, size, mode="nearest" if given["mode"] == b"nearest" else "bilinear")
            if kind == "GlobalAveragePool":
                return functional.adaptive_avg_pool2d(first, 1)
            if kind == "Gemm":
                return functional.linear(first, inputs[1] if given.get("transB") else inputs[1].t(), inputs[2] if len(inputs) > 2 else None)
            if kind == "Flatten":
                return first.flatten(1)
            if kind == "Reshape":
                return first.reshape([len(first), *(extent or first.shape[axis] for axis, extent in enumerate(inputs[1].tolist()) if axis)])
            # The arithmetic of shapes in a view.
            if kind == "Shape":
                return torch.tensor(first.shape)
            if kind == "Gather":
                return torch.index_select(first, given.get("axis", 0), inputs[1].flatten()).reshape(
                    [*first.shape[:given.get("axis", 0)], *inputs[1].shape, *first.shape[given.get("axis", 0) + 1:]])
            if kind in ("Unsqueeze", "Squeeze"):
                axes = given["axes"] if "axes" in given else inputs[1].tolist()
                for axis in sorted(axes, reverse=kind == "Squeeze"):
                    first = first.unsqueeze(axis) if kind == "Unsqueeze" else first.squeeze(axis)
                return first
            if kind == "Transpose":
                return first.permute(given["perm"])
            if kind == "Split":
                parts = given.get("split") or (inputs[1].tolist() if len(inputs) > 1 else first.shape[given.get("axis", 0)] // results)
                return first.split(parts, given.get("axis", 0))
            if kind == "Concat":
                return torch.cat(inputs, given["axis"])
            if kind == "LRN":
                return functional.local_response_norm(first, given["size"], given["alpha"], given["beta"], given["bias"])
            if kind == "ReduceMean":
                return first.mean(given["axes"] if "axes" in given else inputs[1].tolist(), keepdim=bool(given.get("keepdims", 1)))
            simple = {"Add": torch.add, "Mul": torch.mul, "Sub": torch.sub, "Div": torch.div, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh,
                      "Identity": lambda x: x, "Dropout": lambda x, *_: functional.dropout(x), "Softmax": lambda x: x, "HardSwish": functional.hardswish,
                      "HardSigmoid": functional.hardsigmoid}
            if kind not in simple:
                raise SystemExit(f"profile_training: error: {path}: the operator {kind} is not known here")
            return simple[kind](*inputs)

    return Network(), shape


def resident_mib(field):
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024


def measure(path, batch, device):
    """Milliseconds of a step and MiB at the peak."""
    import torch

    torch.manual_seed(1)
    start = resident_mib("VmRSS")
    network, shape = build(path, torch)
    network = network.train().to(device)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    images = torch.rand([batch, *shape], device=device)
    with torch.no_grad():
        classes = network(images[:2]).flatten(1).shape[1] if batch > 1 else 2
    labels = torch.randint(classes, [batch], device=device)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images).flatten(1), labels).backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    step()
    times = []
    while len(times) < STEPS and (len(times) < 3 or sum(times) < ENOUGH_SECONDS):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    ms = 1000 * statistics.median(times)
    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        context = total - free - torch.cuda.memory_reserved()
        return ms, (context + torch.cuda.max_memory_reserved()) / 2**20
    return ms, resident_mib("VmHWM") - start


def main():
    p = argparse.ArgumentParser(prog="profile_training.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="+", help="ONNX networks; NAME_P.onnx is the network NAME at level P, others are at level 0")
    p.add_argument("-o", "--output", help="folder that is written")
    p.add_argument("--batches", default="2,4,8,16", help="batch sizes (%(default)s)")
    p.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="(%(default)s)")
    p.add_argument("--timeout", type=float, default=300, help="seconds that a measurement may take (%(default)s)")
    p.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.one:
        print(*measure(options.models[0], options.one, options.device))
        return
    if not options.output:
        p.error("-o is missing")
    os.makedirs(os.path.join(options.output, "models"), exist_ok=True)
    with open(os.path.join(options.output, "profiles.csv"), "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for path in options.models:
            network, _, level = os.path.basename(path).removesuffix(".onnx").rpartition("_")
            if not network or not level.isdigit():
                network, level = os.path.basename(path).removesuffix(".onnx"), "0"
            shutil.copy(path, os.path.join(options.output, "models", f"{network}_{level}.onnx"))
            for batch in options.batches.split(","):
                try:
                    done = subprocess.run([sys.executable, os.path.abspath(__file__), path, "--one", batch, "--device", options.device],
                                          capture_output=True, text=True, timeout=options.timeout, check=False)
                    passed, message = done.returncode == 0, done.stderr.strip().splitlines()[-1:]
                except subprocess.TimeoutExpired:
                    passed, message = False, ["takes too long"]
                figures = [f"{float(value):.3f}" for value in done.stdout.split()] if passed else ["", ""]
                table.writerow([network, level, batch, *figures, passed])
                file.flush()
                print(network, level, "batch", batch, *(figures if passed else message), flush=True)


if __name__ == "__main__":
    main()
