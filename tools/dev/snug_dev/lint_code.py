# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of tools/dev/lint that read code: folders, passes, planner, messages, runtime."""

import os
import re

from snug_dev.tree import CXX, absolute, numbered, read

# Folder knowledge. For each folder: what it may include beyond the standard
# library and its own folder; the first folder that a path begins with counts.
# Tools and tests may include anything but what FOREIGN keeps to a few folders.
NETWORK = [r"snug/Network/"]
RUNTIME = [r"snug/runtime/", r"[A-Z]\w*\.h$", r"plan_generated\.h$", r"flatbuffers/", r"(\.\./)*(src/)?(core|cpu|catalogue|conformance)/"]
ALLOWED = [
    ("lib/Network/", NETWORK),
    ("include/snug/Network/", NETWORK),
    ("lib/Planner/", NETWORK + [r"snug/Planner/"]),
    ("include/snug/Planner/", NETWORK + [r"snug/Planner/"]),
    ("lib/Predict/", NETWORK + [r"snug/Predict/", r"nlohmann/"]),
    ("include/snug/Predict/", NETWORK + [r"snug/Predict/", r"nlohmann/json_fwd\.hpp$"]),
    ("test/unit/Network/", NETWORK + [r"gtest/", r"Network/"]),
    ("test/unit/Predict/", NETWORK + [r"snug/Predict/", r"gtest/", r"nlohmann/", r"Predict/"]),
    ("test/unit/Planner/", NETWORK + [r"snug/Planner/", r"gtest/", r"(Network|Planner)/"]),
    ("runtime/tools/", RUNTIME + [r"CLI/", r"nlohmann/", r"gtest/"]),
    ("runtime/conformance/", RUNTIME + [r"gtest/"]),
    ("runtime/benchmark/", RUNTIME + [r"nlohmann/"]),
    ("runtime/", RUNTIME),
    *[(root + folder, [r"(mlir|llvm)/", rf"snug/({'|'.join(headers)})/", *others]) for folder, headers, others in [
        ("Dialect/", ["Dialect", "Network"], []),
        ("Import/", ["Import", "Dialect", "Network"], [r"google/protobuf/", r"onnx\.pb\.h$"]),
        ("Export/", ["Export", "Dialect", "Network", "runtime"], [r"flatbuffers/"]),
        ("Analysis/", ["Analysis", "Dialect", "Network", "Planner", "Predict"], [r"snug/runtime/Catalogue\.h$"]),
        ("Reference/", ["Reference", "Dialect", "Network"], []),
        ("Pipeline/", ["Pipeline"], [r"passes/"]),
    ] for root in ("lib/", "include/snug/")],
    ("passes/", [r"(mlir|llvm)/", r"passes/", r"snug/(Analysis|Dialect|Network|Planner|Predict)/", r"snug/Passes\.h$",
                 r"snug/runtime/Catalogue\.h$", r"\w+\.h\.inc$"]),
]
FOREIGN = [
    (r"(google/protobuf|onnx)/|\.pb\.h$", ["lib/Import/ONNX/", "lib/Export/ONNX/", "test/unit/Import/", "test/unit/Export/"],
     "protobuf types stay in lib/Import/ONNX and lib/Export/ONNX"),
]
# POSIX and compiler headers, which count as the standard library.
SYSTEM = re.compile(r"^(\w+|(sys|linux|asm|bits)/\w+)(\.h)?$")


def check_folders(files):
    """Folders include only what they may know, see README.md."""
    for path in files:
        if not path.endswith(CXX):
            continue
        allowed = next((rules for folder, rules in ALLOWED if path.startswith(folder)), None)
        for number, line in numbered(path):
            match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            header = match[2]
            for pattern, folders, reason in FOREIGN:
                if re.search(pattern, header) and not path.startswith(tuple(folders)):
                    yield f"{path}:{number}: {header} is included, but {reason}"
            if allowed is None or (match[1] == "<" and SYSTEM.match(header)):
                continue
            if "/" not in header and os.path.exists(absolute(os.path.join(os.path.dirname(path), header))):
                continue  # of the same folder
            if not any(re.match(rule, header) for rule in allowed):
                yield f"{path}:{number}: {header} may not be known here"


PARTS = ["Requires", "Guarantees", "Fails when", "Example"]


