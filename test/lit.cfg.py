# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# lit configuration of the IR tests; lit.site.cfg.py (made by CMake) gives paths.
# SNUG_ROUND_TRIP=1 in the environment makes every snug-opt and snug-translate
# verify that IR survives printing and parsing, see round_trip.py.

import os
import sys

import lit.formats

config.name = "snug"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs", "e2e", "unit"]
config.test_source_root = os.path.dirname(__file__)

round_trip = []
if os.environ.get("SNUG_ROUND_TRIP"):
    round_trip = [sys.executable, os.path.join(config.test_source_root, "round_trip.py"), os.path.join(config.snug_binaries, "snug-opt")]
for name, folder, prefix in [
    ("snug-opt", config.snug_binaries, round_trip),
    ("snug-translate", config.snug_binaries, round_trip),
    ("snug-run", config.snug_binaries, []),
    ("snug-planner", config.snug_binaries, []),
    ("snug", config.snug_binaries, []),
    ("mlir-opt", config.llvm_tools, []),
    ("FileCheck", config.llvm_tools, []),
    ("split-file", config.llvm_tools, []),
    ("count", config.llvm_tools, []),
    ("not", config.llvm_tools, []),
]:
    # Whole words only, neither in a path, nor in an option, nor in a file's name.
    config.substitutions.append((r"(?<![-\w./%])" + name + r"(?![-\w./])", " ".join([*prefix, os.path.join(folder, name)])))
config.substitutions.append(("%docs", os.path.join(config.snug_source, "docs")))
config.substitutions.append(("%build", os.path.dirname(config.snug_binaries)))
config.substitutions.append(("%plugin", os.path.join(config.snug_libraries, "SnugPlugin.so")))
config.substitutions.append(("%zoo", os.path.join(config.snug_source, "tools", "zoo", "zoo")))
config.substitutions.append(("%python", os.path.join(config.snug_source, "build", "python", "bin", "python")))

config.environment["PATH"] = os.pathsep.join([config.snug_binaries, config.llvm_tools, os.environ.get("PATH", "")])
# ccache, pip and others want a home; tests must not depend on what lies in it.
config.environment["HOME"] = config.test_exec_root
