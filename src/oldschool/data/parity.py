"""N-bit parity: is the number of inputs that are on odd?"""

from __future__ import annotations

import torch

from oldschool.data.task import Task


def parity(bits: int, value: float = 0.5) -> Task:
    """All 2^N cases of N-bit parity, counted in binary.

    Args:
        bits: N.
        value: an input is on at ``value`` and off at ``-value``.

    Returns:
        x (2^N, N), t (2^N, 1) of 0.5 where the number of inputs on is odd and -0.5 where it is
        even, float64.

    Raises:
        ValueError: there is no bit, or the value is not positive.
    """
    if bits < 1 or not value > 0.0:
        raise ValueError(f"parity needs 1 or more bits and a positive value: {bits}, {value}")
    on = torch.arange(2**bits)[:, None] >> torch.arange(bits - 1, -1, -1) & 1
    odd = on.sum(1, keepdim=True) % 2
    return Task(value * (2.0 * on.double() - 1.0), odd.double() - 0.5)
