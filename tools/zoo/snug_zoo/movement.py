# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators that only move values, and shape arithmetic, in the form that each opset asks for."""

import math

import numpy as np
from onnx import TensorProto


class Movement:
    """Mixed into Builder."""

    def concat(self, parts, axis=1):
        shape = list(parts[0].shape)
        shape[axis] = sum(p.shape[axis] for p in parts)
        return self._node("Concat", "concat", parts, shape, lambda: np.concatenate([p.sample for p in parts], axis), axis=axis)

    def split(self, x, sizes, axis=1):
        """Sizes became an input with opset 13."""
        ends = np.cumsum(sizes)
        shapes = [[s if i == axis else e for i, e in enumerate(x.shape)] for s in sizes]
        computes = [lambda n=n: np.split(x.sample, ends[:-1], axis)[n] for n in range(len(sizes))]
        if self.opset >= 13:
            return self._several("Split", "split", [x, self.integers(sizes)], shapes, computes, axis=axis)
        return self._several("Split", "split", [x], shapes, computes, axis=axis, split=sizes)

    def slice(self, x, starts, ends, axes, steps=None):
        """As Python slices; inputs since opset 10, with steps."""
        shape = list(x.shape)
        for start, end, axis, step in zip(starts, ends, axes, steps or [1] * len(axes)):
            # A negative step down to the first needs an end below -extent.
            last = None if step < 0 and end < -shape[axis] else end
            shape[axis] = len(range(shape[axis])[start:last:step])
        if self.opset < 10:
            assert not steps, "steps came with opset 10"
            return self._node("Slice", "slice", [x], shape, starts=starts, ends=ends, axes=axes)
        inputs = [x, self.integers(starts), self.integers(ends), self.integers(axes)]
        return self._node("Slice", "slice", inputs + ([self.integers(steps)] if steps else []), shape)

    def reshape(self, x, shape):
        """To explicit extents."""
        assert math.prod(shape) == math.prod(x.shape), (x.shape, shape)
        return self._node("Reshape", "reshape", [x, self.integers(shape)], shape)

    def transpose(self, x, permutation):
        return self._node("Transpose", "transpose", [x], [x.shape[p] for p in permutation], perm=permutation)

    def flatten(self, x, axis=1):
        shape = (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))
        return self._node("Flatten", "flatten", [x], shape, axis=axis)

    def reshape_flat(self, x):
        """The same as flatten, said with Reshape, whose batch extent stays open."""
        count = math.prod(x.shape[1:])
        return self._node("Reshape", "reshape", [x, self.integers([0, -1])], (x.shape[0], count))

    def view_flat(self, x, open_batch=False):
        """The same as PyTorch writes x.view(x.size(0), -1): the batch read from the shape."""
        batch = self.unsqueeze(self.extent(x, 0), [0])
        count = math.prod(x.shape[1:])
        rest = self.unsqueeze(self.constant_node([count if open_batch else -1]), [0])
        return self._node("Reshape", "view", [x, self.concat([batch, rest], axis=0)], (x.shape[0], count))

    def squeeze(self, x, axes):
        """Axes became an input with opset 13."""
        shape = [e for i, e in enumerate(x.shape) if i not in axes]
        if self.opset >= 13:
            return self._node("Squeeze", "squeeze", [x, self.integers(axes)], shape)
        return self._node("Squeeze", "squeeze", [x], shape, axes=axes)

    def unsqueeze(self, x, axes):
        shape = list(x.shape)
        for axis in sorted(axes):
            shape.insert(axis, 1)
        if self.opset >= 13:
            return self._node("Unsqueeze", "unsqueeze", [x, self.integers(axes)], shape)
        return self._node("Unsqueeze", "unsqueeze", [x], shape, axes=axes)

    def channel_shuffle(self, x, groups):
        """Reshape, Transpose, Reshape, which is how every exporter writes it."""
        batch, channels, height, width = x.shape
        y = self.reshape(x, (batch, groups, channels // groups, height, width))
        y = self.reshape(self.transpose(y, [0, 2, 1, 3, 4]), x.shape)

        def compute():
            v = x.sample
            return v.reshape(v.shape[0], groups, channels // groups, *v.shape[2:]).swapaxes(1, 2).reshape(v.shape)

        y.computed_by(compute)
        return y

    def space_to_depth(self, x, block):
        batch, channels, height, width = x.shape

        def compute():
            n, c, h, w = x.sample.shape
            v = x.sample.reshape(n, c, h // block, block, w // block, block)
            return v.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * block * block, h // block, w // block)

        return self._node("SpaceToDepth", "space_to_depth", [x],
                          (batch, channels * block * block, height // block, width // block), compute, blocksize=block)

    def depth_to_space(self, x, block, mode="DCR"):
        """The mode came with opset 11; before that CRD was written as Reshape, Transpose, Reshape."""
        batch, channels, height, width = x.shape
        depth = channels // (block * block)
        shape = (batch, depth, height * block, width * block)
        if mode == "CRD" and self.opset < 11:
            y = self.reshape(x, (batch, depth, block, block, height, width))
            return self.reshape(self.transpose(y, [0, 1, 4, 2, 5, 3]), shape)
        attributes = {"mode": mode} if self.opset >= 11 else {}
        return self._node("DepthToSpace", "depth_to_space", [x], shape, blocksize=block, **attributes)

    def pad(self, x, pads, mode="constant", value=None):
        """`pads`: all beginnings, then all ends. Inputs since opset 11."""
        rank = len(x.shape)
        shape = [e + pads[i] + pads[rank + i] for i, e in enumerate(x.shape)]
        if self.opset < 11:
            attributes = {} if value is None else {"value": value}
            return self._node("Pad", "pad", [x], shape, pads=pads, mode=mode, **attributes)
        inputs = [x, self.integers(pads)] + ([] if value is None else [self.number(value)])
        return self._node("Pad", "pad", inputs, shape, mode=mode)

    # Resize, which each opset writes another way

    def upsample(self, x, scale=2):
        """Nearest, by a whole factor: Upsample before opset 10."""
        def compute():
            return x.sample.repeat(scale, axis=2).repeat(scale, axis=3)

        shape = (*x.shape[:2], x.shape[2] * scale, x.shape[3] * scale)
        return self._resized(x, shape, [1.0, 1.0, float(scale), float(scale)], compute, "nearest",
                             coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def resize(self, x, mode, scales=None, sizes=None, **attributes):
        """By factors of height and width, or to extents; `attributes` as of opset 11."""
        extents = sizes or [math.floor(e * s) for e, s in zip(x.shape[2:], scales)]
        shape = (*x.shape[:2], *extents)
        if attributes or sizes:
            self.needs_opset(11, "Resize with a coordinate transform or sizes")
        if sizes:
            return self._node("Resize", "resize", [x, *self._unused(2), self.integers(shape)], shape, mode=mode, **attributes)
        return self._resized(x, shape, [1.0, 1.0, *scales], None, mode, **attributes)

    def resize_like(self, x, like, mode="linear"):
        """To the extents of another value, as PyTorch writes interpolate(x, size=like.shape[-2:])."""
        self.needs_opset(11, "Resize with sizes")
        shape = (*x.shape[:2], *like.shape[2:])
        kept = self.slice(self.shape_of(x), [0], [2], [0])
        wanted = self.slice(self.shape_of(like), [2], [4], [0])
        sizes = self.concat([kept, wanted], axis=0)

        def compute():
            extents = like.sample.shape[2:]
            assert x.sample.shape[2:] == (1, 1), "only a single element has a sample once spread"
            return np.broadcast_to(x.sample, (*x.sample.shape[:2], *extents))

        return self._node("Resize", "resize", [x, *self._unused(2), sizes], shape, compute, mode=mode,
                          coordinate_transformation_mode="half_pixel" if mode == "linear" else "asymmetric",
                          **({} if mode == "linear" else {"nearest_mode": "floor"}))

    def _unused(self, count):
        """Inputs left out: empty constants while the operator asks for them, names left empty since."""
        return [self.floats([]) if self.opset < 13 else "" for _ in range(count)]

    def _resized(self, x, shape, scales, compute, mode, **attributes):
        if self.opset < 9:
            return self._node("Upsample", "upsample", [x], shape, compute, mode=mode, scales=scales)
        if self.opset < 11:
            return self._node("Upsample" if self.opset == 9 else "Resize", "resize", [x, self.floats(scales)], shape, compute, mode=mode)
        return self._node("Resize", "resize", [x, *self._unused(1), self.floats(scales)], shape, compute, mode=mode, **attributes)

    # Shape arithmetic

    def shape_of(self, x):
        return self._node("Shape", "shape", [x], (len(x.shape),))

    def extent(self, x, axis):
        """One extent as a scalar: Shape and Gather."""
        return self._node("Gather", "gather", [self.shape_of(x), self.constant_node([axis])], (), axis=0)

    def cast(self, x, kind=TensorProto.INT64):
        return self._node("Cast", "cast", [x], x.shape, to=kind)
