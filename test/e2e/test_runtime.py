# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The runtime as a project of its own."""

import os
import shutil

from harness import ROOT, check, fresh_folder, run, test


@test("runtime/configures alone, with nothing of the compiler")
def _():
    folder = fresh_folder("runtime")
    # A copy: what lies beside the folder in the project must not be needed.
    copy = os.path.join(folder, "runtime")
    shutil.copytree(os.path.join(ROOT, "runtime"), copy)
    done = run(["cmake", "-G", "Ninja", "-S", copy, "-B", os.path.join(folder, "build"), "-DSNUG_RUNTIME_TESTS=OFF",
                "-DCMAKE_DISABLE_FIND_PACKAGE_LLVM=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_MLIR=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_Protobuf=ON"])
    check(done.status == 0, f"exit status {done.status}\n{done.tail(8)}")
    shutil.rmtree(folder)
