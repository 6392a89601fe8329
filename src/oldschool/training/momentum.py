"""First-order training as in the time: back-propagation with momentum."""

from __future__ import annotations

import torch
from torch import Tensor

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
    step = torch.zeros_like(theta)
    samples = len(objective.task)
    for _ in range(epochs):
        _, gradient = objective.value_and_gradient(theta)
        step.mul_(momentum).sub_(gradient, alpha=rate * samples)
        theta += step
    return outcome(objective, theta, torch.full((len(theta),), epochs))
