# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tools/dev/lint: every check finds its fault in a tree that has just that one."""

import os
import shutil

from harness import check, fresh_folder, test
from snug_dev import bench, common, lint, lint_code

HEAD = "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n// For a test of lint.\n"
SCRIPT = "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n# For a test of lint.\n"
PASS = HEAD + '''
def FoldThingPass : Pass<"snug-fold-thing", "func::FuncOp"> {
  let description = [{
    Requires: something.

    Guarantees: something.

    Fails when: never.

    Example:

    ```mlir
    %0 = snug.identity %x : tensor<1xf32>
    ```
  }];
}
'''
RUNTIME = '''# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
cmake_minimum_required(VERSION 3.10)
set(CMAKE_CXX_STANDARD 14)
set(CMAKE_CXX_EXTENSIONS OFF)
add_compile_options(-Wpedantic)
'''
API = HEAD.replace("// ", "/* ", 1).replace("exception\n", "exception */\n").replace("// For a test of lint.", "/* For a test of lint. */") + '''
typedef struct snug_run_options {
  size_t size;
} snug_run_options;
void snug_run_options_init(snug_run_options *options);
snug_status snug_plan_load(const char *path, snug_plan **out_plan);
void snug_plan_release(snug_plan *plan);
'''
GOOD = {
    "passes/FoldThing/FoldThing.td": PASS,
    "passes/FoldThing/FoldThing.h": HEAD,
    "passes/FoldThing/FoldThing.cpp": HEAD + '#define DEBUG_TYPE "snug-fold-thing"\n',
    "passes/FoldThing/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\nadd_snug_pass(FoldThing)\n",
    "test/passes/snug-fold-thing.mlir": "// RUN: snug-opt %s --snug-fold-thing\n%1 = snug.identity %y : tensor<1xf32>\n",
    "test/Dialect/Snug/ops.mlir": "// RUN: snug-opt %s\n",
    "test/unit/Planner/ValidatorTest.cpp": HEAD + 'const char *expected = "what is wrong with it";\n',
    "lib/Planner/Validator.cpp": HEAD + '#include "snug/Planner/Allocation.h"\n\nError find() { return Error{"what is wrong with it"}; }\n',
    "lib/Planner/Search.cpp": HEAD + '#include "snug/Planner/Search.h"\n',
    "lib/Planner/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\nadd_snug_library(SnugPlanner Search.cpp)\n",
    "lib/Import/ONNX/Nodes.cpp": HEAD,
    "lib/Analysis/Sizes.cpp": HEAD + "int64_t bytes = 0;\n",
    "lib/Reference/Execute.cpp": HEAD + "void run(cnn::IdentityOp op);\n",
    "include/snug/Dialect/Snug/SnugOps.td": HEAD + 'def Snug_IdentityOp : Snug_Op<"identity">;\n',
    "runtime/CMakeLists.txt": RUNTIME,
    "runtime/include/snug/runtime/runtime.h": API,
    "runtime/src/core/Plan.cpp": HEAD + "#include <vector>\n",
    "tools/dev/llvm-version.txt": "22\n",
    "tools/dev/requirements.txt": "numpy==2.4.6\n",
    "docs/Dependencies.md": "| NumPy | 2.4.6 | BSD-3-Clause |\n",
    "docs/Charter.md": "# Charter\n\nSee [the passes](../passes/FoldThing/FoldThing.td).\n",
    **{"tools/dev/" + name: SCRIPT for name in lint_code.COMMANDS},
}
API_FILE = "runtime/include/snug/runtime/runtime.h"
TD = "passes/FoldThing/FoldThing.td"
# Check, file, its text (or nothing: no such file), a word that the fault has.
BAD = [
    ("folders", "lib/Planner/Search.cpp", HEAD + '#include "mlir/IR/Builders.h"\n', "mlir/IR/Builders.h"),
    ("folders", "runtime/src/core/Plan.cpp", HEAD + '#include "snug/Network/Network.h"\n', "snug/Network/Network.h"),
    ("folders", "lib/Analysis/Sizes.cpp", HEAD + "#include <google/protobuf/message.h>\n", "protobuf types stay"),
    ("folders", "lib/Reference/Execute.cpp", HEAD + '#include "snug/Planner/Search.h"\n', "may not be known here"),
    ("folders", "passes/FoldThing/FoldThing.h", HEAD + '#include "snug/Import/ONNX.h"\n', "may not be known here"),
    ("passes", "passes/FoldThing/FoldThing.h", None, "FoldThing.h is missing"),
    ("passes", "test/passes/snug-fold-thing.mlir", None, "snug-fold-thing.mlir is missing"),
    ("passes", TD, PASS.replace("Fails when", "Fails if"), "no part 'Fails when'"),
    ("passes", TD, PASS.replace('"snug-fold-thing"', '"snug-thing"'), "it should be snug-fold-thing"),
    ("passes", TD, PASS.replace("def FoldThingPass", "def FoldThing"), "its name should be FoldThingPass"),
    ("passes", TD, PASS.replace("snug.identity %x", "snug.dropout %x"), "snug.dropout"),
    ("passes", "passes/FoldThing/FoldThing.cpp", HEAD, "DEBUG_TYPE is not defined"),
    ("passes", "passes/FoldThing/CMakeLists.txt", "# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n", "add_snug_pass"),
    ("passes", "lib/Analysis/Sizes.cpp", HEAD + "struct P : Pass" + "Wrapper<P> {};\n", "is used"),
    ("estimates", "lib/Analysis/Sizes.cpp", HEAD + "void f(Operation *op) { op->erase(); }\n", "erase"),
    ("estimates", "passes/AnnotateThing/AnnotateThing.cpp", HEAD + "void f(IRRewriter &r);\n", "IRRewriter"),
    ("estimates", "lib/Planner/CMakeLists.txt", "add_snug_library(SnugPlanner Search.cpp MLIR)\n", "MLIR"),
    ("validator", "lib/Planner/Validator.cpp", GOOD["lib/Planner/Validator.cpp"] + '#include "Packing.h"\n', "Packing.h"),
    ("validator", "lib/Planner/Search.cpp", HEAD + '#include "Validator.h"\n', "includes the validator"),
    ("validator", "test/unit/Planner/ValidatorTest.cpp", None, "ValidatorTest.cpp is missing"),
    ("quantities", "lib/Analysis/Sizes.cpp", HEAD + "int weightBytes = 0;\n", "bytes are int64_t"),
    ("quantities", "lib/Planner/Search.cpp", HEAD + "std::unordered_map<int, int> seen;\n", "order differs"),
    ("quantities", "lib/Analysis/Sizes.cpp", HEAD + "int f() { return rand(); }\n", "equal bytes"),
    ("messages", "lib/Analysis/Sizes.cpp", HEAD + 'Error f() { return Error{"What is wrong with it"}; }\n', "capital letter"),
    ("messages", "lib/Analysis/Sizes.cpp", HEAD + 'Error f() { return Error{"what is wrong with it."}; }\n', "full stop"),
    ("messages", "lib/Analysis/Sizes.cpp", HEAD + 'Error f() { return Error{"a size that nobody ever tested"}; }\n', "no test has the message"),
    ("input", "lib/Import/ONNX/Nodes.cpp", HEAD + "void f(int n) { assert(n > 0); }\n", "assert"),
    ("input", "runtime/src/core/Plan.cpp", HEAD + "void f() { abort(); }\n", "abort"),
    ("tests", "test/passes/snug-unknown.mlir", "// RUN: snug-opt %s\n", "no pass of that flag"),
    ("tests", "test/Dialect/Snug/misc.mlir", "// RUN: snug-opt %s\n", "tests of a dialect"),
    ("tests", "test/Dialect/Snug/ops.mlir", "// RUN: snug-opt --canonicalize %s\n", "begin with the tool"),
    ("tests", "test/Dialect/Snug/ops.mlir", "// RUN: snug-opt %s -canonicalize\n", "single dash"),
    ("tests", "test/unit/Elsewhere/SomeTest.cpp", HEAD, "no lib/Elsewhere"),
    ("reference", "lib/Reference/Execute.cpp", HEAD, "IdentityOp is not executed"),
    ("c-api", API_FILE, API.replace("void snug_plan_release", "int snug_plan_release"), "return nothing"),
    ("c-api", API_FILE, API.replace("snug_plan **out_plan", "snug_plan **plan"), "begin with out_"),
    ("c-api", API_FILE, API.replace("const char *path, snug_plan **out_plan", "snug_plan **out_plan, const char *path"), "not the last"),
    ("c-api", API_FILE, API.replace("  size_t size;", "  int threads;"), "does not begin with its size"),
    ("runtime", "runtime/CMakeLists.txt", RUNTIME.replace("3.10", "3.22"), "CMake 3.10"),
    ("runtime", "runtime/CMakeLists.txt", RUNTIME + "find_package(LLVM)\n", "outside"),
    ("runtime", "runtime/src/core/Plan.cpp", HEAD + "#include <optional>\n", "newer than C++14"),
    ("commands", "tools/dev/demo", None, "tools/dev/demo is missing"),
    ("commands", "tools/dev/requirements.txt", "numpy>=2\n", "does not pin"),
    ("dependencies", "tools/dev/requirements.txt", "numpy==2.4.7\n", "numpy 2.4.7 is not in"),
    ("length", "docs/Charter.md", "x\n" * 900, "the limit is 800"),
    ("heads", "lib/Analysis/Sizes.cpp", "// Sizes.\n", "not the SPDX line"),
    ("heads", "lib/Analysis/Sizes.cpp", HEAD.splitlines()[0] + "\nint x;\n", "does not tell the purpose"),
    ("markers", "docs/Charter.md", "TO" + "DO: all of it\n", "a note for later"),
    ("markers", "docs/Charter.md", "see /ho" + "me/me/notes\n", "absolute path"),
    ("whitespace", "docs/Charter.md", "text \n", "trailing blanks"),
    ("whitespace", "docs/Charter.md", "text", "one line feed"),
    ("scripts", "tools/dev/build", SCRIPT + "if then\n", "tools/dev/build"),
    ("scripts", "tools/dev/tool.py", "def f(:\n", "tool.py"),
    ("links", "docs/Charter.md", "[gone](Nothing.md)\n", "Nothing.md does not exist"),
    ("measurements", "docs/measurements/overhead.json", "{}\n", "run tools/dev/bench report"),
    ("format", "lib/Analysis/Sizes.cpp", HEAD + "int   x ;\n", "clang-format"),
]


