# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Broken and hostile ONNX files, each with what snug has to say of it."""

import os

import numpy
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

CASES = []


def case(name, *words):
    """Registers a function that returns a ModelProto or a file's bytes; its message holds all `words`.

    A function with a parameter is given the folder that the file will lie in."""

    def register(function):
        CASES.append((name, function, words))
        return function

    return register


# How models are put together


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weights(name, *shape):
    return numpy_helper.from_array(numpy.full(shape, 0.5, numpy.float32), name)


def model(nodes, shape=(1, 2, 6, 6), initializers=(), opset=17, **changes):
    """From the input `x` to the output `y`, whose shape is left open."""
    graph = helper.make_graph(nodes, "g", [value("x", shape)], [value("y", None)], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **changes)


def conv(*initializers, name="c", shape=(1, 2, 6, 6), inputs=("x", "w"), **attributes):
    return model([helper.make_node("Conv", list(inputs), ["y"], name=name, **attributes)], shape, initializers)


def relu(source="x", result="y", name="r"):
    return helper.make_node("Relu", [source], [result], name=name)


def claiming(dims, data=b"", kind=TensorProto.FLOAT):
    """A tensor whose dimensions may say anything."""
    return TensorProto(name="w", data_type=kind, dims=dims, raw_data=data)


def external(**entries):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 2, 3, 3], data_location=TensorProto.EXTERNAL)
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=str(text))
    return conv(tensor)


# The file


@case("empty file", "is empty; expected an ONNX model")
def _():
    return b""


@case("text", "is not an ONNX model: no field of one starts at byte 0")
def _():
    return b"import onnx\n" * 100


@case("truncated protobuf", "is cut short: the field at byte")
def _():
    return conv(weights("w", 4, 2, 3, 3)).SerializeToString()[:200]


@case("no graph", "holds no graph")
def _():
    return ModelProto(ir_version=8, producer_name="nobody")


def nested_damage(change):
    data = bytearray(conv(weights("w", 4, 2, 3, 3), group=1).SerializeToString())
    change(data)
    return bytes(data)


@case("damaged inside a tensor", "is damaged: no field of a tensor starts at byte")
def _():
    return nested_damage(lambda data: data.__setitem__(data.index(b"\x4a\xa0\x02"), 0x4F))


@case("damaged inside an attribute", "is damaged: no field of an attribute starts at byte")
def _():
    return nested_damage(lambda data: data.__setitem__(data.index(b"group") - 1, 0x7F))


@case("two gigabytes", "is larger than 2 GiB, which ONNX does not allow")
def _(folder):
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.truncate(2**31 + 4096)


# Bombs: small files that ask for much


@case("nodes of two bytes", "its nodes, names and attributes would take more than 256 MiB of memory")
def _():
    graph = b"\x0a\x00" * 10_000_000
    return bytes(ModelProto(ir_version=8).SerializeToString()) + b"\x3a" + varint(len(graph)) + graph


@case("subgraphs a thousand deep", "node 'loop' (If): control flow is not supported")
def _():
    inner = b""
    for _ in range(1000):
        attribute = field(1, b"then_branch") + b"\xa0\x01\x05" + field(6, inner)
        inner = field(1, field(4, b"If") + field(5, attribute))
    attribute = field(1, b"then_branch") + b"\xa0\x01\x05" + field(6, inner)
    made = model([relu()])
    made.graph.node.add().MergeFromString(field(1, b"x") + field(3, b"loop") + field(4, b"If") + field(2, b"z") + field(5, attribute[:0]))
    return made.SerializeToString() + b"\x3a" + varint(len(field(1, field(4, b"If") + field(5, attribute)))) + field(1, field(4, b"If") + field(5, attribute))


@case("a tensor that claims 2^40 elements", "it has 0 bytes of data, but its dimensions need 1099511627776 elements of 4 bytes")
def _():
    return conv(claiming([2**20, 2**18, 2, 2]))


