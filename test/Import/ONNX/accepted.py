# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Test models that the importer accepts, and those with external data."""

import os

import numpy
from onnx import TensorProto, helper, numpy_helper

from builder import batch_norm, build, chain, counting, floats, info, integers, model, node

# Convolution and batch norm.


@model("convolution")
def conv_plain():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)])


@model("convolution")
def conv_all():
    return chain(
        "Conv", [1, 4, 12, 13], inputs="x w b", initializers=[counting("w", 6, 2, 3, 2), counting("b", 6)],
        kernel_shape=[3, 2], strides=[2, 3], pads=[1, 0, 2, 1], dilations=[2, 1], group=2, auto_pad="NOTSET",
    )  # fmt: skip


@model("convolution")
def conv_upper():
    return chain("Conv", [1, 1, 6, 7], inputs="x w", initializers=[counting("w", 1, 1, 4, 3)], auto_pad="SAME_UPPER",
                 strides=[1, 2])  # fmt: skip


@model("convolution")
def conv_lower():
    return chain("Conv", [1, 1, 6, 7], inputs="x w", initializers=[counting("w", 1, 1, 4, 3)], auto_pad="SAME_LOWER")


@model("convolution")
def conv_valid():
    return chain("Conv", [1, 1, 6, 7], inputs="x w", initializers=[counting("w", 1, 1, 4, 3)], auto_pad="VALID",
                 pads=[0, 0, 0, 0])  # fmt: skip


@model("convolution")
def conv_unnamed():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], name="")


@model("convolution")
def batch_norm_7():
    return batch_norm(7, spatial=1, momentum=0.9)


@model("convolution")
def batch_norm_9():
    return batch_norm(9, epsilon=0.25)


@model("convolution")
def batch_norm_15():
    return batch_norm(15, training_mode=0)


# Pooling.


@model("pooling")
def max_pool():
    return chain("MaxPool", [1, 2, 9, 8], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1], storage_order=1)


@model("pooling")
def max_pool_dilated():
    return chain("MaxPool", [1, 2, 9, 8], kernel_shape=[3, 3], dilations=[2, 3], ceil_mode=1)


@model("pooling")
def max_pool_same():
    return chain("MaxPool", [1, 2, 5, 5], kernel_shape=[2, 2], auto_pad="SAME_UPPER")


@model("pooling")
def max_pool_unused_indices():
    return build([node("MaxPool", "x", "y indices", kernel_shape=[2, 2])], [1, 2, 9, 8])


@model("pooling")
def average_pool():
    return chain("AveragePool", [1, 2, 9, 9], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], dilations=[1, 1],
                 ceil_mode=1, opset=19)  # fmt: skip


@model("pooling")
def average_pool_padded():
    return chain("AveragePool", [1, 2, 9, 9], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1, opset=7)


@model("pooling")
def global_average_pool():
    return chain("GlobalAveragePool", [2, 5, 7, 3])


# Elementwise.


@model("pointwise")
def relu():
    return chain("Relu", [1, 2, 3, 4])


@model("pointwise")
def leaky_default():
    return chain("LeakyRelu", [1, 2, 3, 4])


@model("pointwise")
def leaky():
    return chain("LeakyRelu", [5], alpha=0.25, opset=7)


@model("pointwise")
def clip_6():
    return chain("Clip", [1, 2], min=0.0, max=6.0, opset=10)


@model("pointwise")
def clip_none_10():
    return chain("Clip", [1, 2], opset=10)


@model("pointwise")
def clip_6_inputs():
    return chain("Clip", [1, 2], opset=11, inputs="x low high", initializers=[floats("low", 0), floats("high", [6])])


@model("pointwise")
def clip_relu():
    return chain("Clip", [1, 2], opset=13, inputs="x low", initializers=[floats("low", 0)])


@model("pointwise")
def clip_infinity():
    return build([helper.make_node("Clip", ["x", "low", "high"], ["y"], name="the_clip")], [1, 2],
                 [floats("low", 0), floats("high", float("inf"))])  # fmt: skip


@model("pointwise")
def clip_none():
    return build([helper.make_node("Clip", ["x", "", ""], ["y"], name="the_clip")], [1, 2])


@model("pointwise")
def add():
    return build([node("Relu", "x", "r"), node("Add", "r x")], [1, 2, 3, 4])


@model("pointwise")
def add_channels():
    return chain("Add", [1, 2, 3, 4], inputs="c x", initializers=[floats("c", [[[5]], [[7]]])])


@model("pointwise")
def add_number():
    return chain("Add", [1, 2, 3, 4], inputs="x c", initializers=[floats("c", 5)])


@model("pointwise")
def dropout_7():
    return build([node("Dropout", "x", "y mask", ratio=0.3)], [1, 4], opset=7)


