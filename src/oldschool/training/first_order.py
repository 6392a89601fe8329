"""First-order training as in the time: back-propagation with momentum, and Rprop."""

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
        step = momentum * step - rate * samples * gradient
        theta += step
    return outcome(objective, theta, torch.full((len(theta),), epochs))


def rprop(
    objective: Objective,
    theta: Tensor,
    *,
    epochs: int,
    first_step: float = 0.1,
    largest_step: float = 50.0,
) -> Trained:
    """Rprop- (Riedmiller 1994, without weight backtracking), full batch.

    Every weight has a step of its own that grows by 1.2 while the sign of its derivative
    stays, and halves when it turns.

    Args:
        objective: what is minimised.
        theta: starting weights (R, N); not changed.
        epochs: passes through the training set.
        first_step: step of every weight at the start.
        largest_step: no step grows beyond it.
    """
    theta = theta.clone()
    step = torch.full_like(theta, first_step)
    before = torch.zeros_like(theta)
    for _ in range(epochs):
        _, gradient = objective.value_and_gradient(theta)
        sign = gradient.sign()
        agreement = sign * before
        factor = 1 + 0.2 * (agreement > 0) - 0.5 * (agreement < 0)
        step = (step * factor).clamp_(1e-12, largest_step)
        theta -= sign * step
        before = sign
    return outcome(objective, theta, torch.full((len(theta),), epochs))