@case("a tensor that claims 2^62 elements", "the dimensions ask for more bytes than 64 bits count")
def _():
    return conv(claiming([2**31, 2**31, 1, 1]))


@case("a shape that claims 2^40 elements", "a tensor of 1048576x262144x2x2 cannot be made: constants that are computed at import may take 512 MiB and 8 times the model in all")
def _():
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["w"], name="k"), helper.make_node("Conv", ["x", "w"], ["y"], name="c")]
    return model(nodes, initializers=[numpy_helper.from_array(numpy.array([2**20, 2**18, 2, 2], numpy.int64), "s")])


@case("ten tensors of 256 MiB", "(ConstantOfShape): a tensor of 8192x8192 cannot be made")
def _():
    nodes, last = [], "x"
    for index in range(10):
        nodes.append(helper.make_node("ConstantOfShape", ["s"], [f"w{index}"], name=f"k{index}"))
        nodes.append(helper.make_node("Add", [last, f"w{index}"], [f"t{index}"], name=f"add{index}"))
        last = f"t{index}"
    return model([*nodes, relu(last)], (8192, 8192), [numpy_helper.from_array(numpy.array([8192, 8192], numpy.int64), "s")])


@case("a long axis beside an empty one", "node 'k' (ConstantOfShape): a tensor of 0x1099511627776 cannot be made")
def _():
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["w"], name="k"), helper.make_node("Add", ["x", "w"], ["y"], name="a")]
    return model(nodes, initializers=[numpy_helper.from_array(numpy.array([0, 2**40], numpy.int64), "s")])


@case("a chain of thirty thousand constants", "node 'last' (Reshape): ", "which does not fit")
def _():
    nodes, last = [], "s"
    for index in range(30_000):
        nodes.append(helper.make_node("Neg", [last], [f"s{index}"], name=f"n{index}"))
        last = f"s{index}"
    shape = numpy_helper.from_array(numpy.array([7, 7], numpy.int64), "s")
    return model([*nodes, helper.make_node("Reshape", ["x", last], ["y"], name="last")], initializers=[shape])


@case("a constant that leaves 64 bits", "node 'product' (Mul): it divides by zero or its result leaves 64 bits")
def _():
    large = numpy_helper.from_array(numpy.array([2**62], numpy.int64), "s")
    return model([helper.make_node("Mul", ["s", "s"], ["t"], name="product"), helper.make_node("Reshape", ["x", "t"], ["y"], name="r")],
                 initializers=[large])  # fmt: skip


@case("a constant divided by zero", "node 'quotient' (Div): it divides by zero or its result leaves 64 bits")
def _():
    zero = numpy_helper.from_array(numpy.array([0], numpy.int64), "s")
    return model([helper.make_node("Div", ["s", "s"], ["t"], name="quotient"), helper.make_node("Reshape", ["x", "t"], ["y"], name="r")],
                 initializers=[zero])  # fmt: skip


@case("a tile of 2^60 elements", "node 't' (Tile): a tensor of")
def _():
    repeats = numpy_helper.from_array(numpy.array([2**30, 2**30], numpy.int64), "s")
    return model([helper.make_node("Tile", ["w", "s"], ["v"], name="t"), helper.make_node("Add", ["x", "v"], ["y"], name="a")],
                 initializers=[repeats, weights("w", 1, 1)])  # fmt: skip


@case("a gather beyond its input", "node 'g' (Gather): it reads element 5 of axis 0 of 2")
def _():
    index = numpy_helper.from_array(numpy.array(5, numpy.int64), "i")
    return model([helper.make_node("Gather", ["w", "i"], ["v"], name="g"), helper.make_node("Add", ["x", "v"], ["y"], name="a")],
                 initializers=[index, weights("w", 2)])  # fmt: skip


@case("a gather beyond what is computed", "node 'g' (Gather): it reads element -3 of axis 1 of 1x2")
def _():
    index = numpy_helper.from_array(numpy.array([0, -3], numpy.int64), "i")
    return model([helper.make_node("Gather", ["x", "i"], ["y"], name="g", axis=1)], (1, 2), [index])


