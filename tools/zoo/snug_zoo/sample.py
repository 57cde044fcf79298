# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the operators do to a small sample of activations.

Batch norm statistics are taken from a sample that ran through the network so
far, as training would take them: assuming independent activations instead lets
the scale grow by two a layer. Double precision keeps the result, once rounded,
the same on every machine. Arrays have shape (batch, channels, height, width).
"""

import numpy as np

# Deep layers of a network that halves its extents five times still see 4 x 4.
LARGEST_EXTENT = 128


def network_input(random, shape):
    """Uniform in [-1, 1), which `snug-run --random-inputs` feeds; cut to LARGEST_EXTENT."""
    extents = [min(extent, LARGEST_EXTENT) for extent in shape[2:]]
    return random.uniform(-1.0, 1.0, (shape[0], shape[1], *extents))


def windows(x, kernel, stride, pads, dilation, fill):
    """All windows of x: shape (batch, channels, rows, columns, kernel rows, kernel columns)."""
    top, left, bottom, right = pads
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation))
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def convolution(x, weights, bias, stride, pads, dilation, groups):
    outputs, depth, *kernel = weights.shape
    view = windows(x, kernel, stride, pads, dilation, 0.0)
    batch, _, rows, columns = view.shape[:4]
    view = view.reshape(batch, groups, depth, rows, columns, *kernel).transpose(1, 2, 5, 6, 0, 3, 4)
    matrix = view.reshape(groups, depth * kernel[0] * kernel[1], batch * rows * columns)
    y = weights.astype(np.float64).reshape(groups, outputs // groups, -1) @ matrix
    y = y.reshape(outputs, batch, rows, columns).transpose(1, 0, 2, 3)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def batch_norm(x, scale, shift, mean, variance, epsilon):
    scale, shift, mean, variance = (v.astype(np.float64).reshape(1, -1, 1, 1) for v in (scale, shift, mean, variance))
    return (x - mean) * (scale / np.sqrt(variance + epsilon)) + shift


def variance(x):
    """Of each channel, and that of all: deep behind noise a channel hardly varies within an image, and dividing by that little
    would magnify whatever a larger image does to its mean."""
    return x.var(axis=(0, 2, 3)) + x.var() + 1e-3


def leaky_relu(x, slope):
    return np.where(x > 0, x, slope * x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def transposed_convolution(x, weights, bias, stride, pads, dilation, groups, output_pads):
    batch, channels, rows, columns = x.shape
    depth, *kernel = weights.shape[1:]
    top, left, bottom, right = pads
    extents = [(e - 1) * s + (k - 1) * d + 1 for e, s, k, d in zip((rows, columns), stride, kernel, dilation)]
    y = np.zeros((batch, groups, depth, *(e + p for e, p in zip(extents, output_pads))))
    flat = x.reshape(batch, groups, channels // groups, rows * columns)
    taps = weights.astype(np.float64).reshape(groups, channels // groups, depth, *kernel).swapaxes(1, 2)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            part = (taps[..., i, j] @ flat).reshape(batch, groups, depth, rows, columns)
            first = (i * dilation[0], j * dilation[1])
            y[..., first[0]:first[0] + (rows - 1) * stride[0] + 1:stride[0],
              first[1]:first[1] + (columns - 1) * stride[1] + 1:stride[1]] += part
    y = y.reshape(batch, groups * depth, *y.shape[3:])
    y = y[:, :, top:y.shape[2] - bottom, left:y.shape[3] - right]
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def max_pool(x, kernel, stride, pads, dilation=(1, 1)):
    return windows(x, kernel, stride, pads, dilation, -np.inf).max(axis=(4, 5))


def average_pool(x, kernel, stride, pads, count_padding):
    total = windows(x, kernel, stride, pads, (1, 1), 0.0).sum(axis=(4, 5))
    if count_padding:
        return total / (kernel[0] * kernel[1])
    return total / windows(np.ones_like(x), kernel, stride, pads, (1, 1), 0.0).sum(axis=(4, 5))
