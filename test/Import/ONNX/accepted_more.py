# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Test models that the importer accepts: moves, numbers of few bits, what no op stands for, what is known at import."""

import numpy
from onnx import TensorProto, helper, numpy_helper

from builder import build, chain, counting, floats, info, integers, model, node

# Elements in other places.


@model("moves")
def squeeze_11():
    return chain("Squeeze", [2, 1, 3, 1], opset=11, axes=[-1])


@model("moves")
def squeeze_13():
    return chain("Squeeze", [2, 1, 3, 1])


@model("moves")
def unsqueeze_13():
    return chain("Unsqueeze", [2, 3], inputs="x a", initializers=[integers("a", [-1, 0])])


@model("moves")
def transpose():
    return build([node("Transpose", "x", "t", perm=[0, 2, 1]), node("Transpose", "t")], [2, 3, 4])


@model("moves")
def concat():
    return build([node("Concat", "x z x", axis=-3)], None, inputs=[info("x", [1, 2, 4, 4]), info("z", [1, 3, 4, 4])])


@model("moves")
def concat_constants():
    return build([node("Concat", "a x b x a", axis=1)], [1, 1, 2], [floats("a", [[[1, 2]]]), floats("b", [[[3, 4], [5, 6]]])])


@model("moves")
def concat_zeros():
    return build([node("Concat", "x z", axis=1)], [1, 1, 2], [floats("z", [[[0, 0], [0, 0]]])])


@model("moves")
def slice_9():
    return chain("Slice", [2, 6, 7], opset=9, starts=[1, -3], ends=[2, 1000], axes=[0, 2])


@model("moves")
def slice_10():
    constants = [integers("b", [-1, 0]), integers("e", [-(2**63), 6]), integers("a", [2, -2]), integers("s", [-2, 2])]
    return chain("Slice", [2, 6, 7], inputs="x b e a s", initializers=constants)


@model("moves")
def gather():
    nodes = [node("Gather", "x one", "a", axis=1), node("Gather", "a turned", axis=-1)]
    one = numpy_helper.from_array(numpy.array(-2, numpy.int64), "one")
    return build(nodes, [2, 3, 7], [one, integers("turned", [-1, 4, 2])])


@model("moves")
def split_13():
    return build([node("Split", "x parts", "a y", axis=1)], [2, 6], [integers("parts", [2, 4])])


@model("moves")
def split_18():
    nodes = [node("Split", "x", "a b c", axis=1, num_outputs=3), node("Concat", "c a", axis=1)]
    return build(nodes, [2, 7], opset=18)


@model("moves")
def pad_7():
    return chain("Pad", [1, 1, 4, 4], opset=7, pads=[0, 0, 1, 2, 0, 0, 3, 0], value=0.5)


@model("moves")
def pad_18():
    constants = [integers("p", [1, 2, 2, 1]), integers("a", [-1, 2])]
    return build([helper.make_node("Pad", ["x", "p", "", "a"], ["y"], name="the_pad", mode="reflect")], [1, 1, 4, 4], constants, opset=18)


@model("moves")
def pad_negative():
    return chain("Pad", [4, 4], inputs="x p", initializers=[integers("p", [-1, 1, 0, -2])])


@model("moves")
def expand():
    return chain("Expand", [1, 3, 1], inputs="x s", initializers=[integers("s", [2, 1, 1, 4])])


@model("moves")
def tile():
    return chain("Tile", [1, 3], inputs="x r", initializers=[integers("r", [4, 2])])


@model("moves")
def depth_to_space():
    return chain("DepthToSpace", [1, 12, 2, 2], blocksize=2, mode="CRD")


@model("moves")
def space_to_depth():
    return chain("SpaceToDepth", [1, 3, 4, 4], blocksize=2)


def resized(opset, sizes=None, scales=None, **attributes):
    given = ["x", "roi", "scales" if scales else "none", *(["sizes"] if sizes else [])]
    constants = [floats("roi", []), floats("none", [])]
    if scales:
        constants.append(floats("scales", scales))
    if sizes:
        constants.append(integers("sizes", sizes))
    return build([helper.make_node("Resize", given, ["y"], name="the_resize", **attributes)], [1, 2, 4, 6], constants, opset)


@model("moves")
def resize_half_pixel():
    return resized(13, scales=[1, 1, 2, 3], mode="linear")


@model("moves")
def resize_corners():
    return resized(13, sizes=[1, 2, 7, 3], mode="linear", coordinate_transformation_mode="align_corners")