def bare(text):
    """IR or FileCheck lines with names of values, directives and white space evened out."""
    text = re.sub(r"^//\s*[A-Z][\w-]*:", " ", text, flags=re.M)
    text = re.sub(r"%(\[\[[^\]]*\]\]|\{\{.*?\}\}|\w+)", "%", text)
    return re.sub(r"\s+", " ", text)


def check_example(td, text, tests):
    """The example of a pass is a part of its tests, line by line."""
    example = re.search(r"Example.*?```mlir\n(.*?)```", text, re.S)
    if not example:
        yield f"{td}: the example has no IR"
        return
    tested = " ".join(bare(read(test)) for test in tests)
    for line in example[1].splitlines():
        line = bare(line.split("//")[0].replace("...", "")).strip()
        if line and line not in tested:
            yield f"{td}: the example's line '{line}' is not in {tests[0]}"


def check_passes(files):
    """A pass is a folder with four files, a description in four parts and a test."""
    known = set(files)
    folders = sorted({f.split("/")[1] for f in files if re.match(r"passes/[^/]+/", f)})
    for name in folders:
        for ending in (".td", ".h", ".cpp"):
            if f"passes/{name}/{name}{ending}" not in known:
                yield f"passes/{name}: {name}{ending} is missing"
        if f"passes/{name}/CMakeLists.txt" not in known:
            yield f"passes/{name}: CMakeLists.txt is missing"
        td = f"passes/{name}/{name}.td"
        if td not in known:
            continue
        text = read(td)
        match = re.search(r'def\s+(\w+)\s*:\s*Pass<\s*"([^"]+)"', text)
        if not match:
            yield f"{td}: no pass is defined"
            continue
        if match[1] != name + "Pass":
            yield f"{td}: the definition is {match[1]}, its name should be {name}Pass"
        flag = "snug-" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
        if match[2] != flag:
            yield f"{td}: the flag is {match[2]}, it should be {flag}"
        for part in PARTS:
            if not re.search(rf"^\W*{part}\b", text, re.M):
                yield f"{td}: the description has no part '{part}'"
        if f"test/passes/{match[2]}.mlir" not in known:
            yield f"{td}: test/passes/{match[2]}.mlir is missing"
        else:
            tests = [f"test/passes/{match[2]}.mlir", f"test/passes/{match[2]}-errors.mlir"]
            yield from check_example(td, text, [t for t in tests if t in known])
        if f"passes/{name}/{name}.cpp" in known:
            debug = re.search(r'#define\s+DEBUG_TYPE\s+"([^"]+)"', read(f"passes/{name}/{name}.cpp"))
            if not debug or debug[1] != match[2]:
                yield f"passes/{name}/{name}.cpp: DEBUG_TYPE is {debug[1] if debug else 'not defined'}, it should be {match[2]}"
        if f"passes/{name}/CMakeLists.txt" in known and f"add_snug_pass({name}" not in read(f"passes/{name}/CMakeLists.txt"):
            yield f"passes/{name}/CMakeLists.txt: add_snug_pass({name}) is not called"
    wrapper = "Pass" + "Wrapper"
    for path in files:
        if path.endswith(CXX) and wrapper in read(path):
            yield f"{path}: {wrapper} is used; declare the pass in a .td file"


PURE = ("lib/Network/", "lib/Planner/", "lib/Predict/", "include/snug/Network/", "include/snug/Planner/", "include/snug/Predict/")
ESTIMATING = PURE + ("lib/Analysis/", "include/snug/Analysis/")
REWRITING = re.compile(r"\b(\w*Rewriter|\w*RewritePattern|OpBuilder|replaceAllUsesWith|replaceUsesOfWith|eraseOp)\b|->(erase|setOperand|moveBefore|moveAfter|setAttr|removeAttr)\(")
STRUCTURE = re.compile(r"\b(\w*Rewriter|\w*RewritePattern|replaceAllUsesWith|replaceUsesOfWith)\b|->(erase|setOperand|moveBefore|moveAfter)\(")


def code(path):
    """(number, line) without what stands behind //."""
    for number, line in numbered(path):
        yield number, re.sub(r"//.*", "", line)


