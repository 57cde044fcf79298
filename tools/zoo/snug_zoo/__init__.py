# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model zoo: networks as ONNX files with seeded weights of sane scale."""

from snug_zoo.catalogue import NETWORKS, Network, build, results_of

__all__ = ["NETWORKS", "Network", "build", "results_of"]
