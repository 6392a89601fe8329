"""The XOR problem."""

from __future__ import annotations

import torch

from oldschool.data.task import Task


def xor(low: float, high: float) -> Task:
    """The four patterns of XOR, inputs 0 and 1, in the order 00, 01, 10, 11.

    Args:
        low: target of a false pattern.
        high: target of a true pattern.

    Returns:
        A float64 task with x of shape (4, 2) and t of shape (4, 1).
    """
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    t = torch.tensor([[low], [high], [high], [low]], dtype=torch.float64)
    return Task(x, t)
