# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the functions that make test models share."""

import numpy
from onnx import TensorProto, helper, numpy_helper

GROUPS = {}


def model(group):
    """Registers a function that returns a ModelProto, or the file's bytes."""

    def register(function):
        GROUPS.setdefault(group, []).append(function)
        return function

    return register


def counting(name, *shape):
    """A float initializer 0, 1, 2, ..."""
    values = numpy.arange(int(numpy.prod(shape)), dtype=numpy.float32)
    return numpy_helper.from_array(values.reshape(shape), name)


def integers(name, values):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def floats(name, values):
    return numpy_helper.from_array(numpy.array(values, numpy.float32), name)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def build(nodes, shape, initializers=(), opset=17, inputs=None, outputs=None):
    """A model from input `x` of `shape` to output `y`, whose shape is left open."""
    graph = helper.make_graph(
        nodes,
        "test",
        inputs or [info("x", shape)],
        outputs or [info("y", None)],
        list(initializers),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def node(kind, inputs, outputs="y", **attributes):
    attributes.setdefault("name", "the_" + kind.lower())
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def chain(kind, shape, opset=17, initializers=(), inputs="x", **attributes):
    """A model of one node."""
    return build([node(kind, inputs, **attributes)], shape, initializers, opset)


def batch_norm(opset, outputs="y", initializers=None, **attributes):
    parameters = initializers or [counting(name, 3) for name in ("scale", "shift", "mean", "variance")]
    the_node = node("BatchNormalization", "x scale shift mean variance", outputs, **attributes)
    return build([the_node], [1, 3, 4, 4], parameters, opset)