@model("moves")
def resize_asymmetric():
    return resized(13, scales=[1, 1, 2, 2], coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@model("moves")
def resize_10():
    """One axis grows, one shrinks: each rounds its own way."""
    return build([node("Resize", "x s")], [1, 2, 4, 6], [floats("s", [1, 1, 2, 0.5])], opset=10)


@model("moves")
def resize_ratio():
    return resized(18, sizes=[10, 12], axes=[2, 3], keep_aspect_ratio_policy="not_larger", mode="linear")


@model("moves")
def upsample_7():
    return chain("Upsample", [1, 2, 4, 6], opset=7, scales=[1.0, 1.0, 2.0, 2.0], mode="linear")


@model("moves")
def upsample_9():
    return chain("Upsample", [1, 2, 4, 6], opset=9, inputs="x s", initializers=[floats("s", [1, 1, 2, 2])])


# Networks with numbers of few bits.


@model("quantized")
def quantized():
    """Weights become floats; what is computed is only bounded, where nothing else bounds it."""
    scale, bias_scale = floats("scale", 0.5), floats("bias_scale", [0.25, 0.5])
    zero = numpy_helper.from_array(numpy.array(0, numpy.uint8), "zero")
    weights = numpy_helper.from_array(numpy.array([[2, -4], [6, 8]], numpy.int8).reshape(2, 2, 1, 1), "stored")
    bias = numpy_helper.from_array(numpy.array([4, 8], numpy.int32), "stored_bias")
    nodes = [
        node("DequantizeLinear", "stored bias_scale", "w", name="weights", axis=0),
        node("DequantizeLinear", "stored_bias scale", "b", name="bias"),
        node("Conv", "x w b", "c"),
        node("QuantizeLinear", "c scale zero", "q", name="quantize"),
        node("DequantizeLinear", "q scale zero", "d", name="dequantize"),
        node("MaxPool", "d", "m", kernel_shape=[2, 2]),
        node("QuantizeLinear", "m scale zero", "q2", name="again"),
        node("DequantizeLinear", "q2 scale zero", name="back"),
    ]
    return build(nodes, [1, 2, 3, 3], [scale, bias_scale, zero, weights, bias])


# What no op stands for.


def declared(nodes, shapes, shape=(1, 2, 4, 4), kind=TensorProto.FLOAT, initializers=(), opset=17):
    """A model that says of the tensors which shapes they have."""
    result = build(nodes, list(shape), initializers, opset, outputs=[info("y", shapes.pop("y"), kind)])
    result.graph.value_info.extend(info(name, extents) for name, extents in shapes.items())
    return result


@model("opaque")
def opaque():
    """An operator, another's domain, and a form that an operator has; numbers that are no floats are left out."""
    nodes = [
        node("Cosh", "x", "a", name="curve"),
        node("GatherND", "a i", "b", name="pick"),
        node("Far", "b w", "c", name="far", domain="com.example"),
        node("AveragePool", "c", "y", name="pool", kernel_shape=[2, 2], dilations=[2, 1]),
    ]
    shapes = {"a": [1, 2, 4, 4], "b": [1, 2, 4, 4], "c": [1, 2, 4, 4], "y": [1, 2, 2, 3]}
    result = declared(nodes, shapes, initializers=[integers("i", [[0]]), floats("w", [1, 2])], opset=19)
    result.opset_import.add(domain="com.example", version=1)
    return result


@model("opaque")
def opaque_gather():
    return chain("Gather", [3, 4], inputs="x i", initializers=[integers("i", [0, 1, 3])], axis=1, name="pick")


@model("opaque")
def opaque_symbol():
    """An extent that the input fixes."""
    result = build([node("Unique", "x", "a"), node("Relu", "a")], ["N", 2])
    result.graph.value_info.append(info("a", ["N", 2]))
    return result


@model("opaque")
def opaque_open():
    return declared([node("NonZero", "x", "a"), node("Relu", "a")], {"a": ["unk", 2], "y": None})


@model("opaque")
def opaque_inferred():
    """Shapes that the operators tell by themselves."""
    nodes = [node("Hardmax", "x", "h"), node("Resize", "h none s", "r", mode="cubic"), node("Relu", "r")]
    return build(nodes, [1, 2, 4, 4], [floats("none", []), floats("s", [1, 1, 2, 1.5])])


@model("opaque")
def opaque_two():
    """The second result is read, the third is not."""
    nodes = [node("Mystery", "x", "a b c", domain="com.example"), node("Add", "a b")]
    return declared(nodes, {"a": [2], "b": [3, 2], "y": [3, 2]})


@model("opaque")
def opaque_unused_indices():
    return declared([node("TopK", "x k", "y indices")], {"y": [1, 2, 4, 3]}, initializers=[integers("k", [3])])


# Known at import.


@model("evaluated")
def shape_arithmetic():
    """A view as PyTorch exports it."""
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "batch", name="batch"),
        node("Gather", "s one", "channels", name="channels"),
        node("Div", "channels two", "half"),
        node("Unsqueeze", "batch axis", "b", name="b"),
        node("Unsqueeze", "half axis", "h", name="h"),
        node("Concat", "b pair h rest", "shape", axis=0),
        node("Reshape", "x shape"),
    ]
    constants = [integers("zero", 0), integers("one", 1), integers("two", 2), integers("axis", [0]), integers("pair", [2]), integers("rest", [-1])]
    return build(nodes, [3, 4, 5, 5], constants)


@model("evaluated")
def shape_part():
    nodes = [node("Shape", "x", "s", start=-2), node("Concat", "s more", "t", axis=0), node("Reshape", "x t")]
    return build(nodes, [2, 3, 4], [integers("more", [-1])])


@model("evaluated")
def size():
    return build([node("Size", "x", "n"), node("Unsqueeze", "n a", "s"), node("Reshape", "x s")], [2, 3, 4], [integers("a", [0])])


@model("evaluated")
def transposed_weights():
    nodes = [node("Transpose", "w", "t"), node("Mul", "t k", "u"), node("MatMul", "x u")]
    return build(nodes, [1, 3], [counting("w", 2, 3), floats("k", 0.5)])


@model("evaluated")
def unused_nonsense():
    """Nobody asks what a constant is that cannot be computed."""
    return build([node("Div", "a b", "c"), node("Relu", "x")], [2], [integers("a", [1]), integers("b", [0])])


@model("graph")
def output_is_input():
    return build([node("Relu", "x", "z")], [1, 2], outputs=[info("x", [1, 2]), info("z", None)])
