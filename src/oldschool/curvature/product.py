"""The Gauss-Newton matrix times a vector, without the matrix: an exact check on its inverse."""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.curvature.recursion import CHUNK
from oldschool.nets.net import Net
from oldschool.nets.stack import Stack


def gauss_newton_product(net: Net, theta: Tensor, x: Tensor, vector: Tensor) -> Tensor:
    """H v = 1/P J^T (J v) by one forward and one backward derivative (Pearlmutter 1994).

    Args:
        net: the architecture.
        theta: weights of one net, (N,).
        x: inputs (P, inputs).
        vector: v, (N,).

    Returns:
        (N,).
    """
    if isinstance(net, Stack):
        return _of_planes(net, theta, x, vector)

    def outputs(weights: Tensor) -> Tensor:
        return net.outputs(weights[None], x)[0]

    moved = torch.func.jvp(outputs, (theta,), (vector,))[1]
    found: Tensor = torch.func.vjp(outputs, theta)[1](moved)[0]
    return found / len(x)


def _of_planes(net: Stack, theta: Tensor, x: Tensor, vector: Tensor) -> Tensor:
    """The same by the net's own derivatives: torch.func takes ten times as long over them."""
    found = torch.zeros_like(theta)
    for part in torch.split(x, CHUNK):
        trace = net.forward(theta[None], part)
        moved = net.push_forward(theta[None], trace, vector[None])
        found += net.pull_back(theta[None], trace, moved)[0]
    return found / len(x)
