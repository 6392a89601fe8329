"""What training tells about each net."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from oldschool.training.objective import Objective


@dataclass(frozen=True)
class Trained:
    """The outcome of training R nets.

    Attributes:
        theta: weights at the end, (R, N).
        error: data term of the objective, (R,).
        value: whole objective, (R,).
        gradient_norm: Euclidean norm of the objective's gradient, (R,).
        iterations: iterations spent on each net, (R,) int64.
        diverged: (R,) bool, the objective or its gradient is not finite.
    """

    theta: Tensor
    error: Tensor
    value: Tensor
    gradient_norm: Tensor
    iterations: Tensor
    diverged: Tensor


def outcome(objective: Objective, theta: Tensor, iterations: Tensor) -> Trained:
    """Evaluates the nets ``theta`` (R, N) after ``iterations`` (R,)."""
    value, gradient = objective.value_and_gradient(theta)
    norm = gradient.norm(dim=1)
    return Trained(
        theta,
        objective.data_term(theta),
        value,
        norm,
        iterations,
        ~(value.isfinite() & norm.isfinite()),
    )
