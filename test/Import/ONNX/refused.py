# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Test models that the importer refuses."""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from builder import batch_norm, build, chain, counting, floats, info, integers, model, node

# Graphs.


@model("graph-errors")
def opset_6():
    return build([node("Relu", "x")], [1, 2], opset=6)


@model("graph-errors")
def no_opset():
    result = build([node("Relu", "x")], [1, 2])
    del result.opset_import[:]
    return result


@model("graph-errors")
def two_opsets():
    result = build([node("Relu", "x")], [1, 2])
    result.opset_import.add(domain="ai.onnx", version=9)
    return result


@model("graph-errors")
def integer_input():
    return build([node("Relu", "x")], None, inputs=[info("x", [1, 2], TensorProto.INT64)])


@model("graph-errors")
def sequence_input():
    sequence = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1])
    return build([node("Relu", "x")], None, inputs=[sequence])


@model("graph-errors")
def input_twice():
    return build([node("Relu", "x")], None, inputs=[info("x", [1]), info("x", [1])])


@model("graph-errors")
def no_inputs():
    result = build([node("Relu", "w")], None, [counting("w", 3)])
    del result.graph.input[:]
    return result


@model("graph-errors")
def no_outputs():
    result = build([node("Relu", "x")], [1])
    del result.graph.output[:]
    return result


@model("graph-errors")
def huge_input():
    return build([node("Relu", "x")], [2**31 - 1, 2**31 - 1, 2**31 - 1, 2])


@model("graph-errors")
def long_input():
    return build([node("Relu", "x")], [2**31])


@model("graph-errors")
def cycle():
    return build([node("Add", "x b", "a", name="one"), node("Relu", "a", "b", name="two"), node("Relu", "x")], [1, 2])


@model("graph-errors")
def unknown_value():
    return build([node("Relu", "nobody")], [1, 2])


@model("graph-errors")
def made_twice():
    return build([node("Relu", "x", name="one"), node("Relu", "x", name="two")], [1, 2])


@model("graph-errors")
def input_made():
    return build([node("Relu", "x", "x")], [1, 2])


@model("graph-errors")
def initializer_twice():
    return build([node("Add", "x w")], [1, 2], [counting("w", 1, 2), counting("w", 1, 2)])


@model("graph-errors")
def unnamed_initializer():
    return build([node("Relu", "x")], [1, 2], [counting("", 1, 2)])


@model("graph-errors")
def output_unknown():
    return build([node("Relu", "x", "z")], [1, 2])


@model("graph-errors")
def output_twice():
    return build([node("Relu", "x")], [1, 2], outputs=[info("y", None), info("y", None)])


@model("graph-errors")
def output_constant():
    return build([node("Relu", "x", "z")], [1, 2], [counting("y", 3)])


@model("graph-errors")
def output_shape():
    return build([node("Relu", "x")], [1, 2], outputs=[info("y", ["N", 3])])


@model("graph-errors")
def output_type():
    return build([node("Relu", "x")], [1, 2], outputs=[info("y", None, TensorProto.FLOAT16)])


# Nodes that are not supported, or not valid.


@model("unsupported")
def many():
    """Everything is listed in one run, also behind a node that cannot be imported."""
    nodes = [
        node("Conv", "x w", "a", name="first", foo=1, bar="text"),
        node("NonZero", "a", "b", name="wave"),
        node("LeakyRelu", "b", "c", name="leaky", beta=0.5),
        node("MaxPool", "c", "d", name="", kernel_shape=[2, 2], more=1),
        helper.make_node("Mish", ["d"], ["y"], name="far", domain="com.example"),
    ]
    return build(nodes, [1, 3, 8, 8], [counting("w", 4, 3, 3, 3)])


@model("unsupported")
def mixed():
    nodes = [node("NonZero", "x", "a"), node("MaxPool", "a", kernel_shape=[2, 2], strides=[1, 2, 3])]
    return build(nodes, [1, 3, 8, 8])


@model("unsupported")
def conv_3d():
    return chain("Conv", [1, 3, 8, 8, 8], inputs="x w", initializers=[counting("w", 4, 3, 3, 3, 3)])


