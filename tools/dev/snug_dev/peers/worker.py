# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One peer, one network, one process: answers each line of its input with a line of JSON.

    worker.py run ENGINE FILE THREADS INPUT.npy   loads, answers with {"version", "load_seconds"}; then
        times N     one run that is not timed, then N that are: {"latency_us": [...], "peak_bytes"}
        save FILE   writes the last result as .npy: {}
    worker.py idle ENGINE                         imports what the engine needs: {"peak_bytes"}
    worker.py convert ENGINE MODEL.onnx FILE 1x3x8x8   makes the engine's own file, for that input: {}

An error is {"error": text}.
"""

import importlib
import json
import os
import sys
import time

import numpy as np

from snug_dev.peers.engines import ENGINES, MODULES


def peak_bytes():
    """VmHWM of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def serve(engine, path, threads, source, answer):
    values = np.load(source)
    start = time.perf_counter()
    version = engine.load(path, threads)
    load_seconds = time.perf_counter() - start
    if hasattr(engine, "prepare"):
        values = engine.prepare(values)
    answer({"version": version, "load_seconds": round(load_seconds, 4)})
    result = None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "times":
            engine.run(values)
            latencies = []
            for _ in range(int(rest)):
                start = time.perf_counter()
                result = engine.run(values)
                latencies.append(round(1e6 * (time.perf_counter() - start), 1))
            answer({"latency_us": latencies, "peak_bytes": peak_bytes()})
        else:
            np.save(rest, engine.finish(result))
            answer({})


def main():
    # Engines print what they like; answers go where nothing else does.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    mode, kind, *rest = sys.argv[1:]
    engine = ENGINES[kind]()
    try:
        if mode == "idle":
            importlib.import_module(MODULES[kind])
            answer({"peak_bytes": peak_bytes()})
        elif mode == "convert":
            model, target, shape = rest
            engine.convert(model, target, [int(n) for n in shape.split("x")])
            answer({})
        else:
            path, threads, source = rest
            serve(engine, path, int(threads), source, answer)
    except Exception as error:  # whatever a package raises is the reason why it is skipped
        answer({"error": f"{type(error).__name__}: {error}"})
    os._exit(0)  # some packages hang in their destructors


if __name__ == "__main__":
    main()
