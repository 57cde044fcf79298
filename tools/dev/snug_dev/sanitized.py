# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds with sanitizers.

build-sanitize has AddressSanitizer and UndefinedBehaviorSanitizer, the tests
that need no MLIR, and the libFuzzer targets. It is built by clang, which takes
less time than GCC for instrumented code. MLIR's shared library is not
instrumented.

build-sanitize-thread has ThreadSanitizer and is built by GCC: clang's leaves no
room for a test's own allocation functions. Races show in the runtime's
conformance suite, which runs a plan on several threads, and since all kernels
have the same sources, in the portable ones as in others.
"""

import glob
import os
import shutil

from snug_dev.common import ROOT, run, run_visibly

MEMORY_BUILD = os.path.join(ROOT, "build-sanitize")
THREAD_BUILD = os.path.join(ROOT, "build-sanitize-thread")
THREAD_TESTS = ["snug-runtime-tests"]
FUZZ_TARGETS = ["plan", "onnx", "bytecode"]


def clang():
    """clang++ of the pinned version with libFuzzer; None and why there is none."""
    with open(os.path.join(ROOT, "tools", "dev", "llvm-version.txt"), encoding="utf-8") as file:
        version = file.readline().strip()
    path = shutil.which(f"clang++-{version}")
    if path is None:
        return None, f"clang++-{version} is missing; install clang-{version}"
    folder = run([path, "--print-resource-dir"]).output.strip()
    if not glob.glob(os.path.join(folder, "lib", "*", "libclang_rt.fuzzer-*")) and not glob.glob(os.path.join(folder, "lib", "*", "libclang_rt.fuzzer.a")):
        return None, f"libFuzzer is missing; install libclang-rt-{version}-dev"
    return path, ""


def build(folder, sanitizers, options, goals):
    """Builds `goals`, or all where there are none. Empty, or what went wrong."""
    configured = run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DSNUG_SANITIZE=" + sanitizers, "-DSNUG_RUN_STATIC=OFF",
                      "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -g1", *options])  # fmt: skip
    if configured.status != 0:
        return "cmake could not configure\n" + configured.tail()
    wanted = ["--target", *goals] if goals else []
    if run_visibly(["cmake", "--build", folder, "-j", str(os.cpu_count() or 1), *wanted]) != 0:
        return f"the build in {os.path.basename(folder)} failed, see above"
    return ""


def build_for_memory(goals=()):
    """The tests, or `goals`. Empty, or what went wrong."""
    cxx, problem = clang()
    if problem:
        return problem
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        runs_avx512 = "avx512f" in file.read()
    # Instrumented, the kernels of AVX-512 take half of all kernels' time: built where they can be run.
    options = ["-DCMAKE_CXX_COMPILER=" + cxx, "-DCMAKE_C_COMPILER=" + cxx.replace("clang++", "clang"),
               "-DSNUG_FUZZ=ON", "-DSNUG_AVX512_KERNELS=" + ("ON" if runs_avx512 else "OFF")]  # fmt: skip
    return build(MEMORY_BUILD, "address,undefined", options, goals)


def build_fuzz_targets(targets):
    """Empty, or what went wrong."""
    return build_for_memory(["snug-fuzz-" + t for t in targets] + [f"snug-fuzz-{t}-seeds" for t in targets if t != "onnx"])


def build_for_threads():
    """Empty, or what went wrong."""
    return build(THREAD_BUILD, "thread", ["-DSNUG_BUILD_COMPILER=OFF", "-DSNUG_PORTABLE_KERNELS_ONLY=ON"], THREAD_TESTS)
