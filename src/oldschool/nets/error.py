"""Error functions of a batch of nets, with their derivatives with respect to the outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Error:
    """An error function E = 1/P sum d(t, o), a sum over outputs and a mean over P samples.

    Outputs o are (R, K, P), targets t (P, K) or, of each net its own, (R, P, K).

    Attributes:
        name: how rows call it.
        value: (outputs, targets) -> E of each net, (R,).
        slope: (outputs, targets) -> dd/do, (R, K, P).
        bend: (outputs, targets) -> d2d/do2, (R, K, P).
        weight: outputs -> a, (R, K, P): d2d/do2 with t replaced by o, which is its mean over
            targets whose mean is o (Fisher's form) and never negative. The Gauss-Newton matrix
            is H = 1/P sum X a X^T (Hassibi, Stork & Wolff 1993).
    """

    name: str
    value: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    bend: Callable[[Tensor, Tensor], Tensor]
    weight: Callable[[Tensor], Tensor]


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """E = 1/(2P) sum |t - o|^2 of each net, (R,), for outputs (R, K, P) and targets (P, K)."""
    residual = outputs - targets.mT
    return 0.5 * (residual * residual).sum((1, 2)) / targets.shape[-2]


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """E = -1/P sum t ln o + (1 - t) ln(1 - o) of each net, (R,), in nats.

    Args:
        outputs: (R, K, P), 0 to 1, as logistic units give them; E is NaN for others. One that
            rounds to 0 or 1 is taken to be the unit roundoff away from it, so that a wrong one
            costs 36.7 and not infinitely much.
        targets: (P, K), 0 to 1.
    """
    t, least = targets.mT, math.log(_roundoff(outputs))
    true, false = outputs.log().clamp_min(least), (1 - outputs).log().clamp_min(least)
    return -(t * true + (1 - t) * false).sum((1, 2)) / targets.shape[-2]


def _roundoff(outputs: Tensor) -> float:
    return torch.finfo(outputs.dtype).eps / 2


def _variance(outputs: Tensor) -> Tensor:
    """o (1 - o), never nought: X vanishes with it, and X sqrt(a) has to be 0 and not NaN."""
    return (outputs * (1 - outputs)).clamp_min(_roundoff(outputs))


def _cross_entropy_bend(outputs: Tensor, targets: Tensor) -> Tensor:
    t, least = targets.mT, _roundoff(outputs)
    true, false = outputs.clamp_min(least), (1 - outputs).clamp_min(least)
    return t / (true * true) + (1 - t) / (false * false)


SQUARED = Error(
    "squared",
    squared_error,
    lambda o, t: o - t.mT,
    lambda o, t: torch.ones_like(o),
    torch.ones_like,
)
# For logistic outputs and targets 0 to 1.
CROSS_ENTROPY = Error(
    "cross-entropy",
    cross_entropy,
    lambda o, t: (o - t.mT) / _variance(o),
    _cross_entropy_bend,
    lambda o: 1 / _variance(o),
)