@case("a gather of nothing", "node 'g' (Gather): it has no indices")
def _():
    index = numpy_helper.from_array(numpy.array([], numpy.int64), "i")
    return model([helper.make_node("Gather", ["x", "i"], ["y"], name="g", axis=1)], (1, 2), [index])


@case("many tensors out of one", "constants that are computed at import may take 512 MiB and 8 times the model in all")
def _():
    nodes, last = [], "x"
    for index in range(200):
        nodes.append(helper.make_node("Reshape", ["w", "s"], [f"w{index}"], name=f"reshape{index}"))
        nodes.append(helper.make_node("Gemm", [last, f"w{index}"], [f"t{index}"], name=f"gemm{index}"))
        last = f"t{index}"
    nodes.append(relu(last))
    shape = numpy_helper.from_array(numpy.array([1024, 1024], numpy.int64), "s")
    return model(nodes, (1, 1024), [weights("w", 1024 * 1024), shape])


@case("a hundred thousand unsupported nodes", "100000 unsupported nodes or attributes", "and 99000 more")
def _():
    return model([*(helper.make_node("NonZero", ["x"], [f"s{i}"], name=f"sin{i}") for i in range(100_000)), relu()])


@case("a name of four megabytes", "node 'nnn", "nnn...' (NonZero): the operator is not supported")
def _():
    return model([helper.make_node("NonZero", ["x"], ["y"], name="n" * 2**22)])


def varint(number):
    data = bytearray()
    while number >= 128:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes(data) + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


# The graph


@case("cyclic graph", "node 'one' (Add) waits for its own result: the graph has a cycle")
def _():
    return model([helper.make_node("Add", ["x", "b"], ["a"], name="one"), relu("a", "b", "two"), relu("b")])


@case("missing initializer", "node 'c' (Conv) reads 'w', which no node, input or initializer makes")
def _():
    return conv()


@case("two tensors of one name", "there are two initializers 'w'")
def _():
    return conv(weights("w", 4, 2, 3, 3), weights("w", 4, 2, 3, 3))


@case("two nodes make one tensor", "node 'two' (Relu) makes 'y', which exists already")
def _():
    return model([relu(name="one"), relu(name="two")])


@case("output never produced", "output 'y' is made by no node")
def _():
    return model([relu(result="z")])


@case("unknown domain", "node 'far' (Relu): the operator's domain 'com.example' is not supported")
def _():
    made = model([helper.make_node("Relu", ["x"], ["y"], name="far", domain="com.example")])
    made.opset_import.add(domain="com.example", version=1)
    return made


@case("operator set too old", "uses operator set 6, the oldest supported one is 7")
def _():
    return model([relu()], opset=6)


@case("no operator set", "states no operator set of ONNX")
def _():
    made = model([relu()])
    del made.opset_import[:]
    return made


@case("negative operator set", "uses operator set -3, the oldest supported one is 7")
def _():
    return model([relu()], opset=-3)


@case("symbolic dimensions", "input 'x' leaves dimensions open (Nx3xHx?); fix them, for instance with --shape x=1x3x224x224")
def _():
    return model([relu()], ["N", 3, "H", None])


@case("negative dimension", "input 'x' has a dimension -5, which is not positive")
def _():
    return model([relu()], [1, -5, 2, 2])


@case("zero dimension", "input 'x' leaves dimensions open (1x?x2x2)")
def _():
    return model([relu()], [1, 0, 2, 2])


@case("huge dimension", "input 'x' has a dimension 4294967296, the largest is 2147483647")
def _():
    return model([relu()], [2**32])


@case("overflowing dimensions", "the dimensions ask for more bytes than 64 bits count")
def _():
    return model([relu()], [2**31 - 1] * 4)


@case("control flow", "node 'if' (If): control flow is not supported", "node 'loop' (Loop): control flow is not supported",
      "node 'scan' (Scan): control flow is not supported", "3 unsupported nodes or attributes")  # fmt: skip
