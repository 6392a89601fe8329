"""Two overlapping classes in five dimensions, each a mixture of two Gaussians.

The task of Hassibi, Stork & Wolff (NIPS 6, 1993). The paper prints the means and the diagonals
of the covariances; that the components of a class are equally frequent is assumed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.data.task import Task

# Two components a class: class A first, then class B.
MEANS = (
    (1.0, 1.0, 0.0, 1.0, 0.5),
    (0.0, 0.0, 1.0, 0.0, 0.5),
    (0.0, 1.0, 0.0, 0.0, 0.5),
    (1.0, 0.0, 1.0, 1.0, 0.5),
)
VARIANCES = (
    (0.99, 1.00, 0.88, 0.70, 0.95),
    (1.28, 0.60, 0.52, 0.93, 0.93),
    (0.84, 0.68, 1.28, 1.02, 0.89),
    (0.52, 1.25, 1.09, 0.64, 1.13),
)
INPUTS = 5


def gaussian(generator: torch.Generator, samples: int) -> Task:
    """A sample of the task, a quarter of it from each component in turn.

    Args:
        generator: draws it.
        samples: P, a multiple of four.

    Returns:
        x (P, 5), t (P, 1) with 1 for class A and 0 for class B, float64.

    Raises:
        ValueError: the number of samples is no positive multiple of four.
    """
    if samples < 4 or samples % 4:
        raise ValueError(f"samples must be a positive multiple of 4, not {samples}")
    means, variances = _table(MEANS), _table(VARIANCES)
    z = torch.randn(4, samples // 4, INPUTS, generator=generator, dtype=torch.float64)
    x = means[:, None] + variances.sqrt()[:, None] * z
    t = torch.zeros(samples, 1, dtype=torch.float64)
    t[: samples // 2] = 1.0
    return Task(x.flatten(0, 1), t)


def _table(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)
