"""Back-propagation on a few patterns at a time, as large nets were trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained, outcome


def stochastic_backpropagation(
    objective: Objective,
    theta: Tensor,
    *,
    rate: float,
    momentum: float,
    epochs: int,
    batch: int,
    generators: Sequence[torch.Generator],
) -> Trained:
    """Gradient descent with momentum on mini-batches, the rate falling in a line to nought.

    dw(t) = momentum dw(t - 1) - rate * gradient of the mini-batch's mean error. The falling
    rate lets the weights settle, as pruning asks for a minimum.

    Args:
        objective: what is minimised; its task, shared by the nets, is the whole training set.
        theta: starting weights (R, N), zero where masked; not changed.
        rate: learning rate at the start, on the gradient of a mean over patterns.
        momentum: share of the last step that is repeated.
        epochs: passes through the training set.
        batch: patterns of a mini-batch; a last smaller one is used too.
        generators: one a net; draws the order of its patterns in every pass.

    Returns:
        The trained nets; one that overflowed says so in ``diverged``.
    """
    theta, step = theta.clone(), torch.zeros_like(theta)
    task = objective.task
    steps = epochs * -(-len(task) // batch)
    taken = 0
    for _ in range(epochs):
        order = torch.stack([torch.randperm(len(task), generator=one) for one in generators])
        for part in torch.split(order, batch, dim=1):
            few = replace(objective, task=Task(task.x[part], task.t[part]))
            step.mul_(momentum).sub_(few.gradient(theta), alpha=rate * (1.0 - taken / steps))
            theta += step
            taken += 1
    return outcome(objective, theta, torch.full((len(theta),), epochs))
