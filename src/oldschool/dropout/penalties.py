"""What dropout is compared with (Table 9): weight decay, L1, and a sparse mean activity.

All are additions to the gradient before momentum; biases are free.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

LEAST = 1e-20


@dataclass(frozen=True)
class Sparsity:
    """The penalty cost sum_j KL(rho || rho^_j) on hidden units' mean activities rho^_j.

    Logistic units: between Bernoulli distributions,

        KL = rho ln(rho / rho^) + (1 - rho) ln((1 - rho) / (1 - rho^)),
        dKL/drho^ = (rho^ - rho) / (rho^ (1 - rho^)).

    The activity of a ReLU unit is no probability and has no upper bound: for those it is taken
    between Poisson distributions, the form that the above goes to for small activities,

        KL = rho ln(rho / rho^) - rho + rho^,    dKL/drho^ = (rho^ - rho) / rho^.

    Attributes:
        target: rho, above 0, for logistic units below 1.
        cost: the factor.
        damping: rho^ is damping times its last value plus (1 - damping) times the mean over the
            mini-batch, from rho at the start; the derivative is taken as if all of it were the
            mini-batch's. 0 takes the mini-batch alone: the exact gradient, but of ReLU units that
            are almost never active a huge one.
    """

    target: float
    cost: float
    damping: float = 0.9


@dataclass(frozen=True)
class Penalties:
    """Additions to the gradient of each weight w.

    Attributes:
        l2: l2/2 |w|^2 is added to the error.
        l1: l1 |w|_1 is added to the error.
        l1_after: updates before L1 sets in ("L1 towards the end").
        sparsity: on all hidden layers, None for none.
    """

    l2: float = 0.0
    l1: float = 0.0
    l1_after: int = 0
    sparsity: Sparsity | None = None


def decay_(velocity: Tensor, weights: Tensor, penalties: Penalties, step: int) -> None:
    """Adds the gradients of L2 and L1, l2 w + l1 sign(w), to the velocity of the weights."""
    if penalties.l2:
        velocity.add_(weights, alpha=penalties.l2)
    if penalties.l1 and step >= penalties.l1_after:
        velocity.add_(weights.sign(), alpha=penalties.l1)


def kl_slope(mean: Tensor, target: float, hidden: str) -> Tensor:
    """dKL/drho^ for mean activities rho^ of units ``hidden``; see :class:`Sparsity`.

    A variance of 0, as of dead and of saturated units, is taken to be ``LEAST``: no activity of
    such a unit has a slope, and infinity times 0 would not be nothing.
    """
    variance = mean if hidden == "relu" else mean * (1 - mean)
    return (mean - target) / variance.clamp_min(LEAST)


def sparsity_pull_(
    pull: Tensor, activities: Tensor, means: Tensor, sparsity: Sparsity, hidden: str
) -> None:
    """Adds the penalty's slope to the errors' pull on activities, and updates the means.

    Args:
        pull: P times dE/dy~, (R, P, units), changed in place.
        activities: y~ = r * y, as passed on to the layer above, (R, P, units).
        means: rho^ of the updates before, (R, units), changed in place.
        sparsity: target and cost.
        hidden: unit function of the layer.
    """
    means.mul_(sparsity.damping).add_(activities.mean(1), alpha=1 - sparsity.damping)
    pull.add_(kl_slope(means, sparsity.target, hidden).unsqueeze(1), alpha=sparsity.cost)