def check_estimates(files):
    """What estimates rewrites nothing; annotate passes write attributes only; MLIR stays out of planner's builds."""
    for path in files:
        if path.endswith(CXX) and path.startswith((*ESTIMATING, "passes/Annotate")):
            forbidden = STRUCTURE if path.startswith("passes/") else REWRITING
            for number, line in code(path):
                if forbidden.search(line):
                    yield f"{path}:{number}: {forbidden.search(line)[0]} rewrites; rewriting belongs to a pass that is named for it"
        if path.startswith(PURE) and path.endswith("CMakeLists.txt"):
            for number, line in numbered(path):
                if re.search(r"\b(MLIR|LLVM|protobuf)", line.split("#")[0]):
                    yield f"{path}:{number}: MLIR, LLVM or protobuf is linked into a library that must not know it"


def check_validator(files):
    """The validator of addresses shares nothing with the solvers, and each of its refusals has a test."""
    validators = [f for f in files if re.match(r"lib/Planner/Validator\w*\.(cpp|h)$", f)]
    if "lib/Planner/Validator.cpp" not in validators:
        yield "lib/Planner/Validator.cpp is missing"
    for path in validators:
        for number, line in numbered(path):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match and match[1] != "snug/Planner/Allocation.h" and not match[1].startswith("Validator"):
                yield f"{path}:{number}: the validator includes {match[1]}; it may know the problem alone"
    for path in files:
        if path.startswith("lib/Planner/") and path not in validators and path.endswith(CXX) and re.search(r'#\s*include\s+"Validator', read(path)):
            yield f"{path}: a solver includes the validator"
    if validators and "test/unit/Planner/ValidatorTest.cpp" not in files:
        yield "test/unit/Planner/ValidatorTest.cpp is missing"


NARROW = re.compile(r"(?<!long )\b(int|int32_t|unsigned|uint32_t|size_t|uint64_t|float|double)\s+(\w*[a-z]Bytes|bytes)\b(?!\()")
UNORDERED = re.compile(r"std::unordered_\w+")
CHANCE = re.compile(r"\b(std::random_device|rand|srand|drand48)\b\s*[({]?")


def check_quantities(files):
    """Bytes are int64_t in the compiler; containers are ordered; nothing is left to chance."""
    for path in files:
        if not path.endswith(CXX) or not path.startswith(("lib/", "include/", "passes/", "tools/")):
            continue
        for number, line in code(path):
            if path.startswith(ESTIMATING) and NARROW.search(line):
                yield f"{path}:{number}: {NARROW.search(line)[0]}; bytes are int64_t"
            if UNORDERED.search(line):
                yield f"{path}:{number}: {UNORDERED.search(line)[0]}; its order differs from run to run"
            if CHANCE.search(line) and not path.startswith("lib/Planner/") or re.search(r"std::random_device", line):
                yield f"{path}:{number}: {CHANCE.search(line)[0]}; two runs must give equal bytes"


LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ERRORS = re.compile(r'\b(?:emit(?:Op)?Error|refuse|failure|Error)\s*[({](?:[^;"]|"(?:[^"\\\n]|\\.)*")*;')
# The runtime's messages are put together by printf, from parts that many share;
# its conformance suite checks statuses and what each has to name.
TESTED = ("lib/", "passes/")
# What only a mistake of ours can bring about, so that no test can.
OWN_MISTAKES = {"the address assignment is broken:", "has no table in the plan's schema", "statistics must be constants with values",
                "has no kernel; run snug-verify-folded to see which pass should have removed it"}
TESTS = ("test/", "runtime/conformance/")


def literals(statement):
    """The literals of a statement that are sentences, neighbours joined."""
    joined = re.sub(r'"\s*\n\s*"', "", statement)
    return [re.sub(r"\\(.)", r"\1", l) for l in LITERAL.findall(joined) if " " in l.strip() and len(l) > 5]


def check_messages(files):
    """Messages begin with a small letter and end without a full stop; each of the compiler's has a test."""
    tests = " ".join(read(f) for f in files if f.startswith(TESTS) and f.endswith((".mlir", ".test", ".py", ".cpp", ".c")))
    tests = re.sub(r'"\s*\n\s*f?"', "", tests)
    # What tests expect: in part where a part tells the message from others.
    # Figures and quoted names stand between the literals of a message.
    texts = [t for pair in re.findall(r'"([^"\n]{10,})"|\{\{([^}\n]{10,})\}\}', tests) for t in pair]
    expected = {piece for t in texts for piece in re.split(r"\d+|'[^']*'", t) if len(piece.strip()) >= 10 and " " in piece.strip()}
    tests = re.sub(r"\s+", " ", tests.replace('\\"', '"'))
    for path in files:
        if not path.endswith(".cpp") or not path.startswith(("lib/", "passes/", "tools/", "runtime/src/", "runtime/tools/")):
            continue
        text = re.sub(r"//[^\n]*", "", read(path))
        for match in ERRORS.finditer(text):
            parts = literals(match[0])
            if not parts:
                continue
            where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            if re.match(r"[A-Z][a-z]", parts[0]):
                yield f"{where}: the message '{parts[0]}' begins with a capital letter"
            if parts[-1].rstrip().endswith("."):
                yield f"{where}: the message '{parts[-1]}' ends with a full stop"
            longest = re.sub(r"\s+", " ", max(parts, key=len)).strip()
            if longest in OWN_MISTAKES:
                continue
            if path.startswith(TESTED) and longest not in tests and not any(e in part for e in expected for part in parts):
                yield f"{where}: no test has the message '{longest}'"


