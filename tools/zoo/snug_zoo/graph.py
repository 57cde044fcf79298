# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An ONNX graph under construction: values, weights, nodes and the finished file.

Weights come from one seeded generator, so that a network is the same file on
every machine. With `weights=False` only shapes, multiply-accumulates and
parameters are counted, which takes no time; `zoo --list` does so.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper

from snug_zoo import sample

OLDEST_OPSET = 7
NEWEST_OPSET = onnx.defs.onnx_opset_version()
FLOAT_BYTES = 4


class ZooError(Exception):
    """A request that cannot be met; its text is shown to the user."""


class Tensor:
    """A value of the graph: its name, shape (images NCHW) and, when asked for, a sample of it."""

    def __init__(self, name, shape, compute=None):
        self.name = name
        self.shape = tuple(shape)
        self._compute = compute
        self._sample = None

    @property
    def sample(self):
        """See sample.py. Computed when a batch norm asks: a network without one needs none."""
        if self._sample is None:
            assert self._compute, f"no sample of {self.name}: a batch norm behind such an operator is not foreseen"
            self._sample = self._compute()
        return self._sample

    def computed_by(self, compute):
        """Gives a sample to a value that several nodes make together."""
        self._compute = compute

    @property
    def channels(self):
        return self.shape[1]


class Graph:
    """What does not depend on the operators; see Builder."""

    def __init__(self, name, opset, seed, weights=True):
        if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
            raise ZooError(f"opset {opset} is not between {OLDEST_OPSET} and {NEWEST_OPSET}; choose another --opset")
        self.name = name
        self.opset = opset
        self.random = np.random.Generator(np.random.PCG64(seed)) if weights else None
        self.nodes = []
        # Filled in place: copying vgg16's weights once more would cost half a
        # gigabyte.
        self.proto = onnx.ModelProto()
        self.inputs = []
        self.macs = 0  # of convolutions and matrix products
        self.parameters = 0
        self.statistics = 0  # those of the parameters that are measured, not learned: a batch norm's
        self.normalized = 0  # elements that batch norms scale, each a multiply-accumulate where it is not folded
        # Output shape of each layer as darknet counts: convolutions and poolings.
        self.layer_shapes = []
        self.spatial_layers = 0  # those before the first that needs whole planes
        self._names = {}
        self._shared = {}  # parameters that several layers have, by a name of theirs

    @property
    def input(self):
        return self.inputs[0]

    # Weights

    def _parameter(self, name, shape, make):
        """Adds an initializer; returns its values, or nothing when only counting."""
        self.parameters += math.prod(shape)
        if self.random is None:
            return None
        values = np.ascontiguousarray(make(), np.float32)
        assert values.shape == tuple(shape), (name, values.shape, shape)
        tensor = self.proto.graph.initializer.add()
        tensor.name = name
        tensor.data_type = TensorProto.FLOAT
        tensor.dims.extend(shape)
        tensor.raw_data = values.astype("<f4", copy=False).tobytes()
        return values

    def _normal(self, shape, deviation):
        values = self.random.standard_normal(shape, np.float32)
        values *= np.float32(deviation)
        return values

    def weight(self, shape, low=-1.0, high=1.0):
        """A parameter, uniform between the bounds, as a value that any operator may take."""
        name = self._unique("weight")
        values = self._parameter(name, shape, lambda: self.random.uniform(low, high, shape))
        return Tensor(name, shape, lambda: values.astype(np.float64))

    def _constant(self, name, values, kind=TensorProto.FLOAT, shape=()):
        """A small constant that is no parameter of the network: a bound, a shape, a ratio."""
        if self.random is not None:
            self.proto.graph.initializer.append(helper.make_tensor(name, kind, shape, values))
        return name

    def number(self, value):
        """A scalar constant."""
        return Tensor(self._constant(self._unique("number"), [value]), (), lambda: np.float64(value))

    def table(self, values):
        """A constant of any shape."""
        return Tensor(self._constant(self._unique("table"), np.ravel(values), shape=values.shape), values.shape)

    def integers(self, values):
        """A constant list of int64."""
        return Tensor(self._constant(self._unique("integers"), list(values), TensorProto.INT64, (len(values),)), (len(values),))

    def floats(self, values):
        """A constant list of floats, which may be empty."""
        return Tensor(self._constant(self._unique("floats"), list(values), TensorProto.FLOAT, (len(values),)), (len(values),))

    def constant_node(self, values, shape=(), kind=TensorProto.INT64):
        """The same as a Constant node, which is how PyTorch writes them."""
        name = self._unique("constant")
        self.nodes.append(helper.make_node("Constant", [], [name], name=name,
                                           value=helper.make_tensor(name + "_value", kind, shape, list(values))))
        return Tensor(name, shape)

    # Nodes

    def _unique(self, stem):
        number = self._names.get(stem, 0)
        self._names[stem] = number + 1
        return f"{stem}{number}"

    def _node(self, kind, stem, inputs, shape, compute=None, **attributes):
        return self._several(kind, stem, inputs, [shape], [compute], **attributes)[0]

    def _several(self, kind, stem, inputs, shapes, computes, **attributes):
        """A node with so many results. An input is a value, a name, or "" for one left out."""
        name = self._unique(stem)
        names = [name] if len(shapes) == 1 else [f"{name}_{i}" for i in range(len(shapes))]
        self.nodes.append(helper.make_node(kind, [getattr(i, "name", i) for i in inputs], names, name=name, **attributes))
        return [Tensor(*each) for each in zip(names, shapes, computes)]

    def needs_opset(self, oldest, what):
        if self.opset < oldest:
            raise ZooError(f"{self.name} needs opset {oldest} or newer for {what}; choose another --opset")

    def network_input(self, shape, name="input"):
        if min(shape) < 1:
            raise ZooError(f"the input shape {'x'.join(map(str, shape))} has an extent below 1")
        # A stream of its own: weights stay the same whatever the input's size.
        made = Tensor(name, shape, lambda: sample.network_input(np.random.Generator(np.random.PCG64(0)), shape))
        self.inputs.append(made)
        return made

    # The file

    def model(self, results):
        """The finished model. A single result is renamed `output`; several are `output0`, `output1`, ..."""
        assert self.random is not None, "only counting"
        results = [results] if isinstance(results, Tensor) else results
        names = ["output"] if len(results) == 1 else [f"output{i}" for i in range(len(results))]
        renamed = {result.name: name for result, name in zip(results, names)}
        assert len(renamed) == len(results), "one value is an output twice"
        for node in self.nodes:
            for values in (node.input, node.output):
                values[:] = [renamed.get(v, v) for v in values]
        opset = helper.make_opsetid("", self.opset)
        self.proto.ir_version = helper.find_min_ir_version_for([opset])
        self.proto.opset_import.append(opset)
        self.proto.producer_name = "snug-zoo"
        graph = self.proto.graph
        graph.name = self.name
        graph.node.extend(self.nodes)
        graph.input.extend(helper.make_tensor_value_info(i.name, TensorProto.FLOAT, i.shape) for i in self.inputs)
        if self.proto.ir_version < 4:
            # Files of that time list every initializer as an input as well.
            graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in graph.initializer)
        graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, r.shape) for name, r in zip(names, results))
        return self.proto
