# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What cmake --install leaves: programs outside of the tree (test/consumer) find it, each component without the others."""

import os
import shutil

from harness import ROOT, check, fresh_folder, model, run, test
from snug_dev.common import BINARIES, tracked_files

BUILD = os.path.dirname(os.path.abspath(BINARIES))
IDENTITY = """func.func @main(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %0 = snug.identity %x : tensor<1x4x8x8xf32>
  %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return %1 : tensor<1x4x4x4xf32>
}
"""


def succeed(*argv, **options):
    done = run(argv, **options)
    check(done.status == 0, f"{' '.join(argv)}: exit status {done.status}\n{done.tail(20)}")
    return done.output


def install(folder, *components):
    """The components, or all there is; in a place that they were not made for."""
    prefix = os.path.join(folder, "installed")
    made = os.path.join(folder, "made")
    for component in components or [None]:
        succeed("cmake", "--install", BUILD, "--prefix", made, *(["--component", component] if component else []))
    os.rename(made, prefix)
    return prefix


def files_below(folder):
    return {os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names}


def consumer(folder, prefix, name, *options):
    """Configures and builds test/consumer/<name>; returns the folder of its binary."""
    binaries = os.path.join(folder, name)
    succeed("cmake", "-S", os.path.join(ROOT, "test", "consumer", name), "-B", binaries, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF", *options)
    succeed("cmake", "--build", binaries)
    return binaries


@test("install/the planner alone, without MLIR")
def _():
    folder = fresh_folder("install-planner")
    prefix = install(folder, "planner")
    headers = {os.path.basename(os.path.dirname(f)) for f in files_below(prefix) if f.endswith(".h")}
    check(headers == {"Network", "Planner"}, f"headers of {sorted(headers)} were installed")
    absent = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ("MLIR", "LLVM", "Protobuf", "nlohmann_json")]
    binary = os.path.join(consumer(folder, prefix, "planner", *absent), "place-buffers")
    found = succeed(binary)
    check(found == "peak 384, lower bound 384\n", found)
    libraries = succeed("ldd", binary)
    check("MLIR" not in libraries and "LLVM" not in libraries, libraries)
    # What is not there is said by name.
    for wanted, missing in (("compiler", "predict, runtime, compiler"), ("tools", "tools"), ("optimizer", "optimizer")):
        with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write(f"cmake_minimum_required(VERSION 3.22)\nproject(Wanting LANGUAGES CXX)\nfind_package(Snug REQUIRED COMPONENTS {wanted})\n")
        done = run(["cmake", "-S", folder, "-B", os.path.join(folder, wanted), "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + prefix])
        message = " ".join(done.output.split())
        check(done.status != 0 and f": {missing}; components are planner" in message, done.tail(20))
    shutil.rmtree(folder)


@test("install/the runtime alone")
def _():
    folder = fresh_folder("install-runtime")
    prefix = install(folder, "runtime")
    foreign = [f for f in files_below(prefix) if f.endswith(".h") and "/runtime/" not in f]
    check(not foreign, f"{foreign} are not the runtime's")
    owner = model("odd-deep")
    plan = os.path.join(folder, "net.snug")
    succeed(os.path.join(BINARIES, "snug"), "compile", owner.path, "-o", plan)
    found = succeed(os.path.join(consumer(folder, prefix, "runtime"), "describe-plan"), plan)
    check(" ran in " in found, found)
    succeed(os.path.join(prefix, "bin", "snug-run"), plan, "--random-inputs=1")
    shutil.rmtree(folder)


@test("install/all of it: a pass in a program, the tools, the plugin")
def _():
    folder = fresh_folder("install")
    prefix = install(folder)
    files = files_below(prefix)
    headers = {f for f in tracked_files() if f.startswith("include/snug/") and f.endswith((".h", ".td"))}
    check(headers <= files, f"{sorted(headers - files)} are not installed")
    for path in sorted(f for f in files if f.endswith((".cmake", ".h", ".td", ".inc"))):
        with open(os.path.join(prefix, path), encoding="utf-8") as file:
            check(ROOT not in file.read(), f"{path} names the folder that Snug was built in")
    small = os.path.join(folder, "small.mlir")
    with open(small, "w", encoding="utf-8") as file:
        file.write(IDENTITY)
    tools = os.path.join(prefix, "bin")
    expected = succeed(os.path.join(tools, "snug-opt"), small, "--snug-fold-identity")
    check("snug.identity" not in expected and "snug.max_pool2d" in expected, expected)
    found = succeed(os.path.join(consumer(folder, prefix, "passes"), "run-passes"), small)
    check(found.strip() == expected.strip(), f"the program prints\n{found}")
    (plugin,) = [os.path.join(prefix, f) for f in files if f.endswith("SnugPlugin.so")]
    found = succeed(os.path.join(llvm_tools(), "mlir-opt"), small, "--load-dialect-plugin=" + plugin, "--load-pass-plugin=" + plugin,
                    "--pass-pipeline=builtin.module(func.func(snug-fold-identity))")
    check(found.strip() == expected.strip(), f"mlir-opt prints\n{found}")
    plan = os.path.join(folder, "net.snug")
    succeed(os.path.join(tools, "snug"), "compile", model("odd-deep").path, "-o", plan)
    succeed(os.path.join(tools, "snug-run"), plan, "--random-inputs=1")
    # They hold what they need of MLIR; what loads plugins shares it with them.
    for tool, shares in (("snug", False), ("snug-translate", False), ("snug-opt", True)):
        needed = [l for l in succeed("readelf", "-d", os.path.join(tools, tool)).splitlines() if "(NEEDED)" in l]
        check(any("libMLIR" in l or "libLLVM" in l for l in needed) == shares, f"{tool} needs\n" + "\n".join(needed))
    shutil.rmtree(folder)


def llvm_tools():
    """The folder of LLVM's tools that this build was configured with."""
    with open(os.path.join(BUILD, "test", "lit.site.cfg.py"), encoding="utf-8") as file:
        (line,) = [l for l in file if l.startswith("config.llvm_tools")]
    return line.split('"')[1]
