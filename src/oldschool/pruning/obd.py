"""Optimal Brain Damage (LeCun, Denker & Solla 1989)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from oldschool.curvature.diagonal import backpropagated_diagonal
from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Choice, delete_only, least


def saliency(theta: Tensor, diagonal: Tensor) -> Tensor:
    """s_k = h_kk w_k^2 / 2, same shape as the weights: the error's increase if w_k goes."""
    return 0.5 * diagonal * theta * theta


@dataclass(frozen=True)
class OptimalBrainDamage:
    """Deletes the weight of least saliency h_kk w_k^2 / 2 and leaves the others as they are.

    Attributes:
        levenberg_marquardt: take the diagonal without its f'' terms, never negative.
        name: how rows call the method.
        error: the error function whose second derivatives are taken.
    """

    levenberg_marquardt: bool = False
    name: str = "obd"
    error: Error = SQUARED

    def choose(self, net: Mlp, theta: Tensor, task: Task, kept: Tensor, prunable: Tensor) -> Choice:
        """See :class:`oldschool.pruning.choice.Method`."""
        diagonal = backpropagated_diagonal(
            net, theta, task, levenberg_marquardt=self.levenberg_marquardt, error=self.error
        )
        weight, predicted = least(saliency(theta, diagonal), prunable)
        return Choice(weight, predicted, delete_only(theta, weight))