@model("pointwise")
def dropout_13():
    training = numpy_helper.from_array(numpy.array(False), "training")
    return chain("Dropout", [1, 4], inputs="x ratio training", initializers=[floats("ratio", 0.3), training], seed=3)


@model("pointwise")
def identity():
    return chain("Identity", [1, 4])


# Matrices.


@model("linear")
def gemm():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), counting("b", 2)])


@model("linear")
def gemm_transposed():
    return chain("Gemm", [2, 3], inputs="x w", initializers=[counting("w", 2, 3)], transB=1)


@model("linear")
def gemm_scaled():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), floats("b", [[2, 4]])], alpha=0.5,
                 beta=0.25)  # fmt: skip


@model("linear")
def gemm_number():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), floats("b", 2)])


@model("linear")
def gemm_no_bias():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), counting("b", 2)], beta=0.0)


@model("linear")
def matmul():
    return chain("MatMul", [2, 3], inputs="x w", initializers=[counting("w", 3, 4)])


@model("linear")
def matmul_bias():
    return build([node("MatMul", "x w", "p"), node("Add", "p b")], [2, 3], [counting("w", 3, 4), counting("b", 4)])


@model("linear")
def matmul_read_twice():
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "s"), node("Add", "s p", name="sum")]
    return build(nodes, [2, 3], [counting("w", 3, 4), counting("b", 4)])


@model("linear")
def softmax_13():
    return chain("Softmax", [2, 3, 4])


@model("linear")
def softmax_axis():
    return chain("Softmax", [2, 3, 4], axis=1)


@model("linear")
def softmax_11_flat():
    return chain("Softmax", [2, 3, 1, 1], opset=11)


@model("linear")
def softmax_11():
    return chain("Softmax", [2, 3, 4], opset=11)


# What needs several ops, or has several forms.


def unary(kind, opset=22, shape=(1, 2, 3, 4), **attributes):
    return chain(kind, list(shape), opset, **attributes)


@model("convolution")
def conv_1d():
    return chain("Conv", [1, 3, 8], inputs="x w b", initializers=[counting("w", 4, 3, 3), counting("b", 4)], pads=[1, 0], strides=[2])


@model("convolution")
def conv_half():
    weights = numpy_helper.from_array(numpy.full((1, 1, 1, 1), 1.5, numpy.float16), "w")
    return chain("Conv", [1, 1, 2, 2], inputs="x w", initializers=[weights])


@model("convolution")
def conv_transpose():
    return chain("ConvTranspose", [1, 4, 5, 6], inputs="x w b", initializers=[counting("w", 4, 3, 3, 2), counting("b", 6)], strides=[2, 2],
                 pads=[1, 0, 1, 0], output_padding=[1, 0], group=2, dilations=[1, 2])  # fmt: skip


@model("convolution")
def conv_transpose_shape():
    return chain("ConvTranspose", [1, 1, 5, 6], inputs="x w", initializers=[counting("w", 1, 1, 3, 3)], strides=[3, 2], output_shape=[14, 15])


@model("convolution")
def conv_transpose_auto():
    return chain("ConvTranspose", [1, 1, 5, 6], inputs="x w", initializers=[counting("w", 1, 1, 3, 3)], strides=[2, 2],
                 auto_pad="SAME_UPPER")  # fmt: skip


@model("pooling")
def max_pool_ceil():
    return chain("MaxPool", [1, 2, 9, 9], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)


@model("pooling")
def max_pool_ceil_border():
    """A third window along the height would begin in the padding behind the input."""
    return chain("MaxPool", [1, 2, 4, 5], kernel_shape=[2, 2], strides=[3, 2], pads=[1, 0, 1, 0], ceil_mode=1)


@model("pooling")
def average_pool_ceil():
    return chain("AveragePool", [1, 2, 10, 9], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=1)


@model("pooling")
def max_pool_1d():
    return chain("MaxPool", [1, 2, 9], kernel_shape=[3], strides=[2])


@model("pooling")
def global_max_pool():
    return chain("GlobalMaxPool", [2, 5, 7, 3])


@model("pooling")
def global_pool_1d():
    return chain("GlobalAveragePool", [1, 2, 9])


@model("pointwise")
def kinds():
    kinds = ["Sigmoid", "Tanh", "Exp", "Log", "Sqrt", "Abs", "Neg", "Reciprocal", "Floor", "Ceil", "Erf", "Softplus", "HardSwish", "Mish", "Elu",
             "HardSigmoid", "Gelu"]  # fmt: skip
    nodes = [node(kind, f"t{index}", f"t{index + 1}") for index, kind in enumerate(kinds)]
    nodes[0].input[0], nodes[-1].output[0] = "x", "y"
    return build(nodes, [1, 2], opset=22)


