# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mean and variance of activations, channel by channel, through a network.

Every tensor is taken for normally distributed and its elements for
independent. That is far from exact, and good enough for its one purpose: batch
norm statistics that keep activations near unit scale, as training would.
"""

import math

import numpy as np


class Moments:
    """Mean and variance of each channel; two float64 arrays of shape (channels,)."""

    def __init__(self, mean, variance):
        self.mean = np.asarray(mean, np.float64)
        self.variance = np.asarray(variance, np.float64)

    @staticmethod
    def of_input(channels):
        """Uniform in [-1, 1), which `snug-run --random-inputs` feeds."""
        return Moments(np.zeros(channels), np.full(channels, 1.0 / 3.0))

    def convolved(self, weights, groups, bias):
        """After a convolution with `weights` of shape (out, in / groups, kh, kw)."""
        outputs, depth = weights.shape[:2]
        sums = weights.sum(axis=(2, 3), dtype=np.float64).reshape(groups, outputs // groups, depth)
        squares = np.square(weights).sum(axis=(2, 3), dtype=np.float64).reshape(sums.shape)
        mean = (sums * self.mean.reshape(groups, 1, depth)).sum(axis=2).reshape(outputs)
        variance = (squares * self.variance.reshape(groups, 1, depth)).sum(axis=2).reshape(outputs)
        return Moments(mean if bias is None else mean + bias, variance)

    def normalized(self, scale, shift, mean, variance, epsilon):
        """After y = scale * (x - mean) / sqrt(variance + epsilon) + shift."""
        factor = scale / np.sqrt(variance + epsilon)
        return Moments((self.mean - mean) * factor + shift, self.variance * factor * factor)

    def rectified(self, slope):
        """After x if x > 0 else slope * x; slope 0 is a plain relu."""
        deviation = np.sqrt(self.variance) + 1e-12
        ratio = self.mean / deviation
        below = np.array([0.5 * math.erfc(r / math.sqrt(2.0)) for r in ratio])
        density = np.exp(-0.5 * ratio * ratio) / math.sqrt(2.0 * math.pi)
        first = self.mean * (1.0 - below) + deviation * density
        second = (self.mean**2 + self.variance) * (1.0 - below) + self.mean * deviation * density
        total = self.mean**2 + self.variance
        mean = slope * self.mean + (1.0 - slope) * first
        return Moments(mean, np.maximum(slope**2 * total + (1.0 - slope**2) * second - mean**2, 1e-12))

    def maximum_of(self, count):
        """After taking the largest of `count` elements (a fit to normal order statistics)."""
        if count <= 1:
            return self
        rise = math.sqrt(2.0 * math.log(count)) * 0.62 + 0.3
        return Moments(self.mean + rise * np.sqrt(self.variance), self.variance / (1.0 + 0.75 * math.log(count)))

    def average_of(self, count):
        """After averaging `count` elements."""
        return Moments(self.mean, self.variance / count)

    def plus(self, other):
        """After adding an independent tensor."""
        return Moments(self.mean + other.mean, self.variance + other.variance)

    def repeated(self, count):
        """After flattening: every channel's figures `count` times."""
        return Moments(np.repeat(self.mean, count), np.repeat(self.variance, count))
