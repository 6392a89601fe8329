"""Small tasks and settings for growing."""

from dataclasses import replace

import torch

from oldschool.data.task import Task
from oldschool.growing.settings import GENERAL, CascadeSettings
from tests.problems import generator

UNITS = ["sigmoid", "gaussian", "tanh"]
SCORES = ["covariance", "correlation"]


def task(outputs: int = 1, samples: int = 13, seed: int = 0) -> Task:
    """Nothing that can be learned soon."""
    random = generator(seed)
    x = torch.randn(samples, 3, generator=random, dtype=torch.float64)
    t = torch.rand(samples, outputs, generator=random, dtype=torch.float64) - 0.5
    return Task(x, t)


def settings(epochs: int = 10, patience: int = 4, **changes) -> CascadeSettings:
    """Short phases, so that rounding does not grow to anything."""
    return replace(
        GENERAL,
        output=replace(GENERAL.output, epochs=epochs, patience=patience),
        candidate=replace(GENERAL.candidate, epochs=epochs, patience=patience),
        **{"max_hidden": 2, "pool": 4, "threshold": 0.05, **changes},
    )


def seeds(count: int, start: int = 0) -> list[torch.Generator]:
    return [generator(seed) for seed in range(start, start + count)]
