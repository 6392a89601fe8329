"""What a trial starts with: its task checked, and weights drawn from its own stream.

The order of draws is fixed, so that every form of the algorithm starts alike: first the weights
to the outputs, output by output, each from bias, inputs in order; then, whenever a pool is set
up, those of the candidates, one by one, each from bias, inputs and hidden units in order.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.growing.settings import CascadeSettings
from oldschool.growing.units import unit_named


def draw_weights(
    generators: Sequence[torch.Generator], units: int, connections: int, bound: float
) -> Tensor:
    """Weights U(-bound, bound), one generator a trial: (R, units, connections) float64 on CPU."""
    draws = torch.empty(len(generators), units, connections, dtype=torch.float64)
    for row, generator in zip(draws.unbind(), generators, strict=True):
        row.uniform_(-bound, bound, generator=generator)
    return draws


def check_task(task: Task, trials: int, settings: CascadeSettings) -> None:
    """See that there is something to learn.

    Raises:
        ValueError: no trial, no case, a task of other nets, values that are not finite, or
            targets that the output units cannot come near.
    """
    if trials < 1 or len(task) < 1:
        raise ValueError(f"{trials} trials on {len(task)} cases: one or more of both are needed")
    if task.x.ndim == 3 and len(task.x) != trials:
        raise ValueError(f"{trials} trials, but inputs and targets of {len(task.x)}")
    if not task.x.is_floating_point() or task.x.dtype != task.t.dtype:
        raise ValueError(
            f"inputs and targets must be of one float type, not {task.x.dtype} and {task.t.dtype}"
        )
    if not bool(task.x.isfinite().all() & task.t.isfinite().all()):
        raise ValueError("inputs and targets must be finite")
    bound = unit_named(settings.output_unit).bound
    if float(task.t.abs().max()) >= bound + settings.threshold:
        raise ValueError(
            f"targets reach {float(task.t.abs().max()):g}, but {settings.output_unit} outputs "
            f"only {bound:g}: none that far could ever be right within {settings.threshold:g}"
        )