GIVING_UP = re.compile(r"\b(assert|abort|exit|llvm_unreachable|report_fatal_error)\s*\(|\bthrow\b")


def check_input(files):
    """Code that reads what others wrote neither asserts nor ends the process: it returns an error."""
    for path in files:
        if path.endswith(CXX) and path.startswith(("lib/Import/", "runtime/src/", "runtime/tools/")):
            for number, line in code(path):
                if GIVING_UP.search(line) and "static_assert" not in line:
                    yield f"{path}:{number}: {GIVING_UP.search(line)[0].strip('( ')} where input is read; return an error"


def check_tests(files):
    """Tests stand where their names say, and their RUN lines are written alike."""
    flags = {re.search(r'Pass<\s*"([^"]+)"', read(f))[1] for f in files if re.match(r"passes/(\w+)/\1\.td$", f) and 'Pass<' in read(f)}
    for path in files:
        folder, name = os.path.split(path)
        if folder == "test/passes" and name.endswith(".mlir") and not any(re.match(rf"{flag}(-\w+)?\.mlir$", name) for flag in flags):
            yield f"{path}: there is no pass of that flag"
        if re.match(r"test/Dialect/\w+$", folder) and name.endswith(".mlir") and not re.match(r"(ops|invalid|canonicalize|bytecode)(-\w+)?\.mlir$", name):
            yield f"{path}: tests of a dialect are ops, invalid, canonicalize or bytecode"
        unit = re.match(r"test/unit/(\w+)/\w+\.cpp$", path)
        if unit and not any(f.startswith(f"lib/{unit[1]}/") for f in files):
            yield f"{path}: there is no lib/{unit[1]}"
        if path.startswith("test/") and path.endswith(".mlir"):
            runs = [line for _, line in numbered(path) if re.match(r"//\s*RUN:", line)]
            if not runs:
                yield f"{path}: there is no RUN line"
            for line in runs:
                if not re.match(r"// RUN: (not )?[\w-]+ %s", line):
                    yield f"{path}: '{line.strip()}' should begin with the tool and %s"
                if re.search(r"\s-[a-zA-Z]\w", line):
                    yield f"{path}: '{line.strip()}' has an option with a single dash"


def check_reference(files):
    """Every operation of the snug dialect that computes is executed by lib/Reference."""
    definitions = [f for f in files if f.startswith("include/snug/Dialect/Snug/") and f.endswith(".td")]
    executor = " ".join(read(f) for f in files if f.startswith("lib/Reference/") and f.endswith(".cpp"))
    for definition in definitions:
        for name in re.findall(r"^def Snug_(\w+Op)\s*:\s*Snug_\w*Op<", read(definition), re.M):
            if name != "YieldOp" and not re.search(rf"\b{name}\b", executor):
                yield f"{definition}: {name} is not executed by lib/Reference"


HEADER = "runtime/include/snug/runtime/runtime.h"