@model("unsupported")
def conv_computed_filter():
    inputs = [info("x", [1, 3, 8, 8]), info("w", [4, 3, 3, 3])]
    return build([node("Conv", "x w")], None, inputs=inputs)


@model("unsupported")
def conv_negative_pads():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], pads=[0, -1, 0, 0])


@model("unsupported")
def sparse_weights():
    values = numpy_helper.from_array(numpy.array([2.0], numpy.float32), "w")
    sparse = helper.make_sparse_tensor(values, integers("i", [1]), [2, 2])
    result = chain("MatMul", [1, 2], inputs="x w")
    result.graph.sparse_initializer.append(sparse)
    return result


@model("unsupported")
def batch_norm_spatial():
    return batch_norm(7, spatial=0)


@model("unsupported")
def batch_norm_training():
    return batch_norm(15, training_mode=1)


@model("unsupported")
def batch_norm_outputs():
    return batch_norm(9, outputs="y m v sm sv")


@model("unsupported")
def max_pool_3d():
    return chain("MaxPool", [1, 2, 9, 9, 9], kernel_shape=[3, 3, 3])


@model("unsupported")
def max_pool_indices():
    return build([node("MaxPool", "x", "y indices", kernel_shape=[2, 2])], [1, 2, 9, 8],
                 outputs=[info("y", None), info("indices", None, TensorProto.INT64)])  # fmt: skip


@model("unsupported")
def average_pool_dilated():
    return chain("AveragePool", [1, 2, 9, 9], kernel_shape=[2, 2], dilations=[2, 1], opset=19)


@model("unsupported")
def clip_attributes_13():
    return chain("Clip", [1, 2], min=0.0, max=6.0, opset=13)


@model("unsupported")
def add_constants():
    return chain("Add", [1], inputs="v w", initializers=[counting("v", 3), counting("w", 3)])


@model("unsupported")
def relu_constant():
    return chain("Relu", [1], inputs="w", initializers=[counting("w", 3)])


@model("unsupported")
def dropout_training():
    training = numpy_helper.from_array(numpy.array(True), "training")
    return chain("Dropout", [1, 4], inputs="x ratio training", initializers=[floats("ratio", 0.3), training])


@model("unsupported")
def dropout_mask():
    return build([node("Dropout", "x", "y mask")], [1, 4], outputs=[info("y", None), info("mask", None,
                 TensorProto.BOOL)])  # fmt: skip


@model("unsupported")
def reshape_computed():
    return build([node("Reshape", "x s")], None, inputs=[info("x", [4]), info("s", [1])])


@model("unsupported")
def constant_string():
    return build([node("Constant", "", "s", value_string="text"), node("Reshape", "x s")], [4])


@model("unsupported")
def too_many_inputs():
    return build([node("Relu", "x x")], [4])


@model("unsupported")
def too_many_outputs():
    return build([node("Relu", "x", "y z")], [4])


@model("malformed")
def concat_constant():
    return chain("Concat", [1, 3, 8, 9], inputs="x c", initializers=[counting("c", 1, 3, 8)], axis=1)


@model("malformed")
def conv_no_filter():
    return chain("Conv", [1, 3, 8, 9])


@model("malformed")
def conv_matrix_filter():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3)])


@model("malformed")
def conv_kernel_shape():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], kernel_shape=[3, 2])


@model("malformed")
def conv_channels():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 2, 3, 3)])


@model("malformed")
def conv_groups():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], group=0)


@model("malformed")
def conv_bias():
    return chain("Conv", [1, 3, 8, 9], inputs="x w b", initializers=[counting("w", 4, 3, 3, 3), counting("b", 3)])


@model("malformed")
def conv_stride():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], strides=[0, 1])


@model("malformed")
def conv_dilation():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], dilations=[1, 2**40])


@model("malformed")
def conv_kernel_too_large():
    return chain("Conv", [1, 3, 2, 2], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)])


@model("malformed")
def conv_auto_pad():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], auto_pad="SAME")


@model("malformed")
def conv_both_pads():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)], auto_pad="VALID",
                 pads=[1, 1, 1, 1])  # fmt: skip


@model("malformed")
def conv_flat_input():
    return chain("Conv", [1, 3], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)])


@model("malformed")
def attribute_type():
    return chain("LeakyRelu", [1], alpha=1)