def _():
    body = helper.make_graph([relu()], "body", [], [value("y", None)])
    return model([
        helper.make_node("If", ["x"], ["a"], name="if", then_branch=body, else_branch=body),
        helper.make_node("Loop", ["", "x"], ["b"], name="loop", body=body),
        helper.make_node("Scan", ["x"], ["c"], name="scan", body=body, num_scan_inputs=1),
        relu(),
    ])  # fmt: skip


@case("function of the model", "node 'call' (Mine): it calls a function of the model, which is not supported; inline it with onnx.inliner")
def _():
    made = model([helper.make_node("Mine", ["x"], ["y"], name="call", domain="local")])
    made.opset_import.add(domain="local", version=1)
    made.functions.append(helper.make_function("local", "Mine", ["x"], ["y"], [relu()], [helper.make_opsetid("", 17)]))
    return made


@case("string input", "input 'x' is string, only float inputs (float32) are supported")
def _():
    made = model([relu()])
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    return made


@case("string weights", "its filter 'w' cannot be used: its elements are string, which is not supported")
def _():
    return conv(helper.make_tensor("w", TensorProto.STRING, [1, 2, 1, 1], [b"a", b"b"]))


@case("empty names", "an initializer has no name")
def _():
    return model([relu()], initializers=[weights("", 2)])


# Nodes


@case("groups that do not divide", "node 'c' (Conv): ", "groups")
def _():
    return conv(weights("w", 4, 2, 3, 3), shape=(1, 6, 6, 6), group=4)


@case("negative groups", "node 'c' (Conv): attribute 'group' is -1, expected at least 1")
def _():
    return conv(weights("w", 4, 2, 3, 3), group=-1)


@case("kernel larger than its padded input", "node 'c' (Conv): ", "kernel")
def _():
    return conv(weights("w", 4, 2, 7, 7))


@case("pooling larger than its padded input", "node 'p' (MaxPool): ")
def _():
    return model([helper.make_node("MaxPool", ["x"], ["y"], name="p", kernel_shape=[9, 9], pads=[1, 1, 1, 1])])


@case("too few pads", "node 'c' (Conv): attribute 'pads' holds 3 values, expected 4")
def _():
    return conv(weights("w", 4, 2, 3, 3), pads=[1, 1, 1])


@case("negative pads", "node 'c' (Conv): attribute 'pads' holds -1, negative values are not supported")
def _():
    return conv(weights("w", 4, 2, 3, 3), pads=[1, -1, 1, 1])


@case("huge pads", "node 'c' (Conv): attribute 'pads' holds 4611686018427387904, expected 0 to 2147483647")
def _():
    return conv(weights("w", 4, 2, 3, 3), pads=[1, 2**62, 1, 1])


@case("zero stride", "node 'c' (Conv): attribute 'strides' holds 0, expected 1 to 2147483647")
def _():
    return conv(weights("w", 4, 2, 3, 3), strides=[0, 1])


@case("pads and auto_pad", "node 'c' (Conv): attributes 'pads' and 'auto_pad' contradict each other")
def _():
    return conv(weights("w", 4, 2, 3, 3), pads=[1, 1, 1, 1], auto_pad="SAME_UPPER")


@case("unknown auto_pad", "node 'c' (Conv): attribute 'auto_pad' is 'SIDEWAYS', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID")
def _():
    return conv(weights("w", 4, 2, 3, 3), auto_pad="SIDEWAYS")


@case("weights of the wrong size", "its filter 'w' cannot be used: it has 284 bytes of data, but its dimensions need 72 elements of 4 bytes")
def _():
    return conv(claiming([4, 2, 3, 3], bytes(284)))


@case("weights with a zero dimension", "node 'c' (Conv): ", "dimension 0 is not positive")
def _():
    return conv(claiming([0, 2, 3, 3]))


@case("weights with a negative dimension", "node 'c' (Conv): ", "dimension -4 is not positive")
def _():
    return conv(claiming([-4, 2, 3, 3]))


