"""Optimal Brain Damage's second derivatives for nets with shared weights.

LeCun, Denker & Solla 1989, eqs. 7-10. A weight that many connections share has

    h_kk = sum over its connections (i, j) of x_j^2 d2E/da_i^2,

and the d2E/da_i^2 come down from the outputs by the recursion

    d2E/da_i^2 = f'(a_i)^2 sum_l w_li^2 d2E/da_l^2  +  f''(a_i) dE/dx_i.

Three things are left out on the way, all of them off-diagonal second derivatives: those between
the units of a layer, those between the connections of one weight, and, in the Levenberg-Marquardt
form, the terms with f''. The paper prints a minus before f'' dE/dx; with the plus used here the
recursion is exact for one hidden layer without sharing. Errors are E = 1/(2P) sum |t - o|^2,
half the paper's, with half its second derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.compiled.stack import compiled
from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.stack import Stack, Trace

# Samples held at a time: what a layer reads of them has to stay in the processor's cache.
CHUNK = 32


@dataclass(frozen=True)
class Derivatives:
    """First and second derivatives of the error of R nets.

    Attributes:
        error: E, (R,).
        gradient: dE/dw, (R, N); NaN in the Levenberg-Marquardt form, which does not need it.
        diagonal: h_kk, (R, N).
    """

    error: Tensor
    gradient: Tensor
    diagonal: Tensor


def recursive_diagonal(
    net: Stack,
    theta: Tensor,
    task: Task,
    *,
    levenberg_marquardt: bool = False,
    error: Error = SQUARED,
    chunk: int = CHUNK,
) -> Derivatives:
    """h_kk of every weight by one pass back beside that of the gradient.

    Args:
        net: the architecture.
        theta: weights (R, N).
        task: the data, shared by the nets or of each its own.
        levenberg_marquardt: drop the f'' terms; no h_kk is then negative, and the pass back of
            the gradient is not needed.
        error: E.
        chunk: samples taken at a time where the net is not compiled; only rounding depends on it.

    Returns:
        E, its gradient and h_kk, each a mean over the samples.

    Raises:
        ValueError: the data or the weights do not fit the architecture.
    """
    net.require(theta, task.x)
    code = compiled(net, theta, task.x, task.t) if error is SQUARED else None
    if code is None:
        return by_tensors(net, theta, task, levenberg_marquardt, error, chunk)
    order = torch.arange(len(task)).expand(len(theta), -1)
    if task.x.ndim == 3:  # the samples of all nets in one row
        order = order + len(task) * torch.arange(len(theta))[:, None]
    x, t = (one.reshape(-1, one.shape[-1]) for one in (task.x, task.t))
    sums = code.derivatives(theta, x, t, order, full=not levenberg_marquardt)
    return Derivatives(*(one / len(task) for one in sums))


def by_tensors(
    net: Stack,
    theta: Tensor,
    task: Task,
    levenberg_marquardt: bool = False,
    error: Error = SQUARED,
    chunk: int = CHUNK,
) -> Derivatives:
    """The form of :func:`recursive_diagonal` to read, whose operations can be counted."""
    total = theta.new_zeros(len(theta))
    gradient, diagonal = torch.zeros_like(theta), torch.zeros_like(theta)
    for x, t in zip(torch.split(task.x, chunk, -2), torch.split(task.t, chunk, -2), strict=True):
        trace = net.forward(theta, x)
        total += error.value(trace.outputs, t) * x.shape[-2]
        pull = error.slope(trace.outputs, t)
        if levenberg_marquardt:
            diagonal += _back(net, theta, trace, None, error.weight(trace.outputs))[1]
        else:
            g, h = _back(net, theta, trace, pull, error.bend(trace.outputs, t))
            gradient += g
            diagonal += h
    if levenberg_marquardt:
        gradient.fill_(torch.nan)
    return Derivatives(total / len(task), gradient / len(task), diagonal / len(task))


def field_saliency(net: Stack, theta: Tensor, x: Tensor, chunk: int = CHUNK) -> Tensor:
    """Saliencies of the first layer's weights, sorted by the input that a connection reads.

    1/2 x_j^2 sum over connections (i, j) of w_ij^2 d2E/da_i^2, by the recursion's
    Levenberg-Marquardt form for the squared error. Summed over the inputs it is the sum of
    h_kk w_k^2 / 2 over the layer's weights, biases and what lies around the field left out.

    Args:
        net: the architecture.
        theta: weights (R, N).
        x: inputs (P, inputs).
        chunk: samples taken at a time.

    Returns:
        (R, inputs), a mean over the samples.
    """
    found = theta.new_zeros(len(theta), net.inputs.units)
    for part in torch.split(x, chunk):
        trace = net.forward(theta, part)
        bow = torch.ones_like(trace.outputs)
        for depth in reversed(range(len(net.layers))):
            layer = net.layers[depth]
            second = layer.transfer.slope(trace.activities[depth + 1]).square_().mul_(bow)
            bow = layer.scheme.back(theta[:, layer.weights].square(), second)
        found += 0.5 * (bow * trace.activities[0].square()).sum(2)
    return found / len(x)


def _back(
    net: Stack, theta: Tensor, trace: Trace, pull: Tensor | None, bow: Tensor
) -> tuple[Tensor, Tensor]:
    """Sums over the samples of dE/dw and h_kk, (R, N) each.

    ``pull`` is dE/dx of the outputs, (R, K, P), and None drops the f'' terms and the gradient;
    ``bow`` is d2E/dx2 of the outputs, (R, K, P).
    """
    gradient, diagonal = torch.empty_like(theta), torch.empty_like(theta)
    squares = theta * theta
    for depth in reversed(range(len(net.layers))):
        layer = net.layers[depth]
        below, above = trace.activities[depth : depth + 2]
        slope = layer.transfer.slope(above)
        second = (slope * slope).mul_(bow)
        if pull is not None:
            delta = slope.mul_(pull)
            second.addcmul_(layer.transfer.bend(above), pull)
            g, b = layer.scheme.gather(delta, trace.columns[depth])
            gradient[:, layer.weights], gradient[:, layer.biases] = g, b
        h, b = layer.scheme.gather(second, layer.scheme.columns(below, 2))
        diagonal[:, layer.weights], diagonal[:, layer.biases] = h, b
        if depth:
            if pull is not None:
                pull = layer.scheme.back(theta[:, layer.weights], delta)
            bow = layer.scheme.back(squares[:, layer.weights], second)
    return gradient, diagonal