def write(folder, files):
    for path, text in files.items():
        if text is None:
            continue
        absolute = os.path.join(folder, path)
        os.makedirs(os.path.dirname(absolute), exist_ok=True)
        with open(absolute, "w", encoding="utf-8") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(absolute, 0o755)


def faults(folder, files, name):
    """What a check finds in the tree; lint's own root is that tree meanwhile."""
    root = common.ROOT
    common.ROOT = bench.ROOT = folder
    try:
        return list(lint.CHECKS[name](sorted(files)))
    finally:
        common.ROOT = bench.ROOT = root


@test("lint/a good tree has no faults")
def _():
    folder = fresh_folder("lint")
    write(folder, GOOD)
    for name in lint.CHECKS:
        found = faults(folder, GOOD, name)
        check(not found, f"{name}: {found}")
    shutil.rmtree(folder)


def bad_body(name, path, text, word):
    def body():
        folder = fresh_folder("lint")
        files = {**GOOD, path: text}
        files = {p: t for p, t in files.items() if t is not None}
        write(folder, files)
        found = faults(folder, files, name)
        check(found and any(word in fault for fault in found), f"'{word}' is not among the faults {found}")
        shutil.rmtree(folder)
    return body


for number, (kind, place, content, expected) in enumerate(BAD):
    test(f"lint/{kind}: {expected} ({number})")(bad_body(kind, place, content, expected))


@test("lint/every check has its violation")
def _():
    missing = set(lint.CHECKS) - {name for name, *_ in BAD}
    check(not missing, f"no tree violates {sorted(missing)}")