@model("pointwise")
def clip_other():
    return chain("Clip", [1, 2], min=-1.0, max=0.5, opset=10)


@model("pointwise")
def clip_computed():
    return build([node("Clip", "x z")], None, inputs=[info("x", [1, 2]), info("z", [])])


@model("pointwise")
def add_shapes():
    return build([node("Add", "x z")], None, inputs=[info("x", [1, 2, 3, 3]), info("z", [1, 2, 1, 1])])


@model("pointwise")
def sub_constant():
    return chain("Sub", [1, 2, 2], inputs="x c", initializers=[floats("c", [1, -2])])


@model("pointwise")
def sub_from_constant():
    return chain("Sub", [1, 2, 2], inputs="c x", initializers=[floats("c", [1, -2])])


@model("pointwise")
def div_constant():
    return chain("Div", [1, 2, 2], inputs="x c", initializers=[floats("c", [2, -4])])


@model("pointwise")
def div_zero():
    return chain("Div", [1, 2, 2], inputs="x c", initializers=[floats("c", [2, 0])])


@model("pointwise")
def maximum():
    return chain("Max", [1, 2, 2], inputs="zero x c", initializers=[floats("zero", 0), floats("c", [1, 2])])


@model("pointwise")
def mean():
    return build([node("Mean", "x z")], None, inputs=[info("x", [2, 2]), info("z", [2])])


@model("pointwise")
def prelu():
    return chain("PRelu", [1, 2, 3, 3], inputs="x s", initializers=[floats("s", [[[1]], [[2]]])])


@model("pointwise")
def prelu_number():
    return chain("PRelu", [1, 2, 3, 3], inputs="x s", initializers=[floats("s", [0.5])])


@model("pointwise")
def power():
    nodes = [node("Pow", "x two", "a"), node("Pow", "a three", "b"), node("Pow", "b half")]
    return build(nodes, [2], [floats("two", 2), integers("three", [3]), floats("half", 0.5)])


@model("pointwise")
def swish():
    return build([node("Swish", "x", "a"), node("Swish", "a", alpha=0.5)], [2], opset=24)


@model("pointwise")
def cast_half():
    return build([node("Cast", "x", "h", to=TensorProto.FLOAT16), node("Relu", "h", "r"), node("Cast", "r", to=TensorProto.FLOAT)], [2])


@model("linear")
def gemm_transposed_input():
    return chain("Gemm", [3, 2], inputs="x w", initializers=[counting("w", 3, 2)], transA=1)


@model("linear")
def gemm_row_bias():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), counting("b", 2, 1)])


@model("linear")
def gemm_left():
    return chain("Gemm", [3, 2], inputs="w x b", initializers=[counting("w", 4, 3), counting("b", 2)])


@model("linear")
def gemm_computed():
    inputs = [info("x", [3, 2]), info("z", [4, 2]), info("b", [4])]
    return build([node("Gemm", "x z b", transB=1, alpha=0.5)], None, inputs=inputs)


@model("linear")
def matmul_batched():
    return build([node("MatMul", "x w", "p"), node("Add", "b p")], [2, 2, 3], [counting("w", 3, 4), counting("b", 4)])


@model("linear")
def matmul_left():
    return chain("MatMul", [3, 2], inputs="w x", initializers=[counting("w", 4, 3)])


@model("linear")
def matmul_computed():
    return build([node("MatMul", "x z")], None, inputs=[info("x", [5, 2, 3]), info("z", [3])])


@model("linear")
def softmax_image():
    return chain("Softmax", [1, 2, 6, 6], opset=11)


@model("linear")
def log_softmax():
    return chain("LogSoftmax", [2, 3])


@model("linear")
def lrn():
    return chain("LRN", [1, 4, 2, 2], size=5, alpha=0.5)


@model("linear")
def reduce_mean_image():
    return chain("ReduceMean", [1, 4, 2, 2], axes=[-1, -2], keepdims=0)


@model("linear")
def reduce_sum():
    return chain("ReduceSum", [2, 4, 3], inputs="x a", initializers=[integers("a", [1])])


@model("linear")
def reduce_l2():
    return chain("ReduceL2", [2, 4, 3], opset=18, inputs="x a", initializers=[integers("a", [-1])], keepdims=0)


@model("linear")
def reduce_nothing():
    return chain("ReduceMax", [2, 4, 3], opset=18, noop_with_empty_axes=1)


# Shapes and constants.


@model("shapes")
def flatten():
    return chain("Flatten", [2, 3, 4, 5])


@model("shapes")
def flatten_0():
    return chain("Flatten", [2, 3, 4, 5], axis=0)


