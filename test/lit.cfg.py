# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# lit configuration of the IR tests; lit.site.cfg.py (made by CMake) gives paths.
# SNUG_VERIFY_ROUND_TRIP=1 in the environment makes every snug-opt verify that
# its input survives printing and parsing.

import os

import lit.formats

config.name = "snug"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["CMakeLists.txt", "Inputs", "e2e", "unit"]
config.test_source_root = os.path.dirname(__file__)

round_trip = " --verify-roundtrip" if os.environ.get("SNUG_VERIFY_ROUND_TRIP") else ""
for name, folder, options in [
    ("snug-opt", config.snug_binaries, round_trip),
    ("snug-translate", config.snug_binaries, ""),
    ("snug-run", config.snug_binaries, ""),
    ("snug", config.snug_binaries, ""),
    ("FileCheck", config.llvm_tools, ""),
    ("split-file", config.llvm_tools, ""),
    ("count", config.llvm_tools, ""),
    ("not", config.llvm_tools, ""),
]:
    # Whole words only, neither in a path, nor in an option, nor in a file's name.
    config.substitutions.append((r"(?<![-\w./%])" + name + r"(?![-\w./])", os.path.join(folder, name) + options))
config.substitutions.append(("%zoo", os.path.join(config.snug_source, "tools", "zoo", "zoo")))
config.substitutions.append(("%python", os.path.join(config.snug_source, "build", "python", "bin", "python")))

config.environment["PATH"] = os.pathsep.join([config.snug_binaries, config.llvm_tools, os.environ.get("PATH", "")])
# ccache, pip and others want a home; tests must not depend on what lies in it.
config.environment["HOME"] = config.test_exec_root
