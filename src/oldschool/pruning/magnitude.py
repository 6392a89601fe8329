"""Magnitude pruning: the smallest weight goes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Choice, delete_only, least


@dataclass(frozen=True)
class Magnitude:
    """Deletes the weight of least |w|; predicts no change of the error."""

    name: str = "magnitude"

    def choose(self, net: Mlp, theta: Tensor, task: Task, kept: Tensor, prunable: Tensor) -> Choice:
        """See :class:`oldschool.pruning.choice.Method`."""
        weight, _ = least(theta.abs(), prunable)
        nothing = theta.new_full((len(theta),), torch.nan)
        return Choice(weight, nothing, delete_only(theta, weight))
