"""What a pruning method decides for each net: which weight goes, and how the others move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp


@dataclass(frozen=True)
class Choice:
    """One deletion in each of R nets.

    Attributes:
        weight: index of the weight to delete, (R,) int64.
        predicted: the method's own prediction of the error's increase, (R,); NaN where it
            makes none.
        change: what is added to the weights, (R, N); brings the deleted one to zero.
    """

    weight: Tensor
    predicted: Tensor
    change: Tensor


class Method(Protocol):
    """A pruning method: sees the nets and the training set, chooses one weight a net."""

    @property
    def name(self) -> str:
        """How rows call the method."""
        ...

    def choose(self, net: Mlp, theta: Tensor, task: Task, kept: Tensor, prunable: Tensor) -> Choice:
        """The next deletion.

        Args:
            net: the architecture.
            theta: weights (R, N), zero where deleted.
            task: the training set.
            kept: (R, N) bool, False where a weight is deleted already; the same number of
                weights is kept in every net.
            prunable: (R, N) bool, the kept weights that may go; one or more a net.
        """
        ...


def delete_only(theta: Tensor, weight: Tensor) -> Tensor:
    """The change (R, N) that zeroes ``weight`` (R,) and moves nothing else."""
    change = torch.zeros_like(theta)
    column = weight[:, None]
    return change.scatter_(1, column, -theta.gather(1, column))


def least(saliency: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """Index and value (R,), (R,) of the least saliency (R, n) among ``allowed`` (R, n)."""
    value, index = saliency.masked_fill(~allowed, torch.inf).min(dim=1)
    return index, value
