"""The diagonal of the Hessian as Optimal Brain Damage computes it: by back-propagation.

LeCun, Denker & Solla 1989, eqs. 7-10, for any error function; the usual one here is
E = 1/(2P) sum |t - o|^2, half the paper's, with half its second derivatives. The paper prints a
minus before f'' dE/dx; with the plus used here the recursion is the exact diagonal of a net with
one hidden layer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp, backwards


def backpropagated_diagonal(
    net: Mlp,
    theta: Tensor,
    task: Task,
    *,
    levenberg_marquardt: bool = False,
    error: Error = SQUARED,
) -> Tensor:
    """h_kk of every weight, averaged over the training set.

    Exact for one hidden layer. With more, the off-diagonal second derivatives between the
    units of a layer are dropped on the way down, as in the paper.

    Args:
        net: the architecture.
        theta: weights (R, N).
        task: the data.
        levenberg_marquardt: drop the f'' terms; the result is never negative, and for one
            hidden layer it is the diagonal of the Gauss-Newton matrix.
        error: E.

    Returns:
        (R, N).
    """
    activities = net.activities(theta, task.x)
    matrices = net.matrices(theta)
    samples = len(task)
    top = net.layers[-1].transfer
    outputs = activities[-1]
    first = error.slope(outputs, task.t)  # dE/dx of each unit, sample by sample
    slope, bend = top.slope(outputs), top.bend(outputs)
    if levenberg_marquardt:  # second: d2E/da2
        second = slope * slope * error.weight(outputs)
    else:
        second = slope * slope * error.bend(outputs, task.t) + first * bend
    found = torch.empty_like(theta)
    for depth in reversed(range(len(matrices))):
        layer, below = net.layers[depth], activities[depth]
        found[:, layer.biases] = second.sum(2) / samples
        squares = (below * below).expand(len(theta), -1, -1)
        found[:, layer.weights] = torch.bmm(second, squares.mT).flatten(1) / samples
        if depth:
            w = matrices[depth][0]
            under = net.layers[depth - 1].transfer
            first = backwards(w, first * slope)
            curvature = backwards(w * w, second)
            slope, bend = under.slope(below), under.bend(below)
            second = slope * slope * curvature
            if not levenberg_marquardt:
                second = second + bend * first
    return found