def check_c_api(files):
    """The C API: prefixed, out parameters last and named out_, options with size and init, release returns nothing."""
    if HEADER not in files:
        return
    text = re.sub(r"/\*.*?\*/", "", read(HEADER), flags=re.S)
    for result, name, parameters in re.findall(r"^([\w ]+?[ *]+)(\w+)\(([^;{]*)\);", text, re.M):
        names = [re.search(r"(\w+)$", p.strip())[1] for p in parameters.split(",") if p.strip() not in ("", "void")]
        if not name.startswith("snug_"):
            yield f"{HEADER}: {name} lacks the prefix snug_"
        outs = [n for n in names if n.startswith("out_")]
        if outs and names[-len(outs):] != outs:
            yield f"{HEADER}: {name} has out parameters that are not the last"
        for parameter in parameters.split(","):
            if re.search(r"\*\s*\*", parameter) and not re.search(r"\bout_\w+$", parameter.strip()):
                yield f"{HEADER}: {name} has the out parameter '{' '.join(parameter.split())}', whose name should begin with out_"
        if name.endswith("_release") and result.strip() != "void":
            yield f"{HEADER}: {name} should return nothing"
    for name, body in re.findall(r"typedef struct (snug_\w*options) \{(.*?)\}", text, re.S):
        if not re.match(r"\s*size_t size;", body):
            yield f"{HEADER}: {name} does not begin with its size"
        if f"{name}_init(" not in text:
            yield f"{HEADER}: {name} has no init function"


NEWER = re.compile(r"#\s*include\s*<(optional|variant|any|string_view|filesystem|charconv|span|concepts|ranges)>|\bif constexpr\b|\[\[(maybe_unused|nodiscard)\]\]|\bauto\s*&?\s*\[\w+,")
BUILDS = [(r"cmake_minimum_required\(VERSION 3\.10\)", "ask for CMake 3.10"), (r"CMAKE_CXX_STANDARD 14\)", "set C++14"),
          (r"CMAKE_CXX_EXTENSIONS OFF\)", "turn extensions off"), (r"-Wpedantic", "be pedantic")]


def check_runtime(files):
    """runtime/ builds alone: CMake 3.10, C++14, pedantic, neither LLVM nor protobuf."""
    if "runtime/CMakeLists.txt" not in files:
        return
    text = read("runtime/CMakeLists.txt")
    for pattern, what in BUILDS:
        if not re.search(pattern, text):
            yield f"runtime/CMakeLists.txt does not {what}"
    for path in files:
        if path.startswith("runtime/") and path.endswith(CXX):
            for number, line in code(path):
                if NEWER.search(line):
                    yield f"{path}:{number}: {NEWER.search(line)[0]} is newer than C++14"
        elif path.startswith("runtime/") and path.endswith(("CMakeLists.txt", ".cmake")):
            for number, line in numbered(path):
                if re.search(r"(?i)\b(mlir|llvm|protobuf)\w*\b", line.split("#")[0]) or "${PROJECT_SOURCE_DIR}/.." in line:
                    yield f"{path}:{number}: the runtime's build reaches outside of it"


COMMANDS = ["setup", "build", "test", "demo", "bench", "lint"]


def check_commands(files):
    """One command each in tools/dev, that can be run and tells of itself; one pin of LLVM; Python packages pinned."""
    for name in COMMANDS:
        path = "tools/dev/" + name
        if path not in files or not os.access(absolute(path), os.X_OK):
            yield f"{path} is missing or cannot be run"
    if "tools/dev/llvm-version.txt" not in files:
        yield "tools/dev/llvm-version.txt is missing"
    for path in files:
        if re.match(r"tools/dev/requirements[\w-]*\.txt$", path):
            for number, line in numbered(path):
                line = line.split("#")[0].strip()
                if line and not re.match(r"[\w-]+==[\w.]+$", line):
                    yield f"{path}:{number}: '{line}' does not pin one version with =="


def check_dependencies(files):
    """Every pinned Python package stands in docs/Dependencies.md with its version."""
    table = read("docs/Dependencies.md").lower() if "docs/Dependencies.md" in files else ""
    for path in files:
        if re.match(r"tools/dev/requirements[\w-]*\.txt$", path):
            for name, version in re.findall(r"^([\w-]+)==([\w.]+)", read(path), re.M):
                known = PYTHON_NAMES.get(name, name)
                if not any(known in row and version in row for row in table.splitlines()):
                    yield f"{path}: {name} {version} is not in docs/Dependencies.md"


# Where the project goes by another name than its package.
PYTHON_NAMES = {"ai-edge-litert": "litert", "onnxruntime": "onnx runtime"}

CHECKS = {
    "folders": check_folders,
    "passes": check_passes,
    "estimates": check_estimates,
    "validator": check_validator,
    "quantities": check_quantities,
    "messages": check_messages,
    "input": check_input,
    "tests": check_tests,
    "reference": check_reference,
    "c-api": check_c_api,
    "runtime": check_runtime,
    "commands": check_commands,
    "dependencies": check_dependencies,
}
