"""First-order training as in the time: back-propagation with momentum."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained, outcome


def backpropagation(
    objective: Objective, theta: Tensor, *, rate: float, momentum: float, epochs: int
) -> Trained:
    """Full-batch gradient descent with momentum (Rumelhart, Hinton & Williams 1986).

    dw(t) = -rate * gradient of the error summed over patterns, sum_k |t_k - o_k|^2 / 2, plus
    momentum * dw(t - 1); with weight decay inside the objective.

    Args:
        objective: what is minimised; its gradient, a mean over P patterns, is scaled by P.
        theta: starting weights (R, N); not changed.
        rate: learning rate on the summed gradient.
        momentum: share of the last step that is repeated.
        epochs: passes through the training set.

    Returns:
        The trained nets; one that overflowed says so in ``diverged``.
    """
    theta = theta.clone()
    for _ in _descent(objective, theta, rate, momentum, epochs):
        pass
    return outcome(objective, theta, torch.full((len(theta),), epochs))


def early_stopping(
    objective: Objective,
    theta: Tensor,
    validation: Task,
    *,
    rate: float,
    momentum: float,
    epochs: int,
) -> tuple[Trained, Trained]:
    """Back-propagation that remembers each net as it was at its least validation error.

    Args:
        objective: what is minimised.
        theta: starting weights (R, N); not changed.
        validation: the data on which the nets are watched after every epoch, by the objective's
            error function without decay.
        rate: see :func:`backpropagation`.
        momentum: see :func:`backpropagation`.
        epochs: passes through the training set, all of them run.

    Returns:
        The nets after the last epoch, as :func:`backpropagation` gives them, and those of the
        least validation error, whose ``iterations`` are the epochs up to it, 0 for the start.
    """

    def watched(theta: Tensor) -> Tensor:
        return objective.error.value(objective.net.outputs(theta, validation.x), validation.t)

    theta = theta.clone()
    best, least = theta.clone(), watched(theta)
    best_epoch = torch.zeros(len(theta), dtype=torch.int64)
    for epoch in _descent(objective, theta, rate, momentum, epochs):
        error = watched(theta)
        better = error < least
        least = torch.where(better, error, least)
        best_epoch[better] = epoch
        best = torch.where(better[:, None], theta, best)
    last = outcome(objective, theta, torch.full((len(theta),), epochs))
    return last, outcome(objective, best, best_epoch)


def _descent(
    objective: Objective, theta: Tensor, rate: float, momentum: float, epochs: int
) -> Iterator[int]:
    """Changes ``theta`` in place, epoch by epoch; yields the epochs done."""
    step = torch.zeros_like(theta)
    samples = len(objective.task)
    for epoch in range(1, epochs + 1):
        step.mul_(momentum).sub_(objective.gradient(theta), alpha=rate * samples)
        theta += step
        yield epoch