@model("shapes")
def flatten_negative():
    return chain("Flatten", [2, 3, 4, 5], axis=-1)


@model("shapes")
def reshape():
    return chain("Reshape", [2, 3, 4, 5], inputs="x s", initializers=[integers("s", [0, -1, 5])])


@model("shapes")
def reshape_zero():
    return chain("Reshape", [2, 3, 4, 5], inputs="x s", initializers=[integers("s", [-1, 60])], allowzero=1)


@model("shapes")
def reshape_int64_data():
    shape = helper.make_tensor("s", TensorProto.INT64, [2], [6, 20])
    return chain("Reshape", [2, 3, 4, 5], inputs="x s", initializers=[shape])


@model("shapes")
def reshape_constant():
    nodes = [node("Constant", "", "s", value_ints=[1, -1]), node("Reshape", "x s")]
    return build(nodes, [2, 3])


@model("shapes")
def constants():
    """Weights through a Constant node, an Identity and a Reshape; one of them twice."""
    value = helper.make_tensor("", TensorProto.FLOAT, [4, 2], range(8))
    nodes = [
        node("Constant", "", "v", value=value),
        node("Identity", "v", "w"),
        node("Reshape", "v s", "w2"),
        node("Constant", "", "b", value_floats=[1.5, 2.5]),
        node("Gemm", "x w b", "h", name="first"),
        node("Gemm", "h w2", "y", name="second"),
    ]
    return build(nodes, [3, 4], [integers("s", [2, 4])])


@model("shapes")
def float_data():
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], [1.0, 2.0])
    assert not weights.raw_data
    return chain("Gemm", [1, 2], inputs="x w", initializers=[weights])


def external(name, **entries):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2, 1], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return chain("Gemm", [1, 2], inputs="x w", initializers=[tensor])


@model("external")
def external_all():
    return external("w", location="eight.bin")


@model("external")
def external_part():
    return external("w", location="sixteen.bin", offset=5, length=8)


@model("external")
def external_short():
    return external("w", location="eight.bin", offset=4)


@model("external")
def external_behind():
    return external("w", location="eight.bin", offset=4, length=8)


@model("external")
def external_absent():
    return external("w", location="absent.bin", length=8)


@model("external")
def external_outside():
    return external("w", location="../secret.bin", length=8)


@model("external")
def external_absolute():
    return external("w", location=os.path.join(os.sep, "secret.bin"), length=8)


@model("external")
def external_link():
    return external("w", location="link.bin", length=8)


@model("external")
def external_folder():
    return external("w", location="sub", length=8)


@model("external")
def external_nameless():
    return external("w", length=8)


@model("external")
def external_negative():
    return external("w", location="eight.bin", offset=-4)


def external_files(folder):
    """1.0 and 2.0; the same from the fifth byte on; a file beside the folder, and a link to it."""
    pair = numpy.array([1, 2], "<f4").tobytes()
    outside = os.path.join(folder, os.pardir, "secret.bin")
    for name, content in (("eight.bin", pair), ("sixteen.bin", b"12345" + pair + b"678")):
        with open(os.path.join(folder, name), "wb") as handle:
            handle.write(content)
    with open(outside, "wb") as handle:
        handle.write(pair)
    os.makedirs(os.path.join(folder, "sub"), exist_ok=True)
    link = os.path.join(folder, "link.bin")
    if not os.path.lexists(link):
        os.symlink(os.path.join(os.pardir, "secret.bin"), link)


# Inputs, outputs and the order of nodes.


@model("graph")
def unsorted():
    nodes = [node("Relu", "b", "y", name="third"), node("Relu", "a", "b", name="second"),
             node("Relu", "x", "a", name="first")]  # fmt: skip
    return build(nodes, [1, 2])


@model("graph")
def initializer_inputs():
    inputs = [info("w", [3, 2]), info("x", [2, 3]), info("unused", [4])]
    return build([node("MatMul", "x w")], None, [counting("w", 3, 2), counting("unused", 4)], inputs=inputs)


@model("graph")
def symbolic():
    return build([node("Relu", "x")], ["N", 3, "height", None], outputs=[info("y", ["N", 3, "height", None])])


@model("graph")
def minus_one():
    return build([node("Relu", "x")], [-1, 3])


@model("graph")
def no_shape():
    return build([node("Relu", "x")], None)


@model("graph")
def two():
    nodes = [node("Relu", "x", "y"), node("Add", "x z", "sum")]
    return build(nodes, None, inputs=[info("x", [1, 2]), info("z", [1, 2])], outputs=[info("sum", [1, 2]),
                 info("y", [1, 2])])  # fmt: skip


@model("graph")
def newer_opset():
    return build([node("Relu", "x")], [1, 2], opset=99)
