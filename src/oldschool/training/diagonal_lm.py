"""Stochastic diagonal Levenberg-Marquardt: on-line gradient descent with a step a weight.

Becker & LeCun 1988. After a look at the second derivatives at the start of every pass through the
training set, each pattern changes

    w_k  <-  w_k - rate / (h_kk + mu)  dE_p/dw_k,    E_p = 1/2 |t - o|^2,

h_kk the Levenberg-Marquardt diagonal of Optimal Brain Damage's recursion, a mean over patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.compiled.stack import compiled
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.error import SQUARED
from oldschool.nets.stack import Stack

_LOOKED_AT = 8  # patterns of each net whose second derivatives are taken at a time


@dataclass(frozen=True)
class DiagonalSchedule:
    """How nets are trained.

    Attributes:
        rate: at the start, on the gradient of one pattern; falls in a line to nought.
        mu: keeps the steps of weights without curvature small.
        passes: passes through the training set; the last may be a part of one.
        batch: patterns whose gradients are summed for one step; 1 is the on-line rule.
        looked_at: patterns, drawn anew for every pass, that h_kk is a mean over.
    """

    rate: float
    mu: float
    passes: float
    batch: int = 8
    looked_at: int = 500


def stochastic_diagonal_lm(
    net: Stack,
    theta: Tensor,
    task: Task,
    schedule: DiagonalSchedule,
    generators: Sequence[torch.Generator],
    kept: Tensor | None = None,
) -> Tensor:
    """Train R nets, each on patterns in an order of its own.

    Args:
        net: the architecture.
        theta: starting weights (R, N), zero where not kept; not changed.
        task: the training set, shared by the nets.
        schedule: rates and passes.
        generators: one a net; draws the patterns looked at and the order, pass by pass.
        kept: (R, N) bool, False where a weight is deleted and stays zero; None when none is.

    Returns:
        The weights at the end, (R, N); not finite for a net that diverged.
    """
    theta = theta.clone(memory_format=torch.contiguous_format)
    code = compiled(net, theta, task.x, task.t)
    left = max(1, round(schedule.passes * len(task)))
    taken, shown = 0, left
    while left > 0:
        order = torch.stack([torch.randperm(len(task), generator=one) for one in generators])
        few = order[:, -schedule.looked_at :]
        seen = Task(task.x[few], task.t[few])
        look = recursive_diagonal(net, theta, seen, levenberg_marquardt=True, chunk=_LOOKED_AT)
        scale = schedule.rate / (look.diagonal + schedule.mu)
        if kept is not None:
            scale *= kept
        now = order[:, :left]
        if code is None:
            _descend(net, theta, scale, task, now, schedule.batch, taken, shown)
        else:
            code.descend(theta, scale, task.x, task.t, now, schedule.batch, taken, shown)
        taken += now.shape[1]
        left -= order.shape[1]
    return theta


def _descend(
    net: Stack,
    theta: Tensor,
    scale: Tensor,
    task: Task,
    order: Tensor,
    batch: int,
    taken: int,
    shown: int,
) -> None:
    """A pass in place, the form to read; see :meth:`oldschool.compiled.stack.CompiledStack`."""
    for part in torch.split(order, batch, dim=1):
        trace = net.forward(theta, task.x[part])
        pull = SQUARED.slope(trace.outputs, task.t[part])
        gradient = net.pull_back(theta, trace, pull)
        theta.addcmul_(scale, gradient, value=taken / shown - 1.0)
        taken += part.shape[1]
