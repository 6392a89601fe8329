"""Rules that say how far a net may be pruned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.error import squared_error


class StopRule(Protocol):
    """Says of R nets which are still good enough."""

    def accepts(self, outputs: Tensor, task: Task) -> Tensor:
        """(R,) bool from outputs (R, K, P) on the training set."""
        ...


def accuracy(outputs: Tensor, targets: Tensor, threshold: float) -> Tensor:
    """Share of samples (R,) whose every output is on its target's side of ``threshold``.

    Args:
        outputs: (R, K, P).
        targets: (P, K) or (R, P, K).
        threshold: the middle between a false and a true target.
    """
    right = (outputs > threshold) == (threshold < targets.mT)
    return right.all(dim=1).to(outputs.dtype).mean(dim=1)


@dataclass(frozen=True)
class KeepAccuracy:
    """Prune while the training accuracy is at or above a level.

    Attributes:
        level: least share of training samples that must stay right, 0 to 1.
        threshold: the middle between a false and a true target.
    """

    level: float
    threshold: float = 0.5

    def accepts(self, outputs: Tensor, task: Task) -> Tensor:
        """See :class:`StopRule`."""
        return accuracy(outputs, task.t, self.threshold) >= self.level - 1e-12


@dataclass(frozen=True)
class KeepError:
    """Prune while the training error 1/(2P) sum |t - o|^2 is at or below a level."""

    level: float

    def accepts(self, outputs: Tensor, task: Task) -> Tensor:
        """See :class:`StopRule`."""
        return squared_error(outputs, task.t) <= self.level
