"""Pruning R nets in rounds: a look at the nets, a share of the weights deleted on what it saw.

Optimal Brain Damage's recipe (LeCun, Denker & Solla 1989, section 2.3): train, compute the
saliencies, delete some weights of low saliency, train again, and so on. Methods that rank weights
once a round are told by their score; Optimal Brain Surgeon moves the other weights as it goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.stack import Stack
from oldschool.pruning import obd
from oldschool.pruning.large import LargeOptimalBrainSurgeon, prune_large, require_falling

# (net, weights (R, N), training set) -> a score of every weight (R, N); the least goes first
Score = Callable[[Stack, Tensor, Task], Tensor]


@dataclass(frozen=True)
class Pruning:
    """R nets after a round, or on the way through one.

    Attributes:
        theta: weights (R, N), zero where deleted.
        kept: (R, N) bool.
        predicted: rise of the error that the method foresaw for the deletions, (R,); NaN where it
            foresees none.
    """

    theta: Tensor
    kept: Tensor
    predicted: Tensor


class RoundMethod(Protocol):
    """A pruning method for nets of planes."""

    @property
    def name(self) -> str:
        """How rows call the method."""
        ...

    def prune(
        self, net: Stack, theta: Tensor, kept: Tensor, task: Task, counts: Sequence[int]
    ) -> list[Pruning]:
        """Look once, and delete down to each of ``counts`` weights in turn.

        Args:
            net: the architecture.
            theta: weights (R, N), zero where not kept; not changed.
            kept: (R, N) bool, as many in each net.
            task: the training set.
            counts: weights left, falling.

        Raises:
            ValueError: the counts do not fall.
        """
        ...


@dataclass(frozen=True)
class LeastFirst:
    """Deletes weights in the order of a score; the others do not move.

    Of a net that diverged, whose scores are no numbers, it deletes as many as of the others.

    Attributes:
        name: how rows call the method.
        score: least first.
        foresees: whether the score is the rise of the error that the deletion causes.
    """

    name: str
    score: Score
    foresees: bool = True

    def prune(
        self, net: Stack, theta: Tensor, kept: Tensor, task: Task, counts: Sequence[int]
    ) -> list[Pruning]:
        """See :class:`RoundMethod`."""
        score = self.score(net, theta, task)
        # What is deleted comes last, after what is no number or infinite.
        finite = score.nan_to_num(nan=torch.finfo(score.dtype).max)
        order = finite.masked_fill(~kept, torch.inf).argsort(dim=1, stable=True)
        rises = score.gather(1, order).double().cumsum(1)
        rows = torch.arange(len(theta))[:, None]
        left, found = int(kept[0].sum()), []
        require_falling(counts, left)
        for count in counts:
            gone = order[:, : left - count]
            now = kept.clone()
            now[rows, gone] = False
            rise = rises[:, left - count - 1] if count < left else rises.new_zeros(len(theta))
            if not self.foresees:
                rise = torch.full_like(rise, torch.nan)
            found.append(Pruning(torch.where(now, theta, 0.0), now, rise))
        return found


@dataclass(frozen=True)
class Surgery:
    """Optimal Brain Surgeon, net by net, in float64; H stands through a round.

    A net that diverged has no H: it loses as many weights as the others, in any order.

    Attributes:
        method: alpha and what is held.
        samples: patterns, the first of the training set, that H is a mean over.
    """

    method: LargeOptimalBrainSurgeon
    samples: int

    @property
    def name(self) -> str:
        """As the method's."""
        return self.method.name

    def prune(
        self, net: Stack, theta: Tensor, kept: Tensor, task: Task, counts: Sequence[int]
    ) -> list[Pruning]:
        """See :class:`RoundMethod`."""
        seen = Task(task.x[: self.samples].double(), task.t[: self.samples].double())
        paths = []
        for w, k in zip(theta.double(), kept, strict=True):
            if not bool(w.isfinite().all()):
                paths.append(_lost(net, w, k, seen, counts, theta.dtype))
                continue
            total, steps = 0.0, []
            for step in prune_large(net, w, k, seen, self.method, counts):
                total += step.predicted
                steps.append((step.theta.to(theta.dtype), step.kept, total))
            paths.append(steps)
        return [
            Pruning(
                torch.stack([theta for theta, _, _ in at]),
                torch.stack([kept for _, kept, _ in at]),
                torch.tensor([total for _, _, total in at], dtype=torch.float64),
            )
            for at in zip(*paths, strict=True)
        ]


def _lost(
    net: Stack, w: Tensor, kept: Tensor, task: Task, counts: Sequence[int], dtype: torch.dtype
) -> list[tuple[Tensor, Tensor, float]]:
    """Weights, those kept, and a NaN foreseen, at each count of a net that diverged."""
    at = LeastFirst("", magnitude, foresees=False).prune(net, w[None], kept[None], task, counts)
    return [(one.theta[0].to(dtype), one.kept[0], math.nan) for one in at]


def magnitude(net: Stack, theta: Tensor, task: Task) -> Tensor:
    """|w|, (R, N)."""
    return theta.abs()


def obd_saliency(net: Stack, theta: Tensor, task: Task) -> Tensor:
    """h_kk w_k^2 / 2 with h_kk of the full recursion, (R, N)."""
    return obd.saliency(theta, recursive_diagonal(net, theta, task).diagonal)


def obd_lm_saliency(net: Stack, theta: Tensor, task: Task) -> Tensor:
    """h_kk w_k^2 / 2 with h_kk of the Levenberg-Marquardt form, (R, N); never negative."""
    form = recursive_diagonal(net, theta, task, levenberg_marquardt=True)
    return obd.saliency(theta, form.diagonal)


def random_score(generators: Sequence[torch.Generator]) -> Score:
    """A score that puts the weights of each net in a random order, one generator a net."""

    def score(net: Stack, theta: Tensor, task: Task) -> Tensor:
        draws = [torch.rand(theta.shape[1], generator=one, dtype=theta.dtype) for one in generators]
        return torch.stack(draws)

    return score