@model("malformed")
def attribute_twice():
    result = chain("LeakyRelu", [1], alpha=0.5)
    result.graph.node[0].attribute.append(helper.make_attribute("alpha", 0.25))
    return result


@model("malformed")
def attribute_reference():
    result = chain("LeakyRelu", [1])
    result.graph.node[0].attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="a")
    return result


@model("malformed")
def flag_value():
    return chain("Gemm", [2, 3], inputs="x w", initializers=[counting("w", 3, 2)], transB=2)


@model("malformed")
def batch_norm_channels():
    parameters = [counting("scale", 3), counting("shift", 3), counting("mean", 2), counting("variance", 3, 1)]
    return batch_norm(15, initializers=parameters)


@model("malformed")
def pool_no_kernel():
    return chain("MaxPool", [1, 3, 8, 9])


@model("malformed")
def pool_kernel_zero():
    return chain("AveragePool", [1, 3, 8, 9], kernel_shape=[0, 2])


@model("malformed")
def pool_only_padding():
    return chain("MaxPool", [1, 3, 8, 9], kernel_shape=[2, 2], pads=[2, 0, 0, 0])


@model("malformed")
def gemm_depth():
    return chain("Gemm", [2, 3], inputs="x w", initializers=[counting("w", 4, 2)])


@model("malformed")
def gemm_bias():
    return chain("Gemm", [2, 3], inputs="x w b", initializers=[counting("w", 3, 2), counting("b", 3)])


@model("malformed")
def softmax_axis():
    return chain("Softmax", [2, 3], axis=2)


@model("malformed")
def reshape_count():
    return chain("Reshape", [2, 3], inputs="x s", initializers=[integers("s", [4, 2])])


@model("malformed")
def reshape_two_open():
    return chain("Reshape", [2, 3], inputs="x s", initializers=[integers("s", [-1, -1])])


@model("malformed")
def reshape_floats():
    return chain("Reshape", [2, 3], inputs="x s", initializers=[floats("s", [6])])


@model("malformed")
def constant_empty():
    return build([node("Constant", "", "s"), node("Reshape", "x s")], [4])


@model("malformed")
def scalar_list():
    return chain("Clip", [1, 2], inputs="x low", initializers=[counting("low", 2)])


@model("malformed")
def training_list():
    training = TensorProto(name="t", data_type=TensorProto.BOOL, dims=[2], int32_data=[0, 0])
    dropout = helper.make_node("Dropout", ["x", "", "t"], ["y"], name="the_dropout")
    return build([dropout], [1, 2], [training])


@model("malformed")
def data_in_segments():
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 2], raw_data=bytes(24))
    tensor.segment.begin, tensor.segment.end = 0, 6
    return chain("MatMul", [2, 3], inputs="x w", initializers=[tensor])


def damaged(**changes):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 2], raw_data=bytes(24))
    for field, value in changes.items():
        if field == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, field, value)
    return chain("MatMul", [2, 3], inputs="x w", initializers=[tensor])


@model("malformed")
def data_short():
    return damaged(raw_data=bytes(23))


@model("malformed")
def data_absent():
    return damaged(raw_data=b"")


@model("malformed")
def dimension_negative():
    return damaged(dims=[3, -2])


@model("malformed")
def dimension_zero():
    return damaged(dims=[3, 0])


@model("malformed")
def dimension_overflow():
    return damaged(dims=[3, 2**62])


@model("malformed")
def type_unknown():
    return damaged(data_type=99)


# Files.


@model("files")
def good():
    return chain("Conv", [1, 3, 8, 9], inputs="x w", initializers=[counting("w", 4, 3, 3, 3)])


@model("files")
def cut():
    return good().SerializeToString()[:300]


@model("files")
def cut_behind_graph():
    result = good()
    del result.opset_import[:]
    return result.SerializeToString()


@model("files")
def no_graph():
    result = good()
    result.ClearField("graph")
    return result.SerializeToString()


@model("files")
def damaged_inside():
    # The name of the first node claims to be longer than the node.
    content = good().SerializeToString()
    place = content.index(b"the_conv") - 1
    return content[:place] + b"\x7f" + content[place + 1 :]


@model("files")
def empty():
    return b""


@model("files")
def text():
    return b"# This is a text, no model.\n"
