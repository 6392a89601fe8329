"""Back-propagation on a few patterns at a time, as large nets were trained."""

from __future__ import annotations

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
    generator: torch.Generator,
) -> Trained:
    """Gradient descent with momentum on mini-batches, the rate falling in a line to nought.

    dw(t) = momentum dw(t - 1) - rate * gradient of the mini-batch's mean error. The falling
    rate lets the weights settle, as pruning asks for a minimum.

    Args:
        objective: what is minimised; its task is the whole training set.
        theta: starting weights (R, N), zero where masked; not changed.
        rate: learning rate at the start, on the gradient of a mean over patterns.
        momentum: share of the last step that is repeated.
        epochs: passes through the training set.
        batch: patterns of a mini-batch; a last smaller one is used too.
        generator: draws the order of the patterns of every pass, the same for all R nets.

    Returns:
        The trained nets; one that overflowed says so in ``diverged``.
    """
    theta, step = theta.clone(), torch.zeros_like(theta)
    task = objective.task
    steps = epochs * -(-len(task) // batch)
    taken = 0
    for _ in range(epochs):
        order = torch.randperm(len(task), generator=generator)
        for part in torch.split(order, batch):
            few = replace(objective, task=Task(task.x[part], task.t[part]))
            _, gradient = few.value_and_gradient(theta)
            step.mul_(momentum).sub_(gradient, alpha=rate * (1.0 - taken / steps))
            theta += step
            taken += 1
    return outcome(objective, theta, torch.full((len(theta),), epochs))