@case("integer weights", "its filter 'w' cannot be used: its elements are int64, expected float")
def _():
    return conv(claiming([4, 2, 3, 3], bytes(576), TensorProto.INT64))


@case("weights of an unknown type", "its filter 'w' cannot be used: its elements are type 99, which is not supported")
def _():
    return conv(claiming([4, 2, 3, 3], bytes(288), 99))


@case("sparse weights", "its filter 'w' cannot be used: it is sparse, which is not supported")
def _():
    made = conv()
    made.graph.sparse_initializer.add(values=weights("w", 1), dims=[4, 2, 3, 3])
    return made


@case("sparse constant", "node 'k' (Constant): ", "'sparse_value'")
def _():
    sparse = helper.make_sparse_tensor(weights("", 1), numpy_helper.from_array(numpy.array([3])), [4, 2, 3, 3])
    return model([helper.make_node("Constant", [], ["w"], name="k", sparse_value=sparse), helper.make_node("Conv", ["x", "w"], ["y"], name="c")])


@case("too few inputs", "node 'c' (Conv): input 1 is missing")
def _():
    return conv(inputs=["x"])


@case("an input left out", "node 'c' (Conv): input 0 is missing")
def _():
    return conv(weights("w", 4, 2, 3, 3), inputs=["", "w"])


@case("attribute of the wrong type", "node 'c' (Conv): attribute 'group' is not of type int")
def _():
    return conv(weights("w", 4, 2, 3, 3), group="two")


@case("attribute that holds a graph", "node 'c' (Conv): attribute 'pads' is not of type ints")
def _():
    made = conv(weights("w", 4, 2, 3, 3))
    made.graph.node[0].attribute.append(AttributeProto(name="pads", type=AttributeProto.GRAPH, g=GraphProto(node=[NodeProto()])))
    return made


@case("attribute twice", "node 'c' (Conv): attribute 'group' is there twice")
def _():
    made = conv(weights("w", 4, 2, 3, 3), group=1)
    made.graph.node[0].attribute.append(made.graph.node[0].attribute[0])
    return made


@case("control characters in a name", r"node 'a\x0a\x1b[31mb' (NonZero): the operator is not supported")
def _():
    return model([helper.make_node("NonZero", ["x"], ["y"], name="a\n\x1b[31mb")])


# External data


@case("external data above its folder", "its data file '../outside.bin' lies outside the model's folder")
def _(folder):
    with open(os.path.join(folder, os.pardir, "outside.bin"), "wb") as file:
        file.write(bytes(288))
    return external(location="../outside.bin")


@case("external data behind a link", "its data file 'link/outside.bin' lies outside the model's folder")
def _(folder):
    os.symlink(os.pardir, os.path.join(folder, "link"))
    with open(os.path.join(folder, "link", "outside.bin"), "wb") as file:
        file.write(bytes(288))
    return external(location="link/outside.bin")


@case("external data at an absolute path", "lies outside the model's folder")
def _(folder):
    return external(location=os.path.abspath(os.path.join(folder, "w.bin")))


@case("external data missing", "its data file 'w.bin' cannot be read: no such file or directory")
def _():
    return external(location="w.bin")


@case("external data past the end", "its data file 'w.bin' has 288 bytes, but 288 from byte 4 on are asked for")
def _(folder):
    with open(os.path.join(folder, "w.bin"), "wb") as file:
        file.write(bytes(288))
    return external(location="w.bin", offset=4, length=288)


@case("external data without length", "its data file 'w.bin' has 100 bytes")
def _(folder):
    with open(os.path.join(folder, "w.bin"), "wb") as file:
        file.write(bytes(100))
    return external(location="w.bin", offset=2**62)


@case("external data of negative length", "the length of its external data is '-1', expected a number of bytes")
def _():
    return external(location="w.bin", length=-1)


@case("external data in a device", "lies outside the model's folder")
def _(folder):
    os.symlink("/dev/zero", os.path.join(folder, "zero"))
    return external(location="zero", length=288)
