"""The exact diagonal of the Hessian of a net of planes, for any depth and any sharing.

Along one weight w_k the net is a curve, and its outputs o(w_k) have a first and a second
derivative that go up through the layers as a two-jet:

    a' = W x',  a'' = W x'';    x' = f' a',  x'' = f'' a'^2 + f' a''.

At the layer of the weight itself a' is the sum of the activities that its connections carry, and
a'' = 0. With them, exactly,

    d2E/dw_k^2 = sum over outputs of d2E/do^2 o'^2 + dE/do o'',

of which the first term is the diagonal of the Gauss-Newton matrix. It costs a forward pass of the
layers above for every weight, where the recursion of Optimal Brain Damage costs one pass for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.stack import Stack

_DIRECTIONS = 64  # weights whose jets are taken at a time
_HELD = 2_000_000  # numbers of a jet held at a time


@dataclass(frozen=True)
class ExactDiagonals:
    """Diagonals of one net, (N,) each, means over the samples.

    Attributes:
        hessian: d2E/dw_k^2.
        gauss_newton: its first term alone, with d2E/do^2 replaced by its mean, see
            :class:`oldschool.nets.error.Error`; never negative.
    """

    hessian: Tensor
    gauss_newton: Tensor


def exact_diagonals(
    net: Stack, theta: Tensor, task: Task, *, error: Error = SQUARED
) -> ExactDiagonals:
    """The diagonals of the Hessian and of the Gauss-Newton matrix of one net.

    Args:
        net: the architecture.
        theta: weights of one net, (N,).
        task: the data, x of shape (P, inputs).
        error: E.
    """
    hessian, gauss_newton = torch.zeros_like(theta), torch.zeros_like(theta)
    widest = max(scheme.above.units for scheme in net.schemes)
    for start in range(len(net.layers)):
        layer = net.layers[start]
        count = layer.scheme.weights + layer.scheme.biases
        at_once = max(1, min(len(task), _HELD // (widest * min(count, _DIRECTIONS))))
        for x, t in zip(torch.split(task.x, at_once), torch.split(task.t, at_once), strict=True):
            trace = net.forward(theta[None], x)
            bend, weight = error.bend(trace.outputs, t)[0], error.weight(trace.outputs)[0]
            pull = error.slope(trace.outputs, t)[0]
            for part in torch.split(torch.arange(count), _DIRECTIONS):
                first, second = _jet(
                    net, theta, trace.activities, trace.columns[start], start, part
                )
                squares, place = first * first, layer.weights.start + part
                hessian[place] += (bend[:, None] * squares + pull[:, None] * second).sum((0, 2))
                gauss_newton[place] += (weight[:, None] * squares).sum((0, 2))
    return ExactDiagonals(hessian / len(task), gauss_newton / len(task))


def _jet(
    net: Stack, theta: Tensor, activities: list[Tensor], columns: Tensor, start: int, part: Tensor
) -> tuple[Tensor, Tensor]:
    """o' and o'' along the weights ``part`` of a layer, (K, d, P) each.

    Moving along a weight is a net of its own: the d directions are d nets, whose layer has that
    one weight at 1 and all others at 0, and whose layers above have all the same weights.
    """
    layer, samples = net.layers[start], activities[0].shape[-1]
    unit = theta.new_zeros(len(part), layer.scheme.weights + layer.scheme.biases)
    unit[torch.arange(len(part)), part] = 1.0
    w, b = unit[:, : layer.scheme.weights], unit[:, layer.scheme.weights :]
    if start:
        columns = columns[0]
    first = layer.scheme.forward(w, b, columns)
    x = activities[start + 1]
    second = layer.transfer.bend(x) * first * first
    first = layer.transfer.slope(x) * first
    for depth in range(start + 1, len(net.layers)):
        layer, x = net.layers[depth], activities[depth + 1]
        w, none = theta[None, layer.weights], theta.new_zeros(1, layer.scheme.biases)
        both = torch.stack([first, second]).permute(2, 0, 1, 3).flatten(1)  # (units, 2 d P)
        a = layer.scheme.forward(w, none, layer.scheme.still.columns(both))[0]
        first, second = a.view(-1, 2, len(part), samples).permute(1, 2, 0, 3)
        slope = layer.transfer.slope(x)
        second = layer.transfer.bend(x) * first * first + slope * second
        first = slope * first
    return first.transpose(0, 1), second.transpose(0, 1)
